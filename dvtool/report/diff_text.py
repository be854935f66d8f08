"""A data diff as lines for people: what matters first, then columns, then example rows.

Nothing is computed here. Values come from data, so each is kept on its line and cut. Called by
`dvtool.cli`.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvtool.quality.datadiff.model import RowExample, SchemaDiff, TableDiff

_WIDTH = 40
_CELLS = 6
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


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
