"""Forms: how the values of a typed column are written in the file, `-9.9`, `9/9/9`, `Aa`.

Two files can hold the same numbers and say them differently: 42 and 42.0, 12345 and 12,345, True and
TRUE. Here the engine is asked for the forms; what typed values are is the other scans' business. Text
columns have shapes instead (`patterns`). Called by `compute`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.tally import Key, Tally, trimmed
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.table import ROW, Table

LOOKED: Final = 1 << 18
"""Rows up to which every one is looked at; of more rows every second, third … one is."""
_LONGEST: Final = 40


def has_forms(kind: Kind) -> bool:
    """Tells whether a public column of this kind has forms, if its file is text."""
    return kind not in (Kind.TEXT, Kind.LIST, Kind.OTHER)


def forms_of(engine: Engine, table: Table, names: Sequence[str]) -> Mapping[str, Tally]:
    """Returns the forms of some typed columns; empty for formats that are not text."""
    if table.options.format != "csv" or not table.rows:
        return {}
    every = (table.rows - 1) // LOOKED + 1
    nulls = ", ".join(literal(text) for text in ("", *table.options.nulls))
    found = {}
    for name in names:
        rows = engine.rows(
            f"SELECT {_form_sql(quoted(name))} AS form, count(*) FROM {table.raw} "
            f"WHERE {quoted(name)} NOT IN ({nulls}) AND {quoted(ROW)} % {every} = 0 GROUP BY 1"
        )
        counts: dict[Key, int] = {form: int(count) * every for form, count in rows}
        found[name] = trimmed(counts, 0 if every == 1 else every, sum(counts.values()))
    return found


def _form_sql(column: str) -> str:
    text = f"left({column}, {_LONGEST})"
    for pattern, sign in (("[0-9]+", "9"), ("[A-Z]+", "A"), ("[a-z]+", "a"), (r"\s+", " ")):
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(sign)}, 'g')"
    return text
