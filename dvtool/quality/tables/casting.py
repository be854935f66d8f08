"""From text to values: the SQL expression of each kind, strict about what it takes.

The engine's own casts are too generous for data that somebody else wrote (`1.5` as an integer,
`0x1F`, `1_000`, an offset dropped from a time), so every expression is guarded. Which kind a column
gets is decided in `kinding`, which calls this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import literal
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.shapes import BOOL, INT

TYPES = {
    Kind.BOOL: "BOOLEAN",
    Kind.INT: "BIGINT",
    Kind.FLOAT: "DOUBLE",
    Kind.DATE: "DATE",
    Kind.DATETIME: "TIMESTAMP",
    Kind.TIME: "TIME",
}
"""Engine type of every kind that text can be read as; all other kinds stay VARCHAR."""

AMBIGUOUS_DATES = (("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y"))
"""Pairs of formats that read the same text as different days."""

_CLOCKS = ("", " %H:%M", " %H:%M:%S")
_NAMED = ("%b %d %Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y")
DATE_FORMATS = tuple(
    day + clock
    for day in (*(one for pair in AMBIGUOUS_DATES for one in pair), "%d.%m.%Y", *_NAMED)
    for clock in _CLOCKS
)
"""Formats of dates and times of day that are tried besides the year-first ones."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a column.

    Args:
        kind: What its values become; TEXT for no change.
        date_format: For dates that are not written year first, else empty.
    """

    kind: Kind
    date_format: str = ""


TEXT = Reading(Kind.TEXT)


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of text in a table, and its values where they were computed when it was parsed.

    Args:
        text: SQL of the text as written.
        reading: What `value` reads it as.
        value: SQL of the value, empty where only the text is there.
        rest: SQL of the text where `value` written out is not the text, NULL elsewhere; empty when
            the text itself is kept.
    """

    text: str
    reading: Reading = TEXT
    value: str = ""
    rest: str = ""

    def cast(self, reading: Reading, options: ReadOptions) -> str:
        """Returns the SQL of the value under a reading, as `cast` does."""
        if self.value and reading == self.reading:
            return self.value
        return cast(self.text, reading, options)

    @property
    def identity(self) -> tuple[str, ...]:
        """SQL of what is equal exactly where the texts are, cheaper than the text."""
        return (self.value, self.rest) if self.rest else (self.text,)


@dataclass(frozen=True, slots=True)
class Stored:
    """How a column becomes values while it is parsed, in three steps of which each sees the last.

    Nearly all texts are what their value is written out as. Where they are not, and only there, the
    guards of `cast` are asked.

    Args:
        cell: The column afterwards.
        keep: SQL of what is kept.
        parse: SQL of the first step, empty for nothing.
        compare: SQL of the second.
    """

    cell: Cell
    keep: str
    parse: str = ""
    compare: str = ""


def stored(place: int, reading: Reading, options: ReadOptions) -> Stored:
    """Returns how to keep column `c{place}` as values while it is parsed.

    Whole numbers, dates and the like are kept as values, and as text only where the value written
    out is another text; of decimals both are kept, since writing them out costs more.
    """
    column, value, rest, plain = f"c{place}", f"t{place}", f"r{place}", f"w{place}"
    if reading is TEXT:
        return Stored(Cell(column), column)
    parse = f"{cast(column, reading, options)} AS {value}"
    if reading.kind is Kind.FLOAT or reading.date_format:
        return Stored(Cell(column, reading, value), f"{value}, {column}", parse)
    cell = Cell(f"coalesce({rest}, CAST({value} AS VARCHAR))", reading, value, rest)
    parse = f"TRY_CAST({column} AS {TYPES[reading.kind]}) AS {plain}"
    compare = f"nullif({column}, {_canonical(column, plain, reading.kind)}) AS {rest}"
    guarded = cast(column, reading, options)
    keep = f"CASE WHEN {rest} IS NULL THEN {plain} ELSE {guarded} END AS {value}, {rest}"
    return Stored(cell, keep, parse, compare)


def stored_sql(columns: Sequence[Stored], source: str) -> str:
    """Returns the query that gives what is kept of all columns of a scan."""
    relation = source
    for step in ([one.parse for one in columns], [one.compare for one in columns]):
        relation = f"(SELECT {', '.join(['*', *filter(None, step)])} FROM {relation})"
    return f"SELECT {', '.join(one.keep for one in columns)} FROM {relation}"


def other_day(date_format: str) -> str:
    """Returns the format that swaps day and month, empty when there is no such reading."""
    day = date_format.split(" %H", maxsplit=1)[0]
    for one, two in AMBIGUOUS_DATES:
        if day in {one, two}:
            return date_format.replace(day, two if day == one else one)
    return ""


def reading_of_format(date_format: str) -> Reading:
    """Returns the reading of a format: DATETIME when it has a time of day, else DATE."""
    return Reading(Kind.DATETIME if "%H" in date_format else Kind.DATE, date_format)


def is_null(value: str, nulls: Sequence[str]) -> str:
    """Returns the SQL condition under which a text means "missing".

    Args:
        value: SQL expression of the text.
        nulls: Texts that mean it; none gives a condition that is never true.
    """
    tests = [f"{value} = ''"] if "" in nulls else []
    words = [literal(one) for one in nulls if one]
    if words:
        longest = max(len(one.encode()) for one in nulls)
        listed = ", ".join(words)
        # An AND looks through the list for long texts, too (DuckDB 2.0).
        tests.append(
            f"CASE WHEN strlen({value}) > {longest} THEN false ELSE {value} IN ({listed}) END"
        )
    return f"({' OR '.join(tests) or 'false'})"


def cast(value: str, reading: Reading, options: ReadOptions) -> str:
    """Returns the SQL expression of a text as a value, NULL for what does not parse.

    Args:
        value: SQL expression of the text; not NULL words only, which parse as nothing here
            (`NaN` included when it is among the options' nulls).
        reading: What to read it as.
        options: For decimal marks and nulls.
    """
    if reading.date_format:
        parsed = f"try_strptime({value}, {literal(reading.date_format)})"
        return f"CAST({parsed} AS {TYPES[reading.kind]})"
    if reading.kind is Kind.BOOL:
        words = ", ".join(map(literal, BOOL.split("|")))
        return f"CASE WHEN {value} IN ({words}) THEN lower({value}) = 'true' END"
    if reading.kind in (Kind.INT, Kind.FLOAT):
        return _number(value, reading.kind, options)
    dated = f"strlen({value}) >= 8 AND {value}[5] IN ('-', '/')"
    if reading.kind is Kind.DATE:
        return f"CASE WHEN {dated} AND strlen({value}) <= 10 THEN TRY_CAST({value} AS DATE) END"
    if reading.kind is Kind.DATETIME:
        # a cast to TIMESTAMP drops the offset without a word (DuckDB 2.0); the session is in UTC
        return f"CASE WHEN {dated} THEN CAST(TRY_CAST({value} AS TIMESTAMPTZ) AS TIMESTAMP) END"
    if reading.kind is Kind.TIME:
        return f"CASE WHEN {value}[2] = ':' OR {value}[3] = ':' THEN TRY_CAST({value} AS TIME) END"
    return value


def _canonical(text: str, value: str, kind: Kind) -> str:
    """Returns a value written out, if that is a text that `cast` takes, for comparing with its text.

    Of dates and times only those of years with four digits; longer ones are for `cast` to refuse.
    """
    written = f"CAST({value} AS VARCHAR)"
    length = {Kind.DATE: 10, Kind.DATETIME: 19}.get(kind)
    return f"CASE WHEN strlen({text}) = {length} THEN {written} END" if length else written


def _is_whole(text: str) -> str:
    return f"regexp_full_match(trim({text}), {literal(INT)})"


def _number(value: str, kind: Kind, options: ReadOptions) -> str:
    plain = value
    if options.thousands:
        mark, point = literal(options.thousands), "[.]" if options.decimal == "." else ","
        group = "[.]" if options.thousands == "." else options.thousands
        shape = literal(f"[+-]?[0-9]{{1,3}}({group}[0-9]{{3}})+({point}[0-9]*)?")
        grouped = (
            f"CASE WHEN regexp_full_match({value}, {shape}) THEN replace({value}, {mark}, '') END"
        )
        plain = f"CASE WHEN contains({value}, {mark}) THEN {grouped} ELSE {value} END"
    if options.decimal == ",":
        plain = f"CASE WHEN contains({plain}, '.') THEN NULL ELSE replace({plain}, ',', '.') END"
    if kind is Kind.INT:
        whole = f"TRY_CAST({plain} AS BIGINT)"
        # canonical integers, nearly all of them, never reach the regular expression
        return (
            f"CASE WHEN CAST({whole} AS VARCHAR) = {plain} OR {_is_whole(plain)} THEN {whole} END"
        )
    number = f"TRY_CAST({plain} AS DOUBLE)"
    nan = any(one.lower() in {"nan", "-nan"} for one in options.nulls)
    nothing = "CAST('nan' AS DOUBLE)" if nan else "NULL"
    # DuckDB 2.0 takes 1_000 as a number; 0x1F only as a whole one. Asking for the mark first, and
    # casting what has none, takes twice as long.
    return f"nullif({number}, CASE WHEN contains({value}, '_') THEN {number} ELSE {nothing} END)"
