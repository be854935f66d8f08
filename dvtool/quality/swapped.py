"""Two columns that are swapped: values that fit each other's column and not their own, row by row.

Asked where something is odd, beside a shift; what explains more rows is told. What fits a column is the business of `forms`.
Called by `shifted`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from dvtool.quality.findings import Finding, Severity
from dvtool.quality.forms import Form
from dvtool.quality.tables.casting import is_null
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.structure import structural, times
from dvtool.quality.tables.table import ROW, Table

MOST_COLUMNS: Final = 8
"""Columns that are tried in pairs: those with most values that do not fit."""
LEAST_ROWS: Final = 2
"""Rows that must be swapped where both columns are of one kind."""
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Swap:
    """Two columns whose values stand in each other's place.

    Args:
        columns: Their names.
        rows: Rows in which they do.
        examples: The first of them.
    """

    columns: tuple[str, str]
    rows: int
    examples: tuple[int, ...]


def swapped(engine: Engine, table: Table, forms: Sequence[Form]) -> Swap | None:
    """Returns the two columns that most rows have swapped, None where none does.

    A row counts when it has both values, neither fits its own column and both fit the other's; the pair when that
    explains at least half of what does not fit in one of its columns.

    Args:
        engine: Holds the table.
        table: What is judged.
        forms: Of its columns.
    """
    unfit = {form.name: f"NOT ({_fits(form, form.name, table)})" for form in forms}
    counts = ", ".join(f"count(*) FILTER ({one})" for one in unfit.values())
    (found,) = engine.rows(f"SELECT {counts} FROM {table.raw}")
    odd = {form.name: int(count) for form, count in zip(forms, found, strict=True) if count}
    by_name = {form.name: form for form in forms}
    tried = sorted(odd, key=lambda name: -odd[name])[:MOST_COLUMNS]
    pairs = [(by_name[a], by_name[b]) for a, b in combinations(tried, 2)]
    if not pairs:
        return None
    parts = []
    for one, other in pairs:
        crossed = [unfit[one.name], unfit[other.name]]
        crossed += [_fits(one, other.name, table), _fits(other, one.name, table)]
        crossed += [f"NOT {_is_missing(form.name, table)}" for form in (one, other)]
        where = " AND ".join(f"({each})" for each in crossed)
        parts.append(f"count(*) FILTER ({where}), min({quoted(ROW)}, {_EXAMPLES}) FILTER ({where})")
    (told,) = engine.rows(f"SELECT {', '.join(parts)} FROM {table.raw}")
    best = max(range(len(pairs)), key=lambda at: int(told[2 * at]))
    rows, (one, other) = int(told[2 * best]), pairs[best]
    is_clear = rows >= LEAST_ROWS or (rows and one.reading.kind is not other.reading.kind)
    if not is_clear or 2 * rows < min(odd[one.name], odd[other.name]):
        return None
    first, second = (name for name in by_name if name in (one.name, other.name))
    return Swap((first, second), rows, tuple(int(row) for row in told[2 * best + 1]))


def finding_of(
    engine: Engine, table: Table, swap: Swap, *, severity: Severity | None = None
) -> Finding:
    """Returns the finding about a swap, with the lines of the first rows unless it is all.

    Args:
        engine: Holds the table.
        table: What is judged.
        swap: As found.
        severity: Where checks say how changes of columns count.
    """
    is_whole = swap.rows == table.rows
    where = "all rows" if is_whole else f"{swap.rows:,} of {times(table.rows, 'row')}"
    one, other = swap.columns
    examples = () if is_whole else swap.examples
    lines = table.lines(engine, examples)
    return structural(
        "columns-swapped",
        f"values of {one} and {other} stand in each other's place, in {where}",
        table.name,
        examples=[(lines.get(row, 0), row, None) for row in examples],
        severity=severity,
        hint="look for fields in another order at the source of these rows",
        rows=swap.rows,
        columns=list(swap.columns),
    )


def _is_missing(column: str, table: Table) -> str:
    return f"({quoted(column)} IS NULL OR {is_null(quoted(column), table.options.nulls)})"


def _fits(form: Form, column: str, table: Table) -> str:
    return form.fits(quoted(column), table.options)
