"""What a reader gives: a table of named, typed columns as two views in an engine.

The typed view is what profiles, checks and drift look at; the raw view is what the file says. How
the views come about is the readers' business (`opening`). Everything in `dvtool.quality` that
looks at data takes a `Table`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions

ROW = "__row"
"""Hidden column of both views: the 1-based number of the data row in file order."""


class Unreadable(Exception):
    """No table can be had from a file; the findings say why, the first one being the cause."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].message if findings else "not a table")
        self.findings: tuple[Finding, ...] = findings


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Args:
        name: As in the file; made unique and non-empty where the file is not, with a finding.
        kind: What its values are.
        type: The engine's type in the typed view, such as `BIGINT` or `VARCHAR[]`.
    """

    name: str
    kind: Kind
    type: str


@dataclass(frozen=True, slots=True)
class RaggedRow:
    """A row that was left out of a table because it has another number of fields.

    Args:
        line: On which it begins, from 1.
        fields: As written, without their quotes.
    """

    line: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """One file, read once.

    Args:
        name: The path as the user knows it.
        options: How it was read; reading the same bytes with them gives the same table.
        columns: In file order; empty only for a file whose records have no field.
        rows: Rows that the views hold. Rows that break the table's shape are not among them;
            they are counted in a finding.
        source: A view: `ROW` and one typed column for each `Column` under its own name.
        raw: A view: `ROW` and the same columns as text, as written. CSV: before nulls and types.
        findings: Structural findings about this file alone, worst first.
        places: How data rows lie in the physical lines of the file.
        unparsed: By column, values that are neither of its kind nor known to mean "missing"; None
            where nobody counted.
        ragged: The first of the rows that were left out for their number of fields.
        members: Of a table of several files, what each of them is, in the order of their rows.
    """

    name: str
    options: ReadOptions
    columns: tuple[Column, ...]
    rows: int
    source: str
    raw: str
    findings: tuple[Finding, ...] = ()
    places: LineMap = field(default_factory=LineMap)
    unparsed: Mapping[str, int] | None = None
    ragged: tuple[RaggedRow, ...] = ()
    members: tuple[MemberTable, ...] = ()

    def lines(self, engine: Engine, rows: Sequence[int]) -> dict[int, int]:
        """Returns the 1-based physical line on which each of some data rows begins.

        Empty for formats without lines. Rows that the table does not have are left out. The file
        is read again only where rows span lines, up to the last row asked for.
        """
        return self.places.find(engine, rows)


@dataclass(frozen=True, slots=True)
class MemberTable:
    """One file of a table of several.

    Args:
        inside: Its path inside the data set.
        mark: What only the same bytes have.
        table: The file alone.
        is_own: Whether it is read as it would be without the others, its kinds included.
        first: Rows of the whole table that come before its own.
    """

    inside: str
    mark: str
    table: Table
    is_own: bool = True
    first: int = 0
