"""Structural findings that need a look at the values: constant, empty, duplicate, spelled twice.

Each question is asked of a few rows first, and of the whole table only for the columns that it
could concern. Whole-table answers are exact; the engine spills where memory is short. The readers
call it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.parts import in_parts, is_wide_and_short
from dvtool.quality.tables.structure import EXAMPLES, structural, times
from dvtool.quality.tables.table import ROW, Column, Table
from dvtool.quality.tables.views import kind_of

_HEAD_ROWS = 2048
_SAMPLE_ROWS = 20_000
_CATEGORIES = 200
_AT_ONCE = 100
_CONSTANT_ROWS = 10
_MANY_ROWS = 50_000
_TELLING = 3


def judge_contents(
    engine: Engine, table: Table, *, written: tuple[str, Sequence[str]] | None = None
) -> list[Finding]:
    """Returns what the values of a table show; nothing for a table without rows.

    Args:
        engine: Holds the table.
        table: With its views.
        written: For formats of text: a relation with `ROW`, and those of its columns that are
            equal exactly where the texts of two rows are. Values are compared without it.
    """
    if not table.rows:
        return []
    return [
        *_constant(engine, table),
        *_variants(engine, table),
        *_duplicates(engine, table, *(written or _values(table)), is_read=written is not None),
    ]


def _constant(engine: Engine, table: Table) -> list[Finding]:
    head = engine.fresh("head")
    with engine.planned_fast():
        # A table of its own: each query of the view plans all its columns.
        engine.rows(f"CREATE TEMP TABLE {head} AS SELECT * FROM {table.source} LIMIT {_HEAD_ROWS}")
        suspects = _flat(engine, head, table.columns)
        engine.rows(f"DROP TABLE {head}")
    findings = []
    for column, values in _flat(engine, table.source, suspects).items():
        if not values:
            message = f"no value in {times(table.rows, 'row')}"
            findings.append(structural("empty-column", message, table.name, column=column.name))
        elif values >= _CONSTANT_ROWS:
            message = f"one value only in {times(values, 'row')}"
            findings.append(
                structural("constant-column", message, table.name, column=column.name, rows=values)
            )
    return findings


def _flat(
    engine: Engine, relation: str, columns: Sequence[Column] | dict[Column, int]
) -> dict[Column, int]:
    """Returns the columns with at most one different value, and how many values each has."""
    plain = [one for one in columns if one.kind is not Kind.OTHER]
    found: dict[Column, int] = {}
    for at in range(0, len(plain), _AT_ONCE):
        chunk = plain[at : at + _AT_ONCE]
        parts = []
        for one in chunk:
            name = quoted(one.name)
            parts += [f"count({name})", f"min({name}) IS NOT DISTINCT FROM max({name})"]
        row = engine.rows(f"SELECT {', '.join(parts)} FROM {relation}")[0]
        for nth, one in enumerate(chunk):
            if row[2 * nth + 1]:
                found[one] = int(row[2 * nth])
    return found


def _values(table: Table) -> tuple[str, list[str]]:
    return table.source, [quoted(one.name) for one in table.columns]


def _duplicates(
    engine: Engine, table: Table, relation: str, columns: Sequence[str], *, is_read: bool
) -> list[Finding]:
    """Counts exact copies of earlier rows: by hash first, then by all values where hashes meet.

    Of a table that has been read, a few columns may be enough; of others this is what reads all
    values, so that damage is found here.
    """
    names = ", ".join(columns)
    if not names:
        return []
    telling = _telling(engine, table, relation, columns) if is_read else []
    if telling and not _copies(engine, relation, telling):
        return []
    if not _copies(engine, relation, columns):
        return []
    groups = (
        f"SELECT count(*) AS many, min({quoted(ROW)}, 2)[2] AS second FROM {relation} "
        f"WHERE hash({names}) IN (SELECT hash({names}) FROM {relation} GROUP BY 1 HAVING count(*) > 1) "
        f"GROUP BY {names} HAVING count(*) > 1"
    )
    extra, distinct, rows = engine.rows(
        f"SELECT coalesce(sum(many - 1), 0), count(*), min(second, {EXAMPLES}) FROM ({groups})"
    )[0]
    if not extra:
        return []
    rows = [int(row) for row in rows]
    lines = table.lines(engine, rows)
    message = f"{times(int(extra), 'row')} exactly like an earlier one"
    return [
        structural(
            "duplicate-rows",
            message,
            table.name,
            examples=[(lines.get(row, 0), row, None) for row in rows],
            rows=int(extra),
            groups=int(distinct),
            share=int(extra) / table.rows,
        )
    ]


def _copies(engine: Engine, relation: str, columns: Sequence[str]) -> int:
    """Returns how many rows have the hash of an earlier one; only such rows can be copies."""
    hashed = f"hash({', '.join(columns)})"
    return int(engine.rows(f"SELECT count(*) - count(DISTINCT {hashed}) FROM {relation}")[0][0])


def _telling(engine: Engine, table: Table, relation: str, columns: Sequence[str]) -> list[str]:
    """Returns a few columns that tell the first rows of a long table apart; none if they cannot.

    Rows that differ in them are no copies, so that the others need not be read.
    """
    if table.rows < _MANY_ROWS or len(columns) > _AT_ONCE:
        return []
    head = f"(SELECT {', '.join(columns)} FROM {relation} LIMIT {_HEAD_ROWS})"
    counted = ", ".join(f"count(DISTINCT {one})" for one in columns)
    distinct = engine.rows(f"SELECT {counted} FROM {head}")[0]
    kinds = [kind_of(str(row[1])) for row in engine.rows(f"DESCRIBE {head}")]
    order = sorted(range(len(columns)), key=lambda place: -distinct[place])
    short = [place for place in order if kinds[place].is_number or kinds[place].is_moment]
    for places in (short, order):
        chosen = [columns[place] for place in places[:_TELLING]]
        if chosen and not _copies(engine, head, chosen):
            return chosen
    return []


def _variants(engine: Engine, table: Table) -> list[Finding]:
    """Finds categories spelled in several ways: case and white space apart they are the same."""
    texts = [one for one in table.columns if one.kind is Kind.TEXT]
    is_wide = is_wide_and_short(len(table.columns), table.rows)
    named = lambda one: quoted(one.name)  # noqa: E731
    parts = in_parts(engine, table.source, texts, named, also=[quoted(ROW)], is_wide=is_wide)
    return [
        finding
        for some, relation in parts
        for column in _few_valued(engine, relation, some, is_short=is_wide)
        for finding in _spellings(engine, table, relation, column)
    ]


def _spellings(engine: Engine, table: Table, relation: str, column: Column) -> Iterator[Finding]:
    name = quoted(column.name)
    found = engine.rows(
        f"SELECT {name}, count(*), min({quoted(ROW)}) FROM {relation} "
        f"WHERE {name} IS NOT NULL GROUP BY {name} ORDER BY 2 DESC, 3 LIMIT 10000"
    )
    spelled: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for value, count, row in found:
        spelled[re.sub(r"\s+", " ", str(value)).strip().casefold()].append((value, count, row))
    odd = [one for several in spelled.values() for one in several[1:]]
    if not odd:
        return
    lines = table.lines(engine, [row for _, _, row in odd[:EXAMPLES]])
    many = sum(1 for several in spelled.values() if len(several) > 1)
    message = (
        f"{times(many, 'category', 'categories')} spelled in several ways, "
        f"{times(sum(count for _, count, _ in odd), 'value')} in the rarer ones"
    )
    yield structural(
        "category-variants",
        message,
        table.name,
        column=column.name,
        examples=[(lines.get(row, 0), row, value) for value, _, row in odd[:EXAMPLES]],
        categories=many,
        values=sum(count for _, count, _ in odd),
    )


def _few_valued(
    engine: Engine, relation: str, columns: Sequence[Column], *, is_short: bool
) -> list[Column]:
    """Returns the columns that have few different values among the first rows."""
    head = relation if is_short else f"(SELECT * FROM {relation} LIMIT {_SAMPLE_ROWS})"
    few: list[Column] = []
    for at in range(0, len(columns), _AT_ONCE):
        chunk = columns[at : at + _AT_ONCE]
        parts = []
        for one in chunk:
            name = quoted(one.name)
            # Counting different values sets up a table for each column, a list of hashes does not.
            hashes = f"list(hash({name})) FILTER (WHERE {name} IS NOT NULL)"
            several = f"len(list_distinct({hashes}))" if is_short else f"count(DISTINCT {name})"
            parts += [f"coalesce({several}, 0)", f"count({name})"]
        row = engine.rows(f"SELECT {', '.join(parts)} FROM {head}")[0]
        for nth, one in enumerate(chunk):
            distinct, values = int(row[2 * nth]), int(row[2 * nth + 1])
            if 1 < distinct <= _CATEGORIES and 2 * distinct <= values:
                few.append(one)
    return few
