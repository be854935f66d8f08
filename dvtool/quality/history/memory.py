"""Memory: everything that is remembered of a past, ready to measure any number of versions.

Here the parts are put together and it is settled which columns can be compared. What is not here:
the metrics themselves (`columns`, `rows`, `pairs`) and what is expected of them (`scores`). Called by
`judging` and `backtest`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from dvtool.quality.history.columns import ColumnMemory
from dvtool.quality.history.growth import Growth
from dvtool.quality.history.pairs import PairMemory
from dvtool.quality.history.portrait import ColumnPortrait, Portrait
from dvtool.quality.history.rows import RowMemory
from dvtool.quality.history.sheet import ALL, COPIES, Metric, Scale, Sheet
from dvtool.quality.history.strips import Strip, numbers
from dvtool.quality.kinds import Kind


class Memory:
    """What is remembered of several versions, oldest first.

    Attributes:
        sheet: The past's metrics.
    """

    def __init__(self, past: Sequence[Portrait]) -> None:
        self.sheet = Sheet(len(past))
        self._rows = RowMemory(self.sheet, past)
        self._columns: dict[str, ColumnMemory] = {}
        self._families: dict[str, object] = {}
        names = list(past[-1].columns)
        for name in names:
            lined, family = comparable([one.columns.get(name) for one in past])
            strip = Strip.of(lined)
            if len(strip) > 1:
                self.sheet.part += 1
                self._families[name] = family
                self._columns[name] = ColumnMemory(self.sheet, name, strip)
        self.sheet.part += 1
        self._copies(self.sheet, past)
        self.sheet.part += 1
        self._pairs = PairMemory(self.sheet, past, list(self._columns))
        self.sheet.part += 1
        self._growth = Growth(self.sheet, past)

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out the past's metrics, which expectations were made of."""
        return {**self.__dict__, "sheet": Sheet(0)}

    def measure(self, one: Portrait) -> Sheet:
        """Returns the metrics of a version that is not part of the past."""
        sheet = Sheet(1)
        self._rows.mark(sheet, 0, one)
        for name, memory in self._columns.items():
            column = one.columns.get(name)
            if column is None:
                continue
            if self._families[name] in (None, _family(column)) or not column.present:
                memory.mark(sheet, column)
        self._copies(sheet, [one])
        self._pairs.mark(sheet, one)
        self._growth.mark(sheet, one)
        return sheet

    def edge(self, metric: Metric) -> float | None:
        """Returns the value that a metric of places counts up to, None for another metric."""
        column = self._columns.get(metric.column)
        return None if column is None else column.edge(metric)

    def _copies(self, sheet: Sheet, versions: Sequence[Portrait]) -> None:
        """Writes down the rows that are copies of others in everything but one column."""
        names = dict.fromkeys(chain.from_iterable(one.copies for one in versions))
        own = [name for name in names if name in self._columns]
        if not own:
            return
        metrics = tuple(Metric(name, COPIES, "", Scale.SHARE, True) for name in own)
        counts = numbers([[one.copies.get(name, np.nan) for one in versions] for name in own])
        sheet.shares(metrics, ALL, counts, numbers([one.cells.rows for one in versions]))


def comparable(
    past: Sequence[ColumnPortrait | None],
) -> tuple[list[ColumnPortrait | None], object]:
    """Returns a column's versions of the kind that most have, None for the others; and that kind.

    Whole and other numbers compare with each other; columns without any value compare with all.
    """
    kinds = Counter(_family(one) for one in past if one is not None and one.present)
    if not kinds:
        return list(past), None
    family = kinds.most_common(1)[0][0]
    return [
        one if one is not None and (not one.present or _family(one) == family) else None
        for one in past
    ], family


def _family(one: ColumnPortrait) -> tuple[object, object]:
    kind = Kind.FLOAT if one.kind is Kind.INT else one.kind
    return kind, one.privacy
