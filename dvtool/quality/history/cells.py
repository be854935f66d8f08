"""Cells: the sampled rows of one version as codes, ranks and bins, column by column.

Here lives what relations between columns are measured on. What is not here: the relations (`pairs`)
and how the sample was drawn (`dvtool.quality.profile.rowsample`). Portraits hold one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.rowsample import RowSample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

BINS = 8
LEAST_COLUMNS = 3
"""In tables of fewer columns, rows that agree but for one column are nothing strange."""
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class ColumnCells:
    """The sampled cells of one column.

    Args:
        codes: Whole numbers that are equal where values are, across versions.
        known: The different ones, rising.
        dense: Likewise, counted from 0 without gaps, within this version.
        ranks: From -1 to 1 where order means something, else None; missing values in the middle.
        bins: As `dense`, with numbers of many values put into 8 bins of equal size.
    """

    codes: Array
    known: Array
    dense: Array
    ranks: Array | None
    bins: Array

    @cached_property
    def groups(self) -> Array:
        """Rows of each different value."""
        return np.bincount(self.dense)

    @cached_property
    def several(self) -> tuple[Array, float]:
        """The values that several rows have, and how many rows these are."""
        found = np.flatnonzero(self.groups > 1)
        return found, float(self.groups[found].sum())

    @cached_property
    def width(self) -> int:
        """The number of different bins."""
        return int(self.bins.max()) + 1


@dataclass(frozen=True)
class Cells:
    """The sampled rows of one version; columns are worked out when first asked for."""

    sample: RowSample | None
    sampled: tuple[tuple[str, Kind], ...]
    _known: dict[str, ColumnCells | None] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """Rows with cells."""
        return 0 if self.sample is None else self.sample.head[2]

    def column(self, name: str) -> ColumnCells | None:
        """Returns a column's cells, None where it has none."""
        if name not in self._known:
            self._known[name] = self._column(name)
        return self._known[name]

    @cached_property
    def _places(self) -> dict[str, tuple[int, Kind]]:
        return {name: (at, kind) for at, (name, kind) in enumerate(self.sampled)}

    def _column(self, name: str) -> ColumnCells | None:
        if self.sample is None or name not in self._places:
            return None
        at, kind = self._places[name]
        cell = self.sample.cells[at]
        values, dense = np.unique(cell, return_inverse=True)
        codes, known = cell.astype(np.int64), values.astype(np.int64)
        if kind is Kind.TEXT:
            return ColumnCells(codes, known, dense, None, dense)
        ranks = _ranks(cell.view(np.float32).astype(float))
        bins = dense
        if len(values) > 2 * BINS:
            bins = np.minimum((ranks + 1) * BINS / 2, BINS - 1).astype(np.int64)
        return ColumnCells(codes, known, dense, ranks, bins)


def copies_of(sample: RowSample | None, sampled: Sequence[tuple[str, Kind]]) -> dict[str, int]:
    """Returns, by column, the rows that equal an earlier row in everything but that column."""
    if sample is None or len(sampled) < LEAST_COLUMNS:
        return {}
    places = np.arange(1, len(sample.cells) + 1, dtype=np.uint64)[:, None]
    mixed: Array = (sample.cells.view(np.uint32) + places) * _ODD
    mixed = (mixed ^ (mixed >> np.uint64(29))) * _ODD
    whole = mixed.sum(axis=0, dtype=np.uint64)
    rest = np.sort(whole - mixed, axis=1)
    equal = (rest[:, 1:] == rest[:, :-1]).sum(axis=1)
    return {name: int(count) for (name, _), count in zip(sampled, equal, strict=True)}


def _ranks(numbers: Array) -> Array:
    missing = np.isnan(numbers)
    found = np.zeros(len(numbers))
    present = numbers[~missing]
    if len(present):
        _, place, count = np.unique(present, return_inverse=True, return_counts=True)
        middle = (np.cumsum(count) - count / 2) / len(present)
        found[~missing] = 2 * middle[place] - 1
    return found
