"""Small files of text that are written alike, read as one text instead of one after the other.

Opening a file costs the same whatever its size; a year of days would cost that 365 times. Whatever is
odd about one of them is told better when it is read alone, so then nothing is read here. Called by
`union`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.endings import endings
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.members import Member, Members
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.scanning import survey
from dvtool.quality.tables.structure import structural, times
from dvtool.quality.tables.table import ROW, MemberTable, Table, Unreadable
from dvtool.quality.tables.textfile import PlainText, prepare

SMALL_BYTES: Final = 8 << 20
"""Bytes a file, on average, up to which opening it costs more than reading it."""
_FIRST_ROWS: Final = 200
_HEADER_BYTES: Final = 1 << 16
_ONE_BY_ONE: Final = frozenset(
    {"preamble", "repeated-fields", "duplicate-headers", "blank-headers"}
)
"""What is found of a text as a whole, and would be found of each file."""


class _Piece(NamedTuple):
    """A file to be joined: its text, its header with the line end, and its lines without that."""

    member: Member
    text: PlainText
    header: bytes
    rows: int


def read_alike(
    engine: Engine,
    members: Members,
    *,
    name: str,
    options: ReadOptions | None,
    contents: bool,
) -> Table | None:
    """Returns the table of small files that are written alike; None where they are not.

    They are CSV or JSON lines with the same header, one row a line, and nothing odd in any.

    Args:
        engine: Holds the table's views.
        members: The files.
        name: What the user calls them together.
        options: How to read each; None to find out.
        contents: Whether findings about values are wanted.
    """
    if len(members.files) < 2 or members.size_bytes > SMALL_BYTES * len(members.files):
        return None
    kinds = {_format(one.path, options) for one in members.files}
    if kinds not in ({"csv"}, {"jsonl"}):
        return None
    (form,) = kinds
    pieces = _pieces(engine, members.files, form, options)
    if not pieces:
        return None
    text = _joined(engine, pieces, name, contents=contents)
    try:
        table = _parsed(engine, text)
    except Unreadable:
        return None
    rows = sum(one.rows for one in pieces)
    if table.rows != rows or table.ragged or any(map(_is_of_a_file, table.findings)):
        return None
    if form == "csv" and (not table.options.header or table.options.skip):
        return None
    if _has_files_of_another_kind(engine, table, pieces):
        return None
    empty = [_no_rows(one, len(table.columns)) for one in pieces if not one.rows]
    return replace(
        table,
        findings=(*table.findings, *empty),
        places=LineMap(),
        members=tuple(_members(table, pieces)),
    )


def _format(path: Path, options: ReadOptions | None) -> str:
    if options is not None and "format" in options.told:
        return options.format
    return endings(path.name)[0]


def _pieces(
    engine: Engine, files: Sequence[Member], form: str, options: ReadOptions | None
) -> list[_Piece]:
    """Returns the plain texts of files; none as soon as one is odd or begins in another way."""
    found: list[_Piece] = []
    for one in files:
        settled, told = options or ReadOptions(), options.told if options else frozenset()
        if "format" not in told:
            packed = settled.compression if "compression" in told else endings(one.path.name)[1]
            settled = replace(settled, format=form, compression=packed, stated=frozenset())
        if not one.path.stat().st_size:
            return []
        try:
            text = prepare(engine, one.path, one.name, settled, told=told)
        except Unreadable:
            return []
        with text.path.open("rb") as lines:
            header = lines.readline(_HEADER_BYTES) if form == "csv" else b""
        rows = text.seen.lines - (form == "csv")
        first = found[0] if found else None
        if text.findings or text.seen.newline_kinds > 1 or text.seen.cr:
            return []
        if first is not None and _way(text, header) != _way(first.text, first.header):
            return []
        found.append(_Piece(one, text, header, rows))
    return found


def _way(text: PlainText, header: bytes) -> tuple[bytes, str, bool]:
    """Returns what must be the same in all files."""
    return header, text.options.encoding, bool(text.seen.crlf)


def _joined(engine: Engine, pieces: Sequence[_Piece], name: str, *, contents: bool) -> PlainText:
    """Returns one text: the first header, then the rows of all files."""
    target = engine.folder / engine.fresh("joined")
    with target.open("wb") as whole:
        whole.write(pieces[0].header)
        for one in pieces:
            with one.text.path.open("rb") as part:
                part.seek(len(one.header))
                shutil.copyfileobj(part, whole)
            if not one.text.seen.ends_line:
                whole.write(b"\n")
    first = pieces[0].text
    return replace(first, path=target, name=name, seen=survey(target), contents=contents)


def _parsed(engine: Engine, text: PlainText) -> Table:
    if text.options.format == "csv":
        from dvtool.quality.tables.csvfile import read_csv

        return read_csv(engine, text)
    from dvtool.quality.tables.jsonfile import read_json

    return read_json(engine, text)


def _is_of_a_file(finding: Finding) -> bool:
    """Tells whether a finding is about a line that is no row, or about how the text is written."""
    places = [finding.place, *(one.place for one in finding.examples)]
    return finding.code in _ONE_BY_ONE or any(one.line and not one.row for one in places)


def _has_files_of_another_kind(engine: Engine, table: Table, pieces: Sequence[_Piece]) -> bool:
    """Tells whether a column of text is all numbers or all dates in some file, and not in another.

    The first rows of each file tell.
    """
    texts = [quoted(one.name) for one in table.columns if one.kind is Kind.TEXT]
    if not texts:
        return False
    firsts, first = [], 0
    for one in pieces:
        if one.rows:
            firsts.append(f"({first})")
        first += one.rows
    plain = ", ".join(
        f"count({one}) > 0 AND count({one}) = count(coalesce(TRY_CAST({one} AS DOUBLE), "
        f"epoch(TRY_CAST({one} AS TIMESTAMP)))), count({one}) > 0"
        for one in texts
    )
    found = engine.rows(
        f"SELECT {plain} FROM {table.source} s ASOF JOIN (VALUES {', '.join(firsts)}) f(before) "
        f"ON s.{quoted(ROW)} > f.before WHERE s.{quoted(ROW)} - f.before <= {_FIRST_ROWS} "
        "GROUP BY f.before"
    )
    for at in range(0, 2 * len(texts), 2):
        answers = {row[at] for row in found if row[at + 1]}
        if len(answers) > 1:
            return True
    return False


def _no_rows(piece: _Piece, columns: int) -> Finding:
    message = f"no data row after the header of {times(columns, 'column')}"
    return structural("header-only", message, piece.member.name, line=1, rows=0)


def _members(table: Table, pieces: Sequence[_Piece]) -> Iterator[MemberTable]:
    first = 0
    for one in pieces:
        source, raw = (_rows_of(whole, first, one.rows) for whole in (table.source, table.raw))
        lines = LineMap(path=one.text.path, first=1 + bool(one.header))
        alone = Table(
            one.member.name, table.options, table.columns, one.rows, source, raw, places=lines
        )
        yield MemberTable(one.member.inside, one.member.mark, alone, is_own=False, first=first)
        first += one.rows


def _rows_of(relation: str, first: int, rows: int) -> str:
    """Returns the rows of one file, numbered from 1, as SQL that stands for a relation."""
    row = quoted(ROW)
    return (
        f"(SELECT * REPLACE ({row} - {first} AS {row}) FROM {relation} "
        f"WHERE {row} BETWEEN {first + 1} AND {first + rows})"
    )
