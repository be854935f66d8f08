"""A difference as Markdown, for comments on pull requests: what differs most first, and bounded.

Text from data is escaped as in `markdown`. What does not fit is counted. Called by `dvtool.cli`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from dvtool.core.sizes import human_size
from dvtool.quality.datadiff.model import RowExample, TableDiff
from dvtool.report.bounded import bounded
from dvtool.report.diff_columns import HEAD, stat_rows
from dvtool.report.diff_model import SIGNS, DiffReport, FilePart
from dvtool.report.harmless import harmless
from dvtool.report.markdown import COMMENT_BYTES, escaped

_MOST_FILES: Final = 50
_MOST_CELLS: Final = 6
_VALUE: Final = 80


def render(report: DiffReport, *, limit_bytes: int = COMMENT_BYTES) -> str:
    """Returns the text, at most `limit_bytes` long in UTF-8.

    Args:
        report: What to tell.
        limit_bytes: At least 1,000.
    """
    return bounded(_pieces(report), limit_bytes, _rest)


def _rest(left_out: Sequence[str]) -> str:
    return f"\n… and {len(left_out)} more parts, which the whole diff has.\n"


def _pieces(report: DiffReport) -> Iterator[str]:
    yield f"## Data from {escaped(report.old)} to {escaped(report.new)}\n\n"
    if not report.datasets:
        yield "No difference.\n"
        return
    head = "| data set | | files | before | now |\n|---|---|---|--:|--:|\n"
    yield head + "".join(
        f"| {escaped(one.name)} | {one.kind} |"
        f" {', '.join(f'{count} {kind}' for kind, count in one.counts.items())} |"
        f" {human_size(one.old_bytes)} | {human_size(one.new_bytes)} |\n"
        for one in report.datasets
    )
    for one in report.datasets:
        shown = one.files[:_MOST_FILES]
        yield f"\n### {escaped(one.name)}\n\n" + "".join(_file(part) for part in shown)
        if len(one.files) > len(shown):
            yield f"- and {len(one.files) - len(shown)} more files\n"
        for part in one.files:
            yield from _details(part)


def _file(part: FilePart) -> str:
    name = escaped(part.name)
    if part.old_name:
        name = f"{escaped(part.old_name)} → {name}"
    sizes = [human_size(size) for size in (part.old_bytes, part.new_bytes) if size is not None]
    return f"- `{SIGNS[part.kind]}` {name}, {' → '.join(dict.fromkeys(sizes))}\n"


def _details(part: FilePart) -> Iterator[str]:
    rows = list(stat_rows(part))
    if not rows and part.table is None and not part.lines and not part.why_not:
        return
    yield f"\n#### {escaped(part.name)}\n\n"
    if part.table is not None:
        yield "".join(_rows(part.table))
    if rows:
        yield _table([HEAD, *(row.cells for row in rows if row.is_other)], len(rows))
    if part.why_not:
        yield f"{escaped(part.why_not)}\n\n"
    if part.lines:
        yield _fenced(part.lines)


def _rows(diff: TableDiff) -> Iterator[str]:
    schema = diff.schema
    yield f"- rows: {diff.rows[0]:,} → {diff.rows[1]:,}; {diff.added:,} added, {diff.removed:,} removed"
    yield f", {diff.changed:,} changed\n" if diff.key.columns else "\n"
    key = ", ".join(map(escaped, diff.key.columns))
    yield (
        f"- key: {key} ({escaped(diff.key.why)})\n" if key else f"- key: {escaped(diff.key.why)}\n"
    )
    for what, names in (("removed", schema.removed), ("added", schema.added)):
        if names:
            yield f"- columns {what}: {', '.join(map(escaped, names))}\n"
    for one in schema.retyped:
        yield f"- column {escaped(one.column)}: {one.old} → {one.new}\n"
    for pair in schema.renamed:
        yield f"- renamed? {escaped(pair.old)} → {escaped(pair.new)} ({pair.share:.1%} agree)\n"
    if diff.columns:
        told = ", ".join(f"{escaped(one.column)} {one.cells:,}" for one in diff.columns)
        yield f"- changed cells: {told}\n"
    for note in diff.notes:
        yield f"- {escaped(note)}\n"
    yield "\n"
    if diff.examples:
        yield _table([("", "row", "cells"), *map(_example, diff.examples)], len(diff.examples))


def _example(row: RowExample) -> tuple[str, ...]:
    key = ", ".join(f"{name}={_value(value)}" for name, value in row.key)
    place = key or f"row {row.new_row or row.old_row}"
    cells = []
    for cell in row.cells[:_MOST_CELLS]:
        one = {"added": _value(cell.new), "removed": _value(cell.old)}.get(row.kind)
        cells.append(f"{cell.column}: {one or f'{_value(cell.old)} → {_value(cell.new)}'}")
    if len(row.cells) > _MOST_CELLS:
        cells.append(f"and {len(row.cells) - _MOST_CELLS} more")
    return (SIGNS[row.kind], place, "; ".join(cells))


def _value(value: str | None) -> str:
    return "missing" if value is None else value[:_VALUE]


def _table(rows: list[tuple[str, ...]], of: int) -> str:
    if len(rows) == 1:
        return f"{of} columns, all figures the same.\n\n"
    lines = ["| " + " | ".join(map(escaped, row)) + " |\n" for row in rows]
    rest = of - len(rows) + 1
    more = f"\n{rest} more with the same figures.\n" if rest else ""
    return "".join([lines[0], "|---" * len(rows[0]) + "|\n", *lines[1:], more, "\n"])


def _fenced(lines: tuple[str, ...]) -> str:
    """Returns a block that nothing in the lines can end."""
    plain = [harmless(line) for line in lines]
    longest = max((len(run) for line in plain for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}diff\n" + "\n".join(plain) + f"\n{fence}\n\n"
