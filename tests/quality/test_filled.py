"""Values that were filled in from row to row are named; rows in another order are not."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dvtool.quality.filled import Filled, filled, findings_of
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Table

Rows = list[list[str]]
HEADER = ["day", "region", "price", "note"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def panel(seed: int, days: int = 60, regions: str = "KLMNO") -> Rows:
    """Returns a row for each day and region, a price that never repeats and a note often missing."""
    draw = random.Random(seed)
    start = dt.date(2024, seed, 1)
    return [
        [
            str(start + dt.timedelta(days=day)),
            region,
            f"{draw.gauss(50, 9):.3f}",
            draw.choice(["", "", "red", "green", "blue", "black", "white", "grey"]),
        ]
        for day in range(days)
        for region in regions
    ]


def table(engine: Engine, folder: Path, name: str, rows: Sequence[Sequence[str]]) -> Table:
    path = folder / name
    path.write_text("\n".join(",".join(row) for row in [HEADER, *rows]) + "\n")
    return open_table(engine, path, name=name)


def told(engine: Engine, folder: Path, before: Rows | None, rows: Rows) -> dict[str, Filled]:
    earlier = None if before is None else table(engine, folder, "before.csv", before)
    found = filled(engine, earlier, table(engine, folder, "now.csv", rows))
    return {one.column: one for one in found}


def test_a_day_that_counts_up_where_one_day_stood_before_is_a_filled_series(
    engine: Engine, tmp_path: Path
) -> None:
    before = panel(1, days=1, regions="ABCDEFGHIJKLMNOPQRST")
    rows = panel(2, days=1, regions="ABCDEFGHIJKLMNOPQRST")
    for number, row in enumerate(rows[:15]):
        row[0] = f"2024-02-{1 + number:02}"

    (found,) = told(engine, tmp_path, before, rows).values()

    assert (found.column, found.fault.code) == ("day", "filled-series")
    assert found.fault.words == (
        "counts up by 1 day from row to row: rows 1 to 15, as a spreadsheet fills a series; "
        "in the baseline one value stands in all rows"
    )


def test_codes_that_count_up_are_a_filled_series_too(engine: Engine, tmp_path: Path) -> None:
    before, rows = panel(1), panel(2)
    draw = random.Random(7)
    for row in [*before, *rows]:
        row[1] = f"zone-{draw.randint(1, 9):02}"
    for number, row in enumerate(rows[100:140]):
        row[1] = f"zone-{number:02}"

    (found,) = told(engine, tmp_path, before, rows).values()

    assert (found.column, found.fault.code) == ("region", "filled-series")
    assert "rows 101 to 140" in found.fault.words


def test_a_day_that_stands_over_the_next_ones_is_carried_down(
    engine: Engine, tmp_path: Path
) -> None:
    rows = panel(2)
    for row in rows[55:70]:
        row[0] = rows[50][0]

    for before in (None, panel(1)):
        (found,) = told(engine, tmp_path, before, rows).values()

        assert (found.column, found.fault.code) == ("day", "filled-down")
        assert found.fault.words == (
            "one value stands in 20 rows (rows 51 to 70), the others in 5 each, and the next "
            "3 values of the series are missing: carried into rows that belong to another"
        )


def test_one_value_in_the_rows_below_is_carried_down(engine: Engine, tmp_path: Path) -> None:
    rows = panel(2)
    for row in rows[90:110]:
        row[2] = rows[89][2]

    (found,) = told(engine, tmp_path, panel(1), rows).values()

    assert (found.column, found.fault.code) == ("price", "filled-down")
    assert "the value of row 90 stands in the 20 rows below it as well (rows 91 to 110)" in (
        found.fault.words
    )
    assert found.fault.share == pytest.approx(20 / 300)


def test_missing_values_that_became_the_value_above_are_told(
    engine: Engine, tmp_path: Path
) -> None:
    before, rows = panel(1, days=300), panel(2, days=300)
    for above, row in itertools.pairwise(rows):
        row[3] = row[3] or above[3]

    (found,) = told(engine, tmp_path, before, rows).values()

    assert (found.column, found.fault.code) == ("note", "filled-down")
    assert found.fault.words.startswith(
        "missing values were filled with the value of the row above"
    )
    assert found.fault.share == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_rows_in_another_order_are_no_filled_values(
    engine: Engine, tmp_path: Path, column: int
) -> None:
    before, rows = panel(1), panel(2)
    random.Random(5).shuffle(before)
    rows.sort(key=lambda row: row[column])

    assert told(engine, tmp_path, before, rows) == {}


def test_other_rows_of_the_same_kind_are_no_filled_values(engine: Engine, tmp_path: Path) -> None:
    assert told(engine, tmp_path, panel(1), panel(2)) == {}
    assert told(engine, tmp_path, panel(1), panel(3, days=90)) == {}
    assert told(engine, tmp_path, None, panel(4)) == {}


def test_a_day_without_rows_and_one_with_more_is_no_filled_value(
    engine: Engine, tmp_path: Path
) -> None:
    rows = panel(2)
    rows = [row for at, row in enumerate(rows) if not 55 <= at < 60]
    rows[100:100] = rows[95:100]

    assert told(engine, tmp_path, panel(1), rows) == {}


@pytest.mark.parametrize(("usual", "columns"), [(40, []), (0, ["day", "price"])])
def test_busy_hours_of_a_new_day_are_no_filled_values(
    engine: Engine, tmp_path: Path, usual: int, columns: list[str]
) -> None:
    def flights(day: int, busy: int) -> Rows:
        return [
            [f"2024-01-{day:02} {at:02}:00:00", region, f"{100 + at}.5", "x"]
            for at in range(6, 22)
            for region in "KL"[: 1 + at % 2] + ("RSTUVWXYZ" * 9)[: busy if at == 10 else 0]
        ]

    assert [*told(engine, tmp_path, flights(1, usual), flights(2, 75))] == columns


@pytest.mark.parametrize(("value", "last"), [("0", 110), ("50.125", 300)])
def test_a_default_and_one_value_throughout_are_not_carried_down(
    engine: Engine, tmp_path: Path, value: str, last: int
) -> None:
    rows = panel(2)
    for row in rows[0 if last == 300 else 90 : last]:
        row[2] = value

    assert told(engine, tmp_path, panel(1), rows) == {}


def test_a_finding_names_the_first_and_the_last_row(engine: Engine, tmp_path: Path) -> None:
    rows = panel(2)
    for row in rows[90:110]:
        row[2] = rows[89][2]
    now = table(engine, tmp_path, "now.csv", rows)
    before = table(engine, tmp_path, "before.csv", panel(1))

    (finding,) = findings_of(engine, now, filled(engine, before, now))

    assert (finding.code, finding.column, finding.severity.value) == (
        "filled-down",
        "price",
        "warn",
    )
    assert str(finding.place) == "now.csv:91"
    assert [(one.place.row, one.value) for one in finding.examples] == [(90, None), (110, None)]
