"""Moments: count, mean and central sums of powers, merged without looking at the values again.

Here live the value and its merge law. Where values come from is `numbers`' business; what a mean
means for a verdict is the callers'. Numbers, text lengths and class-wise summaries use it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, mean and the sums of (x - mean) to the powers 2, 3 and 4.

    Exact up to rounding: relative 1e-9 against a direct computation, whatever the merge order.
    The empty value has n = 0 and zeros.
    """

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0
    m3: float = 0.0
    m4: float = 0.0

    @property
    def variance(self) -> float | None:
        """Returns the sample variance (n - 1 below the line), None below two values."""
        return self.m2 / (self.n - 1) if self.n > 1 else None

    @property
    def std(self) -> float | None:
        """Returns the sample standard deviation, None below two values."""
        variance = self.variance
        return None if variance is None else math.sqrt(variance)

    @property
    def skewness(self) -> float | None:
        """Returns g1 = m3/n / (m2/n)^1.5, None when all values are equal."""
        if self.m2 <= 0:
            return None
        return math.sqrt(self.n) * self.m3 / math.pow(self.m2, 1.5)

    @property
    def kurtosis(self) -> float | None:
        """Returns the excess kurtosis n m4 / m2² - 3, None when all values are equal."""
        if self.m2 <= 0:
            return None
        return self.n * self.m4 / self.m2**2 - 3.0

    def merge(self, other: Moments) -> Moments:
        """Returns the moments of both sets of values.

        Source: Pébay, SAND2008-6212, formulas for pairwise update up to order four.
        """
        if not self.n:
            return other
        if not other.n:
            return self
        n = self.n + other.n
        a, b = self.n / n, other.n / n
        delta = other.mean - self.mean
        square = delta * delta
        m2 = self.m2 + other.m2 + square * self.n * b
        m3 = self.m3 + other.m3 + delta * square * self.n * b * (a - b)
        m3 += 3.0 * delta * (a * other.m2 - b * self.m2)
        m4 = self.m4 + other.m4 + square * square * self.n * b * (a * a - a * b + b * b)
        m4 += 6.0 * square * (a * a * other.m2 + b * b * self.m2)
        m4 += 4.0 * delta * (a * other.m3 - b * self.m3)
        # Weighted, so that the order of the two sides does not show in the last digit.
        return Moments(n, a * self.mean + b * other.mean, m2, m3, m4)


def moments_of(values: NDArray[Any], weights: NDArray[Any] | None = None) -> Moments:
    """Returns the moments of finite values.

    Args:
        values: Shape (n,), any numeric type.
        weights: How often each value occurs, shape (n,), whole numbers; once each when None.
    """
    import numpy as np

    if not len(values):
        return Moments()
    x = values.astype(np.float64, copy=False)
    if weights is None:
        n = len(x)
        mean = float(x.mean())
        delta = x - mean
        square = delta * delta
        weighted = square
    else:
        n = int(weights.sum())
        mean = float((x * weights).sum() / n)
        delta = x - mean
        square = delta * delta
        weighted = square * weights
    # Sums, not dot products: BLAS would start threads, and would not sum pairwise.
    m3, m4 = float((weighted * delta).sum()), float((weighted * square).sum())
    return Moments(n, mean, float(weighted.sum()), m3, m4)
