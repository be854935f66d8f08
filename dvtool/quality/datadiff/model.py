"""What comparing two tables row by row comes to, as frozen values of plain texts and numbers.

Private values are masked before they get here, so that no renderer can show one. How it comes about
is `comparing`; how it looks is `dvtool.report`.
"""

from __future__ import annotations

from dataclasses import dataclass

PRIVATE = "(private)"
"""Stands for every value of a private column, changed or not."""


@dataclass(frozen=True, slots=True)
class Retyped:
    """A column whose kind changed, and what its cells were compared as."""

    column: str
    old: str
    new: str
    compared_as: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A removed and an added column that look like one.

    Attributes:
        old: Name before.
        new: Name now.
        share: Of rows with the same key whose values agree, 0 to 1.
    """

    old: str
    new: str
    share: float


@dataclass(frozen=True, slots=True)
class SchemaDiff:
    """How the columns changed; names in file order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[Retyped, ...] = ()
    reordered: bool = False
    renamed: tuple[Renamed, ...] = ()


@dataclass(frozen=True, slots=True)
class Key:
    """How rows of two versions were matched.

    Attributes:
        columns: Empty when rows were matched as wholes.
        why: How the columns were chosen, in words.
        repeated: Rows beyond the first with the same key, before and now.
        nulls: Rows with a missing value in the key, before and now.
    """

    columns: tuple[str, ...]
    why: str
    repeated: tuple[int, int] = (0, 0)
    nulls: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """How many rows with the same key differ in one column."""

    column: str
    cells: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as written, before and now; None for a missing value, or where there is no row."""

    column: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class RowExample:
    """One row that differs.

    Attributes:
        kind: `changed`, `added` or `removed`.
        key: Name and value of each key column.
        old_row: 1-based data row before, None for an added row.
        new_row: Likewise now.
        cells: Those that changed; all but the key for an added or removed row.
    """

    kind: str
    key: tuple[tuple[str, str | None], ...]
    old_row: int | None
    new_row: int | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class TableDiff:
    """Two versions of one table.

    Attributes:
        name: As the user knows it.
        rows: Before and now.
        schema: How columns changed.
        key: How rows were matched.
        added: Rows whose key is new.
        removed: Rows whose key is gone.
        changed: Rows with the same key of which a cell differs in a column both versions have.
        columns: Changed cells by column, the most first; columns without any are left out.
        examples: At most so many of each kind as asked for.
        tolerance: Largest difference of two floats that still counts as equal.
        notes: What else a reader has to know, in sentences.
    """

    name: str
    rows: tuple[int, int]
    schema: SchemaDiff
    key: Key
    added: int
    removed: int
    changed: int
    columns: tuple[ColumnChange, ...] = ()
    examples: tuple[RowExample, ...] = ()
    tolerance: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> int:
        """Rows that both versions have with the same cells."""
        return self.rows[1] - self.added - self.changed

    @property
    def is_same(self) -> bool:
        """Whether neither rows nor columns differ; order of either does not count."""
        schema = self.schema
        return not (
            self.added or self.removed or self.changed
            or schema.added or schema.removed or schema.retyped
        )  # fmt: skip
