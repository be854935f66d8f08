"""One cause, one finding: what one cause explains is told with it, and not once more.

Here findings become fewer: what history finds odd is told with the cause that the rows themselves
tell, what shifted columns make odd is told by the shift, and what the checks and the baseline both say
is told once. What is not here: how any of them was found (`filled`, `shifted`, `history`). Called by
`shifted`, `judging` and `dvtool.ops.history`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from dvtool.quality.drift.faults import Fault
from dvtool.quality.findings import RANK, Evidence, Finding

FILLED: Final = frozenset({"filled-series", "filled-down"})
ALARM: Final = "unlike-history"
MISPLACED: Final = frozenset({"columns-shifted", "columns-swapped"})
_LIKELY: Final = "likely: "
_OF_SHIFTS: Final = frozenset(
    {"column-retyped", "history-column-retyped", "mixed-types", "empty-column", ALARM}
    | {"constant-column", "null-words", "leading-zeros", "ambiguous-numbers", "category-variants"}
    | FILLED
)
"""What is found about columns that hold the values of others, and nobody asked for."""


def folded(
    alarms: Sequence[Finding],
    others: Sequence[Finding],
    faults: Mapping[str, Fault] = MappingProxyType({}),
    private: Collection[str] = (),
) -> tuple[list[Finding], list[Finding]]:
    """Returns the alarms of history with the causes that others tell, and the others without them.

    Args:
        alarms: As `history` found them.
        others: All else that was found in the table.
        faults: Likely faults by column, told where no other cause is.
        private: Columns of which no value is shown.
    """
    shift = next((one for one in others if one.code in MISPLACED and not one.waived), None)
    if shift is not None:
        rest = [one for one in others if one is not shift]
        told, kept = folded(alarms, rest, faults, private)
        told_by_shift, *told = folded_into(shift, told)
        return told, folded_into(told_by_shift, kept)
    causes = {one.column: one for one in others if one.code in FILLED and not one.waived}
    told = []
    used = set()
    for one in alarms:
        cause = causes.get(one.column) if one.code == ALARM else None
        fault = faults.get(one.column) if one.code == ALARM else None
        if cause is not None:
            used.add(cause.column)
            told.append(_with_cause(one, cause))
        elif fault is not None:
            words = fault.describe(private=one.column in private)
            told.append(_with_fault(one, words, {"code": fault.code, "share": fault.share}))
        else:
            told.append(one)
    kept = [one for one in others if one.code not in FILLED or one.column not in used]
    return told, kept


def _with_cause(alarm: Finding, cause: Finding) -> Finding:
    known = {"code": cause.code, "share": cause.figures.get("share")}
    told = _with_fault(alarm, cause.message, known)
    return replace(told, examples=alarm.examples or cause.examples)


def _with_fault(alarm: Finding, words: str, known: Mapping[str, object]) -> Finding:
    """Returns an alarm whose hint names the cause instead of what its figure alone suggests."""
    besides = [part for part in alarm.hint.split("; ") if part and not part.startswith(_LIKELY)]
    return replace(
        alarm,
        hint="; ".join((f"{_LIKELY}{words}", *besides)),
        figures={**alarm.figures, "likely_fault": dict(known)},
    )


def without_repeats(findings: Sequence[Finding]) -> list[Finding]:
    """Returns findings where what the checks and the baseline both miss is told once.

    A column that the checks name and that is gone, or has another type than they and the baseline
    say, is one cause. The finding that weighs more stays, that of the checks where they weigh the
    same; what only the other one knows is added. What was accepted stays as it is.
    """
    asked = {
        (one.code, one.column): one
        for one in findings
        if one.code in _SAID_BY.values() and one.rule is not None and not one.waived
    }
    kept = list(findings)
    for change in findings:
        column = change.figures.get("was") if change.code == "column-renamed" else change.column
        wanted = asked.get((_SAID_BY.get(change.code, ""), str(column)))
        if wanted is None or change.waived or wanted not in kept:
            continue
        kept.remove(change)
        place = kept.index(wanted)
        kept[place] = _as_one(wanted, change)
    return kept


_SAID_BY: Final = {
    "column-removed": "missing-column",
    "column-renamed": "missing-column",
    "column-retyped": "type",
}


def _as_one(wanted: Finding, change: Finding) -> Finding:
    if RANK[change.severity] > RANK[wanted.severity]:
        return replace(change, rule=wanted.rule, examples=wanted.examples or change.examples)
    said = {
        "column-removed": ", which the baseline has",
        "column-renamed": f"; {change.column} is new: renamed?",
    }.get(change.code, f"; {change.message}")
    return replace(
        wanted,
        message=wanted.message + said,
        hint="" if change.code == "column-renamed" else wanted.hint,
        figures={**wanted.figures, "explains": {change.code: 1}},
    )


def of_old_data(
    found: Sequence[Finding], others: Sequence[Finding]
) -> tuple[list[Finding], list[Finding]]:
    """Returns what history found and all else, with what old rows again explain told by them.

    Args:
        found: By history.
        others: All else that was found in the table.
    """
    again = next((one for one in found if one.code == "history-same-rows"), None)
    if again is None:
        return list(found), list(others)
    weight = RANK[again.severity]
    explained = [one for one in found if one.code == ALARM and RANK[one.severity] <= weight]
    told = replace(again, figures={**again.figures, "explains": {ALARM: len(explained)}})
    kept = [told if one is again else one for one in found if one not in explained]
    return kept, [one for one in others if one.code != "earlier-data"]


def folded_into(shift: Finding, findings: Sequence[Finding]) -> list[Finding]:
    """Returns a finding about shifted or swapped columns, then those that it does not explain.

    What checks ask for stays, and so does what weighs more than the shift.

    Args:
        shift: With the columns that hold what is not theirs.
        findings: All others.
    """
    columns = set(shift.figures["columns"])
    explained = [
        one
        for one in findings
        if one.column in columns
        and one.rule is None
        and (one.code in _OF_SHIFTS or one.evidence is Evidence.DRIFT)
        and RANK[one.severity] <= RANK[shift.severity]
    ]
    counts = Counter(shift.figures.get("explains", {}))
    counts.update(one.code for one in explained)
    figures = {**shift.figures, "explains": dict(counts)}
    return [replace(shift, figures=figures), *(one for one in findings if one not in explained)]
