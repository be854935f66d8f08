"""A data diff as lines for people: what matters first, then columns, then example rows.

Nothing is computed here. Values come from data, so each is kept on its line and cut. Called by
`dvtool.cli`.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvtool.core.sizes import human_size
from dvtool.quality.datadiff.model import RowExample, SchemaDiff, TableDiff
from dvtool.report.diff_columns import HEAD, stat_rows
from dvtool.report.diff_model import SIGNS, DiffReport, FilePart
from dvtool.report.profile_table import profile_facts

_WIDTH = 40
_CELLS = 6
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def report_lines(report: DiffReport) -> Iterator[str]:
    """Yields a whole difference: data sets, their files, and what is known of each."""
    for one in report.datasets:
        size = f"{human_size(one.old_bytes)} -> {human_size(one.new_bytes)}"
        yield f"{one.name}: {one.kind}, {size}"
        for part in one.files:
            name = f"{_flat(part.old_name)} -> {_flat(part.name)}" if part.old_name else part.name
            now = part.new_bytes if part.new_bytes is not None else part.old_bytes
            yield f"  {SIGNS[part.kind]} {_flat(name)}  {human_size(now or 0)}"
        for part in one.files:
            yield from _details(part)


def _details(part: FilePart) -> Iterator[str]:
    rows = [row.cells for row in stat_rows(part)]
    if rows:
        sides = [part.picture.baseline, part.picture.profile] if part.picture else []
        counts = " -> ".join("none" if one is None else f"{one.rows:,}" for one in sides)
        yield f"{_flat(part.name)}: statistics, {counts} rows"
        widths = [max(len(row[at]) for row in (HEAD, *rows)) for at in range(len(HEAD))]
        for row in (HEAD, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            yield ("  " + "  ".join(cells)).rstrip()
    if part.table is not None:
        yield from diff_lines(part.table)
    if part.why_not:
        yield f"{_flat(part.name)}: {_flat(part.why_not)}"
    yield from (_flat(line) for line in part.lines)


def statistics_json(part: FilePart) -> dict[str, object]:
    """Returns what is known of the statistics of one table as JSON values; None for no profile."""
    picture = part.picture
    assert picture is not None
    sides = [
        None if one is None else profile_facts(one, private=picture.private)
        for one in (picture.baseline, picture.profile)
    ]
    return {
        "name": part.name,
        "before": sides[0],
        "now": sides[1],
        "shifts": part.shifts,
        "why_not": part.why_not,
    }


def diff_lines(diff: TableDiff) -> Iterator[str]:
    """Yields the comparison of one table."""
    before, now = diff.rows
    yield f"{_flat(diff.name)}: {before:,} -> {now:,} rows"
    yield from (f"  {line}" for line in _schema(diff.schema))
    counts = f"{diff.added:,} added, {diff.removed:,} removed"
    if diff.key.columns:
        counts += f", {diff.changed:,} changed"
    yield f"  rows: {counts}, {diff.same:,} the same"
    key = ", ".join(map(_flat, diff.key.columns))
    yield f"  key: {key} ({diff.key.why})" if key else f"  key: {diff.key.why}"
    for what, (old, new) in (("repeat a key", diff.key.repeated), ("lack a key", diff.key.nulls)):
        if old or new:
            yield f"  rows that {what}: {old:,} before, {new:,} now"
    if diff.tolerance:
        yield f"  floats within {diff.tolerance:g} count as equal"
    yield from (f"  note: {one}" for one in diff.notes)
    if diff.columns:
        told = ", ".join(f"{_flat(one.column)} {one.cells:,}" for one in diff.columns)
        yield f"  changed cells: {told}"
    yield from (f"    {_example(one)}" for one in diff.examples)


def _schema(schema: SchemaDiff) -> Iterator[str]:
    for name in schema.removed:
        yield f"column removed: {_flat(name)}"
    for one in schema.retyped:
        yield f"column {_flat(one.column)}: {one.old} -> {one.new}, compared as {one.compared_as}"
    for name in schema.added:
        yield f"column added: {_flat(name)}"
    for pair in schema.renamed:
        same = f"{pair.share:.1%} of common rows agree"
        yield f"renamed? {_flat(pair.old)} -> {_flat(pair.new)}, {same}"
    if schema.reordered:
        yield "columns stand in another order"


def _example(row: RowExample) -> str:
    key = ", ".join(f"{_flat(name)}={_value(value)}" for name, value in row.key)
    place = f"row {row.old_row if row.new_row is None else row.new_row}"
    cells = []
    for cell in row.cells[:_CELLS]:
        old, new = _value(cell.old), _value(cell.new)
        value = {"added": new, "removed": old}.get(row.kind, f"{old} -> {new}")
        cells.append(f"{_flat(cell.column)}: {value}")
    if len(row.cells) > _CELLS:
        cells.append(f"and {len(row.cells) - _CELLS} more")
    head = f"{_SIGNS[row.kind]} {key} ({place})" if key else f"{_SIGNS[row.kind]} {place}"
    return f"{head}  {'; '.join(cells)}"


def _value(value: str | None) -> str:
    if value is None:
        return "missing"
    flat = _flat(value)
    return flat if len(flat) <= _WIDTH else f"{flat[: _WIDTH - 1]}…"


def _flat(text: str) -> str:
    """Returns a text that stays on its line and moves no cursor."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)
