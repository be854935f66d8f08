"""Pack indexes: where in which pack a blob's bytes lie, for a whole push or one local pack.

Write-once, sorted, fixed width, with a fan-out table and a checksum, so that a look-up needs no
parsing: the value wraps the file's bytes. Records are located by pack, offset and stored length;
large blobs are lists of parts or chunks, each a record of its own. Spec:
docs/format.md#pack-index.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Final, NamedTuple, TypeVar

from dvtool.core.digest import DIGEST_BYTES, Digest
from dvtool.core.pack import HEADER, MAX_RECORD_BYTES, RECORD
from dvtool.errors import CorruptObject

MAGIC: Final = b"DVTINDX1"
_HEAD: Final = struct.Struct("<8sIIIIQ")
_FANOUT: Final = struct.Struct("<256I")
_PACK: Final = struct.Struct("<32sQ")
_RECORD: Final = struct.Struct("<32sIIQ")
_BLOB: Final = struct.Struct("<32sQII")
_ENDED_PART: Final = struct.Struct("<32sQ")
_ENDED: Final = 1
"""Flag: parts are followed by where they end in their blob."""


class PackRef(NamedTuple):
    """A pack: its name (32 raw bytes) and its size in bytes, end record included."""

    name: bytes
    size: int


class RecordRow(NamedTuple):
    """A record: digest, number of its pack in the index, stored bytes, offset of its head."""

    digest: Digest
    pack: int
    stored: int
    offset: int


class BlobRow(NamedTuple):
    """A large blob.

    Attributes:
        digest: Of the whole.
        size: Of the whole, in bytes.
        parts: Digests of its parts or chunks, in order, at least one.
        ends: Offset in the blob after each part; empty where that is not known.
    """

    digest: Digest
    size: int
    parts: tuple[Digest, ...]
    ends: tuple[int, ...] = ()

    @property
    def is_nonce(self) -> bool:
        """Whether it stands for no blob, and only makes its index unlike any other."""
        return self.size == 0


def nonce_row() -> BlobRow:
    """Returns a row that makes an index unlike any other, for one that names no new pack.

    A name that was condemned must never come back, and an index over packs that have been in
    another one could.
    """
    nonce = Digest(os.urandom(DIGEST_BYTES))
    return BlobRow(nonce, 0, (nonce,))


_Row = TypeVar("_Row", RecordRow, BlobRow)


class Location(NamedTuple):
    """Where a record lies: `pack[offset : offset + length]`, head included."""

    pack: PackRef
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class PackIndex:
    """An index file, looked up in place.

    Attributes:
        packs: The packs it speaks of.
        records: The record table's bytes, sorted by digest.
        blobs: The blob table's bytes, sorted by digest.
        parts: The part table's bytes.
        has_ends: The part table says where parts end.
    """

    packs: tuple[PackRef, ...]
    records: memoryview
    fanout: tuple[int, ...]
    blobs: memoryview
    parts: memoryview
    has_ends: bool = False

    def __len__(self) -> int:
        return len(self.records) // _RECORD.size

    @property
    def blob_count(self) -> int:
        """How many large blobs it speaks of."""
        return len(self.blobs) // _BLOB.size

    def digests(self) -> Iterator[Digest]:
        """Yields the digest of every record and of every large blob."""
        for row in _RECORD.iter_unpack(self.records):
            yield row[0]
        for row in _BLOB.iter_unpack(self.blobs):
            yield row[0]

    def rows(self) -> Iterator[RecordRow]:
        """Yields every record's row, sorted by digest."""
        return map(RecordRow._make, _RECORD.iter_unpack(self.records))

    def blob_rows(self) -> Iterator[BlobRow]:
        """Yields every large blob's row, sorted by digest."""
        for digest, size, first, count in _BLOB.iter_unpack(self.blobs):
            yield self._blob_row(digest, size, first, count)

    def blob_digests(self) -> Iterator[Digest]:
        """Yields every large blob's digest, sorted, without its parts."""
        for row in _BLOB.iter_unpack(self.blobs):
            yield row[0]

    def locate(self, digest: Digest) -> Location | None:
        """Returns where the record of `digest` lies, None when this index has none."""
        low = self.fanout[digest[0] - 1] if digest[0] else 0
        at = _search(self.records, _RECORD.size, digest, low, self.fanout[digest[0]])
        if at is None:
            return None
        _, pack, stored, offset = _RECORD.unpack_from(self.records, at)
        return Location(self.packs[pack], offset, RECORD.size + stored)

    def parts_of(self, digest: Digest) -> BlobRow | None:
        """Returns the parts of a large blob, None when this index has no such blob."""
        at = _search(self.blobs, _BLOB.size, digest, 0, self.blob_count)
        if at is None:
            return None
        _, size, first, count = _BLOB.unpack_from(self.blobs, at)
        return self._blob_row(digest, size, first, count)

    def locate_all(self, wanted: Container[Digest]) -> Iterator[tuple[Digest, Location]]:
        """Yields the location of every record in `wanted`; one pass over the table."""
        packs = self.packs
        for digest, pack, stored, offset in _RECORD.iter_unpack(self.records):
            if digest in wanted:
                yield digest, Location(packs[pack], offset, RECORD.size + stored)

    def _blob_row(self, digest: Digest, size: int, first: int, count: int) -> BlobRow:
        if not self.has_ends:
            table = bytes(self.parts[first * DIGEST_BYTES : (first + count) * DIGEST_BYTES])
            starts = range(0, len(table), DIGEST_BYTES)
            parts = tuple(Digest(table[start : start + DIGEST_BYTES]) for start in starts)
            return BlobRow(digest, size, parts)
        width = _ENDED_PART.size
        rows = list(_ENDED_PART.iter_unpack(self.parts[first * width : (first + count) * width]))
        ends = tuple(end for _, end in rows) if rows[-1][1] else ()
        return BlobRow(digest, size, tuple(Digest(part) for part, _ in rows), ends)


def _search(table: memoryview, width: int, digest: bytes, low: int, high: int) -> int | None:
    while low < high:
        middle = (low + high) // 2
        at = middle * width
        found = bytes(table[at : at + DIGEST_BYTES])
        if found == digest:
            return at
        if found < digest:
            low = middle + 1
        else:
            high = middle
    return None


def encode_index(
    packs: Sequence[PackRef], records: Iterable[RecordRow], blobs: Iterable[BlobRow] = ()
) -> bytes:
    """Returns the bytes of an index; rows in any order, of equal digests the first stays.

    It takes the flag for ends only if a blob has them, so that indexes of remotes with fixed
    parts stay as they were.
    """
    # Packed rows sort as their digests do, and make no work for the garbage collector.
    record_rows = _sorted_unique([_RECORD.pack(*row) for row in records])
    blob_rows = _unique(blobs)
    counts = [0] * 256
    for first_byte, count in Counter(map(itemgetter(0), record_rows)).items():
        counts[first_byte] = count
    parts, flags = _packed_parts(blob_rows)
    firsts = [0, *accumulate(len(blob.parts) for blob in blob_rows)]
    body = b"".join(
        [
            _HEAD.pack(MAGIC, len(packs), len(record_rows), len(blob_rows), len(parts), flags),
            _FANOUT.pack(*accumulate(counts)),
            *(_PACK.pack(*pack) for pack in packs),
            *record_rows,
            *(
                _BLOB.pack(blob.digest, blob.size, first, len(blob.parts))
                for blob, first in zip(blob_rows, firsts, strict=False)
            ),
            *parts,
        ]
    )
    return body + sha256(body).digest()


def _packed_parts(blobs: Sequence[BlobRow]) -> tuple[list[bytes], int]:
    """Returns the rows of the part table, and the flags they ask for."""
    if not any(blob.ends for blob in blobs):
        return [part for blob in blobs for part in blob.parts], 0
    return [
        _ENDED_PART.pack(part, end)
        for blob in blobs
        for part, end in zip(blob.parts, blob.ends or [0] * len(blob.parts), strict=True)
    ], _ENDED


def _sorted_unique(packed: list[bytes]) -> list[bytes]:
    """Returns packed rows sorted by digest; of equal digests the first stays."""
    digests = [row[:DIGEST_BYTES] for row in packed]
    if len(set(digests)) == len(packed):
        return sorted(packed)
    first = dict(zip(reversed(digests), reversed(packed), strict=True))
    return sorted(first.values())


def _unique(rows: Iterable[_Row]) -> list[_Row]:
    by_digest: dict[Digest, _Row] = {}
    for row in rows:
        by_digest.setdefault(row.digest, row)
    return [by_digest[digest] for digest in sorted(by_digest)]


def parse_index(data: bytes) -> PackIndex:
    """Returns the index that `data` holds, checked against its checksum and its own counts.

    Raises:
        CorruptObject: Cut off, altered, of a newer format, or with rows that make no sense.
    """
    if len(data) < _HEAD.size + _FANOUT.size + DIGEST_BYTES:
        raise CorruptObject("pack index is cut off")
    magic, n_packs, n_records, n_blobs, n_parts, flags = _HEAD.unpack_from(data)
    if magic != MAGIC or flags not in (0, _ENDED) or (flags and not n_parts):
        raise CorruptObject("not a pack index, or one of a newer format")
    sizes = (
        _HEAD.size,
        _FANOUT.size,
        n_packs * _PACK.size,
        n_records * _RECORD.size,
        n_blobs * _BLOB.size,
        n_parts * (_ENDED_PART.size if flags else DIGEST_BYTES),
    )
    ends = list(accumulate(sizes))
    view = memoryview(data)
    if ends[-1] + DIGEST_BYTES != len(data) or sha256(view[:-DIGEST_BYTES]).digest() != data[-32:]:
        raise CorruptObject("pack index is cut off or altered")
    index = PackIndex(
        packs=tuple(map(PackRef._make, _PACK.iter_unpack(view[ends[1] : ends[2]]))),
        records=view[ends[2] : ends[3]],
        fanout=_FANOUT.unpack_from(data, _HEAD.size),
        blobs=view[ends[3] : ends[4]],
        parts=view[ends[4] : ends[5]],
        has_ends=flags == _ENDED,
    )
    _check_rows(index, n_parts)
    return index


def _check_rows(index: PackIndex, n_parts: int) -> None:
    """Checks what a checksum cannot: that an index made by hand stays within its bounds."""
    previous = b""
    limits = [pack.size - RECORD.size for pack in index.packs]
    try:
        for digest, pack, stored, offset in _RECORD.iter_unpack(index.records):
            if digest <= previous or stored > MAX_RECORD_BYTES or offset < HEADER.size:
                raise CorruptObject("pack index rows are not sorted, or not places of records")
            if offset + stored > limits[pack]:
                raise CorruptObject("pack index row points past the end of its pack")
            previous = digest
    except IndexError:
        raise CorruptObject("pack index row names no pack") from None
    firsts = bytes(index.records[:: _RECORD.size])
    bounds = (bisect_left(firsts, first) for first in range(1, 256))
    if (*bounds, len(firsts)) != index.fanout:
        raise CorruptObject("pack index fan-out table does not match its rows")
    # Parts stand once each, in the order of the blobs, so a small file cannot claim long lists.
    previous = b""
    used = 0
    for digest, size, first, count in _BLOB.iter_unpack(index.blobs):
        if digest <= previous or first != used or count == 0:
            raise CorruptObject("pack index blob rows are not sorted or share parts")
        previous = digest
        used += count
        if used > n_parts:
            break
        if index.has_ends:
            _check_ends(index.parts[first * _ENDED_PART.size : used * _ENDED_PART.size], size)
    if used != n_parts:
        raise CorruptObject("pack index parts belong to no blob")


def _check_ends(parts: memoryview, size: int) -> None:
    """Checks that the ends of one blob's parts rise to its size, or are all zero: not known."""
    ends = [end for _, end in _ENDED_PART.iter_unpack(parts)]
    rises = ends[0] > 0 and ends[-1] == size and all(a < b for a, b in pairwise(ends))
    if not rises and any(ends):
        raise CorruptObject("pack index parts do not add up to their blob")
