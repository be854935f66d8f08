"""The figures of drift: how far two distributions lie apart, one function for each formula.

Point values only, from counts or distributions, with the p-values that their names promise. What
is not here: intervals and decisions (`intervals`, `compare`), and shares in the tails (`tails`).
Called by `compare` and by whoever wants one number. Formulas: docs/quality-methods.md.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    Distribution,
    FloatArray,
    NumericDistribution,
)

DECILES = 10
LEAST_EXPECTED = 5.0
"""Fewest expected rows of a category on either side; rarer ones are compared as one."""


def psi(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns the population stability index of two histograms, in nats.

    Sum over bins of (q - p) ln(q / p), shares as (k + ½) / (n + ½B). Never negative, symmetric,
    biased upwards by about (B - 1)(1/n + 1/m). Bins empty on both sides are left out first.

    Args:
        reference: Counts, shape (B,), not negative.
        current: Counts of the same bins in the same order.

    Raises:
        ValueError: The shapes differ, or a side has no rows.

    Source: docs/quality-methods.md#psi
    """
    p, q = smoothed_shares(*occupied(reference, current))
    return float(np.sum((q - p) * np.log(q / p)))


def psi_bias(bins: int, n: int, m: int) -> float:
    """Returns what PSI is on average without any drift: (bins - 1)(1/n + 1/m)."""
    return (bins - 1) * (1 / n + 1 / m)


def psi_null(bins: int, n: int, m: int, *, share: float = 0.95) -> float:
    """Returns the point below which PSI falls with probability `share` without any drift.

    Assumes independent rows and bins that are not nearly empty. 0 for a single bin.
    """
    if bins < 2:
        return 0.0
    return float(special.chdtri(bins - 1, 1 - share) * (1 / n + 1 / m))


def psi_edges(reference: NumericDistribution, bins: int = DECILES) -> FloatArray:
    """Returns the inner bin edges: the reference's distinct quantiles at i / bins.

    The outermost bins are open. An edge at the reference's maximum is left out, since no row of
    the reference lies above it. Shape (at most bins - 1,); empty for a constant or empty column.
    """
    if reference.n == 0:
        return np.empty(0)
    edges = np.unique(reference.quantiles(np.arange(1, bins) / bins))
    return np.asarray(edges[edges < reference.values[-1]])


def psi_counts(reference: Distribution, current: Distribution) -> tuple[FloatArray, FloatArray]:
    """Returns the counts that PSI compares: deciles or categories, and missing as a bin of its own.

    Args:
        reference: Decides the edges.
        current: Of the same kind.
    """
    if isinstance(reference, NumericDistribution) and isinstance(current, NumericDistribution):
        edges = psi_edges(reference)
        sides = (reference.counts_between(edges), current.counts_between(edges))
    elif isinstance(reference, CategoricalDistribution) and isinstance(
        current, CategoricalDistribution
    ):
        sides = aligned(reference, current)
        if reference.n and current.n:
            sides = merge_rare(*sides)
    else:
        raise TypeError("one side is numeric and the other categorical")
    if not reference.nulls and not current.nulls:
        return sides
    return np.append(sides[0], float(reference.nulls)), np.append(sides[1], float(current.nulls))


def ks(reference: NumericDistribution, current: NumericDistribution) -> float:
    """Returns the largest distance of the two distribution functions, 0 to 1.

    Raises:
        ValueError: A side has no values.
    """
    _check_values(reference, current)
    return float(np.max(np.abs(cumulative_difference(reference, current)[1])))


def ks_p_value(distance: float, n: int, m: int) -> float:
    """Returns the asymptotic p-value of a KS distance, assuming independent rows and no ties."""
    return float(special.kolmogorov(distance * np.sqrt(n * m / (n + m))))


def wasserstein(reference: NumericDistribution, current: NumericDistribution) -> float:
    """Returns the area between the two distribution functions, in the unit of the column.

    Raises:
        ValueError: A side has no values.
    """
    _check_values(reference, current)
    points, difference = cumulative_difference(reference, current)
    return float(np.sum(np.abs(difference[:-1]) * np.diff(points)))


def iqr(distribution: NumericDistribution) -> float:
    """Returns the distance of the quartiles (without interpolation), NaN without values."""
    low, high = distribution.quantiles([0.25, 0.75])
    return float(high - low)


def js_distance_base2(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns the Jensen-Shannon distance of two histograms in base 2: 0 when equal, 1 when apart.

    Raises:
        ValueError: The shapes differ, or a side has no rows.
    """
    p, q = shares(reference, current)
    middle = (p + q) / 2
    nats = (np.sum(special.rel_entr(p, middle)) + np.sum(special.rel_entr(q, middle))) / 2
    return float(np.sqrt(max(nats, 0.0) / np.log(2)))


def chi_square(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns Pearson's statistic of homogeneity of a 2-by-k table, without correction.

    Raises:
        ValueError: The shapes differ, or a side has no rows.
    """
    a, b = occupied(reference, current)
    n, m = float(a.sum()), float(b.sum())
    p, q, pooled = a / n, b / m, (a + b) / (n + m)
    return float(n * m / (n + m) * np.sum((p - q) ** 2 / pooled))


def chi_square_p_value(statistic: float, levels: int) -> float:
    """Returns the p-value of `chi_square` on that many levels, assuming independent rows."""
    return float(special.chdtrc(levels - 1, statistic)) if levels > 1 else 1.0


def cramers_v(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns Cramér's V of a 2-by-k table: sqrt(chi-square / rows), 0 to 1."""
    a, b = occupied(reference, current)
    return float(np.sqrt(chi_square(a, b) / (a.sum() + b.sum())))


def cramers_v_corrected(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns Cramér's V corrected for its bias (Bergsma 2013); 0 for a single level."""
    a, b = occupied(reference, current)
    rows, levels = float(a.sum() + b.sum()), len(a)
    phi2 = max(0.0, chi_square(a, b) / rows - (levels - 1) / (rows - 1))
    sides_fixed = 2 - 1 / (rows - 1)
    levels_fixed = levels - (levels - 1) ** 2 / (rows - 1)
    smaller = min(sides_fixed, levels_fixed) - 1
    return float(np.sqrt(phi2 / smaller)) if smaller > 0 else 0.0


def total_variation(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns half the sum of absolute differences of shares, 0 to 1."""
    p, q = shares(reference, current)
    return float(np.sum(np.abs(p - q)) / 2)


def aligned(
    reference: CategoricalDistribution, current: CategoricalDistribution
) -> tuple[FloatArray, FloatArray]:
    """Returns the counts of the same categories in the same order, `other` last where there is any."""
    names = levels_of(reference.counts, current.counts)
    sides = [[float(one.counts.get(name, 0)) for name in names] for one in (reference, current)]
    if reference.other or current.other:
        sides[0].append(float(reference.other))
        sides[1].append(float(current.other))
    return np.asarray(sides[0], dtype=np.float64), np.asarray(sides[1], dtype=np.float64)


def levels_of(reference: Mapping[str, int], current: Mapping[str, int]) -> list[str]:
    """Returns the categories that occur on either side, sorted."""
    return sorted(
        name
        for name in reference.keys() | current.keys()
        if reference.get(name, 0) or current.get(name, 0)
    )


def merge_rare(
    reference: ArrayLike, current: ArrayLike, *, least: float = LEAST_EXPECTED
) -> tuple[FloatArray, FloatArray]:
    """Returns the counts with all rare levels summed into one, which comes last.

    A level is rare when fewer than `least` rows of it are expected on the smaller side if nothing
    drifted. No row is dropped: a new level that is common stays, one that is rare is merged.
    """
    a, b = occupied(reference, current)
    smaller = min(a.sum(), b.sum())
    rare = (a + b) * smaller / (a.sum() + b.sum()) < least
    if np.count_nonzero(rare) < 2:
        return a, b
    return np.append(a[~rare], a[rare].sum()), np.append(b[~rare], b[rare].sum())


def occupied(reference: ArrayLike, current: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Returns the counts without bins that are empty on both sides.

    Raises:
        ValueError: The shapes differ, or a side has no rows.
    """
    a = np.asarray(reference, dtype=np.float64)
    b = np.asarray(current, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"bins differ: {a.shape} and {b.shape}")
    if not a.sum() or not b.sum():
        raise ValueError("a side has no rows")
    kept = (a + b) > 0
    return a[kept], b[kept]


def shares(reference: ArrayLike, current: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Returns plain shares of the occupied bins, each side summing to 1."""
    a, b = occupied(reference, current)
    return a / a.sum(), b / b.sum()


def smoothed_shares(a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Returns (k + ½) / (n + ½B) of both sides: never zero, each side summing to 1."""
    half = len(a) / 2
    return (a + 0.5) / (a.sum() + half), (b + 0.5) / (b.sum() + half)


def cumulative_difference(
    reference: NumericDistribution, current: NumericDistribution
) -> tuple[FloatArray, FloatArray]:
    """Returns all distinct values, and reference minus current distribution function at each."""
    points = np.union1d(reference.values, current.values)
    return points, reference.share_at_most(points) - current.share_at_most(points)


def _check_values(*sides: NumericDistribution) -> None:
    if not all(side.n for side in sides):
        raise ValueError("a side has no values")
