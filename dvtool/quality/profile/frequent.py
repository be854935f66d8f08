"""Frequent values among many: bounded counts and the distinct sketch, in one pass over the bits.

Here lives the scan for columns whose values are too many to count one by one. What the 64 bits
mean (a number, a token of a text) is the caller's business: `numbers` and `texts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dvtool.quality.profile.distinct import Distinct, DistinctScan

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BUCKETS: Final = 1 << 12
_HEAVY: Final = 4
"""A bucket with this many times the average count is looked into."""
_HELD: Final = 1 << 13
_KEPT: Final = 1 << 10


class FrequentScan:
    """Takes 64-bit values batch by batch.

    Values are spread over 4,096 buckets by hash. A value in a bucket that is not much fuller than
    the average cannot be frequent, and the bucket's count bounds it; the few full buckets are
    counted value by value. So a value missed in a batch of m rows occurs at most 4 m / 4096 times.

    Attributes:
        counts: Bits (as int64) to the number of times seen; a lower bound.
        missed: Most that a count is too small by, also for values not listed.
        total: Values seen.
    """

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.missed = 0
        self.total = 0
        self._distinct = DistinctScan()

    def add(self, bits: NDArray[Any]) -> None:
        """Takes values, shape (n,), any type of 8 bytes."""
        import numpy as np

        if not len(bits):
            return
        self.total += len(bits)
        hashes = self._distinct.add(bits)
        buckets = (hashes & np.uint64(_BUCKETS - 1)).view(np.int64)
        filled = np.bincount(buckets, minlength=_BUCKETS)
        full = filled > max(_HEAVY * len(bits) // _BUCKETS, 1)
        self.missed += int(filled[~full].max(initial=0))
        if full.any():
            chosen = np.ascontiguousarray(bits).view(np.int64)[full[buckets]]
            values, counts = np.unique(chosen, return_counts=True)
            self._count(values, counts)

    def add_counts(self, values: NDArray[Any], counts: NDArray[Any]) -> None:
        """Takes values with the number of times they occur, both of shape (n,)."""
        import numpy as np

        self.total += int(counts.sum())
        self._distinct.add(values)
        self._count(np.ascontiguousarray(values).view(np.int64), counts)

    def finish(self) -> Distinct:
        """Returns the sketch of the different values."""
        return self._distinct.finish()

    def _count(self, values: NDArray[Any], counts: NDArray[Any]) -> None:
        held = self.counts
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            held[value] = held.get(value, 0) + count
        if len(held) > _HELD:
            order = sorted(held.items(), key=lambda item: (-item[1], item[0]))
            self.missed += order[_KEPT][1]
            self.counts = dict(order[:_KEPT])
