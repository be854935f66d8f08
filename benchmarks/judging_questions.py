"""The questions that every tool is asked about the table: one list, and dvtool's spelling of it.

Fifteen columns, one question each beside type and nulls; `judging_tasks.py` turns the same list into
pandera, Great Expectations and Evidently. All of them hold for the tables that are made, so that
no tool stops early. Standard library only: every compared environment imports this.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What must hold of one column.

    Attributes:
        column: Its name.
        kind: `int`, `float`, `date`, `datetime`, `bool` or `text`.
        null_share: Share of rows that may lack it.
        low: Smallest value allowed, None for any.
        high: Largest value allowed, None for any.
        domain: The only values allowed, empty for any.
        pattern: Regular expression that the whole value matches, empty for any.
        unique: Whether no value may occur twice.
    """

    column: str
    kind: str
    null_share: float = 0.0
    low: float | None = None
    high: float | None = None
    domain: tuple[str, ...] = ()
    pattern: str = ""
    unique: bool = False


QUESTIONS = (
    Question("id", "int", unique=True),
    Question("user_id", "int", low=0, high=99_999),
    Question("age", "int", null_share=0.05, low=0, high=120),
    Question("quantity", "int", low=1, high=12),
    Question("amount", "float", low=0),
    Question("latitude", "float", low=-90, high=90),
    Question("score", "float", low=0, high=1),
    Question("temperature", "float", null_share=0.05, low=-50, high=60),
    Question("signup", "date"),
    Question(
        "state",
        "text",
        domain=("KA", "MH", "TN", "KL", "AP", "TS", "GJ", "RJ", "UP", "WB", "PB", "HR"),
    ),
    Question("plan", "text", domain=("free", "basic", "plus", "team")),
    Question("channel", "text", domain=("web", "shop", "app", "phone", "mail")),
    Question("active", "bool"),
    Question("code", "text", pattern="[A-Z]-[0-9]{4}"),
    Question("email", "text", pattern="[^@]+@[^@]+"),
)


def checks_text() -> str:
    """Returns the questions as a checks file of dvtool."""
    lines = ["columns:"]
    for one in QUESTIONS:
        words = [f"type: {one.kind}", f"nulls: '<= {one.null_share * 100:g}%'"]
        if one.low is not None:
            words.append(f"min: {one.low:g}")
        if one.high is not None:
            words.append(f"max: {one.high:g}")
        if one.domain:
            words.append(f"in: [{', '.join(one.domain)}]")
        if one.pattern:
            words.append(f"matches: '{one.pattern}'")
        if one.unique:
            words.append("unique: true")
        lines.append(f"  {one.column}: {{{', '.join(words)}}}")
    return "\n".join(lines) + "\n"
