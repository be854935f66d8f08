"""What counts: `severity:`, `ignore:` and allowances applied to findings of any evidence.

Pure rules over findings and a day; nothing is judged here. `dvtool.quality.judging` calls the first
two once everything is found, `dvtool.ops.judge` the third, which depends on the digest of the data.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dvtool.core.allow import EVERYTHING, Allowance
from dvtool.quality.checks.model import IgnoreSpec, TableSpec
from dvtool.quality.findings import Evidence, Finding, Place, Severity


def apply_policy(
    findings: Sequence[Finding], spec: TableSpec, today: datetime.date, *, source: str = ""
) -> list[Finding]:
    """Returns the findings as the checks want them counted.

    The most exact name wins: `column.code`, the column's own `severity`, the column, the code. A
    finding that its maker already lowered is never raised by accident: only these names do. An
    ignored finding stays as a note that says until when and why; after its day it counts again,
    and a further finding says that the entry has expired. A reader's `mixed-types` goes when the
    checks' own `type` says the same of the column.

    Args:
        today: Of the clock of whoever asks; `until` is the last day that an entry holds.
        source: The checks file, as the user knows it.
    """
    typed = {one.column for one in findings if one.code == "type" and one.column}
    kept = [one for one in findings if not (one.code == "mixed-types" and one.column in typed)]
    weighed = [_weighed(one, spec) for one in kept]
    settled = [_settled(one, spec.ignore, today) for one in weighed]
    return settled + list(_expired(weighed, spec.ignore, today, source))


def apply_allowances(
    findings: Sequence[Finding], allowances: Sequence[Allowance], today: datetime.date
) -> list[Finding]:
    """Returns the findings of one table, those that were accepted by review as notes with the reason.

    What does not count anyway stays as it is. After its last day an exception allows nothing; the
    finding counts again and its hint says so.

    Args:
        findings: After `apply_policy`.
        allowances: Those about this table's data.
        today: Of the clock of whoever asks.
    """
    return [_allowed(one, allowances, today) for one in findings]


def _allowed(finding: Finding, entries: Sequence[Allowance], today: datetime.date) -> Finding:
    if finding.severity is Severity.NOTE:
        return finding
    meant = [one for one in entries if one.finding in (EVERYTHING, finding.key, finding.code)]
    valid = [one for one in meant if one.until is None or today <= one.until]
    if valid:
        return replace(finding, severity=Severity.NOTE, hint=_why(valid[0]), waived=True)
    if meant and meant[-1].until is not None:
        over = f"was allowed until {meant[-1].until.isoformat()}, and counts again"
        return replace(finding, hint=f"{over}; {finding.hint}" if finding.hint else over)
    return finding


def _why(entry: Allowance) -> str:
    kind = "an exception" if entry.kind == "exception" else "the new normal"
    until = f" until {entry.until.isoformat()}" if entry.until is not None else ""
    return f"allowed as {kind}{until} by {entry.by}: {entry.reason}"


def _weighed(finding: Finding, spec: TableSpec) -> Finding:
    wanted = dict(spec.severities)
    entry = spec.column(finding.column) if finding.column else None
    candidates = (
        wanted.get(finding.key),
        entry.severity if entry else None,
        wanted.get(finding.column) if finding.column else None,
        wanted.get(finding.code),
    )
    chosen = next((one for one in candidates if one is not None), None)
    return finding if chosen is None else replace(finding, severity=chosen)


def _means(entry: IgnoreSpec, finding: Finding) -> bool:
    return entry.finding in (finding.key, finding.code)


def _settled(finding: Finding, ignore: Iterable[IgnoreSpec], today: datetime.date) -> Finding:
    for entry in ignore:
        if _means(entry, finding) and today <= entry.until:
            said = f"ignored until {entry.until.isoformat()}: {' '.join(entry.reason.split())}"
            return replace(finding, severity=Severity.NOTE, hint=said, waived=True)
    return finding


def _expired(
    findings: Sequence[Finding], ignore: Iterable[IgnoreSpec], today: datetime.date, source: str
) -> Iterable[Finding]:
    for entry in ignore:
        meant = [one for one in findings if _means(entry, one)]
        if today <= entry.until or not meant:
            continue
        rule = entry.at("until", source)
        yield Finding(
            code="expired-ignore",
            message=f"{entry.finding} was ignored until {entry.until.isoformat()} and counts again",
            place=meant[0].place if not source else Place(source, rule.line),
            evidence=Evidence.SCHEMA,
            severity=Severity.WARN,
            rule=rule,
            hint="mend the data, or give the entry a new day and a reason",
        )
