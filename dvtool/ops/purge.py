"""`purge`: erase data from a remote and from the store on this machine, and leave word why.

What is meant is a digest, or a path in a revision with everything in it. Other clones keep what
they have until they drop it themselves. Called by the CLI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest, parse_digest
from dvtool.errors import UsageError
from dvtool.git.revisions import resolve_commit
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.store.localgc import Dropping

if TYPE_CHECKING:
    from dvtool.store.remote.gc.erase import ErasureReport


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """What a purge did, or would do.

    Attributes:
        remote: At the remote.
        dropped_here: Blobs dropped from the store on this machine.
    """

    remote: ErasureReport
    dropped_here: int


def purge(
    workspace: Workspace,
    what: str,
    *,
    reason: str,
    remote_name: str | None = None,
    dry_run: bool = False,
) -> PurgeReport:
    """Erases a blob, or all files below a path of a revision.

    Files that other versions have with the same bytes are gone there, too: a blob is one.

    Args:
        workspace: Where.
        what: `sha256:…`, or `PATH@REV`.
        reason: One line that whoever misses the data will read.
        remote_name: Which remote; None for the default.
        dry_run: Only say what would be done.

    Raises:
        UsageError: `what` is neither, or the reason is not one line.
        RemoteFailed, RemoteUntrusted: From the remote.
    """
    from dvtool.store.remote.gc.erase import erase

    digests = _meant(workspace, what)
    remote = workspace.remote(remote_name)
    report = erase(remote, digests, reason, dry_run=dry_run)
    dropped = 0
    if not dry_run:
        from dvtool.ops.profile_travel import erase_profiles
        from dvtool.ops.record_travel import erase_records

        dropped = _drop_here(workspace, digests)
        # What profiles and records tell of erased data has to go with them.
        snapshot = remote.snapshot()
        erase_profiles(workspace, remote, snapshot, digests)
        erase_records(workspace, remote, snapshot.listed, digests)
    return PurgeReport(report, dropped)


def _meant(workspace: Workspace, what: str) -> set[Digest]:
    if what.startswith("sha256:"):
        return {parse_digest(what)}
    path, at, rev = what.rpartition("@")
    if not at or not path or not rev:
        raise UsageError(f"expected sha256:… or PATH@REV, found {what}")
    commit = resolve_commit(workspace.git, rev)
    found: set[Digest] = set()
    for one, sidecar in selected_sidecars(workspace, commit, [path]):
        found.update(workspace.tree(sidecar).under(one.inside).blobs())
    if not found:
        raise UsageError(f"{path} at {rev} has no bytes to erase")
    return found


def _drop_here(workspace: Workspace, digests: set[Digest]) -> int:
    dropping = Dropping(
        workspace.store.root, lock_timeout_s=workspace.settings.lock_timeout_s, is_thorough=True
    )
    units = dropping.units(digests.intersection)
    if units:
        with dropping.lock:
            for unit in units:
                dropping.drop(unit)
    return len(set[Digest]().union(*(unit.digests for unit in units)))
