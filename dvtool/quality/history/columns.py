"""Metrics of any column: missing values, different values, shares of values, values never seen.

Here lives what a column's past is remembered by, and what is measured of versions against it. What
is not here: values never seen (`novelty`), numbers (`curves`), texts (`texts`), whole rows (`rows`),
relations between columns (`pairs`), and what is expected (`scores`). Called by `memory`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.arrays import member
from dvtool.quality.history.curves import CurveMemory
from dvtool.quality.history.novelty import News, learnt
from dvtool.quality.history.portrait import ColumnPortrait
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.strips import Strip, numbers
from dvtool.quality.history.surges import Listed, Surges
from dvtool.quality.history.texts import FormMemory, TextMemory
from dvtool.quality.history.ticks import Ticks
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_SHARES = 12
LEAST_SHARE = 0.005
MOST_OF = 0.6
_KEY = 0.95
"""Share of different values from which on a column is like a key."""
_CHANCE_OF_FEW = 0.1
"""Variance that chance gives the logarithm of a number of different values, times that number."""


class ColumnMemory:
    """What is remembered of one column, and its metrics in every earlier version.

    Args:
        sheet: Takes the past's metrics.
        name: The column.
        past: Its versions, oldest first, those that can be compared.
    """

    def __init__(self, sheet: Sheet, name: str, past: Strip) -> None:
        self._name = name
        listed = Listed(past)
        usual = _usual_values(listed)
        self._usual = listed.values(usual)
        self._usual_metrics = tuple(
            Metric(name, "share-of", str(key), Scale.SHARE) for key in self._usual
        )
        self._surges = Surges(listed)
        self._novelty, news = learnt(past)
        self._is_key = _is_key(past)
        self._closed = _closed_set(past)
        self._ticks = Ticks.of(name, past.ones)
        kinds = {one.kind for one in past.ones if one.present}
        is_text = Kind.TEXT in kinds
        self._texts: TextMemory | FormMemory = (TextMemory if is_text else FormMemory)(name, past)
        curved = bool(kinds - {Kind.BOOL, Kind.OTHER})
        self._curve = CurveMemory(name, past, is_text=is_text) if curved else None
        shares = listed.of(usual)
        self._mark(sheet, past, news, shares, self._surges.past, is_past=True)

    def mark(self, sheet: Sheet, one: ColumnPortrait) -> None:
        """Writes down the metrics of a version that is not part of the past."""
        strip = Strip([one], np.zeros(1, int), 1)
        known = one.shares.known() if self._usual else {}
        shares = numbers([known.get(key, 0.0) for key in self._usual])[:, None]
        rise = np.array([self._surges.of(one)])
        self._mark(sheet, strip, self._novelty.of(strip), shares, rise, is_past=False)

    def _mark(
        self,
        sheet: Sheet,
        strip: Strip,
        news: News,
        shares: Array,
        rises: Array,
        *,
        is_past: bool,
    ) -> None:
        name = self._name
        sheet.share(Metric(name, "missing", "", Scale.SHARE), strip.at, strip.nulls, strip.rows)
        unparsed = Metric(name, "unparsed", "", Scale.SHARE, True)
        sheet.share(unparsed, strip.at, strip.unparsed, strip.rows)
        weights = news.witnesses(strip)
        self._texts.mark(sheet, strip, weights, is_past=is_past)
        if self._ticks is not None:
            self._ticks.mark(sheet, strip, is_past=is_past)
            return
        self._distinct(sheet, strip)
        news.mark(sheet, name)
        self._replaced(sheet, news)
        self._shares(sheet, strip, shares)
        # The largest rise of one value above the most that it had *earlier*.
        surge = Metric(name, "surge", "", Scale.VALUE, True)
        sampling = 1 / (4 * np.maximum(strip.rows, 1))
        sheet.value(surge, strip.at, np.where(strip.rows > 0, rises, np.nan), sampling, floor=0.01)
        if self._curve is not None:
            self._curve.mark(sheet, strip, weights, is_past=is_past)

    def edge(self, metric: Metric) -> float | None:
        """Returns the value that a metric of places counts up to, None for another metric."""
        return self._curve.edge(metric.about) if self._curve is not None else None

    def _shares(self, sheet: Sheet, strip: Strip, shares: Array) -> None:
        """Writes down shares of the values that were frequent, and of all others together."""
        if not self._usual:
            return
        counts = shares * strip.rows
        sheet.shares(self._usual_metrics, strip.at, counts, strip.rows)
        rest = strip.present
        for count in counts:
            rest = rest - count
        metric = Metric(self._name, "share-of-rest", "", Scale.SHARE)
        sheet.share(metric, strip.at, np.maximum(rest, 0.0), strip.rows)

    def _distinct(self, sheet: Sheet, strip: Strip) -> None:
        """Writes down how many different values there are, and how often values repeat."""
        told = strip.where(one.distinct is not None and one.nulls < one.rows for one in strip.ones)
        if not len(told):
            return
        name, present = self._name, told.present
        distinct = numbers([one.distinct or 0 for one in told.ones])
        errors = numbers([one.distinct_error for one in told.ones])
        is_exact = errors == 0
        floors = np.where(is_exact, 0.01, errors / 2)
        if not self._is_key:
            metric = Metric(name, "distinct", "", Scale.AMOUNT)
            few = _CHANCE_OF_FEW / (distinct + 1)
            sheet.amount(metric, told.at, distinct, floor=float(floors.max()), variance=few)
        exact = np.where(is_exact, present, 0)
        repeats = Metric(name, "repeats", "", Scale.SHARE)
        sheet.share(repeats, told.at, np.maximum(present - distinct, 0), exact)
        if not is_exact.all():
            ratio = np.where(is_exact, np.nan, np.minimum(distinct / present, 1.0))
            metric = Metric(name, "repeats-ratio", "", Scale.AMOUNT)
            sheet.amount(metric, told.at, ratio, floor=float(floors[~is_exact].max()) / 2)

    def _replaced(self, sheet: Sheet, news: News) -> None:
        """Writes down the values that stand in for others, where all versions had the same ones."""
        closed, values = self._closed, news.values
        if closed is None or not len(values):
            return
        same = np.bincount(values.versions[member(values.hashes, closed)], minlength=len(values))
        new = np.bincount(values.versions, minlength=len(values)) - same
        metric = Metric(self._name, "replaced-values", "", Scale.SHARE, True)
        # A value that came and one that went are two witnesses.
        count, rows = 2 * np.minimum(new, len(closed) - same), np.full(len(new), 2 * len(closed))
        sheet.share(metric, values.strip.places, count, rows)


def _is_key(past: Strip) -> bool:
    """Tells whether values hardly ever repeat: then their number is that of the rows."""
    seen = [one for one in past.ones if one.present]
    return bool(seen) and all((one.distinct or 0) >= _KEY * one.present for one in seen)


def _closed_set(past: Strip) -> Array | None:
    """Returns the values of a column that has had the same ones in every version, else None."""
    sets = [one.values for one in past.ones if one.present]
    first = sets[0] if sets else None
    if len(sets) < 3 or first is None or len(first.hashes) < 3:
        return None
    for one in sets:
        if one is None or one.counts is None or not np.array_equal(one.hashes, first.hashes):
            return None
    return first.hashes


def _usual_values(listed: Listed) -> Array:
    """Returns the places of frequent values that most versions have; a day's date is none."""
    times, total = listed.times(), listed.means()
    usual = np.flatnonzero((times > MOST_OF * listed.versions) & (total >= LEAST_SHARE))
    found: Array = usual[np.argsort(-total[usual], kind="stable")][:MOST_SHARES]
    return found
