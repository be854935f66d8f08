"""What a fixed threshold found that nobody asked for, once history knows what is usual here.

A default threshold cannot know that orders are numbered on, that Sundays are quiet, or that some
numbers bear a letter; a past that is long enough does. Such findings stay in sight as notes. What checks ask for, and what history finds odd
as well, keeps its weight. Called by `dvtool.ops.history`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final

from dvtool.quality.findings import Evidence, Finding, Severity

ALARM: Final = "unlike-history"
KNOWN_BETTER: Final = frozenset({"rows-lost", "mixed-types"})
"""Findings of structure whose figure is one of those that a past is made of."""


def as_usual(findings: Iterable[Finding], odd: Collection[str], versions: int) -> list[Finding]:
    """Returns findings with warnings made notes where history finds the column as it always was.

    Args:
        findings: All that else was found in the table.
        odd: Columns that history alarms on, `""` for all rows.
        versions: How many versions it knows.
    """
    return [
        _note(one, versions) if _yields(one) and one.column not in odd else one for one in findings
    ]


def told_once(
    findings: Sequence[Finding], odd: Sequence[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """Returns both kinds of findings with each cause told once.

    A file that is cut off is unlike its past because of that, so alarms stay in sight as notes. Lost
    rows that history alarms on are history's to tell: it knows how many to expect.

    Args:
        findings: All that else was found in the table.
        odd: What history found.
    """
    if any(one.code == "truncated" and not one.waived for one in findings):
        return list(findings), [_of_a_cut(one) if one.code == ALARM else one for one in odd]
    if any(one.code == ALARM and one.figures.get("metric") == "rows" for one in odd):
        return [one for one in findings if one.code != "rows-lost"], list(odd)
    return list(findings), list(odd)


def _of_a_cut(one: Finding) -> Finding:
    return replace(one, severity=Severity.NOTE, hint="the file is cut off, which may explain it")


def _yields(one: Finding) -> bool:
    is_default = one.severity is Severity.WARN and one.rule is None
    return is_default and (one.evidence is Evidence.DRIFT or one.code in KNOWN_BETTER)


def _note(one: Finding, versions: int) -> Finding:
    hint = f"within what the {versions} versions before vary by"
    return replace(one, severity=Severity.NOTE, hint=hint)
