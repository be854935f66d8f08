"""Causes of drift: where in a table the rows lie that moved a column away from its baseline.

A column's bins are those that PSI compares, whatever method decided; the question is without which
part of the table PSI would be low. Drift itself is judged in `drifting`, parts are tried by
`slices`. Called by `judging`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Final

from dvtool.quality.causes import told_with
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.findings import Evidence, Finding, Outcome
from dvtool.quality.kinds import Kind
from dvtool.quality.measuring import distribution
from dvtool.quality.slice_parts import Sums
from dvtool.quality.slices import Slice, explain_counts
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.table import Column, Table

MOST_EXPLAINED: Final = 5
"""Drifted columns of one table that are explained, the first ones."""
LOW: Final = 0.1
"""PSI, corrected for its bias, below which a column counts as not moved."""
MOST_CATEGORIES: Final = 30
"""Categories of the baseline that are bins of their own; the others are one bin."""


def with_drift_causes(
    engine: Engine, before: Table, table: Table, spec: TableSpec, findings: Iterable[Finding]
) -> list[Finding]:
    """Returns the same findings, those about drift that a slice explains with that slice.

    Args:
        engine: Holds both tables.
        before: The baseline.
        table: What was judged.
        spec: Its checks, for the time column and private columns.
        findings: As `drifting.compare` gave them.
    """
    told = list(findings)
    wanted = [
        number
        for number, one in enumerate(told)
        if one.evidence is Evidence.DRIFT and one.outcome is Outcome.VIOLATED
    ]
    for number in wanted[:MOST_EXPLAINED]:
        # A cause is a service: whatever goes wrong on the way, the finding stands.
        with suppress(Exception):
            found = _explained(engine, before, table, spec, told[number].column)
            if found is not None:
                words = f"without {found.part()} it would not have moved (PSI below {LOW})"
                told[number] = told_with(told[number], found, words)
    return told


def _explained(
    engine: Engine, before: Table, table: Table, spec: TableSpec, name: str
) -> Slice | None:
    column = next(one for one in before.columns if one.name == name)
    bins = _bins(engine, before, column)
    if len(bins) < 2:
        return None
    counts = ", ".join(f"count(*) FILTER ({one})" for one in bins)
    reference = [int(one) for one in engine.rows(f"SELECT {counts} FROM {before.source}")[0]]

    def passes(sums: Sums) -> bool:
        return corrected_psi(reference, sums[1:]) < LOW

    return explain_counts(
        engine,
        table,
        bins,
        passes,
        time=spec.time.column if spec.time is not None else "",
        private=spec.private,
        column=name,
    )


def _bins(engine: Engine, before: Table, column: Column) -> list[str]:
    """Returns the SQL conditions of a column's bins, missing last; none for a kind without."""
    from dvtool.quality.drift.distributions import CategoricalDistribution, NumericDistribution
    from dvtool.quality.drift.effects import psi_edges

    found = distribution(engine, before, column)
    name = quoted(column.name)
    if isinstance(found, NumericDistribution) and column.kind.is_number:
        real = f"CAST({name} AS DOUBLE)"
        ends = [f"CAST('{end!r}' AS DOUBLE)" for end in map(float, psi_edges(found))]
        inner = [f"{real} > {a} AND {real} <= {b}" for a, b in pairwise(ends)]
        sides = [f"{real} <= {ends[0]}", *inner, f"{real} > {ends[-1]}"] if ends else []
        return [*(f"isfinite({real}) AND {one}" for one in sides), _MISSING.format(real)]
    if isinstance(found, CategoricalDistribution) and column.kind in (Kind.TEXT, Kind.BOOL):
        text = f"CAST({name} AS VARCHAR)"
        ranked = sorted(found.counts, key=lambda one: (-found.counts[one], one))
        known = [literal(one) for one in ranked[:MOST_CATEGORIES]]
        if not known:
            return []
        rest = f"{text} NOT IN ({', '.join(known)})"
        return [*(f"{text} = {one}" for one in known), rest, f"{name} IS NULL"]
    return []


_MISSING: Final = "NOT coalesce(isfinite({}), false)"


def corrected_psi(reference: Sequence[float], current: Sequence[float]) -> float:
    """Returns PSI less what it would be by chance, in nats; infinite when a side has no rows.

    The sum over bins of (q - p) ln(q / p) less (B - 1)(1/n + 1/m), shares as (k + ½) / (n + ½B),
    bins empty on both sides left out.

    Source: docs/quality-methods.md#psi
    """
    pairs = [(a, b) for a, b in zip(reference, current, strict=True) if a or b]
    n, m = sum(a for a, _ in pairs), sum(b for _, b in pairs)
    if not n or not m:
        return math.inf
    half = len(pairs) / 2
    shares = [((a + 0.5) / (n + half), (b + 0.5) / (m + half)) for a, b in pairs]
    found = sum((q - p) * math.log(q / p) for p, q in shares)
    return found - (len(pairs) - 1) * (1 / n + 1 / m)
