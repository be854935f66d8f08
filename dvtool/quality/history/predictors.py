"""Predictors: what a metric's next figure is expected to be, from earlier figures only.

Here live the few simple ways to predict, and the choice among them by their past errors. What is not
here: how large an error is normal (`scores`, which calls it).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dvtool.quality.history.arrays import middle as _median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LAGS: Final = (5, 6, 7)
NAMES: Final = ("mean", "smoothed", "last", "trend", "steps", *(f"lag {lag}" for lag in LAGS))
_SMOOTH = 0.4
_RECENT = 8
_MEDIAN_STEP = 1.2
"""About what the last figure and the median of several steps vary, in variances of a figure."""
_PENALTY: Final = np.array([1.0, 1.08, 1.15, 1.25, 1.25, *(1.35 for _ in LAGS)])
"""A predictor that follows more closely must be better by this much: it follows noise as well."""


def predictions(y: Array) -> Array:
    """Returns what each predictor says, shape (predictors, versions + 1, metrics).

    Row t is said before version t is seen; NaN where a predictor cannot say anything yet.

    Args:
        y: Figures, shape (versions, metrics), NaN where a version has none.
    """
    versions, metrics = y.shape
    found = np.full((len(NAMES), versions + 1, metrics), np.nan)
    total, count = np.zeros(metrics), np.zeros(metrics)
    smooth, last = np.full(metrics, np.nan), np.full(metrics, np.nan)
    steps: list[Array] = []
    for at in range(versions + 1):
        found[0, at] = np.divide(total, count, out=np.full(metrics, np.nan), where=count > 0)
        found[1, at], found[2, at] = smooth, last
        if len(steps) >= 2:
            found[3, at] = last + _mean(np.array(steps))
            found[4, at] = last + _median(np.array(steps[-_RECENT:]))
        for place, lag in enumerate(LAGS):
            back = [y[at - lag * i] for i in (1, 2, 3) if at - lag * i >= 0]
            if back and at > 2 * lag:
                found[5 + place, at] = _mean(np.array(back))
        if at == versions:
            break
        now = y[at]
        here = np.isfinite(now)
        if at:
            steps.append(np.where(here, now - last, np.nan))
        total, count = np.where(here, total + now, total), count + here
        started = np.where(np.isfinite(smooth), (1 - _SMOOTH) * smooth + _SMOOTH * now, now)
        smooth, last = np.where(here, started, smooth), np.where(here, now, last)
    return found


def variances(v: Array) -> Array:
    """Returns the sampling variance of what each predictor says, in the shape of `predictions`.

    Args:
        v: Sampling variance of the figures, shape (versions, metrics), without NaN.
    """
    versions, metrics = v.shape
    found = np.full((len(NAMES), versions + 1, metrics), np.nan)
    for at in range(1, versions + 1):
        last, before = v[at - 1], v[:at]
        found[0, at] = before.sum(axis=0) / at**2
        found[1, at] = (
            last if at == 1 else (1 - _SMOOTH) ** 2 * found[1, at - 1] + _SMOOTH**2 * last
        )
        found[2, at] = last
        if at > 2:
            steps = at - 1
            found[3, at] = (1 + 1 / steps) ** 2 * last + v[0] / steps**2
            found[4, at] = _MEDIAN_STEP * last
        for place, lag in enumerate(LAGS):
            back = [v[at - lag * i] for i in (1, 2, 3) if at - lag * i >= 0]
            if back and at > 2 * lag:
                found[5 + place, at] = np.mean(back, axis=0) / len(back)
    return found


def chosen(errors: Array, noise: Array) -> Array:
    """Returns the predictor with the smallest past error for each metric; the simplest on a tie.

    Args:
        errors: Shape (predictors, versions, metrics).
        noise: Sampling variance of the metrics, shape (metrics,): differences far below it do not
            tell predictors apart.
    """
    versions = errors.shape[1]
    start = min(max(3, versions // 3), max(versions - 2, 0))
    past = errors[:, start:] ** 2
    usable = np.isfinite(past).sum(axis=1)
    cost = (_mean(past.transpose(1, 0, 2)) + 0.1 * noise[None] + 1e-18) * _PENALTY[:, None]
    enough = usable >= np.maximum(0.6 * usable.max(axis=0), 1)[None]
    cost = np.where(np.isfinite(cost) & enough, cost, np.inf)
    found: Array = np.argmin(cost, axis=0)
    return found


def _mean(values: Array) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a metric without any figure
        found: Array = np.nanmean(values, axis=0)
    return found
