"""Faults that somebody else put into real series are named often and falsely seldom."""

from __future__ import annotations

import pytest

from tests.quality.drift.fault_matrix import FITTING, NAMED, SERIES, UNNAMED, matrix

pytestmark = [pytest.mark.slow, pytest.mark.shared]


@pytest.mark.skipif(not SERIES.is_dir(), reason="the real series are not beside this checkout")
def test_labelled_corruptions_are_named_often_and_falsely_seldom() -> None:
    found = matrix(batches=1)

    right = sum(found[name][code] for name in NAMED for code in FITTING[name])
    named = sum(found[name].total() - found[name]["none"] for name in NAMED)
    asked = sum(found[name].total() for name in NAMED)
    blamed = sum(found[name].total() - found[name]["none"] for name in UNNAMED)
    print(f"{right} right of {named} named and {asked} asked; {blamed} blamed falsely")
    assert right >= 0.85 * asked
    assert right >= 0.95 * named
    assert blamed <= 0.05 * sum(found[name].total() for name in UNNAMED)
