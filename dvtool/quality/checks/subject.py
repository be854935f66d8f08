"""What is being judged, and how a finding about it is made.

One small value carries the table, the name of the checks file and the privacy of columns, so that
every finding has its place, its rule and no private value. The modules that judge call it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dvtool.quality.findings import Evidence, Example, Finding, Outcome, Place, Severity
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Table

LONGEST_VALUE = 120


@dataclass(frozen=True, slots=True)
class Asked:
    """Which key of which column asks, and where it stands.

    Args:
        code: Of the finding when it is violated.
        rule: The line in the checks file.
        column: Empty when the whole table is meant.
        evidence: What kind of evidence it is.
    """

    code: str
    rule: Place
    column: str = ""
    evidence: Evidence = Evidence.SCHEMA
    severity: Severity = Severity.FAIL


@dataclass(frozen=True, slots=True)
class Subject:
    """A table in an engine, with what findings about it need.

    Args:
        engine: Holds the table's views.
        table: What is judged.
        source: The checks file, as the user knows it.
        private: Columns of which no value may be shown.
        limit: Most examples a finding carries.
    """

    engine: Engine
    table: Table
    source: str = ""
    private: frozenset[str] = field(default_factory=frozenset)
    limit: int = 5

    def examples(self, rows: Sequence[tuple[int, str | None]]) -> tuple[Example, ...]:
        """Returns examples with their lines, for pairs of a data row and a value as text."""
        lines = self.table.lines(self.engine, [row for row, _ in rows])
        return tuple(
            Example(Place(self.table.name, lines.get(row, 0), row), shortened(value))
            for row, value in rows
        )

    def violated(
        self,
        asked: Asked,
        message: str,
        *,
        rows: Sequence[tuple[int, str | None]] = (),
        figures: dict[str, Any] | None = None,
        hint: str = "",
    ) -> Finding:
        """Returns the finding that an expectation does not hold, placed at its first example."""
        examples = self.examples(rows)
        return Finding(
            code=asked.code,
            message=message,
            place=examples[0].place if examples else Place(self.table.name),
            evidence=asked.evidence,
            column=asked.column,
            severity=asked.severity,
            rule=asked.rule,
            examples=examples,
            figures=figures or {},
            hint=hint,
        )

    def undecided(
        self, asked: Asked, why: str, *, figures: dict[str, Any] | None = None
    ) -> Finding:
        """Returns the finding that an expectation could not be judged."""
        return Finding(
            code=asked.code,
            message=f"could not run: {why}",
            place=Place(self.table.name),
            evidence=asked.evidence,
            column=asked.column,
            severity=asked.severity,
            outcome=Outcome.UNDECIDED,
            rule=asked.rule,
            figures=figures or {},
        )

    def without_values(self, asked: Asked) -> Finding:
        """Returns the finding that there is no value that a figure could be of."""
        return self.undecided(asked, "no values", figures={"present": 0})

    def attempt(self, asked: Asked, judge: Callable[[], Iterable[Finding]]) -> list[Finding]:
        """Returns what `judge` finds; an exception in it is an undecided finding."""
        try:
            return list(judge())
        except Exception as error:  # noqa: BLE001 whatever goes wrong inside a check is an outcome
            return [self.undecided(asked, self.reason(error))]

    def reason(self, error: Exception) -> str:
        """Returns an exception in one line; only its type where it could quote a private value."""
        kind = type(error).__name__
        if self.private:
            return f"{kind}, its words withheld because a column is private"
        first = (str(error).strip() or kind).splitlines()[0]
        return first if len(first) <= 200 else first[:199] + "…"


def shortened(value: str | None) -> str | None:
    """Returns a value on one line of at most `LONGEST_VALUE` characters."""
    if value is None:
        return None
    flat = (
        value if value.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in value)
    )
    return flat if len(flat) <= LONGEST_VALUE else flat[: LONGEST_VALUE - 1] + "…"


def of(count: int, total: int, noun: str = "values") -> str:
    """Returns `1 of 2 values`."""
    return f"{count} of {total} {noun}"
