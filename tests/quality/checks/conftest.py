"""Tables made by hand, so that what is judged does not depend on how files are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.table import Column, Table

TYPES = {
    "int": "BIGINT",
    "float": "DOUBLE",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "list": "BIGINT[]",
    "other": "BLOB",
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as one:
        yield one


def table_of(
    engine: Engine,
    kinds: Mapping[str, str],
    rows: Sequence[Sequence[Any]],
    *,
    name: str = "data.csv",
    format: str = "csv",
) -> Table:
    """Rows of texts, as a CSV file holds them; '' is missing and what does not parse is lost."""
    raw, source = engine.fresh("raw"), engine.fresh("typed")
    columns = ", ".join(f"{quoted(column)} VARCHAR" for column in kinds)
    engine.rows(f'CREATE TABLE {raw} ("__row" BIGINT, {columns})')
    marks = ", ".join("?" for _ in range(len(kinds) + 1))
    if rows:
        given = [cell for n, row in enumerate(rows, 1) for cell in (n, *row)]
        engine.rows(f"INSERT INTO {raw} VALUES {', '.join([f'({marks})'] * len(rows))}", given)
    typed = ", ".join(
        f"TRY_CAST(nullif({quoted(column)}, '') AS {TYPES[kind]}) AS {quoted(column)}"
        for column, kind in kinds.items()
    )
    engine.rows(f'CREATE VIEW {source} AS SELECT "__row", {typed} FROM {raw}')
    found = tuple(Column(column, Kind(kind), TYPES[kind]) for column, kind in kinds.items())
    lines = LineMap(first=2) if format == "csv" else LineMap()
    return Table(name, ReadOptions(format=format), found, len(rows), source, raw, places=lines)


@pytest.fixture
def table(engine: Engine) -> Callable[..., Table]:
    def make(kinds: Mapping[str, str], rows: Sequence[Sequence[Any]], **more: Any) -> Table:
        return table_of(engine, kinds, rows, **more)

    return make
