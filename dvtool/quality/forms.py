"""What the values of each column look like, so that a cell can be asked which column it fits.

A form is made from rows that are known to be right and becomes an SQL condition on the text of any
cell. What follows from cells that fit another column is said in `shifted`, which calls this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.casting import TYPES, Reading, cast, is_null
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.table import Column, Table

MOST_ROWS: Final = 200_000
"""Rows that forms are made from, the first ones."""
MOST_WORDS: Final = 60
"""Different texts up to which a column is a category, of which only those fit."""
_NEAR_UNIQUE: Final = 0.5
_NUMBER: Final = Reading(Kind.FLOAT)


@dataclass(frozen=True, slots=True)
class Form:
    """What fits one column.

    Args:
        name: Of the column.
        reading: How its texts are read.
        is_optional: Whether a missing value fits.
        low: Smallest number that fits, None for other kinds.
        high: Largest.
        words: The texts that fit, of a category; empty for free text.
        lengths: Shortest and longest free text that fits.
        takes_numbers: Whether free text may be a number.
        is_telling: Whether anything can fail to fit.
    """

    name: str
    reading: Reading
    is_optional: bool = True
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
    lengths: tuple[int, int] = (0, 0)
    takes_numbers: bool = True
    is_telling: bool = True

    def fits(self, text: str, options: ReadOptions) -> str:
        """Returns the SQL condition that a text as written fits; never NULL.

        Args:
            text: SQL of the text.
            options: How the table of the text is read.
        """
        if not self.is_telling:
            return "true"
        missing = f"({text} IS NULL OR {is_null(text, options.nulls)})"
        told = f"coalesce({self._holds(text, options)}, false)"
        return f"CASE WHEN {missing} THEN {str(self.is_optional).lower()} ELSE {told} END"

    def _holds(self, text: str, options: ReadOptions) -> str:
        value = cast(text, self.reading, options)
        if self.low is not None and self.high is not None:
            return f"({value}) BETWEEN {_sql(self.low)} AND {_sql(self.high)}"
        if self.reading.kind is not Kind.TEXT:
            return f"({value}) IS NOT NULL"
        if self.words:
            return f"{text} IN ({', '.join(map(literal, self.words))})"
        short, long = self.lengths
        sized = f"strlen({text}) BETWEEN {short} AND {long}"
        return sized if self.takes_numbers else f"{sized} AND NOT {_is_other(text, options)}"


def readings_of(table: Table, *, mostly: dict[str, Kind] | None = None) -> list[Reading]:
    """Returns how each column of a table is read.

    Args:
        table: Read already.
        mostly: Columns that stayed text although most values are of this kind.
    """
    dates = dict(table.options.dates)
    kinds = {one.name: (mostly or {}).get(one.name, one.kind) for one in table.columns}
    return [
        Reading(kind if kind in TYPES else Kind.TEXT, dates.get(name, ""))
        for name, kind in kinds.items()
    ]


def forms_of(
    engine: Engine, table: Table, readings: Sequence[Reading], *, where: str = "true"
) -> list[Form]:
    """Returns the form of each column, from the first rows of a table.

    Args:
        engine: Holds it.
        table: Whose rows are right.
        readings: Of its columns.
        where: SQL condition of the rows that are right.
    """
    rows = f"(SELECT * FROM {table.raw} WHERE {where} LIMIT {MOST_ROWS})"
    parts = ["count(*)"]
    for column, reading in zip(table.columns, readings, strict=True):
        text = quoted(column.name)
        missing = f"({text} IS NULL OR {is_null(text, table.options.nulls)})"
        value = cast(text, reading, table.options)
        ends = (
            f"min({value}), max({value})"
            if reading.kind.is_number
            else (f"min(strlen({text})) FILTER (NOT {missing}), max(strlen({text}))")
        )
        other = f"count(*) FILTER ({_is_other(text, table.options)})"
        parts += [
            f"count(*) FILTER ({missing})",
            f"approx_count_distinct({text})",
            ends,
            other if reading.kind is Kind.TEXT else "0",
        ]
    (total, *found), *_ = engine.rows(f"SELECT {', '.join(parts)} FROM {rows}")
    forms = []
    for at, (column, reading) in enumerate(zip(table.columns, readings, strict=True)):
        figures = found[5 * at : 5 * at + 5]
        forms.append(_form(engine, rows, column, reading, (total, *figures)))
    return forms


def _form(
    engine: Engine, rows: str, column: Column, reading: Reading, figures: Sequence[float | None]
) -> Form:
    total, missing, distinct, low, high, numbers = figures
    assert total is not None and missing is not None and distinct is not None
    present = total - missing
    is_plain = column.kind not in (Kind.LIST, Kind.OTHER)
    if not is_plain or present <= 0 or low is None or high is None:
        return Form(column.name, reading, is_telling=False)
    is_optional = missing > 0
    if reading.kind.is_number:
        ends = _ends(
            float(low),
            float(high),
            is_own=reading.kind is Kind.INT and distinct > _NEAR_UNIQUE * present,
        )
        return Form(column.name, reading, is_optional, *ends)
    if reading.kind is not Kind.TEXT:
        return Form(column.name, reading, is_optional)
    words: tuple[str, ...] = ()
    if distinct <= 2 * MOST_WORDS and distinct <= _NEAR_UNIQUE * present:
        text = quoted(column.name)
        words = tuple(
            one
            for (one,) in engine.rows(
                f"SELECT DISTINCT {text} FROM {rows} WHERE {text} IS NOT NULL LIMIT {MOST_WORDS + 1}"
            )
        )
    if 0 < len(words) <= MOST_WORDS:
        return Form(column.name, reading, is_optional, words=words)
    lengths = int(low) // 2, 2 * int(high) + 1
    takes_numbers = numbers is not None and numbers > 0.01 * present
    return Form(column.name, reading, is_optional, lengths=lengths, takes_numbers=takes_numbers)


def _ends(low: float, high: float, *, is_own: bool) -> tuple[float, float]:
    """Returns the range that fits: half of it more at both ends, ten times as much of what moves on."""
    if is_own:
        most = 10 * max(abs(low), abs(high), 1.0)
        return (-most if low < 0 else min(low, 0.0) if low <= 10 else low / 10), most
    room = (high - low) / 2
    least = low - room
    return (max(least, 0.0) if low >= 0 else least), high + room


def _is_other(text: str, options: ReadOptions) -> str:
    """Returns the condition that a text is a number or a date written year first."""
    number = cast(text, _NUMBER, options)
    day = cast(text, Reading(Kind.DATETIME), options)
    return f"(({number}) IS NOT NULL OR ({day}) IS NOT NULL)"


def _sql(number: float) -> str:
    return f"CAST('{number!r}' AS DOUBLE)"
