"""Metrics of whole rows: how many there are, how many came before, how many come twice.

Here lives what samples of rows say about each other. What is not here: columns (`columns`) and
relations between them (`pairs`). Called by `memory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.arrays import member, union
from dvtool.quality.history.portrait import Portrait
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.profile.rowsample import MOST_ROWS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

ROWS = Metric("", "rows", "", Scale.AMOUNT)
REPEATED = Metric("", "repeated-rows", "", Scale.SHARE)
SEEN = Metric("", "rows-seen-before", "", Scale.SHARE)
SEEN_UNDATED = Metric("", "rows-seen-before-but-for-dates", "", Scale.SHARE)
LATEST = Metric("", "rows-of-the-last-version", "", Scale.SHARE)
KEPT = Metric("", "rows-kept", "", Scale.SHARE)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


class _Seen:
    """The hashes of all rows so far, below the bound that all samples share."""

    def __init__(self) -> None:
        self.known = np.empty(0, np.uint64)
        self.latest = np.empty(0, np.uint64)
        self.bound = _ALL
        self.started = False

    def learn(self, hashes: Array) -> None:
        self.bound = min(self.bound, _bound(hashes))
        self.known = union(self.known, hashes)
        self.latest = hashes
        self.started = True


class RowMemory:
    """The rows of the past, and their metrics in every earlier version."""

    def __init__(self, sheet: Sheet, past: Sequence[Portrait]) -> None:
        self._rows, self._undated = _Seen(), _Seen()
        for at, one in enumerate(past):
            if not one.is_whole:
                continue  # its history starts anew later
            self.mark(sheet, at, one)
            if one.sample is not None and one.rows:
                self._rows.learn(one.sample.hashes)
                self._undated.learn(one.sample.undated)

    def mark(self, sheet: Sheet, at: int, one: Portrait) -> None:
        """Writes down the metrics of one version."""
        sheet.amount(ROWS, at, one.rows, floor=0.005)
        sample = one.sample
        if sample is None or not one.rows:
            return
        counts = sample.counts.astype(float)
        rows = min(one.rows, counts.sum())
        sheet.share(REPEATED, at, float((counts - 1).sum() / counts.sum()) * rows, rows)
        _mark_seen(sheet, at, SEEN, sample.hashes, counts, self._rows, self._rows.known)
        _mark_seen(sheet, at, LATEST, sample.hashes, counts, self._rows, self._rows.latest)
        undated = sample.undated_counts.astype(float)
        _mark_seen(
            sheet, at, SEEN_UNDATED, sample.undated, undated, self._undated, self._undated.known
        )
        earlier = self._rows.latest[self._rows.latest <= _bound(sample.hashes)]
        if self._rows.started and len(earlier):
            kept = member(earlier, sample.hashes).sum()
            sheet.share(KEPT, at, float(kept), len(earlier))


def _mark_seen(  # noqa: PLR0917 one call looks like the next
    sheet: Sheet,
    at: int,
    metric: Metric,
    hashes: Array,
    counts: Array,
    seen: _Seen,
    known: Array,
) -> None:
    held = hashes <= min(seen.bound, _bound(hashes))
    if seen.started and held.any():
        met = held & member(hashes, known)
        sheet.share(metric, at, counts[met].sum(), counts[held].sum())


def _bound(hashes: Array) -> np.uint64:
    return np.uint64(hashes[-1]) if len(hashes) >= MOST_ROWS else _ALL
