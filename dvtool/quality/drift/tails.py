"""What lies outside of what the reference has seen: the figures that PSI is blind to.

Here are the shares beyond the reference's range and its outermost thousandths, with an interval
that knows how uncertain those points are themselves; and how far out the rows beyond the range lie. What is
not here: whole distributions (`effects`). Called by `sides`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from dvtool.quality.drift.distributions import NumericDistribution

TAIL = 0.001
_STEPS = tuple(2.0**step for step in range(1, 11))
"""How far out is looked, in distances from the median to the end of the range."""


@dataclass(frozen=True, slots=True)
class Tails:
    """Shares of the current rows with a value, each 0 to 1.

    Args:
        below_range: Below the reference's minimum.
        above_range: Above its maximum.
        beyond: Outside of the reference's points at 0.1 % and 99.9 %.
        expected: What `beyond` is on average without drift, given the size of the reference.
        low: Lower end of the interval for `beyond` less its expectation, in the populations.
        high: Upper end.
    """

    below_range: float
    above_range: float
    beyond: float
    expected: float
    low: float
    high: float

    @property
    def excess(self) -> float:
        """Returns `beyond` less what is expected without drift; may be negative."""
        return self.beyond - self.expected


def tails(
    reference: NumericDistribution,
    current: NumericDistribution,
    *,
    level: float = 0.05,
    effective: tuple[float, float] | None = None,
) -> Tails:
    """Returns the shares of the current rows beyond what the reference has seen.

    The k-th smallest of n reference rows cuts off a share of the population that is Beta(k,
    n + 1 - k); the current share is binomial. The interval takes the far ends of both, so that it
    misses with at most `level`.

    Args:
        reference: With values.
        current: With values.
        level: Probability that the interval misses, 0 to 1.
        effective: Effective rows of both sides where rows come in blocks.

    Raises:
        ValueError: A side has no values.
    """
    if not reference.n or not current.n:
        raise ValueError("a side has no values")
    n, m = effective or (float(reference.n), float(current.n))
    cut = max(1, math.floor(TAIL * n))
    low_point, high_point = reference.quantiles([cut / n, 1 - (cut - 1) / n])
    below = _share_below(current, float(low_point))
    above = 1 - float(current.share_at_most(np.asarray([high_point]))[0])
    found = max(0.0, below + above)
    low, high = _binomial_interval(found, m, level / 2)
    mass_low, mass_high = special.betaincinv(
        2 * cut, n + 1 - 2 * cut, [level / 4, 1 - level / 4]
    ).tolist()
    slack = reference.error + current.error
    return Tails(
        below_range=_share_below(current, float(reference.values[0])),
        above_range=1 - float(current.share_at_most(reference.values[-1:])[0]),
        beyond=found,
        expected=2 * cut / (n + 1),
        low=low - mass_high - slack,
        high=high - mass_low + slack,
    )


def far_area(
    reference: NumericDistribution,
    current: NumericDistribution,
    *,
    level: float = 0.05,
    effective: tuple[float, float] | None = None,
) -> float:
    """Returns a lower bound for the Wasserstein distance that comes from rows far beyond the range.

    With G the share of the current population beyond a point t, and F that of the reference's, the
    distance is at least the integral of G - F from the end of the reference's range to t. G is at least the
    lower end of the exact interval at t. F is at most the upper point of Beta(1, n) at the end of the range,
    and further out falls at least as the inverse of the distance from the median, without which
    a population has no mean. The best of some fixed t on either side, never below 0.

    Args:
        reference: With values.
        current: With values.
        level: Probability that the bound lies above the populations' distance.
        effective: Effective rows of both sides where rows come in blocks.
    """
    n, m = effective or (float(reference.n), float(current.n))
    miss = level / 4  # two sides, two shares
    unseen = -math.expm1(math.log(miss) / n) + reference.error
    median = float(reference.quantiles([0.5])[0])
    best = 0.0
    for end, sign in ((float(reference.values[-1]), 1), (float(reference.values[0]), -1)):
        reach = abs(end - median) or reference.std
        for step in _STEPS:
            point = median + sign * step * reach
            at_most = float(current.share_at_most(np.asarray([point]))[0])
            found = 1 - at_most if sign > 0 else _share_below(current, point)
            share = _binomial_interval(found, m, 2 * miss / len(_STEPS))[0] - current.error
            if share <= 0:
                break
            room = abs(end - median)
            usual = unseen * (reach - room + reach * math.log(step))
            best = max(best, share * (step * reach - room) - usual)
    return best


def far_distance(
    reference: NumericDistribution,
    current: NumericDistribution,
    *,
    level: float = 0.05,
    effective: tuple[float, float] | None = None,
) -> tuple[float, float]:
    """Returns how far current values lie beyond the reference's range, as a mean over all rows.

    The second figure is the upper end: as many rows as the exact interval for their share allows, as
    far out as those that were seen. Both are 0 where no value lies beyond. Arguments as `far_area`.
    """
    values, weights = current.values, current.weights
    beyond = np.maximum(values - reference.values[-1], 0)
    beyond += np.maximum(reference.values[0] - values, 0)
    total, rows = float(beyond @ weights), float(weights[beyond > 0].sum())
    if not rows:
        return 0.0, 0.0
    m = effective[1] if effective else float(current.n)
    most = _binomial_interval(rows / current.n, m, level)[1]
    return total / current.n, most * total / rows


def _share_below(distribution: NumericDistribution, point: float) -> float:
    place = int(np.searchsorted(distribution.values, point, side="left"))
    return float(distribution.cumulative[place - 1]) if place else 0.0


def _binomial_interval(share: float, rows: float, level: float) -> tuple[float, float]:
    """Returns the exact interval of Clopper and Pearson for a share."""
    hits = share * rows
    low = special.betaincinv(hits, rows - hits + 1, level / 2) if hits > 0 else 0.0
    high = special.betaincinv(hits + 1, rows - hits, 1 - level / 2) if hits < rows else 1.0
    return float(low), float(high)
