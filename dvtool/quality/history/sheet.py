"""Sheets: one figure a metric and version, on a scale on which differences mean the same everywhere.

Here live the three scales (shares, amounts, measured values) and the table that metrics are written
to. What is not here: which metrics there are (`columns`, `rows`, `pairs`), and what is expected of
them (`predictors`, `scores`).
"""

from __future__ import annotations

import enum
from array import array
from dataclasses import dataclass, field
from math import asin, isfinite, log, nan, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Scale(enum.Enum):
    """How a metric is written down."""

    SHARE = "share"
    """Rows of rows: arcsine of the square root, whose sampling variance is 1 / 4n."""
    AMOUNT = "amount"
    """A positive number: its logarithm."""
    VALUE = "value"
    """A number as it is."""

    __hash__ = object.__hash__


class Metric(NamedTuple):
    """What is measured.

    Args:
        column: Empty for the whole table.
        name: Kebab-case; `share of 'x'` metrics carry their value in `about`.
        about: The value, edge or other column that is meant; empty for none.
        scale: How it is written down.
        only_up: Whether only a rise is a fault.
    """

    column: str
    name: str
    about: str = ""
    scale: Scale = Scale.VALUE
    only_up: bool = False


@dataclass(slots=True)
class Sheet:
    """Metrics of all versions, the judged one last.

    Args:
        versions: Their number, the judged one included.
        marks: By metric, a row a version: figure on its scale, its sampling variance, count and
            rows behind a share. NaN where a version does not have it.
        floors: By metric, the smallest difference that means anything, on its scale.
    """

    versions: int
    marks: dict[Metric, Array] = field(default_factory=dict)
    floors: dict[Metric, float] = field(default_factory=dict)
    _blocks: dict[Metric, Array] = field(default_factory=dict)
    _cells: dict[Metric, array[float]] = field(default_factory=dict)
    """What `marks` shows: single numbers are written to it many times faster."""

    def share(self, metric: Metric, version: int, count: float, rows: float) -> None:
        """Writes down that `count` of `rows` have something; nothing for no rows."""
        if rows > 0:
            figure = asin(sqrt(min((count + 0.375) / (rows + 0.75), 1.0)))
            self._write(metric, 1e-3, version, figure, 1 / (4 * rows + 2), count, rows)

    def shares(self, metrics: tuple[Metric, ...], version: int, counts: Array, rows: float) -> None:
        """Writes down several shares of the same rows; nothing for no rows.

        Args:
            metrics: Always together, and written by nothing else.
            version: Which.
            counts: One for each of them.
            rows: Of which these are.
        """
        if rows > 0:
            block = self._blocks.get(metrics[0])
            if block is None:
                block = np.full((len(metrics), self.versions, 4), np.nan)
                self._blocks[metrics[0]] = block
                self.marks.update(zip(metrics, block, strict=True))
                self.floors.update(dict.fromkeys(metrics, 1e-3))
            own = block[:, version]
            own[:, 0] = np.arcsin(np.sqrt(np.minimum((counts + 0.375) / (rows + 0.75), 1.0)))
            own[:, 1] = 1 / (4 * rows + 2)
            own[:, 2] = counts
            own[:, 3] = rows

    def amount(
        self, metric: Metric, version: int, found: float, *, floor: float, variance: float = 0.0
    ) -> None:
        """Writes down a number from 0, with the variance of its logarithm."""
        self._write(metric, floor, version, log(found + 1), variance)

    def value(
        self, metric: Metric, version: int, found: float, variance: float, *, floor: float
    ) -> None:
        """Writes down a number with the variance that sampling gives it."""
        if isfinite(found) and isfinite(variance):
            self._write(metric, floor, version, found, variance)

    def _write(  # noqa: PLR0917 called some hundred thousand times
        self,
        metric: Metric,
        floor: float,
        version: int,
        figure: float,
        variance: float,
        count: float = nan,
        rows: float = nan,
    ) -> None:
        cells = self._cells.get(metric)
        if cells is None:
            cells = self._cells[metric] = array("d", (nan,)) * (4 * self.versions)
            self.marks[metric] = np.frombuffer(cells).reshape(self.versions, 4)
            self.floors[metric] = floor
        elif floor > self.floors[metric]:
            self.floors[metric] = floor
        at = 4 * version
        cells[at] = figure
        cells[at + 1] = variance
        cells[at + 2] = count
        cells[at + 3] = rows
