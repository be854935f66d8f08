"""Rows with too few or too many fields tell where they depart, where their fields can tell it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dvtool.quality.findings import Finding
from dvtool.quality.ragged import with_departures
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

HEAD = "id,name,age,city,amount,day"
GIVEN = ("Ann", "Bob", "Cy", "Di", "Ed", "Flo", "Gus")
INCIDENT = (
    Path(__file__).parents[3]
    / "shared"
    / "data"
    / "incidents"
    / "dpc_20200713_ragged_rows"
    / "bad.csv"
)
FAMILY = ("Lee", "Ray", "Dunn", "Fox", "Gray", "Hill", "Ives", "Jay", "King", "Low", "Moss")
CITIES = ("Bonn", "Kiel", "Ulm")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def whole(rows: int) -> list[str]:
    return [
        f"{at},{GIVEN[at % 7]} {FAMILY[at % 11]},{20 + at % 50},{CITIES[at % 3]},{at * 1.5:.2f},"
        f"2024-01-{1 + at % 28:02d}"
        for at in range(1, rows + 1)
    ]


def ragged(engine: Engine, folder: Path, odd: list[str], *, rows: int = 200) -> Finding:
    path = folder / "t.csv"
    lines = [HEAD, *whole(rows)]
    lines[4:4] = odd
    path.write_text("\n".join(lines) + "\n")
    table = open_table(engine, path, name="t.csv")
    told = with_departures(engine, None, table, table.findings)
    return next(one for one in told if one.code == "ragged-rows")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("7,Lee, Ann,33,Bonn,10.50,2024-01-05",
         "1 too many (7); left out of the table; line 5: a delimiter inside of name without quotes would explain it"),
        ("7,Ann Lee,33,Bonn,1,200.50,2024-01-05",
         "1 too many (7); left out of the table; line 5: a delimiter inside of amount without quotes, or a field too many there, would explain it"),
        ("7,Ann Lee,33,,Bonn,10.50,2024-01-05",
         "1 too many (7); left out of the table; line 5: a field too many at city would explain it"),
        ("7,Ann Lee,33,Bonn,10.50,2024-01-05,,",
         "1 too many (8); left out of the table; line 5: empty fields after the last, as delimiters at the end of the line make them"),
        ("7,Ann Lee,33,Bonn,10.50,2024-01-05,xx",
         "1 too many (7); left out of the table; line 5: a field too many after day"),
        ("7,Ann Lee,33,Bonn,10.50,2024-01-058,Cy Dunn,40,Ulm,5.50,2024-01-06",
         "1 too many (11); left out of the table; line 5: two rows in one line, the line end between them is missing"),
        ("7,Ann Lee,33,10.50,2024-01-05",
         "1 too few (5); left out of the table; line 5: no field for city"),
        ("7,Ann Lee,10.50,2024-01-05",
         "1 too few (4); left out of the table; line 5: no field for age and city"),
        ("7,Ann Lee,33,Bonn",
         "1 too few (4); left out of the table; line 5: it ends before amount"),
    ],
)  # fmt: skip
def test_a_row_tells_where_it_departs(engine, tmp_path, row, told):
    found = ragged(engine, tmp_path, [row])

    assert found.message == f"1 row without 6 fields, allowed 0: {told}"


def test_a_row_in_which_nothing_fits_tells_no_place(engine, tmp_path):
    found = ragged(engine, tmp_path, ["<p>,<b>,<i>"])

    assert found.message == (
        "1 row without 6 fields, allowed 0: 1 too few (3); left out of the table"
    )
    assert "places" not in found.figures


def test_columns_that_look_alike_are_not_told_apart(engine, tmp_path):
    path = tmp_path / "t.csv"
    rows = [f"{at % 7},{at % 5},{at % 6},{at % 4},{at % 3}" for at in range(100)]
    path.write_text("\n".join(["a,b,c,d,e", *rows, "1,1,1,1,1,1", *rows]) + "\n")
    table = open_table(engine, path, name="t.csv")

    (found,) = (
        one
        for one in with_departures(engine, None, table, table.findings)
        if one.code == "ragged-rows"
    )

    assert "line" not in found.message


def test_every_row_that_tells_its_place_is_in_the_figures(engine, tmp_path):
    odd = ["7,Ann Lee,33,Bonn", "<p>", "8,Lee, Ann,33,Bonn,10.50,2024-01-05"]

    found = ragged(engine, tmp_path, odd)

    assert found.message == (
        "3 rows without 6 fields, allowed 0: 2 too few (1 to 4), 1 too many (7); left out of the "
        "table; line 5: it ends before amount"
    )
    assert found.figures["places"] == [
        {"line": 5, "fields": 4, "why": "cut", "column": "amount"},
        {"line": 7, "fields": 7, "why": "split", "column": "name"},
    ]


def test_no_range_is_asked_for_where_few_rows_are_right(engine, tmp_path):
    found = ragged(engine, tmp_path, ["900,Ann Lee,33,9999.50,2024-01-05"], rows=5)

    assert found.message.endswith("line 5: no field for city")


@pytest.mark.shared
@pytest.mark.skipif(
    not INCIDENT.is_file(), reason="the real incidents are not beside this checkout"
)
def test_the_rows_of_a_real_incident_tell_which_of_three_empty_fields_was_lost(engine):
    table = open_table(engine, INCIDENT, name="bad.csv")

    found = with_departures(engine, None, table, table.findings)

    # Line 11 of the file: …,980,In fase di definizione/aggiornamento,,,0,
    assert [one.message for one in found if one.code == "ragged-rows"] == [
        "21 rows without 11 fields, allowed 0: 21 too few (10); left out of the table; line 11: "
        "a field missing at sigla_provincia, lat or long"
    ]
