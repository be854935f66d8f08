"""A difference as one self-contained HTML page: no script, no request, opens from disk and prints.

Data sets first, then each file, those that differ most first: rows with examples, each column with
both distributions and figures side by side, lines of texts. Made by Jinja2 as the page of a report.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from dvtool.core.sizes import human_size
from dvtool.report.diff_columns import stat_rows
from dvtool.report.diff_model import SIGNS, DiffReport, FilePart
from dvtool.report.html import MOST_PICTURES, ColumnRow, column_row, environment

MOST_FILES: Final = 500


@dataclass(frozen=True, slots=True)
class FileBlock:
    """One file on the page: its part, columns that differ and those that do not, and its anchor."""

    part: FilePart
    anchor: str
    other: tuple[ColumnRow, ...]
    same: tuple[ColumnRow, ...]
    moved: dict[str, str]


def render(report: DiffReport) -> str:
    """Returns the page."""
    blocks = [(one, [_block(part) for part in one.files[:MOST_FILES]]) for one in report.datasets]
    count = sum(len(each.other) for _, found in blocks for each in found)
    page = environment().get_template("diff.html.j2")
    return page.render(
        report=report,
        blocks=blocks,
        signs=SIGNS,
        size=human_size,
        most=MOST_FILES,
        draws_all=count <= MOST_PICTURES,
    )


def _block(part: FilePart) -> FileBlock:
    other: list[ColumnRow] = []
    same: list[ColumnRow] = []
    for row in stat_rows(part):
        assert part.picture is not None
        (other if row.is_other else same).append(column_row(row.column, {}, part.picture))
    known = (one for one in part.shifts if one.moved is not None)
    name = part.name.encode("utf-8", "replace")
    return FileBlock(
        part,
        f"f-{sha256(name).hexdigest()[:12]}",
        tuple(other),
        tuple(same),
        {one.column: f"{one.moved:.1%}" for one in known},
    )
