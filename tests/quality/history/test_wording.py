"""What history says of an odd figure, in the words of the column's own values."""

from __future__ import annotations

from math import asin, nan, sqrt

import pytest

from dvtool.quality.history.scores import Score
from dvtool.quality.history.sheet import Metric, Scale
from dvtool.quality.history.wording import sentence


def told(name: str, edge: float | None) -> str:
    metric = Metric("a", name, "0.10", Scale.SHARE)
    expected, spread = asin(sqrt(0.9)), 0.02
    score = Score(metric, 9.0, asin(sqrt(0.5)), expected, spread, "mean", nan, 4.0)
    return sentence(score, None, 12, edge)


@pytest.mark.parametrize(
    ("name", "edge", "words"),
    [
        ("length-at-most", 7.0, "50.0% of the texts have at most 7 characters"),
        ("length-below", 12.5, "50.0% of the texts have fewer than 12.5 characters"),
        ("value-at-most", 1234.5678, "50.0% of the values are at most 1,235"),
        ("value-below", 0.25, "50.0% of the values are below 0.25"),
        ("added-value-below", 0.25, "50.0% of the values are below 0.25 in the added rows"),
    ],
)
def test_places_are_told_by_the_value_they_end_at(name: str, edge: float, words: str) -> None:
    assert told(name, edge) == f"{words}, expected 86.7% to 92.9% from 12 versions"


def test_other_shares_need_no_value() -> None:
    assert told("missing", None).startswith("50.0% of the values are missing, expected")
