"""Rows of two relations matched, by key or as wholes, and counted; everything spills.

Each row is hashed once to 64 bits; rows with the same key and different hashes are then compared
cell by cell, so a hash never calls equal rows different. Called by `comparing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.quality.datadiff.sides import Pair
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine

_LARGE = 1 << 30
"""Nobody knows how large what is matched becomes, so that it goes to disk."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What matching left.

    Attributes:
        table: Has `old_row` and `new_row` of every row that differs; one is NULL for a row that
            only one version has.
        added: Rows only in the new version.
        removed: Rows only in the old one.
        changed: Rows of the same key of which a cell differs.
        cells: Differing cells of each compared column.
        repeated: Rows beyond the first of their key, before and now.
        nulls: Rows with a missing value in the key.
    """

    table: str
    added: int
    removed: int
    changed: int = 0
    cells: tuple[int, ...] = ()
    repeated: tuple[int, int] = (0, 0)
    nulls: tuple[int, int] = (0, 0)


def match_by_key(
    engine: Engine,
    old: str,
    new: str,
    key: Sequence[Pair],
    rest: Sequence[Pair],
    *,
    tolerance: float = 0.0,
    proven: bool = False,
) -> Matched:
    """Returns what differs between rows with the same key.

    A missing value in a key is a value like any other. The n-th row of a repeated key is compared
    with the n-th row of that key in the other version, in the order of the files.

    Args:
        engine: Holds both relations, as `relation_of` gives them.
        old: Before.
        new: Now.
        key: Columns that name a row, at least one.
        rest: Columns to compare.
        tolerance: Largest difference of two floats that still counts as equal.
        proven: The key is known to have neither repeats nor gaps in either version.
    """
    facts = (
        [(0, 0)] * 2 if proven else [_key_facts(engine, relation, key) for relation in (old, new)]
    )
    repeats = any(repeated for repeated, _ in facts)
    sides = [_hashed(engine, relation, key, rest, numbered=repeats) for relation in (old, new)]
    on = [f"o.{one.place} IS NOT DISTINCT FROM n.{one.place}" for one in key]
    if repeats:
        on.append("o.nth = n.nth")
    differing = (
        f"SELECT o.r AS old_row, n.r AS new_row "
        f"FROM {sides[0]} o FULL JOIN {sides[1]} n ON {' AND '.join(on)} "
        "WHERE o.r IS NULL OR n.r IS NULL OR o.h <> n.h"
    )
    table = engine.create("differing", differing, _LARGE)
    for side in sides:
        engine.rows(f"DROP TABLE {side}")
    removed, added, suspects = engine.rows(
        "SELECT count(*) FILTER (WHERE new_row IS NULL), count(*) FILTER (WHERE old_row IS NULL), "
        f"count(*) FILTER (WHERE old_row IS NOT NULL AND new_row IS NOT NULL) FROM {table}"
    )[0]
    changed, cells = 0, tuple(0 for _ in rest)
    if suspects:
        changed, cells = _count_cells(engine, table, old, new, rest, tolerance=tolerance)
    repeated, nulls = ((facts[0][place], facts[1][place]) for place in (0, 1))
    return Matched(table, added, removed, changed, cells, repeated, nulls)


def match_wholes(engine: Engine, old: str, new: str, pairs: Sequence[Pair]) -> Matched:
    """Returns which rows one version has more often than the other, compared as wholes.

    Two versions are two multisets of rows: a row that occurs three times before and once now was
    removed twice. Different rows are taken for the same with a chance of 1 in 2^64 for each two.
    """
    names = ", ".join(one.place for one in pairs)
    counted = [
        f"(SELECT hash({names}) AS h, count(*) AS times, max(r) AS r FROM {relation} GROUP BY 1)"
        for relation in (old, new)
    ]
    differing = (
        "SELECT o.r AS was, n.r AS now, "
        "coalesce(n.times, 0) - coalesce(o.times, 0) AS more, "
        "CASE WHEN more < 0 THEN was END AS old_row, CASE WHEN more > 0 THEN now END AS new_row "
        f"FROM {counted[0]} o FULL JOIN {counted[1]} n ON o.h = n.h "
        "WHERE coalesce(n.times, 0) <> coalesce(o.times, 0)"
    )
    table = engine.create("differing", differing, _LARGE)
    added, removed = engine.rows(
        "SELECT coalesce(sum(more) FILTER (WHERE more > 0), 0), "
        f"coalesce(-sum(more) FILTER (WHERE more < 0), 0) FROM {table}"
    )[0]
    return Matched(table, int(added), int(removed))


def differs(pair: Pair, tolerance: float) -> str:
    """Returns the SQL condition under which a cell of `o` and `n` differs.

    Missing equals missing and NaN equals NaN; neither equals the other, and 0.0 equals -0.0.
    """
    old, new = f"o.{pair.place}", f"n.{pair.place}"
    unequal = f"{old} IS DISTINCT FROM {new}"
    if tolerance and pair.kind is Kind.FLOAT:
        unequal += f" AND NOT coalesce(abs({old} - {new}) <= {tolerance!r}, false)"
    return f"({unequal})"


def _key_facts(engine: Engine, relation: str, key: Sequence[Pair]) -> tuple[int, int]:
    """Returns rows beyond the first of their key, and rows with a missing value in it."""
    names = ", ".join(one.place for one in key)
    missing = " OR ".join(f"{one.place} IS NULL" for one in key)
    rows, nulls = engine.rows(
        f"SELECT count(*), count(*) FILTER (WHERE {missing}) FROM {relation}"
    )[0]
    distinct = engine.rows(f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {relation})")[0][0]
    return int(rows - distinct), int(nulls)


def _hashed(
    engine: Engine, relation: str, key: Sequence[Pair], rest: Sequence[Pair], *, numbered: bool
) -> str:
    names = ", ".join(one.place for one in key)
    parts = ["r", names, f"hash({', '.join(one.place for one in rest)}) AS h" if rest else "0 AS h"]
    if numbered:
        parts.append(f"row_number() OVER (PARTITION BY {names} ORDER BY r) AS nth")
    return engine.create("hashed", f"SELECT {', '.join(parts)} FROM {relation}", _LARGE)


def _count_cells(
    engine: Engine, table: str, old: str, new: str, rest: Sequence[Pair], *, tolerance: float
) -> tuple[int, tuple[int, ...]]:
    """Counts what differs; rows of the table that prove equal are dropped from it."""
    flags = ", ".join(f"{differs(one, tolerance)} AS d{place}" for place, one in enumerate(rest))
    counts = ", ".join(f"count(*) FILTER (WHERE d{place})" for place in range(len(rest)))
    either = " OR ".join(f"d{place}" for place in range(len(rest)))
    compared = (
        f"SELECT s.old_row, s.new_row, {flags} FROM {table} s "
        f"JOIN {old} o ON o.r = s.old_row JOIN {new} n ON n.r = s.new_row"
    )
    cells = engine.create("cells", compared, _LARGE)
    row = engine.rows(f"SELECT count(*) FILTER (WHERE {either}), {counts} FROM {cells}")[0]
    engine.rows(
        f"DELETE FROM {table} WHERE old_row IN "
        f"(SELECT old_row FROM {cells} WHERE NOT ({either})) AND new_row IS NOT NULL"
    )
    engine.rows(f"DROP TABLE {cells}")
    return int(row[0]), tuple(int(one) for one in row[1:])
