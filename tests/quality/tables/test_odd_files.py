"""Files of other projects that break parsers: each is a table or is refused with a reason.

They are not shipped with the project: these tests are skipped, visibly, where the folder
`shared/data` does not stand beside the checkout. Nothing here may raise anything but `Unreadable`.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dvtool.errors import ExtraMissing
from dvtool.quality.findings import Severity, Verdict, verdict
from dvtool.quality.tables.endings import is_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable

DATA = Path(__file__).parents[4] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not DATA.is_dir(), reason="the odd files are not beside this checkout"),
]


def walk(folder):
    base = DATA / folder
    return [one for one in sorted(base.rglob("*")) if one.is_file()] if base.is_dir() else []


def name_of(path):
    return str(path.relative_to(DATA))


def outcome(path, engine):
    """Returns what happened to a file, its rows and its findings."""
    try:
        table = open_table(engine, path, name=name_of(path))
    except Unreadable as error:
        assert error.findings
        assert error.findings[0].severity is Severity.FAIL
        return "refused", 0, error.findings
    except ExtraMissing as error:
        return f"needs {error.hint}", 0, ()
    for view in (table.source, table.raw):
        rows = engine.rows(f"SELECT * FROM {view} ORDER BY __row")
        assert [row[0] for row in rows] == list(range(1, table.rows + 1))
    return "table", table.rows, table.findings


@pytest.mark.slow
def test_every_odd_file_is_a_table_or_refused_with_a_reason(capsys):
    report = []
    for path in walk("oddfiles"):
        with Engine(memory_bytes=256 << 20) as engine:
            what, rows, findings = outcome(path, engine)
        told = ", ".join(f"{one.key} ({one.severity.value})" for one in findings)
        report.append(f"{name_of(path):75} {what:8} {rows:6} {told}")

    with capsys.disabled():
        print("\n" + "\n".join(report))
    assert len(report) > 300


@pytest.mark.parametrize("path", walk("oddfiles/csv-spectrum"), ids=lambda path: path.name)
def test_the_csv_spectrum_reads_as_pythons_csv_module_does(path):
    with path.open(newline="", encoding="utf-8") as file:
        header, *expected = list(csv.reader(file))

    with Engine() as engine:
        table = open_table(engine, path)
        found = engine.rows(f"SELECT * FROM {table.raw} ORDER BY __row")

    assert [one.name for one in table.columns] == header
    assert [list(row[1:]) for row in found] == expected


@pytest.mark.parametrize("path", walk("oddfiles/json-test-suite"), ids=lambda path: path.name)
@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_what_is_no_json_is_never_accepted_without_a_failing_finding(path, ending, tmp_path):
    copy = tmp_path / f"t{ending}"
    copy.write_bytes(path.read_bytes())

    with Engine() as engine:
        _, _, findings = outcome_at(copy, engine)

    if path.name.startswith("n_"):
        assert verdict(findings) is Verdict.FAIL


def outcome_at(path, engine):
    try:
        table = open_table(engine, path, name=path.name)
    except Unreadable as error:
        return "refused", 0, error.findings
    return "table", table.rows, table.findings


ROWS = {
    "auto-mpg.csv": 392,
    "cows.csv": 100,
    "earthquakes.json": 1707,
    "employment_MA_reference.parquet": 68785,
    "iris.csv": 150,
    "movies.json": 3201,
    "penguins-raw.csv": 344,
    "penguins.csv": 344,
    "penguins.json": 344,
    "seattle-weather.csv": 1461,
    "titanic_all.csv": 1313,
    "unemployment1948.csv": 69,
}


@pytest.mark.parametrize("name", ROWS)
def test_tables_that_people_work_with_pass(name):
    with Engine() as engine:
        table = open_table(engine, DATA / "tables" / name)

    assert table.rows == ROWS[name]
    allowed = {Verdict.WARN} if name == "movies.json" else {Verdict.PASS}
    assert verdict(table.findings) in allowed


INCIDENTS = {
    "dpc_20200713_ragged_rows": "ragged-rows",
    "oa_countries_20250131_header_only": "header-only",
    "oa_regions_20250131_header_only": "header-only",
    "oa_frequencies_20220913_zero_bytes": "empty-file",
}


@pytest.mark.parametrize(("incident", "code"), INCIDENTS.items())
def test_a_real_incident_that_structure_shows_is_found(incident, code):
    bad = DATA / "incidents" / incident / "bad.csv"

    with Engine() as engine:
        _, _, findings = outcome(bad, engine)

    assert code in [one.code for one in findings]


HONEST = [one for one in walk("incidents") if is_table(one.name) and one.suffix == ".csv"]


@pytest.mark.slow
@pytest.mark.parametrize("path", [one for one in HONEST if one.stem != "bad"], ids=name_of)
def test_honest_versions_of_the_incidents_do_not_fail(path):
    with Engine() as engine:
        what, _, findings = outcome(path, engine)

    assert what == "table"
    assert [one.key for one in findings if one.severity is Severity.FAIL] == []
