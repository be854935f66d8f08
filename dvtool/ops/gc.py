"""`gc`: delete at a remote, or here, what nobody needs; a dry run unless told otherwise.

For a remote this module finds out which roots of this repository are dead: only a clone that has
just asked for all branches and tags and holds every one of them may say so. What follows is
`dvtool.store.remote.gc`; what is deleted here is `dvtool.store.localgc`. Called by the CLI.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from dvtool.core.quote import display
from dvtool.errors import RemoteFailed, UsageError, WouldLoseData
from dvtool.git.ancestry import commits_known
from dvtool.git.remoterefs import all_tips, independent, objects_unknown, reachable, remote_refs
from dvtool.ops.coverage import covering_roots, needs_of
from dvtool.ops.workspace import Workspace
from dvtool.store.remote.gc.age import GRACE_S

if TYPE_CHECKING:
    from dvtool.core.roots import Root
    from dvtool.store.remote.gc.collect import GcReport
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

_KEEP = "--keep-roots collects without judging this repository's history"


def gc_remote(
    workspace: Workspace,
    *,
    remote_name: str | None = None,
    delete: bool = False,
    keep_roots: bool = False,
    grace_s: float = GRACE_S,
    live_share: float = 0.5,
) -> GcReport:
    """Collects garbage at a remote.

    Args:
        workspace: Of one of the repositories that share the remote.
        remote_name: Which remote; None for the default.
        delete: Retire, mark and sweep; else only say what would be done.
        keep_roots: Retire no root, so that only what no root ever reached is collected.
        grace_s: How long what is condemned stays, in seconds.
        live_share: Packs of which less than this share is alive are rewritten, 0 to 1.

    Raises:
        WouldLoseData: This clone cannot see all of its repository's history.
        CorruptObject, ObjectMissing: Something at the remote cannot be seen.
        RemoteFailed: The remote is unreachable, refused, or older than garbage collection.
    """
    from dvtool.store.remote.gc.collect import collect

    if grace_s < 0 or not 0 <= live_share <= 1:
        raise UsageError("the grace period is not negative, and a share is from 0 to 1")
    remote = workspace.remote(remote_name)

    def find_dead(view: Snapshot) -> Collection[str]:
        _check_format(remote, view)
        return () if keep_roots else dead_roots(workspace, remote, view)

    return collect(
        remote, find_dead=find_dead, grace_s=grace_s, live_share=live_share, delete=delete
    )


def _check_format(remote: Remote, view: Snapshot) -> None:
    """Refuses remotes that a dvtool may push to which knows nothing of marks."""
    if view.format.chunks is None and view.listed:
        raise RemoteFailed(
            f"remote {remote.url} is of a format from before garbage collection,"
            " and a program that pushes to it may not know what is condemned",
            hint="dvtool remote copy makes a new one of it",
        )


def dead_roots(workspace: Workspace, remote: Remote, view: Snapshot) -> list[str]:
    """Returns the object names of this repository's roots that nobody needs.

    A root is needed when its commit is on a branch or tag, here or at a git remote, and no other
    needed root's history holds it. The others go only if those that are left cover every commit.

    Raises:
        WouldLoseData: The clone is shallow, does not hold a branch that a git remote has now, or
            has commits whose data no root at the remote covers.
        GitFailed: A git remote cannot be asked.
    """
    from dvtool.store.remote.protect import object_name

    git = workspace.git
    if git.layout.shallow:
        raise WouldLoseData(
            "a shallow clone does not see which data are needed",
            hint=f"git fetch --unshallow; {_KEEP}",
        )
    theirs = remote_refs(git)
    unknown = objects_unknown(git, theirs.values())
    if unknown:
        names = sorted(name for name, oid in theirs.items() if oid in unknown)
        raise WouldLoseData(
            f"this clone does not hold {len(names)} branches and tags of its git remotes,"
            f" first {display(names[0].encode('utf-8', 'surrogateescape'))}",
            hint=f"git fetch --all --tags; {_KEEP}",
        )
    known = commits_known(git, theirs.values())
    tips = all_tips(git) | {name: oid for name, oid in theirs.items() if oid in known}
    alive = reachable(git, tips.values())
    mine = {object_name(r): r for r in view.roots if r.repository == workspace.settings.repository}
    whole = [root for root in covering_roots(workspace, remote, view) if root.commit in alive]
    front = independent(git, [root.commit for root in whole])
    kept = {object_name(root) for root in _youngest(whole, view) if root.commit in front}
    need = needs_of(workspace, sorted(set(tips.values())), sorted(front))
    if need.blobs or need.unreadable:
        places = [*need.where.values(), *((c, d) for c, d, _ in need.unreadable)]
        commit, dataset = places[0]
        raise WouldLoseData(
            f"no root at {remote.url} covers {len(need.blobs) + len(need.unreadable)} objects"
            f" that this repository needs, first of {dataset} at {commit[:12]}",
            hint=f"dvtool push --all-commits, or delete the branch; {_KEEP}",
        )
    return sorted(mine.keys() - kept)


def _youngest(roots: Collection[Root], view: Snapshot) -> list[Root]:
    """Returns one root a commit, the one written last."""
    from dvtool.store.remote.protect import object_name

    by_age = sorted(roots, key=lambda root: view.listed[object_name(root)].modified_s)
    return list({root.commit: root for root in by_age}.values())
