"""The two views of a table: typed, and as text.

Here engine types become kinds and SQL expressions become views. Which expression types a column is
decided by `kinding`. The readers call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import WIDE, Engine, quoted
from dvtool.quality.tables.parts import is_wide_and_short
from dvtool.quality.tables.table import ROW, Column

_KINDS = {
    "BOOLEAN": Kind.BOOL,
    "TINYINT": Kind.INT,
    "SMALLINT": Kind.INT,
    "INTEGER": Kind.INT,
    "BIGINT": Kind.INT,
    "HUGEINT": Kind.INT,
    "UTINYINT": Kind.INT,
    "USMALLINT": Kind.INT,
    "UINTEGER": Kind.INT,
    "UBIGINT": Kind.INT,
    "UHUGEINT": Kind.INT,
    "FLOAT": Kind.FLOAT,
    "DOUBLE": Kind.FLOAT,
    "VARCHAR": Kind.TEXT,
    "UUID": Kind.TEXT,
    "DATE": Kind.DATE,
    "TIME": Kind.TIME,
    "TIME_NS": Kind.TIME,
    "TIMESTAMP": Kind.DATETIME,
    "TIMESTAMP_S": Kind.DATETIME,
    "TIMESTAMP_MS": Kind.DATETIME,
    "TIMESTAMP_NS": Kind.DATETIME,
    "TIMESTAMP WITH TIME ZONE": Kind.DATETIME,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One column to be: its name and how both views compute it.

    Args:
        name: Usable and unique.
        typed: SQL expression over the base relation.
        type: Engine type of `typed`.
        text: SQL expression of the value as written; the typed one cast to text when empty.
        unparsed: Values that `typed` does not take, known where they were counted.
    """

    name: str
    typed: str
    type: str
    text: str = ""
    unparsed: int = 0


def kind_of(type_name: str) -> Kind:
    """Returns the kind of an engine type, OTHER for what no statistic is defined for."""
    if type_name.endswith("]"):
        return Kind.LIST
    if type_name.startswith("DECIMAL"):
        return Kind.FLOAT
    if type_name.startswith("ENUM"):
        return Kind.TEXT
    return _KINDS.get(type_name, Kind.OTHER)


def make_views(
    engine: Engine, relation: str, row: str, fields: Sequence[Field]
) -> tuple[tuple[Column, ...], str, str]:
    """Creates both views over a relation and returns the columns and the views' names.

    Args:
        engine: Holds the relation and will hold the views.
        relation: Name of a table or view.
        row: SQL expression of the 1-based row number.
        fields: In file order.
    """
    engine.make_room(len(fields))
    source, raw = engine.fresh("source"), engine.fresh("raw")
    numbered = f"CAST({row} AS BIGINT) AS {quoted(ROW)}"
    typed = [f"{one.typed} AS {quoted(one.name)}" for one in fields]
    text = [
        f"{one.text or f'CAST({one.typed} AS VARCHAR)'} AS {quoted(one.name)}" for one in fields
    ]
    kind = "TABLE" if _is_copied(engine, relation, len(fields)) else "VIEW"
    with engine.planned_fast():
        for view, expressions in ((source, typed), (raw, text)):
            listed = ", ".join([numbered, *expressions])
            engine.rows(f"CREATE TEMP {kind} {view} AS SELECT {listed} FROM {relation}")
    columns = tuple(Column(one.name, kind_of(one.type), one.type) for one in fields)
    return columns, source, raw


def _is_copied(engine: Engine, relation: str, columns: int) -> bool:
    if columns <= WIDE:
        return False
    ((rows,),) = engine.rows(f"SELECT count(*) FROM {relation}")
    return is_wide_and_short(columns, int(rows))
