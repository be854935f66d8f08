"""What no single row breaks: unique values, keys, order, other tables, statistics, time."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.cells import cell_of
from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.figures import quantiles_of
from dvtool.quality.checks.model import ColumnSpec
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.shape import judge_rows_change
from dvtool.quality.checks.subject import Subject
from dvtool.quality.findings import Outcome
from dvtool.quality.tables.engine import Engine

from .conftest import table_of


@pytest.fixture
def judge(engine, table):
    def run(kinds, rows, text, **more):
        spec = parse_checks(text).tables[0]
        found = evaluate(engine, table(kinds, rows), spec, source="c.yaml", **more)
        return {one.key: one for one in found}

    return run


def _lines(finding):
    return [(one.place.line, one.value) for one in finding.examples]


def test_repeated_values_are_counted_and_missing_ones_are_not_compared(judge):
    rows = [["7"], [""], ["8"], ["7"], [""], ["7"]]

    found = judge({"a": "int"}, rows, "columns: {a: {unique: true}}")["a.unique"]

    assert found.message == "3 of 4 values are not unique, 1 different"
    assert _lines(found) == [(2, "7"), (5, "7"), (7, "7")]


def test_a_key_of_two_columns_is_never_missing_and_never_twice(judge):
    rows = [["1", "a"], ["1", "b"], ["1", "a"], ["", "a"]]

    found = judge({"n": "int", "t": "text"}, rows, "key: [n, t]")["key"]

    assert found.message == (
        "2 of 4 rows share their key (n, t) and 1 of 4 rows have no key (n, t)"
    )
    assert _lines(found) == [(2, "1, a"), (4, "1, a")]


def test_a_unique_column_that_is_the_key_is_said_once(judge):
    rows = [["1"], ["1"], [""]]

    found = judge({"a": "int"}, rows, "columns: {a: {unique: true, nulls: 0}}\nkey: a")

    assert {key: one.message for key, one in found.items()} == {
        "a.nulls": "1 of 3 values missing, allowed 0",
        "key": "2 of 3 rows share their key (a)",
    }


def test_distinct_values_are_counted_without_missing_ones(judge):
    rows = [["a"], ["b"], ["a"], [""]]

    assert judge({"c": "text"}, rows, "columns: {c: {distinct: 2}}") == {}
    found = judge({"c": "text"}, rows, "columns: {c: {distinct: '>= 90%'}}")["c.distinct"]
    assert found.message == "2 different among 3 values (66.67%), allowed at least 90%"


def test_of_too_many_different_values_the_rarest_are_shown(judge):
    rows = [["KA"], ["Karnatka"], ["MH"], ["KA"], ["MH"], ["T.N."], ["MH"], [""]]
    spec = "columns: {c: {distinct: %s%s}}"

    found = judge({"c": "text"}, rows, spec % (2, ""), limit=3)["c.distinct"]

    assert found.message == "4 different values, allowed 2"
    assert _lines(found) == [(3, "Karnatka"), (7, "T.N."), (2, "KA")]
    assert found.hint == "the rarest values, in 1 to 2 rows each"
    private = judge({"c": "text"}, rows, spec % (2, ", private: true"), limit=2)["c.distinct"]
    assert _lines(private) == [(3, None), (7, None)]
    assert private.hint == ""
    assert judge({"c": "text"}, rows, spec % ("'5..9'", ""))["c.distinct"].examples == ()


@pytest.mark.parametrize(
    ("order", "values", "line"),
    [
        ("increasing", "1 1 2", 0),
        ("increasing", "1 3 2", 4),
        ("strictly-increasing", "1 1 2", 3),
        ("decreasing", "3 3 1", 0),
        ("strictly-decreasing", "3 1 1", 4),
    ],
)
def test_order_is_judged_in_file_order(judge, order, values, line):
    rows = [[value] for value in values.split()]

    found = judge({"a": "int"}, rows, f"columns: {{a: {{order: {order}}}}}")

    assert [one.place.line for one in found.values()] == ([line] if line else [])


def test_values_occur_in_another_table(judge, table):
    users = table({"id": "int"}, [["1"], ["2"], [""]], name="users.csv")
    text = "columns: {u: {in_table: 'users.csv:id'}}"
    rows = [["1"], ["3"], [""]]

    found = judge({"u": "int"}, rows, text, table_of=lambda path: {"users.csv": users}[path])

    assert found["u.in-table"].message == "1 value does not occur in users.csv, column id"
    assert _lines(found["u.in-table"]) == [(3, "3")]
    assert judge({"u": "int"}, rows, text)["u.in-table"].outcome is Outcome.UNDECIDED


def test_a_table_that_cannot_be_opened_is_undecided(judge):
    def broken(path):
        raise OSError(f"{path} is not there")

    found = judge({"u": "int"}, [["1"]], "columns: {u: {in_table: 'x.csv:id'}}", table_of=broken)

    assert found["u.in-table"].message == "could not run: x.csv is not there"


def test_shares_of_single_values(judge):
    rows = [["a"]] * 3 + [["b"], [""]]

    found = judge({"c": "text"}, rows, "columns: {c: {shares: {a: 70%..80%, b: '< 20%'}}}")

    assert found["c.shares"].message == "b is 25% of values, allowed less than 20%"


def test_statistics_outside_their_bounds_say_found_and_allowed(judge):
    text = "columns: {a: {mean: 3..4, std: '<= 1', median: '> 2', quantiles: {0.25: 1..1, 0.75: 1..2}}}"

    found = judge({"a": "int"}, [["1"], ["2"], ["3"], ["4"], [""]], text)

    assert {key: one.message for key, one in found.items()} == {
        "a.mean": "mean 2.5, allowed 3 to 4",
        "a.std": "std 1.29099, allowed at most 1",
        "a.quantiles": "quantile 0.25 1.75, allowed 1; quantile 0.75 3.25, allowed 1 to 2",
    }


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=2, max_size=60),
    st.floats(0.01, 0.99),
)
def test_quantiles_and_moments_equal_numpys(values, probability):
    with Engine(threads=1) as engine:
        made = table_of(engine, {"a": "float"}, [[repr(one)] for one in values])
        cell = cell_of(ColumnSpec("a"), made.columns[0], "csv")
        _, (quantile,) = quantiles_of(Subject(engine, made), cell, (probability,))
        spec = parse_checks("columns: {a: {mean: '> 1e300', std: '> 1e300'}}").tables[0]
        found = {one.code: one for one in evaluate(engine, made, spec, source="c")}

    assert quantile == pytest.approx(np.quantile(values, probability), rel=1e-9, abs=1e-6)
    mean = found["mean"].figures["found"]["mean"]
    assert mean == pytest.approx(np.mean(values), rel=1e-9, abs=1e-6)
    std = found["std"].figures["found"]["std"]
    assert std == pytest.approx(np.std(values, ddof=1), rel=1e-9, abs=1e-6)


def test_text_has_no_mean_and_infinite_values_have_none_to_judge(judge):
    found = judge(
        {"t": "text", "f": "float"}, [["x", "inf"]], "columns: {t: {mean: 1..2}, f: {mean: 1..2}}"
    )

    assert {key: one.message for key, one in found.items()} == {
        "t.mean": "could not run: text has no mean",
        "f.mean": "could not run: the column holds infinite values",
    }


NOW = datetime.datetime(2026, 1, 10, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("fresh", "message"),
    [
        ("36h", ""),
        ("35h", "the newest row is 1d 12h old (2026-01-09), allowed 35h"),
    ],
)
def test_the_newest_row_may_be_so_old(judge, fresh, message):
    rows = [["2026-01-01"], ["2026-01-09"], [""]]

    found = judge({"d": "date"}, rows, f"time: {{column: d, fresh: {fresh}}}", now=NOW)

    assert [one.message for one in found.values()] == ([message] if message else [])


def test_without_a_clock_freshness_is_undecided(judge):
    found = judge({"d": "date"}, [["2026-01-01"]], "time: {column: d, fresh: 1d}")

    assert found["d.fresh"].message == "could not run: no clock at hand"


def test_gaps_are_found_in_order_of_time_not_of_the_file(judge):
    rows = [["2026-01-05"], ["2026-01-01"], ["2026-01-02"], ["2026-01-03"]]

    assert judge({"d": "date"}, rows, "time: {column: d, gaps: 2d}") == {}
    found = judge({"d": "date"}, rows, "time: {column: d, gaps: 1d}")["d.gaps"]
    assert found.message == "1 time more than 1d between rows, longest 2d"
    assert _lines(found) == [(2, "2d after 2026-01-03")]


@pytest.mark.parametrize(("before", "broken"), [(100, False), (112, True), (60, True), (0, False)])
def test_the_number_of_rows_may_change_so_much(table, before, broken):
    made = table({"a": "int"}, [["1"]] * 100)
    spec = parse_checks("rows: {change: [-10%, +50%]}").tables[0]

    found = judge_rows_change(spec, made, before, source="c.yaml", baseline="v1")

    assert bool(found) is broken


def test_a_bound_on_rows_change_says_both_numbers(table):
    made = table({"a": "int"}, [["1"]] * 2)
    spec = parse_checks("rows: {change: '>= 0%'}").tables[0]

    (found,) = judge_rows_change(spec, made, 4, source="c.yaml", baseline="v1")

    assert found.message == "4 rows became 2 (-50% since v1), allowed at least 0%"
    assert spec.rows.change == Bound(low=0, percent=True)


def test_no_name_of_a_column_disturbs_a_query(judge):
    names = ("v", "n", "r", "k", "p", "t", "first", "item", "typed", "raw", "k0", "order", 'a "b')
    rows = [["1"] * len(names), ["1"] * len(names)]
    entries = ", ".join(
        f"'{name}': {{type: int, unique: true, distinct: 2, order: strictly-increasing, median: '> 1', in: [2]}}"
        for name in names
    )

    found = judge(dict.fromkeys(names, "int"), rows, f"columns: {{{entries}}}\nkey: [n, first]")

    expected = {
        f"{name}.{code}"
        for name in names
        for code in ("unique", "distinct", "order", "median", "in")
    }
    assert {key for key, one in found.items() if one.outcome is Outcome.VIOLATED} == expected | {
        "key"
    }


def test_a_private_time_is_judged_without_saying_when(judge):
    text = "columns: {d: {private: true}}\ntime: {column: d, fresh: 1d, gaps: 1d}"

    found = judge({"d": "date"}, [["2026-01-01"], ["2026-01-05"]], text, now=NOW)

    assert {key: one.message for key, one in found.items()} == {
        "d.fresh": "the newest row is older than allowed, 1d",
        "d.gaps": "1 time more than 1d between rows",
    }
    assert [one.value for one in found["d.gaps"].examples] == [None]
    assert "_s'" not in repr(found["d.fresh"].figures)
