"""Causes: where in a table the violations of its checks come from, said beside each finding.

Rebuilds from the checks the figure behind a finding and has `explaining` look for the smallest part
of the table that it comes from. Findings themselves are made elsewhere and never dropped here. Called
by `judging`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dvtool.quality.checks.cells import Cell, cell_of
from dvtool.quality.checks.evaluate import asked_by
from dvtool.quality.checks.expression import check_expression
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.rowrules import RowRule, column_rules, expression_rule
from dvtool.quality.checks.subject import Asked
from dvtool.quality.checks.wholerules import TableOf, WhyNot, not_in_table, out_of_place
from dvtool.quality.findings import Finding, Outcome, Severity
from dvtool.quality.tables.engine import Engine, literal, quoted
from dvtool.quality.tables.table import Table

if TYPE_CHECKING:
    from dvtool.quality.slice_space import Space
    from dvtool.quality.slices import Slice, Spread

MOST_EXPLAINED: Final = 10
"""Findings of one table that are explained, the first ones, in one pass over it."""
MOST_ROWS: Final = 20_000_000
"""Larger tables are judged but not explained."""


def with_causes(
    engine: Engine,
    table: Table,
    spec: TableSpec,
    findings: Iterable[Finding],
    *,
    source: str,
    table_of: TableOf | None = None,
) -> list[Finding]:
    """Returns the same findings, each with the slice that explains it, or that there is none.

    A slice stands in `figures` as `slice`, that there is none as `spread`, and either in words after
    the hint. Values of private columns are never named. Findings that were made by other checks,
    could not be decided, or are only notes stay as they are.

    Args:
        engine: Holds the table.
        table: What was judged.
        spec: Its checks.
        findings: As `evaluate` gave them.
        source: The checks file.
        table_of: Opens another table, for `in_table`, again and again.
    """
    told = list(findings)
    wanted = [
        number
        for number, one in enumerate(told)
        if one.outcome is Outcome.VIOLATED and one.severity is not Severity.NOTE
    ]
    if not wanted or table.rows > MOST_ROWS:
        return told
    from dvtool.quality.slice_space import Space  # numpy, which good data do not need

    space = Space.of(engine, table, spec)
    with space.planning() as planned:
        for number in wanted:
            with suppress(Exception):  # sums are only noted: none is here yet
                _explained(space, spec, told[number], source, table_of)
            if len(planned) == MOST_EXPLAINED:
                break
    explained = 0
    for number in wanted:
        if explained == MOST_EXPLAINED:
            break
        # A cause is a service: whatever goes wrong on the way, the finding stands.
        with suppress(Exception):
            found = _explained(space, spec, told[number], source, table_of)
            if found is not None:
                explained += 1
                told[number] = told_with(told[number], found)
    return told


def told_with(finding: Finding, found: Slice | Spread) -> Finding:
    """Returns a finding with what explains it: in figures, and after its own hint."""
    from dvtool.quality.slices import Slice

    if isinstance(found, Slice):
        return finding.explained(found.words(), slice=found.figures())
    return finding.explained(found.words(), spread={"parts": found.parts})


def _explained(
    space: Space, spec: TableSpec, finding: Finding, source: str, table_of: TableOf | None
) -> Slice | Spread | None:
    """Returns what is behind a finding; None where nobody can tell."""
    from dvtool.quality.explaining import explain, explain_repeats

    column = finding.column
    if finding.code == "key" and not finding.figures.get("missing"):
        return explain_repeats(space, [quoted(name) for name in spec.key])
    for rule in _rules(space.engine, space.table, spec, source):
        if _is_about(rule.asked, finding):
            return explain(space, rule.violated, column=column, allowed=rule.allowed)
    for cell in _cells(space.table, spec):
        if cell.fits and cell.spec.name == column:
            return _of_column(space, cell, finding, source, table_of)
    return None


def _of_column(
    space: Space, cell: Cell, finding: Finding, source: str, table_of: TableOf | None
) -> Slice | Spread | None:
    from dvtool.quality import explaining

    one, column = cell.spec, cell.spec.name
    key = next((key for key in _KEYS if _is_about(asked_by(source, one, key), finding)), "")
    bound = {"mean": one.mean, "std": one.std}.get(key)
    if bound is not None:
        return explaining.explain_moment(
            space, cell.value, key, bound, column=column, shown=not cell.private
        )
    if key == "median" and one.median is not None:
        return explaining.explain_quantiles(space, cell.value, [(0.5, one.median)], column=column)
    if key == "quantiles":
        return explaining.explain_quantiles(space, cell.value, one.quantiles, column=column)
    if key == "shares":
        wanted = {literal(value): bound for value, bound in one.shares}
        return explaining.explain_shares(space, cell.text, wanted, column=column)
    if key == "unique":
        return explaining.explain_repeats(space, [cell.value])
    if key == "order":
        return explaining.explain_order(space, *out_of_place(cell), column=column)
    if key == "in_table":
        broken = not_in_table(cell, table_of)
        if not isinstance(broken, WhyNot):
            return explaining.explain(space, broken, column=column)
    return None


_KEYS: Final = ("mean", "std", "median", "quantiles", "shares", "unique", "order", "in_table")


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
