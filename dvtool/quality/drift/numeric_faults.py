"""Faults of numbers: another unit, a flipped sign, a filled-in constant, rounding, stale rows.

Each rule looks at two distributions and says what would turn one into the other and for which
share of the rows. What is not here: filled-in values (`fill_faults`), values that the baseline has nothing
like (`novel_faults`), times (`time_faults`), text and categories (`text_faults`). Called by `diagnosis`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from dvtool.quality.drift.distributions import FloatArray, NumericDistribution
from dvtool.quality.drift.faults import Fault
from dvtool.quality.drift.fill_faults import RICH, filled_in
from dvtool.quality.drift.novel_faults import novel_fault, on_step
from dvtool.quality.drift.time_faults import follows_on, moved_moments

_FACTORS: Final = (
    *(10.0**power for power in range(1, 7)),
    *(2.54, 0.45359237, 0.3048, 1.609344, 60.0, 3600.0, 24.0, 1024.0, 4.1868, 28.349523125),
)
_DAY: Final = 86_400.0
_FEW_EXPECTED: Final = 6.0
"""With fewer rows expected beyond the baseline's values, none there is no surprise."""
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
    fill = filled_in(reference, current, moment)
    change = _changed(reference, current, moment)
    if fill and change and change.share < min(_MOST, 2 * fill.share):
        change = None  # one value far out, not many that were multiplied
    if moment:
        if follows_on(reference, current):
            change = None  # the next batch of a series is no shifted copy of this one
        others = [moved_moments(reference, current)]
    else:
        others = [novel_fault(reference, current), _rounded(reference, current)]
    return [fault for fault in (fill, change, *others) if fault]


def _stale(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    same = np.array_equal(reference.values, current.values) and np.array_equal(
        reference.weights, current.weights
    )
    if not same or len(current.values) <= RICH or current.error:
        return None
    words = "the same values as in the baseline, each as often"
    return Fault("stale", words, words, 1.0)


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
    if current.error or reference.error or len(reference.values) <= RICH:
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
    hit = on_step(distribution.values, step)
    return float(distribution.weights[hit].sum() / distribution.n)
