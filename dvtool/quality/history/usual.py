"""What a fixed threshold found that nobody asked for, once history knows what is usual here.

A default threshold cannot know that orders are numbered on, that Sundays are quiet, or that some
numbers bear a letter; a past that is long enough does. Such findings stay in sight as notes. What checks ask for, and what history finds odd
as well, keeps its weight. Called by `dvtool.ops.history`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from dvtool.quality.findings import Evidence, Finding, Severity

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


def _yields(one: Finding) -> bool:
    is_default = one.severity is Severity.WARN and one.rule is None
    return is_default and (one.evidence is Evidence.DRIFT or one.code in KNOWN_BETTER)


def _note(one: Finding, versions: int) -> Finding:
    hint = f"within what the {versions} versions before vary by"
    return replace(one, severity=Severity.NOTE, hint=hint)
