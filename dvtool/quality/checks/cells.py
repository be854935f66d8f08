"""One column in SQL: its value, when it is missing, and when it is of the wrong type.

A column may be declared as another kind than the reader found; then values are cast one by one, and
those that do not fit are wrong, not missing. What is expected of the values is `rowrules`. Pure
text, no query is run here.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvtool.quality.checks.model import ColumnSpec
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import quoted
from dvtool.quality.tables.table import Column

_TYPES = {
    Kind.INT: "HUGEINT",
    Kind.FLOAT: "DOUBLE",
    Kind.BOOL: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIME: "TIME",
    Kind.DATETIME: "TIMESTAMP",
    Kind.TEXT: "VARCHAR",
}
_WIDENING = {(Kind.INT, Kind.FLOAT), (Kind.DATE, Kind.DATETIME)}
_TYPED_FORMATS = ("parquet", "arrow")
_ITEMS = {
    "VARCHAR": Kind.TEXT,
    "BOOLEAN": Kind.BOOL,
    "DOUBLE": Kind.FLOAT,
    "FLOAT": Kind.FLOAT,
    "DATE": Kind.DATE,
    "TIMESTAMP": Kind.DATETIME,
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A column as SQL expressions over a row of the typed view.

    Args:
        spec: What is expected of it.
        kind: What its values are judged as.
        found: What the reader found.
        value: The value; NULL where missing or wrong.
        given: The value as the reader found it; NULL where there is none at all.
        wrong: True where there is a value, but not of the declared kind; empty when that cannot
            be told from the typed view.
        fits: Whether the kind found can hold the kind declared at all.
        item: Kind of the items of a list, else None.
        private: Whether its values may not be shown.
    """

    spec: ColumnSpec
    kind: Kind
    found: Kind
    value: str
    given: str
    wrong: str
    fits: bool = True
    item: Kind | None = None
    private: bool = False

    @property
    def missing(self) -> str:
        """True where there is no value at all."""
        return f"({self.given}) IS NULL"

    @property
    def present(self) -> str:
        """True where there is a value of the right kind."""
        return f"({self.value}) IS NOT NULL"

    @property
    def text(self) -> str:
        """The value as text, for examples."""
        return f"CAST({self.value} AS VARCHAR)"


def cell_of(spec: ColumnSpec, column: Column, format_name: str) -> Cell:
    """Returns a column of the table as SQL, judged as the kind that the checks declare.

    Args:
        spec: The column's entry in the checks.
        column: As the reader found it.
        format_name: Of the file; in Parquet and Arrow the file itself fixes types.
    """
    name = quoted(column.name)
    is_real = column.type.upper() in ("DOUBLE", "FLOAT", "REAL")
    value = f"(CASE WHEN isnan({name}) THEN NULL ELSE {name} END)" if is_real else name
    declared = spec.type or column.kind
    item = _item_kind(column) if column.kind is Kind.LIST else None
    same = Cell(spec, column.kind, column.kind, value, value, "", item=item, private=spec.private)
    if declared is column.kind:
        return same
    if (column.kind, declared) in _WIDENING:
        cast = f"CAST({value} AS {_TYPES[declared]})"
        return Cell(spec, declared, column.kind, cast, value, "", private=spec.private)
    if not _may_cast(column.kind, declared, format_name):
        return Cell(spec, declared, column.kind, value, value, "", fits=False, private=spec.private)
    cast = _cast(value, column.kind, declared)
    wrong = f"(({value}) IS NOT NULL AND ({cast}) IS NULL)"
    return Cell(spec, declared, column.kind, cast, value, wrong, private=spec.private)


def _may_cast(found: Kind, declared: Kind, format_name: str) -> bool:
    if format_name in _TYPED_FORMATS or declared in (Kind.LIST, Kind.OTHER):
        return False
    return (
        found is Kind.TEXT or declared is Kind.TEXT or (found, declared) == (Kind.FLOAT, Kind.INT)
    )


def _cast(value: str, found: Kind, declared: Kind) -> str:
    if found is Kind.TEXT and declared is Kind.INT:
        # DuckDB rounds the text 1.5 to the whole number 2.
        digits = f"regexp_full_match(trim({value}), '[-+]?[0-9]+')"
        return f"(CASE WHEN {digits} THEN TRY_CAST({value} AS HUGEINT) END)"
    if (found, declared) == (Kind.FLOAT, Kind.INT):
        return f"(CASE WHEN {value} = trunc({value}) THEN TRY_CAST({value} AS HUGEINT) END)"
    return f"TRY_CAST({value} AS {_TYPES[declared]})"


def _item_kind(column: Column) -> Kind:
    inner = column.type.upper().removesuffix("[]")
    if inner.endswith(("INT", "INTEGER")):
        return Kind.INT
    return _ITEMS.get(inner, Kind.OTHER)
