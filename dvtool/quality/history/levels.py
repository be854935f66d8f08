"""Levels: which score is an alarm, for this data set and this budget.

Here the largest scores of the past's own versions set the level. What is not here: scores (`scores`).
Called by `judging` and `backtest`.
"""

from __future__ import annotations

from math import comb, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dvtool.quality.history.version import BUDGET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

WARM: Final = 4
"""The first versions have too little before them to say how odd versions are."""
USUAL: Final = 0.9
"""What is usual for the whole is the largest score that this share of the past's versions stays
below: a past that holds a few odd versions must not make the gate blind."""
WHOLE: Final = 0.3
"""How far levels follow what is usual for the whole."""
OWN: Final = 0.7
"""How far the level of a column follows the largest score that it ever had."""
ONCE: Final = 3.0
"""What a column once had counts up to so many times the budget's level, or what is usual."""
NORMAL_WHOLE: Final = 0.75
NORMAL_OWN: Final = 0.6
"""What whole and column reach where errors are normal, as shares of the budget's level."""
TRUST: Final = 8
"""Versions after which a past is believed as much as the normal law."""
ROOM: Final = 1.08
LOWEST: Final = 0.65
"""No column is so calm that its level is a smaller share of the budget's."""
HEAVIER: Final = 4
"""Errors of real data have heavier tails than the normal ones that the budget is shared by."""
FEWEST: Final = 3
"""Versions whose scores can set a level."""
UNKNOWN: Final = 1.6
"""How much higher the level is while nobody knows how wild the data are."""
_DOUBT: Final = 0.05


def within_budget(alarms: int, versions: int, budget: float) -> bool:
    """Tells whether so many alarms, or more, come by chance in at least one of 20 pasts."""
    fewer = sum(
        comb(versions, k) * budget**k * (1 - budget) ** (versions - k) for k in range(alarms)
    )
    return 1 - fewer >= _DOUBT


def budget_level(metrics: int, budget: float = BUDGET) -> float:
    """Returns the score that the budget asks for of so many metrics with normal errors."""
    chance = budget / HEAVIER / (2 * max(metrics, 1))
    return max(-NormalDist().inv_cdf(chance), sqrt(2))


def alarm_levels(past: Array, groups: Array, budget: float = BUDGET) -> Array:
    """Returns the score from which on each metric is an alarm.

    The level that the budget asks for under the normal law, moved by what was seen: a past, and a
    column in it, that was wilder than that law has a higher level, a calmer one a lower one, the
    more so the longer the past is. One wild column does not hide what others do, and none is judged
    as if it were alone.

    Args:
        past: Scores of past versions, shape (versions, metrics).
        groups: The column of each metric, shape (metrics,).
        budget: False alarms allowed a version.
    """
    least = budget_level(past.shape[1], budget)
    scores = past[WARM:]
    if len(scores) < FEWEST:
        return np.full(past.shape[1], UNKNOWN * least)
    usual = float(np.quantile(scores.max(axis=1), USUAL))
    _, group = np.unique(groups, return_inverse=True)
    most = np.zeros(int(group.max(initial=-1)) + 1)
    np.maximum.at(most, group, scores.max(axis=0))
    most = np.minimum(most, max(usual, ONCE * least))
    seen = WHOLE * (usual - NORMAL_WHOLE * least) + OWN * (most[group] - NORMAL_OWN * least)
    trust = len(scores) / (len(scores) + TRUST)
    levels: Array = ROOM * np.maximum(least + trust * seen, LOWEST * least)
    return levels
