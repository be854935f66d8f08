"""A sample of rows: the rows with the smallest hashes, how often each occurs, and their cells.

Here live the value with its merge, the bytes, and the one-pass scan. What is not here: which columns
may be in it (`compute`), and what versions with samples say about each other (`dvtool.quality.history`).
Profiles hold one; because the choice follows from the row alone, two versions sample the same rows.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from dvtool.errors import InvalidText

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_ROWS: Final = 2048
"""Different rows whose hashes are kept."""
MOST_CELLS: Final = 1 << 15
"""Cells kept, about; of the rows with the smallest hashes, at least `LEAST_ROWS`."""
LEAST_ROWS: Final = 64
_HEAD: Final = struct.Struct("<4I")
_SPAN: Final = float(1 << 64)


def rows_with_cells(width: int) -> int:
    """Returns how many sampled rows keep their cells in a table of `width` sampled columns."""
    return min(MOST_ROWS, max(LEAST_ROWS, MOST_CELLS // max(width, 1)))


@dataclass(frozen=True)
class RowSample:
    """The different rows with the smallest hashes.

    Deterministic: the same rows give the same bytes, in whatever order, batches or merges they come.

    Args:
        data: Four numbers (columns, rows, rows with cells, rows without their dates), all that
            follows little-endian: hashes and counts of rows, hashes and counts of rows without
            their dates and times, and cells column by column.
    """

    data: bytes = _HEAD.pack(0, 0, 0, 0)

    @cached_property
    def head(self) -> tuple[int, int, int, int]:
        """Returns columns, rows, rows with cells, rows without their dates."""
        width, rows, celled, undated = _HEAD.unpack_from(self.data)
        return width, rows, celled, undated

    @property
    def hashes(self) -> NDArray[Any]:
        """Returns the sampled rows' hashes, rising, as uint64."""
        return self._array("<u8", _HEAD.size, self.head[1])

    @property
    def counts(self) -> NDArray[Any]:
        """Returns how often each of them occurs."""
        return self._array("<u4", _HEAD.size + 8 * self.head[1], self.head[1])

    @property
    def undated(self) -> NDArray[Any]:
        """Returns the hashes of rows without dates and times; those of rows where there are none."""
        _, rows, _, undated = self.head
        return self._array("<u8", _HEAD.size + 12 * rows, undated) if undated else self.hashes

    @property
    def undated_counts(self) -> NDArray[Any]:
        """Returns how often each of them occurs."""
        _, rows, _, undated = self.head
        found = self._array("<u4", _HEAD.size + 12 * rows + 8 * undated, undated)
        return found if undated else self.counts

    @property
    def cells(self) -> NDArray[Any]:
        """Returns cells, shape (columns, rows with cells), as 32 bits: a float, or half a token."""
        width, rows, celled, undated = self.head
        at = _HEAD.size + 12 * (rows + undated)
        return self._array("<u4", at, width * celled).reshape(width, celled)

    def merge(self, other: RowSample) -> RowSample:
        """Returns the sample of both tables' rows; exact, whatever the order of merging."""
        import numpy as np

        if not self.head[1] or not other.head[1]:
            return self if self.head[1] else other
        rows = _Smallest(MOST_ROWS)
        undated = _Smallest(MOST_ROWS)
        for one in (self, other):
            rows.add(one.hashes, one.counts, one.cells)
            if one.head[3]:
                undated.add(one.undated, one.undated_counts, np.empty((0, one.head[3]), np.uint32))
        return _packed(self.head[0], rows, undated)

    def _array(self, kind: str, at: int, count: int) -> NDArray[Any]:
        import numpy as np

        return np.frombuffer(self.data, kind, count, at)


def share_sampled(hashes: NDArray[Any]) -> float:
    """Returns which share of all different rows a sample of hashes holds: 1 when it is complete."""
    return 1.0 if len(hashes) < MOST_ROWS else (float(hashes[-1]) + 1) / _SPAN


def checked_sample(data: bytes) -> RowSample:
    """Returns the sample that `data` holds.

    Raises:
        InvalidText: The bytes are no sample of ours.
    """
    if not _is_sound(data):
        raise InvalidText("profile: a sample of rows that is damaged")
    return RowSample(data)


def _is_sound(data: bytes) -> bool:

    if len(data) < _HEAD.size:
        return False
    width, rows, celled, undated = _HEAD.unpack_from(data)
    if max(rows, undated) > MOST_ROWS or celled != min(rows, rows_with_cells(width)):
        return False
    if len(data) != _HEAD.size + 12 * (rows + undated) + 4 * width * celled:
        return False
    sample = RowSample(data)
    for hashes, counts in (
        (sample.hashes, sample.counts),
        (sample.undated, sample.undated_counts),
    ):
        if (hashes[1:] <= hashes[:-1]).any() or (counts == 0).any():
            return False
    return True


class RowScan:
    """Takes batches of rows, column by column, in memory that does not grow.

    Args:
        names: Of the sampled columns.
        moments: Which of them are dates or times.
        salt: Of the repository's key, so that hashes of rows tell nothing to those without it.
    """

    def __init__(self, names: Sequence[str], moments: Sequence[bool], salt: str) -> None:
        self._seeds = [_seed(name, salt) for name in names]
        self._moments = tuple(moments)
        self._rows = _Smallest(MOST_ROWS)
        self._undated = _Smallest(MOST_ROWS)

    def add(self, columns: Sequence[NDArray[Any]]) -> None:
        """Takes one array a column, all of one length: floats (NaN for no value), or tokens."""
        import numpy as np

        if not columns or not len(columns[0]):
            return
        whole = np.zeros(len(columns[0]), np.uint64)
        dated = np.zeros(len(columns[0]), np.uint64)
        for seed, moment, values in zip(self._seeds, self._moments, columns, strict=True):
            hashed = _mixed(values.view(np.uint64) ^ np.uint64(seed))
            whole += hashed
            if moment:
                dated += hashed
        chosen = self._rows.candidates(_mixed(whole))
        cells = [_cells(values[chosen[1]]) for values in columns]
        self._rows.add(chosen[0], None, np.array(cells, np.uint32).reshape(len(cells), -1))
        if any(self._moments):
            hashes, _ = self._undated.candidates(_mixed(whole - dated))
            self._undated.add(hashes, None, np.empty((0, len(hashes)), np.uint32))

    def finish(self) -> RowSample:
        """Returns the sample."""
        return _packed(len(self._seeds), self._rows, self._undated)


class _Smallest:
    """The smallest hashes seen, each with its count and its cells."""

    def __init__(self, most: int) -> None:
        import numpy as np

        self.most = most
        self.hashes = np.empty(0, np.uint64)
        self.counts = np.empty(0, np.int64)
        self.cells: NDArray[Any] | None = None

    def candidates(self, hashes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Returns those hashes that may be among the smallest, and where they stand."""
        import numpy as np

        if len(self.hashes) == self.most:
            at = np.flatnonzero(hashes <= self.hashes[-1])
        elif len(hashes) > 8 * self.most:
            # Far more than are wanted: the first part alone gives a bound.
            first = np.unique(hashes[: 4 * self.most])
            is_bound = len(first) >= self.most
            at = np.arange(len(hashes))
            at = np.flatnonzero(hashes <= first[self.most - 1]) if is_bound else at
        else:
            at = np.arange(len(hashes))
        return hashes[at], at

    def add(self, hashes: NDArray[Any], counts: NDArray[Any] | None, cells: NDArray[Any]) -> None:
        """Takes hashes, their counts (once each when None) and cells, shape (columns, some rows)."""
        import numpy as np

        every = np.concatenate([self.hashes, hashes])
        if counts is None:
            counts = np.ones(len(hashes), np.int64)
        numbers = np.concatenate([self.counts, counts.astype(np.int64)])
        found, first, place = np.unique(every, return_index=True, return_inverse=True)
        sums = np.bincount(place, numbers, len(found)).astype(np.int64)
        kept = slice(0, self.most)
        held = cells if self.cells is None else self.cells
        padded = np.zeros((cells.shape[0], len(every)), np.uint32)
        if self.cells is not None:
            padded[:, : held.shape[1]] = held
        padded[:, len(self.hashes) : len(self.hashes) + cells.shape[1]] = cells
        limit = rows_with_cells(cells.shape[0])
        self.cells = padded[:, first[kept][:limit]]
        self.hashes, self.counts = found[kept], np.minimum(sums[kept], 0xFFFFFFFF)


def _packed(width: int, rows: _Smallest, undated: _Smallest) -> RowSample:
    import numpy as np

    celled = min(len(rows.hashes), rows_with_cells(width))
    parts = [_HEAD.pack(width, len(rows.hashes), celled, len(undated.hashes))]
    for one in (rows, undated):
        parts += [one.hashes.astype("<u8").tobytes(), one.counts.astype("<u4").tobytes()]
    if rows.cells is not None:
        parts.append(np.ascontiguousarray(rows.cells[:, :celled]).astype("<u4").tobytes())
    return RowSample(b"".join(parts))


def _cells(values: NDArray[Any]) -> NDArray[Any]:
    """Returns 32 bits a value: a float of single precision, or the upper half of a token."""
    import numpy as np

    if values.dtype == np.float64:
        with np.errstate(over="ignore"):
            return values.astype(np.float32).view(np.uint32)
    return (values >> np.uint64(32)).astype(np.uint32)


def _seed(name: str, salt: str) -> int:
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8, key=salt.encode())
    return int.from_bytes(digest.digest(), "little")


def _mixed(bits: NDArray[Any]) -> NDArray[Any]:
    """Returns 64 bits spread over all places (the finalisers of MurmurHash3, Stafford's variant 13)."""
    import numpy as np

    with np.errstate(over="ignore"):
        found: NDArray[Any] = bits + np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(30)
        found *= np.uint64(0xBF58476D1CE4E5B9)
        found ^= found >> np.uint64(27)
        found *= np.uint64(0x94D049BB133111EB)
        found ^= found >> np.uint64(31)
    return found
