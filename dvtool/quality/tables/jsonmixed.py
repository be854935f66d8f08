"""JSON fields in which records disagree: most hold a list or an object, some hold something else.

What nearly all records hold keeps its columns by path, and the others are told by line; fields
without such a majority stay text, which is told as well. Paths are `jsonpaths`. `jsonfile` calls it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.jsonpaths import Leaf
from dvtool.quality.tables.jsonrecords import Records
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.structure import EXAMPLES, structural, times

NEARLY_ALL: Final = 0.95
"""Share of the values that must be lists, or objects, to be read as such."""
_WORDS: Final = {
    "VARCHAR": "text",
    "UBIGINT": "int",
    "BIGINT": "int",
    "DOUBLE": "float",
    "ARRAY": "list",
}
"""What a reader of the finding calls the engine's names of JSON types."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A field that is read as what nearly all records hold.

    Attributes:
        keys: Its path from the top.
        kind: The engine's name of what they hold: `ARRAY` or `OBJECT`.
        told: How many values of each kind there are, in words.
        others: How many are of another kind, and so missing.
    """

    keys: tuple[str, ...]
    kind: str
    told: str
    others: int


def structure_of(engine: Engine, query: str) -> object:
    """Returns the structure of all values together; only one of each structure is put together.

    Args:
        engine: Holds the values.
        query: SQL that gives them as `doc`, with their place as `record`.
    """
    kinds = (
        f"SELECT arg_min(doc, record) AS doc, min(record) AS first FROM ({query}) "
        "GROUP BY json_structure(doc)"
    )
    array = "CAST('[' || string_agg(CAST(doc AS VARCHAR), ',' ORDER BY first) || ']' AS JSON)"
    ((found,),) = engine.rows(f"SELECT json_structure({array}) -> 0 FROM ({kinds})")
    shape: object = json.loads(str(found))
    return shape


def by_majority(
    engine: Engine, table: str, shape: dict[str, Any]
) -> tuple[dict[str, Any], list[Odd]]:
    """Returns a merged structure in which fields that nearly always are lists or objects are so.

    Args:
        engine: Holds the records.
        table: Their table, with `doc` and `record`.
        shape: As `structure_of` gives it; `JSON` stands where records disagree.
    """
    odd: list[Odd] = []

    def settled(one: object, keys: tuple[str, ...]) -> object:
        if one == "JSON":
            found = _majority(engine, table, keys)
            if found is None:
                return one
            odd.append(found)
            same = (
                f"SELECT doc, record FROM (SELECT {_value(keys)} AS doc, record FROM {table}) "
                f"WHERE json_type(doc) = {literal(found.kind)}"
            )
            one = structure_of(engine, same)
        if isinstance(one, dict):
            return {key: settled(below, (*keys, key)) for key, below in one.items()}
        return one

    return {key: settled(one, (key,)) for key, one in shape.items()}, odd


def _majority(engine: Engine, table: str, keys: tuple[str, ...]) -> Odd | None:
    counts = _counts(engine, table, keys)
    total = sum(many for _, many, _ in counts)
    if len(counts) < 2 or counts[0][0] not in ("ARRAY", "OBJECT"):
        return None
    kind, most, _ = counts[0]
    return Odd(keys, kind, _told(counts), total - most) if most >= NEARLY_ALL * total else None


def mixed(
    engine: Engine,
    records: Records,
    names: Sequence[str],
    found: Sequence[Leaf],
    odd: Sequence[Odd],
    *,
    name: str,
    places: LineMap,
) -> Iterator[Finding]:
    """Yields findings about fields that hold values of several types.

    Args:
        engine: Holds the records.
        records: What was read.
        names: Of the columns.
        found: The columns.
        odd: Fields that were read as most records have them.
        name: The file as the user knows it.
        places: Where the records stand.
    """
    table = records.table

    def finding(message: str, column: str, rows: Sequence[int]) -> Finding:
        lines = places.find(engine, rows)
        examples = [(lines.get(row, 0), row, None) for row in rows]
        return structural("mixed-types", message, name, column=column, examples=examples)

    for one in odd:
        rows = engine.rows(
            f"SELECT rowid + 1 FROM (SELECT rowid, json_type({_value(one.keys)}) AS kind FROM {table}) "
            f"WHERE kind NOT IN ({literal(one.kind)}, 'NULL') ORDER BY 1 LIMIT {EXAMPLES}"
        )
        word = _WORDS.get(one.kind, one.kind.lower())
        message = (
            f"values of several types: {one.told}; read as {word}, so {times(one.others, 'value')} "
            f"{'is' if one.others == 1 else 'are'} missing"
        )
        spots = [int(row) for (row,) in rows]
        yield finding(message, ".".join(one.keys), spots)
    for place, leaf in enumerate(found):
        if not leaf.mixed:
            continue
        counts = _counts(engine, table, leaf.keys)
        if not leaf.type.endswith("[]") and len(counts) < 2:
            continue  # empty objects only
        message = f"values of several types, kept as text: {_told(counts)}"
        yield finding(message, names[place], [row for _, _, row in counts[1 : 1 + EXAMPLES]])


def _value(keys: Sequence[str]) -> str:
    return f"(doc -> {literal('$.' + '.'.join(json.dumps(key) for key in keys))})"


def _counts(engine: Engine, table: str, keys: Sequence[str]) -> list[tuple[str, int, int]]:
    """Returns kinds of JSON values, how many there are and the row of the first; most come first."""
    found = engine.rows(
        f"SELECT json_type({_value(keys)}) AS kind, count(*), min(rowid) + 1 FROM {table} "
        "WHERE kind IS NOT NULL AND kind <> 'NULL' GROUP BY kind ORDER BY 2 DESC, 1"
    )
    return [(str(kind), int(many), int(row)) for kind, many, row in found]


def _told(counts: Sequence[tuple[str, int, int]]) -> str:
    return ", ".join(f"{many:,} {_WORDS.get(kind, kind.lower())}" for kind, many, _ in counts)
