"""Leaks between the parts of a split, planted one at a time."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from pathlib import Path

import pytest

from dvtool.quality.checks.model import IgnoreSpec, SplitsSpec, TableSpec
from dvtool.quality.findings import Finding, Outcome, Severity
from dvtool.quality.splits import judge_splits
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

HEADER = "user,seen_at,amount,city,churned"


def made(seed: int, count: int, *, users: str, year: int) -> list[str]:
    draw = random.Random(seed)
    return [
        f"{users}{draw.randrange(500)},{year}-{draw.randrange(1, 13):02}-{draw.randrange(1, 28):02},"
        f"{draw.gauss(50, 10):.4f},{draw.choice(['Pune', 'Delhi', 'Agra'])},"
        f"{draw.choice(['yes', 'no', 'no'])}"
        for _ in range(count)
    ]


SPEC = TableSpec(
    label="churned", splits=SplitsSpec(train="a", test="b", group="user", time="seen_at", line=7)
)


def judged(
    folder: Path, train: list[str], test: list[str], spec: TableSpec = SPEC
) -> list[Finding]:
    for name, rows in (("train.csv", train), ("test.csv", test)):
        (folder / name).write_text("\n".join([HEADER, *rows]) + "\n")
    with Engine() as engine:
        parts = {
            name: open_table(engine, folder / f"{name}.csv", name=f"{name}.csv")
            for name in ("train", "test")
        }
        return judge_splits(engine, parts, spec, source="x.checks.yaml")


@pytest.fixture
def train() -> list[str]:
    return made(1, 2000, users="a", year=2023)


@pytest.fixture
def test_rows() -> list[str]:
    return made(2, 500, users="b", year=2024)


def test_an_honest_split_has_no_finding(tmp_path: Path, train, test_rows) -> None:
    assert judged(tmp_path, train, test_rows) == []


def test_equal_rows_on_both_sides_are_counted_and_shown(tmp_path: Path, train, test_rows) -> None:
    spec = replace(SPEC, splits=SplitsSpec(train="a", test="b", line=7))

    found = judged(tmp_path, train, [*test_rows, *train[:25]], spec)

    (overlap,) = [one for one in found if one.code == "overlap"]
    assert overlap.figures["rows"] == 25
    assert overlap.severity is Severity.FAIL
    assert overlap.place.line == 502  # the first of them, behind a header and 500 rows
    assert "25 of 525 rows of test (4.8%) are in train too" in overlap.message


def test_rows_that_differ_by_case_and_spaces_are_told_apart_from_equal_ones(
    tmp_path: Path, train, test_rows
) -> None:
    spec = replace(SPEC, splits=SplitsSpec(train="a", test="b"))
    disguised = [one.replace("Pune", "PUNE ").replace("Delhi", "delhi") for one in train[:40]]
    changed = sum(a != b for a, b in zip(disguised, train[:40], strict=True))

    found = judged(tmp_path, train, [*test_rows, *disguised], spec)

    (near,) = [one for one in found if one.code == "near-overlap"]
    assert near.figures["rows"] == changed


def test_copied_rows_are_one_finding_and_not_their_groups_and_times_again(
    tmp_path: Path, train, test_rows
) -> None:
    copied = [*test_rows, *train[:40]]
    more = "a0,2023-01-01,1.0,Pune,no"

    found = judged(tmp_path, train, copied)
    both = judged(tmp_path, train, [*copied, more])
    ignored = replace(SPEC, ignore=(IgnoreSpec("overlap", datetime.date(2027, 1, 1), "known"),))
    waived = judged(tmp_path, train, copied, ignored)

    assert [one.code for one in found] == ["overlap"]
    told = {one.code: one.figures for one in both}
    assert told["time-order"] == {"rows": 1}
    assert {one.code for one in waived} == {"overlap", "group-overlap", "time-order"}


def test_a_group_on_both_sides_is_named(tmp_path: Path, train, test_rows) -> None:
    rows = [*test_rows, "a17,2024-05-05,1.0,Pune,no"]

    (found,) = judged(tmp_path, ["a17,2023-01-01,9.0,Agra,no", *train], rows)

    assert found.code == "group-overlap"
    assert found.figures["groups"] == 1
    assert [one.value for one in found.examples] == ["a17"]


def test_values_of_a_private_group_are_not_shown(tmp_path: Path, train, test_rows) -> None:
    from dvtool.quality.checks.model import ColumnSpec

    spec = replace(SPEC, columns=(ColumnSpec(name="user", private=True),))
    rows = [*test_rows, "a17,2024-05-05,1.0,Pune,no"]

    found = judged(tmp_path, ["a17,2023-01-01,9.0,Agra,no", *train], rows, spec)

    assert [one.code for one in found] == ["group-overlap"]
    assert "a17" not in repr(found)


def test_a_test_set_from_the_past_is_found(tmp_path: Path, train, test_rows) -> None:
    rows = [*test_rows, "b9,2022-03-03,1.0,Pune,no"]

    (found,) = judged(tmp_path, train, rows)

    assert found.code == "time-order"
    assert found.place.line == 502
    assert found.figures["rows"] == 1


def test_other_shares_of_the_label_are_a_warning(tmp_path: Path, train, test_rows) -> None:
    rows = [one.rpartition(",")[0] + ",yes" if n % 2 else one for n, one in enumerate(test_rows)]

    (found,) = judged(tmp_path, train, rows)

    assert found.code == "label-balance"
    assert found.severity is Severity.WARN


@pytest.mark.parametrize("numeric", [True, False])
def test_a_feature_that_gives_the_label_away_is_named(
    tmp_path: Path, train, test_rows, numeric
) -> None:
    def told(row: str) -> str:
        user, seen, _, city, churned = row.split(",")
        if numeric:
            return f"{user},{seen},{100.5 if churned == 'yes' else 1.5},{city},{churned}"
        return f"{user},{seen},1.5,{'left' if churned == 'yes' else 'stays'},{churned}"

    spec = replace(SPEC, splits=SplitsSpec(train="a", test="b", group="user"))

    found = judged(tmp_path, [told(one) for one in train], [told(one) for one in test_rows], spec)

    leaks = [one.column for one in found if one.code == "label-leak"]
    assert leaks == ["amount" if numeric else "city"]


def test_a_group_column_that_is_not_there_is_undecided(tmp_path: Path, train, test_rows) -> None:
    spec = replace(SPEC, splits=SplitsSpec(train="a", test="b", group="nobody"))

    found = judged(tmp_path, train, test_rows, spec)

    assert [one.outcome for one in found] == [Outcome.UNDECIDED]
    assert "no column nobody in train" in found[0].message
