"""Planning reads: which byte ranges of which packs bring the records that are wanted.

Pure: places in, ranges out. A request costs as much as reading some hundred KiB, so ranges that
are close are read as one, and there are never more than two ranges for each pack touched, taken
together. Called by `fetch`, `assemble` and `ranged`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from dvtool.core.digest import Digest
from dvtool.core.packindex import BlobRow, Location, PackRef

GAP_BYTES: Final = 256 * 2**10
"""Records with fewer unwanted bytes between them are read in one request."""
RANGES_PER_PACK: Final = 2

Placed = tuple[Digest, Location]


class ReadRange(NamedTuple):
    """One request: a stretch of a pack and the records in it that are wanted, in its order."""

    pack: PackRef
    records: list[Placed]

    @property
    def start(self) -> int:
        """Offset of the first byte to read."""
        return self.records[0][1].offset

    @property
    def end(self) -> int:
        """Offset after the last byte to read."""
        return max(_end(at) for _, at in self.records)


def plan_ranges(
    places: Mapping[Digest, Location], *, ranges_per_pack: int = RANGES_PER_PACK
) -> list[ReadRange]:
    """Returns the requests that bring all `places`; empty for none.

    A pack of which more than half is wanted is read by one request.

    Args:
        places: What is wanted, and where it lies.
        ranges_per_pack: On average there are no more requests for each pack touched. More of them
            spare bytes where few records lie far apart.
    """
    by_pack: dict[PackRef, list[Placed]] = {}
    for digest, at in places.items():
        by_pack.setdefault(at.pack, []).append((digest, at))
    ranges: list[ReadRange] = []
    for pack, records in by_pack.items():
        records.sort(key=_offset)
        whole = 2 * sum(at.length for _, at in records) > pack.size
        ranges += [
            ReadRange(pack, run) for run in _runs(records, pack.size if whole else GAP_BYTES)
        ]
    return _join_nearest(ranges, ranges_per_pack * len(by_pack))


def runs_in_order(parts: Iterable[Placed]) -> list[ReadRange]:
    """Returns the requests that bring the parts of one blob in their order.

    Parts that follow each other in a pack too come by one request; one that stands twice in the
    blob comes twice.
    """
    ranges: list[ReadRange] = []
    for digest, at in parts:
        if ranges and ranges[-1].pack == at.pack:
            gap = at.offset - _end(ranges[-1].records[-1][1])
            if 0 <= gap < GAP_BYTES:
                ranges[-1].records.append((digest, at))
                continue
        ranges.append(ReadRange(at.pack, [(digest, at)]))
    return ranges


def ends_of(row: BlobRow, part_bytes: int) -> tuple[int, ...]:
    """Returns the offset in a blob after each of its parts; empty when it cannot be known.

    Args:
        row: The blob. Where it does not say itself, its parts are taken to be of fixed size.
        part_bytes: That size, by the remote's format.
    """
    if row.ends:
        return row.ends
    ends = range(part_bytes, row.size + part_bytes, part_bytes)
    return (*ends[:-1], row.size) if len(ends) == len(row.parts) else ()


def covering(ends: Sequence[int], start: int, end: int) -> range:
    """Returns which parts hold the bytes from `start` up to `end`; none when that is nothing."""
    if start >= end:
        return range(0)
    return range(bisect_right(ends, start), min(bisect_left(ends, end) + 1, len(ends)))


def _runs(records: list[Placed], gap_bytes: int) -> list[list[Placed]]:
    runs = [[records[0]]]
    for before, record in pairwise(records):
        if record[1].offset - _end(before[1]) < gap_bytes:
            runs[-1].append(record)
        else:
            runs.append([record])
    return runs


def _join_nearest(ranges: list[ReadRange], limit: int) -> list[ReadRange]:
    """Joins neighbours in a pack, those with the smallest gaps first, until `limit` are left."""
    surplus = len(ranges) - limit
    if surplus <= 0:
        return ranges
    gaps = sorted(
        (after.start - before.end, number)
        for number, (before, after) in enumerate(pairwise(ranges), 1)
        if before.pack == after.pack
    )
    joined = {number for _, number in gaps[:surplus]}
    result: list[ReadRange] = []
    for number, one in enumerate(ranges):
        if number in joined:
            result[-1].records.extend(one.records)
        else:
            result.append(one)
    return result


def _offset(record: Placed) -> int:
    return record[1].offset


def _end(at: Location) -> int:
    return at.offset + at.length
