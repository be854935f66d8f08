"""Checks as a pandera schema: it accepts what SQL accepts, and refuses what SQL refuses."""

from __future__ import annotations

import json

import pandas as pd
import pandera.errors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.pandera_export import pandera_source
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


def schema_of(spec, *, name="t.csv"):
    """Returns the schema that the text defines."""
    made = {}
    exec(pandera_source(spec, name=name, source="t.checks.yaml").text, made)
    return made["schema"]


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
        schema_of(spec).validate(_frame(cells), lazy=True)
        accepts = True
    except pandera.errors.SchemaErrors as error:
        accepts = False
        reasons = {one.reason_code.name for one in error.schema_errors}
        assert "CHECK_ERROR" not in reasons  # a check that raises would look like a refusal

    assert accepts is (not found), (found, text)


def test_a_missing_column_is_refused_unless_optional():
    schema = schema_of(parse_checks("columns: {a: {type: int}, b: {optional: true}}").tables[0])

    schema.validate(pd.DataFrame({"a": [1]}))
    with pytest.raises(pandera.errors.SchemaError):
        schema.validate(pd.DataFrame({"b": [1]}))


def test_what_pandera_cannot_say_is_named():
    text = (
        "columns: {a: {in_table: 'b.csv:c', type: time, severity: warn}, b: {matches: '\\pL+'}}\n"
        "rules: [{sql: a > 1}]\nrows: {change: '>= 0%'}\nschema_change: warn"
    )

    found = pandera_source(parse_checks(text).tables[0], name="t.csv", source="t.checks.yaml")

    lost = ["a.in_table", "a.severity", "a.type", "b.matches", "rules", "rows.change"]
    assert list(found.lost) == [*lost, "schema_change"]
    assert "\n- b.matches\n- rules\n" in found.text


def test_the_text_is_python_that_people_can_read():
    text = "columns: {age: {type: int, max: 120, nulls: '<= 1%'}}\nkey: [age]"

    found = pandera_source(parse_checks(text).tables[0], name="t.csv", source="t.checks.yaml")

    assert (
        found.text
        == '''"""pandera schema of t.csv, written by dvtool from t.checks.yaml."""

import pandera.pandas as pa


def percent(count, total):
    """Returns a share in percent; nothing of nothing is 0."""
    return 100 * count / total if total else 0.0


schema = pa.DataFrameSchema(
    columns={
        'age': pa.Column(
            'Int64',
            checks=[
                pa.Check.le(120),
                pa.Check(lambda values: percent(int(values.isna().sum()), len(values)) <= 1, name='nulls', ignore_na=False),
            ],
            nullable=True,
            required=True,
            coerce=True,
        ),
    },
    checks=[
        pa.Check(lambda frame: not frame.duplicated(subset=['age']).any() and not frame[['age']].isna().any(axis=None), name='key', ignore_na=False),
    ],
    strict=False,
)
'''
    )


def test_names_cannot_break_out_of_the_text():
    name = 'a"""\'\n\\'
    spec = parse_checks(f"columns: {{{json.dumps(name)}: {{type: int}}}}").tables[0]

    schema_of(spec, name=name).validate(pd.DataFrame({name: [1]}))
