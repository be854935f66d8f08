"""Faults of numbers: another unit, a flipped sign, a filled-in constant, rounding, stale rows.

Each rule looks at two distributions and says what would turn one into the other and for which
share of the rows. What is not here: text and categories (`text_faults`). Called by `faults`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final

import numpy as np

from dvtool.quality.drift.distributions import FloatArray, NumericDistribution
from dvtool.quality.drift.faults import Fault, clearly_more
from dvtool.quality.drift.novel_faults import moved_moments, novel_fault

SENTINELS: Final = frozenset({-1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0})
"""Numbers that programs write where they have none."""
_FACTORS: Final = (
    *(10.0**power for power in range(1, 7)),
    *(2.54, 0.45359237, 0.3048, 1.609344, 60.0, 3600.0, 24.0, 1024.0, 4.1868, 28.349523125),
)
_DAY: Final = 86_400.0
_LEAST_REPEATS: Final = 3
_ALONE: Final = 0.8
_FEW_EXPECTED: Final = 6.0
"""With fewer rows expected beyond the baseline's values, none there is no surprise."""


def _epoch(year: int, month: int, day: int) -> float:
    return datetime.datetime(year, month, day, tzinfo=datetime.UTC).timestamp()


_NO_MOMENTS: Final = frozenset(
    {0.0, _epoch(1900, 1, 1), _epoch(9999, 1, 1), _epoch(9999, 12, 31), _epoch(1899, 12, 30)}
)
"""Times that programs write where they have none, as seconds since 1970."""
_SHIFTS: Final = (
    *(("hours", 3600.0 * hours) for hours in range(1, 15)),
    ("one day", _DAY),
    ("one month", 30 * _DAY),
    ("one month", 31 * _DAY),
    ("one year", 365 * _DAY),
    ("one year", 366 * _DAY),
)
_NOISE: Final = 1.95
"""Kolmogorov's point at one in a thousand: a larger scaled distance is no chance."""
_MOST: Final = 0.9
"""Share of the rows from which a change counts as one of the whole column."""
_GRID: Final = 200
_RICH: Final = 20
"""Fewest distinct values for which equal columns are suspicious."""


@dataclass(frozen=True, slots=True)
class _Change:
    """x becomes factor · x + offset."""

    code: str
    factor: float
    offset: float
    words: str

    @property
    def partly(self) -> bool:
        """Tells whether it may concern a part of the rows without resembling a common shift."""
        if self.code == "unit-change":
            return self.offset == 0 and (self.factor >= 10 or self.factor <= 0.1)
        return True


def numeric_faults(
    reference: NumericDistribution, current: NumericDistribution, *, moment: bool = False
) -> list[Fault]:
    """Returns the faults that fit, none for a column without values.

    Args:
        reference: The baseline's distribution.
        current: The new version's.
        moment: Whether the numbers are seconds since 1970.
    """
    if not reference.n or not current.n:
        return []
    stale = _stale(reference, current)
    if stale:
        return [stale]
    fill = _filled(reference, current, moment)
    change = _changed(reference, current, moment)
    if fill and change and change.share < min(_MOST, 2 * fill.share):
        change = None  # one value far out, not many that were multiplied
    if moment:
        others = [moved_moments(reference, current)]
    else:
        others = [novel_fault(reference, current), _rounded(reference, current)]
    return [fault for fault in (fill, change, *others) if fault]


def _stale(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    same = np.array_equal(reference.values, current.values) and np.array_equal(
        reference.weights, current.weights
    )
    if not same or len(current.values) <= _RICH or current.error:
        return None
    words = "the same values as in the baseline, each as often"
    return Fault("stale", words, words, 1.0)


def _filled(
    reference: NumericDistribution, current: NumericDistribution, moment: bool
) -> Fault | None:
    """A single value that stands in many more rows than before."""
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
        return not (_on_step(current, 10.0) >= 0.99 and _on_step(reference, 10.0) < 0.5)
    usual = float(np.max(reference.weights)) / reference.n
    return after >= 2 * usual and after >= 0.05 and len(reference.values) > _RICH


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


def _changed(
    reference: NumericDistribution, current: NumericDistribution, moment: bool
) -> Fault | None:
    """A share of the rows multiplied, negated or moved.

    If a share s of the rows became g(x), then F_current - F = s (F_g - F) at every point: s is a
    least-squares slope, and what remains must be no more than sampling noise.
    """
    noise = _NOISE * np.sqrt(1 / reference.n + 1 / current.n) + reference.error + current.error
    best: tuple[float, float, _Change] | None = None
    for change in _candidates(moment):
        points = _points(reference, current, change)
        before = reference.share_at_most(points)
        moved = current.share_at_most(points) - before
        wanted = _share_after(reference, change, points) - before
        power = float(wanted @ wanted)
        if power == 0 or float(np.max(np.abs(wanted))) < noise:
            continue
        share = min(1.0, float(moved @ wanted) / power)
        if share < 0.015:
            continue
        rest = moved - share * wanted
        explained = 1 - float(rest @ rest) / max(float(moved @ moved), 1e-300)
        if float(np.max(np.abs(rest))) > noise or explained < 0.8:
            continue
        if share < _MOST and not (change.partly and _reaches(reference, current, change, share)):
            continue
        if best is None or explained > best[0]:
            best = explained, share, change
    if best is None or not _beyond_noise(reference, current, float(noise)):
        return None
    explained, share, change = best
    words = f"{change.words}, about {share:.0%} of the rows"
    figures = {"factor": change.factor, "explained": explained}
    return Fault(change.code, words, words, share, figures)


def _reaches(
    reference: NumericDistribution, current: NumericDistribution, change: _Change, share: float
) -> bool:
    """Tells whether values lie beyond the baseline's where a change of so many rows must put some."""
    low, high = reference.values[0], reference.values[-1]

    def beyond(values: FloatArray, weights: FloatArray) -> float:
        return float(weights[(values < low) | (values > high)].sum())

    moved = reference.values * change.factor + change.offset
    expected = share * beyond(moved, reference.weights) / reference.n * current.n
    return expected < _FEW_EXPECTED or beyond(current.values, current.weights) > expected / 4


def _beyond_noise(
    reference: NumericDistribution, current: NumericDistribution, noise: float
) -> bool:
    from dvtool.quality.drift.effects import ks
    from dvtool.quality.drift.tails import tails

    return ks(reference, current) > noise or tails(reference, current, level=1e-3).low > 0


def _candidates(moment: bool) -> list[_Change]:
    if moment:
        named = [(words, sign * by) for words, by in _SHIFTS for sign in (1, -1)]
        found = []
        for words, by in named:
            way = "later" if by > 0 else "earlier"
            size = f"{abs(by) / 3600:g} hours" if words == "hours" else words
            found.append(_Change("time-shift", 1.0, by, f"moved {size} {way}"))
        return found
    changes = [
        _Change("sign-flip", -1.0, 0.0, "the sign was flipped"),
        _Change("unit-change", 1.8, 32.0, "degrees Celsius became Fahrenheit"),
        _Change("unit-change", 1 / 1.8, -32 / 1.8, "degrees Fahrenheit became Celsius"),
        _Change("unit-change", 1.0, 273.15, "degrees Celsius became kelvin"),
        _Change("unit-change", 1.0, -273.15, "kelvin became degrees Celsius"),
    ]
    for factor in _FACTORS:
        changes.append(_Change("unit-change", factor, 0.0, f"multiplied by {factor:g}"))
        changes.append(_Change("unit-change", 1 / factor, 0.0, f"divided by {factor:g}"))
    return changes


def _points(
    reference: NumericDistribution, current: NumericDistribution, change: _Change
) -> FloatArray:
    levels = (np.arange(_GRID) + 0.5) / _GRID
    before = reference.quantiles(levels)
    return np.unique(
        np.concatenate((before, before * change.factor + change.offset, current.quantiles(levels)))
    )


def _share_after(reference: NumericDistribution, change: _Change, points: FloatArray) -> FloatArray:
    """Returns the distribution function of factor · x + offset at the points."""
    origin = (points - change.offset) / change.factor
    # a quantile multiplied and divided again may fall a hair short of itself
    nudged = origin + np.sign(change.factor) * 1e-9 * np.maximum(np.abs(origin), 1e-300)
    if change.factor > 0:
        return reference.share_at_most(nudged)
    return 1 - reference.share_at_most(nudged)


def _rounded(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    """Nearly all values stand on a coarse decimal step on which few stood before."""
    if current.error or reference.error or len(reference.values) <= _RICH:
        return None
    for power in range(6, -7, -1):
        step = 10.0**power
        after = _on_step(current, step)
        if after >= 0.99:
            before = _on_step(reference, step)
            if before > 0.5 or len(current.values) < 2:
                return None
            words = f"rounded to steps of {step:g}"
            return Fault("rounded", words, words, 1 - before)
    return None


def _on_step(distribution: NumericDistribution, step: float) -> float:
    ratio = distribution.values / step
    hit = np.abs(ratio - np.round(ratio)) <= 1e-9 * np.maximum(1, np.abs(ratio))
    return float(distribution.weights[hit].sum() / distribution.n)
