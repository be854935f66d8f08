"""Finds the columns that name a row in both versions: the smallest set without repeats or gaps.

Estimates and a look at the head of each table drop what cannot be a key; what remains is counted
exactly over all rows. Called by `comparing` where no key was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, islice

from dvtool.quality.datadiff.sides import Pair
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine

_NEARLY = 0.8
"""Estimated share of different values below which a column is not counted exactly."""
_HEAD_ROWS = 20_000
_WIDEST = 3
_COLUMNS = 8
_COUNTED = 6
_FIT = frozenset({Kind.INT, Kind.TEXT, Kind.DATE, Kind.DATETIME, Kind.TIME, Kind.BOOL})

Side = tuple[str, int]
"""A relation and its number of rows."""


def find_key(engine: Engine, old: Side, new: Side, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Returns the key, empty when no set of up to three columns is one.

    Of several single columns the one with the most values in common wins, then the leftmost. Floats
    and lists never name a row. A version without rows rules nothing out.

    Args:
        engine: Holds both relations.
        old: Before, as `relation_of` gives it.
        new: Now.
        pairs: Columns to choose from, in file order.
    """
    fit = [one for one in pairs if one.kind in _FIT]
    estimates = [_estimates(engine, side, fit) for side in (old, new)]
    whole = [
        place
        for place in range(len(fit))
        if all(
            known[place][1] == rows for known, (_, rows) in zip(estimates, (old, new), strict=True)
        )
    ]

    def reach(place: int) -> float:
        both = zip(estimates, (old, new), strict=True)
        shares = (known[place][0] / rows for known, (_, rows) in both if rows)
        return min(shares, default=1.0)

    likely = [(fit[place],) for place in whole if reach(place) >= _NEARLY]
    singles = [one for one in likely if _is_unique(engine, old, new, one)]
    if singles:
        return _most_shared(engine, old[0], new[0], singles[:_COUNTED])
    widest = sorted(sorted(whole, key=lambda place: -reach(place))[:_COLUMNS])
    for size in range(2, _WIDEST + 1):
        sets = [tuple(fit[place] for place in some) for some in combinations(widest, size)]
        promising = (one for one in sets if _is_unique(engine, old, new, one, head=True))
        for columns in islice(promising, _COUNTED):
            if _is_unique(engine, old, new, columns):
                return columns
    return ()


def _estimates(engine: Engine, side: Side, fit: Sequence[Pair]) -> list[tuple[int, int]]:
    """Returns different values, about, and values of each column."""
    if not fit:
        return []
    parts = ", ".join(f"approx_count_distinct({one.place}), count({one.place})" for one in fit)
    row = engine.rows(f"SELECT {parts} FROM {side[0]}")[0]
    return list(zip(row[::2], row[1::2], strict=True))


def _is_unique(
    engine: Engine, old: Side, new: Side, columns: Sequence[Pair], *, head: bool = False
) -> bool:
    names = ", ".join(one.place for one in columns)
    for relation, rows in (new, old):
        limit = f" LIMIT {_HEAD_ROWS}" if head else ""
        some = f"(SELECT {names} FROM {relation}{limit})"
        found = engine.rows(f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {some})")[0][0]
        if found != (min(rows, _HEAD_ROWS) if head else rows):
            return False
    return True


def _most_shared(
    engine: Engine, old: str, new: str, keys: Sequence[tuple[Pair, ...]]
) -> tuple[Pair, ...]:
    if len(keys) == 1:
        return keys[0]

    def shared(key: tuple[Pair, ...]) -> int:
        (pair,) = key
        sql = f"SELECT count(*) FROM {new} WHERE {pair.place} IN (SELECT {pair.place} FROM {old})"
        return int(engine.rows(sql)[0][0])

    return max(keys, key=shared)
