"""Forms: how the values of a typed column are written in the file, `-9.9`, `9/9/9`, `Aa`.

Two files can hold the same numbers and say them differently: 42 and 42.0, 12345 and 12,345, True and
TRUE. Here the engine is asked for the forms; what typed values are is the other scans' business. Text
columns have shapes instead (`patterns`). Called by `compute`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.tally import Key, Tally, trimmed
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.table import ROW, Table

LOOKED: Final = 1 << 16
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
    nulls = ("", *table.options.nulls)
    found = {}
    for name in names:
        rows = engine.rows(_forms_sql(table.raw, quoted(name), nulls, every))
        counts: dict[Key, int] = {
            form: int(count) * every for form, count, missing in rows if not missing
        }
        found[name] = trimmed(counts, 0 if every == 1 else every, sum(counts.values()))
    return found


def _forms_sql(raw: str, column: str, nulls: Sequence[str], every: int) -> str:
    """Returns the query of one column's forms and their counts.

    Without their digits the values of typed columns are few; all else is done to those few.
    """
    few = _replaced(f"left({column}, {_LONGEST})", ("[0-9]+", "9"))
    changed = [one for one in nulls if len(one) > _LONGEST or any(c.isdigit() for c in one)]
    early = f" AND {column} NOT IN ({_listed(changed)})" if changed else ""
    missing = _listed(one for one in nulls if one not in changed)
    form = _replaced("few", ("[A-Z]+", "A"), ("[a-z]+", "a"), (r"\s+", " "))
    return (
        # As a condition, `missing` would be moved to where it is computed for every row.
        f"SELECT {form} AS form, sum(n), few IN ({missing}) AS missing "
        f"FROM (SELECT {few} AS few, count(*) AS n FROM {raw} "
        f"WHERE {quoted(ROW)} % {every} = 0{early} GROUP BY 1) GROUP BY ALL"
    )


def _replaced(text: str, *runs: tuple[str, str]) -> str:
    for pattern, sign in runs:
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(sign)}, 'g')"
    return text


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))
