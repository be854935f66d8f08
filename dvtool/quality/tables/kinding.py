"""Decides what each column of text is, once, for the whole table.

A sample proposes how to read a column; counting over all rows decides, so that no batch can differ
from another. The expressions stand in `casting`, the wording of findings in `kindfindings`.
`csvfile`, `jsonfile` and `workbook` call it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables import kindfindings as say
from dvtool.quality.tables.casting import (
    DATE_FORMATS,
    TEXT,
    TYPES,
    Reading,
    cast,
    is_null,
    other_day,
    reading_of_format,
)
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.shapes import DECIMAL_COMMA, FLOAT, GROUPED, INT, LEADING_ZERO
from dvtool.quality.tables.views import Field

NEARLY = 0.95
"""Share of a column's values that must be of one kind for the column to be of that kind."""

_SAMPLE_ROWS = 20_000
_AT_ONCE = 40
_READINGS = (
    Reading(Kind.BOOL),
    Reading(Kind.INT),
    Reading(Kind.FLOAT),
    Reading(Kind.DATE),
    Reading(Kind.DATETIME),
    Reading(Kind.TIME),
    *(reading_of_format(one) for one in DATE_FORMATS),
)
_WIDER = {Reading(Kind.INT): Reading(Kind.FLOAT), Reading(Kind.DATE): Reading(Kind.DATETIME)}
TEMPORAL = frozenset({Kind.DATE, Kind.DATETIME, Kind.TIME})
"""Kinds that texts of formats with numbers of their own can still be."""

_ALL = frozenset(TYPES)
_DATE_LIKE = r"(?i).*([0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}|[0-9]{1,2}[ -][a-z]{3,9}[ -][0-9]{4}|[a-z]{3,9} [0-9]{1,2},? [0-9]{4}).*"


@dataclass(slots=True)
class Tally:
    """What counting over all rows found about one column.

    Args:
        values: Texts that do not mean "missing".
        empty: Empty texts, where those mean "missing".
        words: Other texts that mean "missing".
        parsed: Values that the reading takes.
        swapped: Values that the same format with day and month swapped takes.
        zeros: Whole numbers with leading zeros.
        long: Whole numbers that do not fit 64 bits.
    """

    values: int = 0
    empty: int = 0
    words: int = 0
    parsed: int = 0
    swapped: int = 0
    zeros: int = 0
    long: int = 0


def decide(
    engine: Engine,
    base: str,
    columns: Sequence[str],
    names: Sequence[str],
    options: ReadOptions,
    *,
    name: str,
    places: LineMap,
    told: bool,
    kinds: frozenset[Kind] = _ALL,
) -> tuple[list[Field], ReadOptions, list[Finding]]:
    """Returns how both views compute each column, the settled options, and what was found.

    Args:
        engine: Holds `base`.
        base: A table.
        columns: Its columns of text, as SQL.
        names: Their names as the user knows them.
        options: `types` and `dates` are followed; other columns are decided here.
        name: The file as the user knows it.
        places: To turn rows of examples into lines.
        told: Whether the caller chose the decimal mark; sniffed otherwise.
        kinds: What a column may turn out to be besides TEXT.
    """
    sample = _sampled(engine, base)
    if not told:
        options = _sniff_decimals(engine, sample, columns, options)
    declared = _declared(names, options)
    proposed = _propose(engine, sample, columns, options, kinds, skip=set(declared))
    engine.rows(f"DROP TABLE {sample}")
    readings = [declared.get(place, proposed.get(place, TEXT)) for place in range(len(names))]
    tallies = count(engine, base, columns, readings, options)
    narrow = [place for place in range(len(names)) if place not in declared]
    _widen(engine, base, columns, readings, tallies, options=options, places=narrow)
    about = say.Columns(engine, base, columns, names, options, name, places)
    for place, reading in enumerate(readings):
        if place not in declared and not _holds(reading, tallies[place]):
            about.refused(place, reading, tallies[place])
            readings[place] = TEXT
        elif reading is not TEXT and tallies[place].parsed < tallies[place].values:
            about.mixed(place, reading, tallies[place], declared=place in declared)
    for place, tally in enumerate(tallies):
        about.nulls(place, readings[place], tally)
        if readings[place] is TEXT and place not in declared and Kind.INT in kinds:
            about.ambiguous_numbers(place, proposed.get(place, TEXT))
    fields = [
        Field(
            one,
            _typed(columns[place], readings[place], tallies[place], options),
            TYPES.get(readings[place].kind, "VARCHAR"),
            columns[place],
        )
        for place, one in enumerate(names)
    ]
    settled = replace(
        options,
        types=tuple((one, readings[place].kind.value) for place, one in enumerate(names)),
        dates=tuple(
            (one, readings[place].date_format)
            for place, one in enumerate(names)
            if readings[place].date_format
        ),
    )
    return fields, settled, about.findings()


def _widen(
    engine: Engine,
    base: str,
    columns: Sequence[str],
    readings: list[Reading],
    tallies: list[Tally],
    *,
    options: ReadOptions,
    places: Sequence[int],
) -> None:
    """Replaces a reading by the wider one of its family where that takes values the narrow refuses."""
    narrow = [
        place
        for place in places
        if readings[place] in _WIDER and tallies[place].parsed < tallies[place].values
    ]
    wider = [_WIDER[readings[place]] for place in narrow]
    counted = count(engine, base, [columns[place] for place in narrow], wider, options)
    for place, reading, tally in zip(narrow, wider, counted, strict=True):
        if tally.parsed > tallies[place].parsed and not tallies[place].zeros:
            readings[place], tallies[place] = reading, tally


def count(
    engine: Engine,
    base: str,
    columns: Sequence[str],
    readings: Sequence[Reading],
    options: ReadOptions,
) -> list[Tally]:
    """Returns one tally a column, counted over all rows of `base`."""
    tallies: list[Tally] = []
    for chunk in _chunks(range(len(columns))):
        parts: list[str] = []
        for place in chunk:
            parts += _counters(columns[place], readings[place], options)
        row = engine.rows(f"SELECT {', '.join(parts)} FROM {base}")[0]
        for at in range(0, len(row), 7):
            tallies.append(Tally(*(int(one or 0) for one in row[at : at + 7])))
    return tallies


def _counters(column: str, reading: Reading, options: ReadOptions) -> list[str]:
    """Returns the aggregates behind one `Tally`; rare cases are looked at only where they occur."""
    if reading is TEXT:
        empty = f"count(*) FILTER (WHERE {column} = '')" if "" in options.nulls else "0"
        words = is_null(column, [one for one in options.nulls if one])
        missing = f"count(*) FILTER (WHERE {words})"
        return [f"count({column}) - {empty} - {missing}", empty, missing, "0", "0", "0", "0"]
    value = cast(column, reading, options)
    parsed = f"count({value})"
    missing = is_null(column, options.nulls)
    refused = f"count(CASE WHEN ({value}) IS NULL THEN CASE WHEN NOT {missing} THEN 1 END END)"
    swapped = zeros = long = "0"
    if other := other_day(reading.date_format):
        swapped = f"count({cast(column, replace(reading, date_format=other), options)})"
    if reading.kind is Kind.INT:
        shape = f"regexp_full_match({column}, {literal(LEADING_ZERO)})"
        odd = f"CAST(TRY_CAST({column} AS BIGINT) AS VARCHAR) <> {column}"
        zeros = f"count(CASE WHEN {odd} THEN CASE WHEN {shape} THEN 1 END END)"
    if reading.kind is Kind.FLOAT:
        whole = f"regexp_full_match({column}, {literal(INT)})"
        large = f"{whole} AND TRY_CAST({column} AS BIGINT) IS NULL"
        long = f"count(CASE WHEN strlen({column}) > 18 THEN CASE WHEN {large} THEN 1 END END)"
    return [f"{parsed} + {refused}", "0", "0", parsed, swapped, zeros, long]


def _holds(reading: Reading, tally: Tally) -> bool:
    """Tells whether the whole table bears out what the sample proposed."""
    if reading is TEXT:
        return True
    good = tally.values > 0 and tally.parsed >= NEARLY * tally.values
    if other_day(reading.date_format) and tally.swapped >= NEARLY * tally.values:
        return False
    return good and not tally.zeros and not tally.long


def _typed(column: str, reading: Reading, tally: Tally, options: ReadOptions) -> str:
    if reading is not TEXT and reading.kind in TYPES:
        return cast(column, reading, options)
    if tally.words:
        return f"CASE WHEN {is_null(column, options.nulls)} THEN NULL ELSE {column} END"
    return f"nullif({column}, '')" if tally.empty else column


def _declared(names: Sequence[str], options: ReadOptions) -> dict[int, Reading]:
    kinds, formats = dict(options.types), dict(options.dates)
    found: dict[int, Reading] = {}
    for place, name in enumerate(names):
        if name in kinds:
            kind = Kind(kinds[name])
            found[place] = (
                Reading(kind, formats.get(name, "") if kind.is_moment else "")
                if kind in TYPES
                else TEXT
            )
    return found


def _propose(
    engine: Engine,
    sample: str,
    columns: Sequence[str],
    options: ReadOptions,
    kinds: frozenset[Kind],
    *,
    skip: set[int],
) -> dict[int, Reading]:
    """Returns the best reading of each column in a sample spread over the table."""
    usual = [one for one in _READINGS if one.kind in kinds and not one.date_format]
    formats = [one for one in _READINGS if one.kind in kinds and one.date_format]
    proposed: dict[int, Reading] = {}
    date_like: list[int] = []
    for chunk in _chunks(place for place in range(len(columns)) if place not in skip):
        parts: list[str] = []
        for place in chunk:
            column = columns[place]
            parts.append(f"count(*) FILTER (WHERE NOT {is_null(column, options.nulls)})")
            parts.append(
                f"count(*) FILTER (WHERE regexp_full_match({column}, {literal(_DATE_LIKE)}))"
            )
            parts += [f"count({cast(column, reading, options)})" for reading in usual]
        row = engine.rows(f"SELECT {', '.join(parts)} FROM {sample}")[0]
        width = 2 + len(usual)
        for nth, place in enumerate(chunk):
            values, dates, *parsed = row[nth * width : (nth + 1) * width]
            most = max(parsed)
            if values and most >= 0.5 * values:
                proposed[place] = usual[parsed.index(most)]
            elif values and dates >= 0.5 * values:
                date_like.append(place)
    for place in date_like:
        column = columns[place]
        counts = [f"count({cast(column, reading, options)})" for reading in formats]
        parsed = list(engine.rows(f"SELECT {', '.join(counts)} FROM {sample}")[0])
        if max(parsed):
            proposed[place] = formats[parsed.index(max(parsed))]
    return proposed


def _sampled(engine: Engine, base: str) -> str:
    """Creates a small table of rows spread evenly over `base`."""
    rows = int(engine.rows(f"SELECT count(*) FROM {base}")[0][0])
    sample = engine.fresh("sample")
    step = max(rows // _SAMPLE_ROWS, 1)
    engine.rows(f"CREATE TEMP TABLE {sample} AS SELECT * FROM {base} WHERE rowid % {step} = 0")
    return sample


def _sniff_decimals(
    engine: Engine, sample: str, columns: Sequence[str], options: ReadOptions
) -> ReadOptions:
    """Returns the options with decimal mark and thousands as the columns of a sample show them."""
    german = "[+-]?[0-9]{1,3}([.][0-9]{3})+,[0-9]+"
    commas = groups = points = germans = 0
    for chunk in _chunks(range(len(columns))):
        parts: list[str] = []
        for place in chunk:
            column = columns[place]
            comma, grouped, point, whole, mixed = (
                f"regexp_full_match({column}, {literal(shape)})"
                for shape in (DECIMAL_COMMA, GROUPED, FLOAT, INT, german)
            )
            point = f"({point} AND contains({column}, '.'))"
            parts.append(f"count(*) FILTER (WHERE NOT {is_null(column, options.nulls)})")
            conditions = (comma, grouped, point, whole, mixed)
            narrow = (f"{comma} AND NOT {grouped}", f"{grouped} AND NOT {comma}")
            parts += [f"count(*) FILTER (WHERE {one})" for one in (*conditions, *narrow)]
        row = engine.rows(f"SELECT {', '.join(parts)} FROM {sample}")[0]
        for at in range(0, len(row), 8):
            values, commaed, groupd, pointed, wholes, mixeds, only_comma, only_grouped = (
                int(one) for one in row[at : at + 8]
            )
            if not values:
                continue
            if commaed + wholes + mixeds >= NEARLY * values and (only_comma or mixeds):
                commas += 1
                germans += mixeds > 0
            elif groupd + pointed + wholes >= NEARLY * values and only_grouped:
                groups += 1
            elif pointed and pointed + wholes >= NEARLY * values:
                points += 1
    if commas and not groups and not points:
        return replace(options, decimal=",", thousands="." if germans else "")
    return replace(options, thousands=",") if groups and not commas else options


def _chunks(places: Iterable[int]) -> list[list[int]]:
    known = list(places)
    return [known[at : at + _AT_ONCE] for at in range(0, len(known), _AT_ONCE)]
