"""Columns of two tables brought together: which there are on both sides, and what to compare.

A column is compared as values of one engine type on both sides, or as text where no such type fits.
No row is read here but for columns compared as text. Called by `comparing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.quality.datadiff.model import Retyped, SchemaDiff
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.casting import is_null
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Column, Table

_NUMBERS = frozenset({Kind.INT, Kind.FLOAT})
_DAYS = frozenset({Kind.DATE, Kind.DATETIME})
_WRITTEN_NULLS = ("csv", "xlsx")


@dataclass(frozen=True, slots=True)
class Pair:
    """One column that both versions have.

    Attributes:
        name: Its name.
        kind: What its values are compared as.
        type: Engine type of both expressions, empty for the column's own.
        as_text: Whether its cells are compared as written.
        place: Its alias in the relations of `relation_of`.
    """

    name: str
    kind: Kind
    type: str
    as_text: bool
    place: str


def pair_columns(old: Table, new: Table) -> tuple[tuple[Pair, ...], SchemaDiff]:
    """Returns the columns of both versions in the new one's order, and how columns changed."""
    before = {one.name: one for one in old.columns}
    now = {one.name: one for one in new.columns}
    mixed = {
        finding.column
        for table in (old, new)
        for finding in table.findings
        if finding.code == "mixed-types"
    }
    pairs: list[Pair] = []
    retyped: list[Retyped] = []
    for place, column in enumerate(one for one in new.columns if one.name in before):
        pair = _pair(before[column.name], column, place, is_mixed=column.name in mixed)
        pairs.append(pair)
        if before[column.name].kind is not column.kind:
            told = "text, as written" if pair.as_text else pair.kind.value
            retyped.append(
                Retyped(column.name, before[column.name].kind.value, column.kind.value, told)
            )
    common = [one.name for one in pairs]
    schema = SchemaDiff(
        added=tuple(name for name in now if name not in before),
        removed=tuple(name for name in before if name not in now),
        retyped=tuple(retyped),
        reordered=[name for name in before if name in now] != common,
    )
    return tuple(pairs), schema


def _pair(old: Column, new: Column, place: int, *, is_mixed: bool) -> Pair:
    kind, type_name, as_text = new.kind, "", False
    if is_mixed:
        kind, as_text = Kind.TEXT, True
    elif old.kind is not new.kind:
        both = {old.kind, new.kind}
        if both == _NUMBERS:
            kind, type_name = Kind.FLOAT, "DOUBLE"
        elif both == _DAYS:
            kind, type_name = Kind.DATETIME, "TIMESTAMP"
        else:
            kind, as_text = Kind.TEXT, True
    elif old.type != new.type:
        type_name = _common_type(old, new)
    return Pair(new.name, kind, type_name, as_text, f"c{place}")


def _common_type(old: Column, new: Column) -> str:
    if new.kind is Kind.INT:
        wide = any("HUGE" in one.type or one.type == "UBIGINT" for one in (old, new))
        return "HUGEINT" if wide else "BIGINT"
    common = {Kind.FLOAT: "DOUBLE", Kind.DATETIME: "TIMESTAMP", Kind.TIME: "TIME"}
    return common.get(new.kind, "VARCHAR")


def relation_of(engine: Engine, table: Table, pairs: Sequence[Pair]) -> str:
    """Returns a relation with the row number `r` and each pair's value under its `place`.

    A view, or a table where a column is compared as text, since text and values lie in two views.
    """
    texts = [pair for pair in pairs if pair.as_text]
    values = ", ".join(
        [f"t.{quoted(ROW)} AS r", *(f"{_value(pair, table)} AS {pair.place}" for pair in pairs)]
    )
    if not texts:
        name = engine.fresh("side")
        engine.rows(f"CREATE TEMP VIEW {name} AS SELECT {values} FROM {table.source} t")
        return name
    joined = (
        f"SELECT {values} FROM {table.source} t "
        f"JOIN {table.raw} w ON t.{quoted(ROW)} = w.{quoted(ROW)}"
    )
    return engine.create("side", joined, table.rows * 16 * max(len(pairs), 1))


def _value(pair: Pair, table: Table) -> str:
    column = quoted(pair.name)
    if pair.as_text:
        if table.options.format not in _WRITTEN_NULLS:
            return f"w.{column}"
        missing = is_null(f"w.{column}", table.options.nulls)
        return f"CASE WHEN {missing} THEN NULL ELSE w.{column} END"
    return f"CAST(t.{column} AS {pair.type})" if pair.type else f"t.{column}"
