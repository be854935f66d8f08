"""Rows beside the rows above them: repeats, runs of one value, series of equal steps.

The engine counts, in one pass over the file's order; what comes out is small. What it means is said in
`filled`, which calls this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import WIDE, Engine, quoted
from dvtool.quality.tables.table import ROW, Column, Table

MOST_CELLS: Final = 5_000_000
"""Cells of one table that are looked at; of larger ones times first, then columns in file order."""
ASKED_ROWS: Final = 100_000
"""Rows up to which different values are counted for every column."""
_LOOKED_AT: Final = frozenset({Kind.INT, Kind.FLOAT, Kind.TEXT, Kind.DATE, Kind.DATETIME})
_TAIL: Final = "'[0-9]{1,15}$'"


@dataclass(frozen=True, slots=True)
class Sight:
    """What one pass tells about a column.

    Args:
        rows: All rows.
        nulls: Those without a value.
        pairs: Rows with a value below a row with one.
        repeats: Those that have the value of the row above.
        rises: Those that have a larger one.
        distinct: Different values, about; None where the table is too large to ask on the way.
    """

    rows: int
    nulls: int
    pairs: int
    repeats: int
    rises: int
    distinct: int | None = None

    @property
    def steady_share(self) -> float:
        """Returns the share of changes that go the usual way, up or down; 0 without changes."""
        changes = self.pairs - self.repeats
        return max(self.rises, changes - self.rises) / changes if changes else 0.0

    @property
    def repeat_share(self) -> float:
        """Returns the share of pairs that are equal, 0 without pairs."""
        return self.repeats / self.pairs if self.pairs else 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """Rows beside each other that agree.

    Args:
        first: The first row, counted from 1.
        steps: Rows after it.
        value: The value they share, None for a series.
        step: From one row to the next, in seconds for moments; 0 for one value.
        value_share: Share of all rows with the value, or a step away from the row above.
    """

    first: int
    steps: int
    value: object = None
    step: float = 0.0
    value_share: float = 0.0

    def rows(self) -> str:
        """Returns the rows, in words."""
        return f"rows {self.first:,} to {self.first + self.steps:,}"


@dataclass(frozen=True, slots=True)
class Beat:
    """How values follow each other in a column where each stands in several rows, or one.

    Args:
        length: Rows in which most values stand, each in one run.
        turns: Changes from one value to the next.
        regular: Those by the usual step.
        overlong: A run of several times that length, followed by a step as many times the usual.
        missing: Values of the series that it stands over.
    """

    length: int
    turns: int
    regular: int
    overlong: Run | None
    missing: int


def seen(engine: Engine, table: Table, columns: Sequence[Column]) -> dict[str, Sight]:
    """Returns what one pass tells, by column; fewer columns where the table is large.

    Empty where the engine does not give the rows in the order of the file.
    """
    kept = sorted(
        (one for one in columns if one.kind in _LOOKED_AT), key=lambda one: not one.kind.is_moment
    )
    kept = kept[: min(WIDE, MOST_CELLS // max(table.rows, 1))]
    if not kept:
        return {}
    lagged = ", ".join(f"lag({quoted(one.name)}) OVER () AS p{at}" for at, one in enumerate(kept))
    parts = []
    for at, one in enumerate(kept):
        name = quoted(one.name)
        parts += [
            f"count({name})",
            f"count(*) FILTER ({name} IS NOT NULL AND p{at} IS NOT NULL)",
            f"count(*) FILTER ({name} = p{at})",
            f"count(*) FILTER ({name} > p{at})",
            f"approx_count_distinct({name})" if table.rows <= ASKED_ROWS else "NULL",
        ]
    order = f"count(*) FILTER ({quoted(ROW)} <> p + 1)"
    (strange, *found), *_ = engine.rows(
        f"SELECT {order}, {', '.join(parts)} FROM (SELECT *, lag({quoted(ROW)}) OVER () AS p, "
        f"{lagged} FROM {table.source})"
    )
    if strange:
        return {}
    told = {}
    for at, one in enumerate(kept):
        present, pairs, repeats, rises, values = found[5 * at : 5 * at + 5]
        told[one.name] = Sight(table.rows, table.rows - present, pairs, repeats, rises, values)
    return told


def distinct(engine: Engine, table: Table, column: Column) -> int:
    """Returns how many different values a column has, about."""
    ((found,),) = engine.rows(
        f"SELECT approx_count_distinct({quoted(column.name)}) FROM {table.source}"
    )
    return int(found)


def longest_series(
    engine: Engine, table: Table, column: Column, *, step: float | None = None
) -> Run | None:
    """Returns the longest run of rows of which each has the value above plus one step, not 0.

    Texts that end in a number count by it while what stands before stays the same. With `step`, runs
    of that step only. `value_share` is the share of rows that are such a step away from the one above.
    """
    where = "d <> 0" if step is None else f"d = CAST('{step!r}' AS DOUBLE)"
    name = quoted(column.name)
    if column.kind is Kind.TEXT:
        value = f"TRY_CAST(nullif(regexp_extract({name}, {_TAIL}), '') AS DOUBLE)"
        stem = f"regexp_replace({name}, {_TAIL}, '')"
    else:
        value, stem = _number(column), "''"
    ((first, steps, by, share),) = engine.rows(
        f"WITH v AS (SELECT {quoted(ROW)} AS r, {value} AS v, {stem} AS s FROM {table.source}), "
        "d AS (SELECT r, CASE WHEN s = lag(s) OVER w THEN v - lag(v) OVER w END AS d "
        "FROM v WINDOW w AS (ORDER BY r)), "
        "i AS (SELECT r, d, r - row_number() OVER (PARTITION BY d ORDER BY r) AS island FROM d "
        f"WHERE {where}), "
        "g AS (SELECT min(r) - 1 AS a, count(*) AS n, d FROM i GROUP BY d, island) "
        "SELECT arg_max(a, n), max(n), arg_max(d, n), "
        "sum(n) FILTER (d = (SELECT arg_max(d, n) FROM g)) FROM g"
    )
    if first is None:
        return None
    return Run(int(first), int(steps), step=float(by), value_share=int(share) / table.rows)


def longest_run(
    engine: Engine, table: Table, column: Column, *, value: object = None
) -> Run | None:
    """Returns the longest run of rows with one value; of `value` only, where it is given."""
    name = quoted(column.name)
    where = "WHERE v = ?" if value is not None else "WHERE v IS NOT NULL"
    (found,) = engine.rows(
        f"WITH v AS (SELECT {quoted(ROW)} AS r, {name} AS v FROM {table.source}), "
        "i AS (SELECT r, v, r - row_number() OVER (PARTITION BY v ORDER BY r) AS island FROM v "
        f"{where}), g AS (SELECT min(r) AS a, count(*) AS n, v FROM i GROUP BY v, island) "
        "SELECT arg_max(a, n), max(n), arg_max(v, n), "
        "(SELECT count(*) FROM i WHERE v = (SELECT arg_max(v, n) FROM g)) FROM g",
        [value] if value is not None else [],
    )
    first, count, shared, times = found
    if first is None:
        return None
    return Run(int(first), int(count) - 1, shared, value_share=times / table.rows)


def beat(engine: Engine, table: Table, column: Column) -> Beat | None:
    """Returns how the values of a column follow each other; None for one without values."""
    turned = (
        f"WITH v AS (SELECT {quoted(ROW)} AS r, {_number(column)} AS v FROM {table.source}), "
        # The rows come in their order, as `seen` made sure: nothing is sorted.
        "c AS (SELECT r, v, CASE WHEN v IS DISTINCT FROM lag(v) OVER () THEN 1 ELSE 0 "
        "END AS is_new FROM v), "
        "n AS (SELECT r, v, sum(is_new) OVER (ROWS UNBOUNDED PRECEDING) AS turn FROM c), "
        "g AS (SELECT min(r) AS a, count(*) AS n, min(v) AS v FROM n GROUP BY turn), "
        "t AS (SELECT *, lead(v) OVER (ORDER BY a) - v AS step FROM g)"
    )
    ((turns, length, step),) = engine.rows(
        f"{turned} SELECT count(step), mode(n), mode(step) FROM t"
    )
    if not turns or not length or not step:
        return None
    length, step = int(length), float(step)
    ((regular, first, rows, missing),) = engine.rows(
        f"{turned}, o AS (SELECT *, n / {length} AS times FROM t WHERE n % {length} = 0 AND "
        f"n >= 2 * {length} AND abs(step / CAST(? AS DOUBLE) - n / {length}) < 1e-9) "
        "SELECT (SELECT count(*) FROM t WHERE step = CAST(? AS DOUBLE)), arg_max(a, n), max(n), "
        "max(n) / ? - 1 FROM o",
        [step, step, length],
    )
    run = None if first is None else Run(int(first), int(rows) - 1)
    return Beat(length, int(turns), int(regular), run, round(missing) if run else 0)


def _number(column: Column) -> str:
    name = quoted(column.name)
    if column.kind.is_moment:
        return f"epoch(CAST({name} AS TIMESTAMP))"
    return f"CAST({name} AS DOUBLE)"
