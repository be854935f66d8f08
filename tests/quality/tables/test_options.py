"""Read options as plain values, and back."""

from __future__ import annotations

import pytest

from dvtool.errors import InvalidText
from dvtool.quality.tables.endings import is_table
from dvtool.quality.tables.options import NAMES, NULLS, ReadOptions

FULL = ReadOptions(
    format="csv",
    delimiter="\t",
    quote="'",
    escape="\\",
    encoding="cp1252",
    header=False,
    skip=2,
    decimal=",",
    thousands=".",
    nulls=("-",),
    types=(("a", "int"), ("b", "date")),
    dates=(("b", "%d.%m.%Y"),),
    sheet="May",
    compression="gzip",
)


@pytest.mark.parametrize("options", [ReadOptions(), FULL, ReadOptions(quote="", escape="")])
def test_options_survive_the_way_to_plain_values_and_back(options):
    assert ReadOptions.from_mapping(options.to_mapping()) == options


@pytest.mark.parametrize("told", [{"nulls": ["-"]}, {"header": True, "types": {"a": "text"}}])
def test_what_is_stated_without_a_format_is_told_as_it_was(told):
    options = ReadOptions.from_mapping(told)

    assert options.to_mapping() == told
    assert options.told == set(told)
    assert ReadOptions.from_mapping({"format": "csv"}).told == NAMES


def test_only_what_differs_from_the_defaults_is_told():
    assert ReadOptions(delimiter=";").to_mapping() == {"format": "csv", "delimiter": ";"}


@pytest.mark.parametrize("key", sorted(NAMES))
def test_a_key_with_a_letter_missing_is_refused_and_the_right_one_named(key):
    with pytest.raises(InvalidText, match=f"did you mean {key}"):
        ReadOptions.from_mapping({key[:-1]: ""})


@pytest.mark.parametrize(
    "told",
    [
        {"format": "xls"},
        {"delimiter": ""},
        {"delimiter": ",,"},
        {"header": "yes"},
        {"skip": -1},
        {"skip": True},
        {"decimal": ";"},
        {"nulls": "NA"},
        {"types": {"a": "integer"}},
        {"types": ["a"]},
        {"encoding": 8},
        {"compression": "zip"},
        {"encoding": "no-such-code"},
    ],
)
def test_a_value_that_a_key_does_not_allow_is_refused(told):
    with pytest.raises(InvalidText, match=next(iter(told))):
        ReadOptions.from_mapping(told)


def test_the_list_of_missing_words_is_the_documented_one():
    assert set(NULLS) == {
        "", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("a.csv", True),
        ("a.CSV.GZ", True),
        ("a.tsv.zst", True),
        ("a.jsonl", True),
        ("a.parquet", True),
        ("a.feather", True),
        ("a.xlsx", True),
        ("a.parquet.gz", False),
        ("a.png", False),
        ("csv", False),
        ("a.gz", False),
    ],
)
def test_a_name_tells_whether_it_is_a_table(name, answer):
    assert is_table(name) is answer
