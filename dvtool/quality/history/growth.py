"""Growth: what was added from one version to the next, judged by itself where data grow by rows.

Counts and sums of two versions differ by those of the rows between them, so the added rows are judged
from stored profiles alone. What is not here: the metrics of whole versions, which are read from
their sheet. Called by `memory`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from dvtool.quality.history.arrays import middle
from dvtool.quality.history.portrait import Portrait
from dvtool.quality.history.rows import KEPT
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.moments import Moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

PREFIX: Final = "added-"
LEAST_ADDED: Final = 5
"""Fewer added rows say nothing by themselves."""
_STEADY: Final = 0.8
_KEEPS: Final = 0.95
_MOST_ADDED: Final = 0.5
"""Where most rows are new, the whole says it."""
_COUNTED: Final = frozenset(
    {"missing", "unparsed", "share-of", "share-of-rest", "zeros", "negatives", "wholes"}
    | {"not-finite", "blank", "padded", "numeric", "upper-case", "lower-case", "shape", "form"}
)
"""Counts of a version that are those of the one before, plus those of the added rows."""
_FIRST_SEEN: Final = frozenset(
    {"new-values", "new-shapes", "new-forms", "value-above-all", "value-under-all"}
    | {"length-above-all", "length-under-all"}
)
"""Counts of what no earlier version had: all of it is in added rows."""


class Growth:
    """The added rows of a past that grows, as metrics of their own.

    Args:
        sheet: The past's metrics, which those of the added rows are written to.
        past: Oldest first.
    """

    def __init__(self, sheet: Sheet, past: Sequence[Portrait]) -> None:
        self._rows = past[-1].rows
        self._sums = _sums(past[-1])
        self.is_growing = _is_growing(sheet, past)
        self._before: dict[Metric, Array] = {}
        if not self.is_growing:
            return
        counted = {metric: marks.copy() for metric, marks in sheet.marks.items() if _adds(metric)}
        for at, (old, new) in enumerate(itertools.pairwise(past), start=1):
            for metric, marks in counted.items():
                _mark_count(sheet, at, metric, marks[at - 1], marks[at])
            _mark_means(sheet, at, _sums(old), _sums(new))
        self._before = {metric: marks[-1] for metric, marks in counted.items()}

    def mark(self, sheet: Sheet, one: Portrait) -> None:
        """Writes down the metrics of what a version adds to the latest of the past."""
        if not self.is_growing or one.rows - self._rows < LEAST_ADDED:
            return
        for metric, before in self._before.items():
            now = sheet.marks.get(metric)
            if now is not None:
                _mark_count(sheet, 0, metric, before, now[0].copy())
        _mark_means(sheet, 0, self._sums, _sums(one))


def _is_growing(sheet: Sheet, past: Sequence[Portrait]) -> bool:
    """Tells whether most versions keep the rows of the one before and add some."""
    kept = sheet.marks.get(KEPT)
    rows = np.array([one.rows for one in past], float)
    if kept is None or len(past) < LEAST_ADDED:
        return False
    added = np.diff(rows)
    keeps = kept[1:, 2] / kept[1:, 3]
    keeps = keeps[np.isfinite(keeps)]
    return (
        len(keeps) > 0
        and float(middle(keeps)) >= _KEEPS
        and float((added >= LEAST_ADDED).mean()) >= _STEADY
        and float(middle(added / rows[1:])) <= _MOST_ADDED
    )


def _adds(metric: Metric) -> bool:
    names = _COUNTED | _FIRST_SEEN
    return bool(metric.column) and metric.scale is Scale.SHARE and metric.name in names


def _mark_count(sheet: Sheet, at: int, metric: Metric, before: Array, now: Array) -> None:
    added = now[3] - before[3]
    if not added >= LEAST_ADDED:
        return
    is_first = metric.name in _FIRST_SEEN
    count = now[2] if is_first else now[2] - before[2]
    if np.isfinite(count):
        own = metric._replace(name=PREFIX + metric.name)
        sheet.share(own, at, float(min(max(count, 0.0), added)), float(added))


def _sums(one: Portrait) -> dict[str, tuple[Kind, Moments]]:
    """Returns the moments of numbers and of lengths of texts, by column."""
    return {
        name: (column.kind, column.moments)
        for name, column in one.columns.items()
        if column.moments is not None
    }


def _mark_means(
    sheet: Sheet,
    at: int,
    before: Mapping[str, tuple[Kind, Moments]],
    now: Mapping[str, tuple[Kind, Moments]],
) -> None:
    for name, (kind, new) in now.items():
        was, old = before.get(name, (None, new))
        added = new.n - old.n
        if was is not kind or added < LEAST_ADDED or old.n < LEAST_ADDED:
            continue
        mean = (new.n * new.mean - old.n * old.mean) / added
        between = old.n * added / new.n * (mean - old.mean) ** 2
        squares = max(new.m2 - old.m2 - between, 0.0)
        metric = Metric(name, f"{PREFIX}mean-{'length' if kind is Kind.TEXT else 'value'}")
        floor = max(0.03 * (old.std or 0.0), 1e-9 * abs(old.mean), 1e-12)
        sheet.value(metric, at, mean, squares / added**2, floor=floor)
