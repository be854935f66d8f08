"""A likely fault, as a value: what probably happened to the values of a column.

Light on purpose, so that reports can read it. What is not here: the rules that find faults
(`numeric_faults`, `text_faults`) and the choice among their answers (`diagnosis`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

BY_CHANCE: Final = 1e-3
_RARE: Final = 100
"""Rows up to which the probability is worked out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What probably happened to a column.

    Args:
        code: Stable kebab-case name: `unit-change`, `sign-flip`, `category-renamed` …
        words: One line that shows values; not for private columns.
        discreet: The same without any value of the column.
        share: Share of the current rows that it explains, 0 to 1.
        figures: Numbers behind it, JSON values only and none of the column.
    """

    code: str
    words: str
    discreet: str
    share: float
    figures: dict[str, Any] = field(default_factory=dict)

    def describe(self, *, private: bool = False) -> str:
        """Returns the words, without values where the column is private."""
        return self.discreet if private else self.words


def clearly_more(before: float, n: int, after: float, m: int, *, least: float = 0.02) -> bool:
    """Tells whether a share rose by at least `least` and by more than chance makes of equal ones.

    By more than four standard errors, or, where so few rows are concerned that the normal law does
    not hold, with a probability below one in a thousand that so many of them would fall into the
    `m` rows if each fell anywhere (binomial, one-sided; the exact test of Fisher is no stricter).
    """
    if not n or not m or after - before < least:
        return False
    error = math.sqrt(max(before * (1 - before), 1 / n) / n + max(after * (1 - after), 1 / m) / m)
    if after - before >= 4 * error:
        return True
    there, here = round(before * n), round(after * m)
    return there + here <= _RARE and _tail(there + here, here, m / (n + m)) < BY_CHANCE


def _tail(count: int, least: int, share: float) -> float:
    """Returns the probability that at least `least` of `count` draws hit, each with that share."""
    terms = range(least, count + 1)
    return sum(math.comb(count, k) * share**k * (1 - share) ** (count - k) for k in terms)
