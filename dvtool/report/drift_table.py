"""The drift of one table, a line a column: method, figure, interval, threshold, decision.

Nothing is decided here. Called by `dvtool.cli`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dvtool.quality.judged import JudgedTable
from dvtool.report.harmless import one_line

_ORDER = {"fail": 0, "undecided": 1, "pass": 2}
_HEAD = ("column", "method", "figure", "interval", "allowed", "decision")


def drift_lines(table: JudgedTable) -> Iterator[str]:
    """Returns a table for people, what drifted first; one line when nothing was compared."""
    return map(one_line, _lines(table))


def _lines(table: JudgedTable) -> Iterator[str]:
    if table.baseline is None:
        yield f"{table.name}: no earlier version to compare with (--baseline names one)"
        return
    if not table.drift:
        yield f"{table.name}: no column is compared with {table.baseline.name}, {table.baseline.why}"
        return
    yield f"{table.name} against {table.baseline.name}, {table.baseline.why}"
    rows = [_HEAD, *drift_cells(table)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def drift_cells(table: JudgedTable) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Yields column, method, figure, interval, allowed and decision of each effect.

    What drifted comes first; a column is named in its first row only.
    """
    for column in sorted(table.drift, key=lambda one: _ORDER[str(one["decision"])]):
        name = str(column["column"])
        if column["role"] != "covariate":
            name += " (label)"
        aside = "concept drift" if column.get("is_concept_drift") else "shown only"
        for effect in column["effects"]:
            yield (name, *_cells(effect, aside))
            name = ""


def _cells(effect: Mapping[str, Any], aside: str) -> tuple[str, str, str, str, str]:
    """Returns the cells of an effect.

    Args:
        effect: Its figures.
        aside: What stands in place of a decision where it does not decide.
    """
    interval = f"{_number(effect['low'])} to {_number(effect['high'])}"
    decision = str(effect["decision"]) if effect["decides"] else aside
    method = str(effect["method"])
    return (
        f"{method} (experimental)" if effect.get("experimental") else method,
        _number(effect["value"]),
        interval,
        _number(effect["allowed"]),
        decision,
    )


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else "-"
