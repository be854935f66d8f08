"""Values never seen: which of a version's values no earlier one has, as far as sketches can tell.

Here lives what is remembered of the different values of a column, as hashes, and how many witnesses the
rows of a version are. What is not here: values that are frequent (`columns`, which calls it).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dvtool.quality.history.arrays import member
from dvtool.quality.history.portrait import FULL
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.strips import Strip, numbers
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_KNOWN = 1 << 14
"""Values remembered of a column; of more, those with the smallest hashes, and new ones likewise."""
_NONE = np.empty(0, np.uint64)


class _Values:
    """The different values of a column's versions, end to end; of those that have any.

    Args:
        column: All of its versions.

    Attributes:
        kept: Which of them have values, by place.
        hashes: Of the values, rising within a version.
        sizes: How many values each has.
        versions: Which of `kept` each value is of.
        thetas: Of each of `kept`; hashes from there on are not told.
    """

    def __init__(self, column: Strip) -> None:
        found = [
            (at, one.values)
            for at, one in enumerate(column.ones)
            if one.values is not None and one.nulls < one.rows
        ]
        self._sets = [one for _, one in found]
        self.kept = np.array([at for at, _ in found], int)
        self.strip = column.only(self.kept)
        self.hashes = np.concatenate([_NONE, *(one.hashes for one in self._sets)])
        self.sizes = np.array([len(one.hashes) for one in self._sets], int)
        self.versions = np.arange(len(found)).repeat(self.sizes)
        self.thetas = numbers([one.theta for one in self._sets])
        self.is_counted = np.array([one.counts is not None for one in self._sets], bool)

    def __len__(self) -> int:
        return len(self._sets)

    @cached_property
    def counts(self) -> Array:
        """Rows of each value, 1 where only the values are known."""
        own = (
            np.ones(len(one.hashes), np.int64) if one.counts is None else one.counts
            for one in self._sets
        )
        return np.concatenate([np.empty(0, np.int64), *own])

    def sums(self, weights: Array, chosen: Array) -> Array:
        """Returns the sum of the weights of chosen values, whole numbers, by version."""
        totals = np.append(0, np.cumsum(weights * chosen))
        bounds = np.append(0, np.cumsum(self.sizes))
        found: Array = np.diff(totals[bounds]).astype(float)
        return found


class News(NamedTuple):
    """What is new in each of a column's versions.

    Args:
        values: Of these versions.
        is_new: Whether no version before has a value.
        thetas: Of all versions before each: what lies beyond may have been seen and forgotten.
        start: Versions before this one have nothing before them.
    """

    values: _Values
    is_new: Array
    thetas: Array
    start: int

    def mark(self, sheet: Sheet, name: str) -> None:
        """Writes down the rows whose value is new, as far as both sides would tell."""
        values = self.values
        bounds = np.minimum(self.thetas, values.thetas)
        held = values.hashes < bounds[values.versions]
        total = values.sums(values.counts, held)
        told = np.flatnonzero((np.arange(len(values)) >= self.start) & (total > 0))
        if not len(told):
            return
        share = values.sums(values.counts, held & self.is_new)[told] / total[told]
        strip = values.strip.only(told)
        rows = np.where(values.is_counted[told], strip.present, total[told])
        metric = Metric(name, "new-values", "", Scale.SHARE, True)
        sheet.share(metric, strip.places, share * rows, rows)

    def witnesses(self, column: Strip) -> Array:
        """Returns how many independent witnesses of how texts look a row is, at most 1.

        Where most values are new, as those of days and orders are, rows of one value came together.

        Args:
            column: The versions, those without values among them.
        """
        found, values = np.ones(len(column)), self.values
        come = values.is_counted & np.array(
            [one.kind is Kind.TEXT for one in values.strip.ones], bool
        )
        come[: self.start] = False
        if not come.any():
            return found
        is_new = self.is_new | (values.hashes >= self.thetas[values.versions])
        new = values.sums(values.counts, is_new)
        different = values.sums(np.ones(1, int), is_new)
        present = values.strip.present
        come &= new > present / 2
        found[values.kept[come]] = ((present - new + different) / present)[come]
        return found


@dataclass(frozen=True, slots=True)
class Novelty:
    """The values that any version of a column's past has.

    Args:
        known: Their hashes, rising, below `theta`.
        theta: What lies beyond may have been seen and forgotten.
        started: Whether any version had values.
    """

    known: Array
    theta: float
    started: bool

    def of(self, column: Strip) -> News:
        """Returns what is new in a version that is no part of the past."""
        values = _Values(column)
        is_new = ~member(values.hashes, self.known)
        return News(values, is_new, np.full(len(values), self.theta), 0 if self.started else 1)


def learnt(past: Strip) -> tuple[Novelty, News]:
    """Returns the values of a past, oldest first, and what was new in each of its versions."""
    values = _Values(past)
    is_new, places = _firsts(values.hashes)
    thetas = _thetas(values, places)
    theta, known = float(thetas[-1]), values.hashes[places]
    if theta != FULL:
        known = known[: known.searchsorted(theta)]
    return Novelty(known, theta, len(values) > 0), News(values, is_new, thetas[:-1], 1)


def _firsts(hashes: Array) -> tuple[Array, Array]:
    """Returns which hashes are not met before, and their places, by rising hash."""
    is_first = np.zeros(len(hashes), bool)
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    places = order[np.append(True, ordered[1:] != ordered[:-1])] if len(order) else order
    is_first[places] = True
    return is_first, places


def _thetas(values: _Values, places: Array) -> Array:
    """Returns up to which hash the versions before each, and those before the next, tell all.

    Args:
        values: Of the past.
        places: Of the different ones, by rising hash.
    """
    theta, found = FULL, [FULL]
    if len(places) <= MOST_KNOWN:
        return np.minimum.accumulate(np.append(theta, values.thetas))
    hashes, first = values.hashes[places], values.versions[places]
    for at, own in enumerate(values.thetas.tolist()):
        seen = hashes[first <= at]
        theta = min(theta, own)
        if len(seen) > MOST_KNOWN:
            theta = min(theta, float(seen[MOST_KNOWN]))
        found.append(theta)
    return np.array(found)
