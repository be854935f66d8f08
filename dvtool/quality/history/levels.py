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
_DOUBT: Final = 0.05


def within_budget(alarms: int, versions: int, budget: float) -> bool:
    """Tells whether so many alarms, or more, come by chance in at least one of 20 pasts."""
    fewer = sum(
        comb(versions, k) * budget**k * (1 - budget) ** (versions - k) for k in range(alarms)
    )
    return 1 - fewer >= _DOUBT


def alarm_level(past: Array, budget: float = BUDGET) -> float:
    """Returns the score from which on a version is an alarm.

    Args:
        past: Scores of past versions, shape (versions, metrics).
        budget: False alarms allowed a version.
    """
    metrics = past.shape[1] if past.ndim > 1 else 1
    least = -NormalDist().inv_cdf(budget / (2 * max(metrics, 1)))
    largest = past[WARM:].max(axis=1) if past.size and len(past) > WARM else np.zeros(0)
    usual = float(np.quantile(largest, USUAL)) if len(largest) >= 3 else 0.0
    return max(least, ROOM * usual, sqrt(2))
