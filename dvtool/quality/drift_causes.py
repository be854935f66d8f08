"""Causes of drift: where in a table the rows lie that moved a column away from its baseline.

The question is without which part of the table the method that decided would be below its
threshold; it is answered from counts in fixed bins, one pass over the table a column. Drift itself
is judged in `drifting`, the part is chosen by `slices`. Called by `judging`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from dvtool.quality.causes import MOST_ROWS, told_with
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.findings import Evidence, Finding, Outcome
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Table

if TYPE_CHECKING:
    from dvtool.quality.drift.compare import Comparison
    from dvtool.quality.slice_space import Space
    from dvtool.quality.slices import Slice, Spread

MOST_EXPLAINED: Final = 10
"""Drifted columns of one table that are explained, the first ones."""


def with_drift_causes(
    engine: Engine,
    pairs: Mapping[str, Comparison],
    table: Table,
    spec: TableSpec,
    findings: Iterable[Finding],
) -> list[Finding]:
    """Returns the same findings, those about drift with the slice that explains it, or that none does.

    Args:
        engine: Holds the table.
        pairs: What was compared, by column.
        table: What was judged.
        spec: Its checks, for the time column and private columns.
        findings: As `drifting.compare` gave them.
    """
    told = list(findings)
    wanted = [
        number
        for number, one in enumerate(told)
        if one.evidence is Evidence.DRIFT
        and one.outcome is Outcome.VIOLATED
        and one.column in pairs
    ]
    if not wanted or table.rows > MOST_ROWS:
        return told
    from dvtool.quality.slice_space import Space

    space = Space.of(engine, table, spec)
    for number in wanted[:MOST_EXPLAINED]:
        # A cause is a service: whatever goes wrong on the way, the finding stands.
        with suppress(Exception):
            found = _explained(space, pairs[told[number].column], told[number])
            if found is not None:
                told[number] = told_with(told[number], found)
    return told


def _explained(space: Space, pair: Comparison, finding: Finding) -> Slice | Spread | None:
    from dvtool.quality.binning import binned
    from dvtool.quality.choosing import choose
    from dvtool.quality.drift.methods import METHODS

    column = next(one for one in space.table.columns if one.name == finding.column)
    method = finding.code.replace("-", "_")
    allowed = _allowed(finding, method)
    bins = binned(pair, column, method) if method in METHODS else None
    if bins is None or allowed is None:
        return None
    parts = space.counts(bins.sql, bins.count, but=finding.column)
    return choose(
        parts,
        lambda sums: bins.effect(method, sums[:, 1:]) < allowed,
        bins.luck,
        figure=lambda rest: max(0.0, float(bins.effect(method, rest[None, 1:])[0])),
    )


def _allowed(finding: Finding, method: str) -> float | None:
    effects: list[dict[str, Any]] = finding.figures.get("effects", [])
    found = next((one["allowed"] for one in effects if one["method"] == method), None)
    return None if found is None else float(found)
