"""Proposes how to read each column of text, from a sample of rows spread over the table.

What the sample proposes is proven by counting over all rows (`kinding`). Where the sample comes
from is the readers' business: of small tables it is taken from the table itself, of large files
before they are parsed (`sampling`). `csvfile` and `jsonfile` call it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.casting import (
    DATE_FORMATS,
    TEXT,
    TYPES,
    Reading,
    cast,
    is_null,
    reading_of_format,
)
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.shapes import (
    DECIMAL_COMMA,
    FLOAT,
    GROUPED,
    INT,
    POINTED_GROUP,
    POINTED_GROUPS,
)

NEARLY = 0.95
"""Share of a column's values that must be of one kind for the column to be of that kind."""

SAMPLE_ROWS = 20_000
"""Rows of a sample, about."""

_STACKED = 2000
_EVERY = 8
_ENOUGH = 1_000
"""Values of a column from which on every eighth row of the sample is enough."""
_READINGS = (
    Reading(Kind.BOOL),
    Reading(Kind.INT),
    Reading(Kind.FLOAT),
    Reading(Kind.DATE),
    Reading(Kind.DATETIME),
    Reading(Kind.TIME),
    *(reading_of_format(one) for one in DATE_FORMATS),
)
ALL = frozenset(TYPES)
_DATE_LIKE = r"(?i).*([0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4}|[0-9]{1,2}[ -][a-z]{3,9}[ -][0-9]{4}|[a-z]{3,9} [0-9]{1,2},? [0-9]{4}).*"


@dataclass(frozen=True, slots=True)
class Proposal:
    """How columns could be read, by their places.

    Args:
        options: With the decimal mark as the sample shows it.
        sniffed: Whether the sample shows other marks than those that were there.
        declared: Readings that the options name; they hold whatever the data say.
        likely: Readings that the sample bears out; a column of text has none.
    """

    options: ReadOptions
    declared: dict[int, Reading]
    likely: dict[int, Reading]
    sniffed: bool = False

    def reading(self, place: int) -> Reading:
        """Returns how a column would be read."""
        return self.declared.get(place, self.likely.get(place, TEXT))


def propose(
    engine: Engine,
    sample: str,
    columns: Sequence[str],
    names: Sequence[str],
    options: ReadOptions,
    *,
    told: bool,
    kinds: frozenset[Kind] = ALL,
) -> Proposal:
    """Returns how each column of a sample could be read.

    Args:
        engine: Holds `sample`.
        sample: A table.
        columns: Its columns of text, as SQL.
        names: Their names as the user knows them.
        options: `types` and `dates` are followed.
        told: Whether the caller chose the decimal mark; sniffed otherwise.
        kinds: What a column may turn out to be besides TEXT.
    """
    looked = _looked_at(engine, sample, columns, options)
    before = options
    if not told:
        options = _sniff_decimals(engine, looked, columns, options)
    declared = _declared(names, options)
    likely = _propose(engine, looked, columns, options, kinds, skip=set(declared))
    return Proposal(options, declared, likely, sniffed=options != before)


def _looked_at(
    engine: Engine, sample: str, columns: Sequence[str], options: ReadOptions
) -> list[tuple[str, list[int]]]:
    """Returns which rows of a sample are looked at, with the places of the columns.

    Trying every reading on a text is slow, and a few hundred values propose the same as thousands;
    the whole sample is for columns that are mostly empty.
    """
    few = f"(SELECT * FROM {sample} WHERE rowid % {_EVERY} = 0)"
    counts = tallied(engine, few, columns, lambda text: [_present(text, options)])
    dense = [place for place, (count,) in enumerate(counts) if count >= _ENOUGH]
    sparse = sorted(set(range(len(columns))) - set(dense))
    return [(few, dense), (sample, sparse)]


def _present(column: str, options: ReadOptions) -> str:
    return f"count(*) FILTER (WHERE NOT {is_null(column, options.nulls)})"


def propose_from(
    engine: Engine,
    base: str,
    columns: Sequence[str],
    names: Sequence[str],
    options: ReadOptions,
    *,
    told: bool,
    kinds: frozenset[Kind] = ALL,
) -> Proposal:
    """Returns what `propose` does for a sample of rows spread evenly over a table."""
    sample = _sampled(engine, base)
    found = propose(engine, sample, columns, names, options, told=told, kinds=kinds)
    engine.rows(f"DROP TABLE {sample}")
    return found


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
    looked: Sequence[tuple[str, list[int]]],
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
    date_like: list[tuple[str, int]] = []

    def counters(column: str) -> list[str]:
        dated = f"regexp_full_match({column}, {literal(_DATE_LIKE)})"
        return [
            _present(column, options),
            f"count(*) FILTER (WHERE {dated})",
            *(f"count({cast(column, reading, options)})" for reading in usual),
        ]

    for rows, chunk in _queries(looked, skip):
        found = tallied(engine, rows, [columns[place] for place in chunk], counters)
        for place, (values, dates, *parsed) in zip(chunk, found, strict=True):
            most = max(parsed)
            if values and most >= 0.5 * values:
                proposed[place] = usual[parsed.index(most)]
            elif values and dates >= 0.5 * values:
                date_like.append((rows, place))
    for rows, place in date_like:
        column = columns[place]
        counts = [f"count({cast(column, reading, options)})" for reading in formats]
        parsed = list(engine.rows(f"SELECT {', '.join(counts)} FROM {rows}")[0])
        if max(parsed):
            proposed[place] = formats[parsed.index(max(parsed))]
    return proposed


def _sampled(engine: Engine, base: str) -> str:
    """Creates a small table of rows spread evenly over `base`."""
    rows = int(engine.rows(f"SELECT count(*) FROM {base}")[0][0])
    sample = engine.fresh("sample")
    step = max(rows // SAMPLE_ROWS, 1)
    engine.rows(f"CREATE TEMP TABLE {sample} AS SELECT * FROM {base} WHERE rowid % {step} = 0")
    return sample


def _sniff_decimals(
    engine: Engine,
    looked: Sequence[tuple[str, list[int]]],
    columns: Sequence[str],
    options: ReadOptions,
) -> ReadOptions:
    """Returns the options with decimal mark and thousands as the columns of a sample show them.

    A column whose numbers all look like `1.234` proves no decimal point beside one that proves the comma.
    """
    german = "[+-]?[0-9]{1,3}([.][0-9]{3})+,[0-9]+"
    commas = groups = points = germans = 0

    def counters(column: str) -> list[str]:
        comma, grouped, point, whole, mixed, three, several = (
            f"regexp_full_match({column}, {literal(shape)})"
            for shape in (DECIMAL_COMMA, GROUPED, FLOAT, INT, german, POINTED_GROUP, POINTED_GROUPS)
        )
        point = f"({point} AND contains({column}, '.'))"
        conditions = (comma, grouped, point, whole, mixed, several)
        narrow = (
            f"{comma} AND NOT {grouped}",
            f"{grouped} AND NOT {comma}",
            f"{point} AND NOT {three}",
        )
        filtered = (f"count(*) FILTER (WHERE {one})" for one in (*conditions, *narrow))
        return [_present(column, options), *filtered]

    for rows, chunk in _queries(looked):
        for counted in tallied(engine, rows, [columns[place] for place in chunk], counters):
            values, commaed, groupd, pointed, wholes, mixeds, severals, *proofs = counted
            if not values:
                continue
            only_comma, only_grouped, only_point = proofs
            if commaed + wholes + mixeds >= NEARLY * values and (only_comma or mixeds):
                commas += 1
                germans += mixeds > 0
            elif groupd + pointed + wholes >= NEARLY * values and only_grouped:
                groups += 1
            elif only_point and pointed + wholes >= NEARLY * values:
                points += 1
            elif severals and severals + pointed + wholes >= NEARLY * values:
                germans += 1
    if commas and not groups and not points:
        return replace(options, decimal=",", thousands="." if germans else "")
    return replace(options, thousands=",") if groups and not commas else options


def _queries(
    looked: Sequence[tuple[str, list[int]]], skip: Collection[int] = ()
) -> Iterator[tuple[str, list[int]]]:
    """Yields rows to look at, with the places of the columns."""
    for rows, places in looked:
        chosen = [place for place in places if place not in skip]
        if chosen:
            yield rows, chosen


def tallied(
    engine: Engine, relation: str, texts: Sequence[str], counters: Callable[[str], Sequence[str]]
) -> list[list[int]]:
    """Returns the same counts of each of several columns of text, in their order.

    Planning an expression costs milliseconds: of a sample that is more than counting takes, and a
    thousand columns would take half a minute. The columns are therefore stacked into one, and
    counted by where they stood.

    Args:
        engine: Holds the relation.
        relation: With at least one row.
        texts: SQL of the columns.
        counters: SQL of the aggregates for the SQL of a text.
    """
    found: list[list[int]] = []
    for at in range(0, len(texts), _STACKED):
        some = texts[at : at + _STACKED]
        stacked = (
            f"SELECT unnest(range({len(some)})) AS place, unnest([{', '.join(some)}]) AS text "
            f"FROM {relation}"
        )
        rows = engine.rows(
            f"SELECT {', '.join(counters('text'))} FROM ({stacked}) GROUP BY place ORDER BY place"
        )
        found += [[int(one or 0) for one in row] for row in rows]
    return found
