"""Findings from drift: one for each column that fails or cannot be decided, in plain words.

What is not here: the comparison (`compare`) and the guess at a fault (`diagnosis`), which the
caller passes in. A finding says what changed and where to look; it never says what to train.
"""

from __future__ import annotations

from typing import Any, Final

from dvtool.quality.drift.decisions import ColumnDrift, Decision, Effect
from dvtool.quality.drift.faults import Fault
from dvtool.quality.drift.methods import METHODS, code_of
from dvtool.quality.findings import Evidence, Finding, Outcome, Place, Severity

_ROLES: Final = {
    "covariate": "drifted from the baseline",
    "prior-probability": "prior probability shifted from the baseline",
}
_HINTS: Final = {
    "unit-change": "check the unit at the source of this column",
    "sign-flip": "check the sign convention at the source of this column",
    "zero-fill": "check whether 0 stands for a missing value",
    "sentinel": "declare the value as a null in the checks, or repair the export",
    "constant-fill": "check the default value at the source of this column",
    "null-spike": "check the join or the export that fills this column",
    "category-renamed": "map the new name to the old one, or accept it in the checks",
    "category-dropped": "check the filter or the join upstream",
    "stale": "check whether the export delivered the earlier file again",
    "int-became-float": "check for a null that turned the column into floats on the way",
    "time-shift": "check the time zone of the export",
    "date-format": "check the date format of the export",
    "typing-errors": "check how these values are entered",
    "filled-series": "check the last edit of this column in a spreadsheet",
    "filled-down": "check what filled this column from the row above",
}


def to_findings(
    drift: ColumnDrift,
    place: Place,
    *,
    rule: Place | None = None,
    severity: Severity = Severity.FAIL,
    fault: Fault | None = None,
    private: bool = False,
) -> list[Finding]:
    """Returns one finding when the column failed or is undecided, none when it passed.

    Args:
        drift: The compared column.
        place: The data that was judged.
        rule: The line of the checks that asked for it.
        severity: What a violation does to the verdict.
        fault: The likely fault, shown with a violation.
        private: Whether the column's values must not appear.
    """
    effect = drift.leading
    if effect is None or drift.decision is Decision.PASS:
        return []
    violated = drift.decision is Decision.FAIL
    message = _violated(drift, effect) if violated else _undecided(drift, effect)
    hint = ""
    figures: dict[str, Any] = {
        "role": drift.role,
        "rows": list(drift.rows),
        "nulls": list(drift.nulls),
        "effects": [one.figures() for one in drift.effects],
    }
    if violated and fault:
        message += f"; likely fault: {fault.describe(private=private)}"
        figures["likely_fault"] = {"code": fault.code, "share": fault.share}
        hint = _HINTS.get(fault.code, "")
    return [
        Finding(
            code=code_of(effect.method),
            message=message,
            place=place,
            evidence=Evidence.DRIFT,
            column=drift.column,
            severity=severity,
            outcome=Outcome.VIOLATED if violated else Outcome.UNDECIDED,
            rule=rule,
            figures=figures,
            hint=hint,
        )
    ]


def _violated(drift: ColumnDrift, effect: Effect) -> str:
    return f"{_ROLES[drift.role]}: {_sized(effect)}, allowed {_figure(effect.threshold)}"


def _undecided(drift: ColumnDrift, effect: Effect) -> str:
    title = METHODS[effect.method].title
    if effect.reason:
        return f"drift undecided: {effect.reason} ({title})"
    return (
        f"drift undecided: {_sized(effect)}, allowed {_figure(effect.threshold)};"
        f" {drift.rows[0]} against {drift.rows[1]} rows cannot tell"
    )


def _sized(effect: Effect) -> str:
    ends = f"{_figure(effect.low)} to {_figure(effect.high)}"
    confidence = f"{100 * (1 - effect.level):.4g} % interval {ends}"
    return f"{METHODS[effect.method].title} {_figure(effect.value)} ({confidence})"


def _figure(number: float) -> str:
    """Returns three significant digits without an exponent where that is readable."""
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:.0f}"
