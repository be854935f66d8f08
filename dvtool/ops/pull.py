"""`pull`: fetch, then check out. Called by the CLI and `clone`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.ops.checkout import checkout
from dvtool.ops.fetch import datasets_to_pull, fetch
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull did.

    Attributes:
        needed: How many blobs the version needs.
        fetched: How many came from the remote.
        fetched_bytes: Their size as files.
        written: Files written.
        removed: Files taken away.
        kept: Files with unsaved work that were left alone.
    """

    needed: int
    fetched: int
    fetched_bytes: int
    written: int
    removed: int
    kept: int


def pull(
    workspace: Workspace,
    *,
    paths: Sequence[str] = (),
    rev: str | None = None,
    remote_name: str | None = None,
    jobs: int | None = None,
    branches: bool = False,
    tags: bool = False,
    commits: bool = False,
    force: bool = False,
) -> PullReport:
    """Brings the bytes of a version and writes its files; arguments as of `fetch` and `checkout`.

    Raises:
        WouldLoseData: Unsaved work stands in the way; nothing was written.
        ObjectMissing, CorruptObject: The remote lacks or damaged something; the rest was fetched.
    """
    if not paths:
        chosen = datasets_to_pull(workspace, rev)
        if chosen is not None and not chosen:
            return PullReport(0, 0, 0, 0, 0, 0)
        paths = chosen or ()
    brought = fetch(workspace, remote_name=remote_name, paths=paths, rev=rev, jobs=jobs)
    if branches or tags or commits:
        brought += fetch(
            workspace,
            remote_name=remote_name,
            branches=branches,
            tags=tags,
            commits=commits,
            jobs=jobs,
        )
    reports = checkout(workspace, paths, rev=rev, force=force)
    return PullReport(
        brought.needed,
        brought.fetched,
        brought.fetched_bytes,
        written=sum(report.written for report in reports),
        removed=sum(report.removed for report in reports),
        kept=sum(len(report.kept) for report in reports),
    )
