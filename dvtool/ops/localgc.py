"""`gc --local`: drop from the store on this machine what a remote is proven to have.

A blob may go when no sidecar in use needs it — in any work tree of any clone that uses the store —
and, for every such clone, a root at its remote reaches it and its bytes there have been read and
proven. A dry run unless told otherwise. Called by the CLI.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.errors import DvtoolError, WouldLoseData
from dvtool.git.contents import read_blobs
from dvtool.git.sidecars import sidecar_paths, sidecars_at, staged_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.store.clones import registered
from dvtool.store.localgc import Dropping, Unit

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote

Proof = Literal["checksum", "listing"]


@dataclass(frozen=True, slots=True)
class LocalGcReport:
    """What a clean-up of the store did, or would do.

    Attributes:
        is_dry_run: Nothing was deleted.
        clones: How many clones use the store.
        store_bytes: The store's size before.
        dropped: Blobs that went, or would go.
        dropped_bytes: What that frees.
        leftovers: Temp files of dead processes that were removed.
    """

    is_dry_run: bool
    clones: int
    store_bytes: int
    dropped: int
    dropped_bytes: int
    leftovers: int


def gc_local(
    workspace: Workspace,
    *,
    delete: bool = False,
    limit_bytes: int | None = None,
    proof: Proof = "checksum",
) -> LocalGcReport:
    """Drops blobs that are safe elsewhere.

    Args:
        workspace: A work tree of one of the clones.
        delete: Drop; else only say what would go.
        limit_bytes: Stop when the store is no larger than this, the least recently used first;
            None drops all that may go.
        proof: `checksum` reads each blob's bytes at the remote before it goes; `listing` relies on
            the remote listing its pack with the right size.

    Raises:
        WouldLoseData: A clone that uses the store has no remote, or cannot be looked at.
        RemoteFailed: A remote cannot be reached.
        Locked: Somebody writes to the store all the time.
    """
    root = workspace.store.root
    trees = list(_work_trees(workspace))
    needed: set[Digest] = set()
    safe: set[Digest] | None = None
    seen: dict[str, set[Digest]] = {}
    remotes: dict[str, Remote] = {}
    for one in trees:
        needed |= _needed(one)
        remote = _remote_of(one)
        if remote.url not in seen:
            seen[remote.url] = _protected(remote)
            remotes[remote.url] = remote
        safe = seen[remote.url] if safe is None else safe & seen[remote.url]
    may_go = (safe or set()) - needed
    dropping = Dropping(root, lock_timeout_s=workspace.settings.lock_timeout_s)
    before = dropping.size_bytes()
    limit = limit_bytes if limit_bytes is not None else workspace.settings.store_limit_bytes
    units = _within(dropping.units(may_go.intersection), before, limit)
    leftovers = 0
    if delete:
        if proof == "checksum":
            units = _proven(units, list(remotes.values()))
        with dropping.lock:
            for unit in units:
                dropping.drop(unit)
            leftovers = dropping.remove_leftovers()
    return LocalGcReport(
        is_dry_run=not delete,
        clones=len({one.git.layout.common_dir for one in trees}),
        store_bytes=before,
        dropped=len(frozenset().union(*(unit.digests for unit in units))),
        dropped_bytes=sum(unit.freed_bytes for unit in units),
        leftovers=leftovers,
    )


def _within(units: list[Unit], size_bytes: int, limit_bytes: int | None) -> list[Unit]:
    """Returns the first units that bring a store down to its limit."""
    if limit_bytes is None:
        return units
    chosen = []
    for unit in units:
        if size_bytes <= limit_bytes:
            break
        chosen.append(unit)
        size_bytes -= unit.freed_bytes
    return chosen


def _work_trees(workspace: Workspace) -> Iterator[Workspace]:
    """Yields every work tree of every clone that uses the store, this one's first.

    Raises:
        WouldLoseData: One is there but cannot be looked at.
    """
    clones = [workspace.git.layout.common_dir]
    clones += [path for path in registered(workspace.store.root) if path not in clones]
    for clone in clones:
        if not clone.is_dir():
            workspace.progress.note(f"a clone that used this store is gone: {clone}")
            continue
        yield from _trees_of(workspace, clone)


def _trees_of(workspace: Workspace, clone: Path) -> Iterator[Workspace]:
    command = (f"--git-dir={clone}", "worktree", "list", "--porcelain", "-z")
    try:
        fields = os.fsdecode(workspace.git.run(*command)).split("\0")
        paths = [Path(f.removeprefix("worktree ")) for f in fields if f.startswith("worktree ")]
        for path in paths:
            if path.is_dir() and path != clone:
                one = Workspace.open(
                    path,
                    environ=workspace.environ,
                    progress=workspace.progress,
                    must_be_ready=False,
                )
                if one.is_ready:  # else a branch from before dvtool is checked out there
                    yield one
    except DvtoolError as error:
        raise WouldLoseData(
            f"the clone {clone} uses this store and cannot be looked at: {error}"
        ) from error


def _needed(workspace: Workspace) -> set[Digest]:
    """Returns what the sidecars of a work tree need: on disk, staged, and in HEAD."""
    git = workspace.git
    texts = [
        text
        for path in sidecar_paths(git)
        if (text := workspace.sidecar_text(path.removesuffix(SIDECAR_SUFFIX))) is not None
    ]
    oids = {entry.oid for entry in staged_sidecars(git)}
    if git.run("rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1)):
        oids |= set(sidecars_at(git, "HEAD").values())
    texts += read_blobs(git, oids).values()
    found: set[Digest] = set()
    for text in set(texts):
        sidecar = _parsed(text)
        if sidecar is None:
            continue
        found.update(shard.digest for shard in sidecar.shards)
        try:
            found.update(workspace.tree(sidecar).blobs())
        except DvtoolError as error:
            raise WouldLoseData(
                f"cannot tell what {workspace.top} needs: {error}", hint="dvtool fetch"
            ) from error
    return found


def _parsed(text: bytes) -> Sidecar | None:
    try:
        return parse_sidecar(text, source="sidecar")
    except DvtoolError:  # nobody can check it out, so it needs nothing
        return None


def _remote_of(workspace: Workspace) -> Remote:
    if not workspace.settings.remotes:
        raise WouldLoseData(
            f"{workspace.top} has no remote, so nothing is proven to be elsewhere",
            hint="dvtool remote add origin URL && dvtool push --all-commits",
        )
    return workspace.remote(None)


def _protected(remote: Remote) -> set[Digest]:
    """Returns what roots in force reach and the remote lists in packs that nobody condemned."""
    view = remote.snapshot(leaning=True)
    reached: set[Digest] = set()
    for root in view.roots:
        reached |= remote.digests_of(view, root)
    reached.difference_update(view.notes.erased)
    return reached - view.missing(reached)


def _proven(units: Iterable[Unit], remotes: Iterable[Remote]) -> list[Unit]:
    """Returns the units of which every blob was read at every remote and matched its name."""
    from dvtool.store.remote.gc.moving import read_records

    left = list(units)
    for remote in remotes:
        view = remote.snapshot(leaning=True)
        digests = set[Digest]().union(*(unit.digests for unit in left))
        records: dict[Digest, tuple[Digest, ...]] = {}
        for digest in digests:
            row = None if view.locate(digest) else view.parts_of(digest)
            records[digest] = row.parts if row else (digest,)
        wanted = set[Digest]().union(*records.values())
        sound = {d for d, raw in read_records(remote, view, wanted) if isinstance(raw, bytes)}
        good = {digest for digest, parts in records.items() if sound.issuperset(parts)}
        left = [unit for unit in left if unit.digests <= good]
    return left
