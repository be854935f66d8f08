"""How far a column moved, by hand and by scipy."""

from __future__ import annotations

import pytest

from dvtool.quality.datadiff.shifts import shifts
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.model import Profile
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table


def profile(tmp_path, rows: list[str], head: str = "v") -> Profile:
    path = tmp_path / "t.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    with Engine() as engine:
        return profile_table(engine, open_table(engine, path, name="t.csv"))


def one(tmp_path, before: list[str], now: list[str]):
    (shift,) = shifts(profile(tmp_path, before), profile(tmp_path, now))
    return shift


def test_the_same_values_have_not_moved(tmp_path):
    assert one(tmp_path, ["1", "2", "3"], ["3", "2", "1", "1", "2", "3"]).moved == pytest.approx(0)


def test_categories_move_by_half_the_difference_of_shares(tmp_path):
    # a: 3/4 -> 1/4, b: 1/4 -> 1/4, c: 0 -> 1/2
    shift = one(tmp_path, ["a", "a", "a", "b"], ["a", "b", "c", "c"])

    assert shift.moved == pytest.approx(0.5)


def test_what_is_missing_is_told_apart_from_what_moved(tmp_path):
    before = profile(tmp_path, ["1,x", "2,x", "1,x", "2,x"], "v,w")
    now = profile(tmp_path, ["1,x", "2,x", ",x", ",x"], "v,w")

    shift = next(each for each in shifts(before, now) if each.column == "v")

    assert shift.moved == pytest.approx(0)
    assert shift.missing == pytest.approx(0.5)
    assert shift.weight == pytest.approx(0.5)


def test_numbers_move_as_far_as_their_distribution_functions_are_apart(tmp_path):
    import numpy as np
    from scipy.stats import ks_2samp

    random = np.random.default_rng(7)
    a, b = random.normal(0, 1, 4000), random.normal(0.7, 1.5, 3000)

    shift = one(tmp_path, [repr(float(x)) for x in a], [repr(float(x)) for x in b])

    assert shift.moved == pytest.approx(ks_2samp(a, b).statistic, abs=0.02)


def test_columns_of_another_kind_are_not_compared(tmp_path):
    assert one(tmp_path, ["1", "2"], ["x", "y"]).moved is None


def test_what_moved_most_comes_first(tmp_path):
    before = profile(tmp_path, ["1,a,5", "2,b,6", "3,c,7", "4,d,8"], "p,q,r")
    now = profile(tmp_path, ["1,z,5", "2,y,6", "3,c,9", "4,d,9"], "p,q,r")

    assert [each.column for each in shifts(before, now)][-1] == "p"
