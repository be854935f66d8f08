"""`verify`: prove that bytes are there and whole, here, at a remote, or for every commit of a range.

Locally every blob is re-hashed. At a remote presence is judged from what it lists, with
`read_data` every record is read and checked. Called by the CLI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.core.digest import Digest, format_digest
from dvtool.errors import DvtoolError
from dvtool.git.ancestry import resolve_range
from dvtool.git.revisions import BRANCHES, TAGS, current_refs, resolve_commit
from dvtool.ops.coverage import Need, needs_of
from dvtool.ops.fetch import fetch_blobs
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
class VerifyReport:
    """What `verify` found.

    Attributes:
        checked: How many objects were looked at.
        problems: What is wrong; empty when all is well.
    """

    checked: int
    problems: tuple[Problem, ...]

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
    workspace: Workspace, ranges: Sequence[str], *, remote_name: str | None, at_remote: bool
) -> VerifyReport:
    """Answers for every commit of a range whether all its bytes are there.

    Args:
        workspace: Where.
        ranges: `A..B` or single revisions; empty for all branches and tags.
        remote_name: Which remote; None for the default.
        at_remote: Look at the remote, not in the store.
    """
    tips, exclude = _tips(workspace, ranges)
    need = needs_of(workspace, tips, exclude)
    if at_remote:
        snapshot = workspace.remote(remote_name).snapshot()
        missing = snapshot.missing(need.blobs)
        place = "the remote"
        erased = snapshot.notes.erased
    else:
        missing = workspace.store.missing(need.blobs)
        place = "the store"
        erased = {}
    problems = [_missing(need, digest, place, erased.get(digest)) for digest in sorted(missing)]
    problems += [
        Problem(Digest(b""), f"{dataset} at {commit[:12]}", str(error))
        for commit, dataset, error in need.unreadable
    ]
    return VerifyReport(len(need.blobs), tuple(problems))


def _missing(need: Need, digest: Digest, place: str, reason: str | None) -> Problem:
    commit, dataset = need.where[digest]
    why = "" if reason is None else f": it was erased on purpose: {reason}"
    return Problem(digest, f"{dataset} at {commit[:12]}", f"is not in {place}{why}")


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
    workspace: Workspace, *, remote_name: str | None, repair: bool
) -> VerifyReport:
    """Reads every record at the remote and checks it; damaged ones are replaced from the store."""
    remote = workspace.remote(remote_name)
    snapshot = remote.snapshot()
    checked, damaged = remote.read_data(snapshot)
    problems = [Problem(digest, "", str(error)) for digest, error in damaged.items()]
    if repair and damaged:
        lost = workspace.store.missing(damaged)
        remote.replace_damaged(snapshot, workspace.store, set(damaged) - lost)
        lost -= remote.resend_segments(snapshot, lost)
        problems = [
            Problem(p.digest, p.where, p.what, repaired=p.digest not in lost) for p in problems
        ]
    return VerifyReport(checked, tuple(problems))
