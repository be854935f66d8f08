"""From a column of a table to the distribution that drift compares.

The engine counts; what comes out is small whatever the table's size. Which columns can be compared
at all is decided here, too, with the reason. Called by `judging`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.arrow import numbers_of
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import Column, Table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dvtool.quality.drift.distributions import Distribution

MAX_EXACT: Final = 200_000
"""Distinct numbers counted one by one; beyond that a grid of quantiles stands for them."""
GRID: Final = 4096
"""Steps of that grid: ranks are right to 1/4096."""
_BATCH_ROWS: Final = 1 << 17
MAX_CATEGORIES: Final = 1_000
"""Distinct texts compared one by one; a column with more is free text, not a category."""
NEAR_UNIQUE: Final = 0.5
"""Share of distinct values from which on a text is a name or number of its row."""


@dataclass(frozen=True, slots=True)
class Incomparable:
    """Why a column is not compared, in words."""

    why: str


def distribution(engine: Engine, table: Table, column: Column) -> Distribution | Incomparable:
    """Returns how the values of one column are distributed.

    Numbers and moments (as seconds since 1970) give a numeric distribution, exact up to `MAX_EXACT`
    distinct values; booleans and texts of up to `MAX_CATEGORIES` values give a categorical one.
    """
    if column.kind in (Kind.TEXT, Kind.BOOL):
        return _categorical(engine, table, column)
    if column.kind.is_number or column.kind.is_moment or column.kind is Kind.LIST:
        return _numeric(engine, table, value_of(column))
    return Incomparable(f"no distribution is defined for {column.kind.value}")


def value_of(column: Column) -> str:
    """Returns the SQL of a column's values as drift looks at them: numbers, or texts."""
    name = quoted(column.name)
    if column.kind.is_moment:
        return f"epoch(CAST({name} AS TIMESTAMP))"
    if column.kind is Kind.LIST:
        return f"CAST(len({name}) AS DOUBLE)"
    return f"CAST({name} AS {'DOUBLE' if column.kind.is_number else 'VARCHAR'})"


def is_identifier(engine: Engine, table: Table, column: Column) -> bool:
    """Tells whether every row has a value of its own, as ids and names of rows do."""
    if column.kind not in (Kind.INT, Kind.TEXT) or table.rows < 2:
        return False
    (distinct, present), *_ = engine.rows(
        f"SELECT approx_count_distinct({quoted(column.name)}), count({quoted(column.name)}) "
        f"FROM {table.source}"
    )
    if not present or distinct < 0.8 * present:
        return False
    (exact,), *_ = engine.rows(f"SELECT count(DISTINCT {quoted(column.name)}) FROM {table.source}")
    return bool(exact == present)


def _numeric(engine: Engine, table: Table, value: str) -> Distribution | Incomparable:
    import numpy as np

    from dvtool.quality.drift.distributions import NumericDistribution, numeric

    finite = f"isfinite({value})"
    (present, distinct), *_ = engine.rows(
        f"SELECT count(*) FILTER ({finite}), approx_count_distinct({value}) FROM {table.source}"
    )
    if not present:
        return numeric([], nulls=table.rows)
    if distinct <= MAX_EXACT:
        # DuckDB keeps -0.0 apart from 0.0; a distribution does not.
        found = engine.connection.execute(
            f"SELECT {value} + 0.0 AS v, count(*) AS n FROM {table.source} WHERE {finite} "
            "GROUP BY 1 ORDER BY 1"
        ).fetchnumpy()
        values = np.asarray(found["v"], dtype=np.float64)
        return NumericDistribution(
            values,
            np.asarray(found["n"], dtype=np.float64),
            n=int(present),
            nulls=table.rows - int(present),
            distinct=len(values),
        )
    quantiles = _grid(engine, table, value, finite, int(present))
    values, times = np.unique(quantiles + 0.0, return_counts=True)
    return NumericDistribution(
        values,
        np.asarray(times * (int(present) / GRID), dtype=np.float64),
        n=int(present),
        nulls=table.rows - int(present),
        error=1 / GRID,
    )


def _grid(
    engine: Engine, table: Table, value: str, finite: str, present: int
) -> NDArray[np.float64]:
    """Returns the values at the middles of `GRID` equal steps of rank, ascending, shape (GRID,).

    The engine sorts, spilling if it must, and the ranks are picked from the stream: asked for as
    many quantiles at once, DuckDB 2.0 takes twenty times as long for the same values.
    """
    import numpy as np

    # The smallest rank with a share of at least (step + 1/2) / GRID below or at it, from 0.
    ranks = np.array(
        [-(-present * (2 * step + 1) // (2 * GRID)) - 1 for step in range(GRID)], dtype=np.int64
    )
    reader = engine.connection.sql(
        f"SELECT {value} AS v FROM {table.source} WHERE {finite} ORDER BY 1"
    ).to_arrow_reader(_BATCH_ROWS)
    picked = []
    start = 0
    for batch in reader:
        first, last = np.searchsorted(ranks, (start, start + batch.num_rows))
        picked.append(numbers_of(batch.column(0))[ranks[first:last] - start])
        start += batch.num_rows
    return np.concatenate(picked)


def _categorical(engine: Engine, table: Table, column: Column) -> Distribution | Incomparable:
    from dvtool.quality.drift.distributions import CategoricalDistribution

    name = quoted(column.name)
    rows = engine.rows(
        f"SELECT CAST({name} AS VARCHAR), count(*) FROM {table.source} WHERE {name} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_CATEGORIES + 1}"
    )
    if len(rows) > MAX_CATEGORIES:
        return Incomparable(f"more than {MAX_CATEGORIES:,} different texts")
    counts = {value: int(count) for value, count in rows}
    present = sum(counts.values())
    if len(counts) > 20 and len(counts) > NEAR_UNIQUE * present:
        return Incomparable("nearly every row has a text of its own")
    return CategoricalDistribution(counts, n=present, nulls=table.rows - present)
