"""Before a commit: what is staged is looked at, and judged, as it is staged.

The work tree counts only for one question, whether data were changed and not added. Nothing is
fetched, nothing is changed. Called by the internal command `hook`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from dvtool.core.config import CONFIG_FILE
from dvtool.core.digest import Digest
from dvtool.core.paths import ALLOW_SUFFIX, CHECKS_SUFFIX, SIDECAR_SUFFIX
from dvtool.core.quote import display
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.errors import DvtoolError
from dvtool.git.contents import read_blobs
from dvtool.git.revisions import head_commit
from dvtool.git.settings import read_settings
from dvtool.git.sidecars import sidecars_at
from dvtool.git.staged import StagedChange, blob_sizes, merge_parents, staged_changes
from dvtool.ops.check import Wanted
from dvtool.ops.gate import GatePolicy, blocks, policy_of
from dvtool.ops.hooks.budget import judge_within
from dvtool.ops.hooks.problems import HookReport, Problem, let_through, named, problem_of
from dvtool.ops.hooks.unadded import changed_on_disk
from dvtool.ops.staged import Staged
from dvtool.ops.versions import shards_of
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Verdict
from dvtool.quality.judged import Judgement

CHECKED_BESIDE = (SIDECAR_SUFFIX, CHECKS_SUFFIX, ALLOW_SUFFIX)
"""Files whose change makes a data set worth judging."""
_NOT_QUITE = (Verdict.WARN, Verdict.UNDECIDED)


def before_commit(workspace: Workspace, wanted: Wanted, *, large_files: bool = True) -> HookReport:
    """Returns why what is staged may not be committed.

    Args:
        workspace: Where; its environment is the hook's, with the index git is about to commit.
        wanted: How to judge.
        large_files: Look also for files that are too large for git itself.
    """
    policy = policy_of(workspace.settings)
    commit = head_commit(workspace.git)
    changes = staged_changes(workspace.git, commit)
    parents = merge_parents(workspace.git, workspace.environ)
    problems = list(_settings(workspace, changes))
    if large_files:
        problems += large_staged(workspace, policy, changes, parents)
    sidecars, invalid = _staged_sidecars(workspace, changes)
    problems += invalid
    incomplete = list(_incomplete(workspace, sidecars, [commit, *parents] if commit else parents))
    problems += incomplete
    unadded, notes = changed_on_disk(workspace, policy)
    problems += unadded
    judged, more, said = _judged(
        workspace, policy, wanted, changes, stop=bool(incomplete or invalid)
    )
    return HookReport((*problems, *more), judged, (*notes, *said))


def only_large_files(workspace: Workspace) -> HookReport:
    """Returns which staged files are too large for git itself, and nothing else."""
    changes = staged_changes(workspace.git, head_commit(workspace.git))
    parents = merge_parents(workspace.git, workspace.environ)
    return HookReport(
        tuple(large_staged(workspace, policy_of(workspace.settings), changes, parents))
    )


def _settings(workspace: Workspace, changes: Sequence[StagedChange]) -> Iterator[Problem]:
    """Yields what is wrong with `.dvtool` as it is staged, such as a secret in it."""
    if any(change.path == CONFIG_FILE and change.oid for change in changes):
        try:
            read_settings(workspace.git, rev="")
        except DvtoolError as error:
            yield problem_of(error)


def large_staged(
    workspace: Workspace,
    policy: GatePolicy,
    changes: Sequence[StagedChange],
    parents: Sequence[str],
) -> Iterator[Problem]:
    """Yields files about to be committed to git itself that are too large for it.

    What a merge brings from another branch is in git already and is left out.
    """
    if not policy.large_file_bytes:
        return
    oids = {change.path: change.oid for change in changes if change.oid}
    large = {
        path: size
        for path, size in _sizes(workspace, oids).items()
        if size >= policy.large_file_bytes
    }
    for parent in parents if large else ():
        ours = {change.path for change in staged_changes(workspace.git, parent)}
        large = {path: size for path, size in large.items() if path in ours}
    if large:
        told = [
            f"{display(os.fsencode(path))} ({size / 2**20:.1f} MiB)" for path, size in large.items()
        ]
        first = display(os.fsencode(next(iter(large))))
        yield Problem(
            f"git itself would get {len(large)} large file{'s' * (len(large) != 1)}: {named(told)}",
            f"dvtool add {first} keeps it out of git; gate.large-file sets the limit",
        )


def _sizes(workspace: Workspace, oids: Mapping[str, str]) -> dict[str, int]:
    sizes = blob_sizes(workspace.git, oids.values())
    return {path: sizes[oid] for path, oid in oids.items() if oid in sizes}


def _staged_sidecars(
    workspace: Workspace, changes: Sequence[StagedChange]
) -> tuple[dict[str, Sidecar], list[Problem]]:
    staged = {
        change.path: change.oid
        for change in changes
        if change.oid and change.path.endswith(SIDECAR_SUFFIX)
    }
    texts = read_blobs(workspace.git, staged.values())
    found, invalid = {}, []
    for path, oid in staged.items():
        try:
            found[path.removesuffix(SIDECAR_SUFFIX)] = parse_sidecar(texts[oid], source=f":{path}")
        except DvtoolError as error:
            invalid.append(problem_of(error))
    return found, invalid


def _incomplete(
    workspace: Workspace, sidecars: Mapping[str, Sidecar], parents: Sequence[str]
) -> Iterator[Problem]:
    """Yields data sets whose new bytes are not in the store, so that no push could send them.

    What a parent commit needs too was committed before, by somebody who had it.
    """
    lacking: dict[str, set[Digest]] = {}
    for name, sidecar in sidecars.items():
        try:
            blobs = set(_blobs(workspace, sidecar))
        except DvtoolError as error:
            yield problem_of(error)
            continue
        if missing := workspace.store.missing(blobs):
            lacking[name] = missing
    for parent in parents if lacking else ():
        paths = [name + SIDECAR_SUFFIX for name in lacking]
        oids = sidecars_at(workspace.git, parent, paths)
        texts = read_blobs(workspace.git, oids.values())
        for path, oid in oids.items():
            try:
                known = set(_blobs(workspace, parse_sidecar(texts[oid], source=path)))
            except DvtoolError:
                continue  # an unreadable older version excuses nothing
            lacking[path.removesuffix(SIDECAR_SUFFIX)] -= known
    for name, missing in lacking.items():
        if missing:
            yield Problem(
                f"{name}{SIDECAR_SUFFIX} names {len(missing)} objects that are not in the store"
                f" {workspace.store.root}",
                f"dvtool fetch {name} brings them; dvtool add {name} stores what is on disk",
            )


def _blobs(workspace: Workspace, sidecar: Sidecar) -> dict[Digest, int]:
    return {**shards_of([sidecar]), **workspace.tree(sidecar).blobs()}


def _judged(
    workspace: Workspace,
    policy: GatePolicy,
    wanted: Wanted,
    changes: Sequence[StagedChange],
    *,
    stop: bool,
) -> tuple[tuple[Judgement, ...], list[Problem], list[str]]:
    """Judges the data sets whose data or checks are about to change."""
    touched = {
        change.path.removesuffix(suffix)
        for change in changes
        for suffix in CHECKED_BESIDE
        if change.path.endswith(suffix)
    }
    if stop or not touched or not policy.commit:
        return (), [], []
    staged = Staged(workspace)
    names = sorted(touched.intersection(staged.datasets))
    found = judge_within(workspace, staged, names, wanted, budget_s=policy.commit_budget_s)
    problems, notes = list(found.problems), list(found.notes)
    for one in found.judgements:
        if blocks(one.verdict, policy.commit):
            problems.append(
                Problem(
                    f"{one.name}: {one.verdict.value}",
                    f"put the data right and dvtool add {one.name}; change its checks; or accept"
                    f" it: dvtool allow {one.name} --exception --reason ... (--new-normal where"
                    " the data stay like this)",
                )
            )
    if not problems:  # with one, all judgements are shown whole
        passing = (one for one in found.judgements if one.verdict in _NOT_QUITE)
        notes += map(let_through, passing)
    if found.deferred:
        notes.append(
            f"not judged within {policy.commit_budget_s:g} s: {named(found.deferred)};"
            " the push decides (dvtool check --staged does now)"
        )
    return tuple(found.judgements), problems, notes
