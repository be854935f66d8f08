"""Faults of times: day and month exchanged, all moved by one step, times of day moved as by a time zone.

Each is told by the times themselves: which of them the baseline has, and when in the day they lie. What is not
here: shares of rows that were moved (`numeric_faults`, which calls this).
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Final

import numpy as np

from dvtool.quality.drift.distributions import FloatArray, NumericDistribution
from dvtool.quality.drift.faults import Fault
from dvtool.quality.drift.novel_faults import BY_CHANCE

_DAY: Final = 86_400.0
_HOUR: Final = 3600.0
_MOST: Final = 0.9
_NEXT_DAYS: Final = 7
_LEAST_MOVED: Final = 20
_LEAST_COPIED: Final = 5
"""Different times of an exact copy, each as often as before, that are enough."""
_LEAST_ROWS: Final = 100
_NIGHT: Final = 3 * _HOUR
_FAR_APART: Final = 0.3
"""Distance of two profiles of the day from which they are different; days of one shop differ by 0.1 to 0.2."""
_MUCH_NEARER: Final = 3.0


def moved_moments(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    """Returns that times are those of the baseline with day and month exchanged, or moved.

    Args:
        reference: The baseline's times as seconds since 1970, exact.
        current: The new version's.
    """
    if reference.error or current.error or not reference.n or not current.n:
        return None
    return (
        _exchanged(reference, current)
        or _all_moved(reference, current)
        or _clock_moved(reference, current)
    )


def _exchanged(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    """Novel days are usual ones, or the next ones, once day and month change places."""
    known = {float(one) for one in np.unique(np.floor(reference.values / _DAY))}
    usual = known | {max(known) + ahead for ahead in range(1, _NEXT_DAYS + 1)}
    novel: dict[float, float] = {}
    for second, weight in zip(current.values.tolist(), current.weights.tolist(), strict=True):
        day = math.floor(second / _DAY)
        if day not in usual:
            novel[day] = novel.get(day, 0.0) + weight
    fitting = {day for day in novel if _swapped(day) in usual}
    rows = sum(novel[day] for day in fitting)
    if not fitting or rows < _MOST * sum(novel.values()):
        return None
    years = (max(known) - min(known)) // 365.25 + 1
    if min(1.0, len(usual) / (365.25 * years)) ** len(fitting) >= BY_CHANCE:
        return None
    words = f"day and month changed places, at least {rows / current.n:.1%} of the rows"
    return Fault("date-format", words, words, rows / current.n, {"days": len(fitting)})


def _swapped(day: float) -> float | None:
    """Returns the day with its month and day of the month exchanged; None where that is none."""
    try:
        found = dt.date(1970, 1, 1) + dt.timedelta(days=day)
        if found.day > 12 or found.day == found.month:
            return None
        other = found.replace(month=found.day, day=found.month)
    except (OverflowError, ValueError):
        return None
    return float((other - dt.date(1970, 1, 1)).days)


def _all_moved(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    """Nearly all times are those of the baseline plus one step, many of which it has not itself."""
    if len(current.values) < _LEAST_COPIED or follows_on(reference, current):
        return None
    here = _share_in(reference, current, 0.0)
    best = max(_MOVES, key=lambda move: _share_in(reference, current, move[0]))
    by, words = best
    is_copy = here < 1 and np.array_equal(reference.values + by, current.values)
    if is_copy and np.array_equal(reference.weights, current.weights):
        pass  # the same times, each as often: however few are new, nothing else explains it
    elif (
        len(current.values) < _LEAST_MOVED
        or here > 0.85
        or _share_in(reference, current, by) < 0.95
    ):
        return None
    told = f"the times of the baseline, {words}"
    return Fault("time-shift", told, told, 1.0)


_MOVES: Final = tuple(
    (sign * by, f"moved {words} {'later' if sign > 0 else 'earlier'}")
    for words, by in (
        *((f"{hours} hour{'s' * (hours > 1)}", 3600.0 * hours) for hours in range(1, 15)),
        *((f"{days} days" if days > 1 else "one day", days * _DAY) for days in (1, 7, 30, 31)),
        ("one year", 365 * _DAY),
        ("one year", 366 * _DAY),
    )
    for sign in (1, -1)
)


def _share_in(reference: NumericDistribution, current: NumericDistribution, by: float) -> float:
    return float(current.weights[np.isin(current.values - by, reference.values)].sum() / current.n)


def follows_on(reference: NumericDistribution, current: NumericDistribution) -> bool:
    """Tells whether the times begin where the baseline's end, as those of the next batch do."""
    if len(reference.values) < 2 or not len(current.values):
        return False
    gap = float(current.values[0] - reference.values[-1])
    return 0 < gap <= 1.5 * float(np.median(np.diff(reference.values)))


def _clock_moved(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    """Times of day lie some hours beside those of the baseline, on whatever days they are.

    The profile of the day, moved by so many hours, must be three times nearer than unmoved. Where versions are parts
    of one day other hours are what they are for: a night has to lie between them, or a day within each.
    """
    if min(reference.n, current.n) < _LEAST_ROWS:
        return None
    spans = [float(one.values[-1] - one.values[0]) for one in (reference, current)]
    gap = max(
        float(current.values[0] - reference.values[-1]),
        float(reference.values[0] - current.values[-1]),
    )
    if min(spans) < _DAY and gap < _NIGHT:
        return None
    before, after = _hours(reference), _hours(current)
    unmoved = _apart(before, after)
    if unmoved < _FAR_APART:
        return None
    by = min(range(-11, 13), key=lambda hours: _apart(np.roll(before, hours), after))
    if abs(by) < 2 or _apart(np.roll(before, by), after) > unmoved / _MUCH_NEARER:
        return None
    way = "later" if by > 0 else "earlier"
    told = f"times of day moved about {abs(by)} hours {way}"
    return Fault("time-shift", told, told, 1.0)


def _hours(times: NumericDistribution) -> FloatArray:
    """Returns the share of rows in each hour of the day, shape (24,)."""
    hours = np.floor(times.values / _HOUR).astype(np.int64) % 24
    return np.bincount(hours, weights=times.weights, minlength=24) / times.n


def _apart(one: FloatArray, other: FloatArray) -> float:
    return float(np.abs(one - other).sum() / 2)
