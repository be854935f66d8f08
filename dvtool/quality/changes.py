"""What changed since the baseline, but for distributions: columns, rows, and whether anything did.

Drift is `drifting`; which version the baseline is, the caller knows. Called by `judging`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.shape import judge_rows_change
from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.given import Given
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.members import mark_of
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.structure import structural, times
from dvtool.quality.tables.table import ROW, Column, Table
from dvtool.quality.tables.union_findings import named

LEAST_LEFT: Final = 2
"""Rows that must be left before they are called the beginning of others."""
LOST_ROWS: Final = 0.5
"""Share of the baseline's rows whose loss is worth a warning without any check."""


def changes(
    engine: Engine, given: Given, spec: TableSpec, before: Table, table: Table
) -> Iterator[Finding]:
    """Yields what is different in a table, and what should be and is not."""
    yield from column_changes(engine, given, spec, before.columns, table)
    place = Place(given.name)
    assert given.baseline_path is not None
    if mark_of(given.path) == mark_of(given.baseline_path):
        yield Finding(
            "same-data",
            f"byte for byte the same as {before.name}",
            place,
            Evidence.STRUCTURE,
            severity=Severity.WARN,
        )
    elif _same_rows(engine, before, table):
        yield Finding(
            "same-rows",
            f"the same {table.rows:,} rows as {before.name}, written in another way",
            place,
            Evidence.STRUCTURE,
            severity=Severity.NOTE,
        )
    elif not table.members and (cut := _beginning(engine, before, table)):
        yield cut
    yield from _files_gone(before, table)
    yield from row_changes(given, spec, before.rows, table)


def column_changes(
    engine: Engine, given: Given, spec: TableSpec, before: Sequence[Column], table: Table
) -> Iterator[Finding]:
    """Yields how the columns of a table differ from those of the baseline."""
    policy = spec.schema_change or "fail"
    for one in compare_schema(before, table.columns, policy=policy, name=given.name):
        yield _weighed(engine, table, one) if not spec.schema_change else one


def row_changes(given: Given, spec: TableSpec, before: int, table: Table) -> Iterator[Finding]:
    """Yields that a table has too many or too few rows against the baseline's number of them."""
    assert given.baseline is not None
    name = given.baseline.name
    lost = before - table.rows
    asked = spec.rows is not None and spec.rows.change is not None
    if asked:
        yield from judge_rows_change(spec, table, before, source=given.source, baseline=name)
    elif before and lost > LOST_ROWS * before:
        yield Finding(
            "rows-lost",
            f"{times(table.rows, 'row')}, {lost:,} ({lost / before:.0%}) fewer than {name}",
            Place(given.name),
            Evidence.STRUCTURE,
            severity=Severity.WARN,
            figures={"rows": table.rows, "before": before},
        )


def _beginning(engine: Engine, before: Table, table: Table) -> Finding | None:
    """Returns that the rows are exactly the first ones of the baseline, as of a file cut off at a line end.

    Rows are compared as written: kinds may differ without those that are gone. A row cut in the middle
    has a finding of its own.
    """
    names = [one.name for one in table.columns]
    is_shorter = LEAST_LEFT <= table.rows < before.rows
    if not is_shorter or [one.name for one in before.columns] != names:
        return None
    if any(one.code == "truncated" for one in table.findings):
        return None
    told = ", ".join(quoted(name) for name in (ROW, *names))
    last = f"{quoted(ROW)} = {table.rows}"
    # The last row nearly always tells that they are others; sums of hashes prove it at little cost.
    for where in (last, f"{quoted(ROW)} <= {table.rows}"):
        sums = [
            engine.rows(f"SELECT sum(hash({told})) FROM {one.raw} WHERE {where}")
            for one in (before, table)
        ]
        if sums[0] != sums[1]:
            return None
    lost = before.rows - table.rows
    return structural(
        "truncated",
        f"these are exactly the first {times(table.rows, 'row')} of {before.name}, as of a file cut off "
        f"at a line end: the {times(lost, 'row')} after them lost",
        table.name,
        line=table.lines(engine, [table.rows]).get(table.rows, 0),
        row=table.rows,
        severity=Severity.WARN,
        hint="deliver the file again, or accept the loss if the last rows were taken out on purpose",
        rows=table.rows,
        before=before.rows,
    )


def _weighed(engine: Engine, table: Table, finding: Finding) -> Finding:
    """Returns a finding about a type, milder where whole numbers were met by real decimals.

    `42` that became `42.0` is another writer; a first `12.5` among prices is what prices do.
    """
    if (finding.figures.get("was"), finding.figures.get("now")) != ("int", "float"):
        return finding
    name = quoted(finding.column)
    (count,), *_ = engine.rows(
        f"SELECT count(*) FROM {table.source} WHERE isfinite({name}) AND {name} <> floor({name})"
    )
    if not count:
        return finding
    message = f"{finding.message}: {count:,} of {table.rows:,} values have decimals"
    return replace(finding, severity=Severity.WARN, message=message)


def _files_gone(before: Table, table: Table) -> Iterator[Finding]:
    """Yields that a table of several files lacks some that the baseline has."""
    here = {one.inside for one in table.members}
    gone = [one for one in before.members if one.inside not in here]
    if here and gone:
        rows = sum(one.table.rows for one in gone)
        files = [one.table.name for one in gone]
        lost = named(files, len(before.members))
        message = f"{times(rows, 'row')} lost with {lost}, which {before.name} has"
        yield structural("files-removed", message, table.name, rows=rows, files=files)


def _same_rows(engine: Engine, before: Table, table: Table) -> bool:
    names = [one.name for one in table.columns]
    if before.rows != table.rows or sorted(names) != sorted(one.name for one in before.columns):
        return False
    types = {one.name: one.type for one in before.columns}
    if any(types[one.name] != one.type for one in table.columns):
        return False
    listed = ", ".join(quoted(name) for name in names)
    # Sums of hashes are cheap, and different sums prove a difference.
    sums = [engine.rows(f"SELECT sum(hash({listed})) FROM {one.source}") for one in (before, table)]
    if sums[0] != sums[1]:
        return False
    (differing,), *_ = engine.rows(
        f"SELECT count(*) FROM (SELECT {listed} FROM {table.source} EXCEPT ALL "
        f"SELECT {listed} FROM {before.source})"
    )
    return bool(differing == 0)
