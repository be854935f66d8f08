"""Decides what each column of text is, once, for the whole table.

A sample proposes how to read a column (`proposing`); counting over all rows decides, so that no batch
can differ from another. The expressions stand in `casting`, the wording of findings in
`kindfindings`. `csvfile` and `jsonfile` call it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables import kindfindings as say
from dvtool.quality.tables.casting import (
    TEXT,
    TYPES,
    Cell,
    Reading,
    cast,
    is_null,
    other_day,
)
from dvtool.quality.tables.engine import WIDE, Engine, literal
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.proposing import ALL, NEARLY, Proposal, tallied
from dvtool.quality.tables.shapes import INT, LEADING_ZERO
from dvtool.quality.tables.views import Field

_WIDER = {Reading(Kind.INT): Reading(Kind.FLOAT), Reading(Kind.DATE): Reading(Kind.DATETIME)}
_AT_ONCE = 40
TEMPORAL = frozenset({Kind.DATE, Kind.DATETIME, Kind.TIME})
"""Kinds that texts of formats with numbers of their own can still be."""


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
    cells: Sequence[Cell],
    names: Sequence[str],
    proposal: Proposal,
    *,
    name: str,
    places: LineMap,
    kinds: frozenset[Kind] = ALL,
) -> tuple[list[Field], ReadOptions, list[Finding]]:
    """Returns how both views compute each column, the settled options, and what was found.

    Args:
        engine: Holds `base`.
        base: A table.
        cells: Its columns of text.
        names: Their names as the user knows them.
        proposal: What a sample proposes.
        name: The file as the user knows it.
        places: To turn rows of examples into lines.
        kinds: What a column may turn out to be besides TEXT.
    """
    options, declared = proposal.options, proposal.declared
    readings = [proposal.reading(place) for place in range(len(names))]
    tallies = count(engine, base, cells, readings, options)
    narrow = [place for place in range(len(names)) if place not in declared]
    _widen(engine, base, cells, readings, tallies, options=options, places=narrow)
    about = say.Columns(engine, base, [one.text for one in cells], names, options, name, places)
    for place, reading in enumerate(readings):
        if place not in declared and not _holds(reading, tallies[place]):
            about.refused(place, reading, tallies[place], numbers=Kind.INT in kinds)
            readings[place] = TEXT
        elif reading is not TEXT and tallies[place].parsed < tallies[place].values:
            about.mixed(place, reading, tallies[place], declared=place in declared)
    for place, tally in enumerate(tallies):
        about.nulls(place, readings[place], tally)
    plain = [
        place
        for place, reading in enumerate(readings)
        if reading is TEXT and place not in declared and proposal.likely.get(place, TEXT) is TEXT
    ]
    if Kind.INT in kinds:
        about.ambiguous_numbers(plain)
    if proposal.sniffed:
        about.marks([place for place, one in enumerate(readings) if one.kind.is_number])
    fields = [
        Field(
            one,
            _typed(cells[place], readings[place], tallies[place], options),
            TYPES.get(readings[place].kind, "VARCHAR"),
            cells[place].text,
            max(tallies[place].values - tallies[place].parsed, 0)
            if readings[place] is not TEXT
            else 0,
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
    cells: Sequence[Cell],
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
    counted = count(engine, base, [cells[place] for place in narrow], wider, options)
    for place, reading, tally in zip(narrow, wider, counted, strict=True):
        if tally.parsed > tallies[place].parsed and not tallies[place].zeros:
            readings[place], tallies[place] = reading, tally


def count(
    engine: Engine,
    base: str,
    cells: Sequence[Cell],
    readings: Sequence[Reading],
    options: ReadOptions,
) -> list[Tally]:
    """Returns one tally a column, counted over all rows of `base`."""
    tallies: dict[int, Tally] = {}
    alike: dict[Reading, list[int]] = defaultdict(list)
    for place, cell in enumerate(cells):
        if not cell.value:
            alike[readings[place]].append(place)
    for reading, places in alike.items():
        if len(places) > WIDE:
            counters = partial(_counters_of_text, reading=reading, options=options)
            found = tallied(engine, base, [cells[place].text for place in places], counters)
            tallies |= {place: Tally(*one) for place, one in zip(places, found, strict=True)}
    alone = [place for place in range(len(cells)) if place not in tallies]
    for chunk in (alone[at : at + _AT_ONCE] for at in range(0, len(alone), _AT_ONCE)):
        parts: list[str] = []
        for place in chunk:
            parts += _counters(cells[place], readings[place], options)
        row = engine.rows(f"SELECT {', '.join(parts)} FROM {base}")[0]
        for nth, place in enumerate(chunk):
            tallies[place] = Tally(*(int(one or 0) for one in row[7 * nth : 7 * nth + 7]))
    return [tallies[place] for place in range(len(cells))]


def _counters_of_text(text: str, reading: Reading, options: ReadOptions) -> list[str]:
    return _counters(Cell(text), reading, options)


def _counters(cell: Cell, reading: Reading, options: ReadOptions) -> list[str]:
    """Returns the aggregates behind one `Tally`; rare cases are looked at only where they occur."""
    column = cell.text
    if reading is TEXT:
        empty = f"count(*) FILTER (WHERE {column} = '')" if "" in options.nulls else "0"
        words = is_null(column, [one for one in options.nulls if one])
        missing = f"count(*) FILTER (WHERE {words})"
        return [f"count({column}) - {empty} - {missing}", empty, missing, "0", "0", "0", "0"]
    value = cell.cast(reading, options)
    parsed = f"count({value})"
    # Where the value is kept, the text of one that was refused stands in `rest`.
    kept = bool(cell.rest) and cell.reading == reading
    missing = is_null(cell.rest if kept else column, options.nulls)
    refused = f"count(CASE WHEN ({value}) IS NULL THEN CASE WHEN NOT {missing} THEN 1 END END)"
    swapped = zeros = long = "0"
    if other := other_day(reading.date_format):
        swapped = f"count({cast(column, replace(reading, date_format=other), options)})"
    if reading.kind is Kind.INT:
        shape = f"regexp_full_match({column}, {literal(LEADING_ZERO)})"
        odd = f"CAST(TRY_CAST({column} AS BIGINT) AS VARCHAR) <> {column}"
        if kept:
            odd = f"{cell.rest} IS NOT NULL"
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


def _typed(cell: Cell, reading: Reading, tally: Tally, options: ReadOptions) -> str:
    if reading is not TEXT and reading.kind in TYPES:
        return cell.cast(reading, options)
    column = cell.text
    if tally.words:
        return f"CASE WHEN {is_null(column, options.nulls)} THEN NULL ELSE {column} END"
    return f"nullif({column}, '')" if tally.empty else column
