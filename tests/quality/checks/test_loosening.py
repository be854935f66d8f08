"""What a newer checks file asks for less, key by key; tightening says nothing."""

from __future__ import annotations

from dataclasses import fields

import pytest

from dvtool.quality.checks.loosening import (
    COLUMN_RULES,
    ROWS_RULES,
    SPLITS_RULES,
    TABLE_RULES,
    TIME_RULES,
    loosenings,
)
from dvtool.quality.checks.model import ColumnSpec, RowsSpec, SplitsSpec, TableSpec, TimeSpec
from dvtool.quality.checks.parsing import parse_checks


def told(before: str, after: str | None, *paths: str) -> list[str]:
    new = parse_checks(after) if after is not None else None
    found = loosenings(parse_checks(before), new, paths or ("",))
    return [f"{one.column}: {one}" if one.column else str(one) for one in found]


def columns(text: str) -> str:
    return f"columns: {{a: {{{text}}}, keep: {{type: int}}}}\n"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("min: 0", "min: -1", "min was 0, is -1"),
        ("min: 0", "", "min was 0, is gone"),
        ("max: 9", "max: 10", "max was 9, is 10"),
        ("min: 2020-01-01", "min: 2019-12-31", "min was 2020-01-01, is 2019-12-31"),
        ("min: 2020-01-01", "min: 3", "min was 2020-01-01, is 3"),
        ("in: [x, y]", "in: [x, y, z]", "in was [x, y], is [x, y, z]"),
        ("in: [x, y]", "", "in was [x, y], is gone"),
        ("matches: a+", "matches: a*", "matches was a+, is a*"),
        ("nulls: 0", "nulls: '<= 1%'", "nulls was <= 0, is <= 1%"),
        ("nulls: '<= 1%'", "nulls: '<= 2%'", "nulls was <= 1%, is <= 2%"),
        ("unique: true", "", "unique was true, is false"),
        ("mean: 1..2", "mean: 1..3", "mean was 1..2, is 1..3"),
        ("mean: 1..2", "mean: 0..2", "mean was 1..2, is 0..2"),
        ("mean: '> 1'", "mean: '>= 1'", "mean was > 1, is >= 1"),
        ("mean: '< 1'", "mean: '<= 1'", "mean was < 1, is <= 1"),
        ("quantiles: {0.5: 1..2}", "quantiles: {0.9: 1..2}", "quantiles was {0.5: 1..2}, is {0.9: 1..2}"),
        ("type: int", "type: float", "type was int, is float"),
        ("type: int", "type: int, optional: true", "optional was false, is true"),
        ("drift: {psi: 0.1}", "drift: {psi: 0.2}", "drift was {psi: 0.1}, is {psi: 0.2}"),
        ("drift: {psi: 0.1}", "drift: {psi: 0.1, far_tails: 5}", "drift was {psi: 0.1}, is {psi: 0.1, far_tails: 5.0}"),
        ("drift: {tails: 0.01}", "drift: {tails: 0.02}", "drift was {tails: 0.01}, is {tails: 0.02}"),
        ("drift: {psi: 0.1}", "drift: false", "drift was {psi: 0.1}, is false"),
        ("type: int", "type: int, drift: false", "drift was not given, is false"),
        ("private: true", "", "private was true, is false"),
        ("max: 9", "max: 9, severity: warn", "severity was not given, is warn"),
        ("max: 9, severity: fail", "max: 9, severity: note", "severity was fail, is note"),
    ],
)  # fmt: skip
def test_a_looser_column_is_told_and_the_way_back_is_not(before, after, said):
    assert told(columns(before), columns(after)) == [f"a: {said}"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("min: 0", "min: 1"),
        ("", "min: 1"),
        ("max: 9, severity: warn", "max: 9, severity: fail"),
        ("max: 9, severity: warn", "max: 9"),
        ("in: [x, y]", "in: [y]"),
        ("nulls: '<= 2%'", "nulls: '<= 1%'"),
        ("mean: 1..3", "mean: 2..3"),
        ("mean: '>= 1'", "mean: '> 1'"),
        ("drift: false", "drift: {psi: 0.2}"),
        ("drift: {psi: 0.2}", "drift: {psi: 0.2, ks: 0.1}"),
        ("drift: {psi: 0.2}", "drift: {psi: 0.2, tails: 0.01, far_tails: 0.05}"),
        ("", "private: true"),
        ("type: int, optional: true", "type: int"),
    ],
)
def test_a_stricter_column_says_nothing(before, after):
    assert told(columns(before), columns(after)) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("rows: {min: 10}", "rows: {min: 9}", "rows was {min: 10}, is {min: 9}"),
        ("rows: {min: 10}", "", "rows was {min: 10}, is gone"),
        ("rows: {change: [-10%, 10%]}", "rows: {change: [-20%, 10%]}", "rows was {change: -10%..10%}, is {change: -20%..10%}"),
        ("key: [a]", "key: [a, keep]", "key was [a], is [a, keep]"),
        ("time: {column: a, fresh: 1d}", "time: {column: a, fresh: 2d}", "time was {column: a, fresh: 86400}, is {column: a, fresh: 172800}"),
        ("rules: [{sql: 'a > 1'}]", "rules: [{sql: 'a > 0'}]", "rules was [{sql: a > 1}], is [{sql: a > 0}]"),
        ("rules: [{sql: 'a > 1'}]", "rules: [{sql: 'a > 1', max_share: 1%}]", "rules was [{sql: a > 1}], is [{sql: a > 1, max_share: 0.01}]"),
        ("other_columns: fail", "other_columns: warn", "other_columns was fail, is warn"),
        ("schema_change: fail", "schema_change: allow", "schema_change was fail, is allow"),
        ("", "schema_change: warn", "schema_change was not given, is warn"),
        ("schema: s.py:A", "schema: s.py:B", "schema was s.py:A, is s.py:B"),
        ("splits: {train: t.csv, test: u.csv}", "", "splits was {train: t.csv, test: u.csv}, is gone"),
        ("", "history: false", "history was true, is false"),
        ("history: {false_alarms: 5%}", "history: true", "history was {false_alarms: 0.05}, is true"),
        ("", "history: {min_versions: 9}", "history was true, is {min_versions: 9}"),
        ("", "severity: {a: warn}", "severity was not given, is {a: warn}"),
        ("", "ignore: [{finding: a.min, until: 2027-01-01, reason: x}]", "ignore was not given, is [a.min until 2027-01-01]"),
        ("label: a", "", "label was a, is gone"),
    ],
)  # fmt: skip
def test_a_looser_table_is_told(before, after, said):
    base = "columns: {keep: {type: int}}\n"

    assert told(base + before, base + after) == [said]


def test_an_ignore_that_ends_earlier_says_nothing():
    base = "columns: {a: {type: int}}\nignore: [{finding: a.min, until: %s, reason: x}]"

    assert told(base % "2027-01-02", base % "2027-01-01") == []
    assert len(told(base % "2027-01-01", base % "2027-01-02")) == 1


def test_checks_that_are_gone_are_told_once():
    assert told(columns("min: 0"), None) == ["every check was there, is gone"]
    assert told(columns("min: 0"), "columns: {keep: {type: int}}") == [
        "a: every check was there, is gone"
    ]


def test_no_checks_before_cannot_be_loosened():
    assert loosenings(None, parse_checks(columns("min: 0")), [""]) == ()


def test_an_entry_that_takes_a_file_away_from_a_stricter_one_is_told():
    strict = "tables:\n  '*.csv': {columns: {a: {min: 0}}}\n"

    found = told(strict, strict + "  a.csv: {columns: {a: {min: -9}}}\n", "a.csv", "b.csv")

    assert found == ["a: min of *.csv was 0, is -9"]


def test_an_entry_without_files_is_compared_with_the_one_of_its_name():
    strict = "tables:\n  late.csv: {rows: {min: 10}}\n"

    assert told(strict, "tables:\n  late.csv: {rows: {min: 1}}\n", "a.csv") == [
        "rows of late.csv was {min: 10}, is {min: 1}"
    ]
    assert told(strict, "tables:\n  a.csv: {rows: {min: 1}}\n", "a.csv") == [
        "every check of late.csv was there, is gone"
    ]


def test_the_line_of_the_new_value_is_known():
    (found,) = loosenings(
        parse_checks("rows: {min: 10}"),
        parse_checks("# a comment\ncolumns: {a: {type: int}}\nrows: {min: 5}\n"),
        [""],
    )

    assert (found.key, found.line) == ("rows", 3)


@pytest.mark.parametrize(
    ("spec", "rules", "others"),
    [
        (ColumnSpec, COLUMN_RULES, {"name"}),
        (TableSpec, TABLE_RULES, {"path", "columns"}),
        (RowsSpec, ROWS_RULES, set()),
        (TimeSpec, TIME_RULES, set()),
        (SplitsSpec, SPLITS_RULES, set()),
    ],
)
def test_every_field_of_checks_has_a_rule(spec, rules, others):
    assert {one.name for one in fields(spec)} - {"line", "lines"} == {*rules, *others}
