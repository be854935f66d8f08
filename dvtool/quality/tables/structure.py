"""The structural findings: their codes, how severe each is, and how they are worded.

One table says what every code means for the verdict, so that no reader decides that on its own.
Looking for the faults is the readers' business. All readers of this package call it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from dvtool.quality.findings import RANK, Evidence, Example, Finding, Outcome, Place, Severity
from dvtool.quality.tables.table import Unreadable

EXAMPLES = 5
"""Offending rows that one structural finding shows at most."""

SEVERITIES: dict[str, Severity] = {
    "empty-file": Severity.FAIL,
    "header-only": Severity.FAIL,
    "no-rows": Severity.WARN,
    "not-a-table": Severity.FAIL,
    "truncated": Severity.FAIL,
    "unreadable": Severity.FAIL,
    "too-large": Severity.FAIL,
    "columns-shifted": Severity.FAIL,
    "columns-swapped": Severity.FAIL,
    "ragged-rows": Severity.FAIL,
    "broken-quotes": Severity.FAIL,
    "broken-records": Severity.FAIL,
    "repeated-fields": Severity.FAIL,
    "columns-differ": Severity.FAIL,
    "long-lines": Severity.FAIL,
    "encoding-damage": Severity.FAIL,
    "null-bytes": Severity.FAIL,
    "encoding": Severity.WARN,
    "duplicate-headers": Severity.FAIL,
    "blank-headers": Severity.WARN,
    "unnamed-index": Severity.NOTE,
    "wrapped-records": Severity.NOTE,
    "other-sheets": Severity.NOTE,
    "preamble": Severity.WARN,
    "mixed-newlines": Severity.WARN,
    "files-removed": Severity.WARN,
    "repeated-file": Severity.WARN,
    "read-differently": Severity.WARN,
    "mixed-types": Severity.WARN,
    "leading-zeros": Severity.NOTE,
    "long-integers": Severity.NOTE,
    "ambiguous-dates": Severity.NOTE,
    "ambiguous-numbers": Severity.WARN,
    "number-marks": Severity.NOTE,
    "null-words": Severity.NOTE,
    "constant-column": Severity.NOTE,
    "empty-column": Severity.NOTE,
    "duplicate-rows": Severity.NOTE,
    "category-variants": Severity.WARN,
    "filled-series": Severity.WARN,
    "filled-down": Severity.WARN,
}
"""What each code does to the verdict. docs/reading-tables.md says what each one means."""


def structural(
    code: str,
    message: str,
    name: str,
    *,
    line: int = 0,
    row: int = 0,
    column: str = "",
    severity: Severity | None = None,
    examples: Iterable[tuple[int, int, str | None]] = (),
    hint: str = "",
    **figures: object,
) -> Finding:
    """Returns one structural finding.

    Args:
        code: A key of `SEVERITIES`.
        message: As for `Finding`.
        name: The file as the user knows it.
        line: 1-based line it is about, 0 when it is about more.
        row: 1-based data row it is about, likewise.
        column: Empty when the whole table is meant.
        severity: Where it differs from the code's own.
        examples: (line, row, value) of some offending rows; cut to `EXAMPLES`.
        hint: The next step.
        figures: As for `Finding`.
    """
    shown = tuple(Example(Place(name, at, nth), value) for at, nth, value in examples)[:EXAMPLES]
    if shown and not line and not row:
        line, row = shown[0].place.line, shown[0].place.row
    return Finding(
        code,
        message,
        Place(name, line, row),
        Evidence.STRUCTURE,
        column=column,
        severity=severity or SEVERITIES[code],
        examples=shown,
        figures=figures,
        hint=hint,
    )


def worst_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Returns findings sorted by severity, in the order of `SEVERITIES` within one severity.

    Where a file is cut off, packing, characters and the last line all say so: that is one finding.
    """
    order = {code: place for place, code in enumerate(SEVERITIES)}
    once = _cut_once(findings)
    return tuple(sorted(once, key=lambda one: (-RANK[one.severity], order[one.code])))


def _cut_once(findings: Sequence[Finding]) -> list[Finding]:
    cuts = [one for one in findings if one.code == "truncated"]
    if len(cuts) < 2:
        return list(findings)
    figures = {key: value for one in cuts for key, value in one.figures.items()}
    place = max((one.place for one in cuts), key=lambda place: place.line)
    message = "; ".join(one.message for one in cuts)
    told = replace(cuts[0], message=message, place=place, figures=figures)
    return [told, *(one for one in findings if one.code != "truncated")]


def unreadable(
    code: str, message: str, name: str, *, hint: str = "", **figures: object
) -> Unreadable:
    """Returns the exception for a file that gives no table at all."""
    found = structural(code, message, name, hint=hint)
    found.figures.update(figures)
    return Unreadable(found)


def too_large(name: str, memory_bytes: int) -> Unreadable:
    """Returns the exception for a file that the engine's memory is too small for: undecided."""
    message = f"needs more memory than the {memory_bytes >> 20} MiB that the engine may take"
    found = structural("too-large", message, name, hint="--memory-mib gives it more")
    return Unreadable(replace(found, outcome=Outcome.UNDECIDED))


def times(count: int, one: str, many: str = "") -> str:
    """Returns a count with its noun: `1 row`, `1,200 rows`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
