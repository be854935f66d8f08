"""Expectations that no single row can break: unique values, keys, order, other tables.

Every answer is exact and comes from a query that DuckDB can spill to disk; nothing is sketched.
Conditions on single rows are `rowrules`. `evaluate` calls these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from dvtool.quality.checks.cells import Cell
from dvtool.quality.checks.subject import Asked, Subject, of
from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import quoted
from dvtool.quality.tables.table import ROW, Table

TableOf = Callable[[str], Table]
"""Opens another table, in the same engine, by its path beside the checks."""

_SIGNS = {
    "increasing": "<",
    "strictly-increasing": "<=",
    "decreasing": ">",
    "strictly-decreasing": ">=",
}
_OPPOSITE = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def judge_unique(subject: Subject, asked: Asked, cell: Cell) -> Iterator[Finding]:
    """Yields a finding when a value of the column occurs more than once."""
    repeated, rows, present = _repeats(subject, (cell.value,))
    if not repeated:
        return
    found = _repeated_rows(subject, (cell.value,), "NULL" if cell.private else cell.text)
    yield subject.violated(
        asked,
        f"{of(rows, present)} are not unique, {repeated} different",
        rows=found,
        figures={"found": rows, "different": repeated, "present": present},
    )


def judge_key(
    subject: Subject, asked: Asked, columns: Sequence[str], judged: frozenset[str]
) -> Iterator[Finding]:
    """Yields a finding when rows share their key or have none; the columns exist.

    Args:
        judged: Columns whose missing values another finding counts already.
    """
    values = tuple(quoted(name) for name in columns)
    names = ", ".join(columns)
    counted = [quoted(name) for name in columns if name not in judged]
    keyless = " OR ".join(f"{value} IS NULL" for value in counted) or "false"
    total = subject.table.rows
    without = _one(subject, f"SELECT count(*) FROM {subject.table.source} WHERE {keyless}")
    repeated, rows, _ = _repeats(subject, values)
    if not repeated and not without:
        return
    shown = "NULL"
    if not subject.private.intersection(columns):
        shown = " || ', ' || ".join(f"CAST({value} AS VARCHAR)" for value in values)
    parts = []
    if rows:
        parts.append(f"{of(rows, total, 'rows')} share their key ({names})")
    if without:
        parts.append(f"{of(without, total, 'rows')} have no key ({names})")
    found = _repeated_rows(subject, values, shown) if rows else _keyless(subject, keyless)
    figures = {"repeated": rows, "different": repeated, "missing": without, "rows": total}
    yield subject.violated(asked, " and ".join(parts), rows=found, figures=figures)


def judge_distinct(subject: Subject, asked: Asked, cell: Cell) -> Iterator[Finding]:
    """Yields a finding when the number of different values lies outside its bound."""
    bound = cell.spec.distinct
    assert bound is not None
    inner = f"SELECT {cell.value} AS __v, count(*) AS __n FROM {subject.table.source} GROUP BY __v"
    sql = f"SELECT count(__v), coalesce(sum(__n) FILTER (__v IS NOT NULL), 0) FROM ({inner})"
    distinct, present = (int(one) for one in subject.engine.rows(sql)[0])
    if bound.holds_count(distinct, present):
        return
    found = f"{distinct} different values"
    if bound.percent:
        share = 100 * distinct / present if present else 0.0
        found = f"{distinct} different among {present} values ({share:.4g}%)"
    is_above = (
        bound.high is not None
        and distinct > 0
        and not replace(bound, low=None, low_open=False).holds_count(distinct, present)
    )
    rows, hint = _rarest(subject, cell) if is_above else ([], "")
    yield subject.violated(
        asked,
        f"{found}, allowed {bound.words()}",
        rows=rows,
        figures={"found": distinct, "present": present, "allowed": str(bound)},
        hint=hint,
    )


def _rarest(subject: Subject, cell: Cell) -> tuple[list[tuple[int, str | None]], str]:
    """Returns the first row of each of the rarest values, and how rare they are in words."""
    shown = "NULL" if cell.private else f"min({cell.text})"
    found = subject.engine.rows(
        f'SELECT min("{ROW}") AS __r, {shown}, count(*) AS __n FROM {subject.table.source} '
        f"WHERE {cell.present} GROUP BY {cell.value} ORDER BY __n, __r LIMIT {subject.limit}"
    )
    least, most = found[0][2], found[-1][2]
    times = f"{least}" if least == most else f"{least} to {most}"
    hint = f"the rarest values, in {times} row{'s' * (most != 1)} each"
    return [(row, text) for row, text, _ in found], "" if cell.private else hint


def judge_order(subject: Subject, asked: Asked, cell: Cell) -> Iterator[Finding]:
    """Yields a finding when a value does not follow its predecessor in file order."""
    order = cell.spec.order
    inner = (
        f'SELECT "{ROW}" AS __r, {cell.value} AS __v, lag({cell.value}) OVER (ORDER BY "{ROW}") AS __p '
        f"FROM {subject.table.source} WHERE {cell.present}"
    )
    broken = f"FROM ({inner}) WHERE __v {_SIGNS[order]} __p"
    count = _one(subject, f"SELECT count(*) {broken}")
    if not count:
        return
    shown = "NULL" if cell.private else "CAST(__p AS VARCHAR) || ' then ' || CAST(__v AS VARCHAR)"
    rows = subject.engine.rows(f"SELECT __r, {shown} {broken} ORDER BY __r LIMIT {subject.limit}")
    yield subject.violated(
        asked,
        f"{of(count, subject.table.rows)} are not {order.replace('-', ' ')}",
        rows=[(int(row), value) for row, value in rows],
        figures={"found": count, "rows": subject.table.rows},
    )


def out_of_place(cell: Cell) -> tuple[str, str]:
    """Returns SQL of rows behind an earlier one, and of rows ahead of a later one, in file order.

    Without all rows of either the others are in order. They use windows over the typed view.
    """
    sign = _SIGNS[cell.spec.order]
    most, least = ("max", "min") if sign[0] == "<" else ("min", "max")
    window = f'OVER (ORDER BY "{ROW}" ROWS BETWEEN'
    earlier = f"{most}({cell.value}) {window} UNBOUNDED PRECEDING AND 1 PRECEDING)"
    later = f"{least}({cell.value}) {window} 1 FOLLOWING AND UNBOUNDED FOLLOWING)"
    behind = f"({cell.value}) {sign} {earlier}"
    return behind, f"({cell.value}) {_OPPOSITE[sign]} {later}"


def judge_in_table(
    subject: Subject, asked: Asked, cell: Cell, table_of: TableOf | None
) -> Iterator[Finding]:
    """Yields a finding when a value does not occur in a column of another table."""
    path, _, column = cell.spec.in_table.rpartition(":")
    broken = not_in_table(cell, table_of)
    if isinstance(broken, WhyNot):
        yield subject.undecided(asked, broken)
        return
    count = _one(subject, f"SELECT count(*) FROM {subject.table.source} WHERE {broken}")
    if not count:
        return
    shown = "NULL" if cell.private else cell.text
    rows = subject.engine.rows(
        f'SELECT "{ROW}", {shown} FROM {subject.table.source} WHERE {broken} '
        f'ORDER BY "{ROW}" LIMIT {subject.limit}'
    )
    yield subject.violated(
        asked,
        f"{count} {'value does' if count == 1 else 'values do'} not occur in {path}, column {column}",
        rows=[(int(row), value) for row, value in rows],
        figures={"found": count, "rows": subject.table.rows},
    )


class WhyNot(str):
    """Why something could not run."""


def not_in_table(cell: Cell, table_of: TableOf | None) -> str | WhyNot:
    """Returns SQL that is true where a value does not occur in the column that `in_table` names."""
    path, _, column = cell.spec.in_table.rpartition(":")
    if table_of is None:
        return WhyNot(f"no other table is at hand, {path} is needed")
    try:
        other = table_of(path)
    except FileNotFoundError:
        return WhyNot(f"{path} is not here, neither beside the table nor at the top")
    theirs = next((one for one in other.columns if one.name == column), None)
    if theirs is None:
        return WhyNot(f"{path} has no column {column}")
    both_numbers = theirs.kind.is_number and cell.kind.is_number
    same = both_numbers or theirs.kind is cell.kind
    left = f"({cell.value})" if same else cell.text
    right = quoted(column) if same else f"CAST({quoted(column)} AS VARCHAR)"
    known = f"SELECT {right} FROM {other.source} WHERE {right} IS NOT NULL"
    return f"({cell.present} AND {left} NOT IN ({known}))"


def judge_shares(subject: Subject, asked: Asked, cell: Cell) -> Iterator[Finding]:
    """Yields one finding when shares of single values lie outside their bounds."""
    counts = ", ".join(f"count(*) FILTER ({cell.text} = ?)" for _ in cell.spec.shares)
    sql = f"SELECT count(*) FILTER ({cell.present}), {counts} FROM {subject.table.source}"
    present, *found = subject.engine.rows(sql, [value for value, _ in cell.spec.shares])[0]
    if not present:
        yield subject.without_values(asked)
        return
    broken = [
        (value, 100 * count / present, bound)
        for (value, bound), count in zip(cell.spec.shares, found, strict=True)
        if not bound.holds_count(count, present)
    ]
    if broken:
        words = "; ".join(
            f"{value} is {share:.4g}% of values, allowed {bound.words()}"
            for value, share, bound in broken
        )
        figures = {value: share for value, share, _ in broken}
        yield subject.violated(asked, words, figures={"found": figures, "present": present})


def _one(subject: Subject, sql: str) -> int:
    return int(subject.engine.rows(sql)[0][0])


def _grouped(subject: Subject, values: Sequence[str]) -> str:
    names = ", ".join(f"__k{n}" for n in range(len(values)))
    picked = ", ".join(f"{value} AS __k{n}" for n, value in enumerate(values))
    whole = " AND ".join(f"__k{n} IS NOT NULL" for n in range(len(values)))
    return (
        f'SELECT {names}, count(*) AS __n, min(__r) AS __first FROM (SELECT {picked}, "{ROW}" AS __r '
        f"FROM {subject.table.source}) WHERE {whole} GROUP BY {names}"
    )


def _repeats(subject: Subject, values: Sequence[str]) -> tuple[int, int, int]:
    """Returns how many keys repeat, in how many rows, of how many with a key."""
    sql = (
        "SELECT count(*) FILTER (__n > 1), coalesce(sum(__n) FILTER (__n > 1), 0), "
        f"coalesce(sum(__n), 0) FROM ({_grouped(subject, values)})"
    )
    repeated, rows, present = subject.engine.rows(sql)[0]
    return int(repeated), int(rows), int(present)


def _repeated_rows(
    subject: Subject, values: Sequence[str], shown: str
) -> list[tuple[int, str | None]]:
    """Returns rows of the keys that repeat first, with a text to show."""
    keys = f"{_grouped(subject, values)} HAVING count(*) > 1 ORDER BY __first LIMIT {subject.limit}"
    same = " AND ".join(f"{value} = __k{n}" for n, value in enumerate(values))
    sql = (
        f'SELECT "{ROW}", {shown} FROM {subject.table.source} JOIN ({keys}) ON {same} '
        f'ORDER BY "{ROW}" LIMIT {subject.limit}'
    )
    return [(int(row), value) for row, value in subject.engine.rows(sql)]


def _keyless(subject: Subject, condition: str) -> list[tuple[int, str | None]]:
    sql = (
        f'SELECT "{ROW}" FROM {subject.table.source} WHERE {condition} '
        f'ORDER BY "{ROW}" LIMIT {subject.limit}'
    )
    return [(int(row), None) for (row,) in subject.engine.rows(sql)]
