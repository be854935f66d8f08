"""Metrics of texts: what they look like, and shapes never seen.

Here lives what is remembered of the looks of a text column, and what is measured of a version
against it. What is not here: lengths (`curves`) and values (`columns`, which calls it).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, sqrt
from typing import Any

from dvtool.quality.history.portrait import ColumnPortrait
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.profile.patterns import CLASSES, Patterns

MOST_SHAPES = 4


class TextMemory:
    """The shapes that a column usually has, and those that it ever had."""

    def __init__(self, name: str, past: Sequence[ColumnPortrait | None]) -> None:
        self._name = name
        self._usual = _usual_shapes(past)
        self._known: set[Any] = set()

    def learn(self, one: ColumnPortrait) -> None:
        """Remembers the shapes of a version."""
        patterns = _patterns(one)
        if patterns is not None:
            self._known |= set(patterns.shapes.counts)

    def mark(self, sheet: Sheet, at: int, one: ColumnPortrait, weight: float = 1.0) -> None:
        """Writes down the metrics of one version, in which a row is `weight` of a witness."""
        patterns = _patterns(one)
        n, name = one.present * weight, self._name
        if patterns is None or not n:
            return
        for what, count in (
            ("blank", patterns.blank),
            ("padded", patterns.padded),
            ("numeric", patterns.numeric),
            ("upper-case", patterns.upper),
            ("lower-case", patterns.lower),
        ):
            sheet.share(Metric(name, what, "", Scale.SHARE), at, count * weight, n)
        characters = sum(patterns.classes)
        for label, count in zip(CLASSES, patterns.classes, strict=True):
            share = (count + 0.375) / (characters + 0.75)
            figure = asin(sqrt(min(share, 1.0)))
            # Characters of one text go together: as many independent draws as texts.
            sheet.value(Metric(name, "characters", label), at, figure, 1 / (4 * n), floor=1e-3)
        shapes = patterns.shapes.counts
        for shape in self._usual:
            metric = Metric(name, "shape", str(shape), Scale.SHARE)
            sheet.share(metric, at, shapes.get(shape, 0) * weight, n)
        if self._known:
            strange = sum(count for key, count in shapes.items() if key not in self._known)
            metric = Metric(name, "new-shapes", "", Scale.SHARE, True)
            sheet.share(metric, at, min(strange * weight, n), n)


class FormMemory:
    """The ways in which the values of a column that is no text have been written."""

    def __init__(self, name: str, past: Sequence[ColumnPortrait | None]) -> None:
        self._name = name
        self._known: set[Any] = set()
        total: dict[Any, float] = {}
        for one in past:
            forms = None if one is None else one.forms
            for key, count in forms.top(20) if forms is not None else ():
                total[key] = total.get(key, 0.0) + count / max(forms.total if forms else 1, 1)
        self._usual = sorted(total, key=lambda key: -total[key])[:MOST_SHAPES]

    def learn(self, one: ColumnPortrait) -> None:
        """Remembers the forms of a version."""
        self._known |= set(one.forms.counts if one.forms is not None else ())

    def mark(self, sheet: Sheet, at: int, one: ColumnPortrait, _: float = 1.0) -> None:
        """Writes down the metrics of one version."""
        forms, name = one.forms, self._name
        if forms is None or not forms.total:
            return
        for form in self._usual:
            metric = Metric(name, "form", str(form), Scale.SHARE)
            sheet.share(metric, at, forms.counts.get(form, 0), forms.total)
        if self._known:
            strange = sum(count for key, count in forms.counts.items() if key not in self._known)
            sheet.share(Metric(name, "new-forms", "", Scale.SHARE, True), at, strange, forms.total)


def _patterns(one: ColumnPortrait) -> Patterns | None:
    return one.patterns


def _usual_shapes(past: Sequence[ColumnPortrait | None]) -> list[Any]:
    total: dict[Any, float] = {}
    for one in past:
        patterns = None if one is None else _patterns(one)
        if one is None or patterns is None or not one.present:
            continue
        for key, count in patterns.shapes.top(20):
            total[key] = total.get(key, 0.0) + count / one.present
    return sorted(total, key=lambda key: -total[key])[:MOST_SHAPES]
