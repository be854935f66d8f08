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
from dvtool.quality.history.sheet import ALL, Metric, Scale, Sheet, Where
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
        self._metrics: list[Metric] = []
        if not self.is_growing:
            return
        figures = sheet.figures()
        adds = [at for at, metric in enumerate(figures.metrics) if _adds(metric)]
        self._metrics = [figures.metrics[at] for at in adds]
        counts, rows = figures.k[:, adds].T, figures.n[:, adds].T
        self._before = counts[:, -1], rows[:, -1]
        _mark_counts(sheet, slice(1, None), self._metrics, counts, rows)
        for at, (old, new) in enumerate(itertools.pairwise(past), start=1):
            _mark_means(sheet, at, _sums(old), _sums(new))

    def mark(self, sheet: Sheet, one: Portrait) -> None:
        """Writes down the metrics of what a version adds to the latest of the past."""
        if not self.is_growing or one.rows - self._rows < LEAST_ADDED:
            return
        figures = sheet.figures()
        now = dict(zip(figures.metrics, zip(figures.k[0], figures.n[0], strict=True), strict=True))
        none = np.nan, np.nan
        found = np.array([now.get(metric, none) for metric in self._metrics]).reshape(-1, 2).T
        counts, rows = (np.stack(both, axis=1) for both in zip(self._before, found, strict=True))
        _mark_counts(sheet, ALL, self._metrics, counts, rows)
        _mark_means(sheet, 0, self._sums, _sums(one))


def _is_growing(sheet: Sheet, past: Sequence[Portrait]) -> bool:
    """Tells whether most versions keep the rows of the one before and add some."""
    kept = sheet.counts(KEPT)
    rows = np.array([one.rows for one in past], float)
    if kept is None or len(past) < LEAST_ADDED:
        return False
    added = np.diff(rows)
    keeps = kept[0][1:] / kept[1][1:]
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


def _mark_counts(
    sheet: Sheet, at: Where, metrics: Sequence[Metric], counts: Array, rows: Array
) -> None:
    """Writes down the counts of added rows.

    Args:
        sheet: Takes them.
        at: The versions that added rows.
        metrics: Of whole versions.
        counts: Shape (metrics, versions), the version before the first of `at` included.
        rows: Behind the counts.
    """
    if not metrics:
        return
    added = np.diff(rows, axis=1)
    is_first = np.array([metric.name in _FIRST_SEEN for metric in metrics])
    count = counts[:, 1:] - np.where(is_first[:, None], 0, counts[:, :-1])
    bounded = np.minimum(np.maximum(count, 0.0), added)
    enough = np.where((added >= LEAST_ADDED) & np.isfinite(count), added, 0.0)
    own = tuple(metric._replace(name=PREFIX + metric.name) for metric in metrics)
    sheet.shares(own, at, bounded, enough)


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
