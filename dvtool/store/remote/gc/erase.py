"""Erasing: taking blobs out of a remote on purpose, at once, and leaving word of it.

The word comes first, so that no push brings them back; then packs that hold them are rewritten
without them, condemned and deleted without a grace period. What else lies in those packs is copied
first, alive or not. Called by `dvtool.ops.purge`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest
from dvtool.core.gcmarks import Erasure, Mark, batches
from dvtool.store.remote import layout
from dvtool.store.remote.gc.live import Live, read_live
from dvtool.store.remote.gc.merging import merge_indexes
from dvtool.store.remote.gc.moving import copy_records, stale_indexes
from dvtool.store.remote.gc.notes import server_now_s, write_notes
from dvtool.store.remote.gc.plan import surviving_blobs
from dvtool.store.remote.gc.sweep import sweep

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """What an erasure did, or would do.

    Attributes:
        is_dry_run: Nothing was written or deleted.
        erased: Blobs asked for.
        found: Records that were in packs, the parts of large blobs included.
        packs: Packs that were rewritten and deleted.
    """

    is_dry_run: bool
    erased: int
    found: int
    packs: int


def erase(
    remote: Remote, digests: Collection[Digest], reason: str, *, dry_run: bool = False
) -> ErasureReport:
    """Takes blobs out of a remote. Running it again finishes what was interrupted.

    Parts that other blobs need, too, stay. Packs in no index are not looked into, and what a
    bucket keeps as old versions is not ours to delete.

    Args:
        remote: Where.
        digests: Which blobs.
        reason: One line for whoever misses them.
        dry_run: Only say what would be done.

    Raises:
        UsageError: The reason is not one printable line.
        CorruptObject, ObjectMissing: It cannot be seen what other blobs need.
        RemoteFailed: The remote is unreachable or refused.
    """
    if not dry_run:
        write_notes(remote, [Erasure(reason, tuple(sorted(set(digests))))])
    view = remote.snapshot(leaning=True)
    live = read_live(remote, view.plain)
    victims = _victims(view, live, set(digests) | view.notes.erased.keys())
    bad = _packs_with(view, victims)
    if dry_run or not bad:
        return ErasureReport(dry_run, len(set(digests)), len(victims), len(bad))
    stale = stale_indexes(view, bad)
    staying = {
        digest
        for digest, at, is_sound in view.plain.records()
        if is_sound and layout.pack_name(at.pack.name) in bad and digest not in victims
    }
    moved = {d for d in staying if _is_only_in(view, d, bad)}
    blobs = surviving_blobs(view, set(stale), live, bad=bad, moved=moved)
    copy_records(remote, view.plain, view, records=moved, blobs=blobs)
    merge_indexes(remote, view, stale, bad=bad)
    condemned = bad | stale.keys()
    write_notes(remote, [Mark(names) for names in batches(condemned)])
    sweep(remote, now_s=server_now_s(remote), grace_s=0.0, only=frozenset(condemned))
    return ErasureReport(False, len(set(digests)), len(victims), len(bad))


def _victims(view: Snapshot, live: Live, erased: set[Digest]) -> set[Digest]:
    """Returns the records that nothing but the erased blobs is made of."""
    theirs: set[Digest] = set(erased)
    others: set[Digest] = set(live.digests - erased)
    for index in view.by_name.values():
        for row in index.blob_rows():
            (theirs if row.digest in erased else others).update(row.parts)
    return theirs - others


def _packs_with(view: Snapshot, victims: set[Digest]) -> set[str]:
    return {
        layout.pack_name(at.pack.name)
        for digest, at, _ in view.plain.records()
        if digest in victims and layout.pack_name(at.pack.name) in view.listed
    }


def _is_only_in(view: Snapshot, digest: Digest, bad: set[str]) -> bool:
    at = view.locate(digest)
    return at is None or layout.pack_name(at.pack.name) in bad
