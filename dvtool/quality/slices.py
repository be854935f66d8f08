"""Slices: the smallest part of a table that a failing figure comes from, or that there is none.

Here a part is chosen, and said in words; which parts there are is `slice_parts`, and which figures
fail, and what is summed for them, `explaining` and `drift_causes`, the callers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvtool.quality.slice_parts import FloatArray, IntArray, Parts, parts_of_files

MOSTLY: Final = 0.9
"""Share of the violations that a slice must hold to be named though it does not hold all."""
CHANCE: Final = 0.01
"""Allowed probability that some slice would hold so many violations if they fell anywhere."""

ENOUGH: Final = 20
"""Violations from which on it is said that no part stands out, or which one does most."""

_KINDS: Final = ("file", "category", "time", "rows")
"""Of slices that do equally well the one that says most to a person."""
BoolArray: TypeAlias = NDArray[np.bool_]
Passes = Callable[[FloatArray], BoolArray]
"""Tells of sums, shape (parts, k), of which the figure would pass, shape (parts,)."""
Luck = Callable[[FloatArray, FloatArray], FloatArray]
"""Logarithms of how likely chance alone makes such slices of the whole, shape (parts,)."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a table that a failing figure comes from.

    Attributes:
        kind: `time`, `category`, `rows` or `file`.
        column: Of time or category, empty otherwise.
        value: The category, the file, or what the run begins with: a day, a row.
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

    def where(self) -> str:
        """Returns which part it is."""
        if self.kind == "rows":
            return f"rows {int(self.value):,} to {int(self.last):,}"
        if self.kind == "time":
            run = self.value if self.value == self.last else f"{self.value} to {self.last}"
            return f"{self.column} {run}"
        if self.kind == "file":
            return self.value
        return f"{self.column} = {self.value}"

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


def choose(
    parts: Parts,
    passes: Passes,
    luck: Luck,
    *,
    counted: bool = False,
    figure: Callable[[FloatArray], float] | None = None,
) -> Slice | Spread | None:
    """Returns the smallest part without which a figure passes, or how it is spread.

    It is widened to neighbours that are like it, so that it is all that is wrong there. A part must be itself beyond what is allowed, and differ from the rest by more than chance makes
    the luckiest of all parts differ. Where none is enough, of violations the smallest part with
    `MOSTLY` of them, else the one that stands out most.

    Args:
        parts: Candidates.
        passes: Tells of which sums the figure passes.
        luck: How likely chance makes a part.
        counted: Whether the second sum counts violations.
        figure: The figure of one row of sums, where it may be shown.

    Returns:
        None when the whole passes, when there is no part, or too few violations to tell.
    """
    whole = parts.whole
    if not len(parts) or not whole[0] or passes(whole[None, :])[0]:
        return None
    if counted and not whole[1]:
        return None
    most = math.log(CHANCE / len(parts))
    best: dict[bool, _Best | None] = {True: None, False: None}
    leading: tuple[float, int] | None = None
    enough_parts = 0
    for ids, sums in parts.in_batches():
        held = sums[:, 1] if counted else np.zeros(len(ids))
        enough = passes(whole - sums)
        wanted = (enough | (held >= MOSTLY * whole[1]) if counted else enough) & ~passes(sums)
        enough_parts += int(np.count_nonzero(wanted & enough))
        chance = np.zeros(len(ids))
        asked = np.full(len(ids), True) if counted else wanted
        chance[asked] = luck(sums[asked], whole)
        at = int(np.argmin(chance))
        if chance[at] <= most and (leading is None or chance[at] < leading[0]):
            leading = (float(chance[at]), int(ids[at]))
        wanted &= chance <= most
        for is_enough in (True, False):
            some = wanted & (enough == is_enough)
            best[is_enough] = _better(parts, ids[some], sums[some], held[some], best[is_enough])
    for is_enough, found in best.items():
        if found is not None:
            where, at = parts, found.at
            if is_enough:
                where, at = _widened(parts, at, passes, luck)
            return _named(where, at, counted, is_enough=is_enough, figure=figure)
    if not counted:
        return Spread(len(parts), enough_parts)
    if whole[1] < ENOUGH:
        return None
    if leading is not None:
        return _named(parts, leading[1], counted, is_enough=False, figure=None)
    return Spread(len(parts), is_counted=True)


class _Best(NamedTuple):
    """What a part is ranked by, the best being the smallest; and its number."""

    rows: float
    held: float
    kind: int
    at: int


def _better(
    parts: Parts, ids: IntArray, sums: FloatArray, held: FloatArray, best: _Best | None
) -> _Best | None:
    """Returns the best of some parts and the best so far.

    Of two slices that do, the smaller one; of two as small, the one that holds more.
    """
    if not len(ids):
        return best
    first = np.lexsort((-held, sums[:, 0]))
    for at in first:
        if sums[at, 0] != sums[first[0], 0] or held[at] != held[first[0]]:
            break
        kind = _KINDS.index(parts.name(int(ids[at])).kind)
        one = _Best(float(sums[at, 0]), -float(held[at]), kind, int(ids[at]))
        best = one if best is None else min(best, one)
    return best


def _widened(parts: Parts, at: int, passes: Passes, luck: Luck) -> tuple[Parts, int]:
    """Returns the part around a part that stands out most, as far as neighbours are like it.

    The smallest part that is enough may be less than all that is wrong. Its ends are looked for among all
    runs, once it is known where about they are.
    """
    for near_of in (Parts.around, Parts.beside):
        near = near_of(parts, at)
        sums = near.sums(np.arange(len(near)))
        good = passes(near.whole - sums) & ~passes(sums)
        chance = np.where(good, luck(sums, near.whole), np.inf)
        parts, at = near, int(np.lexsort((sums[:, 0], chance))[0])
    return parts, at


def _named(
    parts: Parts,
    at: int,
    counted: bool,
    *,
    is_enough: bool,
    figure: Callable[[FloatArray], float] | None,
) -> Slice:
    whole, sums = parts.whole, parts.sums(np.asarray([at]))[0]
    return Slice(
        *parts.name(at),
        rows=int(sums[0]),
        support=float(sums[0] / whole[0]),
        share=float(sums[1] / whole[1]) if counted else None,
        is_enough=is_enough,
        without=None if figure is None else figure(whole - sums),
    )


def explain_files(
    files: Mapping[str, tuple[int, int]], *, allowed: float = 0.0
) -> Slice | Spread | None:
    """Returns the file of a data set that violations come from, or that they are spread evenly.

    Args:
        files: By name: rows, and rows that violate.
        allowed: Share of rows that may violate, 0 to 1.
    """
    if not files:
        return None
    parts = parts_of_files({name: (float(n), float(bad)) for name, (n, bad) in files.items()})
    return choose(
        parts, lambda sums: sums[:, 1] <= allowed * sums[:, 0], luck_of_violations, counted=True
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
