"""Checks as a pandera schema: it accepts what SQL accepts, and refuses what SQL refuses."""

from __future__ import annotations

import pandas as pd
import pandera.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.pandera_export import not_exported, to_pandera
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.tables.engine import Engine

from .conftest import table_of

KINDS = {"n": "int", "x": "float", "t": "text"}
KEYS = {
    "n": ["min: 0", "max: 5", "in: [0, 1, 2, 3]", "nulls: 0", "nulls: '<= 40%'", "unique: true",
          "distinct: '<= 3'", "mean: 0..3", "median: '>= 1'", "order: increasing",
          "order: strictly-decreasing", "quantiles: {0.25: 0..2}"],
    "x": ["min: 0.5", "max: 4", "nulls: 1", "unique: true", "std: '<= 2'", "mean: '> 0'"],
    "t": ["in: [a, b]", "matches: '[a-c]+'", "length: 1..2", "nulls: 0", "unique: true",
          "distinct: 2", "shares: {a: '>= 30%'}"],
}  # fmt: skip
CELLS = {
    "n": st.sampled_from(["", "0", "1", "2", "3", "6", "-1"]),
    "x": st.sampled_from(["", "0.5", "0.25", "3.0", "4.5"]),
    "t": st.sampled_from(["", "a", "b", "ab", "abc", "d"]),
}
rows = st.lists(st.tuples(*CELLS.values()), min_size=2, max_size=8)


@st.composite
def texts(draw):
    entries = []
    for name, keys in KEYS.items():
        chosen = draw(
            st.lists(st.sampled_from(keys), max_size=2, unique_by=lambda k: k.split(":")[0])
        )
        entries.append(f"{name}: {{{', '.join([f'type: {KINDS[name]}', *chosen])}}}")
    key = draw(st.sampled_from(["", "\nkey: n", "\nkey: [n, t]", "\nrows: {min: 3, max: 6}"]))
    return f"columns: {{{', '.join(entries)}}}{key}"


@pytest.fixture(scope="module")
def one_engine():
    with Engine(threads=1) as engine:
        yield engine


def _frame(cells):
    columns = list(zip(*cells, strict=True))
    return pd.DataFrame(
        {
            "n": pd.array([int(one) if one else None for one in columns[0]], dtype="Int64"),
            "x": [float(one) if one else None for one in columns[1]],
            "t": pd.array([one or None for one in columns[2]], dtype="string"),
        }
    )


@settings(max_examples=50, deadline=None)
@given(cells=rows, text=texts())
def test_pandera_and_sql_give_one_answer_about_random_tables(one_engine, cells, text):
    spec = parse_checks(text).tables[0]
    found = evaluate(one_engine, table_of(one_engine, KINDS, cells), spec, source="c")
    if any("no values" in one.message or "too few" in one.message for one in found):
        return

    try:
        to_pandera(spec).validate(_frame(cells), lazy=True)
        accepts = True
    except pandera.errors.SchemaErrors as error:
        accepts = False
        reasons = {one.reason_code.name for one in error.schema_errors}
        assert "CHECK_ERROR" not in reasons  # a check that raises would look like a refusal

    assert accepts is (not found), (found, text)


def test_a_missing_column_is_refused_unless_optional():
    schema = to_pandera(parse_checks("columns: {a: {type: int}, b: {optional: true}}").tables[0])

    schema.validate(pd.DataFrame({"a": [1]}))
    with pytest.raises(pandera.errors.SchemaError):
        schema.validate(pd.DataFrame({"b": [1]}))


def test_what_pandera_cannot_say_is_named():
    text = "columns: {a: {in_table: 'b.csv:c', type: time}}\nrules: [{sql: a > 1}]\nrows: {change: '>= 0%'}"

    lost = not_exported(parse_checks(text).tables[0])

    assert set(lost) == {"a.in_table", "a.type", "rules", "rows.change"}
