"""Numbers: everything a profile says about numeric values, and the scan that collects it.

Here live the summary, its merge and its one-pass scan; dates and times come as numbers too, and so
do lengths. What is not here: reading batches from the engine (`compute`), text (`texts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dvtool.quality.profile.distinct import Distinct, DistinctScan
from dvtool.quality.profile.moments import Moments, moments_of
from dvtool.quality.profile.quantiles import RANK_ERROR, Quantiles, QuantileScan
from dvtool.quality.profile.tally import MOST, Tally, above_error
from dvtool.quality.tables.arrow import array_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


FEW_STEP = 1 << 14
"""Values counted one by one before asking whether they are still few."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A summary of numbers. NaN and infinities are counted and left out of everything else.

    Args:
        moments: Of the finite values.
        low: Smallest finite value, None when there is none.
        high: Largest.
        zeros: Values equal to 0.
        negatives: Values below 0.
        wholes: Values without a fraction.
        not_finite: NaN and infinities.
        tally: Finite values to counts, exact up to 1,000 different ones.
        quantiles: The sketch, None when the tally is exact and answers by itself.
        distinct: The sketch, None likewise.
    """

    moments: Moments = field(default_factory=Moments)
    low: int | float | None = None
    high: int | float | None = None
    zeros: int = 0
    negatives: int = 0
    wholes: int = 0
    not_finite: int = 0
    tally: Tally = field(default_factory=Tally)
    quantiles: Quantiles | None = None
    distinct: Distinct | None = None

    @property
    def rank_error(self) -> float:
        """Returns the error of `rank`, and of the rank behind `quantile`; 0 when exact."""
        return 0.0 if self.quantiles is None else RANK_ERROR

    @property
    def distinct_count(self) -> float:
        """Returns how many different finite values there are; an estimate above 1,000."""
        return len(self.tally.counts) if self.distinct is None else self.distinct.estimate

    def quantile(self, share: float) -> float | None:
        """Returns the smallest value with at least `share` of the values at or below it.

        Args:
            share: From 0 to 1. The ends are exact: the smallest and the largest value.

        Returns:
            None when there is no value.
        """
        if self.low is None or self.high is None:
            return None
        if share <= 0 or share >= 1:
            return self.low if share <= 0 else self.high
        if self.quantiles is not None:
            return self.quantiles.quantile(share)
        reached, wanted = 0, share * self.tally.total
        for value, count in _sorted(self.tally):
            reached += count
            if reached >= wanted:
                return value
        return self.high

    def cdf(self, value: float) -> float | None:
        """Returns the share of values at or below `value`, give or take `rank_error`.

        None when there is no value.
        """
        if self.low is None or self.high is None:
            return None
        if value < self.low or value >= self.high:
            return 0.0 if value < self.low else 1.0
        if self.quantiles is not None:
            return self.quantiles.rank(value)
        return sum(n for one, n in _sorted(self.tally) if one <= value) / self.tally.total

    def merge(self, other: Numbers) -> Numbers:
        """Returns the summary of both sets of values."""
        tally = self.tally.merge(other.tally)
        few = tally.is_exact
        return Numbers(
            self.moments.merge(other.moments),
            _least(self.low, other.low),
            _greatest(self.high, other.high),
            self.zeros + other.zeros,
            self.negatives + other.negatives,
            self.wholes + other.wholes,
            self.not_finite + other.not_finite,
            tally,
            None if few else _both_quantiles(self, other),
            None if few else _both_distinct(self, other),
        )


class NumberScan:
    """Takes arrays of int64 or float64, all of one type, batch by batch."""

    def __init__(self) -> None:
        self._counts: dict[Any, int] | None = {}
        self._many: _Many | None = None
        self._not_finite = 0

    def add(self, values: NDArray[Any]) -> None:
        """Takes values without nulls, shape (n,)."""
        import numpy as np

        if values.dtype == np.float64:
            finite = np.isfinite(values)
            if not finite.all():
                self._not_finite += int(len(values) - finite.sum())
                values = values[finite]
            values = values + 0.0  # -0.0 and 0.0 are one value
        at = self._add_start(values)
        while self._many is None and at < len(values):
            assert self._counts is not None
            found, size = few_counted(array_of(values[at:]), self._counts)
            self._add_few(found)
            at += size
        if self._many is not None:
            self._many.add(values[at:])

    def _add_start(self, values: NDArray[Any]) -> int:
        """Counts the first step of a column if it holds too many values to list; returns its size."""
        import numpy as np

        if self._many is not None or self._counts or len(values) <= MOST:
            return 0
        step = values[:FEW_STEP]
        found, counts = np.unique(step, return_counts=True)
        if len(found) <= MOST:
            return 0
        self._start_many(found, counts)
        return len(step)

    def add_counts(self, values: Mapping[int, int]) -> None:
        """Takes whole numbers with the number of times they occur."""
        if self._many is not None:
            self._many.add_counts(*_arrays(dict(values)))
        else:
            self._add_few(values.items())

    def finish(self) -> Numbers:
        """Returns the summary; the empty one when there was no value."""
        if self._many is None:
            many = _Many(quantiles=False)
            many.add_counts(*_arrays(self._counts or {}))
            return many.finish(self._not_finite, Tally(self._counts or {}, 0, many.moments.n))
        return self._many.finish(self._not_finite, None)

    def _add_few(self, pairs: Iterable[tuple[Any, int]]) -> None:
        assert self._counts is not None
        for value, count in pairs:
            self._counts[value] = self._counts.get(value, 0) + count
        if len(self._counts) > MOST:
            self._start_many(*_arrays(self._counts))

    def _start_many(self, values: NDArray[Any], counts: NDArray[Any]) -> None:
        self._many = _Many(quantiles=True)
        self._many.add_counts(values, counts)
        self._counts = None


class _Many:
    """What is collected once the values are many."""

    def __init__(self, *, quantiles: bool) -> None:
        from dvtool.quality.profile.frequent import FrequentScan

        self.moments = Moments()
        self._low: float | None = None
        self._high: float | None = None
        self._zeros = self._negatives = self._wholes = 0
        self._type = "f"
        self._frequent = FrequentScan()
        self._quantiles = QuantileScan() if quantiles else None

    def add(self, values: NDArray[Any]) -> None:
        """Takes finite values, each once."""
        if not len(values):
            return
        self._measure(values, None)
        self._frequent.add(values)
        if self._quantiles is not None:
            self._quantiles.add(values)

    def add_counts(self, values: NDArray[Any], counts: NDArray[Any]) -> None:
        """Takes finite values as often as they occur."""
        if not len(values):
            return
        self._measure(values, counts)
        if self._quantiles is not None:
            self._frequent.add_counts(values, counts)
            self._quantiles.add_counts(values, counts)

    def finish(self, not_finite: int, tally: Tally | None) -> Numbers:
        """Returns the summary; a tally given is exact and makes sketches needless."""
        return Numbers(
            self.moments,
            self._low,
            self._high,
            self._zeros,
            self._negatives,
            self._wholes,
            not_finite,
            self._tally() if tally is None else tally,
            None if tally is not None or self._quantiles is None else self._quantiles.finish(),
            self._frequent.finish() if tally is None else None,
        )

    def _measure(self, values: NDArray[Any], counts: NDArray[Any] | None) -> None:
        import numpy as np

        self._type = values.dtype.kind
        self.moments = self.moments.merge(moments_of(values, counts))
        self._low = _least(self._low, values.min().item())
        self._high = _greatest(self._high, values.max().item())

        def count(mask: NDArray[Any]) -> int:
            return int(np.count_nonzero(mask) if counts is None else counts[mask].sum())

        self._zeros += count(values == 0)
        self._negatives += count(values < 0)
        if self._type == "f":
            self._wholes += count(np.trunc(values) == values)
        else:
            self._wholes += len(values) if counts is None else int(counts.sum())

    def _tally(self) -> Tally:
        import numpy as np

        bits = np.fromiter(self._frequent.counts, np.int64, len(self._frequent.counts))
        values = bits.view(np.float64) if self._type == "f" else bits
        counts = dict(zip(values.tolist(), self._frequent.counts.values(), strict=True))
        return above_error(counts, self._frequent.missed, self._frequent.total)


def few_counted(
    values: pa.Array[Any], known: Mapping[Any, int]
) -> tuple[list[tuple[Any, int]], int]:
    """Counts the different values of an Arrow array: of all of it, if they stay few.

    Args:
        values: At least one.
        known: Values counted before.

    Returns:
        Each different value with its count, and how many were counted: all, or a step of them
        where all together would be more than a tally holds. Counting all at once is cheaper and
        changes no result, since a column leaves exact counting only after a step.
    """
    first = _counted(values.slice(0, FEW_STEP))
    if len(values) <= FEW_STEP or len(known) + len(first) > MOST:
        return first, min(FEW_STEP, len(values))
    every = _counted(values)
    if len(known) + sum(1 for value, _ in every if value not in known) > MOST:
        return first, FEW_STEP
    return every, len(values)


def _counted(values: pa.Array[Any]) -> list[tuple[Any, int]]:
    found = values.value_counts()
    return list(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True))


def _arrays(counts: dict[Any, int]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Returns values in rising order and their counts, so that no order of arrival shows."""
    import numpy as np

    keys = sorted(counts)
    values = np.array(keys) if keys else np.empty(0)
    return values, np.array([counts[key] for key in keys], np.int64)


def _sorted(tally: Tally) -> list[tuple[float, int]]:
    return sorted((value, n) for value, n in tally.counts.items() if not isinstance(value, str))


def _least(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else min(a, b)


def _greatest(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else max(a, b)


def _both_quantiles(a: Numbers, b: Numbers) -> Quantiles | None:
    first, second = _quantiles(a), _quantiles(b)
    if first is None or second is None:
        return first or second
    return first.merge(second)


def _quantiles(numbers: Numbers) -> Quantiles | None:
    if numbers.quantiles is not None:
        return numbers.quantiles
    scan = QuantileScan()
    scan.add_counts(*_arrays(dict(numbers.tally.counts)))
    return scan.finish()


def _both_distinct(a: Numbers, b: Numbers) -> Distinct:
    return distinct_of_numbers(a).merge(distinct_of_numbers(b))


def distinct_of_numbers(numbers: Numbers) -> Distinct:
    """Returns the sketch of the different values, made from the tally when that is exact."""
    if numbers.distinct is not None:
        return numbers.distinct
    scan = DistinctScan()
    scan.add(_arrays(dict(numbers.tally.counts))[0])
    return scan.finish()
