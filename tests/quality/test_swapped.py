"""Columns that are swapped are told as a pair; odd values in their own columns are not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dvtool.quality.findings import Finding
from dvtool.quality.shifted import with_shift
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.table import Table

Row = list[str]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def places(seed: int) -> list[Row]:
    draw = random.Random(seed)
    return [
        [
            draw.choice(["Rome", "Bari", "Pisa"]),
            f"{draw.uniform(40, 46):.3f}",
            f"{draw.uniform(9, 18):.3f}",
            f"2024-0{seed}-{draw.randint(1, 28):02}",
            str(draw.randint(1, 500)),
        ]
        for _ in range(200)
    ]


def table(engine: Engine, folder: Path, name: str, rows: Sequence[Row]) -> Table:
    path = folder / name
    lines = ["city,lat,long,day,cases", *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return open_table(engine, path, name=name)


def found(
    engine: Engine, folder: Path, change: Callable[[Row], Row], every: int = 1
) -> list[Finding]:
    before = table(engine, folder, "before.csv", places(1))
    rows = [change(row) if at % every == 0 else row for at, row in enumerate(places(2))]
    now = table(engine, folder, "now.csv", rows)
    others = [*now.findings, *compare_schema(before.columns, now.columns, name="now.csv")]
    return with_shift(engine, before, now, "", others)


def city_and_day(row: Row) -> Row:
    return [row[3], row[1], row[2], row[0], row[4]]


def test_two_columns_of_different_kinds_that_are_swapped_are_one_finding(
    engine: Engine, tmp_path: Path
) -> None:
    (whole,) = found(engine, tmp_path, city_and_day)
    (part,) = found(engine, tmp_path, city_and_day, every=10)

    assert whole.code == part.code == "columns-swapped"
    assert whole.message == "values of city and day stand in each other's place, in all rows"
    assert part.message == "values of city and day stand in each other's place, in 20 of 200 rows"
    assert [one.place.line for one in part.examples] == [2, 12, 22, 32, 42]
    assert whole.examples == ()


def test_two_numbers_that_are_swapped_are_told_by_their_ranges(
    engine: Engine, tmp_path: Path
) -> None:
    def change(row: Row) -> Row:
        return [row[0], row[2], row[1], f"{row[3]}?", row[4]]

    told = {one.code: one for one in found(engine, tmp_path, change, every=4)}

    assert told["columns-swapped"].figures["columns"] == ["lat", "long"]
    assert told["columns-swapped"].figures["rows"] == 50
    assert "column-retyped" in told  # of the day, which the swap does not explain


@pytest.mark.parametrize(
    "change",
    [
        lambda row: [*row[:3], f"{row[3]}?", row[4]],
        lambda row: [row[0], "unknown", "unknown", *row[3:]],
        lambda row: [row[0], "99", "99", f"{row[3]}?", row[4]],
        lambda row: ["?", row[1], row[2], "?", row[4]],
    ],
)
def test_odd_values_are_no_swap(
    engine: Engine, tmp_path: Path, change: Callable[[Row], Row]
) -> None:
    codes = {one.code for one in found(engine, tmp_path, change, every=4)}

    assert "columns-swapped" not in codes
    assert codes & {"column-retyped", "mixed-types"}
