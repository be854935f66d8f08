"""Bounds: `30..45`, `<= 1%`, `[-10%, +50%]`, and what lies inside them.

Here stand the value and its two spellings, in and out; nothing here knows columns or files.
`grammar` parses them for the vocabulary, `evaluate` and its neighbours ask them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from dvtool.errors import InvalidText

Number = int | float

_NUMBER: Final = r"[-+]?\d{1,300}(?:\.\d{1,300})?(?:[eE][-+]?\d{1,4})?"
_RANGE = re.compile(rf"({_NUMBER})(%?)\s*\.\.\s*({_NUMBER})(%?)")
_SIDE = re.compile(rf"(<=|>=|<|>)\s*({_NUMBER})(%?)")
_PLAIN = re.compile(rf"({_NUMBER}|[-+]?\.\d{{1,300}})(%?)")


@dataclass(frozen=True, slots=True)
class Bound:
    """An interval that a figure must lie in.

    Args:
        low: Smallest figure allowed; None for no limit.
        high: Largest figure allowed; None for no limit.
        low_open: The low end itself is outside.
        high_open: The high end itself is outside.
        percent: The ends are percent (of rows, or of change), not plain figures.
    """

    low: Number | None = None
    high: Number | None = None
    low_open: bool = False
    high_open: bool = False
    percent: bool = False

    def __post_init__(self) -> None:
        low, high = self.low, self.high
        if low is None and high is None:
            raise InvalidText("a bound without any end allows everything")
        if low is not None and high is not None and (self.low_open or self.high_open):
            raise InvalidText("a bound with two ends includes both")
        if low is not None and high is not None and low > high:
            raise InvalidText(f"the low end {low} is above the high end {high}")

    def holds(self, figure: Number) -> bool:
        """Tells whether `figure`, in the unit of the ends, lies inside; NaN never does."""
        if figure != figure:  # noqa: PLR0124 NaN alone differs from itself
            return False
        if self.low is not None and (figure < self.low or (self.low_open and figure == self.low)):
            return False
        return not (
            self.high is not None
            and (figure > self.high or (self.high_open and figure == self.high))
        )

    def holds_count(self, count: int, total: int) -> bool:
        """Tells whether `count` of `total` lies inside: as percent, or as it is.

        Nothing of nothing is 0 %.
        """
        if not self.percent:
            return self.holds(count)
        return self.holds(100 * count / total if total else 0.0)

    def __str__(self) -> str:
        """Returns the one spelling that `dump` writes."""
        unit = "%" if self.percent else ""
        if self.low is not None and self.high is not None:
            return f"{spelt(self.low)}{unit}..{spelt(self.high)}{unit}"
        if self.high is None:
            assert self.low is not None
            return f"{'>' if self.low_open else '>='} {spelt(self.low)}{unit}"
        return f"{'<' if self.high_open else '<='} {spelt(self.high)}{unit}"

    def words(self) -> str:
        """Returns what a message says is allowed: `0`, `at most 1%`, `30 to 45`."""
        unit = "%" if self.percent else ""
        if self.low is not None and self.low == self.high:
            return f"{_said(self.low)}{unit}"
        if self.low is not None and self.high is not None:
            return f"{_said(self.low)}{unit} to {_said(self.high)}{unit}"
        if self.low is not None:
            return f"{'more than' if self.low_open else 'at least'} {_said(self.low)}{unit}"
        assert self.high is not None
        if self.high == 0 and not self.high_open:
            return f"0{unit}"
        return f"{'less than' if self.high_open else 'at most'} {_said(self.high)}{unit}"


def spelt(number: Number) -> str:
    """Returns the shortest text that reads back as the same number: `3`, `0.25`, `1e+30`."""
    return repr(number)


def _said(number: Number) -> str:
    return f"{number:.10g}" if isinstance(number, float) else str(number)


def parse_bound(text: str) -> Bound:
    """Returns the bound that `a..b`, `>= a`, `> a`, `<= b`, `< b` or `<a>%` spells.

    A plain number is not one: what it would mean depends on the key (see `grammar`).

    Raises:
        InvalidText: None of the spellings, or the ends are the wrong way round.
    """
    stripped = text.strip()
    if found := _RANGE.fullmatch(stripped):
        low, low_unit, high, high_unit = found.groups()
        if low_unit != high_unit:
            raise InvalidText(f"one end of {stripped[:60]} is percent and the other is not")
        return Bound(number_of(low), number_of(high), percent=bool(low_unit))
    if found := _SIDE.fullmatch(stripped):
        sign, end, unit = found.groups()
        is_open = len(sign) == 1
        if sign.startswith(">"):
            return Bound(low=number_of(end), low_open=is_open, percent=bool(unit))
        return Bound(high=number_of(end), high_open=is_open, percent=bool(unit))
    raise InvalidText(
        f"expected a bound such as 30..45, '>= 3' or '<= 1%', found {stripped[:60]!r}"
    )


def parse_plain(text: str) -> tuple[Number, bool] | None:
    """Returns a number and whether it is percent, None when `text` is neither."""
    found = _PLAIN.fullmatch(text.strip())
    return (number_of(found[1]), bool(found[2])) if found else None


def number_of(text: str) -> Number:
    """Returns the number that `text` spells: whole without a dot or an exponent.

    Raises:
        InvalidText: It is too large to be one.
    """
    if not any(mark in text for mark in ".eE"):
        return int(text)
    number = float(text)
    if abs(number) == float("inf"):
        raise InvalidText(f"{text[:40]} is too large a number")
    return number
