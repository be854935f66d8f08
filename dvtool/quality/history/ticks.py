"""Columns that tick: year, month, season, day, number of the load; constant or nearly, then one more.

Here they are recognised, and the values that may come next are told. A fixed range or a list of known
values cries wolf at every tick. What is not here: other columns (`columns`, which calls it).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from dvtool.quality.history.portrait import ColumnPortrait
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.strips import Strip
from dvtool.quality.kinds import Kind

_LEAST = 4
_CYCLES = (4, 7, 12, 23, 24, 28, 29, 30, 31, 52, 53, 59, 60)
"""Largest values after which calendars begin again."""
_FLAGS = (0, 1)


class Ticks:
    """What comes next in a column that ticks; `of` gives None for one that does not."""

    def __init__(self, name: str, may_stand: bool, may_step: bool) -> None:
        self._name = name
        self._may_stand = may_stand
        self._may_step = may_step
        self._latest: int | None = None

    @classmethod
    def of(cls, name: str, past: Sequence[ColumnPortrait]) -> Ticks | None:
        """Returns the ticks of a column by its past; None where it does not tick."""
        ends = [_ends(one) for one in past if one.present]
        if len(ends) < _LEAST or any(one is None for one in ends):
            return None
        whole = [one for one in ends if one is not None]
        steps = [_step(a[1], b[1]) for a, b in itertools.pairwise(whole)]
        if any(high - low > 1 and high not in _CYCLES for low, high in whole):
            return None
        if not set(steps) <= {0, 1} or any(
            b[0] < a[0] and b[0] > 1 for a, b in itertools.pairwise(whole)
        ):
            return None
        # One that never ticked so far may do so, one that always did must.
        return cls(name, 0 in steps, True)

    def mark(self, sheet: Sheet, strip: Strip, *, is_past: bool) -> None:
        """Writes down the rows whose value is none of those that may come; learns from a past."""
        for at, one in zip(strip.places.tolist(), strip.ones, strict=True):
            self._mark(sheet, at, one)
            if is_past:
                self._learn(one)

    def _mark(self, sheet: Sheet, at: int, one: ColumnPortrait) -> None:
        if one.signs is None or not one.present or self._latest is None:
            return
        allowed = {self._latest + 1} if self._may_step else set()
        if self._may_stand or one.distinct != 1:
            allowed.add(self._latest)
        if self._latest in _CYCLES:
            allowed.add(1)
        if self._latest in _FLAGS:
            # No calendar says whether a year that began or a flag that was set comes back.
            allowed.update(_FLAGS)
        strange = one.rows_but(allowed)
        metric = Metric(self._name, "out-of-step", "", Scale.SHARE, True)
        sheet.share(metric, at, strange, one.present)

    def _learn(self, one: ColumnPortrait) -> None:
        """Takes a version as the latest."""
        ends = _ends(one)
        if ends is not None:
            low, high = ends
            self._latest = low if low <= 1 < high and high in _CYCLES else high


def _ends(one: ColumnPortrait) -> tuple[int, int] | None:
    if one.kind is not Kind.INT or one.counts is None or not 0 < len(one.keys) <= 2:
        return None
    return int(one.keys[0]), int(one.keys[-1])


def _step(before: int, after: int) -> int:
    return 1 if after in (1, 2) and before in _CYCLES else after - before
