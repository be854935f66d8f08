"""What is compared: the distribution of one column, numeric or categorical.

Built from arrays, from counts, or from the quantiles of a sketch; pure values without files and
without SQL. What is not here: any statistic (`effects`). Built by whoever reads a table or a
profile, and passed to `compare`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class NumericDistribution:
    """A column of numbers, as sorted distinct values and how often each occurs.

    Args:
        values: Distinct finite values, ascending, shape (k,); k = 0 for a column without values.
        weights: How often each occurs, shape (k,), positive; they sum to `n`. Fractions of rows
            are possible when the values are quantiles of a sketch.
        n: Rows with a value.
        nulls: Rows without one; NaN and infinities count here.
        error: Largest rank error of the values as a share of `n`: 0 when exact.
        distinct: Number of distinct values where known; None from a sketch.
    """

    values: FloatArray
    weights: FloatArray
    n: int
    nulls: int = 0
    error: float = 0.0
    distinct: int | None = None

    @property
    def rows(self) -> int:
        """Returns all rows, with and without a value."""
        return self.n + self.nulls

    @property
    def cumulative(self) -> FloatArray:
        """Returns the share of rows at or below each value, shape (k,)."""
        return np.asarray(np.cumsum(self.weights) / max(self.n, 1), dtype=np.float64)

    def share_at_most(self, points: FloatArray) -> FloatArray:
        """Returns the share of rows at or below each point, same shape as `points`."""
        steps = np.concatenate(([0.0], self.cumulative))
        return np.asarray(steps[np.searchsorted(self.values, points, side="right")])

    def quantiles(self, shares: ArrayLike) -> FloatArray:
        """Returns the smallest value with at least that share of the rows at or below it.

        The inverse of the empirical distribution function, without interpolation. NaN for a
        column without values.
        """
        wanted = np.atleast_1d(np.asarray(shares, dtype=np.float64))
        if self.n == 0:
            return np.full(wanted.shape, np.nan)
        heights = np.cumsum(self.weights)
        # a share times n that should be whole may come out a hair above it
        places = np.searchsorted(heights, wanted * self.n * (1 - 1e-12), side="left")
        return np.asarray(self.values[np.minimum(places, len(self.values) - 1)])

    @property
    def mean(self) -> float:
        """Returns the mean, NaN for a column without values."""
        return float(self.weights @ self.values / self.n) if self.n else float("nan")

    @property
    def std(self) -> float:
        """Returns the population standard deviation, NaN for a column without values."""
        if not self.n:
            return float("nan")
        return float(np.sqrt(self.weights @ (self.values - self.mean) ** 2 / self.n))

    def counts_between(self, edges: FloatArray) -> FloatArray:
        """Returns the rows in each bin (e[i-1], e[i]] with open ends, shape (len(edges) + 1,)."""
        heights = np.concatenate(([0.0], np.cumsum(self.weights)))
        reached = heights[np.searchsorted(self.values, edges, side="right")]
        return np.diff(np.concatenate(([0.0], reached, [float(self.n)])))


@dataclass(frozen=True, slots=True)
class CategoricalDistribution:
    """A column of categories, as counts.

    Args:
        counts: Rows by category; zero counts are allowed and mean nothing.
        n: Rows with a value: the sum of `counts` and `other`.
        nulls: Rows without one.
        other: Rows in categories that are not listed; compared as one more category.
    """

    counts: Mapping[str, int]
    n: int
    nulls: int = 0
    other: int = field(default=0)

    @property
    def rows(self) -> int:
        """Returns all rows, with and without a value."""
        return self.n + self.nulls

    def share(self, category: str) -> float:
        """Returns the share of a category among rows with a value, 0 for an empty column."""
        return self.counts.get(category, 0) / self.n if self.n else 0.0


Distribution: TypeAlias = NumericDistribution | CategoricalDistribution


def numeric(values: ArrayLike, *, nulls: int = 0) -> NumericDistribution:
    """Returns the distribution of an array of numbers, any order, shape (rows,).

    NaN and infinities are counted as nulls, in addition to `nulls`. An empty array is allowed.
    """
    given = np.asarray(values, dtype=np.float64).ravel()
    kept = given[np.isfinite(given)]
    distinct, counts = np.unique(kept, return_counts=True)
    return NumericDistribution(
        values=distinct,
        weights=counts.astype(np.float64),
        n=len(kept),
        nulls=nulls + len(given) - len(kept),
        distinct=len(distinct),
    )


def counted(values: ArrayLike, counts: ArrayLike, *, nulls: int = 0) -> NumericDistribution:
    """Returns the distribution of numbers given with how often each occurs; zeros are left out.

    Raises:
        ValueError: The shapes differ, or a count is negative.
    """
    numbers = np.asarray(values, dtype=np.float64)
    often = np.asarray(counts, dtype=np.float64)
    if numbers.shape != often.shape or numbers.ndim != 1 or bool((often < 0).any()):
        raise ValueError("values and counts must be equally long and counts not negative")
    finite = np.isfinite(numbers)
    lost = int(often[~finite].sum())
    kept = finite & (often > 0)
    distinct, where = np.unique(numbers[kept], return_inverse=True)
    weights = np.bincount(where, weights=often[kept], minlength=len(distinct)).astype(np.float64)
    n = round(float(weights.sum()))
    return NumericDistribution(distinct, weights, n, nulls + lost, distinct=len(distinct))


def from_quantiles(
    quantiles: Sequence[float],
    *,
    n: int,
    error: float,
    nulls: int = 0,
    distinct: int | None = None,
) -> NumericDistribution:
    """Returns the distribution that equally spaced quantiles of a sketch describe.

    Args:
        quantiles: Ascending, the i-th of k at rank (i + ½) / k; exact minimum and maximum may be
            the first and the last.
        n: Rows with a value.
        error: Largest rank error of the sketch as a share of `n`. The spacing adds ½ / k.
        nulls: Rows without a value.
        distinct: Number of distinct values, where known.

    Raises:
        ValueError: No quantile is given although n > 0.
    """
    if n and not len(quantiles):
        raise ValueError("a column with values needs at least one quantile")
    if not n:
        return numeric([], nulls=nulls)
    points, counts = np.unique(np.asarray(quantiles, dtype=np.float64), return_counts=True)
    weights = np.asarray(counts * (n / len(quantiles)), dtype=np.float64)
    return NumericDistribution(
        points, weights, n, nulls, error=error + 0.5 / len(quantiles), distinct=distinct
    )


def categorical(values: Sequence[Any]) -> CategoricalDistribution:
    """Returns the distribution of a sequence of values; None is a null, the rest become text."""
    counts: dict[str, int] = {}
    nulls = 0
    for value in values:
        if value is None:
            nulls += 1
        else:
            counts[str(value)] = counts.get(str(value), 0) + 1
    return CategoricalDistribution(counts, len(values) - nulls, nulls)


def as_categories(numbers: NumericDistribution) -> CategoricalDistribution:
    """Returns the same column with every number as a category of its own; whole numbers bare."""
    counts = {
        (str(int(value)) if value == int(value) else repr(value)): round(weight)
        for value, weight in zip(numbers.values.tolist(), numbers.weights.tolist(), strict=True)
    }
    return CategoricalDistribution(counts, numbers.n, numbers.nulls)


def in_blocks(values: ArrayLike, labels: ArrayLike) -> tuple[NumericDistribution, ...]:
    """Returns one distribution for each block of rows, in order of the labels.

    Args:
        values: Numbers, shape (rows,); NaN for a null.
        labels: The block of each row: a group key or a time bucket, shape (rows,).
    """
    numbers = np.asarray(values, dtype=np.float64)
    _, where = np.unique(np.asarray(labels), return_inverse=True)
    order = np.argsort(where, kind="stable")
    cuts = np.flatnonzero(np.diff(where[order])) + 1
    return tuple(numeric(part) for part in np.split(numbers[order], cuts) if len(part))
