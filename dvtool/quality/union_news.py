"""Drift of a table of several files: what is new in it, told apart from what is as it was.

Files that are as they were cannot have drifted, and would hide those that did. So what is new decides;
where that is too little to tell, the whole table does. Called by `judging`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from dvtool.quality.checks.model import TableSpec
from dvtool.quality.drift.faults import Fault
from dvtool.quality.drift_causes import with_drift_causes
from dvtool.quality.drifting import compare
from dvtool.quality.findings import Finding, Outcome
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Table
from dvtool.quality.tables.union import narrowed
from dvtool.quality.tables.union_findings import named


class Drifted(NamedTuple):
    """What a comparison with the baseline gives.

    Attributes:
        findings: About columns, with where it comes from.
        figures: Of every compared column, as JSON values.
    """

    findings: list[Finding]
    figures: list[dict[str, Any]]


def drift_of(
    engine: Engine,
    before: Table,
    table: Table,
    spec: TableSpec,
    *,
    source: str,
    known: Mapping[str, Fault],
) -> Drifted:
    """Returns the drift of a table, of a single file or of several; arguments as `compare`."""
    new = _news(engine, before, table)
    if new is None:
        return _compared(engine, before, table, spec, source=source, known=known)
    was, now, words = new
    found = _compared(engine, was, now, spec, source=source, known=known)
    told = [one.explained(words) for one in found.findings]
    open_ones = {one.column for one in told if one.outcome is Outcome.UNDECIDED}
    if not open_ones:
        return Drifted(told, found.figures)
    whole = _compared(engine, before, table, spec, source=source, known=known)
    return Drifted(
        [one for one in told if one.column not in open_ones]
        + [one for one in whole.findings if one.column in open_ones],
        [one for one in found.figures if one["column"] not in open_ones]
        + [one for one in whole.figures if one["column"] in open_ones],
    )


def _compared(
    engine: Engine,
    before: Table,
    table: Table,
    spec: TableSpec,
    *,
    source: str,
    known: Mapping[str, Fault],
) -> Drifted:
    findings, figures, pairs = compare(engine, before, table, spec, source=source, known=known)
    return Drifted(with_drift_causes(engine, pairs, table, spec, findings), figures)


def _news(engine: Engine, before: Table, table: Table) -> tuple[Table, Table, str] | None:
    """Returns which rows of a baseline and of a table are compared, and what they are in words.

    Files that were changed are compared with what they were. As soon as one is new, all that is new
    or changed is compared with the whole baseline. None where everything is compared: of a single
    file, and where all is new or nothing is.
    """
    was = {one.inside: one.mark for one in before.members}
    now = {one.inside: one.mark for one in table.members}
    same = frozenset(inside for inside, mark in now.items() if was.get(inside) == mark)
    fresh = narrowed(engine, table, now.keys() - same) if same else table
    if not same or not fresh.rows:
        return None
    names = [one.table.name for one in fresh.members]
    told = f"told from what is new or changed, {named(names, len(now))}"
    if now.keys() - was.keys():
        return before, fresh, f"{told}, against all of the baseline"
    stale = narrowed(engine, before, was.keys() - same)
    return stale, fresh, f"{told}, against what was there before"
