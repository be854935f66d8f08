"""Scores: how far each figure lies from what the past lets expect, as a normal deviate.

Here predictions and normal errors are put together, for the judged version and for every past
version as if it had been judged. What is not here: metrics (`memory`), and what score is an alarm
(`levels`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.predictors import NAMES, added_variance, chosen, predictions
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.variance import as_normal, beta_binomial_tail, deviate, scales

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

SPARSE = 5
"""A share whose largest past count is no larger is judged by its counts."""
INDEPENDENT = 1000
"""Rows of one version that can be taken as independent witnesses: what is new comes in clusters."""


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of the judged version.

    Args:
        metric: Which.
        score: How odd it is, as a normal deviate, 0 and up.
        found: The figure, on the metric's scale.
        expected: What was predicted, on that scale.
        spread: One standard deviation of the error, on that scale.
        predictor: By what it was predicted.
        rows: Behind a share, NaN otherwise.
    """

    metric: Metric
    score: float
    found: float
    expected: float
    spread: float
    predictor: str
    rows: float


class Expectations:
    """What a sheet of the past lets expect.

    Attributes:
        metrics: In the order of the columns of `past`.
        past: Scores of the past's versions, each against all others, shape (versions, metrics).
    """

    def __init__(self, sheet: Sheet) -> None:
        self.metrics = tuple(sheet.marks)
        marks = np.stack([sheet.marks[one] for one in self.metrics], axis=2)
        self._y, self._v, self._k, self._n = (marks[:, i] for i in range(4))
        self._floors = np.array([sheet.floors[one] for one in self.metrics])
        guesses = predictions(self._y)
        errors = self._y[None] - guesses[:, :-1]
        self._noise = np.nan_to_num(_middle(self._v))
        self._best = chosen(errors, self._noise)
        columns = np.arange(len(self.metrics))
        self._extra = np.array([added_variance(at)[self._best] for at in range(len(self._y) + 1)])
        self._expected = guesses[self._best, -1, columns]
        error = errors[self._best, :, columns].T
        ratio = error / self._base(self._v, self._extra[:-1])
        self._scale, self._freedom = scales(ratio, np.array([one.name for one in self.metrics]))
        self._up = np.array([one.only_up for one in self.metrics])
        past = as_normal(np.abs(ratio) / self._scale[:-1], self._freedom[:-1])
        past = np.where(self._up[None] & (error < 0), 0.0, past)
        self._sparse = self._few()
        for at in range(len(past)):
            self._count(past[at], self._k[at], self._n[at], at)
        self.past = np.nan_to_num(past)

    def score(self, sheet: Sheet) -> list[Score]:
        """Returns the scores of a version's own sheet; of metrics that the past has as well."""
        marks = np.full((4, len(self.metrics)), np.nan)
        for at, metric in enumerate(self.metrics):
            found = sheet.marks.get(metric)
            if found is not None:
                marks[:, at] = found[0]
        y, v, k, n = marks
        error = y - self._expected
        base = self._base(v, self._extra[-1])
        values = as_normal(np.abs(error) / base / self._scale[-1], self._freedom[-1])
        values = np.where(self._up & (error < 0), 0.0, values)
        self._count(values, k, n, None)
        spread = base * self._scale[-1]
        return [
            Score(
                metric,
                float(values[at]),
                float(y[at]),
                float(self._expected[at]),
                float(spread[at]),
                NAMES[self._best[at]],
                float(n[at]),
            )
            for at, metric in enumerate(self.metrics)
            if np.isfinite(values[at])
        ]

    def _base(self, v: Array, extra: Array) -> Array:
        """Returns the sampling error of figure and prediction together, at least the floor."""
        found: Array = np.maximum(np.sqrt(v + extra * self._noise), self._floors)
        return found

    def _few(self) -> Array:
        shares = np.array([one.scale is Scale.SHARE for one in self.metrics])
        most = np.where(np.isfinite(self._k), self._k, 0.0).max(axis=0)
        enough = np.isfinite(self._k).sum(axis=0) >= 3
        return np.flatnonzero(shares & enough & (most <= SPARSE))

    def _count(self, values: Array, k: Array, n: Array, left_out: int | None) -> None:
        """Puts the tail of a beta-binomial in place of scores where counts are few."""
        others = np.ones(len(self._k), bool)
        if left_out is not None:
            others[left_out] = False
        weight = np.minimum(1.0, INDEPENDENT / np.maximum(self._n[others], 1))
        seen = np.nansum(self._k[others] * weight, axis=0)
        rows = np.nansum(self._n[others] * weight, axis=0)
        # Few in many rows are still one witness.
        share = np.minimum(1.0, INDEPENDENT / np.maximum(n, 1))
        k, n = np.maximum(k * share, np.minimum(k, 1)), n * share
        scale = self._scale[-1 if left_out is None else left_out]
        for at in self._sparse:
            if not k[at] >= 1 or rows[at] <= 0 or not np.isfinite(values[at]):
                continue
            if k[at] > seen[at] / rows[at] * n[at]:
                tail = beta_binomial_tail(
                    round(k[at]), round(n[at]), seen[at] + 0.5, rows[at] - seen[at] + 0.5
                )
                values[at] = max(values[at], deviate(tail) / scale[at])


def _middle(v: Array) -> Array:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found: Array = np.nanmedian(v, axis=0)
    return found
