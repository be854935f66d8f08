"""Bounds: their spellings, and what lies inside."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.errors import InvalidText
from dvtool.quality.checks.bounds import Bound, parse_bound

numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def bounds(draw):
    percent = draw(st.booleans())
    low, high = draw(numbers), draw(numbers)
    shape = draw(st.sampled_from(["both", "low", "high"]))
    if shape == "both":
        return Bound(min(low, high), max(low, high), percent=percent)
    is_open = draw(st.booleans())
    if shape == "low":
        return Bound(low=low, low_open=is_open, percent=percent)
    return Bound(high=high, high_open=is_open, percent=percent)


@given(bounds())
def test_a_bound_reads_back_as_it_was_written(bound):
    assert parse_bound(str(bound)) == bound


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("30..45", [30, 37.5, 45], [29.999, 45.001, math.nan]),
        (">= 3", [3, 10**30], [2.999]),
        ("> 3", [3.001], [3]),
        ("<=1%", [1, 0], [1.01]),
        ("< 1", [0.999], [1, math.inf]),
        ("-10%..+50%", [-10, 50], [-10.1, 51]),
        ("-5..-2", [-5, -2], [-1]),
    ],
)
def test_ends_belong_to_a_bound_unless_it_is_open(text, inside, outside):
    bound = parse_bound(text)

    assert [one for one in inside if not bound.holds(one)] == []
    assert [one for one in outside if bound.holds(one)] == []


@pytest.mark.parametrize(
    "text", ["", "5", "3..", "..3", "5..3", "1%..2", "=> 3", "<= x", "1...2", ">= 1e9999", "nan..1"]
)
def test_other_spellings_are_refused(text):
    with pytest.raises(InvalidText):
        parse_bound(text)


def test_percent_is_of_the_total_and_nothing_of_nothing_is_zero():
    bound = parse_bound("<= 1%")

    assert bound.holds_count(1, 100)
    assert not bound.holds_count(2, 100)
    assert bound.holds_count(0, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<= 0", "0"),
        ("<= 1%", "at most 1%"),
        ("30..45", "30 to 45"),
        ("> 3", "more than 3"),
        ("5..5", "5"),
    ],
)
def test_messages_say_bounds_in_words(text, words):
    assert parse_bound(text).words() == words
