"""Values that stand beside their columns are told as one shift; odd values in place are not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.folding import folded_into
from dvtool.quality.shifted import Shift, finding_of, shifted, with_shift
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.table import Table

Row = list[str]
HEADER = ["id", "day", "shop", "amount", "paid", "remark"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def sales(seed: int, count: int = 200) -> list[Row]:
    draw = random.Random(seed)
    return [
        [
            str(1000 * seed + number),
            f"2024-0{seed}-{1 + number % 28:02}",
            draw.choice(["Bonn", "Köln", "Trier"]),
            f"{draw.uniform(1, 90):.2f}",
            draw.choice(["true", "false"]),
            " ".join(draw.choices(["late", "box", "torn", "call"], k=3)),
        ]
        for number in range(count)
    ]


def table(engine: Engine, folder: Path, name: str, rows: Sequence[Row]) -> Table:
    path = folder / name
    path.write_text("\n".join(",".join(row) for row in [HEADER, *rows]) + "\n")
    return open_table(engine, path, name=name)


def found(
    engine: Engine, folder: Path, rows: Sequence[Row], before: Sequence[Row] | None = None
) -> Shift | None:
    earlier = None if before is None else table(engine, folder, "before.csv", before)
    return shifted(engine, earlier, table(engine, folder, "now.csv", rows))


def came_in(at: int) -> Callable[[Row], Row]:
    """An empty field comes in before one column, and the last value is lost."""
    return lambda row: [*row[:at], "", *row[at:-1]]


def went(at: int) -> Callable[[Row], Row]:
    """A field is lost, and the last column is empty."""
    return lambda row: [*row[:at], *row[at + 1 :], ""]


@pytest.mark.parametrize(
    ("change", "places", "first"),
    [
        (came_in(0), 1, 0),
        (came_in(1), 1, 1),
        (came_in(3), 1, 3),
        (went(0), -1, 0),
        (went(2), -1, 2),
        (lambda row: came_in(1)(came_in(1)(row)), 2, 1),
        (lambda row: [row[0], *row[2:], row[1]], -1, 1),
        (lambda row: [row[0], row[-1], *row[1:-1]], 1, 1),
    ],
)
@pytest.mark.parametrize("share", [1.0, 0.02])
def test_a_shift_is_told_by_places_column_and_rows(
    engine: Engine,
    tmp_path: Path,
    change: Callable[[Row], Row],
    places: int,
    first: int,
    share: float,
) -> None:
    rows = sales(2)
    chosen = range(0, 200, round(1 / share))
    for number in chosen:
        rows[number] = change(rows[number])

    shift = found(engine, tmp_path, rows, sales(1))

    assert shift is not None
    assert (shift.places, HEADER[shift.first]) == (places, HEADER[first])
    assert shift.rows == len(chosen)
    assert shift.examples == tuple(number + 1 for number in chosen)[:5]
    assert shift.columns == tuple(HEADER[first:])


@pytest.mark.parametrize("share", [0.1, 0.02])
def test_a_part_of_the_rows_is_told_without_a_baseline(
    engine: Engine, tmp_path: Path, share: float
) -> None:
    rows = sales(2)
    chosen = range(0, 200, round(1 / share))
    for number in chosen:
        rows[number] = came_in(1)(rows[number])

    shift = found(engine, tmp_path, rows)

    assert shift is not None
    assert (shift.places, HEADER[shift.first], shift.rows) == (1, "day", len(chosen))


@pytest.mark.parametrize("with_baseline", [False, True])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row,
        lambda row: [row[0], "", "", *row[3:]],
        lambda row: [row[0], "unknown", "unknown", "unknown", *row[4:]],
        lambda row: [row[0], "01/02/2024", row[2], f"{row[3]} EUR", *row[4:]],
        lambda row: [row[0], row[2], row[1], *row[3:]],
        lambda row: HEADER,
        lambda row: [str(9 * int(row[0])), row[1], "Mainz", str(99 * float(row[3])), *row[4:]],
    ],
)
def test_odd_values_in_their_own_columns_are_no_shift(
    engine: Engine, tmp_path: Path, spoil: Callable[[Row], Row], with_baseline: bool
) -> None:
    rows = sales(2)
    for number in range(0, 200, 10):
        rows[number] = spoil(rows[number])

    assert found(engine, tmp_path, rows, sales(1) if with_baseline else None) is None


def test_one_finding_tells_what_the_shift_explains(engine: Engine, tmp_path: Path) -> None:
    before = table(engine, tmp_path, "before.csv", sales(1))
    now = table(engine, tmp_path, "now.csv", [came_in(1)(row) for row in sales(2)])
    others = [*now.findings, *compare_schema(before.columns, now.columns, name="now.csv")]

    told = with_shift(engine, before, now, "", others)

    assert sorted({one.column for one in others}) == ["amount", "day", "paid", "remark", "shop"]
    assert [one.code for one in told] == ["columns-shifted"]
    assert told[0].severity is Severity.FAIL
    assert told[0].message == (
        "values stand 1 column too far right from day on, in all rows: "
        "shop holds what belongs to day"
    )
    assert told[0].figures["explains"]["column-retyped"] == 5


@pytest.mark.parametrize(("policy", "severity"), [("warn", "warn"), ("allow", "note")])
def test_the_policy_for_changes_of_columns_holds_for_shifts(
    engine: Engine, tmp_path: Path, policy: str, severity: str
) -> None:
    before = table(engine, tmp_path, "before.csv", sales(1))
    now = table(engine, tmp_path, "now.csv", [went(1)(row) for row in sales(2)])
    others = compare_schema(before.columns, now.columns, policy=policy, name="now.csv")

    told = with_shift(engine, before, now, policy, others)

    assert [(one.code, one.severity.value) for one in told] == [("columns-shifted", severity)]
    assert "1 column too far left from day on, in all rows: day holds what belongs to shop" in (
        told[0].message
    )


def test_the_lines_of_shifted_rows_are_named(engine: Engine, tmp_path: Path) -> None:
    rows = sales(2)
    for number in (5, 90):
        rows[number] = came_in(2)(rows[number])
    now = table(engine, tmp_path, "now.csv", rows)
    shift = shifted(engine, None, now)
    assert shift is not None

    finding = finding_of(engine, now, shift)

    assert finding.message == (
        "values stand 1 column too far right from shop on, in 2 of 200 rows: "
        "amount holds what belongs to shop"
    )
    assert [str(one.place) for one in finding.examples] == ["now.csv:7", "now.csv:92"]


def test_what_checks_ask_for_and_other_columns_stay() -> None:
    place = Place("t.csv")
    shift = Finding("columns-shifted", "", place, Evidence.STRUCTURE, figures={"columns": ["b"]})
    asked = Finding(
        "type", "", place, Evidence.SCHEMA, column="b", rule=Place("t.csv.checks.yaml", 3)
    )
    other = Finding("column-retyped", "", place, Evidence.SCHEMA, column="a")
    its = Finding("column-retyped", "", place, Evidence.SCHEMA, column="b")

    left = folded_into(shift, [asked, other, its])

    assert left[1:] == [asked, other]
    assert left[0].figures["explains"] == {"column-retyped": 1}
