"""One cause, one finding: what history finds odd is told with the cause that the rows themselves tell.

Here findings about one column that come from two sources become one. What is not here: how either was
found (`filled`, `history`). Called by `dvtool.ops.history`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dvtool.quality.findings import Finding

FILLED: Final = frozenset({"filled-series", "filled-down"})
_LIKELY: Final = "likely: "


def folded(
    alarms: Sequence[Finding], others: Sequence[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """Returns the alarms of history with the causes that others tell, and the others without them.

    Args:
        alarms: As `history` found them.
        others: All else that was found in the table.
    """
    causes = {one.column: one for one in others if one.code in FILLED and not one.waived}
    told = []
    used = set()
    for one in alarms:
        cause = causes.get(one.column) if one.code == "unlike-history" else None
        if cause is not None:
            used.add(cause.column)
        told.append(one if cause is None else _with_cause(one, cause))
    kept = [one for one in others if one.code not in FILLED or one.column not in used]
    return told, kept


def _with_cause(alarm: Finding, cause: Finding) -> Finding:
    """Returns an alarm whose hint names the cause instead of what its figure alone suggests."""
    besides = [part for part in alarm.hint.split("; ") if part and not part.startswith(_LIKELY)]
    return replace(
        alarm,
        hint="; ".join((f"{_LIKELY}{cause.message}", *besides)),
        examples=alarm.examples or cause.examples,
        figures={
            **alarm.figures,
            "likely_fault": {"code": cause.code, "share": cause.figures.get("share")},
        },
    )
