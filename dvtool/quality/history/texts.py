"""Metrics of texts: what they look like, and shapes never seen.

Here lives what is remembered of the looks of a text column, and what is measured of versions
against it. What is not here: lengths (`curves`) and values (`columns`, which calls it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.strips import Strip, numbers
from dvtool.quality.profile.patterns import CLASSES, Patterns
from dvtool.quality.profile.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

MOST_SHAPES = 4
_LOOKS = ("blank", "padded", "numeric", "upper-case", "lower-case")


class TextMemory:
    """The shapes that a column usually has, and those that it ever had."""

    def __init__(self, name: str, past: Strip) -> None:
        usual = _usual(
            (one.patterns.shapes, one.present)
            for one in past.ones
            if one.patterns is not None and one.present
        )
        self._looks = tuple(Metric(name, what, "", Scale.SHARE) for what in _LOOKS)
        self._classes = tuple(Metric(name, "characters", label) for label in CLASSES)
        self._shapes = _Seen(name, "shape", "new-shapes", usual)

    def mark(self, sheet: Sheet, strip: Strip, weights: Array, *, is_past: bool) -> None:
        """Writes down the metrics of versions, in which a row is `weights` of a witness.

        Args:
            sheet: Takes them.
            strip: The versions.
            weights: One for each of them.
            is_past: Whether these are the past, of which shapes are learnt.
        """
        places = [at for at, one in enumerate(strip.ones) if one.patterns is not None]
        told, weights = strip.only(np.array(places, int)), weights[places]
        patterns = [one.patterns for one in told.ones if one.patterns is not None]
        rows = told.present * weights
        if not len(told):
            return
        sheet.shares(self._looks, told.at, _looks(patterns).T * weights, rows)
        classes = numbers([one.classes for one in patterns])
        share = (classes + 0.375) / (classes.sum(axis=1, keepdims=True) + 0.75)
        figures = np.arcsin(np.sqrt(np.minimum(share, 1.0))).T
        # Characters of one text go together: as many independent draws as texts.
        sampling = np.divide(1, 4 * rows, out=np.full(len(rows), np.nan), where=rows > 0)
        sheet.values(self._classes, told.at, figures, sampling, floor=1e-3)
        shapes = [one.shapes.counts for one in patterns]
        self._shapes.mark(sheet, told, shapes, rows, weights=weights, is_past=is_past)


class FormMemory:
    """The ways in which the values of a column that is no text have been written."""

    def __init__(self, name: str, past: Strip) -> None:
        usual = _usual(
            (one.forms, max(one.forms.total, 1)) for one in past.ones if one.forms is not None
        )
        self._forms = _Seen(name, "form", "new-forms", usual)

    def mark(self, sheet: Sheet, strip: Strip, _: Array, *, is_past: bool) -> None:
        """Writes down the metrics of versions; learns the forms of a past."""
        told = strip.where(one.forms is not None for one in strip.ones)
        forms = [one.forms for one in told.ones if one.forms is not None]
        if not forms:
            return
        rows = numbers([one.total for one in forms])
        counts = [one.counts for one in forms]
        self._forms.mark(sheet, told, counts, rows, weights=np.ones(len(rows)), is_past=is_past)


class _Seen:
    """Shapes or forms: the usual ones, and all that any version had."""

    def __init__(self, name: str, one: str, new: str, usual: Sequence[Any]) -> None:
        self._usual = usual
        self._metrics = tuple(Metric(name, one, str(each), Scale.SHARE) for each in usual)
        self._new = Metric(name, new, "", Scale.SHARE, True)
        self._known: set[Any] = set()

    def mark(
        self,
        sheet: Sheet,
        told: Strip,
        seen: Sequence[Mapping[Any, int]],
        rows: Array,
        *,
        weights: Array,
        is_past: bool,
    ) -> None:
        if self._usual:
            counts = numbers([[one.get(each, 0) for one in seen] for each in self._usual])
            sheet.shares(self._metrics, told.at, counts * weights, rows)
        strange = []
        for one in seen:
            is_first = not self._known
            new = one.keys() - self._known
            strange.append(np.nan if is_first else float(sum(map(one.__getitem__, new))))
            if is_past:
                self._known |= new
        several = ~np.isnan(strange)
        if several.any():
            count = np.minimum(numbers(strange) * weights, rows)
            sheet.share(self._new, told.at, count, np.where(several, rows, 0))


def _looks(patterns: Sequence[Patterns]) -> Array:
    return numbers([(one.blank, one.padded, one.numeric, one.upper, one.lower) for one in patterns])


def _usual(tallies: Iterable[tuple[Tally, int]]) -> list[Any]:
    """Returns what has the largest mean share, of (tally, rows) pairs."""
    total: dict[Any, float] = {}
    for tally, rows in tallies:
        for key, count in tally.top(20):
            total[key] = total.get(key, 0.0) + count / rows
    return sorted(total, key=lambda key: -total[key])[:MOST_SHAPES]
