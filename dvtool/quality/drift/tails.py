"""What lies outside of what the reference has seen: the figures that PSI is blind to.

Here are the shares beyond the reference's range and its outermost thousandths, with an interval
that knows how uncertain those points are themselves. What is not here: whole distributions
(`effects`). Called by `compare`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from dvtool.quality.drift.distributions import NumericDistribution

TAIL = 0.001


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


def _share_below(distribution: NumericDistribution, point: float) -> float:
    place = int(np.searchsorted(distribution.values, point, side="left"))
    return float(distribution.cumulative[place - 1]) if place else 0.0


def _binomial_interval(share: float, rows: float, level: float) -> tuple[float, float]:
    """Returns the exact interval of Clopper and Pearson for a share."""
    hits = share * rows
    low = special.betaincinv(hits, rows - hits + 1, level / 2) if hits > 0 else 0.0
    high = special.betaincinv(hits + 1, rows - hits, 1 - level / 2) if hits < rows else 1.0
    return float(low), float(high)
