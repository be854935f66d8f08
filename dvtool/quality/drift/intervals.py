"""Intervals for the figures of drift: where the figure of the two populations lies.

Three methods: the non-central chi-square law joined with the delta method for figures that are a
sum over bins, the Dvoretzky-Kiefer-Wolfowitz bound for KS, and bootstrapped deviations with the
triangle inequality for distances. What is not here: the figures (`effects`) and the choice of
methods (`compare`). Assumptions and sources: docs/quality-methods.md#intervals.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from dvtool.quality.drift.distributions import FloatArray, NumericDistribution
from dvtool.quality.drift.effects import occupied, shares, smoothed_shares
from dvtool.quality.drift.resampling import upper_point

Interval = tuple[float, float]
GRID = 256
"""Cells on which the deviations of a numeric column are bootstrapped."""
_LARGE = 1e6
"""Above it the non-central chi-square law is normal on the square-root scale to 1e-3."""


def noncentral(statistic: float, freedom: int, level: float) -> Interval:
    """Returns the interval for the non-centrality behind one observed chi-square statistic.

    Inverts the distribution function at level/2 on either side; an end is 0 when even no drift at
    all would give such a statistic often enough. (0, 0) for no degrees of freedom.
    """
    if freedom < 1:
        return 0.0, 0.0
    if statistic > _LARGE:
        root, z = math.sqrt(statistic), float(special.ndtri(1 - level / 2))
        return max(0.0, (root - z) ** 2 - freedom), (root + z) ** 2
    ends = []
    for probability in (1 - level / 2, level / 2):
        central = float(special.chdtr(freedom, statistic))
        if central <= probability:
            ends.append(0.0)
        else:
            ends.append(float(special.chndtrinc(statistic, freedom, probability)))
    return ends[0], ends[1]


def psi_interval(
    reference: FloatArray,
    current: FloatArray,
    *,
    level: float = 0.05,
    effective: Interval | None = None,
    error: Interval = (0.0, 0.0),
) -> Interval:
    """Returns the interval for the PSI of the populations, in nats.

    Args:
        reference: Counts, shape (B,), at least one row.
        current: Counts of the same bins.
        level: Probability that the interval misses, 0 to 1.
        effective: Effective rows of both sides; the rows themselves by default.
        error: Largest rank errors of the two sides, as shares; they widen the interval.
    """
    a, b = occupied(reference, current)
    p, q = smoothed_shares(a, b)
    ratio = np.log(q / p)
    by_p, by_q = 1 - q / p - ratio, 1 - p / q + ratio
    slack = 2 * (error[0] * float(np.abs(by_p).sum()) + error[1] * float(np.abs(by_q).sum()))
    value = float(np.sum((q - p) * ratio))
    low, high = _summed(value, (p, q), (by_p, by_q), _rows(a, b, effective), level)
    return max(0.0, low - slack), high + slack


def js_interval(
    reference: FloatArray,
    current: FloatArray,
    *,
    level: float = 0.05,
    effective: Interval | None = None,
) -> Interval:
    """Returns the interval for the Jensen-Shannon distance in base 2 of the populations.

    Eight times the divergence in nats behaves like PSI near zero. Arguments as `psi_interval`.
    """
    a, b = occupied(reference, current)
    p, q = shares(a, b)
    middle = (p + q) / 2
    nats = float(np.sum(special.rel_entr(p, middle)) + np.sum(special.rel_entr(q, middle))) / 2
    slopes = tuple(
        4 * np.log(np.divide(side, middle, out=np.ones_like(side), where=side > 0))
        for side in (p, q)
    )
    low, high = _summed(
        8 * max(nats, 0.0), (p, q), (slopes[0], slopes[1]), _rows(a, b, effective), level
    )
    scale = 8 * math.log(2)
    return math.sqrt(low / scale), min(1.0, math.sqrt(high / scale))


def cramers_v_interval(
    reference: FloatArray,
    current: FloatArray,
    *,
    level: float = 0.05,
    effective: Interval | None = None,
) -> Interval:
    """Returns the interval for Cramér's V of the populations, at the two sides' mix of rows.

    Arguments as `psi_interval`.
    """
    a, b = occupied(reference, current)
    p, q = shares(a, b)
    part = float(a.sum() / (a.sum() + b.sum()))
    pooled = part * p + (1 - part) * q
    gap = p - q
    distance = float(np.sum(gap**2 / pooled))
    by_p = 2 * gap / pooled - part * (gap / pooled) ** 2
    by_q = -2 * gap / pooled - (1 - part) * (gap / pooled) ** 2
    low, high = _summed(distance, (p, q), (by_p, by_q), _rows(a, b, effective), level)
    scale = part * (1 - part)
    return math.sqrt(low * scale), min(1.0, math.sqrt(high * scale))


def ks_interval(
    distance: float, n: float, m: float, *, level: float = 0.05, error: float = 0.0
) -> Interval:
    """Returns the interval for the KS distance of the populations.

    Half-width sqrt(-ln(level / 2) / 2 · (n + m) / nm), plus the rank errors of sketches.

    Args:
        distance: Observed, 0 to 1.
        n: Rows, or effective rows, of the reference.
        m: Likewise of the current side.
        level: Probability that the interval misses.
        error: Sum of the rank errors.
    """
    width = math.sqrt(-math.log(level / 2) / 2 * (n + m) / (n * m)) + error
    return max(0.0, distance - width), min(1.0, distance + width)


def norm_interval(value: float, norms: FloatArray, level: float, *, slack: float = 0.0) -> Interval:
    """Returns value ± the point that the norm of the deviations exceeds with probability `level`.

    By the triangle inequality the distance of the samples is off by at most the norm of the
    sampling deviations, with or without drift.

    Args:
        value: The distance of the samples.
        norms: The same distance between resamples and samples, shape (replicates,).
        level: Probability that the interval misses.
        slack: Added on either side, for the error of a sketch.
    """
    width = upper_point(norms, level) + slack
    return max(0.0, value - width), value + width


def total_variation_interval(
    value: float,
    sides: tuple[FloatArray, FloatArray],
    norms: FloatArray,
    level: float,
    *,
    effective: Interval | None = None,
) -> Interval:
    """Returns value ± the smaller of two bounds of the norm of the deviations.

    One is that of `norm_interval`; of few categories it is far too wide, since such norms are often
    nearly 0. The other is McDiarmid's inequality: one row moves the norm by at most 1/n.

    Args:
        value: The distance of the samples.
        sides: Counts of both, shape (levels,).
        norms: As for `norm_interval`.
        level: Probability that the interval misses.
        effective: Rows that count, where they depend on each other.
    """
    rows = _rows(*sides, effective)
    spread = [
        p * (1 - p) / n for p, n in ((a / a.sum(), n) for a, n in zip(sides, rows, strict=True))
    ]
    usual = float(np.sqrt(spread[0] + spread[1]).sum()) / 2
    beyond = math.sqrt(-math.log(level) / 2 * (1 / rows[0] + 1 / rows[1]))
    width = min(usual + beyond, upper_point(norms, level))
    return max(0.0, value - width), min(1.0, value + width)


def grid_of(reference: NumericDistribution, current: NumericDistribution) -> FloatArray:
    """Returns ascending points for the bootstrap: all values where few, else pooled quantiles.

    Shape (at most GRID,). The first is the smallest value and the last the largest.
    """
    points = np.union1d(reference.values, current.values)
    if len(points) <= GRID:
        return points
    half = (np.arange(GRID // 2) + 0.5) / (GRID // 2)
    inner = np.concatenate((reference.quantiles(half), current.quantiles(half)))
    return np.unique(np.concatenate((points[:1], inner, points[-1:])))


def _rows(a: FloatArray, b: FloatArray, effective: Interval | None) -> Interval:
    return effective or (float(a.sum()), float(b.sum()))


def _summed(
    value: float,
    sides: tuple[FloatArray, FloatArray],
    slopes: tuple[FloatArray, FloatArray],
    rows: Interval,
    level: float,
) -> Interval:
    """Returns the hull of the non-central chi-square and the bias-corrected delta interval.

    The first is right near zero, where the delta method's spread vanishes; the second far away,
    where the spread of a chi-square is too small.
    """
    n, m = rows
    scale = n * m / (n + m)
    freedom = len(sides[0]) - 1
    low, high = (end / scale for end in noncentral(value * scale, freedom, level))
    variance = 0.0
    for share, slope, size in zip(sides, slopes, rows, strict=True):
        mean = float(share @ slope)
        variance += float(share @ (slope - mean) ** 2) / size
    width = float(special.ndtri(1 - level / 2)) * math.sqrt(variance)
    corrected = value - freedom / scale
    return max(0.0, min(low, corrected - width)), max(high, corrected + width, 0.0)
