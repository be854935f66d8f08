"""Predictors: what a metric's next figure is expected to be, from earlier figures only.

Here live the few simple ways to predict, and the choice among them by their past errors. What is not
here: how large an error is normal (`scores`, which calls it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LAGS: Final = (5, 6, 7)
NAMES: Final = ("mean", "smoothed", "last", "trend", "steps", *(f"lag {lag}" for lag in LAGS))
_SMOOTH = 0.4
_RECENT = 8
_AT_ONCE = 2048
"""Metrics that are predicted at once: figures of more do not fit into the processor's cache."""
_MEDIAN_STEP = 1.2
"""About what the last figure and the median of several steps vary, in variances of a figure."""
_PENALTY: Final = np.array([1.0, 1.08, 1.15, 1.25, 1.25, *(1.35 for _ in LAGS)])
"""A predictor that follows more closely must be better by this much: it follows noise as well."""


class Predicted(NamedTuple):
    """What was predicted of each metric, by the predictor that served it best.

    Args:
        best: Which one, shape (metrics,).
        errors: Figures less predictions, shape (versions, metrics); NaN where one is missing.
        following: Of the version that comes next, shape (metrics,).
        variances: Sampling variance of predictions, shape (versions + 1, metrics).
    """

    best: Array
    errors: Array
    following: Array
    variances: Array


def predicted(y: Array, v: Array, noise: Array) -> Predicted:
    """Returns what the best predictor of each metric says.

    Args:
        y: Figures, shape (versions, metrics), NaN where a version has none.
        v: Sampling variance of the figures, likewise, without NaN.
        noise: Sampling variance of the metrics, shape (metrics,).
    """
    parts = []
    for part in np.array_split(np.arange(y.shape[1]), y.shape[1] // _AT_ONCE + 1):
        guesses = predictions(y[:, part])
        errors = y[None, :, part] - guesses[:, :-1]
        best = chosen(errors, noise[part])
        every = np.arange(len(part))
        own = np.empty((len(y) + 1, len(part)))
        for one in np.unique(best):
            own[:, best == one] = variances(v[:, part[best == one]], one)
        parts.append((best, errors[best, :, every].T, guesses[best, -1, every], own))
    return Predicted(*(np.concatenate(one, axis=-1) for one in zip(*parts, strict=True)))


def predictions(y: Array) -> Array:
    """Returns what each predictor says, shape (predictors, versions + 1, metrics).

    Row t is said before version t is seen; NaN where a predictor cannot say anything yet.

    Args:
        y: Figures, shape (versions, metrics), NaN where a version has none.
    """
    versions, metrics = y.shape
    found = np.full((len(NAMES), versions + 1, metrics), np.nan)
    found[0, 1:] = _means_so_far(y)
    smooth, last = np.full((2, metrics), np.nan)
    for at, now in enumerate(y):
        here = np.isfinite(now)
        started = np.where(np.isfinite(smooth), (1 - _SMOOTH) * smooth + _SMOOTH * now, now)
        smooth, last = np.where(here, started, smooth), np.where(here, now, last)
        found[1, at + 1], found[2, at + 1] = smooth, last
    if versions > 2:
        steps = y[1:] - found[2, 1:-1]  # of each version, from the last figure before it
        found[3, 3:] = found[2, 3:] + _means_so_far(steps)[1:]
        found[4, 3:] = found[2, 3:] + _medians_lately(steps)[1:]
    for place, lag in enumerate(LAGS):
        found[5 + place, 2 * lag + 1 :] = _mean(_back(y, lag))[2 * lag + 1 :]
    return found


def variances(v: Array, predictor: int) -> Array:
    """Returns the sampling variance of what a predictor says, shape (versions + 1, metrics).

    Args:
        v: Sampling variance of the figures, shape (versions, metrics), without NaN.
        predictor: Its place in `NAMES`.
    """
    versions, metrics = v.shape
    found = np.full((versions + 1, metrics), np.nan)
    count = np.arange(1, versions + 1)[:, None]
    match NAMES[predictor]:
        case "mean":
            found[1:] = np.cumsum(v, axis=0) / count**2
        case "smoothed":
            found[1:2] = v[:1]
            for at in range(2, versions + 1):
                found[at] = (1 - _SMOOTH) ** 2 * found[at - 1] + _SMOOTH**2 * v[at - 1]
        case "last":
            found[1:] = v
        case "trend":
            steps = count[2:] - 1
            found[3:] = (1 + 1 / steps) ** 2 * v[2:] + v[0] / steps**2
        case "steps":
            found[3:] = _MEDIAN_STEP * v[2:]
        case _:
            lag = LAGS[predictor - len(NAMES) + len(LAGS)]
            back = _back(v, lag)[:, 2 * lag + 1 :]
            found[2 * lag + 1 :] = _mean(back) / np.isfinite(back).sum(axis=0)
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


def _back(figures: Array, lag: int) -> Array:
    """Returns the figures one, two and three lags before each version and the next, NaN for none."""
    found = np.full((3, len(figures) + 1, figures.shape[1]), np.nan)
    for times in (1, 2, 3):
        found[times - 1, lag * times :] = figures[: max(len(figures) + 1 - lag * times, 0)]
    return found


def _mean(values: Array) -> Array:
    """Returns the mean along the first axis, of what is no NaN; NaN where nothing is."""
    there = ~np.isnan(values)
    return _quotient(np.where(there, values, 0.0).sum(axis=0), there.sum(axis=0))


def _means_so_far(values: Array) -> Array:
    """Returns the mean of each row and those before it, likewise."""
    there = ~np.isnan(values)
    return _quotient(np.cumsum(np.where(there, values, 0.0), axis=0), np.cumsum(there, axis=0))


def _medians_lately(values: Array) -> Array:
    """Returns the median of each row and the few before it, likewise."""
    before = np.full((_RECENT - 1, values.shape[1]), np.nan)
    windows = sliding_window_view(np.concatenate([before, values]), _RECENT, axis=0)
    ordered = np.sort(windows, axis=-1)
    count = (~np.isnan(ordered)).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(ordered, np.minimum(count // 2, _RECENT - 1), axis=-1)
    found: Array = np.where(count > 0, (low + high) / 2, np.nan)[..., 0]
    return found


def _quotient(total: Array, count: Array) -> Array:
    found: Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return found
