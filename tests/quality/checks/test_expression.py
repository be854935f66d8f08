"""Rules in SQL: what they may be, and what they count."""

from __future__ import annotations

import pytest

from dvtool.errors import InvalidText
from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.expression import check_expression
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.findings import Outcome

COLUMNS = ("a", "b", "Name", "tags")


@pytest.mark.parametrize(
    ("sql", "used"),
    [
        ("a <= b", ("a", "b")),
        ("a BETWEEN 1 AND 2 OR b IS NULL", ("a", "b")),
        ("CASE WHEN a > 1 THEN b ELSE a END > 0", ("a", "b")),
        ("name LIKE 'x%' AND regexp_matches(Name, '[0-9]')", ("Name",)),
        ("coalesce(a, 0) + CAST(b AS DOUBLE) > 1e3", ("a", "b")),
        ("a IN (1, 2) -- a comment", ("a",)),
        ("len(list_filter(tags, lambda x: x > a)) = 0", ("tags", "a")),
        ("list_sum([x + 1 for x in tags]) > 0", ("tags",)),
        ("date_trunc('day', a) = DATE '2026-01-01'", ("a",)),
        ("true", ()),
    ],
)
def test_an_expression_over_a_row_is_accepted_and_names_its_columns(engine, sql, used):
    assert set(check_expression(engine, sql, COLUMNS)) == set(used)


@pytest.mark.parametrize(
    "sql",
    [
        "a > (SELECT max(b) FROM rows_of_the_table)",
        "EXISTS (SELECT 1 FROM read_csv('/etc/passwd'))",
        "a IN (SELECT 1)",
        "sum(a) > 1",
        "sum(a) OVER () > 1",
        "count(*) > 1",
        "row_number() OVER () > 1",
        "unnest(tags) > 1",
        "random() > 0.5",
        "a < now()",
        "a > 1) OR (SELECT 1",
        "a > 1), (b > 1",
        "true) FROM read_text('/etc/passwd') --",
        "true) FROM rows_of_the_table WHERE (false",
        "true; DROP TABLE x",
        "c > 1",
        "a >",
        "nosuchfunction(a)",
        "current_setting('memory_limit') = a",
        "main.abs(a) > 1 AND system.main.query('x')",
        "*",
        "COLUMNS(*) > 1",
        "$1 > 2",
        "? > 2",
        "a > 1" + " " * 5000,
    ],
)
def test_anything_else_is_refused_before_it_runs(engine, sql):
    with pytest.raises(InvalidText):
        check_expression(engine, sql, COLUMNS)


def _judge(engine, made, text):
    return evaluate(engine, made, parse_checks(text).tables[0], source="c.yaml")


def test_a_rule_counts_rows_and_shows_the_columns_it_uses(engine, table):
    made = table(
        {"a": "int", "b": "int", "c": "text"}, [["1", "2", "x"], ["3", "2", "y"], ["", "2", "z"]]
    )

    (found,) = _judge(engine, made, "rules: [{sql: 'a <= b'}]")

    assert found.message == "1 of 3 rows break a <= b"
    assert [(one.place.line, one.value) for one in found.examples] == [(3, "a=3, b=2")]


def test_max_share_allows_that_share_of_rows(engine, table):
    made = table({"a": "int"}, [[str(n)] for n in range(100)])

    assert _judge(engine, made, "rules: [{sql: a >= 1, max_share: 1%}]") == []
    (found,) = _judge(engine, made, "rules: [{sql: a >= 2, max_share: 1%, name: late}]")
    assert found.message == "2 of 100 rows break late (2%), allowed at most 1%"


def test_a_rule_that_is_refused_or_fails_is_undecided_and_says_why(engine, table):
    made = table({"a": "text"}, [["x"]])
    text = "rules: [{sql: b > 1}, {sql: 'CAST(a AS INT) > 1'}, {sql: a = 'y'}]"

    found = _judge(engine, made, text)

    assert [one.outcome for one in found] == [
        Outcome.UNDECIDED, Outcome.UNDECIDED, Outcome.VIOLATED,
    ]  # fmt: skip
    assert found[0].message == "could not run: no column b (known here: a)"
    assert "Could not convert" in found[1].message


def test_a_rule_that_is_neither_true_nor_false_is_undecided(engine, table):
    made = table({"a": "int"}, [["0"], ["3"]])

    number, wrong = _judge(engine, made, "rules: [{sql: a}, {sql: a > 0}, {sql: a IS NOT NULL}]")

    assert number.outcome is Outcome.UNDECIDED
    assert number.message == (
        "could not run: a rule is true or false for a row, this one gives BIGINT"
    )
    assert wrong.message == "1 of 2 rows break a > 0"
