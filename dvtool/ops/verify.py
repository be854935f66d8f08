"""`verify`: prove that bytes are there and whole, here, at a remote, or for every commit of a range.

Locally every blob is re-hashed. At a remote presence is judged from what it lists; every record,
or a sample, is read and checked only when asked for. Called by the CLI.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from dvtool.core.digest import Digest, format_digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import CorruptObject, DvtoolError, InvalidText, ObjectMissing, UsageError
from dvtool.git.ancestry import resolve_range
from dvtool.git.contents import iter_blobs
from dvtool.git.history import needed
from dvtool.git.holders import Stretch, holders, stretch
from dvtool.git.revisions import BRANCHES, TAGS, current_refs, resolve_commit
from dvtool.git.sidecars import sidecars_at
from dvtool.ops.fetch import Seen, fetch_blobs
from dvtool.ops.restoring import what_lacks
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be.

    Attributes:
        digest: Which object; empty when a whole version cannot be read.
        where: Which version needs it, as `data set at commit`; empty when not known.
        what: Plain words.
        repaired: It has been put right.
    """

    digest: Digest
    where: str
    what: str
    repaired: bool = False

    def __str__(self) -> str:
        name = format_digest(self.digest) if self.digest else ""
        return " ".join(part for part in (name, self.where, self.what) if part)


@dataclass(frozen=True, slots=True)
class Gap:
    """A commit that cannot be restored whole.

    Attributes:
        commit: Object id.
        datasets: Its data sets that lack something, sorted.
    """

    commit: str
    datasets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """That not everything was read.

    Attributes:
        seed: Draws the same records again, while the remote stays the same.
        records: How many could have been drawn.
        share: Which part of them was asked for, above 0 and below 1.
    """

    seed: int
    records: int
    share: float


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found.

    Attributes:
        checked: How many objects were looked at.
        problems: What is wrong; empty when all is well.
        commits: How many commits the answer is about; None when it is about none.
        incomplete: Those of them that lack something, newest first.
        sample: Not everything was read; None when it was.
    """

    checked: int
    problems: tuple[Problem, ...]
    commits: int | None = None
    incomplete: tuple[Gap, ...] = ()
    sample: Sample | None = None

    @property
    def unrepaired(self) -> tuple[Problem, ...]:
        """The problems that are still there."""
        return tuple(problem for problem in self.problems if not problem.repaired)


def verify_store(workspace: Workspace, *, repair: bool) -> VerifyReport:
    """Re-hashes every blob in the store; with `repair` damaged ones come again from the remote."""
    problems = []
    checked = 0
    for digest, error in workspace.store.verify():
        checked += 1
        if error is not None:
            problems.append(
                _repair_here(workspace, digest, error)
                if repair
                else Problem(digest, "", str(error))
            )
    return VerifyReport(checked, tuple(problems))


def _repair_here(workspace: Workspace, digest: Digest, error: DvtoolError) -> Problem:
    workspace.store.drop(digest)
    try:
        fetch_blobs(workspace, {digest: 0})
    except DvtoolError as failure:
        return Problem(digest, "", f"{error}; no good copy: {failure}")
    return Problem(digest, "", f"{error}; fetched again", repaired=True)


def rebuild_remote_index(workspace: Workspace, *, remote_name: str | None) -> VerifyReport:
    """Writes indexes over packs that no readable index names, so that what they hold is found."""
    from dvtool.store.remote.gc.rebuild import rebuild_index

    done = rebuild_index(workspace.remote(remote_name))
    problems = tuple(Problem(Digest(b""), "", what) for what in done.damaged)
    return VerifyReport(done.records, problems)


def verify_range(
    workspace: Workspace,
    ranges: Sequence[str],
    *,
    remote_name: str | None,
    at_remote: bool,
    seen: Seen | None = None,
) -> VerifyReport:
    """Answers for every commit of a range whether all its bytes are there; reads none of them.

    What a commit inherits from before the range counts as well. Lists of files that lie in shards
    are fetched where the remote is asked: without them nobody knows what a commit needs.

    Args:
        workspace: Where.
        ranges: `A..B` or single revisions; empty for all branches and tags.
        remote_name: Which remote; None for the default.
        at_remote: Look at the remote, not in the store.
        seen: What an earlier look at the same remote saw; learns of this one.
    """
    tips, exclude = _tips(workspace, ranges)
    found = stretch(workspace.git, tips, exclude)
    sidecars = _sidecars_of(workspace, found, tips, exclude)
    erased: Mapping[Digest, str] = {}
    if at_remote and sidecars:
        seen = seen or Seen()
        _bring_shards(workspace, sidecars, remote_name, seen)
        snapshot = seen.snapshot = seen.snapshot or workspace.remote(remote_name).snapshot()
        erased = snapshot.notes.erased
        lacks = what_lacks(workspace, sidecars, snapshot.missing)
    else:
        lacks = what_lacks(workspace, sidecars, workspace.store.missing)
    where, gaps = _gaps(workspace, found, sidecars, [*lacks.missing, *lacks.unreadable])
    place = "the remote" if at_remote else "the store"
    problems: dict[Digest, Problem] = {}
    for oid in where:
        for digest in lacks.missing.get(oid, ()):
            reason = erased.get(digest)
            why = "" if reason is None else f": it was erased on purpose: {reason}"
            problems.setdefault(digest, Problem(digest, where[oid], f"is not in {place}{why}"))
    unreadable = [
        Problem(Digest(b""), where[oid], str(error))
        for oid, error in lacks.unreadable.items()
        if oid in where
    ]
    return VerifyReport(
        lacks.needed,
        (*(problems[digest] for digest in sorted(problems)), *unreadable),
        commits=len(found.commits),
        incomplete=gaps,
    )


def _bring_shards(
    workspace: Workspace, sidecars: Mapping[str, Collection[str]], name: str | None, seen: Seen
) -> None:
    """Fetches the shards of sidecars, as far as the remote has them; the rest is told later."""
    shards: dict[Digest, int] = {}
    for _, text in iter_blobs(workspace.git, list(sidecars)):
        with suppress(InvalidText):
            shards.update({one.digest: one.size for one in parse_sidecar(text, source="").shards})
    with suppress(ObjectMissing, CorruptObject):
        fetch_blobs(workspace, shards, remote_name=name, seen=seen)


def _sidecars_of(
    workspace: Workspace, found: Stretch, tips: Sequence[str], exclude: Sequence[str]
) -> dict[str, set[str]]:
    """Returns every sidecar that commits of a range may have: object ids with their paths."""
    paths: dict[str, set[str]] = {}
    for one in needed(workspace.git, tips, exclude):
        paths.setdefault(one.oid, set()).add(one.path)
    for commit in found.before:
        for path, oid in sidecars_at(workspace.git, commit).items():
            paths.setdefault(oid, set()).add(path)
    return paths


def _gaps(
    workspace: Workspace,
    found: Stretch,
    sidecars: Mapping[str, Collection[str]],
    bad: Collection[str],
) -> tuple[dict[str, str], tuple[Gap, ...]]:
    """Returns for each bad sidecar one commit that has it, in words, and all commits with any.

    A sidecar that only a commit before the range has is left out of both.
    """
    wanted: dict[str, set[str]] = {}
    for oid in bad:
        for path in sidecars[oid]:
            wanted.setdefault(path, set()).add(oid)
    where: dict[str, str] = {}
    datasets: dict[str, set[str]] = {}
    for commit, path, oid in holders(workspace.git, found.commits, wanted):
        dataset = path.removesuffix(SIDECAR_SUFFIX)
        where.setdefault(oid, f"{dataset} at {commit[:12]}")
        datasets.setdefault(commit, set()).add(dataset)
    gaps = [Gap(c, tuple(sorted(datasets[c]))) for c in found.commits if c in datasets]
    return where, tuple(gaps)


def _tips(workspace: Workspace, ranges: Sequence[str]) -> tuple[list[str], list[str]]:
    if not ranges:
        refs = current_refs(workspace.git, [BRANCHES, TAGS])
        return list(dict.fromkeys(refs.values())), []
    tips: list[str] = []
    exclude: list[str] = []
    for text in ranges:
        if ".." in text:
            start, end = resolve_range(workspace.git, text)
            tips.append(end)
            exclude.append(start)
        else:
            tips.append(resolve_commit(workspace.git, text))
    return tips, exclude


def verify_remote_data(
    workspace: Workspace,
    *,
    remote_name: str | None,
    repair: bool,
    share: float = 1.0,
    seed: int | None = None,
) -> VerifyReport:
    """Reads records at the remote and checks them; damaged ones are replaced from the store.

    Args:
        workspace: Where.
        remote_name: Which remote; None for the default.
        repair: Replace what is damaged.
        share: Which part of all records is read, above 0 to 1; below 1 they are drawn at random.
        seed: Draws the same sample again; None for another one each time.

    Raises:
        UsageError: The share is not above 0 and at most 1.
        RemoteFailed: The remote is unreachable or refused.
    """
    from dvtool.store.remote.remote import JOBS
    from dvtool.store.remote.verify import read_sample

    if not 0 < share <= 1:
        raise UsageError("a sample is more than 0 % and at most 100 % of the records")
    remote = workspace.remote(remote_name)
    snapshot = remote.snapshot()
    sample = None
    if share < 1:
        seed = secrets.randbelow(2**32) if seed is None else seed
        drawn = read_sample(
            remote,
            snapshot,
            share=share,
            seed=seed,
            jobs=workspace.settings.jobs or JOBS,
            progress=remote.progress,
        )
        checked, damaged = drawn.checked, drawn.damaged
        sample = Sample(seed, drawn.records, share)
    else:
        checked, damaged = remote.read_data(snapshot)
    problems = [Problem(digest, "", str(error)) for digest, error in damaged.items()]
    if repair and damaged:
        lost = workspace.store.missing(damaged)
        remote.replace_damaged(snapshot, workspace.store, set(damaged) - lost)
        lost -= remote.resend_segments(snapshot, lost)
        problems = [
            Problem(p.digest, p.where, p.what, repaired=p.digest not in lost) for p in problems
        ]
    return VerifyReport(checked, tuple(problems), sample=sample)
