"""Ranged reads: some bytes of a blob, by fetching only the records that cover them.

Nothing comes into the local store. Each record is proven by its own sha256; that they make up the
blob is what an index says, and only a fetch of the whole blob proves it. Called by whatever opens
remote blobs as files.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest, format_digest
from dvtool.core.packindex import BlobRow, PackRef
from dvtool.errors import CorruptObject
from dvtool.store.remote.losses import loss_of
from dvtool.store.remote.plan import ReadRange, covering, ends_of, runs_in_order
from dvtool.store.remote.reading import Damaged, Reader

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

RANGE_JOBS: Final = 4
"""Requests at once, for each range."""
MEMORY_BYTES: Final = 16 * 2**20
"""What a request may bring without going through a file."""


def read_range(
    remote: Remote, snapshot: Snapshot, digest: Digest, start: int, end: int
) -> Iterator[bytes]:
    """Yields bytes `start` up to `end` of a blob, in pieces of at most a record.

    What is on its way waits in memory where a request brings at most MEMORY_BYTES, else in files.
    Yields fewer bytes where the blob ends, and none for an empty range.

    Args:
        remote: Where the blob is.
        snapshot: What the remote has.
        digest: Which blob.
        start: Offset of the first byte, not negative.
        end: Offset after the last byte.

    Raises:
        ObjectMissing: The remote does not have it.
        CorruptObject: A record in the range is damaged, in every copy.
        RemoteFailed: The remote is unreachable or refused.
    """
    if start < 0:
        raise ValueError(f"a range starts at 0 or later, not at {start}")
    if start >= end:
        return
    reader = Reader(remote, memory_bytes=MEMORY_BYTES)
    row = snapshot.parts_of(digest) if snapshot.locate(digest) is None else None
    if row is None:
        yield from _cut(_sound(reader, snapshot, digest, None), 0, start, end)
        return
    ends = ends_of(row, snapshot.format.part_bytes)
    # A list that does not say where its parts end has to be read from the beginning.
    numbers = covering(ends, start, end) if ends else range(len(row.parts))
    at = ends[numbers.start - 1] if numbers and numbers.start else 0
    for number, raw in zip(numbers, _parts(reader, snapshot, row, numbers), strict=True):
        if ends and at + len(raw) != ends[number]:
            text = f"object {format_digest(digest)}: a part has not the size that its index says"
            raise CorruptObject(f"{remote.url}: {text}")
        yield from _cut(raw, at, start, end)
        at += len(raw)
        if at >= end:
            return


def _parts(reader: Reader, snapshot: Snapshot, row: BlobRow, numbers: range) -> Iterator[bytes]:
    """Yields parts in order, each proven, the next ones already on their way."""
    wanted = [row.parts[number] for number in numbers]
    known = snapshot.locate_all(wanted)
    if missing := [part for part in wanted if part not in known]:
        raise loss_of(missing[0], snapshot)
    ranges = iter(runs_in_order((part, known[part]) for part in wanted))
    with ThreadPoolExecutor(RANGE_JOBS, thread_name_prefix="dvtool-range") as pool:
        try:
            for one, found in reader.ahead(ranges, pool, window=RANGE_JOBS):
                for part, raw in reader.take_apart(one, found):
                    yield raw if isinstance(raw, bytes) else _sound(reader, snapshot, part, raw)
        except BaseException:
            reader.stop()
            raise


def _sound(reader: Reader, snapshot: Snapshot, digest: Digest, damage: Damaged | None) -> bytes:
    """Returns the record of `digest` from the first copy that is sound.

    Raises:
        ObjectMissing: There is no copy.
        CorruptObject: All are damaged.
    """
    bad: set[PackRef] = set()
    while True:
        if damage is not None and damage.pack is not None:
            bad.add(damage.pack)
        at = snapshot.locate(digest, avoid=bad)
        if at is None:
            raise damage.error if damage is not None else loss_of(digest, snapshot)
        ((_, raw),) = reader.records(ReadRange(at.pack, [(digest, at)]))
        if isinstance(raw, bytes):
            return raw
        damage = raw


def _cut(raw: bytes, at: int, start: int, end: int) -> Iterator[bytes]:
    """Yields of `raw`, which stands at offset `at`, what lies between `start` and `end`."""
    if piece := raw[max(start - at, 0) : max(end - at, 0)]:
        yield piece
