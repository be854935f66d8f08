"""Wide tables asked in parts: a question for each column costs what it asks, not what the table has.

The engine binds every column of a relation for each query of it, so that one query a column takes the
square of their number. Here a few columns at a time are copied into a table of their own. Whoever asks
column by column calls it; narrow and long tables are asked as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from dvtool.quality.tables.engine import WIDE, Engine

T = TypeVar("T")
FEW_CELLS: Final = 4_000_000
"""Up to so many cells copying is cheap."""
_COLUMNS: Final = 64


def is_wide_and_short(columns: int, rows: int) -> bool:
    """Tells whether planning queries of a table takes longer than running them."""
    return columns > WIDE and rows * columns <= FEW_CELLS


def in_parts(
    engine: Engine,
    relation: str,
    columns: Sequence[T],
    select: Callable[[T], str],
    *,
    also: Sequence[str] = (),
    is_wide: bool,
) -> Iterator[tuple[Sequence[T], str]]:
    """Yields columns with a relation that has them: all with the relation itself unless it is wide.

    Args:
        engine: Holds the relation.
        relation: A table or view.
        columns: What is asked about.
        select: Gives a column's SQL, which names it the same in the part.
        also: SQL of what every part needs besides, such as the row number.
        is_wide: As `is_wide_and_short` says of the whole table.
    """
    if not is_wide:
        if columns:
            yield columns, relation
        return
    for at in range(0, len(columns), _COLUMNS):
        chunk = columns[at : at + _COLUMNS]
        part = engine.fresh("part")
        listed = ", ".join([*also, *(select(one) for one in chunk)])
        with engine.planned_fast():
            engine.rows(f"CREATE TEMP TABLE {part} AS SELECT {listed} FROM {relation}")
        yield chunk, part
        engine.rows(f"DROP TABLE {part}")
