"""What counts: `severity:` and `ignore:` applied to findings of any evidence.

Pure rules over findings and a day; nothing is judged here. `dvtool.quality.judging` calls it once
everything is found, before the verdict.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import replace

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
            return replace(finding, severity=Severity.NOTE, hint=said)
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
