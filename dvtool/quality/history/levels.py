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
"""The level rests on the score that this share of the past's versions stays below: a past that
holds a few odd versions must not make the gate blind."""
ROOM: Final = 1.1
ONCE: Final = 2.0
"""What a column once had raises its own level to at most so many times the budget's."""
SHARED: Final = 0.2
"""How far every column's level is moved from the budget's towards that of the whole: where many
columns have a level each, one of them is more likely to leave its own."""
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


def alarm_levels(past: Array, groups: Array, budget: float = BUDGET) -> Array:
    """Returns the score from which on each metric is an alarm.

    The data set's own level is what most of its past stays below; a group of metrics that was tamer
    than that has a lower one of its own, so that one wild column does not hide what others do. None
    is as low as the budget's where others are wild.

    Args:
        past: Scores of past versions, shape (versions, metrics).
        groups: The column of each metric, shape (metrics,).
        budget: False alarms allowed a version.
    """
    chance = budget / HEAVIER / (2 * max(past.shape[1], 1))
    least = max(-NormalDist().inv_cdf(chance), sqrt(2))
    scores = past[WARM:]
    if len(scores) < FEWEST:
        return np.full(past.shape[1], UNKNOWN * least)
    usual = float(np.quantile(scores.max(axis=1), USUAL))
    most = scores.max(axis=0)
    _, group = np.unique(groups, return_inverse=True)
    mosts = np.zeros(int(group.max(initial=-1)) + 1)
    np.maximum.at(mosts, group, most)
    own = mosts[group]
    capped = np.minimum(ROOM * own, max(ROOM * usual, ONCE * least))
    shared = least + SHARED * max(usual - least, 0.0)
    levels: Array = np.maximum(shared, capped)
    return levels
