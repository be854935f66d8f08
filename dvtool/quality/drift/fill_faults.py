"""Numbers that were filled in: zeros, placeholders, one constant for many rows.

A value counts as filled in when it gained more rows than chance gives, or when it is one that programs
write where they have none and the baseline never has it. What is not here: other changes of numbers
(`numeric_faults`, which calls this).
"""

from __future__ import annotations

import datetime
from typing import Final

import numpy as np

from dvtool.quality.drift.distributions import FloatArray, NumericDistribution
from dvtool.quality.drift.faults import Fault, clearly_more
from dvtool.quality.drift.novel_faults import on_step

SENTINELS: Final = frozenset({-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0})
"""Numbers that programs write where they have none."""
RICH: Final = 20
"""Fewest distinct values for which equal columns are suspicious."""
_DAY: Final = 86_400.0
_ALONE: Final = 0.8
_LEAST_REPEATS: Final = 3


def _epoch(year: int, month: int, day: int) -> float:
    return datetime.datetime(year, month, day, tzinfo=datetime.UTC).timestamp()


_NO_MOMENTS: Final = frozenset(
    {0.0, _epoch(1900, 1, 1), _epoch(9999, 1, 1), _epoch(9999, 12, 31), _epoch(1899, 12, 30)}
)
"""Times that programs write where they have none, as seconds since 1970."""


def filled_in(
    reference: NumericDistribution, current: NumericDistribution, moment: bool
) -> Fault | None:
    """Returns that a single value stands in many more rows than before; None where none does.

    Args:
        reference: The baseline's distribution.
        current: The new version's.
        moment: Whether the numbers are seconds since 1970.
    """
    if current.error:
        return None
    share = current.weights / current.n
    gain = share - _share_of_each(reference, current.values)
    place = _placeholder(reference, current)
    if place is None:
        place = int(np.argmax(gain))
        if not _is_filled(reference, current, place, float(gain[place])):
            return None
    value, after, gained = float(current.values[place]), float(share[place]), float(gain[place])
    name = _day_of(value) if moment else f"{value:g}"
    lost_nulls = reference.nulls / reference.rows - current.nulls / current.rows
    if lost_nulls > 0.01 and abs(lost_nulls - gained * current.n / current.rows) < 0.01:
        words = f"missing values were written as {name}"
        return Fault("sentinel", words, "missing values were written as one number", gained)
    code = "zero-fill" if value == 0 else "sentinel" if value in SENTINELS else "constant-fill"
    words = f"{name} stands in {after:.1%} of the rows, {after - gained:.1%} in the baseline"
    discreet = f"one value stands in {after:.1%} of the rows, {after - gained:.1%} in the baseline"
    return Fault(code, words, discreet, gained)


def _is_filled(
    reference: NumericDistribution, current: NumericDistribution, place: int, gain: float
) -> bool:
    value, after = float(current.values[place]), float(current.weights[place]) / current.n
    if not clearly_more(after - gain, reference.n, after, current.n):
        return False
    low, high = reference.values[0], reference.values[-1]
    if not low <= value <= high and not _stands_alone(reference, current, place):
        return False
    if value == 0 or value in SENTINELS or value in _NO_MOMENTS:
        return not (_share_on(current, 10.0) >= 0.99 and _share_on(reference, 10.0) < 0.5)
    usual = float(np.max(reference.weights)) / reference.n
    return after >= 2 * usual and after >= 0.05 and len(reference.values) > RICH


def _placeholder(reference: NumericDistribution, current: NumericDistribution) -> int | None:
    """Returns the place of a number that programs write where they have none.

    The baseline never has it, and it lies beyond its values or repeats more often than any of them.
    """
    low, high = reference.values[0], reference.values[-1]
    most = float(np.max(reference.weights)) / reference.n
    beyond = (current.values < low) | (current.values > high)
    known = np.isin(current.values, [*SENTINELS, *_NO_MOMENTS])
    known &= (current.weights >= _LEAST_REPEATS) & ~np.isin(current.values, reference.values)
    for place in sorted(np.flatnonzero(known), key=lambda at: -current.weights[at]):
        rows = float(current.weights[place])
        is_alone = beyond[place] and _stands_alone(reference, current, int(place))
        if is_alone or (not beyond[place] and rows / current.n > 2 * most):
            return int(place)
    return None


def _stands_alone(reference: NumericDistribution, current: NumericDistribution, place: int) -> bool:
    """Tells whether hardly any other value lies beyond the baseline's on that side, as in noise."""
    is_low = current.values[place] < reference.values[0]
    side = current.values < reference.values[0] if is_low else current.values > reference.values[-1]
    return bool(current.weights[place] >= _ALONE * current.weights[side].sum())


def _day_of(second: float) -> str:
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=second)
    return moment.date().isoformat() if second % _DAY == 0 else moment.isoformat(" ")


def _share_of_each(distribution: NumericDistribution, points: FloatArray) -> FloatArray:
    places = np.minimum(np.searchsorted(distribution.values, points), len(distribution.values) - 1)
    hit = distribution.values[places] == points
    return np.asarray(np.where(hit, distribution.weights[places] / distribution.n, 0.0))


def _share_on(distribution: NumericDistribution, step: float) -> float:
    hit = on_step(distribution.values, step)
    return float(distribution.weights[hit].sum() / distribution.n)
