"""Metrics of numbers, moments and lengths: level, spread, places, ends, digits, time of day.

Here lives what is remembered of a column's distribution and what is measured of versions against
it. What is not here: shares of single values (`columns`). Called by `columns`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.arrays import middle
from dvtool.quality.history.portrait import EDGES, ColumnPortrait
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.strips import Strip, numbers, rows_of
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_DAY = 86_400_000_000
_HOUR = _DAY / 24
"""Clocks are put forward and back by it."""
_MARGIN = 0.15
"""What lies beyond all earlier values by less than this share of their range is nothing strange."""
_REACH = 0.15
"""Differences of the logarithm of the farthest value's distance that mean nothing."""
_FLAT = 0.9
"""A column whose ends move one way in this share of all steps is one that grows (or falls)."""


class _Curves:
    """The distributions of a column's versions, of those that have any numbers.

    Args:
        column: All of its versions.

    Attributes:
        kept: Which of them have numbers, by place.
        lows: Smallest number of each version.
        highs: Largest.
        means: Mean.
        stds: Standard deviation, 0 for a single number.
        kurtosis: Within -1 and 1000.
    """

    def __init__(self, column: Strip) -> None:
        found = [
            (at, one, one.moments)
            for at, one in enumerate(column.ones)
            if one.moments is not None and len(one.keys)
        ]
        self.kept = np.array([at for at, _, _ in found], int)
        self.strip = column.only(self.kept)
        self._keys = [one.keys for _, one, _ in found]
        self._sizes = np.array([len(one) for one in self._keys], int)
        self._starts = self._sizes.cumsum() - self._sizes
        self.lows = numbers([one[0] for one in self._keys])
        self.highs = numbers([one[-1] for one in self._keys])
        self.numbers = numbers([one.n for _, _, one in found])
        self.means = numbers([one.mean for _, _, one in found])
        self.stds = numbers([one.std or 0.0 for _, _, one in found])
        tails = numbers([one.kurtosis or 0.0 for _, _, one in found])
        self.kurtosis = np.minimum(np.maximum(tails, -1.0), 1e3)

    def __len__(self) -> int:
        return len(self._keys)

    @cached_property
    def _totals(self) -> tuple[Array, Array, Array]:
        """Running totals at each key, end to end; what they begin with, and their ends."""
        ones = self.strip.ones
        counts = [one.counts for one in ones if one.counts is not None]
        if len(counts) < len(ones):
            shares = np.concatenate([one.curve[1] for one in ones])
            return shares, np.zeros(len(ones)), np.ones(len(ones))
        totals = np.cumsum(np.concatenate(counts))
        before = np.concatenate([[0], totals])[self._starts]
        return totals, before, totals[self._starts + self._sizes - 1] - before

    def upto(self, values: Iterable[Array], chosen: Array) -> Array:
        """Returns the share of numbers at or below some values.

        Args:
            values: Of each chosen version, as many for each.
            chosen: Places of versions.
        """
        keys = [self._keys[at] for at in chosen.tolist()]
        at = np.array(
            [one.searchsorted(own, side="right") for one, own in zip(keys, values, strict=True)]
        )
        totals, before, rows = self._totals
        found = totals[self._starts[chosen][:, None] + np.maximum(at - 1, 0)]
        shares = (found - before[chosen][:, None]) / rows[chosen][:, None]
        return np.where(at > 0, shares, 0.0)


class CurveMemory:
    """The past's distribution of a column: edges, ends, spread, and whether it only grows."""

    def __init__(self, name: str, past: Strip, *, is_text: bool) -> None:
        self._name = name
        self._what = "length" if is_text else "value"
        curves = _Curves(past)
        self._many = len(curves)
        grids = np.array([one.quantiles for one in curves.strip.ones] or [np.zeros(len(EDGES))])
        self._edges = middle(grids) if self._many else EDGES
        self._middle = float(self._edges[len(EDGES) // 2])
        self._std = float(middle(curves.stds)) if self._many else 0.0
        self._width = max(float(middle(grids[:, -1] - grids[:, 0])), self._std)
        self._is_moment = any(one.kind.is_moment for one in curves.strip.ones)
        self._grows = not is_text and (self._is_moment or _one_way(curves.lows, curves.highs))
        self._kurtosis = float(middle(curves.kurtosis)) if self._many else 0.0
        self._floor = self._least(curves.lows, curves.highs)
        # Of a place: the values at or below it, then the values below it.
        self._places = np.concatenate([self._edges, np.nextafter(self._edges, -np.inf)])
        self._shares = tuple(
            Metric(name, f"{self._what}-{how}", f"{share:.2f}", Scale.SHARE)
            for how in ("at-most", "below")
            for share in EDGES
        )
        self._bounds = _bounds(curves.lows, curves.highs)
        self._past: _Curves | None = curves

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what only the past's own versions ask for."""
        return {**self.__dict__, "_bounds": self._bounds[:, -1:], "_past": None}

    def _least(self, lows: Array, highs: Array) -> float:
        if not len(lows):
            return 1e-12
        steps = np.abs(np.diff((lows + highs) / 2))
        step = float(middle(steps)) if len(steps) else 0.0
        level = float(max(np.abs(lows).max(), np.abs(highs).max()))
        if self._grows and step > 0:
            # Calendars advance evenly, numbers that only grow do not.
            floor = min(0.03 * step, _unevenness(lows, highs)) if self._is_moment else 0.3 * step
            return max(floor, 1e-9 * level, 1e-12)
        return max(0.03 * self._std, 1e-9 * level, 1e-12)

    def mark(self, sheet: Sheet, column: Strip, weights: Array, *, is_past: bool) -> None:
        """Writes down the metrics of versions.

        Args:
            sheet: Takes them.
            column: The versions.
            weights: How much of a witness a row of each is.
            is_past: Whether these are the past, each held to those before it.
        """
        curves = self._past if is_past and self._past is not None else _Curves(column)
        self._past = None
        if not self._many or not len(curves):
            return
        name, what, strip = self._name, self._what, curves.strip
        weights = weights[curves.kept]
        own, n = curves.stds, np.maximum(curves.numbers * weights, 1.0)
        mean = Metric(name, f"mean-{what}")
        sheet.value(mean, strip.at, curves.means, own * own / n, floor=self._floor)
        if self._std > 0:
            # What one more far value could add: of two versions without a spread none is odd.
            one_more = (self._kurtosis + 3) / n + 1e-6
            figures = 0.5 * np.log(own * own + one_more * self._std * self._std)
            spread = Metric(name, f"spread-{what}")
            # With heavy tails one value makes most of the spread, which then says little.
            tails = np.maximum(self._kurtosis, curves.kurtosis)
            sheet.value(spread, strip.at, figures, (tails + 2) / (4 * n), floor=0.02)
        every = np.arange(len(curves))
        places = curves.upto([self._places] * len(every), every)
        sheet.shares(self._shares, strip.at, places.T * n, n)
        if self._grows:
            for end, found in (("lowest", curves.lows), ("highest", curves.highs)):
                ends = Metric(name, f"{end}-{what}")
                sheet.value(ends, strip.at, found, np.zeros(len(found)), floor=self._floor)
        else:
            self._beyond(sheet, curves, strip.present * weights, is_past=is_past)
            self._reach(sheet, curves)
        _looks(sheet, name, strip)

    def edge(self, share: str) -> float | None:
        """Returns the value that a metric of places counts up to, None for another metric."""
        at = np.flatnonzero([f"{one:.2f}" == share for one in EDGES])
        return float(self._edges[at[0]]) if len(at) else None

    def _beyond(self, sheet: Sheet, curves: _Curves, rows: Array, *, is_past: bool) -> None:
        """Writes down how much lies clearly outside of all *earlier* versions, of two and more.

        Held against later versions as well, the past would look tamer than it was.
        """
        chosen = np.arange(2, len(curves)) if is_past else np.arange(len(curves))
        if self._many < 2 or not len(chosen):
            return
        low, high, room = self._bounds[:, chosen - 1] if is_past else self._bounds[:, -1:]
        ends = np.stack([high + room, np.nextafter(low - room, -inf)], axis=1)
        upto, under = curves.upto(ends, chosen).T
        n, places = rows[chosen], curves.strip.places[chosen]
        for where, count in (("above", (1 - upto) * n), ("under", under * n)):
            metric = Metric(self._name, f"{self._what}-{where}-all", "", Scale.SHARE, True)
            sheet.share(metric, places, count, n)

    def _reach(self, sheet: Sheet, curves: _Curves) -> None:
        """Writes down how far the farthest value lies from the middle of the past, in its widths.

        On a logarithmic scale and without a record to beat: where versions differ by nature in how
        far their farthest value lies, the next one may lie farther still.
        """
        if self._width > 0:
            above, below = curves.highs - self._middle, self._middle - curves.lows
            far = np.maximum(np.maximum(above, below), 0.0)
            metric = Metric(self._name, f"{self._what}-far-out", "", Scale.AMOUNT, True)
            sheet.amount(metric, curves.strip.at, far / self._width, floor=_REACH)


def _unevenness(lows: Array, highs: Array) -> float:
    """Returns by how much a moment's steps have differed from the usual one, at least an hour."""
    steps = np.diff(np.stack([lows, highs]), axis=1)
    off = np.abs(steps - np.median(steps, axis=1, keepdims=True))
    return max(float(off.max(initial=0.0)), _HOUR)


def _bounds(lows: Array, highs: Array) -> Array:
    """Returns lowest, highest and the room beyond both that is nothing strange, after each version."""
    low, high = np.minimum.accumulate(lows), np.maximum.accumulate(highs)
    room = np.maximum(_advance(high), _advance(-low))
    return np.stack([low, high, np.maximum(room, _MARGIN * (high - low))])


def _advance(tops: Array) -> Array:
    """Returns the largest step by which the largest value so far was ever exceeded, so far."""
    return np.maximum.accumulate(np.diff(tops, prepend=tops[:1]))


def _one_way(lows: Array, highs: Array) -> bool:
    if len(lows) < 4:
        return False
    for ends in (lows, highs):
        steps = np.diff(ends)
        moved = max(float((steps > 0).mean()), float((steps < 0).mean()))
        back = min(float((steps > 0).mean()), float((steps < 0).mean()))
        if moved >= _FLAT and back <= 1 - _FLAT:
            return True
    return False


def _looks(sheet: Sheet, name: str, strip: Strip) -> None:
    """Writes down what numbers are, how they are written, and when a day's moments lie."""
    kinds = [one.kind for one in strip.ones]
    are_numbers = [kind is Kind.INT or kind is Kind.FLOAT for kind in kinds]
    if any(are_numbers):
        own = strip.where(are_numbers)
        _signs(sheet, name, own.where([one.signs is not None for one in own.ones]))
        _digits(sheet, name, own.where([one.digits is not None for one in own.ones]))
    for at, one in zip(strip.places.tolist(), strip.ones, strict=True):
        if one.kind is Kind.DATETIME:
            _time_of_day(sheet, name, at, one)


def _signs(sheet: Sheet, name: str, strip: Strip) -> None:
    if not len(strip):
        return
    n = numbers([0 if one.moments is None else one.moments.n for one in strip.ones])
    zeros, negatives, wholes, odd = rows_of((one.signs or () for one in strip.ones), 4).T
    for what, count in (("zeros", zeros), ("negatives", negatives), ("wholes", wholes)):
        sheet.share(Metric(name, what, "", Scale.SHARE), strip.at, count, n)
    rows = np.where(n > 0, n + odd, 0)
    sheet.share(Metric(name, "not-finite", "", Scale.SHARE, True), strip.at, odd, rows)


def _digits(sheet: Sheet, name: str, strip: Strip) -> None:
    """Writes down how many decimals values have, and how many whole ones end in 0."""
    if not len(strip):
        return
    looked, decimals, variance, tens = rows_of((one.digits or () for one in strip.ones), 4).T
    sheet.value(Metric(name, "decimals"), strip.at, decimals, variance, floor=0.03)
    sheet.share(Metric(name, "round-numbers", "", Scale.SHARE), strip.at, tens, looked)


def _time_of_day(sheet: Sheet, name: str, at: int, one: ColumnPortrait) -> None:
    keys, shares = one.curve
    weight = np.diff(shares, prepend=0.0)
    hours = (keys % _DAY) / (_DAY / 24)
    mean = float((hours * weight).sum() / weight.sum())
    spread = float((weight * (hours - mean) ** 2).sum() / weight.sum())
    variance = spread / one.present
    sheet.value(Metric(name, "hour-of-day"), at, mean, variance, floor=0.1)
