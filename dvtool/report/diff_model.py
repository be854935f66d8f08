"""A difference of two versions as a value: files, statistics and rows of tables, lines of texts.

Renderers (`diff_text`, `diff_markdown`, `diff_html`) take one and return text; nothing is compared
or read here. It is put together by `dvtool.ops.diffreport`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dvtool.quality.datadiff.model import TableDiff
from dvtool.quality.datadiff.shifts import Shift
from dvtool.report.model import TablePicture

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">", "mode": "m"}


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file that differs.

    Attributes:
        name: As shown, its data set in front; for a renamed file the new name.
        kind: `added`, `removed`, `changed`, `renamed` or `mode`.
        old_bytes: Size before, None when there was none.
        new_bytes: Size now, likewise.
        old_name: Of a renamed file; empty otherwise.
        table: How rows differ; None when they were not compared.
        picture: Profiles of both versions; None when it is no table, or nobody asked.
        shifts: How far columns moved, the largest first.
        lines: A unified diff of two small texts.
        why_not: Why rows, statistics or lines are not here; empty normally.
    """

    name: str
    kind: str
    old_bytes: int | None
    new_bytes: int | None
    old_name: str = ""
    table: TableDiff | None = None
    picture: TablePicture | None = None
    shifts: tuple[Shift, ...] = ()
    lines: tuple[str, ...] = ()
    why_not: str = ""

    @property
    def weight(self) -> float:
        """What sorts files: those about which more is known to differ come first."""
        rows = 0.0
        if self.table is not None:
            other = self.table.added + self.table.removed + self.table.changed
            rows = other / max(*self.table.rows, 1)
        structure = 0.0
        if self.picture is not None and self.picture.profile and self.picture.baseline:
            names = [
                {one.name for one in side.columns}
                for side in (self.picture.baseline, self.picture.profile)
            ]
            structure = 2.0 * (names[0] != names[1])
        return structure + max([rows, *(one.weight for one in self.shifts)])


@dataclass(frozen=True, slots=True)
class DatasetPart:
    """One data set that differs."""

    name: str
    kind: str
    old_bytes: int
    new_bytes: int
    files: tuple[FilePart, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many files there are of each kind."""
        found: dict[str, int] = {}
        for one in self.files:
            found[one.kind] = found.get(one.kind, 0) + 1
        return found


@dataclass(frozen=True, slots=True)
class DiffReport:
    """Two versions compared.

    Attributes:
        old: What the version before is called.
        new: Likewise now.
        datasets: Those that differ.
    """

    old: str
    new: str
    datasets: tuple[DatasetPart, ...] = field(default=())

    def _repr_html_(self) -> str:
        """Returns the page in a frame, for notebooks."""
        from html import escape

        from dvtool.report.diff_html import render

        if not self.datasets:
            return "<p>no difference</p>"
        style = "width:100%;height:40em;border:1px solid #8888"
        return f'<iframe sandbox srcdoc="{escape(render(self))}" style="{style}"></iframe>'
