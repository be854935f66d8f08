"""Summaries by label: rows, nulls and two moments of every column within each class.

Here lives the one query behind them. What is not here: the values (`model`) and their merge
(`merge`). `compute` calls it once for a table with a label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.model import MOST_CLASSES, ClassProfile, ColumnProfile, Conditional
from dvtool.quality.profile.privacy import Privacy, token, token_key
from dvtool.quality.profile.texts import text_key
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import Table

_MEASURED = (Kind.INT, Kind.FLOAT, Kind.BOOL)


def class_profiles(
    engine: Engine, table: Table, columns: Sequence[ColumnProfile], label: str, salt: str
) -> Mapping[str, ClassProfile] | None:
    """Returns each class's summary by the key of the label in its column's tally.

    That is the value, or the token of a text that is not public. None when the label is private
    or has more than 100 values. Rows without a label are in no class.
    """
    found = next(one for one in columns if one.name == label)
    if found.distinct is None or found.distinct > MOST_CLASSES:
        return None
    shown = [one for one in columns if one.name != label and one.privacy is not Privacy.PRIVATE]
    asked = ["count(*)"]
    for one in shown:
        asked.append(f"count({quoted(one.name)})")
        if _is_measured(one):
            value = f"{quoted(one.name)}::DOUBLE"
            known = f"FILTER (isfinite({value}))"
            asked += [
                f"count(*) {known}",
                f"avg({value}) {known}",
                f"var_pop({value}) {known}",
            ]
    name = quoted(label)
    rows = _in_one_thread(
        engine,
        f"SELECT {name}::VARCHAR, {', '.join(asked)} FROM {table.source} "
        f"WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 1",
    )
    classes = {_key(found, str(row[0]), salt): _class(row[1:], shown) for row in rows}
    return {key: classes[key] for key in sorted(classes)}


def _key(label: ColumnProfile, text: str, salt: str) -> str:
    if label.texts is None:
        return text
    if label.privacy is Privacy.PUBLIC:
        return text_key(text)
    return token_key(token(text, salt))


def _in_one_thread(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    """Returns a query's rows; sums of floats then have one order, so that profiles are stable."""
    threads = engine.rows("SELECT current_setting('threads')")[0][0]
    engine.rows("SET threads = 1")
    try:
        return engine.rows(sql)
    finally:
        engine.rows(f"SET threads = {int(threads)}")


def _class(figures: Sequence[Any], shown: Sequence[ColumnProfile]) -> ClassProfile:
    rows, at, columns = int(figures[0]), 1, {}
    for one in shown:
        present = int(figures[at])
        if _is_measured(one):
            n = int(figures[at + 1])
            mean, variance = figures[at + 2], figures[at + 3]
            columns[one.name] = Conditional(
                rows - present, n, float(mean or 0.0), float(variance or 0.0) * n
            )
            at += 4
        else:
            columns[one.name] = Conditional(rows - present)
            at += 1
    return ClassProfile(rows, columns)


def _is_measured(column: ColumnProfile) -> bool:
    return column.kind in _MEASURED and column.privacy is Privacy.PUBLIC
