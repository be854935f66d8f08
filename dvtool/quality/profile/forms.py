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
from dvtool.quality.tables.parts import in_parts, is_wide_and_short
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
    is_wide = is_wide_and_short(len(table.columns), table.rows)
    found = {}
    also = [quoted(ROW)]
    for some, relation in in_parts(engine, table.raw, names, quoted, also=also, is_wide=is_wide):
        # Of a part one query tells all its columns, which are text; of a large table each is asked.
        asked = [some] if is_wide else [[name] for name in some]
        counts: dict[str, dict[Key, int]] = {name: {} for name in some}
        for listed in asked:
            for name, form, count, missing in engine.rows(
                _forms_sql(relation, listed, nulls, every)
            ):
                if not missing:
                    counts[name][form] = int(count) * every
        for name, forms in counts.items():
            found[name] = trimmed(forms, 0 if every == 1 else every, sum(forms.values()))
    return found


def _forms_sql(raw: str, names: Sequence[str], nulls: Sequence[str], every: int) -> str:
    """Returns the query of the forms of some columns and their counts.

    Without their digits the values of typed columns are few; all else is done to those few.
    """
    if len(names) == 1:
        column = quoted(names[0])
        source = f"(SELECT {literal(names[0])} AS place, {column} AS text, {quoted(ROW)} AS nth FROM {raw})"
    else:
        listed = ", ".join(map(quoted, names))
        told = f"UNPIVOT INCLUDE NULLS (__text FOR __place IN ({listed}))"
        source = (
            f"(SELECT __place AS place, __text AS text, {quoted(ROW)} AS nth FROM {raw} {told})"
        )
    few = _replaced(f"left(text, {_LONGEST})", ("[0-9]+", "9"))
    changed = [one for one in nulls if len(one) > _LONGEST or any(c.isdigit() for c in one)]
    early = f" AND text NOT IN ({_listed(changed)})" if changed else ""
    missing = _listed(one for one in nulls if one not in changed)
    form = _replaced("few", ("[A-Z]+", "A"), ("[a-z]+", "a"), (r"\s+", " "))
    return (
        # As a condition, `missing` would be moved to where it is computed for every row.
        f"SELECT place, {form} AS form, sum(n), few IN ({missing}) AS missing "
        f"FROM (SELECT place, {few} AS few, count(*) AS n FROM {source} "
        f"WHERE nth % {every} = 0{early} GROUP BY ALL) GROUP BY ALL"
    )


def _replaced(text: str, *runs: tuple[str, str]) -> str:
    for pattern, sign in runs:
        text = f"regexp_replace({text}, {literal(pattern)}, {literal(sign)}, 'g')"
    return text


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(literal, texts))
