"""Columns of numbers that look alike are told by their distributions when whole columns change places."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dvtool.quality.checks.model import TableSpec
from dvtool.quality.drifting import compare
from dvtool.quality.findings import Finding
from dvtool.quality.shifted import with_shift
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Table

LAWS = ((50, 10), (56, 12), (63, 9))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def prices(
    engine: Engine,
    folder: Path,
    name: str,
    seed: int,
    order: Sequence[int] = (0, 1, 2),
    laws: Sequence[tuple[float, float]] = LAWS,
) -> Table:
    draw = random.Random(seed)
    lines = ["id,p,q,r"]
    for at in range(600):
        values = [draw.gauss(*law) for law in laws]
        lines.append(f"{at}," + ",".join(f"{values[place]:.1f}" for place in order))
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return open_table(engine, path, name=name)


def told(engine: Engine, before: Table, now: Table) -> list[Finding]:
    found, *_ = compare(engine, before, now, TableSpec(), source="")
    return with_shift(engine, before, now, "", found)


def test_columns_that_moved_on_by_one_are_one_finding(engine: Engine, tmp_path: Path) -> None:
    before = prices(engine, tmp_path, "old.csv", 1)
    now = prices(engine, tmp_path, "new.csv", 2, order=(2, 0, 1))

    (finding,) = told(engine, before, now)

    assert (finding.code, finding.severity.value) == ("columns-shifted", "fail")
    assert finding.message == (
        "values stand in other columns, in all rows: p holds what belongs to r, q holds what belongs "
        "to p, r holds what belongs to q, by how they are distributed"
    )
    assert finding.figures["explains"] == {"wasserstein": 3}


def test_two_columns_in_each_other_s_place_are_one_finding(engine: Engine, tmp_path: Path) -> None:
    before = prices(engine, tmp_path, "old.csv", 1)
    now = prices(engine, tmp_path, "new.csv", 2, order=(1, 0, 2))

    (finding,) = told(engine, before, now)

    assert finding.code == "columns-swapped"
    assert finding.message == (
        "values of p and q stand in each other's place, in all rows, by how they are distributed"
    )


def test_columns_that_drifted_to_values_of_nobody_are_told_as_drift(
    engine: Engine, tmp_path: Path
) -> None:
    before = prices(engine, tmp_path, "old.csv", 1)
    now = prices(engine, tmp_path, "new.csv", 2, laws=((60, 15), (46, 8), (63, 9)))

    assert {one.code for one in told(engine, before, now)} == {"wasserstein"}


def test_a_column_that_drifted_onto_its_neighbour_alone_is_told_as_drift(
    engine: Engine, tmp_path: Path
) -> None:
    before = prices(engine, tmp_path, "old.csv", 1)
    now = prices(engine, tmp_path, "new.csv", 2, laws=((56, 12), (56, 12), (63, 9)))

    assert [(one.code, one.column) for one in told(engine, before, now)] == [("wasserstein", "p")]


def test_columns_of_one_law_are_never_told_apart(engine: Engine, tmp_path: Path) -> None:
    one_law = ((50, 10), (50, 10), (63, 9))
    before = prices(engine, tmp_path, "old.csv", 1, laws=one_law)
    now = prices(engine, tmp_path, "new.csv", 2, order=(2, 0, 1), laws=one_law)

    codes = {one.code for one in told(engine, before, now)}

    assert "columns-swapped" not in codes
    assert "columns-shifted" not in codes
