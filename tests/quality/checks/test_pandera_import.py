"""pandera schemas as checks of our own."""

from __future__ import annotations

import re

import pandas as pd
import pandera.pandas as pa
import pytest

from dvtool.errors import InvalidText
from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.model import ChecksFile, ColumnSpec, RuleSpec
from dvtool.quality.checks.pandera_import import from_pandera, whole_pattern
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.writing import dump
from dvtool.quality.kinds import Kind


def test_what_has_a_word_is_converted():
    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(int, unique=True),
            "age": pa.Column(float, pa.Check.in_range(0, 120), nullable=True),
            "state": pa.Column(str, [pa.Check.isin(["KA", "MH"]), pa.Check.str_length(1, 2)]),
            "at": pa.Column(
                "datetime64[ns]", pa.Check.ge(pd.Timestamp("2026-01-01")), required=False
            ),
            "x": pa.Column(float, pa.Check.gt(0)),
        },
        strict=True,
        unique=["id", "at"],
    )

    found = from_pandera(schema)

    spec = found.spec
    assert found.lost == ()
    none = Bound(high=0)
    assert spec.columns == (
        ColumnSpec("id", type=Kind.INT, nulls=none, unique=True),
        ColumnSpec("age", type=Kind.FLOAT, min=0, max=120),
        ColumnSpec("state", type=Kind.TEXT, nulls=none, allowed=("KA", "MH"), length=Bound(1, 2)),
        ColumnSpec("at", type=Kind.DATETIME, nulls=none, min="2026-01-01T00:00:00", optional=True),
        ColumnSpec("x", type=Kind.FLOAT, nulls=none),
    )
    assert spec.rules == (RuleSpec('"x" > 0'),)
    assert (spec.key, spec.other_columns) == (("id", "at"), "fail")


def test_the_result_is_a_checks_file():
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.ge(0))})

    spec = from_pandera(schema).spec

    assert parse_checks(dump(ChecksFile((spec,)))).tables[0] == spec


def test_each_line_says_what_the_schema_does():
    schema = pa.DataFrameSchema(
        {
            "a": pa.Column(int, pa.Check.ge(0), unique=True, description="steps"),
            "b": pa.Column(float, pa.Check.gt(0), nullable=True, required=False),
        },
        strict=True,
        unique=["a", "b"],
    )

    found = from_pandera(schema)

    assert dump(ChecksFile((found.spec,)), comments=found.reasons) == (
        "columns:\n"
        "  # int64; not nullable; unique; greater_than_or_equal_to(0) (steps)\n"
        "  a: {type: int, min: 0, nulls: '<= 0', unique: true}\n"
        "  # float64; nullable; not required; greater_than(0)\n"
        "  b: {type: float, optional: true}\n"
        "# unique=['a', 'b']\n"
        "key: [a, b]\n"
        "rules:\n"
        "  # b: greater_than(0)\n"
        "  - {sql: '\"b\" > 0'}\n"
        "# strict=True\n"
        "other_columns: fail\n"
    )


def test_what_has_no_word_is_named():
    schema = pa.DataFrameSchema(
        {
            "a": pa.Column(int, pa.Check(lambda values: values.sum() > 3, name="total")),
            "b": pa.Column(str, pa.Check.str_matches("(?=x)")),
            "c_.*": pa.Column(int, regex=True),
        },
        checks=pa.Check(lambda frame: len(frame) > 3, name="long"),
        index=pa.Index(int),
    )

    assert from_pandera(schema).lost == (
        "a: check total",
        "b: check str_matches('(?=x)')",
        "columns matching c_.*",
        "check long of the whole table",
        "the index",
    )


@pytest.mark.parametrize("pattern", ["^a+$", "a", "^ab", "a|b", "x$|y", r"\d{2}", "a$"])
@pytest.mark.parametrize("text", ["a", "ab", "aa", "b", "ba", "12", "123", "x", "y", "xy", ""])
def test_a_pattern_for_the_start_becomes_one_for_the_whole(engine, pattern, text):
    whole = whole_pattern(pattern)
    ((ours,),) = engine.rows("SELECT regexp_full_match(?, ?)", [text, whole])

    assert ours is bool(re.match(pattern, text))


def test_a_schema_without_columns_is_nothing_to_convert():
    with pytest.raises(InvalidText, match="no column"):
        from_pandera(pa.DataFrameSchema({}))
