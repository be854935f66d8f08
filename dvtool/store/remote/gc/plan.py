"""Planning a collection: which packs and indexes are to go, and what of them is to stay.

Pure: a snapshot and what is alive in, names out. `collect` carries it out, `sweep` deletes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest
from dvtool.core.pack import HEADER, RECORD
from dvtool.core.packindex import BlobRow
from dvtool.store.remote import layout
from dvtool.store.remote.gc.merging import MERGE_FROM, small_indexes
from dvtool.store.remote.gc.moving import stale_indexes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from dvtool.store.remote.backend import Listed
    from dvtool.store.remote.gc.live import Live
    from dvtool.store.remote.snapshot import Snapshot

LIVE_SHARE: Final = 0.5
"""A pack of which less than this share of bytes is alive is rewritten."""


@dataclass(frozen=True, slots=True)
class Condemned:
    """What a collection condemns.

    Attributes:
        dead: Packs in which nothing is alive.
        thin: Packs of which too little is alive.
        indexes: Indexes that name one of them, or one that is gone, or nothing alive.
        small: Indexes that are sound, but many; one takes their place.
        moved: Records that get a copy first.
        blobs: Large blobs whose rows get a copy first.
        freed_bytes: Size of the packs, less what is copied.
    """

    dead: frozenset[str]
    thin: frozenset[str]
    indexes: frozenset[str]
    small: frozenset[str]
    moved: frozenset[Digest]
    blobs: tuple[BlobRow, ...]
    freed_bytes: int

    @property
    def packs(self) -> frozenset[str]:
        """All packs that are to go."""
        return self.dead | self.thin

    @property
    def names(self) -> frozenset[str]:
        """Everything that is to go."""
        return self.packs | self.indexes | self.small


def plan_condemned(
    view: Snapshot,
    live: Live,
    *,
    before_s: float,
    live_share: float = LIVE_SHARE,
    merge_from: int = MERGE_FROM,
) -> Condemned:
    """Returns what may go.

    Args:
        view: A snapshot to lean on, so that what is condemned already is left out.
        live: What may not go.
        before_s: Packs written later than this, by the server's clock, are left alone: the push
            that brought them may not have written its roots yet.
        live_share: From 0, only packs that are dead, to 1, every pack with something dead in it.
        merge_from: So many small indexes become one; at least 2.
    """
    keepers = view.locate_all(live.records)
    live_bytes: Counter[str] = Counter()
    for at in keepers.values():
        live_bytes[layout.pack_name(at.pack.name)] += at.length
    dead, thin = set(), set()
    for name, facts in view.listed.items():
        if not layout.PACK.fullmatch(name) or name in view.notes.condemned:
            continue
        if not _is_older(facts, before_s):
            continue
        if not live_bytes[name]:
            dead.add(name)
        # A pack's own header and end are nobody's garbage; counting them rewrote tiny packs for ever.
        elif live_bytes[name] < live_share * (facts.size - HEADER.size - RECORD.size):
            thin.add(name)
    bad = dead | thin
    moved = {d for d, at in keepers.items() if layout.pack_name(at.pack.name) in bad}
    stale = stale_indexes(view, bad)
    for name, index in view.by_name.items():
        is_spent = not index.packs and live.blobs.keys().isdisjoint(index.blob_digests())
        if is_spent and name not in view.notes.condemned and _is_older(view.listed[name], before_s):
            stale[name] = index
    damaged = {
        name
        for name in view.problems
        if layout.INDEX.fullmatch(name) and name not in view.notes.condemned
    }
    freed = sum(view.listed[name].size for name in bad)
    freed -= sum(keepers[digest].length for digest in moved)
    return Condemned(
        frozenset(dead),
        frozenset(thin),
        frozenset(stale).union(damaged),
        small_indexes(view, before_s=before_s, besides=stale, merge_from=merge_from),
        frozenset(moved),
        surviving_blobs(view, set(stale), live, bad=bad, moved=moved),
        freed,
    )


def surviving_blobs(
    view: Snapshot,
    stale: AbstractSet[str],
    live: Live,
    *,
    bad: AbstractSet[str],
    moved: AbstractSet[Digest] = frozenset(),
) -> tuple[BlobRow, ...]:
    """Returns the rows of large blobs in stale indexes that can still be read when those are gone.

    A row stays when it is alive, or when a push may yet lean on it because all its parts stay.
    """
    rows: dict[Digest, BlobRow] = {}
    for name in stale:
        for row in view.by_name[name].blob_rows():
            if row.digest in view.notes.erased or row.digest in rows:
                continue
            if row.digest in live.blobs or all(
                _stays(view, part, bad, moved) for part in row.parts
            ):
                rows[row.digest] = live.blobs.get(row.digest, row)
    return tuple(rows.values())


def _stays(view: Snapshot, part: Digest, bad: AbstractSet[str], moved: AbstractSet[Digest]) -> bool:
    at = view.locate(part)
    return part in moved or (at is not None and layout.pack_name(at.pack.name) not in bad)


def _is_older(facts: Listed, before_s: float) -> bool:
    return 0 < facts.modified_s <= before_s
