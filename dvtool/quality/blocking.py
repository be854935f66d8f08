"""Which rows belong together, so that drift is not called from rows that only repeat each other.

With `group:` rows of the same value are one block, with `time:` rows of one stretch of time. What
blocks do to an interval stands in `drift.resampling`. Called by `drifting`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dvtool.quality.checks.model import TableSpec
from dvtool.quality.measuring import value_of
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Column, Table

if TYPE_CHECKING:
    from dvtool.quality.drift.distributions import Distribution
    from dvtool.quality.drift.resampling import Blocks

MOST_GROUPS: Final = 200
"""Blocks of groups; where there are more groups, several make a block, each one whole."""
STRETCHES: Final = 50
"""Blocks of time, equally many rows each."""
LEAST_ROWS: Final = 30
"""Rows of a stretch of time, so that few rows make fewer blocks."""
MOST_CELLS: Final = 1_000_000
"""Pairs of block and value counted one by one; beyond that, quantiles stand for a block's values."""
QUANTILES: Final = 256


@dataclass(frozen=True, slots=True)
class Grouping:
    """Two versions cut into blocks: a table of row and block for each."""

    before: str
    after: str

    @classmethod
    def of(cls, engine: Engine, before: Table, table: Table, spec: TableSpec) -> Grouping | None:
        """Returns the blocks that the checks ask for; None where they ask for none.

        `group:` counts before `time:`. A column that a side does not have gives none.
        """
        for column, cut in (
            (spec.group, _by_group),
            (spec.time.column if spec.time else "", _by_time),
        ):
            if not column:
                continue
            if all(any(one.name == column for one in side.columns) for side in (before, table)):
                return cls(cut(engine, before, column), cut(engine, table, column))
        return None

    def blocks(
        self, engine: Engine, sides: tuple[Table, Table], column: Column, earlier: Column
    ) -> Blocks:
        """Returns the distributions of one column, block by block."""
        from dvtool.quality.drift.resampling import Blocks

        before, after = sides
        return Blocks(
            _parts(engine, before, earlier, self.before), _parts(engine, after, column, self.after)
        )

    def drop(self, engine: Engine) -> None:
        """Removes both tables."""
        for one in (self.before, self.after):
            engine.rows(f"DROP TABLE {one}")


def _by_group(engine: Engine, table: Table, column: str) -> str:
    name, blocks = quoted(column), engine.fresh("blocks")
    (groups,), *_ = engine.rows(f"SELECT count(DISTINCT {name}) FROM {table.source}")
    block = f"dense_rank() OVER (ORDER BY {name})"
    if groups >= MOST_GROUPS:
        block = f"hash({name}) % {MOST_GROUPS}"
    engine.rows(f"CREATE TEMP TABLE {blocks} AS SELECT {ROW}, {block} AS block FROM {table.source}")
    return blocks


def _by_time(engine: Engine, table: Table, column: str) -> str:
    blocks = engine.fresh("blocks")
    count = max(min(STRETCHES, table.rows // LEAST_ROWS), 1)
    engine.rows(
        f"CREATE TEMP TABLE {blocks} AS SELECT {ROW}, "
        f"ntile({count}) OVER (ORDER BY {quoted(column)}, {ROW}) AS block FROM {table.source}"
    )
    return blocks


def _parts(engine: Engine, table: Table, column: Column, blocks: str) -> list[Distribution]:
    value = value_of(column)
    joined = f"(SELECT block, {value} AS v FROM {table.source} JOIN {blocks} USING ({ROW}))"
    totals = dict(engine.rows(f"SELECT block, count(*) FROM {blocks} GROUP BY block ORDER BY 1"))
    if column.kind.is_number or column.kind.is_moment or column.kind.value == "list":
        return _numeric(engine, joined, totals)
    return _categorical(engine, joined, totals)


def _numeric(engine: Engine, joined: str, totals: dict[int, int]) -> list[Distribution]:
    import numpy as np

    from dvtool.quality.drift.distributions import NumericDistribution, numeric

    (cells,), *_ = engine.rows(
        f"SELECT sum(n) FROM (SELECT approx_count_distinct(v) AS n FROM {joined} GROUP BY block)"
    )
    values = "v + 0.0 AS v, count(*) AS n"
    counted = f"SELECT block, {values} FROM {joined} WHERE isfinite(v) GROUP BY block, v + 0.0"
    if cells is not None and cells > MOST_CELLS:
        points = ", ".join(str((2 * step + 1) / (2 * QUANTILES)) for step in range(QUANTILES))
        grid = f"SELECT block, quantile_disc(v, [{points}]) AS q, count(*) AS n FROM {joined}"
        counted = (
            f"SELECT block, v + 0.0 AS v, sum(n / {QUANTILES}) AS n FROM (SELECT block, n, "
            f"unnest(q) AS v FROM ({grid} WHERE isfinite(v) GROUP BY block)) GROUP BY block, v + 0.0"
        )
    found = engine.connection.execute(f"{counted} ORDER BY 1, 2").fetchnumpy()
    block, v, n = (np.asarray(found[name]) for name in ("block", "v", "n"))
    starts = {one: np.searchsorted(block, (one, one + 1)) for one in totals}
    parts: list[Distribution] = []
    for one, rows in totals.items():
        first, last = starts[one]
        if first == last:
            parts.append(numeric([], nulls=rows))
            continue
        counts = n[first:last].astype(np.float64)
        present = round(float(counts.sum()))
        parts.append(
            NumericDistribution(
                v[first:last].astype(np.float64), counts, n=present, nulls=rows - present
            )
        )
    return parts


def _categorical(engine: Engine, joined: str, totals: dict[int, int]) -> list[Distribution]:
    from dvtool.quality.drift.distributions import CategoricalDistribution

    counts: dict[int, dict[str, int]] = {one: {} for one in totals}
    for block, value, count in engine.rows(
        f"SELECT block, v, count(*) FROM {joined} WHERE v IS NOT NULL GROUP BY ALL ORDER BY 1, 2"
    ):
        counts[block][value] = int(count)
    parts: list[Distribution] = []
    for one, rows in totals.items():
        present = sum(counts[one].values())
        parts.append(CategoricalDistribution(counts[one], n=present, nulls=rows - present))
    return parts
