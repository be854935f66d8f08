"""Slices: the part of a table that a failing figure comes from, or that there is none, in words.

Beside the values stands how likely chance makes such a part. Parts are `slice_parts`, one of them is
chosen in `choosing`; `causes` and `drift_causes` put the words into findings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvtool.quality.slice_parts import FloatArray

MOSTLY: Final = 0.9
"""Share of the violations that a slice must hold to be named though it does not hold all."""
CHANCE: Final = 0.01
"""Allowed probability that some slice would hold so many violations if they fell anywhere."""

ENOUGH: Final = 20
"""Rows below which nothing is said, since a person sees them all; and violations below which it is not
said that no part stands out, or which one does most."""

BoolArray: TypeAlias = NDArray[np.bool_]
Passes = Callable[[FloatArray], BoolArray]
"""Tells of sums, shape (parts, k), of which the figure would pass, shape (parts,)."""
Luck = Callable[[FloatArray, FloatArray], FloatArray]
"""Logarithms of how likely chance alone makes such slices of the whole, shape (parts,)."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a table that a failing figure comes from.

    Attributes:
        kind: `time`, `category`, `rows`, `file`, or `several` of one column.
        column: Of time or category, empty otherwise.
        value: The category, the file, what the run begins with (a day, a row), or all in words.
        last: What a run ends with, included; equal to `value` for anything else.
        rows: Rows in the slice.
        support: Share of the table's rows, 0 to 1.
        share: Share of all violations that lie in it, 0 to 1; None for a figure that is not a
            count of violations.
        is_enough: Whether the figure would pass without the slice.
        without: What the figure would be without it; None where that is not said.
    """

    kind: str
    column: str
    value: str
    last: str
    rows: int
    support: float
    share: float | None
    is_enough: bool
    without: float | None = None

    def words(self) -> str:
        """Returns the slice in one line: `all violations lie in rows 901 to 1,000 (5% of rows)`."""
        if self.share is None:
            figure = "" if self.without is None else f"be {self.without:.4g} and "
            return f"without {self.part()} it would {figure}pass"
        if self.share == 1:
            return f"all violations lie in {self.part()}"
        said = f"{100 * self.share:.3g}% of violations lie in {self.part()}"
        return said if self.share >= MOSTLY else f"{said}, the others all over the table"

    def part(self) -> str:
        """Returns which part it is and how large: `state = 'TN' (5% of rows)`."""
        return f"{self.where()} ({100 * self.support:.3g}% of rows)"

    def prefix(self) -> str:
        """Returns how every part of its kind begins: `rows `, `state = `."""
        if self.kind == "rows":
            return "rows "
        return {"time": f"{self.column} ", "category": f"{self.column} = "}.get(self.kind, "")

    def where(self) -> str:
        """Returns which part it is."""
        if self.kind == "rows":
            return f"{self.prefix()}{int(self.value):,} to {int(self.last):,}"
        if self.kind == "time" and self.value != self.last:
            return f"{self.prefix()}{self.value} to {self.last}"
        return f"{self.prefix()}{self.value}"

    def figures(self) -> dict[str, Any]:
        """Returns it as JSON values."""
        told: dict[str, Any] = {
            "where": self.where(),
            "rows": self.rows,
            "support": self.support,
            "share": self.share,
            "is_enough": self.is_enough,
        }
        return told if self.without is None else {**told, "without": self.without}


@dataclass(frozen=True, slots=True)
class Spread:
    """A failing figure that no part of a table explains.

    Attributes:
        parts: How many were looked at.
        enough: Without how many of them, each alone, the figure would pass, though they differ
            from the rest no more than chance makes parts differ.
        is_counted: Whether the figure counts violations.
    """

    parts: int
    enough: int = 0
    is_counted: bool = False

    def words(self) -> str:
        """Returns it in one line."""
        if self.is_counted:
            return f"spread evenly: none of {self.parts:,} parts of the table stands out"
        if not self.enough:
            return f"spread over the whole table: it fails without any of {self.parts:,} parts, too"
        return (
            f"spread evenly, and just beyond the bound: it would pass without any of {self.enough:,}"
            f" of {self.parts:,} parts, none of which stands out"
        )


# -- what chance does ------------------------------------------------------------------------------


def luck_of_violations(sums: FloatArray, whole: FloatArray) -> FloatArray:
    """Returns logarithms of a bound on the probability of so many violations in slices.

    Chernoff's bound for a binomial tail: n violations fall into a slice with the probability of
    its share of the rows.
    """
    support, share = sums[:, 0] / whole[0], sums[:, 1] / max(whole[1], 1)
    p, q = np.stack([share, 1 - share]), np.stack([support, 1 - support])
    return np.asarray(-whole[1] * _divergence(p, q) * (share > support))


def luck_of_mean(sums: FloatArray, whole: FloatArray) -> FloatArray:
    """Likewise for means of slices as far from that of the rest: 2 exp(-z² / 2).

    Of sums are looked at: the second, how many values; the third, their sum, from some point; the
    fourth, of their squares.
    """
    n, m = sums[:, 1], whole[1] - sums[:, 1]
    with np.errstate(all="ignore"):
        between = sums[:, 2] / n - (whole[2] - sums[:, 2]) / m
        # The spread within slice and rest: that between them is what is asked about.
        within = whole[3] - whole[2] ** 2 / whole[1] - between**2 * n * m / (n + m)
        variance = np.maximum(within, 0.0) / (n + m)
        found = math.log(2) - between**2 / (2 * variance * (1 / n + 1 / m))
    found = np.where(variance > 0, found, np.where(between != 0, -np.inf, 0.0))
    return np.asarray(np.where((n > 0) & (m > 0), found, 0.0))


def luck_of_counts(sums: FloatArray, whole: FloatArray) -> FloatArray:
    """Likewise for counts as far from those of the whole: the method of types, (n + 1)^k e^-nKL."""
    n, total = sums[:, 1:].sum(axis=1), whole[1:].sum()
    with np.errstate(all="ignore"):
        p = (sums[:, 1:] / n[:, None]).T
    q = (whole[1:] / total)[:, None]
    bins = np.count_nonzero(whole[1:])
    found = bins * np.log(n + 1) - n * _divergence(np.nan_to_num(p), q)
    return np.asarray(np.where(n > 0, found, 0.0))


def _divergence(p: FloatArray, q: FloatArray) -> FloatArray:
    """Returns Kullback and Leibler's sum over the first axis of p ln(p / q), in nats."""
    with np.errstate(all="ignore"):
        each = np.where((p > 0) & (q > 0), p * np.log(p / q), 0.0)
    return np.asarray(each.sum(axis=0))
