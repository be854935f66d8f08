"""What two lists of columns tell about a change of schema."""

from __future__ import annotations

import pytest

from dvtool.quality.findings import Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.table import Column

TYPES = {Kind.INT: "BIGINT", Kind.FLOAT: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.DATE: "DATE"}


def columns(**kinds):
    return [Column(name, kind, TYPES[kind]) for name, kind in kinds.items()]


BEFORE = columns(id=Kind.INT, price=Kind.FLOAT, name=Kind.TEXT)


def told(after, policy="fail"):
    found = compare_schema(BEFORE, after, policy=policy, name="t.csv")
    return [(one.code, one.column, one.severity.value) for one in found]


def test_equal_columns_tell_nothing():
    assert told(BEFORE) == []


def test_an_added_column_warns():
    assert told([*BEFORE, *columns(extra=Kind.DATE)]) == [("column-added", "extra", "warn")]


def test_a_removed_column_fails():
    assert told(BEFORE[:2]) == [("column-removed", "name", "fail")]


def test_a_column_under_another_name_in_the_same_place_is_called_renamed():
    after = columns(id=Kind.INT, cost=Kind.FLOAT, name=Kind.TEXT)

    assert told(after) == [("column-renamed", "cost", "fail")]


def test_a_column_of_another_kind_in_the_same_place_is_not_called_renamed():
    after = columns(id=Kind.INT, day=Kind.DATE, name=Kind.TEXT)

    assert told(after) == [("column-removed", "price", "fail"), ("column-added", "day", "warn")]


def test_columns_in_another_order_warn():
    assert told([BEFORE[1], BEFORE[0], BEFORE[2]]) == [("columns-reordered", "", "warn")]


@pytest.mark.parametrize(
    ("was", "now", "severity"),
    [
        (Kind.INT, Kind.FLOAT, "fail"),
        (Kind.INT, Kind.TEXT, "fail"),
        (Kind.FLOAT, Kind.TEXT, "fail"),
        (Kind.TEXT, Kind.INT, "fail"),
        (Kind.DATE, Kind.TEXT, "fail"),
        (Kind.TEXT, Kind.DATE, "warn"),
    ],
)
def test_a_retyped_column_is_found(was, now, severity):
    (finding,) = compare_schema(columns(a=was), columns(a=now))

    assert (finding.code, finding.severity.value) == ("column-retyped", severity)
    assert finding.message == f"{was.value} became {now.value}"


@pytest.mark.parametrize(("policy", "severity"), [("warn", "warn"), ("allow", "note")])
def test_the_policy_softens_every_change(policy, severity):
    after = columns(id=Kind.TEXT, extra=Kind.DATE)

    assert {one[2] for one in told(after, policy)} == {severity}
    assert len(told(after, policy)) == 4


def test_an_unknown_policy_is_an_error():
    with pytest.raises(ValueError, match="maybe"):
        compare_schema(BEFORE, BEFORE, policy="maybe")


def test_tables_without_a_common_column_are_told_so_once():
    after = columns(day=Kind.DATE, cost=Kind.FLOAT, weight=Kind.FLOAT, a=Kind.INT, b=Kind.INT)

    (finding,) = compare_schema(BEFORE, after)

    assert (finding.code, finding.column, finding.severity.value) == (
        "no-common-columns",
        "",
        "fail",
    )
    assert finding.message == (
        "no column in common with the baseline: day, cost, weight, a and 1 more here, "
        "id, price, name there"
    )


def test_similar_or_only_other_names_are_told_column_by_column():
    longer = columns(ID=Kind.INT, Price=Kind.FLOAT, Name=Kind.TEXT, extra=Kind.INT)
    other = columns(a=Kind.INT, b=Kind.FLOAT, c=Kind.TEXT)

    assert {one[0] for one in told(longer)} == {"column-renamed", "column-added"}
    assert [one[0] for one in told(other)] == ["column-renamed"] * 3


def test_from_nothing_every_column_is_new():
    found = compare_schema([], BEFORE)

    assert [one.severity for one in found] == [Severity.WARN] * 3
