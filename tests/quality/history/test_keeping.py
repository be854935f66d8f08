"""A remembered past as bytes: it says the same, and reading it makes nothing else."""

from __future__ import annotations

import os
import pickle

import pytest

from dvtool.quality.history.judging import History
from dvtool.quality.history.keeping import recalled, remembered

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
