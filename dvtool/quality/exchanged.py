"""Columns of numbers that look alike and hold each other's values, told by their distributions.

No single cell can tell that two prices changed places, but the whole column can: it no longer looks like itself,
and like the other one's baseline as closely as a sample can. What rows can tell is the business of `shifted` and
`swapped`. Called by `shifted` where those find nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from dvtool.quality.findings import Evidence, Finding, Outcome, Severity
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.structure import structural
from dvtool.quality.tables.table import Table

if TYPE_CHECKING:
    from dvtool.quality.drift.distributions import NumericDistribution

MOST_COLUMNS: Final = 50
"""Columns of numbers; tables with more are not asked."""
LEAST_ROWS: Final = 100
LEAST_VALUES: Final = 20
"""Different values below which columns are alike too easily."""
LIKE: Final = 1.36
"""Kolmogorov's point at one in twenty: two samples of one column lie apart by no more."""
UNLIKE: Final = 3.0
"""Scaled distance from which a column is another one for certain, and times the other distance."""


def exchanged(
    engine: Engine, before: Table, table: Table, findings: Sequence[Finding]
) -> dict[str, str] | None:
    """Returns whose values each exchanged column holds, None for less than two.

    Args:
        engine: Holds both tables.
        before: The baseline, with the same columns.
        table: What is judged.
        findings: All that was found; only columns that drifted are asked.
    """
    drifted = {
        one.column
        for one in findings
        if one.evidence is Evidence.DRIFT and one.outcome is Outcome.VIOLATED
    }
    numbers = [one.name for one in table.columns if one.kind.is_number]
    columns = [one for one in numbers if one in drifted]
    if len(columns) < 2 or len(numbers) > MOST_COLUMNS:
        return None
    # Those that did not drift are asked, too: they may look like the ones that did.
    was = _distributions(engine, before, numbers)
    now = _distributions(engine, table, columns)
    held: dict[str, str] = {}
    for name in [one for one in columns if one in now]:
        apart = sorted((_apart(was[other], now[name]), other) for other in was)
        if len(apart) < 2 or name not in was:
            continue
        (nearest, source), (second, _) = apart[:2]
        own = _apart(was[name], now[name])
        # A second column that is as near would make it a guess.
        if nearest <= LIKE and min(own, second) >= UNLIKE * max(nearest, 1):
            held[name] = source
    is_exchange = len(held) >= 2 and len(set(held.values())) == len(held)
    return held if is_exchange and _is_linked(held) else None


def _is_linked(held: dict[str, str]) -> bool:
    """Tells whether the columns pass their values on among each other, not to strangers."""
    return sum(source in held for source in held.values()) >= len(held) - 1


def finding_of(table: Table, held: dict[str, str], *, severity: Severity | None = None) -> Finding:
    """Returns the finding about exchanged columns.

    Args:
        table: What is judged.
        held: Whose values each holds, as found.
        severity: Where checks say how changes of columns count.
    """
    names = list(held)
    is_swap = len(held) == 2 and held.get(held[names[0]]) == names[0]
    if is_swap:
        message = f"values of {names[0]} and {names[1]} stand in each other's place, in all rows"
    else:
        told = ", ".join(f"{name} holds what belongs to {held[name]}" for name in names)
        message = f"values stand in other columns, in all rows: {told}"
    return structural(
        "columns-swapped" if is_swap else "columns-shifted",
        f"{message}, by how they are distributed",
        table.name,
        severity=severity,
        hint="look for fields in another order at the source of this version",
        rows=table.rows,
        columns=names,
        held=held,
    )


def _distributions(
    engine: Engine, table: Table, columns: Sequence[str]
) -> dict[str, NumericDistribution]:
    from dvtool.quality.drift.distributions import NumericDistribution
    from dvtool.quality.measuring import distribution

    found = {}
    for one in table.columns:
        if one.name in columns and one.kind.is_number:
            told = distribution(engine, table, one)
            if not isinstance(told, NumericDistribution) or told.n < LEAST_ROWS:
                continue
            if len(told.values) >= LEAST_VALUES:
                found[one.name] = told
    return found


def _apart(reference: NumericDistribution, current: NumericDistribution) -> float:
    """Returns the distance of Kolmogorov over what chance makes of one law."""
    from dvtool.quality.drift.effects import ks

    slack = reference.error + current.error
    scale = math.sqrt(reference.n * current.n / (reference.n + current.n))
    return max(ks(reference, current) - slack, 0.0) * scale
