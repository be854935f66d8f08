"""Scores: how far each figure lies from what the past lets expect, as a normal deviate.

Here predictions and normal errors are put together, for the judged version and for every past
version as if it had been judged. What is not here: metrics (`memory`), and what score is an alarm
(`levels`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dvtool.quality.history.arrays import middle
from dvtool.quality.history.levels import WARM, alarm_levels
from dvtool.quality.history.predictors import NAMES, predicted
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.variance import as_normal, beta_binomial_tail, deviate, scales
from dvtool.quality.history.version import BUDGET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SPARSE = 5
"""A share whose largest past count is no larger is judged by its counts."""
INDEPENDENT = 1000
"""Rows of one version that can be taken as independent witnesses: what is new comes in clusters."""
LEAST_FIGURES = 3
"""A metric that fewer past versions have is not judged."""
BURST_DOUBT = 4
"""Weight, in events, of the guess that what is new comes in single rows."""
LEAST_BURST = 1.5
"""Smaller ones are what chance makes of single rows."""


class Score(NamedTuple):
    """One metric of the judged version.

    Args:
        metric: Which.
        score: How odd it is, as a normal deviate, 0 and up.
        found: The figure, on the metric's scale.
        expected: What was predicted, on that scale.
        spread: One standard deviation of the error, on that scale.
        predictor: By what it was predicted.
        rows: Behind a share, NaN otherwise.
        level: The score from which on it is an alarm.
    """

    metric: Metric
    score: float
    found: float
    expected: float
    spread: float
    predictor: str
    rows: float
    level: float

    @property
    def is_alarm(self) -> bool:
        """Whether the figure is odder than the budget allows."""
        return self.score > self.level


class Expectations:
    """What a sheet of the past lets expect.

    Attributes:
        metrics: In the order of the columns of `past`.
        past: Scores of the past's versions, each against all others, shape (versions, metrics).
        levels: The score from which on each metric is an alarm.
        alarms: How many of the past's versions would have alarmed.
    """

    def __init__(self, sheet: Sheet, budget: float = BUDGET) -> None:
        self.metrics, y, v, k, n, self._floors = sheet.figures()
        shares = np.array([one.scale is Scale.SHARE for one in self.metrics])
        _, groups = np.unique([one.column for one in self.metrics], return_inverse=True)
        self._is_known = np.isfinite(y).sum(axis=0) >= LEAST_FIGURES
        self._sparse = _few(k, shares)
        self._burst = _burst(k, n, groups)
        self._rare = np.union1d(self._sparse, _few(n - k, shares))
        v[:, self._rare] *= self._burst
        self._noise = np.nan_to_num(middle(v))
        # A prediction is as good as the figures that it was made of.
        filled = np.where(np.isfinite(y) & np.isfinite(v), v, self._noise)
        told = predicted(y, filled, self._noise)
        self._best, error, self._expected = told.best, told.errors, told.following
        added = np.where(np.isfinite(told.variances), told.variances, self._noise)
        self._added = added[-1]
        ratio = error / self._base(v, added[:-1])
        scale, freedom = scales(
            ratio, np.unique([one.name for one in self.metrics], return_inverse=True)[1]
        )
        self._scale, self._freedom = scale[-1], freedom[-1]
        self._up = np.array([one.only_up for one in self.metrics])
        past = as_normal(np.abs(ratio) / scale[:-1], freedom[:-1])
        past = np.where(self._up[None] & (error < 0), 0.0, past)
        share = self._witnesses(n)
        self._seen, self._rows = np.nansum(k * share, axis=0), np.nansum(n * share, axis=0)
        for at in range(len(past)):
            own = np.nan_to_num(k[at] * share[at]), np.nan_to_num(n[at] * share[at])
            others = self._seen - own[0], self._rows - own[1]
            self._count(past[at], k[at], n[at], others, scale[at])
        self.past = np.nan_to_num(past)
        self.levels = alarm_levels(self.past, groups, budget)
        self.alarms = int((self.past[WARM:] > self.levels).any(axis=1).sum())

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what judging does not ask for again."""
        return {**self.__dict__, "past": np.zeros((0, len(self.metrics)))}

    def score(self, sheet: Sheet) -> list[Score]:
        """Returns the scores of a version's own sheet; of metrics that the past has as well."""
        y, v, k, n = self._lined_up(sheet)
        v[self._rare] *= self._burst
        error = y - self._expected
        base = self._base(v, self._added)
        values = as_normal(np.abs(error) / base / self._scale, self._freedom)
        values = np.where(self._up & (error < 0), 0.0, values)
        self._count(values, k, n, (self._seen, self._rows), self._scale)
        told = np.isfinite(values) & self._is_known
        found = (values, y, self._expected, base * self._scale, self._best, n, self.levels)
        return [
            Score(metric, score, figure, expected, spread, NAMES[best], rows, level)
            for metric, is_told, score, figure, expected, spread, best, rows, level in zip(
                self.metrics, told.tolist(), *(one.tolist() for one in found), strict=True
            )
            if is_told
        ]

    def _lined_up(self, sheet: Sheet) -> Array:
        """Returns a version's figures in the order of the past's metrics, NaN for none."""
        found = sheet.figures()
        places = {metric: at for at, metric in enumerate(found.metrics)}
        at = np.array([places.get(metric, -1) for metric in self.metrics], int)
        rows = [np.append(one[0], np.nan)[at] for one in (found.y, found.v, found.k, found.n)]
        return np.stack(rows)

    def _base(self, v: Array, added: Array) -> Array:
        """Returns the sampling error of figure and prediction together, at least the floor."""
        found: Array = np.maximum(np.sqrt(v + added), self._floors)
        return found

    def _witnesses(self, n: Array) -> Array:
        """Returns how much of an independent witness one of `n` rows is."""
        found: Array = np.minimum(1.0, INDEPENDENT / np.maximum(n, 1)) / self._burst
        return found

    def _count(
        self, values: Array, k: Array, n: Array, others: tuple[Array, Array], scale: Array
    ) -> None:
        """Puts the tail of a beta-binomial in place of scores where counts are few.

        Args:
            values: Scores of one version, changed in place.
            k: Its counts.
            n: Rows behind them.
            others: Counts and rows of the versions that it is held against.
            scale: Of the metrics' errors.
        """
        seen, rows = others
        # Few in many rows are still one witness.
        share = self._witnesses(n)
        k, n = np.maximum(k * share, np.minimum(k, 1)), n * share
        usual = seen / np.maximum(rows, 1e-9) * n
        is_more = (k >= 1) & (k > usual) & (rows > 0) & np.isfinite(values)
        for at in self._sparse[is_more[self._sparse]]:
            tail = beta_binomial_tail(
                round(k[at]), round(n[at]), seen[at] + 0.5, rows[at] - seen[at] + 0.5
            )
            values[at] = max(values[at], deviate(tail) / scale[at])


def _burst(k: Array, n: Array, groups: Array) -> float:
    """Returns how many rows at once usually have what no row had before, at least 1.

    A storm, an order or an hour without a sensor is several rows; how many, the past tells. The mean
    of logarithms, over columns and versions, shrunk towards 1.
    """
    there = np.isfinite(k)
    counts = np.where(there & (k >= 0.5), k, 0.0)
    before = np.cumsum(counts, axis=0) - counts
    times = np.cumsum(there, axis=0) - there
    is_first = (counts > 0) & (before == 0) & (times >= WARM) & (counts < np.where(there, n, 0) / 2)
    logs = []
    for at in np.flatnonzero(is_first.any(axis=1)):
        new = np.flatnonzero(is_first[at])
        for column in np.unique(groups[new]):
            logs.append(float(np.log(middle(counts[at, new[groups[new] == column]]))))
    found = float(np.exp(sum(logs) / (len(logs) + BURST_DOUBT)))
    return found if found >= LEAST_BURST else 1.0


def _few(k: Array, shares: Array) -> Array:
    most = np.where(np.isfinite(k), k, 0.0).max(axis=0)
    enough = np.isfinite(k).sum(axis=0) >= 3
    return np.flatnonzero(shares & enough & (most <= SPARSE))
