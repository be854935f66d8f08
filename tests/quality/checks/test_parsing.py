"""Checks files to specs: every key known, every mistake with its line."""

from __future__ import annotations

import datetime
import textwrap

import pytest

from dvtool.errors import InvalidText
from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.model import (
    ColumnSpec,
    Drift,
    IgnoreSpec,
    RowsSpec,
    RuleSpec,
    SplitsSpec,
    TimeSpec,
)
from dvtool.quality.checks.parsing import parse_checks, table_for
from dvtool.quality.checks.vocabulary import SCOPES, TABLE
from dvtool.quality.findings import Severity
from dvtool.quality.kinds import Kind

EXAMPLE = """\
columns:
  id:    {type: int, unique: true}
  age:   {type: int, min: 0, max: 120, nulls: '<= 1%', mean: 30..45, drift: {psi: 0.25}}
  state: {type: text, in: [KA, MH, TN]}
  email: {type: text, private: true, matches: '.+@.+'}
key: [id]
label: churned
time: {column: seen_at, fresh: 2d, gaps: 1d}
rows: {min: 1000, change: [-10%, +50%]}
rules: [{sql: 'end_at >= start_at', max_share: 0}]
splits: {train: train.csv, test: test.csv, group: user_id, time: seen_at}
severity: {state: warn}
ignore: [{finding: age.nulls, until: 2027-01-01, reason: known gap in May}]
"""


def test_the_example_of_the_documentation_means_what_it_says():
    spec = parse_checks(EXAMPLE).tables[0]

    assert spec.columns == (
        ColumnSpec("id", type=Kind.INT, unique=True),
        ColumnSpec(
            "age",
            type=Kind.INT,
            min=0,
            max=120,
            nulls=Bound(high=1, percent=True),
            mean=Bound(30, 45),
            drift=Drift(psi=0.25),
        ),
        ColumnSpec("state", type=Kind.TEXT, allowed=("KA", "MH", "TN")),
        ColumnSpec("email", type=Kind.TEXT, private=True, matches=".+@.+"),
    )
    assert spec.key == ("id",)
    assert spec.time == TimeSpec("seen_at", fresh_s=172_800, gaps_s=86_400)
    assert spec.rows == RowsSpec(min=1000, change=Bound(-10, 50, percent=True))
    assert spec.rules == (RuleSpec("end_at >= start_at"),)
    assert spec.splits == SplitsSpec("train.csv", "", "test.csv", "user_id", "seen_at")
    assert spec.severities == (("state", Severity.WARN),)
    until = datetime.date(2027, 1, 1)
    assert spec.ignore == (IgnoreSpec("age.nulls", until, "known gap in May"),)


def test_every_key_of_an_entry_knows_its_line():
    age = parse_checks("columns:\n  age:\n    min: 0\n    max: 9\n").tables[0].columns[0]

    assert str(age.at("max", "a.checks.yaml")) == "a.checks.yaml:4"


_WRAP = {
    "table": "{}",
    "column": "columns: {{c: {{{}}}}}",
    "drift": "drift: {{{}}}",
    "time": "time: {{{}}}",
    "rows": "rows: {{{}}}",
    "rule": "rules: [{{{}}}]",
    "splits": "splits: {{{}}}",
    "history": "history: {{{}}}",
    "ignore": "ignore: [{{{}}}]",
}
_WORDS = [(scope, word) for scope in SCOPES for word in scope.words]
_NAMES = [f"{scope.name}.{word.key}" for scope, word in _WORDS]


def _typos(key: str) -> list[str]:
    doubled = key[:1] + key
    dropped = key[:-1] if len(key) > 2 else key + "x"
    swapped = key[:-2] + key[-1] + key[-2]
    return [one for one in (doubled, dropped, swapped, key.upper()) if one != key]


@pytest.mark.parametrize(("scope", "word"), _WORDS, ids=_NAMES)
def test_a_typo_of_any_key_is_refused_with_its_line_and_the_key_that_was_meant(scope, word):
    known = [one.key for one in scope.words]
    for typo in _typos(word.key):
        if typo in known or (scope is TABLE and typo == "tables"):
            continue
        inner = typo + word.example[len(word.key) :]
        text = "# first line\n" + _WRAP[scope.name].format(inner)

        with pytest.raises(InvalidText, match="unknown key") as caught:
            parse_checks(text, source="a.checks.yaml")

        assert (caught.value.source, caught.value.line) == ("a.checks.yaml", 2)
        assert caught.value.exit_code == 4
        assert caught.value.hint.startswith(("did you mean", "known here"))


@pytest.mark.parametrize(("scope", "word"), _WORDS, ids=_NAMES)
def test_the_documented_example_of_every_key_is_accepted(scope, word):
    needed = {one.key: one.example for one in scope.words if one.required and one.key != word.key}
    more = {
        "time": {"fresh": "fresh: 2d"},
        "splits": {"train": "train: a.csv", "test": "test: b.csv"},
    }.get(scope.name, {})
    needed |= {key: example for key, example in more.items() if key != word.key}
    if scope.name == "splits" and word.key in ("train", "test"):
        needed["validation"] = "validation: c.csv"
    if word.key == "concept":
        needed["label"] = "label: churned"
    sign = "\n" if scope is TABLE else ", "
    inner = sign.join([word.example, *needed.values()])
    text = _WRAP[scope.name].format(inner)
    if not (scope is TABLE and word.key == "rows"):
        text += "\nrows: {min: 0}" if scope.name != "rows" else ""
    if word.key == "union":
        text = "tables:\n  '*.csv':\n" + textwrap.indent(text, "    ")

    parse_checks(text)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        ("", "no check at all", 1),
        ("label: churned\n", "no check at all", 1),
        ("columns: {}\n", "expected names", 1),
        ("- a\n", "expected keys", 1),
        ("key: [id]\ncolumns:\n  a: {min: 3, max: 1}\n", "min 3 is above max 1", 3),
        ("columns: {a: {type: itn}}", "expected one of bool, int", 1),
        ("columns: {a: {nulls: 0.5}}", "a count is a whole number", 1),
        ("columns: {a: {nulls: -1}}", "makes no sense", 1),
        ("columns: {a: {mean: 3}}", "not a number alone, found '3'", 1),
        ("columns: {a: {mean: '<= 3%'}}", "has no percent", 1),
        ("columns: {a: {unique: yes}}", "true or false", 1),
        ("columns: {a: {matches: '(?=x)'}}", "look-ahead", 1),
        ("columns: {a: {in: []}}", "a list of values", 1),
        ("columns: {a: {in: [x, x]}}", "stands twice", 1),
        ("columns: {a: {min: 2026-02-30}}", "is no date", 1),
        ("columns: {a: {private: true, public: true}}", "not both", 1),
        ("columns: {a: {type: text, mean: '>= 1'}}", "text has no mean", 1),
        ("columns: {a: {quantiles: {1.5: 1..2}}}", "a probability", 1),
        ("rows: {change: 10..20}", "percent", 1),
        ("rows: {min: true}", "a whole number", 1),
        ("time: {}", "needs column", 1),
        ("time: {column: t, fresh: 2 days}", "a duration", 1),
        ("time: {fresh: 2d}", "needs column", 1),
        ("rules: [{name: x}]", "needs sql", 1),
        ("rules: [{sql: a > 1, max_share: 2}]", "a share", 1),
        ("splits: {train: a.csv}", "two of", 1),
        ("schema: schemas.py", "schemas.py:Name", 1),
        ("key: id\nignore: [{finding: a, until: soon, reason: x}]", "a date", 2),
        ("key: id\nread: {delimitr: x}", "delimit", 2),
        ("tables: {a.csv: {key: id}}\nkey: id", "stands beside tables", 2),
        ("tables: {../a.csv: {key: id}}", "no path or glob", 1),
        ("tables:\n  a.csv: {key: id}\n  b.csv: {label: x}", "no check at all for b.csv", 3),
    ],
)
def test_mistakes_are_refused_with_file_and_line(text, says, line):
    with pytest.raises(InvalidText, match=says) as caught:
        parse_checks(text, source="a.checks.yaml")

    assert (caught.value.source, caught.value.line) == ("a.checks.yaml", line)


def test_the_most_specific_entry_holds_for_a_path():
    text = "tables: {'**/*.csv': {key: a}, 'x/*.csv': {key: b}, x/y.csv: {key: c}}"
    checks = parse_checks(text)

    paths = ("q.csv", "x/z.csv", "x/y.csv", "x/q/z.csv", "x.txt")
    found = [table_for(checks, path) for path in paths]
    assert [one.key[0] if one else None for one in found] == ["a", "b", "c", "a", None]


def test_two_entries_that_match_equally_well_are_an_error():
    checks = parse_checks("tables:\n  'a*.csv': {key: a}\n  '*b.csv': {key: b}\n", source="d.yaml")

    with pytest.raises(InvalidText, match="equally well") as caught:
        table_for(checks, "ab.csv")

    assert (caught.value.source, caught.value.line) == ("d.yaml", 3)


def test_the_checks_of_a_single_file_hold_for_any_path():
    checks = parse_checks("key: id")

    assert table_for(checks, "whatever.csv") is checks.tables[0]
