"""Whether values are there at all, and are what the checks say they are.

A value of the wrong type is counted once, as that, and never as missing; a column that cannot hold
the declared kind at all is one finding. What the values must be like is `rowrules`. `evaluate`
calls this after its one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvtool.quality.checks.cells import Cell
from dvtool.quality.checks.scan import Scan, example_rows
from dvtool.quality.checks.subject import Asked, Subject, of
from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import literal, quoted
from dvtool.quality.tables.table import ROW

_TYPED_FORMATS = ("parquet", "arrow")


def wanted(cell: Cell) -> tuple[str, ...]:
    """Returns the SQL aggregates that this module reads from the pass."""
    if cell.spec.type is None and cell.spec.nulls is None:
        return ()
    return (_wrong(cell), _missing(cell)) if cell.wrong else (_missing(cell),)


def judge_nulls(subject: Subject, asked: Asked, cell: Cell, scan: Scan) -> Iterator[Finding]:
    """Yields a finding when more values are missing than `nulls` allows."""
    bound = cell.spec.nulls
    assert bound is not None
    lost, total = unread(subject, cell, scan), subject.table.rows
    count = int(scan[_missing(cell)]) - lost
    if bound.holds_count(count, total):
        return
    share = f" ({100 * count / total:.4g}%)" if bound.percent and total else ""
    rows = _missing_rows(subject, cell, lost=bool(lost))
    yield subject.violated(
        asked,
        f"{of(count, total)} missing{share}, allowed {bound.words()}",
        rows=rows,
        figures={"found": count, "rows": total, "allowed": str(bound)},
    )


def judge_type(subject: Subject, asked: Asked, cell: Cell, scan: Scan) -> Iterator[Finding]:
    """Yields a finding when values, or the whole column, are not of the declared type."""
    if cell.spec.type is None:
        return
    declared, total = cell.spec.type.value, subject.table.rows
    if not cell.fits:
        message = f"the column is {cell.found.value}, expected {declared}"
        figures = {"found": cell.found.value, "allowed": declared}
        yield subject.violated(asked, message, figures=figures)
    elif cell.wrong and (count := scan[_wrong(cell)]):
        shown = "NULL" if cell.private else f"CAST({quoted(cell.spec.name)} AS VARCHAR)"
        rows = example_rows(subject, cell.wrong, shown)
        yield _finding(subject, asked, count, declared, rows)
    elif cell.wrong and (cell.found, cell.kind) == (Kind.FLOAT, Kind.INT):
        message = f"whole numbers written as float, expected {declared}"
        yield subject.violated(asked, message, figures={"found": "float", "rows": total})
    elif not cell.wrong and (count := unread(subject, cell, scan)):
        rows = _unread_rows(subject, cell)
        yield _finding(subject, asked, count, declared, rows)


def unread(subject: Subject, cell: Cell, scan: Scan) -> int:
    """Returns how many values the reader could not take as the column's kind.

    They are null in the typed view and not null in the raw one, which is scanned only when the
    typed view has nulls at all.
    """
    typed_format = subject.table.options.format in _TYPED_FORMATS
    if typed_format or cell.found is Kind.TEXT or not scan[_missing(cell)]:
        return 0
    if subject.table.unparsed is not None:
        return subject.table.unparsed.get(cell.spec.name, 0)
    name = quoted(cell.spec.name)
    source, raw = subject.table.source, subject.table.raw
    sql = (
        f"SELECT (SELECT count(*) FILTER ({_raw_present(subject, name)}) FROM {raw})"
        f" - (SELECT count({name}) FROM {source})"
    )
    return max(int(subject.engine.rows(sql)[0][0]), 0)


def _unread_rows(subject: Subject, cell: Cell) -> list[tuple[int, str | None]]:
    name = quoted(cell.spec.name)
    shown = "NULL" if cell.private else f"raw.{name}"
    sql = (
        f'SELECT raw."{ROW}", {shown} FROM {subject.table.raw} AS raw '
        f'SEMI JOIN (SELECT "{ROW}" FROM {subject.table.source} WHERE {name} IS NULL) AS typed '
        f'ON raw."{ROW}" = typed."{ROW}" WHERE {_raw_present(subject, "raw." + name)} '
        f'ORDER BY raw."{ROW}" LIMIT {subject.limit}'
    )
    return [(int(row), value) for row, value in subject.engine.rows(sql)]


def _missing_rows(subject: Subject, cell: Cell, *, lost: bool) -> list[tuple[int, str | None]]:
    if not lost:
        return list(example_rows(subject, cell.missing, "NULL"))
    name = quoted(cell.spec.name)
    sql = (
        f'SELECT typed."{ROW}" FROM {subject.table.source} AS typed '
        f'SEMI JOIN (SELECT "{ROW}" FROM {subject.table.raw} '
        f"WHERE NOT {_raw_present(subject, name)}) AS raw "
        f'ON raw."{ROW}" = typed."{ROW}" ORDER BY typed."{ROW}" LIMIT {subject.limit}'
    )
    return [(int(row), None) for (row,) in subject.engine.rows(sql)]


def _raw_present(subject: Subject, name: str) -> str:
    """SQL: the raw text is a value. A quoted field never is a null text in any way."""
    nulls = subject.table.options.nulls if subject.table.options.format in ("csv", "xlsx") else ()
    if not nulls:
        return f"{name} IS NOT NULL"
    words = ", ".join(literal(one) for one in nulls)
    return f"({name} IS NOT NULL AND {name} NOT IN ({words}))"


def _finding(
    subject: Subject,
    asked: Asked,
    count: int,
    declared: str,
    rows: Sequence[tuple[int, str | None]],
) -> Finding:
    total = subject.table.rows
    message = f"{of(count, total)} {'is' if count == 1 else 'are'} not {declared}"
    return subject.violated(asked, message, rows=rows, figures={"found": count, "rows": total})


def _wrong(cell: Cell) -> str:
    return f"count(*) FILTER ({cell.wrong})"


def _missing(cell: Cell) -> str:
    # Counting what is there reads no text, asking each value does.
    return f"count(*) - count({cell.given})"
