"""A likely fault, as a value: what probably happened to the values of a column.

Light on purpose, so that reports can read it. What is not here: the rules that find faults
(`numeric_faults`, `text_faults`) and the choice among their answers (`diagnosis`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


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
    """Tells whether a share rose by at least `least` and by four standard errors."""
    error = math.sqrt(max(before * (1 - before), 1 / n) / n + max(after * (1 - after), 1 / m) / m)
    return after - before >= max(least, 4 * error)
