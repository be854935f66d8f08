"""What a judgement says: findings, and the verdict that follows from them.

The truth table from findings to verdict stands here and nowhere else. What is not here: how
findings are made (`tables`, `checks`, `drift`), and how they are shown (`dvtool.report`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final


class Verdict(enum.Enum):
    """The answer about one data set, from best to worst evidence."""

    PASS = "pass"  # noqa: S105 not a password
    WARN = "warn"
    UNDECIDED = "undecided"
    FAIL = "fail"
    NOT_JUDGED = "not-judged"
    """Nothing here is a table that dvtool can read; not an answer about quality."""


class Severity(enum.Enum):
    """What a violated expectation does to the verdict."""

    NOTE = "note"
    """Said, never counted: a fact a reader wants to know."""
    WARN = "warn"
    FAIL = "fail"


RANK: Final = {Severity.NOTE: 0, Severity.WARN: 1, Severity.FAIL: 2}
"""How much each severity weighs."""


class Outcome(enum.Enum):
    """How one expectation ended."""

    VIOLATED = "violated"
    UNDECIDED = "undecided"
    """The evidence allows no answer, or the check could not run; the message says why."""


class Evidence(enum.Enum):
    """Where a finding comes from."""

    STRUCTURE = "structure"
    SCHEMA = "schema"
    STATISTICS = "statistics"
    DRIFT = "drift"
    HISTORY = "history"
    SPLITS = "splits"
    GATE = "gate"
    """Of the gate itself: what cannot be restored, and what a change asks for less."""


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file.

    Args:
        path: As the user knows it.
        line: 1-based physical line, 0 when the format has none or it is not known.
        row: 1-based data row (header not counted), 0 when unknown.
    """

    path: str
    line: int = 0
    row: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Example:
    """One offending row. `value` is text as found; None when the column is private or it is null."""

    place: Place
    value: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause, said once.

    Args:
        code: Stable kebab-case name of what was found: `ragged-rows`, `nulls`, `psi`.
        message: One line without place, full stop or line break: what was found and what was allowed.
        place: Where in the data; its line when one row is meant.
        column: The column, empty when the whole table is meant.
        severity: What it does to the verdict when violated.
        outcome: Violated or undecided.
        rule: The line of the checks that asked for it; None for what is always on.
        examples: At most a few offending rows, never more than the caller asked for.
        figures: Numbers behind the message, for machines: found, allowed, share, interval …
            JSON values only; nothing of a private column but counts.
        hint: The next step, empty when the message says it; of a waived finding, why it is.
        waived: It was found, and an entry of `ignore:` or of an allow file says that it does not
            count; then it is a note.
    """

    code: str
    message: str
    place: Place
    evidence: Evidence
    column: str = ""
    severity: Severity = Severity.FAIL
    outcome: Outcome = Outcome.VIOLATED
    rule: Place | None = None
    examples: tuple[Example, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    hint: str = ""
    waived: bool = False

    @property
    def key(self) -> str:
        """Returns the name by which `ignore:` and waivers mean it: `age.nulls`, or `ragged-rows`."""
        return f"{self.column}.{self.code}" if self.column else self.code

    def explained(self, words: str, **figures: object) -> Finding:
        """Returns it with words after its own hint, and with more figures."""
        hint = f"{self.hint}; {words}" if self.hint else words
        return replace(self, figures={**self.figures, **figures}, hint=hint)


def verdict(findings: Iterable[Finding]) -> Verdict:
    """Returns the worst answer that the findings give; none at all is a pass.

    | outcome | severity | verdict |
    |---|---|---|
    | violated | fail | fail |
    | undecided | fail | undecided |
    | violated | warn | warn |
    | undecided | warn | warn |
    | any | note | pass |

    Worst first: fail, undecided, warn, pass. Evidence that nobody configured and nobody found is
    not a finding, so it never makes a data set undecided.
    """
    answers = {_answer(one) for one in findings}
    for answer in (Verdict.FAIL, Verdict.UNDECIDED, Verdict.WARN):
        if answer in answers:
            return answer
    return Verdict.PASS


def _answer(finding: Finding) -> Verdict:
    if finding.severity is Severity.NOTE:
        return Verdict.PASS
    if finding.severity is Severity.WARN:
        return Verdict.WARN
    return Verdict.FAIL if finding.outcome is Outcome.VIOLATED else Verdict.UNDECIDED
