"""Finds the columns that name a row in both versions: the smallest set without repeats or gaps.

Estimates and a look at the head of each table drop what cannot be a key; what remains is counted
exactly over all rows. Called by `comparing` where no key was given.
"""

from __future__ import annotations

import re
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
_LOOKED_AT = 10_000
_AS_GOOD = 0.9
_IDENTIFIER = re.compile(
    r"^(?i:id|key|uuid|guid|pk|index)$|(?i:[_. -])(?i:id|key|uuid|guid)$|[a-z]I[dD]$|^(?i:id)[_. -]"
)
_FIT = frozenset({Kind.INT, Kind.TEXT, Kind.DATE, Kind.DATETIME, Kind.TIME, Kind.BOOL})

Side = tuple[str, int]
"""A relation and its number of rows."""


def find_key(engine: Engine, old: Side, new: Side, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """Returns the key, empty when no set of up to three columns is one.

    Of several single columns the one wins under which most rows stay as they are, told from some
    thousand rows; among those that are nearly as good, one that is called like an identifier, then
    the one with the most values in common, then the leftmost. Floats and lists never name a row. A
    version without rows rules nothing out.

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
        return _best(engine, old, new, singles[:_COUNTED], pairs)
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


def _best(
    engine: Engine, old: Side, new: Side, keys: Sequence[tuple[Pair, ...]], pairs: Sequence[Pair]
) -> tuple[Pair, ...]:
    """Returns the single column that names a row best."""
    if len(keys) == 1:
        return keys[0]
    # Other candidates do not count: ids that were given anew make every row other.
    rest = [one for one in pairs if (one,) not in keys]
    found = [_agreement(engine, old[0], new, pair, rest) for (pair,) in keys]
    most_same = max(same for same, _ in found)
    near = [place for place, (same, _) in enumerate(found) if same >= _AS_GOOD * most_same]
    most_shared = max(found[place][1] for place in near)
    near = [place for place in near if found[place][1] >= _AS_GOOD * most_shared]
    return keys[max(near, key=lambda at: (_is_named_so(keys[at][0]), found[at][1], -at))]


def _agreement(
    engine: Engine, old: str, new: Side, pair: Pair, rest: Sequence[Pair]
) -> tuple[int, int]:
    """Returns of some rows how many stay the same, and how many are found, by a column's value."""
    parts = [f"o.{one.place} IS NOT DISTINCT FROM n.{one.place}" for one in rest]
    same = " AND ".join(parts) or "true"
    relation, rows = new
    step = max(rows // _LOOKED_AT, 1)
    row = engine.rows(
        f"SELECT count(*) FILTER (WHERE {same}), count(*) "
        f"FROM (SELECT * FROM {relation} WHERE r % {step} = 0) n "
        f"JOIN {old} o ON o.{pair.place} = n.{pair.place}"
    )[0]
    return int(row[0]), int(row[1])


def _is_named_so(pair: Pair) -> bool:
    """Tells whether a column is called like an identifier: `id`, `order_id`, `orderId`, `uuid`, `key`."""
    return _IDENTIFIER.search(pair.name) is not None
