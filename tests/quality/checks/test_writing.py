"""Specs to text and back."""

from __future__ import annotations

import datetime
import re

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.model import (
    ChecksFile,
    ColumnSpec,
    Drift,
    HistoryRule,
    IgnoreSpec,
    RowsSpec,
    RuleSpec,
    SplitsSpec,
    TableSpec,
    TimeSpec,
)
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.vocabulary import ORDERS, TYPES
from dvtool.quality.checks.writing import dump
from dvtool.quality.findings import Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.options import ReadOptions

from .test_bounds import bounds, numbers

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)
values = words | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
plain_bounds = bounds().filter(lambda one: not one.percent)
sizes = st.builds(Bound, high=st.integers(0, 10**9))
thresholds = st.none() | st.floats(1e-6, 1e6)
severities = st.none() | st.sampled_from(Severity)


drifts = st.just(Drift(off=True)) | st.builds(Drift, psi=st.floats(1e-6, 10), ks=thresholds)


histories = st.just(HistoryRule(off=True)) | st.builds(
    HistoryRule, st.floats(1e-6, 0.2), st.integers(3, 30)
)


@st.composite
def columns(draw, name):
    kind = draw(st.none() | st.sampled_from(TYPES))
    ends = sorted([draw(numbers), draw(numbers)])
    has_statistics = kind != "text"
    return ColumnSpec(
        name,
        type=Kind(kind) if kind else None,
        optional=draw(st.booleans()),
        min=ends[0] if draw(st.booleans()) else None,
        max=ends[1] if draw(st.booleans()) else None,
        allowed=tuple(draw(st.lists(values, max_size=3, unique_by=lambda v: (type(v), v)))),
        matches=draw(st.just("") | words.filter(lambda text: "\0" not in text).map(re.escape)),
        nulls=draw(st.none() | sizes),
        unique=draw(st.booleans()),
        length=draw(st.none() | sizes),
        order=draw(st.sampled_from(["", *ORDERS])),
        mean=draw(st.none() | plain_bounds) if has_statistics else None,
        quantiles=((draw(st.floats(0.001, 0.999)), draw(plain_bounds)),) if has_statistics else (),
        drift=draw(st.none() | drifts),
        private=draw(st.booleans()),
        severity=draw(severities),
    )


@st.composite
def tables(draw, path=""):
    names = draw(st.lists(words, min_size=1, max_size=4, unique=True))
    return TableSpec(
        path=path,
        columns=tuple(draw(columns(name)) for name in names),
        key=tuple(draw(st.lists(words, max_size=2, unique=True))),
        label=draw(st.just("") | words),
        time=draw(st.none() | st.builds(TimeSpec, words, fresh_s=st.integers(1, 10**8))),
        rows=draw(st.none() | st.builds(RowsSpec, min=st.integers(0, 10**12))),
        rules=tuple(draw(st.lists(st.builds(RuleSpec, words, words, st.floats(0, 1)), max_size=2))),
        other_columns=draw(st.sampled_from(["allow", "warn", "fail"])),
        splits=draw(st.none() | st.builds(SplitsSpec, train=words, test=words)),
        history=draw(histories),
        drift=draw(st.none() | drifts),
        severities=((names[0], Severity.WARN),) if draw(st.booleans()) else (),
        ignore=tuple(
            draw(
                st.lists(
                    st.builds(
                        IgnoreSpec, words, st.dates(min_value=datetime.date(1900, 1, 1)), words
                    ),
                    max_size=2,
                )
            )
        ),
        read=draw(st.none() | st.just(ReadOptions(delimiter=";", types=(("zip", "text"),)))),
    )


@settings(max_examples=40, deadline=None)
@given(tables())
def test_a_table_reads_back_as_it_was_written(spec):
    checks = ChecksFile((spec,))

    assert parse_checks(dump(checks)) == checks


@settings(max_examples=10, deadline=None)
@given(tables("a b.csv"), tables("logs/**/*.csv"))
def test_tables_read_back_as_they_were_written(first, second):
    checks = ChecksFile((first, second))

    assert parse_checks(dump(checks)) == checks


def test_comments_stand_above_what_they_explain():
    spec = TableSpec(columns=(ColumnSpec("age", type=Kind.INT),), key=("id",))
    comments = {("columns", "age"): "whole numbers in all 3 versions", ("key",): "never\nrepeated"}

    text = dump(ChecksFile((spec,)), comments=comments, heading="proposed")

    assert text == (
        "# proposed\n"
        "columns:\n"
        "  # whole numbers in all 3 versions\n"
        "  age: {type: int}\n"
        "# never repeated\n"
        "key: [id]\n"
    )


def test_words_that_older_yaml_reads_otherwise_are_quoted():
    spec = TableSpec(
        columns=(ColumnSpec("c", allowed=("NO", "1", "on", "KA", "true", "~", "x: y")),)
    )

    text = dump(ChecksFile((spec,)))

    assert yaml.safe_load(text)["columns"]["c"]["in"] == [
        "NO",
        "1",
        "on",
        "KA",
        "true",
        "~",
        "x: y",
    ]
