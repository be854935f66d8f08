"""Before a push: every version that leaves is judged, and everything its commits need is uploaded.

The authoritative gate of this machine: what revert, cherry-pick and rebase made was seen by no
other hook. Which bytes are to be uploaded follows from the roots at the data remote alone, never
from git's view of it. Called by the internal command `hook`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from dvtool.core.config import CONFIG_FILE
from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.errors import DvtoolError, InvalidText, ObjectMissing, UsageError
from dvtool.git.history import needed
from dvtool.git.pushing import PushedRef, not_sent_yet, touched, versions_at
from dvtool.git.revisions import current_refs
from dvtool.git.sidecars import ANY_SIDECAR
from dvtool.ops.check import Wanted, check_datasets
from dvtool.ops.gate import blocks, policy_of
from dvtool.ops.hooks.commit import CHECKED_BESIDE
from dvtool.ops.hooks.problems import HookReport, Problem, named, problem_of
from dvtool.ops.push import PushReport, push
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Verdict
from dvtool.quality.judged import Judgement

UPLOAD_LIMIT_BYTES: Final = 1 << 30
"""What a hook uploads at most: git's connection is open meanwhile, and hosts close idle ones."""
_PATHSPECS: Final = (ANY_SIDECAR, *(f":(glob)**/*{suffix}" for suffix in CHECKED_BESIDE[1:]))


def all_refs(workspace: Workspace) -> list[PushedRef]:
    """Returns all local branches and tags, for a caller that is not told what a push sends."""
    return [PushedRef(ref, commit, "") for ref, commit in current_refs(workspace.git).items()]


def before_push(
    workspace: Workspace, refs: Sequence[PushedRef], git_remote: str, wanted: Wanted
) -> HookReport:
    """Returns why a push may not go on; without a reason, its data are at the remote by then.

    Args:
        workspace: Where.
        refs: What git is about to send.
        git_remote: Name of git's remote, or its address.
        wanted: How to judge.

    Raises:
        RemoteFailed, RemoteUntrusted: The data remote.
        UsageError: No data remote can be chosen.
    """
    if not refs:
        return HookReport()
    judged, problems, notes = _judged(workspace, refs, git_remote, wanted)
    if problems:
        return HookReport(tuple(problems), tuple(judged), tuple(notes))
    try:
        done = upload(workspace, refs, git_remote)
    except (ObjectMissing, TooMuch) as error:
        return HookReport((problem_of(error),), tuple(judged), tuple(notes))
    if done is not None and done.uploaded:
        notes.append(f"{done.uploaded} objects uploaded to {done.remote} ({done.url})")
    return HookReport((), tuple(judged), tuple(notes))


def outside(workspace: Workspace, refs: Sequence[PushedRef]) -> HookReport:
    """Returns why commits that use dvtool may not leave from a work tree that does not."""
    asked = [(one.commit, (CONFIG_FILE,)) for one in refs]
    using = [
        one.ref for one, (oid,) in zip(refs, versions_at(workspace.git, asked), strict=True) if oid
    ]
    if not using:
        return HookReport()
    what = f"{named(using)} has a {CONFIG_FILE}, this work tree has none, so no remote is known"
    return HookReport((Problem(what, "git switch to a branch that has it, and push from there"),))


# -- judging -------------------------------------------------------------------------------------


def _judged(
    workspace: Workspace, refs: Sequence[PushedRef], git_remote: str, wanted: Wanted
) -> tuple[list[Judgement], list[Problem], list[str]]:
    """Judges every version that never left this clone; known verdicts are not made again."""
    policy = policy_of(workspace.settings)
    if not policy.push:
        return [], [], []
    tips = list(dict.fromkeys(one.commit for one in refs))
    judged: list[Judgement] = []
    problems: list[Problem] = []
    notes: list[str] = []
    for commit, dataset in _versions(workspace, refs, git_remote):
        try:
            (one,) = check_datasets(workspace, [dataset], wanted, rev=commit)
        except ObjectMissing as error:
            what = f"{dataset} at {commit[:12]} has no verdict: {error}"
            problems.append(Problem(what, f"dvtool fetch --rev {commit[:12]} {dataset}"))
        except InvalidText as error:
            if commit in tips:
                problems.append(problem_of(error))
            else:
                notes.append(f"not judged, for no reader takes it: {error}")
        except DvtoolError as error:
            problems.append(problem_of(error))
        else:
            judged.append(one)
            if blocks(one.verdict, policy.push):
                problems.append(_refused(one, commit, dataset))
    return [one for one in judged if one.verdict is not Verdict.PASS], problems, notes


def _refused(judged: Judgement, commit: str, dataset: str) -> Problem:
    return Problem(
        f"{dataset} at {commit[:12]}: {judged.verdict.value}",
        f"dvtool check --rev {commit[:12]} {dataset} shows it; git rebase or commit --amend puts"
        " it right",
    )


def _versions(
    workspace: Workspace, refs: Sequence[PushedRef], git_remote: str
) -> Iterator[tuple[str, str]]:
    """Yields commit and data set of every version to judge, each combination of bytes once.

    Those are the versions that a commit of the range made, and at the tips the data sets whose
    data or checks the range touched.
    """
    tips = list(dict.fromkeys(one.commit for one in refs))
    before = [one.before for one in refs if one.before]
    revisions = not_sent_yet(workspace.git, tips, before, git_remote)
    changes = touched(workspace.git, revisions, _PATHSPECS)
    asked = [
        (change.commit, change.path.removesuffix(SIDECAR_SUFFIX))
        for change in changes
        if change.path.endswith(SIDECAR_SUFFIX)
    ]
    bare = {_dataset_of(change.path): None for change in changes}
    asked += [(tip, dataset) for tip in tips for dataset in bare]
    paths = [(commit, [name + end for end in CHECKED_BESIDE]) for commit, name in asked]
    seen = set()
    for (commit, dataset), oids in zip(asked, versions_at(workspace.git, paths), strict=True):
        if oids[0] and (dataset, oids) not in seen:
            seen.add((dataset, oids))
            yield commit, dataset


def _dataset_of(path: str) -> str:
    for suffix in CHECKED_BESIDE:
        path = path.removesuffix(suffix)
    return path


# -- uploading -----------------------------------------------------------------------------------


class TooMuch(UsageError):
    """More than a hook should upload."""


def upload(workspace: Workspace, refs: Sequence[PushedRef], git_remote: str) -> PushReport | None:
    """Uploads what the commits need; None when they need nothing and there is no remote.

    Raises:
        UsageError: It is too much for a hook, or no remote can be chosen.
        ObjectMissing: Bytes are neither here nor there.
    """
    commits = {one.ref: one.commit for one in refs}
    settings = workspace.settings
    if not settings.remotes:
        lacking = next(needed(workspace.git, commits.values()), None)
        if lacking is None:
            return None
        raise ObjectMissing(
            f"{lacking.path} at {lacking.commit[:12]} needs data, and there is no remote to send"
            " them to",
            hint="dvtool remote add origin s3://bucket/prefix",
        )
    name = None
    if settings.remote is None and len(settings.remotes) > 1 and git_remote in settings.remotes:
        name = git_remote
    return push(workspace, remote_name=name, commits=commits, before_upload=_limit(refs))


def _limit(refs: Sequence[PushedRef]) -> Callable[[Mapping[Digest, int]], None]:
    def check(sizes: Mapping[Digest, int]) -> None:
        total = sum(sizes.values())
        if total > UPLOAD_LIMIT_BYTES:
            which = (
                f"--rev {refs[0].commit[:12]}" if len(refs) == 1 else "--all-branches --all-tags"
            )
            raise TooMuch(
                f"{total / 2**30:.1f} GiB of data are not at the remote yet, more than git's"
                " connection may wait for",
                hint=f"dvtool push {which}, then git push again, which uploads nothing more",
            )

    return check
