"""Metrics of any column: missing values, different values, shares of values, values never seen.

Here lives what a column's past is remembered by, and what is measured of a version against it. What
is not here: numbers (`curves`), texts (`texts`), whole rows (`rows`), relations between columns
(`pairs`), and what is expected (`scores`). Called by `memory`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.arrays import inserted, member
from dvtool.quality.history.curves import CurveMemory
from dvtool.quality.history.portrait import FULL, ColumnPortrait, ValueSet
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.surges import Surges
from dvtool.quality.history.texts import FormMemory, TextMemory
from dvtool.quality.history.ticks import Ticks
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_SHARES = 12
LEAST_SHARE = 0.005
MOST_KNOWN = 1 << 14
"""Values remembered of a column; of more, those with the smallest hashes, and new ones likewise."""
MOST_OF = 0.6
_KEY = 0.95
"""Share of different values from which on a column is like a key."""
_CHANCE_OF_FEW = 0.1
"""Variance that chance gives the logarithm of a number of different values, times that number."""

Past = Sequence[ColumnPortrait | None]


class ColumnMemory:
    """What is remembered of one column, and its metrics in every earlier version.

    Args:
        sheet: Takes the past's metrics.
        name: The column.
        past: Its portraits, oldest first; None where a version lacks it or has it in a kind that
            cannot be compared.
    """

    def __init__(self, sheet: Sheet, name: str, past: Past) -> None:
        self._name = name
        self._usual = _usual_values(past)
        self._surges = Surges(past)
        self._known = np.empty(0, np.uint64)
        self._news: tuple[ValueSet, Array] | None = None
        self._theta = FULL
        self._started = False
        self._is_key = _is_key(past)
        self._closed = _closed_set(past)
        self._ticks = Ticks.of(name, past)
        kinds = {one.kind for one in past if one is not None and one.present}
        is_text = Kind.TEXT in kinds
        self._texts: TextMemory | FormMemory = (TextMemory if is_text else FormMemory)(name, past)
        curved = bool(kinds - {Kind.BOOL, Kind.OTHER})
        self._curve = CurveMemory(name, past, is_text=is_text) if curved else None
        for at, one in enumerate(past):
            if one is not None:
                self._mark(sheet, at, one, past_at=at)
                self._learn(one)

    def mark(self, sheet: Sheet, one: ColumnPortrait) -> None:
        """Writes down the metrics of a version that is not part of the past."""
        self._mark(sheet, 0, one, past_at=None)

    def _mark(self, sheet: Sheet, at: int, one: ColumnPortrait, *, past_at: int | None) -> None:
        name, rows = self._name, one.rows
        sheet.share(Metric(name, "missing", "", Scale.SHARE), at, one.nulls, rows)
        unparsed = one.unparsed
        sheet.share(Metric(name, "unparsed", "", Scale.SHARE, True), at, unparsed, rows)
        weight = self._witnesses(one)
        self._texts.mark(sheet, at, one, weight)
        if self._ticks is not None:
            self._ticks.mark(sheet, at, one)
            return
        if one.present:
            _distinct(sheet, name, at, one, as_amount=not self._is_key)
            self._new_values(sheet, at, one)
            self._replaced(sheet, at, one)
        if rows:
            self._shares(sheet, at, one)
            self._surge(sheet, at, one, past_at)
        if self._curve is not None:
            self._curve.mark(sheet, at, one, past_at, weight)

    def _witnesses(self, one: ColumnPortrait) -> float:
        """Returns how many independent witnesses of how texts look a row is, at most 1.

        Where most values are new, as those of days and orders are, rows of one value came together.
        """
        values = one.values
        if one.kind is not Kind.TEXT or values is None or values.counts is None:
            return 1.0
        is_new = ~member(values.hashes, self._known)
        new = float(values.counts[is_new].sum())
        if not self._started or new <= one.present / 2:
            return 1.0
        return (one.present - new + float(is_new.sum())) / one.present

    def edge(self, metric: Metric) -> float | None:
        """Returns the value that a metric of places counts up to, None for another metric."""
        return self._curve.edge(metric.about) if self._curve is not None else None

    def mark_copies(self, sheet: Sheet, at: int, count: int, rows: int) -> None:
        """Writes down the rows that are copies of others in everything but this column."""
        metric = Metric(self._name, "copies-but-for", "", Scale.SHARE, True)
        sheet.share(metric, at, count, rows)

    def _shares(self, sheet: Sheet, at: int, one: ColumnPortrait) -> None:
        """Writes down shares of the values that were frequent, and of all others together."""
        rows, rest = one.rows, float(one.present)
        for key in self._usual:
            count = one.shares.get(key, 0.0) * rows
            rest -= count
            sheet.share(Metric(self._name, "share-of", str(key), Scale.SHARE), at, count, rows)
        if self._usual:
            metric = Metric(self._name, "share-of-rest", "", Scale.SHARE)
            sheet.share(metric, at, max(rest, 0.0), rows)

    def _surge(self, sheet: Sheet, at: int, one: ColumnPortrait, past_at: int | None) -> None:
        """Writes down the largest rise of one value above the most that it had *earlier*."""
        rise = self._surges.of(one, past_at)
        if rise is not None:
            metric = Metric(self._name, "surge", "", Scale.VALUE, True)
            sheet.value(metric, at, rise, 1 / (4 * one.rows), floor=0.01)

    def _new_values(self, sheet: Sheet, at: int, one: ColumnPortrait) -> None:
        """Writes down the rows whose value no earlier version has, as far as sketches can tell."""
        values = one.values
        if values is None or not self._started:
            return
        # Hashes rise: those that both sides would hold come first.
        held = int(values.hashes.searchsorted(min(self._theta, values.theta)))
        counts = np.ones(held) if values.counts is None else values.counts[:held]
        if not held:
            return
        is_new = self._is_new(values)[:held]
        share = float(counts[is_new].sum() / counts.sum())
        rows = float(one.present if values.counts is not None else counts.sum())
        metric = Metric(self._name, "new-values", "", Scale.SHARE, True)
        sheet.share(metric, at, share * rows, rows)

    def _replaced(self, sheet: Sheet, at: int, one: ColumnPortrait) -> None:
        """Writes down the values that stand in for others, where all versions had the same ones."""
        values = one.values
        if self._closed is None or values is None:
            return
        new = len(values.hashes) - int(member(values.hashes, self._closed).sum())
        gone = len(self._closed) - (len(values.hashes) - new)
        metric = Metric(self._name, "replaced-values", "", Scale.SHARE, True)
        # A value that came and one that went are two witnesses.
        sheet.share(metric, at, 2 * min(new, gone), 2 * len(self._closed))

    def _is_new(self, values: ValueSet) -> Array:
        """Returns which values no earlier version has; worked out once a version."""
        if self._news is None or self._news[0] is not values:
            self._news = values, ~member(values.hashes, self._known)
        return self._news[1]

    def _learn(self, one: ColumnPortrait) -> None:
        values = one.values
        self._texts.learn(one)
        if self._ticks is not None:
            self._ticks.learn(one)
        if values is None or not one.present:
            return
        self._started = True
        self._theta = min(self._theta, values.theta)
        known = inserted(self._known, values.hashes[self._is_new(values)])
        self._news = None
        if len(known) > MOST_KNOWN:
            self._theta = min(self._theta, float(known[MOST_KNOWN]))
        self._known = known if self._theta == FULL else known[: known.searchsorted(self._theta)]


def _is_key(past: Past) -> bool:
    """Tells whether values hardly ever repeat: then their number is that of the rows."""
    seen = [one for one in past if one is not None and one.present]
    return bool(seen) and all((one.distinct or 0) >= _KEY * one.present for one in seen)


def _distinct(sheet: Sheet, name: str, at: int, one: ColumnPortrait, *, as_amount: bool) -> None:
    distinct = one.distinct
    if distinct is None:
        return
    is_exact = one.distinct_error == 0
    floor = 0.01 if is_exact else one.distinct_error / 2
    few = _CHANCE_OF_FEW / (distinct + 1)
    if as_amount:
        metric = Metric(name, "distinct", "", Scale.AMOUNT)
        sheet.amount(metric, at, distinct, floor=floor, variance=few)
    if is_exact:
        repeats = Metric(name, "repeats", "", Scale.SHARE)
        sheet.share(repeats, at, max(one.present - distinct, 0), one.present)
    else:
        ratio = Metric(name, "repeats-ratio", "", Scale.AMOUNT)
        sheet.amount(ratio, at, min(distinct / one.present, 1.0), floor=floor / 2)


def _closed_set(past: Past) -> Array | None:
    """Returns the values of a column that has had the same ones in every version, else None."""
    sets = [one.values for one in past if one is not None and one.present]
    first = sets[0] if sets else None
    if len(sets) < 3 or first is None or len(first.hashes) < 3:
        return None
    for one in sets:
        if one is None or one.counts is None or not np.array_equal(one.hashes, first.hashes):
            return None
    return first.hashes


def _usual_values(past: Past) -> list[Any]:
    """Returns frequent values that most versions have; a day's date is none."""
    seen = [one.shares for one in past if one is not None and one.shares]
    times = Counter(chain.from_iterable(seen))
    often = [key for key, found in times.items() if found > MOST_OF * len(seen)]
    total = {key: sum(one.get(key, 0.0) / len(seen) for one in seen) for key in often}
    usual = [key for key in often if total[key] >= LEAST_SHARE]
    return sorted(usual, key=lambda key: -total[key])[:MOST_SHARES]
