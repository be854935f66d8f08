"""A table against the pinned `reference:` of its checks, a second baseline that does not move on.

Small steps each pass against the version before and add up; against the reference they show. Only
drift and columns that were lost or retyped are looked at: rows come and go with time. Called by
`judging`; which version the reference is, `dvtool.ops.comparing` finds out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dvtool.errors import ExtraMissing
from dvtool.quality import drifting
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.drift_causes import with_drift_causes
from dvtool.quality.findings import Evidence, Finding, Outcome, Place, Severity
from dvtool.quality.judged import Baseline
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Source
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.table import Table, Unreadable


def judge_reference(
    engine: Engine,
    table: Table,
    spec: TableSpec,
    reference: Baseline,
    path: Source | None,
    *,
    source: str,
) -> Iterator[Finding]:
    """Yields what a table has lost against its reference, and how far it has drifted from it.

    Args:
        engine: Holds the table.
        table: What is judged.
        spec: Its checks.
        reference: What it is called, and why.
        path: Where its bytes are; None when they are not here, which leaves it undecided.
        source: The checks file.
    """
    rule = spec.at("reference", source)
    if path is None:
        yield _not_run(table, reference.why, rule)
        return
    try:
        before = open_table(engine, path, name=reference.name, options=spec.read, contents=False)
    except (Unreadable, ExtraMissing, OSError):
        yield _not_run(table, f"{reference.name} cannot be read", rule)
        return
    policy = spec.schema_change or "fail"
    changed = compare_schema(before.columns, table.columns, policy=policy, name=table.name)
    compared = drifting.compare(engine, before, table, spec, source=source)
    drifted = with_drift_causes(engine, compared.pairs, table, spec, compared.findings)
    for one in [*(one for one in changed if one.severity is Severity.FAIL), *drifted]:
        said = one.message.replace(" from the baseline", "", 1)
        message = f"against the reference {reference.name}: {said}"
        yield replace(one, message=message, rule=one.rule or rule)


def _not_run(table: Table, why: str, rule: Place) -> Finding:
    return Finding(
        "reference",
        f"could not run: {why}",
        Place(table.name),
        Evidence.DRIFT,
        outcome=Outcome.UNDECIDED,
        rule=rule,
    )
