"""Causes: where in a table the violations of its checks come from, said beside each finding.

Rebuilds from the checks the condition behind a finding and asks `slices` for the smallest part of
the table that explains it. Findings themselves are made elsewhere and never dropped here. Called
by `judging`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.cells import Cell, cell_of
from dvtool.quality.checks.evaluate import asked_by
from dvtool.quality.checks.expression import check_expression
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.rowrules import RowRule, column_rules, expression_rule
from dvtool.quality.checks.subject import Asked
from dvtool.quality.findings import Finding, Outcome, Severity
from dvtool.quality.slices import Evenly, Slice, explain, explain_mean
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Table

MOST_EXPLAINED: Final = 10
"""Findings of one table that are explained, the first ones: each costs some passes over it."""
MOST_ROWS: Final = 20_000_000
"""Larger tables are judged but not explained."""


def with_causes(
    engine: Engine, table: Table, spec: TableSpec, findings: Iterable[Finding], *, source: str
) -> list[Finding]:
    """Returns the same findings, those that a slice explains with that slice.

    It stands in `figures` as `slice`, and in words after the hint. Values of
    private columns are never named. Findings that were made by other checks, could not be decided,
    or are only notes stay as they are. Of enough violations that no slice explains it is said that they
    are spread evenly.

    Args:
        engine: Holds the table.
        table: What was judged.
        spec: Its checks.
        findings: As `evaluate` gave them.
        source: The checks file.
    """
    told = list(findings)
    if table.rows > MOST_ROWS:
        return told
    explained = 0
    for number, finding in enumerate(told):
        if finding.outcome is not Outcome.VIOLATED or finding.severity is Severity.NOTE:
            continue
        if explained == MOST_EXPLAINED:
            break
        # A cause is a service: whatever goes wrong on the way, the finding stands.
        with suppress(Exception):
            found = _explained(engine, table, spec, finding, source)
            explained += found is not None
            if isinstance(found, Slice):
                told[number] = told_with(finding, found, found.words())
            elif found is not None:
                told[number] = replace(finding, hint=_joined(finding.hint, found.words()))
    return told


def told_with(finding: Finding, found: Slice, words: str) -> Finding:
    """Returns a finding with the slice that explains it: in figures, and after its own hint."""
    figures = {
        "where": found.where(),
        "rows": found.rows,
        "support": found.support,
        "share": found.share,
        "is_enough": found.is_enough,
    }
    hint = _joined(finding.hint, words)
    return replace(finding, figures={**finding.figures, "slice": figures}, hint=hint)


def _joined(hint: str, words: str) -> str:
    return f"{hint}; {words}" if hint else words


def _explained(
    engine: Engine, table: Table, spec: TableSpec, finding: Finding, source: str
) -> Slice | Evenly | None:
    """Returns what is behind a finding; None where nobody can tell."""
    time = spec.time.column if spec.time is not None else ""
    private = spec.private
    for rule in _rules(engine, table, spec, source):
        if _is_about(rule.asked, finding):
            allowed = _share(rule.allowed)
            return explain(
                engine,
                table,
                rule.violated,
                time=time,
                private=private,
                column=finding.column,
                allowed=allowed,
            )
    for cell in _cells(table, spec):
        bound = cell.spec.mean
        if bound is None or not cell.fits:
            continue
        if _is_about(asked_by(source, cell.spec, "mean"), finding):
            return explain_mean(engine, table, cell.value, bound.holds, time=time, private=private)
    return None


def _is_about(asked: Asked, finding: Finding) -> bool:
    key = (asked.code, asked.column, asked.rule)
    return key == (finding.code, finding.column, finding.rule)


def _rules(engine: Engine, table: Table, spec: TableSpec, source: str) -> Iterator[RowRule]:
    """Yields the conditions on rows that the checks ask for, as `evaluate` counts them."""
    for cell in _cells(table, spec):
        if not cell.fits:
            continue
        one = cell.spec
        if one.nulls is not None:
            yield RowRule(
                asked_by(source, one, "nulls"),
                cell.missing,
                "missing",
                "count(*)",
                allowed=one.nulls,
            )
        given = {
            "min": one.min is not None,
            "max": one.max is not None,
            "in": bool(one.allowed),
            "matches": bool(one.matches),
            "length": one.length is not None,
        }
        asked = {key: asked_by(source, one, key) for key, is_on in given.items() if is_on}
        yield from (rule for rule in column_rules(cell, asked) if isinstance(rule, RowRule))
    names = tuple(column.name for column in table.columns)
    for rule in spec.rules:
        used = check_expression(engine, rule.sql, names)
        asked_for = Asked("rule", rule.at("sql", source))
        yield expression_rule(rule, asked_for, used, spec.private)


def _cells(table: Table, spec: TableSpec) -> Iterator[Cell]:
    by_name = {column.name: column for column in table.columns}
    for one in spec.columns:
        if one.name in by_name:
            yield cell_of(one, by_name[one.name], table.options.format)


def _share(bound: Bound | None) -> float:
    """Returns the largest share of rows that a bound allows; 0 for a bound on counts."""
    if bound is None or bound.high is None or not bound.percent:
        return 0.0
    return bound.high / 100
