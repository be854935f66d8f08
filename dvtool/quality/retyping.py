"""Why a column has another kind: the likely fault, told by its texts as they are written.

Numbers that became text have no distribution to compare, but `42` and `42.0 kg` stand in the files. What
is not here: that a kind changed (`tables.schema`), and what shapes mean (`drift.text_faults`). Called by
`judging`.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dvtool.quality.findings import Finding
from dvtool.quality.tables.casting import is_null
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import Table

if TYPE_CHECKING:
    from dvtool.quality.drift.distributions import CategoricalDistribution

MOST_COLUMNS: Final = 20
"""Columns of one table that are asked, the first ones."""
MOST_ROWS: Final = 200_000
"""Rows of each side whose texts are counted, the first ones."""
_OF_WRITING: Final = frozenset(
    {"int-became-float", "number-format", "date-format", "leading-zeros-lost", "whitespace"}
    | {"encoding", "sentinel", "constant-fill", "null-spike", "truncation"}
)
"""Faults that change what a column is read as."""


def with_faults(
    engine: Engine,
    before: Table,
    table: Table,
    findings: Iterable[Finding],
    *,
    private: frozenset[str],
) -> list[Finding]:
    """Returns the same findings, those about another kind with the likely fault where one fits.

    Args:
        engine: Holds both tables.
        before: The baseline.
        table: What is judged.
        findings: What changed.
        private: Columns of which no value is shown.
    """
    from dvtool.quality.drift.diagnosis import likely_fault

    told = list(findings)
    names = {one.name for one in before.columns}
    retyped = [
        number
        for number, one in enumerate(told)
        if one.code == "column-retyped" and one.column in names
    ]
    for number in retyped[:MOST_COLUMNS]:
        finding = told[number]
        # A guess is a service: whatever goes wrong on the way, the finding stands.
        with suppress(Exception):
            sides = [as_written(engine, one, finding.column) for one in (before, table)]
            fault = likely_fault(sides[0], sides[1])
            if fault is not None and fault.code in _OF_WRITING:
                words = fault.describe(private=finding.column in private)
                known = {"code": fault.code, "share": fault.share}
                told[number] = replace(
                    finding,
                    message=f"{finding.message}; likely fault: {words}",
                    figures={**finding.figures, "likely_fault": known},
                )
    return told


def as_written(engine: Engine, table: Table, column: str) -> CategoricalDistribution:
    """Returns the texts of a column as they stand in the first rows of the file, and how often."""
    from dvtool.quality.drift.distributions import CategoricalDistribution

    text = quoted(column)
    missing = f"({text} IS NULL OR {is_null(text, table.options.nulls)})"
    rows = engine.rows(
        f"SELECT CASE WHEN NOT {missing} THEN {text} END AS t, count(*) FROM "
        f"(SELECT {text} FROM {table.raw} LIMIT {MOST_ROWS}) GROUP BY 1"
    )
    counts = {str(value): int(count) for value, count in rows if value is not None}
    nulls = sum(int(count) for value, count in rows if value is None)
    return CategoricalDistribution(counts, sum(counts.values()), nulls)
