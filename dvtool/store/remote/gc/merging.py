"""Writing one index in place of several: of small ones, and of those that name packs which go.

Nothing that an index in force says about packs that stay is lost on the way, not even a second
copy of a record. The old indexes are condemned by whoever calls, after the new ones are there.
Called by `plan`, `collect` and `erase`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest
from dvtool.core.packindex import (
    BlobRow,
    PackRef,
    RecordRow,
    encode_index,
    nonce_row,
    parse_index,
)
from dvtool.store.remote import layout

if TYPE_CHECKING:
    from dvtool.core.packindex import PackIndex
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

MERGE_FROM: Final = 8
"""So many small indexes become one; fewer are left alone."""
INDEX_BYTES: Final = 24 * 2**20
"""A merged index is closed once its sources have this size: half a million records. One that is
half as large is small no more."""


def small_indexes(
    view: Snapshot, *, before_s: float, besides: Collection[str] = (), merge_from: int = MERGE_FROM
) -> frozenset[str]:
    """Returns the indexes worth merging; none when they are few.

    One that is more than twice as large as all smaller ones together is left out. So what is
    merged comes to lie in an index at least one and a half times as large as before, and each row
    is rewritten at most log(n) / log(1.5) times.

    Args:
        view: A snapshot to lean on.
        before_s: Younger ones, by the server's clock, belong to pushes under way and stay.
        besides: Indexes that are rewritten anyhow.
        merge_from: How many it takes.
    """
    sizes = sorted(
        (view.listed[name].size, name)
        for name in view.by_name
        if name not in view.notes.condemned
        and name not in besides
        and 0 < view.listed[name].modified_s <= before_s
        and view.listed[name].size < INDEX_BYTES // 2
    )
    total = sum(size for size, _ in sizes)
    while sizes and sizes[-1][0] > 2 * (total - sizes[-1][0]):
        total -= sizes.pop()[0]
    return frozenset(name for _, name in sizes) if len(sizes) >= max(merge_from, 2) else frozenset()


def batches_of(view: Snapshot, names: Collection[str]) -> list[list[str]]:
    """Returns which indexes go into one, newest first: their rows are to be found first."""
    ordered = sorted(names, key=lambda name: (view.listed[name].modified_s, name), reverse=True)
    batches: list[list[str]] = []
    room = 0
    for name in ordered:
        if room <= 0:
            batches.append([])
            room = INDEX_BYTES
        batches[-1].append(name)
        room -= view.listed[name].size
    return batches


def merge_indexes(
    remote: Remote,
    target: Snapshot,
    stale: Mapping[str, PackIndex],
    *,
    bad: Collection[str] = (),
    small: Mapping[str, PackIndex] | None = None,
) -> int:
    """Creates indexes with all that others say of packs which stay; returns how many.

    Args:
        remote: Where.
        target: A snapshot to lean on; learns of the new indexes.
        stale: Indexes that name a pack which goes. Their rows of large blobs are not taken over:
            `copy_records` writes them, with their lists.
        bad: Object names of packs that go, besides those condemned.
        small: Indexes taken over with everything in them.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
    """
    whole = small or {}
    sources = {**stale, **whole}
    gone = target.notes.condemned.union(bad)
    written = 0
    # Of two copies the one in the newer index is found first, so older ones are written first.
    for names in reversed(batches_of(target, sources)):
        draft = _Draft()
        for name in names:
            draft.take_records(sources[name], _numbers_that_stay(target, sources[name], gone))
            if name in whole:
                draft.take_blobs(_worth_keeping(target, whole[name]))
        layers = [draft]
        while not (draft := draft.left_over()).is_empty:
            layers.append(draft)
        for layer in reversed(layers):
            if not layer.is_empty:
                layer.write(remote, target)
                written += 1
    return written


class _Draft:
    """An index being put together; what is there twice waits for another one."""

    def __init__(self) -> None:
        self._packs: dict[PackRef, int] = {}
        self._records: dict[Digest, RecordRow] = {}
        self._blobs: dict[Digest, BlobRow] = {}
        self._more_records: list[tuple[PackRef, RecordRow]] = []
        self._more_blobs: list[BlobRow] = []

    @property
    def is_empty(self) -> bool:
        return not (self._packs or self._blobs)

    def take_records(self, index: PackIndex, numbers: Collection[int]) -> None:
        """Takes over the packs of these numbers, and all rows that lie in them."""
        mine = {n: self._packs.setdefault(index.packs[n], len(self._packs)) for n in numbers}
        for row in index.rows():
            if row.pack in mine:
                self._take(index.packs[row.pack], row._replace(pack=mine[row.pack]))

    def take_blobs(self, rows: Iterable[BlobRow]) -> None:
        """Takes over rows of large blobs."""
        for row in rows:
            if self._blobs.setdefault(row.digest, row).parts != row.parts:
                self._more_blobs.append(row)

    def _take(self, ref: PackRef, row: RecordRow) -> None:
        if self._records.setdefault(row.digest, row) != row:
            self._more_records.append((ref, row))

    def left_over(self) -> _Draft:
        """Returns a draft with the copies for which this one had no place."""
        draft = _Draft()
        for ref, row in self._more_records:
            number = draft._packs.setdefault(ref, len(draft._packs))
            draft._take(ref, row._replace(pack=number))
        draft.take_blobs(self._more_blobs)
        return draft

    def write(self, remote: Remote, target: Snapshot) -> None:
        """Creates the index, under a name that never was."""
        rows = [*self._blobs.values(), nonce_row()]
        data = encode_index(list(self._packs), self._records.values(), rows)
        name = layout.index_name(sha256(data).digest())
        remote.put(name, data)
        remote.cache.put(name, data)
        target.add(name, parse_index(data))


def _numbers_that_stay(target: Snapshot, index: PackIndex, gone: Collection[str]) -> set[int]:
    found = set()
    for number, ref in enumerate(index.packs):
        name = layout.pack_name(ref.name)
        facts = target.listed.get(name)
        if name not in gone and facts is not None and facts.size == ref.size:
            found.add(number)
    return found


def _worth_keeping(target: Snapshot, index: PackIndex) -> Iterator[BlobRow]:
    """Yields the rows of large blobs that can still be read whole."""
    rows = [row for row in index.blob_rows() if not row.is_nonce]
    lost = target.missing([row.digest for row in rows]).union(target.notes.erased)
    return (row for row in rows if row.digest not in lost)
