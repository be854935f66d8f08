"""Problems: why a commit or a push is stopped, and what a person can do about each.

Values only. Made by the hooks beside, printed by the CLI.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dvtool.errors import DvtoolError
from dvtool.quality.findings import Verdict, verdict
from dvtool.quality.judged import Judgement


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to stop, and the next step."""

    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class HookReport:
    """What a hook found.

    Attributes:
        problems: Reasons to stop; none lets git go on.
        judgements: What was judged and is worth showing.
        notes: What a person should know besides.
    """

    problems: tuple[Problem, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    notes: tuple[str, ...] = ()


def problem_of(error: DvtoolError) -> Problem:
    """Returns an error of ours as a reason to stop."""
    return Problem(str(error), error.hint)


def let_through(one: Judgement) -> str:
    """Returns the line about data that pass with a word of warning."""
    keys = dict.fromkeys(
        finding.key
        for table in one.tables
        for finding in table.findings
        if verdict([finding]) is not Verdict.PASS
    )
    return f"{one.name}: {one.verdict.value}: {named(keys, most=4)} (dvtool check {one.name} tells)"


def named(names: Iterable[str], *, most: int = 5) -> str:
    """Returns some names and how many more there are: `a, b and 3 more`."""
    listed = list(names)
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")
