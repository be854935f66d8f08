"""What is worked out for all versions at once is what each version alone, and a plain loop, would give."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.quality.history import novelty
from dvtool.quality.history.arrays import middle
from dvtool.quality.history.memory import Memory
from dvtool.quality.history.novelty import learnt
from dvtool.quality.history.portrait import FULL, ColumnPortrait, Shares, ValueSet
from dvtool.quality.history.predictors import NAMES, predictions
from dvtool.quality.history.sheet import ALL, Metric, Scale, Sheet
from dvtool.quality.history.strips import Strip
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.moments import Moments
from dvtool.quality.profile.privacy import Privacy

from .conftest import sales

FIGURE = st.one_of(st.none(), st.floats(-100, 100))


def told_by(name: str, past: list[float | None]) -> float | None:
    """Returns what a predictor says after a past, worked out one figure after the other."""
    known = [one for one in past if one is not None]
    if name == "mean":
        return mean(known) if known else None
    if name == "last":
        return known[-1] if known else None
    if name == "smoothed":
        level = known[0] if known else None
        for one in known[1:]:
            level = 0.6 * level + 0.4 * one
        return level
    if name.startswith("lag"):
        lag = int(name.removeprefix("lag "))
        places = [len(past) - lag * times for times in (1, 2, 3)]
        back = [past[at] for at in places if at >= 0 and past[at] is not None]
        return mean(back) if back and len(past) > 2 * lag else None
    steps: list[float | None] = []
    for at in range(1, len(past)):
        before = [one for one in past[:at] if one is not None]
        one = past[at]
        steps.append(one - before[-1] if before and one is not None else None)
    lately = [one for one in (steps if name == "trend" else steps[-8:]) if one is not None]
    if len(steps) < 2 or not lately:
        return None
    return known[-1] + (mean(lately) if name == "trend" else median(lately))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(FIGURE, FIGURE), min_size=1, max_size=24))
def test_predictions_of_many_metrics_are_those_of_a_loop(rows):
    found = predictions(np.array(rows, float))

    for metric in (0, 1):
        past = [row[metric] for row in rows]
        for place, name in enumerate(NAMES):
            for at in range(len(rows) + 1):
                expected = told_by(name, past[:at])
                expected = np.nan if expected is None else expected
                assert found[place, at, metric] == pytest.approx(expected, nan_ok=True, abs=1e-9)


def column(hashes: set[int], *, theta: float = FULL, counts: bool = True) -> ColumnPortrait:
    """Returns a column of texts, each of its values in two rows."""
    values = np.array(sorted(hashes), np.uint64)
    known = ValueSet(values, np.full(len(values), 2) if counts else None, theta)
    empty = np.empty(0)
    return ColumnPortrait(
        "c",
        Kind.TEXT,
        Privacy.PUBLIC,
        2 * len(hashes),
        0,
        0,
        float(len(hashes)),
        0.0,
        Moments(),
        None,
        None,
        empty,
        None,
        empty,
        None,
        known,
        Shares([], empty),
        None,
        None,
        {},
    )


SETS = st.lists(st.sets(st.integers(1, 60), max_size=12), min_size=2, max_size=8)


@settings(max_examples=150, deadline=None)
@given(SETS, st.integers(3, 20), st.booleans())
def test_new_values_are_those_that_no_set_before_holds(sets, most, counts):
    """Also where more values come than are remembered: then of the smallest ones."""
    kept, novelty.MOST_KNOWN = novelty.MOST_KNOWN, most
    try:
        strip = Strip.of([column(one, counts=counts) for one in sets])
        (_, news), sheet = learnt(strip), Sheet(len(sets))
        news.mark(sheet, "c")
    finally:
        novelty.MOST_KNOWN = kept
    metric = Metric("c", "new-values", "", Scale.SHARE, True)
    written = sheet.counts(metric) or np.full((2, len(sets)), np.nan)
    seen: set[int] = set()
    bound, started = 1 << 62, False
    for at, one in enumerate(sets):
        held = {value for value in one if value < bound}
        share = len(held - seen) / len(held) if held else 0.0
        rows = (2 * len(one) if counts else len(held)) if held and started else np.nan
        assert written[1][at] == pytest.approx(rows, nan_ok=True)
        assert written[0][at] == pytest.approx(share * rows, nan_ok=True)
        seen |= one
        started = started or len(one) > 0
        if len(seen) > most:
            bound = min(bound, sorted(seen)[most])


@settings(max_examples=50, deadline=None)
@given(SETS)
def test_a_version_meets_the_same_past_alone_as_within_it(sets):
    lined = [column(one) for one in sets]
    together, alone = Sheet(len(sets)), Sheet(1)
    _, news = learnt(Strip.of(lined))
    news.mark(together, "c")
    before, _ = learnt(Strip.of(lined[:-1]))
    before.of(Strip(lined[-1:], np.zeros(1, int), 1)).mark(alone, "c")

    metric = Metric("c", "new-values", "", Scale.SHARE, True)
    inside, outside = together.counts(metric), alone.counts(metric)
    if outside is None:
        assert inside is None or np.isnan(inside[0][-1])
    else:
        assert inside is not None
        assert [one[-1] for one in inside] == [one[0] for one in outside]


def test_a_strip_keeps_the_places_of_the_versions_that_have_a_column():
    ones = [column({1}), None, column({2, 3}), replace(column({4}), nulls=2)]

    strip = Strip.of(ones)

    assert strip.places.tolist() == [0, 2, 3]
    assert strip.present.tolist() == [2, 4, 0]
    assert strip.where(one.present > 0 for one in strip.ones).places.tolist() == [0, 2]


def test_a_sheet_orders_metrics_by_the_first_version_that_has_them_part_by_part():
    sheet = Sheet(3)
    sheet.share(Metric("a", "late", "", Scale.SHARE), np.array([1, 2]), np.ones(2), np.ones(2))
    sheet.value(Metric("a", "early"), ALL, np.array([1.0, np.nan, 2.0]), np.ones(3), floor=0.1)
    sheet.value(Metric("a", "never"), ALL, np.full(3, np.nan), np.ones(3), floor=0.1)
    sheet.part += 1
    sheet.share(Metric("b", "whole", "", Scale.SHARE), 0, 3, 4)
    sheet.share(Metric("b", "none", "", Scale.SHARE), 1, 0, 0)

    found = sheet.figures()

    assert [one.name for one in found.metrics] == ["early", "late", "whole"]
    assert found.y[:, 0] == pytest.approx([1, np.nan, 2], nan_ok=True)
    assert found.k[:, 1] == pytest.approx([np.nan, 1, 1], nan_ok=True)
    assert found.n[:, 2] == pytest.approx([4, np.nan, np.nan], nan_ok=True)
    assert found.y[0, 2] == pytest.approx(np.arcsin(np.sqrt(3.375 / 4.75)))


@given(st.lists(st.lists(FIGURE, min_size=2, max_size=2), min_size=1, max_size=9))
def test_the_middle_is_the_median_of_what_is_there(rows):
    expected = [
        median(known) if (known := [row[at] for row in rows if row[at] is not None]) else np.nan
        for at in (0, 1)
    ]
    values = np.array(rows, float)

    assert middle(values) == pytest.approx(expected, nan_ok=True)
    assert float(middle(values[:, 0])) == pytest.approx(expected[0], nan_ok=True)


BY_EARLIER = {"new-values", "new-shapes", "new-forms", "surge", "out-of-step", "carried-over"} | {
    "strange-pairs",
    "rows-seen-before",
    "rows-seen-before-but-for-dates",
    "rows-of-the-last-version",
    "rows-kept",
    "value-above-all",
    "value-under-all",
    "length-above-all",
    "length-under-all",
}
"""Metrics that hold a version against those before it: of a past, fewer than of the next version."""


def test_a_version_of_the_past_has_the_figures_that_it_has_alone(version):
    past = [version(f"day {at}", sales(at)).portrait for at in range(6)]
    memory = Memory(past)

    within = memory.sheet.figures()

    compared = 0
    for at, one in enumerate(past):
        alone = memory.measure(one).figures()
        places = {metric: place for place, metric in enumerate(alone.metrics)}
        for place, metric in enumerate(within.metrics):
            if metric.name in BY_EARLIER or np.isnan(within.y[at, place]):
                continue
            own = places[metric]
            assert within.y[at, place] == alone.y[0, own], metric
            assert within.v[at, place] == alone.v[0, own], metric
            compared += 1
    assert compared > 6 * 60
