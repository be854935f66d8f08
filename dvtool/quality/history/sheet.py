"""Sheets: one figure a metric and version, on a scale on which differences mean the same everywhere.

Here live the three scales (shares, amounts, measured values) and the table that metrics are written
to. What is not here: which metrics there are (`columns`, `rows`, `pairs`), and what is expected of
them (`predictors`, `scores`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

Where: TypeAlias = "int | slice | Array"
"""One version, or several: then figures are arrays, one for each of them."""
Figure: TypeAlias = "float | Array"
ALL: Final = slice(None)
"""Every version of a sheet."""
COPIES: Final = "copies-but-for"
"""The metric of rows that are copies of others in everything but one column."""


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


class Figures(NamedTuple):
    """All metrics of a sheet, side by side; NaN where a version does not have one.

    Args:
        metrics: In the order of the second axis of all else.
        y: Figures on their scales, shape (versions, metrics).
        v: What sampling makes them vary by.
        k: Counts behind shares.
        n: Rows behind shares.
        floors: The smallest difference that means anything, shape (metrics,).
    """

    metrics: tuple[Metric, ...]
    y: Array
    v: Array
    k: Array
    n: Array
    floors: Array


@dataclass(slots=True)
class _Block:
    """Metrics that are written together.

    Args:
        metrics: Which.
        part: Of the sheet.
        first: Counts of shares, figures of all else; shape (metrics, versions) or what fills it.
        second: Rows of shares, variances of all else; likewise.
        floor: The smallest difference that means anything.
    """

    metrics: tuple[Metric, ...]
    part: int
    first: Any
    second: Any
    floor: float


class Sheet:
    """Metrics of several versions, written down in any order, for many versions at once.

    Args:
        versions: Their number.

    Attributes:
        part: Raised by who writes, to keep apart what belongs together.
    """

    def __init__(self, versions: int) -> None:
        self.versions = versions
        self.part = 0
        self._blocks: dict[Metric, _Block] = {}

    def share(self, metric: Metric, at: Where, counts: Figure, rows: Figure) -> None:
        """Writes down that `counts` of `rows` have something; nothing for no rows."""
        if not isinstance(at, int) or rows > 0:
            self._write((metric,), at, counts, rows, 1e-3)

    def shares(self, metrics: tuple[Metric, ...], at: Where, counts: Figure, rows: Figure) -> None:
        """Writes down several shares of the same rows; nothing for no rows.

        Args:
            metrics: Always together, and written by nothing else.
            at: Which versions.
            counts: For each metric, of each version.
            rows: Of which these are.
        """
        self._write(metrics, at, counts, rows, 1e-3)

    def amount(
        self, metric: Metric, at: Where, found: Figure, *, floor: float, variance: Figure = 0.0
    ) -> None:
        """Writes down numbers from 0, with the variance of their logarithm."""
        self._write((metric,), at, np.log(found + 1), variance, floor)

    def value(
        self, metric: Metric, at: Where, found: Figure, variance: Figure, *, floor: float
    ) -> None:
        """Writes down numbers with the variance that sampling gives them; none that is not finite."""
        if not isinstance(at, int) or (isfinite(found) and isfinite(variance)):
            self._write((metric,), at, found, variance, floor)

    def values(
        self,
        metrics: tuple[Metric, ...],
        at: Where,
        found: Figure,
        variance: Figure,
        *,
        floor: float,
    ) -> None:
        """Writes down several numbers of one kind, always together."""
        self._write(metrics, at, found, variance, floor)

    def _write(
        self, metrics: tuple[Metric, ...], at: Where, first: Figure, second: Figure, floor: float
    ) -> None:
        block = self._blocks.get(metrics[0])
        if block is None and at is ALL:
            self._blocks[metrics[0]] = _Block(metrics, self.part, first, second, floor)
            return
        if block is None:
            both = np.full((2, len(metrics), self.versions), np.nan)
            block = _Block(metrics, self.part, both[0], both[1], floor)
            self._blocks[metrics[0]] = block
        block.first[:, at] = first
        block.second[:, at] = second
        block.floor = max(block.floor, floor)

    def counts(self, metric: Metric) -> tuple[Array, Array] | None:
        """Returns counts and rows of a share that is written alone, NaN for none."""
        block = self._blocks.get(metric)
        if block is None:
            return None
        both = self._side_by_side([block])
        (first,), (second,) = _cleaned(both[0], both[1], np.ones(1, bool))
        return first, second

    def figures(self) -> Figures:
        """Returns the metrics that any version has: part after part, the first to be had first."""
        blocks = list(self._blocks.values())
        metrics = [one for block in blocks for one in block.metrics]
        if not metrics:
            none = np.empty((self.versions, 0))
            return Figures((), none, none, none, none, np.empty(0))
        both = self._side_by_side(blocks)
        sizes = [len(block.metrics) for block in blocks]
        parts = np.repeat([block.part for block in blocks], sizes)
        floors = np.repeat([block.floor for block in blocks], sizes)
        shares = np.array([one.scale is Scale.SHARE for one in metrics], bool)
        first, second = _cleaned(both[0], both[1], shares)
        there = np.isfinite(first)
        is_any = np.asarray(there.any(axis=1))
        order = np.lexsort((there.argmax(axis=1), parts))
        order = order[is_any[order]]
        return _figures([metrics[at] for at in order], first[order], second[order], floors[order])

    def _side_by_side(self, blocks: Sequence[_Block]) -> Array:
        """Returns what was written down of all metrics, shape (2, metrics, versions)."""
        many = sum(len(block.metrics) for block in blocks)
        found = np.empty((2, many, self.versions))
        start = 0
        for block in blocks:
            own = found[:, start : start + len(block.metrics)]
            own[0], own[1] = block.first, block.second
            start += len(block.metrics)
        return found


def _cleaned(first: Array, second: Array, shares: Array) -> tuple[Array, Array]:
    """Returns what was written down, NaN for shares of no rows and for numbers that are not finite."""
    is_good = np.isfinite(first) & np.isfinite(second) & ((second > 0) | ~shares[:, None])
    if is_good.all():
        return first, second
    return np.where(is_good, first, np.nan), np.where(is_good, second, np.nan)


def _figures(metrics: Sequence[Metric], first: Array, second: Array, floors: Array) -> Figures:
    shares = np.array([one.scale is Scale.SHARE for one in metrics], bool)
    y, v = first, second
    k, n = np.full((2, *first.shape), np.nan)
    shares = np.array([at for at, one in enumerate(metrics) if one.scale is Scale.SHARE], int)
    counts, rows = first[shares], second[shares]
    k[shares], n[shares] = counts, rows
    y[shares] = np.arcsin(np.sqrt(np.minimum((counts + 0.375) / (rows + 0.75), 1.0)))
    v[shares] = 1 / (4 * rows + 2)
    y, v, k, n = (np.ascontiguousarray(one.T) for one in (y, v, k, n))
    return Figures(tuple(metrics), y, v, k, n, floors)
