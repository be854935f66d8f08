"""Parts of a table with their sums, as candidates of which one may explain a figure.

Values, and which runs of buckets are tried; how sums are asked of a table is `slice_space`, which
part is chosen `slices`. Both call it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

MOST_SUPPORT: Final = 0.5
"""A slice is a part: what holds more than half of the rows explains nothing."""
RUNS: Final = ("time", "rows")
"""Kinds of parts that are runs of neighbours."""
_SHORT: Final = 31
"""Longest run of buckets of which every one is tried."""
_NEAR: Final = 8
"""Buckets by which the ends of a chosen run are moved, to find them exactly."""
_STEPS: Final = 60
"""Places at which longer ones begin and end, about."""
_AT_ONCE: Final = 4096
"""Parts whose sums are held at a time."""


class Part(NamedTuple):
    """What a part is called.

    Attributes:
        kind: `time`, `category`, `rows` or `file`.
        column: Of time or category, empty otherwise.
        value: What it is, or begins with.
        last: What it ends with, included.
    """

    kind: str
    column: str
    value: str
    last: str


@dataclass(frozen=True, slots=True)
class Parts:
    """Candidates with their sums; each is a run of neighbouring buckets, or a single one.

    Attributes:
        whole: Sums over the table, shape (k,): rows first, then what was asked for.
        running: Running sums over the buckets of all dimensions, shape (m, k).
        starts: Where in `running` each part begins, shape (parts,).
        ends: Where it ends; its sums are the difference.
        labels: Kind, column, and what a run beginning and ending there is called, by place.
    """

    whole: FloatArray
    running: FloatArray
    starts: IntArray
    ends: IntArray
    labels: Sequence[Part]

    def __len__(self) -> int:
        return len(self.starts)

    def name(self, at: int) -> Part:
        """Returns what a part is called."""
        kind, column, value, _ = self.labels[int(self.starts[at])]
        return Part(kind, column, value, self.labels[int(self.ends[at]) - 1].last)

    def sums(self, chosen: IntArray) -> FloatArray:
        """Returns the sums of some parts, shape (chosen, k)."""
        return np.asarray(self.running[self.ends[chosen]] - self.running[self.starts[chosen]])

    def around(self, at: int) -> Parts:
        """Returns the parts that hold a part, itself among them."""
        held = (self.starts <= self.starts[at]) & (self.ends >= self.ends[at])
        return replace(self, starts=self.starts[held], ends=self.ends[held])

    def beside(self, at: int) -> Parts:
        """Returns the runs that begin and end near where a part does, itself among them."""
        start, end = int(self.starts[at]), int(self.ends[at])
        if self.labels[start].kind not in RUNS:
            return replace(self, starts=self.starts[[at]], ends=self.ends[[at]])
        low, high = start, end
        while low > 0 and start - low < _NEAR and self.labels[low - 1] is not NO_PART:
            low -= 1
        while high - end < _NEAR and self.labels[high] is not NO_PART:
            high += 1
        first, last = np.meshgrid(
            np.arange(low, min(start + _NEAR, end)),
            np.arange(max(end - _NEAR, start) + 1, high + 1),
        )
        kept = first < last
        return fit(replace(self, starts=first[kept], ends=last[kept]))

    def in_batches(self) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yields all parts by number, with their sums, some at a time."""
        for start in range(0, len(self), _AT_ONCE):
            chosen = np.arange(start, min(start + _AT_ONCE, len(self)))
            yield chosen, self.sums(chosen)


NO_PART: Final = Part("", "", "", "")
"""Stands in `labels` behind the last bucket of each dimension."""


def parts_of_files(files: Mapping[str, Sequence[float]]) -> Parts:
    """Returns the files of a data set as parts.

    Args:
        files: By name: rows first, then whatever adds up.
    """
    sums = np.asarray(list(files.values()), dtype=np.float64)
    running = np.cumsum(np.vstack([np.zeros((1, sums.shape[1])), sums]), axis=0)
    labels = [*(Part("file", "", name, name) for name in files), NO_PART]
    first = np.arange(len(files), dtype=np.int64)
    return fit(Parts(running[-1], running, first, first + 1, labels))


def fit(parts: Parts) -> Parts:
    """Returns parts without those that have no row, or too many to explain anything."""
    rows = parts.running[parts.ends, 0] - parts.running[parts.starts, 0]
    kept = (rows > 0) & (rows <= MOST_SUPPORT * parts.whole[0])
    return replace(parts, starts=parts.starts[kept], ends=parts.ends[kept])


def runs(buckets: int) -> tuple[IntArray, IntArray]:
    """Returns where runs of neighbours begin and end: short ones all, long ones in coarser steps."""
    first, last = np.triu_indices(buckets + 1, k=1)
    step = max(1, buckets // _STEPS)
    kept = (last - first <= _SHORT) | ((first % step == 0) & (last % step == 0))
    return first[kept], last[kept]
