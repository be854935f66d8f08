"""Metrics of numbers, moments and lengths: level, spread, places, ends, digits, time of day.

Here lives what is remembered of a column's distribution and what is measured of a version against
it. What is not here: shares of single values (`columns`). Called by `columns`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, log, nextafter
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.arrays import middle
from dvtool.quality.history.portrait import ColumnPortrait
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

EDGES = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
_DAY = 86_400_000_000
_MARGIN = 0.15
"""What lies beyond all earlier values by less than this share of their range is nothing strange."""
_REACH = 0.15
"""Differences of the logarithm of the farthest value's distance that mean nothing."""
_FLAT = 0.9
"""A column whose ends move one way in this share of all steps is one that grows (or falls)."""


class CurveMemory:
    """The past's distribution of a column: edges, ends, spread, and whether it only grows."""

    def __init__(self, name: str, past: Sequence[ColumnPortrait | None], *, is_text: bool) -> None:
        self._name = name
        self._what = "length" if is_text else "value"
        curves = [(at, one) for at, one in enumerate(past) if one is not None and len(one.curve[0])]
        self._at = np.array([at for at, _ in curves], int)
        self._lows = np.array([one.curve[0][0] for _, one in curves], float)
        self._highs = np.array([one.curve[0][-1] for _, one in curves], float)
        grids = np.array([one.quantile(EDGES) for _, one in curves], float)
        self._edges = middle(grids) if curves else EDGES
        self._middle = float(self._edges[len(EDGES) // 2])
        spans = grids[:, -1] - grids[:, 0] if curves else np.zeros(1)
        stds = [one.moments.std or 0.0 for _, one in curves if one.moments is not None]
        self._std = float(middle(np.array(stds))) if stds else 0.0
        self._width = max(float(middle(spans)), self._std)
        self._is_moment = any(one.kind.is_moment for _, one in curves)
        self._grows = not is_text and (self._is_moment or _one_way(self._lows, self._highs))
        self._kurtosis = (
            float(middle(np.array([_kurtosis(one) for _, one in curves]))) if curves else 0.0
        )
        self._floor = self._least()
        # Of a place: the values at or below it, then the values below it.
        self._places = np.concatenate([self._edges, np.nextafter(self._edges, -np.inf)])
        self._shares = tuple(
            Metric(name, f"{self._what}-{how}", f"{share:.2f}", Scale.SHARE)
            for how in ("at-most", "below")
            for share in EDGES
        )
        self._bounds = _bounds(self._lows, self._highs)

    def _least(self) -> float:
        if not len(self._lows):
            return 1e-12
        steps = np.abs(np.diff((self._lows + self._highs) / 2))
        step = float(middle(steps)) if len(steps) else 0.0
        level = float(max(np.abs(self._lows).max(), np.abs(self._highs).max()))
        if self._grows and step > 0:
            # Calendars advance evenly, numbers that only grow do not.
            return max((0.03 if self._is_moment else 0.3) * step, 1e-9 * level, 1e-12)
        return max(0.03 * self._std, 1e-9 * level, 1e-12)

    def mark(
        self, sheet: Sheet, at: int, one: ColumnPortrait, past_at: int | None, weight: float = 1.0
    ) -> None:
        """Writes down the metrics of one version; `past_at` is left out of what it is held to.

        A row is `weight` of a witness.
        """
        if not len(self._lows) or one.moments is None or not len(one.curve[0]):
            return
        name, what = self._name, self._what
        moments = one.moments
        n = max(moments.n * weight, 1.0)
        own = moments.std or 0.0
        mean = Metric(name, f"mean-{what}")
        sheet.value(mean, at, moments.mean, own * own / n, floor=self._floor)
        if self._std > 0:
            # What one more far value could add: of two versions without a spread none is odd.
            one_more = (self._kurtosis + 3) / n + 1e-6
            figure = 0.5 * log(own * own + one_more * self._std * self._std)
            spread = Metric(name, f"spread-{what}")
            # With heavy tails one value makes most of the spread, which then says little.
            tails = max(self._kurtosis, _kurtosis(one))
            sheet.value(spread, at, figure, (tails + 2) / (4 * n), floor=0.02)
        self._mark_places(sheet, at, one, n)
        if self._grows:
            for end, found in (("lowest", one.curve[0][0]), ("highest", one.curve[0][-1])):
                ends = Metric(name, f"{end}-{what}")
                sheet.value(ends, at, float(found), 0.0, floor=self._floor)
        else:
            before = len(self._at) if past_at is None else past_at
            self._beyond(sheet, at, one, before, one.present * weight)
            self._reach(sheet, at, one)
        if one.kind in (Kind.INT, Kind.FLOAT):
            _signs(sheet, name, at, one)
            _digits(sheet, name, at, one)
        if one.kind is Kind.DATETIME:
            _time_of_day(sheet, name, at, one)

    def _mark_places(self, sheet: Sheet, at: int, one: ColumnPortrait, n: float) -> None:
        sheet.shares(self._shares, at, one.cdf(self._places) * n, n)

    def edge(self, share: str) -> float | None:
        """Returns the value that a metric of places counts up to, None for another metric."""
        at = np.flatnonzero([f"{one:.2f}" == share for one in EDGES])
        return float(self._edges[at[0]]) if len(at) else None

    def _beyond(self, sheet: Sheet, at: int, one: ColumnPortrait, before: int, n: float) -> None:
        """Writes down how much lies clearly outside of all *earlier* versions.

        Held against later versions as well, the past would look tamer than it was.
        """
        earlier = int(self._at.searchsorted(before))
        if earlier < 2:
            return
        name, what = self._name, self._what
        low, high, room = (float(ends[earlier - 1]) for ends in self._bounds)
        ends = np.array([high + room, nextafter(low - room, -inf)])
        upto, under = one.cdf(ends).tolist()
        above, below = (1 - upto) * n, under * n
        sheet.share(Metric(name, f"{what}-above-all", "", Scale.SHARE, True), at, above, n)
        sheet.share(Metric(name, f"{what}-under-all", "", Scale.SHARE, True), at, below, n)

    def _reach(self, sheet: Sheet, at: int, one: ColumnPortrait) -> None:
        """Writes down how far the farthest value lies from the middle of the past, in its widths.

        On a logarithmic scale and without a record to beat: where versions differ by nature in how
        far their farthest value lies, the next one may lie farther still.
        """
        if self._width > 0:
            low, high = float(one.curve[0][0]), float(one.curve[0][-1])
            far = max(high - self._middle, self._middle - low, 0.0)
            metric = Metric(self._name, f"{self._what}-far-out", "", Scale.AMOUNT, True)
            sheet.amount(metric, at, far / self._width, floor=_REACH)


def _bounds(lows: Array, highs: Array) -> tuple[Array, Array, Array]:
    """Returns lowest, highest and the room beyond both that is nothing strange, after each version."""
    low, high = np.minimum.accumulate(lows), np.maximum.accumulate(highs)
    room = np.maximum(_advance(high), _advance(-low))
    return low, high, np.maximum(room, _MARGIN * (high - low))


def _advance(tops: Array) -> Array:
    """Returns the largest step by which the largest value so far was ever exceeded, so far."""
    return np.maximum.accumulate(np.diff(tops, prepend=tops[:1]))


def _kurtosis(one: ColumnPortrait) -> float:
    found = None if one.moments is None else one.moments.kurtosis
    return min(max(found or 0.0, -1.0), 1e3)


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


def _signs(sheet: Sheet, name: str, at: int, one: ColumnPortrait) -> None:
    signs, n = one.signs, 0 if one.moments is None else one.moments.n
    if signs is None or not n:
        return
    odd = signs.not_finite
    for what, count in (
        ("zeros", signs.zeros),
        ("negatives", signs.negatives),
        ("wholes", signs.wholes),
    ):
        sheet.share(Metric(name, what, "", Scale.SHARE), at, count, n)
    sheet.share(Metric(name, "not-finite", "", Scale.SHARE, True), at, odd, n + odd)


def _digits(sheet: Sheet, name: str, at: int, one: ColumnPortrait) -> None:
    """Writes down how many decimals values have, and how many whole ones end in 0."""
    digits = one.digits
    if digits is not None:
        mean = Metric(name, "decimals")
        sheet.value(mean, at, digits.decimals, digits.variance, floor=0.03)
        tens = Metric(name, "round-numbers", "", Scale.SHARE)
        sheet.share(tens, at, digits.tens, digits.looked)


def _time_of_day(sheet: Sheet, name: str, at: int, one: ColumnPortrait) -> None:
    keys, shares = one.curve
    weight = np.diff(shares, prepend=0.0)
    hours = (keys % _DAY) / (_DAY / 24)
    mean = float((hours * weight).sum() / weight.sum())
    spread = float((weight * (hours - mean) ** 2).sum() / weight.sum())
    variance = spread / min(one.present, len(keys))
    sheet.value(Metric(name, "hour-of-day"), at, mean, variance, floor=0.1)
