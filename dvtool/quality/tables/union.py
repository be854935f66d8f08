"""Reads several files as one table: each is opened alone, then kinds are agreed on and rows stacked.

Columns meet by name; one that a file lacks is missing in its rows, with a finding (`union_findings`).
What a file is alone is the readers' business, which kind a column has `shared`'s. `opening` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import Final

from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.alike import read_alike
from dvtool.quality.tables.contents import judge_contents
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.members import Members
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.shared import Shared, agreed, shared_columns, types_of
from dvtool.quality.tables.structure import structural, times, worst_first
from dvtool.quality.tables.table import ROW, Column, MemberTable, Table, Unreadable
from dvtool.quality.tables.union_findings import (
    column_findings,
    dialects,
    folded,
    of_a_part,
    same_files,
)
from dvtool.quality.tables.views import kind_of

_SMALL_ROWS: Final = 20_000
"""Rows a file, on average, up to which files cost more to go through than to copy once."""


def open_union(
    engine: Engine,
    members: Members,
    *,
    name: str,
    options: ReadOptions | None = None,
    contents: bool = True,
    known: Mapping[str, MemberTable] | None = None,
) -> Table:
    """Returns the table that several files are together.

    A file that holds no table is a finding, and the others are read; so is a file without rows.

    Args:
        engine: Holds the table's views.
        members: The files.
        name: What the user calls them together.
        options: How to read each; None to find out.
        contents: Whether findings about values are wanted, such as repeated rows.
        known: Files that the engine holds already, by their marks.

    Raises:
        Unreadable: None of the files is a table.
        ExtraMissing: The format needs a package that is not installed.
        OSError: A file cannot be opened.
    """
    alike = read_alike(engine, members, name=name, options=options, contents=contents)
    if alike is not None:
        found = [*map(of_a_part, alike.findings), *same_files(members.files)]
        return replace(alike, findings=worst_first(folded(found)))
    reading = partial(
        _one_by_one, engine, members, name=name, options=options, contents=contents, known=known
    )
    if not contents:
        return reading(damage=True)
    import duckdb

    try:
        return reading(damage=False)  # all values are looked at once, in all files together
    except duckdb.Error:
        return reading(damage=True)  # which tells the damaged file


def _one_by_one(
    engine: Engine,
    members: Members,
    *,
    name: str,
    options: ReadOptions | None,
    contents: bool,
    known: Mapping[str, MemberTable] | None,
    damage: bool,
) -> Table:
    findings: list[Finding] = []
    opened: list[MemberTable] = []
    for one in members.files:
        held = (known or {}).get(one.mark)
        try:
            table = (
                held.table
                if held is not None
                else open_table(
                    engine,
                    one.path,
                    name=one.name,
                    options=options,
                    contents=False,
                    damage=damage,
                )
            )
        except Unreadable as error:
            findings += map(of_a_part, error.findings)
            continue
        is_own = held is None or held.is_own
        opened.append(
            MemberTable(one.inside, one.mark, replace(table, name=one.name), is_own=is_own)
        )
    if not opened:
        raise Unreadable(*findings)
    columns = shared_columns(engine, opened)
    paths = {one.inside: one.path for one in members.files}
    opened = _placed(agreed(engine, opened, columns, paths))
    findings += same_files(members.files)
    findings += column_findings(columns, opened, name)
    findings += dialects(opened)
    findings += folded([finding for one in opened for finding in one.table.findings])
    return _stacked(
        engine,
        opened,
        columns,
        name=name,
        findings=findings,
        contents=contents,
        size_bytes=members.size_bytes,
    )


def narrowed(engine: Engine, table: Table, kept: Set[str]) -> Table:
    """Returns the rows of some files of a table of several, numbered as they are in all of it.

    Args:
        engine: Holds the table.
        table: Of several files.
        kept: Paths of the files inside the data set.
    """
    chosen = tuple(one for one in table.members if one.inside in kept)
    spans = " OR ".join(
        f"{quoted(ROW)} BETWEEN {one.first + 1} AND {one.first + one.table.rows}"
        for one in chosen
        if one.table.rows
    )
    source, raw = engine.fresh("source"), engine.fresh("raw")
    for view, whole in ((source, table.source), (raw, table.raw)):
        engine.rows(f"CREATE TEMP VIEW {view} AS SELECT * FROM {whole} WHERE {spans or 'false'}")
    rows = sum(one.table.rows for one in chosen)
    return replace(table, rows=rows, source=source, raw=raw, members=chosen, findings=())


def _placed(opened: Sequence[MemberTable]) -> list[MemberTable]:
    """Returns the files with the rows that come before each."""
    placed, first = [], 0
    for one in opened:
        placed.append(replace(one, first=first))
        first += one.table.rows
    return placed


def _stacked(
    engine: Engine,
    opened: Sequence[MemberTable],
    columns: Sequence[Shared],
    *,
    name: str,
    findings: list[Finding],
    contents: bool,
    size_bytes: int,
) -> Table:
    rows = sum(one.table.rows for one in opened)
    engine.make_room(len(columns))
    source, raw = engine.fresh("source"), engine.fresh("raw")
    types = types_of(opened, columns)
    query = " UNION ALL ".join(_typed(at, one, columns, types) for at, one in enumerate(opened))
    if rows <= _SMALL_ROWS * len(opened):
        query = f"SELECT * FROM {engine.create('union', query, size_bytes)}"
    with engine.planned_fast():
        engine.rows(f"CREATE TEMP VIEW {source} AS {query}")
        texts = " UNION ALL ".join(_text(at, one, columns) for at, one in enumerate(opened))
        engine.rows(f"CREATE TEMP VIEW {raw} AS {texts}")
    described = {str(row[0]): str(row[1]) for row in engine.rows(f"DESCRIBE {source}")}
    if not rows:
        message = f"no rows in {times(len(opened), 'file')}"
        findings.append(structural("no-rows", message, name, rows=0))
    table = Table(
        name,
        opened[0].table.options,
        tuple(
            Column(one.name, kind_of(described[one.name]), described[one.name]) for one in columns
        ),
        rows,
        source,
        raw,
        unparsed=_unparsed(opened, columns),
        members=tuple(opened),
    )
    if contents:
        findings += judge_contents(engine, table)
    return replace(table, findings=worst_first(findings))


def _typed(
    at: int, member: MemberTable, columns: Sequence[Shared], types: Mapping[str, str]
) -> str:
    """Returns the SQL of a file's rows as rows of the whole."""
    own = {one.name: one.type for one in member.table.columns}
    parts = [f"s.{quoted(ROW)} + {member.first} AS {quoted(ROW)}"]
    texts = False
    for one in columns:
        column = one.own.get(at)
        if column is None or (one.values and not one.values.get(at)):
            value = "NULL"
        elif one.kind is Kind.TEXT and own[column.name] != "VARCHAR":
            value, texts = f"r.{quoted(column.name)}", True
        else:
            value = f"s.{quoted(column.name)}"
        if one.name in types:
            value = f"CAST({value} AS {types[one.name]})"
        parts.append(f"{value} AS {quoted(one.name)}")
    joined = f" JOIN {member.table.raw} r USING ({quoted(ROW)})" if texts else ""
    return f"SELECT {', '.join(parts)} FROM {member.table.source} s{joined}"


def _text(at: int, member: MemberTable, columns: Sequence[Shared]) -> str:
    parts = [f"{quoted(ROW)} + {member.first} AS {quoted(ROW)}"]
    for one in columns:
        value = quoted(one.own[at].name) if at in one.own else "CAST(NULL AS VARCHAR)"
        parts.append(f"{value} AS {quoted(one.name)}")
    return f"SELECT {', '.join(parts)} FROM {member.table.raw}"


def _unparsed(opened: Sequence[MemberTable], columns: Sequence[Shared]) -> dict[str, int] | None:
    """Returns how many values were lost to a column's kind, None where a reader did not count."""
    counted: dict[str, int] = {}
    for one in columns:
        lost = 0
        for at, own in one.own.items():
            known = opened[at].table.unparsed
            if known is None:
                return None
            lost += 0 if one.kind is Kind.TEXT else known.get(own.name, 0)
        counted[one.name] = lost
    return counted
