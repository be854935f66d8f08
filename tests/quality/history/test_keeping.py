"""Remembered pasts and portraits as bytes: they say the same, and reading them makes nothing else."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.quality.history.judging import History
from dvtool.quality.history.keeping import kept_portrait, known_portrait, recalled, remembered
from dvtool.quality.history.version import Remembered, Version
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

from .conftest import sales


@pytest.fixture
def history(version):
    return History([version(f"day {at}", sales(at)) for at in range(8)])


def test_a_recalled_past_says_the_same(version, history):
    spoilt = sales(8)
    spoilt["price"] = spoilt["price"] * 100
    del spoilt["amount"]
    one = version("next", spoilt)

    again = recalled(remembered(history))

    assert again is not None
    assert again.judge(one) == history.judge(one)
    assert again.is_proven == history.is_proven
    assert {f.code for f in again.judge(one).findings} == {
        "history-column-removed",
        "unlike-history",
    }


class _Trap:
    def __reduce__(self):
        return os.mkdir, ("trap",)


@pytest.mark.parametrize("data", [b"", b"no pickle", pickle.dumps([1]), pickle.dumps(_Trap())])
def test_other_bytes_are_no_past_and_do_nothing(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert recalled(data) is None
    assert os.listdir(tmp_path) == []


def test_half_a_past_is_none(history):
    data = remembered(history)

    assert recalled(data[: len(data) // 2]) is None


POOL = 10
COLUMNS = (
    "id",
    "day",
    "region",
    "code",
    "kind",
    "price",
    "amount",
    "noise",
    "name",
    "secret",
    "load",
)


@cache
def pool() -> tuple[Version, ...]:
    """Returns versions of one table with every kind of column; the last two are spoilt."""
    found = []
    with TemporaryDirectory() as folder, Engine(scratch=Path(folder), threads=1) as engine:
        for at in range(POOL + 2):
            rng = np.random.default_rng(at)
            columns = sales(at, 1200)  # more different values than a tally lists
            columns["noise"] = rng.normal(size=1200)
            columns["name"] = [f"Name {at * 900 + row}" for row in range(1200)]
            columns["secret"] = [None if row % 7 else f"s{row}" for row in range(1200)]
            columns["load"] = np.full(1200, at)
            if at >= POOL:
                columns["price"] = columns["price"] * (100 if at == POOL else 1)
                columns["region"] = [one.upper() for one in columns["region"]]
            path = Path(folder) / f"{at}.parquet"
            pq.write_table(pa.table(columns), path)
            table = open_table(engine, path, name=path.name)
            privacy = {"secret": Privacy.PRIVATE, "kind": Privacy.PUBLIC}
            found.append(Version(f"v{at}", profile_table(engine, table, privacy=privacy)))
    return tuple(found)


@cache
def kept(at: int) -> bytes:
    """Returns what a clone keeps of one version of the pool, written once."""
    return kept_portrait(pool()[at].portrait)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(0, POOL - 1), min_size=1, max_size=9),
    st.lists(
        st.frozensets(st.sampled_from((*COLUMNS, "", "*")), max_size=2), min_size=9, max_size=9
    ),
)
def test_any_past_of_kept_portraits_answers_as_one_learnt_from_profiles(order, resets):
    """Versions added, removed, put in another order or twice, some of them a new normal."""
    versions = [
        replace(pool()[at], name=f"{place}", resets=reset)
        for place, (at, reset) in enumerate(zip(order, resets, strict=False))
    ]
    known = [
        Remembered(known_portrait(kept(at), f"{place}"), reset)
        for place, (at, reset) in enumerate(zip(order, resets, strict=False))
    ]
    scratch, quick = History(versions), History(known)
    twice = recalled(remembered(quick))

    for one in pool()[-3:]:
        assert quick.judge(one) == scratch.judge(one)
        assert twice.judge(one) == scratch.judge(one)
    assert (quick.is_proven, quick.versions) == (scratch.is_proven, scratch.versions)


def test_the_pool_of_versions_holds_what_the_law_is_about():
    spoilt = History(pool()[:POOL]).judge(pool()[-2])

    assert {"price", "region"} <= set(spoilt.columns)


@pytest.mark.parametrize("data", [b"", b"no pickle", pickle.dumps([1]), pickle.dumps(_Trap())])
def test_other_bytes_are_no_portrait_and_do_nothing(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert known_portrait(data, "x") is None
    assert os.listdir(tmp_path) == []


def test_a_portrait_whose_numbers_are_not_those_of_its_columns_is_none():
    rows, *rest = pickle.loads(kept(0))
    rest[-1] = rest[-1][:-1]

    assert known_portrait(pickle.dumps((rows, *rest)), "x") is None
