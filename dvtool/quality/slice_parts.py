"""Parts of a table that may explain a figure: runs of time, runs of rows, values of categories.

Here each part's sums are asked of the engine, in a few passes whatever the table's size. Which
part is chosen is `slices`' business, which is the only caller.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Final

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Column, Table

MOST_SUPPORT: Final = 0.5
"""A slice is a part: what holds more than half of the rows explains nothing."""
MOST_CATEGORIES: Final = 50
MOST_COLUMNS: Final = 40
"""Columns tried as categories, the first ones of the table."""
BLOCKS: Final = 20
MOST_BUCKETS: Final = 400
"""Buckets of time; days while they are this few, then weeks, then months."""
Sums = tuple[float, ...]
"""Rows first, then what the caller asked for."""


@dataclass(frozen=True, slots=True)
class Part:
    """One candidate: what it would be called, and its sums.

    Attributes:
        kind: `time`, `category`, `rows` or `file`.
        column: Of time or category, empty otherwise.
        value: What it is, or begins with.
        last: What it ends with, included.
        sums: Over its rows.
    """

    kind: str
    column: str
    value: str
    last: str
    sums: Sums


def tried(
    engine: Engine, table: Table, asked: Sequence[str], time: str, private: frozenset[str]
) -> tuple[Sums, list[Part]]:
    """Returns the sums of the whole table and of every candidate.

    Args:
        engine: Holds the table.
        table: Where to look; one without rows has no part.
        asked: SQL aggregates that add up over rows; the count of rows is put before them.
        time: The time column, empty for none.
        private: Columns of which no value may become the name of a part.
    """
    if not table.rows:
        return (0.0, *(0.0 for _ in asked)), []
    sums = f"count(*), {', '.join(asked)}"
    whole = _sums(engine.rows(f"SELECT {sums} FROM {table.source}")[0])
    parts = list(_blocks(engine, table, sums))
    moment = next((one for one in table.columns if one.name == time), None)
    if moment is not None and moment.kind.is_moment and time not in private:
        parts += _times(engine, table, sums, moment)
    for column in _categories(engine, table, private):
        parts += _values(engine, table, sums, column)
    return whole, parts


def _sums(row: Sequence[object]) -> Sums:
    return tuple(float(one) for one in row)  # type: ignore[arg-type]


def _blocks(engine: Engine, table: Table, sums: str) -> Iterator[Part]:
    """Yields every run of twentieths of the file."""
    row = quoted(ROW)
    last = engine.rows(f"SELECT max({row}) FROM {table.source}")[0][0]
    if last is None or last < 2 * BLOCKS:
        return
    block = f"(({row} - 1) * {BLOCKS}) // {int(last)}"
    found = engine.rows(
        f"SELECT {block}, min({row}), max({row}), {sums} FROM {table.source} GROUP BY 1 ORDER BY 1"
    )
    buckets = [(str(low), str(high), _sums(rest)) for _, low, high, *rest in found]
    yield from _runs("rows", "", buckets)


def _times(engine: Engine, table: Table, sums: str, column: Column) -> Iterator[Part]:
    """Yields every run of days, or of weeks or months where there are too many days."""
    name = f"CAST({quoted(column.name)} AS TIMESTAMP)"
    for unit in ("day", "week", "month"):
        start = f"date_trunc('{unit}', {name})"
        found = engine.rows(
            f"SELECT CAST({start} AS DATE), CAST(max({name}) AS DATE), {sums} FROM {table.source} "
            f"WHERE isfinite({name}) GROUP BY {start} ORDER BY 1 LIMIT {MOST_BUCKETS + 1}"
        )
        if len(found) <= MOST_BUCKETS:
            buckets = [(_day(low), _day(high), _sums(rest)) for low, high, *rest in found]
            yield from _runs("time", column.name, buckets)
            return


def _day(value: object) -> str:
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _runs(kind: str, column: str, buckets: Sequence[tuple[str, str, Sums]]) -> Iterator[Part]:
    """Yields every run of neighbouring buckets but the whole, by differences of running sums."""
    if not buckets:
        return
    zero = (0.0,) * len(buckets[0][2])
    add = partial(combined, sign=1.0)
    running = list(accumulate((one[2] for one in buckets), add, initial=zero))
    half = MOST_SUPPORT * running[-1][0]
    for start in range(len(buckets)):
        for end in range(start + 1, len(buckets) + 1):
            sums = combined(running[end], running[start], sign=-1.0)
            if sums[0] > half:
                break
            yield Part(kind, column, buckets[start][0], buckets[end - 1][1], sums)


def combined(a: Sums, b: Sums, *, sign: float) -> Sums:
    """Returns a + sign · b, sum by sum."""
    return tuple(x + sign * y for x, y in zip(a, b, strict=True))


def _categories(engine: Engine, table: Table, private: frozenset[str]) -> list[Column]:
    """Returns the columns with few enough values to try each of them."""
    fit = [
        one
        for one in table.columns
        if one.kind in (Kind.TEXT, Kind.BOOL, Kind.INT) and one.name not in private
    ][:MOST_COLUMNS]
    if not fit:
        return []
    counts = ", ".join(f"approx_count_distinct({quoted(one.name)})" for one in fit)
    found = engine.rows(f"SELECT {counts} FROM {table.source}")[0]
    # The count is off by a few percent; the query itself has the exact limit.
    return [one for one, n in zip(fit, found, strict=True) if 0 < n <= 2 * MOST_CATEGORIES]


def _values(engine: Engine, table: Table, sums: str, column: Column) -> Iterator[Part]:
    name = quoted(column.name)
    found = engine.rows(
        f"SELECT CAST({name} AS VARCHAR), {sums} FROM {table.source} "
        f"GROUP BY 1 ORDER BY 1 LIMIT {MOST_CATEGORIES + 2}"
    )
    if len(found) > MOST_CATEGORIES + 1:
        return
    for value, *rest in found:
        text = "missing" if value is None else _shown(str(value))
        yield Part("category", column.name, text, text, _sums(rest))


def _shown(text: str) -> str:
    """Returns a value between quotes, on one line of at most 60 characters."""
    flat = "".join(one if one.isprintable() else "\ufffd" for one in text)
    return repr(flat if len(flat) <= 60 else f"{flat[:59]}…")
