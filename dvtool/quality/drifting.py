"""Which columns are compared with the baseline, by which thresholds, and what it counts for.

Drift that the checks ask for decides; drift that nobody asked about is a warning at most, and what
too few rows leave open is only said where it was asked. Statistics stand in `drift`, counting in
`measuring` and `blocking`, experimental models in `modelling`. Called by `judging`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from dvtool.quality.blocking import Grouping
from dvtool.quality.checks.model import Drift, TableSpec
from dvtool.quality.drift.compare import COVARIATE, PRIOR, Comparison, compare_table
from dvtool.quality.drift.decisions import ColumnDrift, Decision
from dvtool.quality.drift.diagnosis import likely_fault
from dvtool.quality.drift.distributions import CategoricalDistribution, NumericDistribution
from dvtool.quality.drift.faults import Fault
from dvtool.quality.drift.methods import applicable
from dvtool.quality.drift.wording import to_findings
from dvtool.quality.findings import Finding, Outcome, Place, Severity
from dvtool.quality.measuring import Incomparable, distribution, is_identifier
from dvtool.quality.modelling import model_drift
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Column, Table


class Compared(NamedTuple):
    """What a comparison of two tables gives.

    Attributes:
        findings: About columns that drifted, or of which that is not decided.
        figures: Of every compared column, as JSON values.
        pairs: Both versions of every compared column, by name.
    """

    findings: list[Finding]
    figures: list[dict[str, Any]]
    pairs: Mapping[str, Comparison]


def compare(
    engine: Engine,
    before: Table,
    table: Table,
    spec: TableSpec,
    *,
    source: str,
    known: Mapping[str, Fault] | None = None,
) -> Compared:
    """Returns findings about drift, the figures of every compared column, and what was compared.

    Args:
        engine: Holds both tables.
        before: The baseline.
        table: What is judged.
        spec: The checks; an empty spec compares every column by the defaults.
        source: The checks file, for `rule`.
        known: Faults that the order of the rows told, by column.
    """
    grouping = None
    if spec.drift is None or not spec.drift.off:
        grouping = Grouping.of(engine, before, table, spec)
    chosen: dict[str, tuple[Comparison, Place | None]] = {}
    for column in table.columns:
        wanted, rule = wanted_drift(column.name, spec, source)
        earlier = next((one for one in before.columns if one.name == column.name), None)
        if wanted.off or earlier is None or earlier.kind is not column.kind:
            continue
        if not has_own_drift(column.name, spec) and (
            column.name in (*spec.key, spec.group) or _moves_on(engine, before, table, column)
        ):
            continue
        sides = [distribution(engine, one, of) for one, of in ((before, earlier), (table, column))]
        if any(isinstance(one, Incomparable) for one in sides):
            continue
        reference, current = sides
        assert isinstance(reference, NumericDistribution | CategoricalDistribution)
        assert isinstance(current, NumericDistribution | CategoricalDistribution)
        role = PRIOR if column.name == spec.label else COVARIATE
        is_numeric = isinstance(reference, NumericDistribution)
        thresholds = thresholds_for(column.name, spec, is_numeric=is_numeric)
        blocks = None
        if grouping is not None:
            blocks = grouping.blocks(engine, (before, table), column, earlier)
        chosen[column.name] = (
            Comparison(reference, current, thresholds, blocks, role=role),
            rule if thresholds else None,
        )
    if grouping is not None:
        grouping.drop(engine)
    moments = frozenset(one.name for one in table.columns if one.kind.is_moment)
    findings, figures = told(chosen, table.name, moments, private=spec.private, known=known or {})
    by_model, shown = model_drift(engine, before, table, spec, source=source)
    pairs = {name: pair for name, (pair, _) in chosen.items()}
    return Compared(findings + by_model, figures + shown, pairs)


def told(
    chosen: Mapping[str, tuple[Comparison, Place | None]],
    name: str,
    moments: frozenset[str],
    *,
    private: frozenset[str],
    untold: frozenset[str] = frozenset(),
    known: Mapping[str, Fault] = MappingProxyType({}),
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Returns findings about compared columns, and the figures of those that may be told.

    Args:
        chosen: What is compared, and which line asks for it, by column.
        name: What is judged, as the user knows it.
        moments: Columns of dates and times.
        private: Columns of which no value is shown.
        untold: Columns whose categories are tokens: they mean nothing to a person.
        known: Likely faults that are known already, by column.
    """
    drifts = compare_table({column: one for column, (one, _) in chosen.items()})
    findings: list[Finding] = []
    for one in drifts:
        pair, asked_by = chosen[one.column]
        fault = None
        if one.decision is Decision.FAIL and one.column not in untold:
            is_moment = one.column in moments
            fault = known.get(one.column) or likely_fault(
                pair.reference, pair.current, moment=is_moment
            )
        for finding in to_findings(
            one,
            Place(name),
            rule=asked_by,
            severity=Severity.WARN if asked_by is None else Severity.FAIL,
            fault=fault,
            private=one.column in private | untold,
        ):
            # What nobody asked about and too few rows leave open is no evidence at all.
            if asked_by is not None or finding.outcome is Outcome.VIOLATED:
                findings.append(finding)
    return findings, [_figures(one) for one in drifts if one.column not in private]


def wanted_drift(column: str, spec: TableSpec, source: str) -> tuple[Drift, Place]:
    """Returns by which thresholds a column is compared, and which line says so."""
    own = spec.column(column)
    if own is not None and own.drift is not None:
        return own.drift, own.at("drift", source)
    return spec.drift or Drift(), spec.at("drift", source)


def thresholds_for(column: str, spec: TableSpec, *, is_numeric: bool) -> dict[str, float]:
    """Returns the thresholds asked for a column; of the table's those that mean something for it."""
    wanted, _ = wanted_drift(column, spec, "")
    if has_own_drift(column, spec):
        return wanted.thresholds()
    return applicable(wanted.thresholds(), is_numeric=is_numeric)


def has_own_drift(column: str, spec: TableSpec) -> bool:
    """Tells whether a column's own entry asks how far it moved, whatever it is for.

    Thresholds for the whole table are not meant for columns that name rows or moments.
    """
    own = spec.column(column)
    return own is not None and own.drift is not None


def _moves_on(engine: Engine, before: Table, table: Table, column: Column) -> bool:
    """Tells whether a column names rows or moments, so that other values are what it is for."""
    return column.kind.is_moment or (
        is_identifier(engine, table, column) and is_identifier(engine, before, column)
    )


def _figures(drift: ColumnDrift) -> dict[str, Any]:
    return {
        "column": drift.column,
        "role": drift.role,
        "decision": drift.decision.value,
        "rows": list(drift.rows),
        "nulls": list(drift.nulls),
        "effects": [effect.figures() for effect in drift.effects],
    }
