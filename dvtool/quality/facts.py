"""Facts of a table that bounds are suggested from: a few figures a column, counted by the engine.

What follows from them is `suggesting`. Called by `dvtool.ops.suggest`, once a version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import Column, Table

MAX_VALUES: Final = 30
"""A column with more values than that has no list of allowed ones."""

_FIRST_ROWS: Final = 2_000
_TEXTS: Final = "VARCHAR[]"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column of one version.

    Attributes:
        kind: Its kind.
        rows: Rows of the table.
        nulls: Of them without a value.
        distinct: Values, exact where `unique` or `values` depend on it.
        low: Smallest number or length-free moment, as a float for numbers, as text for moments.
        high: Largest, likewise.
        mean: Of numbers; None elsewhere.
        std: Of numbers, of the population; None elsewhere.
        values: Rows by value, for texts and booleans of at most `MAX_VALUES` values, and items by
            value for lists of texts; else empty.
        is_unique: Every row has a value of its own.
        unparsed: Texts that are not of the kind and were read as missing.
    """

    kind: Kind
    rows: int
    nulls: int
    distinct: int
    low: float | str | None = None
    high: float | str | None = None
    mean: float | None = None
    std: float | None = None
    values: Mapping[str, int] = field(default_factory=dict)
    is_unique: bool = False
    unparsed: int = 0


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One version: its rows, and its columns by name, in the order of the file."""

    rows: int
    columns: Mapping[str, ColumnFacts]


def facts_of(engine: Engine, table: Table) -> TableFacts:
    """Returns the facts of a table; an empty table has columns without values."""
    first = _aggregates(engine, table)
    columns = {one.name: _column(engine, table, one, first[one.name]) for one in table.columns}
    return TableFacts(table.rows, columns)


def _aggregates(engine: Engine, table: Table) -> dict[str, tuple[Any, ...]]:
    """Returns nulls, distinct (about), low, high, mean and std of every column, in one scan."""
    if not table.columns:
        return {}
    wanted: list[str] = []
    for column in table.columns:
        name = quoted(column.name)
        wanted += [f"count(*) - count({name})", f"approx_count_distinct({name})"]
        if column.kind.is_number:
            number = f"CAST({name} AS DOUBLE)"
            finite = f"FILTER (isfinite({number}))"
            wanted += [f"{how}({number}) {finite}" for how in ("min", "max", "avg", "stddev_pop")]
        elif column.kind.is_moment:
            wanted += [f"CAST(min({name}) AS VARCHAR)", f"CAST(max({name}) AS VARCHAR)"]
            wanted += ["NULL", "NULL"]
        else:
            wanted += ["NULL"] * 4
    (row,) = engine.rows(f"SELECT {', '.join(wanted)} FROM {table.source}")
    return {
        column.name: tuple(row[6 * number : 6 * number + 6])
        for number, column in enumerate(table.columns)
    }


def _column(engine: Engine, table: Table, column: Column, found: tuple[Any, ...]) -> ColumnFacts:
    nulls, distinct, low, high, mean, std = found
    name = quoted(column.name)
    present = table.rows - nulls
    values: dict[str, int] = {}
    is_few = column.kind in (Kind.TEXT, Kind.BOOL) and distinct <= 2 * MAX_VALUES
    if present and is_few:
        rows = engine.rows(
            f"SELECT CAST({name} AS VARCHAR), count(*) FROM {table.source} "
            f"WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_VALUES + 1}"
        )
        if len(rows) <= MAX_VALUES:
            values = {value: int(count) for value, count in rows}
            distinct = len(values)
    if present and column.type == _TEXTS:
        values = _items(engine, table, name)
    is_unique = False
    if present > 1 and distinct >= 0.8 * present and column.kind in (Kind.INT, Kind.TEXT):
        (distinct,), *_ = engine.rows(f"SELECT count(DISTINCT {name}) FROM {table.source}")
        is_unique = distinct == present
    return ColumnFacts(
        column.kind,
        table.rows,
        int(nulls),
        int(distinct),
        low,
        high,
        mean,
        std,
        values,
        is_unique,
        unparsed=(table.unparsed or {}).get(column.name, 0),
    )


def _items(engine: Engine, table: Table, name: str) -> dict[str, int]:
    """Returns how often each text stands in the lists of a column; empty for more than a few."""
    for limit in (f"LIMIT {_FIRST_ROWS}", ""):  # lists of sentences are told by their first ones
        rows = engine.rows(
            f"SELECT item, count(*) FROM (SELECT unnest({name}) AS item FROM "
            f"(SELECT {name} FROM {table.source} WHERE {name} IS NOT NULL {limit})) "
            f"WHERE item IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_VALUES + 1}"
        )
        if len(rows) > MAX_VALUES:
            return {}
    return {value: int(count) for value, count in rows}
