"""A column of another kind is told with the fault that its texts show."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dvtool.quality.findings import Finding
from dvtool.quality.retyping import with_faults
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.schema import compare_schema

DRAW = random.Random(3)
NUMBERS = [DRAW.randint(1000, 90_000) for _ in range(400)]
OTHERS = [DRAW.randint(1000, 90_000) for _ in range(400)]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def found(
    engine: Engine, folder: Path, before: list[str], now: list[str], *, private: bool = False
) -> Finding:
    tables = []
    for name, texts in (("before.csv", before), ("now.csv", now)):
        path = folder / name
        lines = [f'{row},"{text}"' for row, text in enumerate(texts)]
        path.write_text("\n".join(["row,value", *lines]) + "\n")
        tables.append(open_table(engine, path, name=name))
    changed = compare_schema(tables[0].columns, tables[1].columns, name="now.csv")
    hidden = frozenset({"value"}) if private else frozenset[str]()
    (finding,) = with_faults(engine, *tables, changed, private=hidden)
    return finding


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda number: f"{number} kg", "number-format"),
        (lambda number: f"${number}", "number-format"),
        (lambda number: f"{number}.0", "int-became-float"),
        (lambda number: "unknown" if number % 4 == 0 else str(number), "constant-fill"),
    ],
)
def test_numbers_of_another_kind_are_told_with_what_became_of_them(
    engine: Engine, tmp_path: Path, change: Callable[[int], str], code: str
) -> None:
    finding = found(engine, tmp_path, [*map(str, NUMBERS)], [change(one) for one in OTHERS])

    assert finding.code == "column-retyped"
    assert finding.figures["likely_fault"]["code"] == code
    assert "; likely fault: " in finding.message


def test_dates_of_another_form_are_told(engine: Engine, tmp_path: Path) -> None:
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=row % 12) for row in range(400)]

    finding = found(engine, tmp_path, [*map(str, days)], [f"{one:%d/%m/%Y}" for one in days])

    assert finding.figures["likely_fault"]["code"] == "date-format"


def test_nothing_is_told_where_nothing_fits(engine: Engine, tmp_path: Path) -> None:
    words = [f"{DRAW.choice('abc')} {DRAW.choice('xyz')}" for _ in OTHERS]

    assert found(engine, tmp_path, [*map(str, NUMBERS)], words).message == "int became text"


def test_no_value_of_a_private_column_is_told(engine: Engine, tmp_path: Path) -> None:
    now = ["unknown" if one % 4 == 0 else str(one) for one in OTHERS]

    finding = found(engine, tmp_path, [*map(str, NUMBERS)], now, private=True)

    assert "unknown" not in finding.message
    assert "one value stands in" in finding.message
