"""Slices: the smallest part of a table that a failing figure comes from, or that there is none.

A figure is given by sums that add up over rows; the parts tried are runs of days, weeks or months,
values of categories, runs of twentieths of the file, and files. Which figures fail, and what is
done about it, is for others. Called by `causes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dvtool.quality.slice_parts import MOST_SUPPORT, Part, Sums, combined, tried
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Table

MOSTLY: Final = 0.9
"""Share of the violations that a slice must hold to be named though it does not hold all."""
CHANCE: Final = 0.01
"""Allowed probability that some slice would hold so many violations if they fell anywhere."""

ENOUGH: Final = 20
"""Violations from which on no part that stands out means that they are spread evenly."""

_KINDS: Final = ("file", "category", "time", "rows")
"""Of slices that do equally well the one that says most to a person."""
Passes = Callable[[Sums], bool]
Luck = Callable[[Sums, Sums], float]
"""Logarithm of how likely chance alone makes a slice like this of the whole."""


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
    """

    kind: str
    column: str
    value: str
    last: str
    rows: int
    support: float
    share: float | None
    is_enough: bool

    def words(self) -> str:
        """Returns the slice in one line: `all violations lie in rows 901 to 1,000 (5% of rows)`."""
        if self.share is None:
            return f"without {self.part()} it would pass"
        much = "all" if self.share == 1 else f"{100 * self.share:.3g}% of"
        return f"{much} violations lie in {self.part()}"

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


@dataclass(frozen=True, slots=True)
class Evenly:
    """Violations of which no part of a table has more than chance would bring into it.

    Attributes:
        parts: How many were looked at.
    """

    parts: int

    def words(self) -> str:
        """Returns it in one line."""
        return f"spread evenly: none of {self.parts:,} parts of the table stands out"


def explain(
    engine: Engine,
    table: Table,
    condition_sql: str,
    *,
    time: str = "",
    private: frozenset[str] = frozenset(),
    column: str = "",
    allowed: float = 0.0,
) -> Slice | Evenly | None:
    """Returns the smallest slice without which few enough rows violate a condition.

    Where no slice holds enough, the smallest one with `MOSTLY` of the violations. A slice must
    hold more violations than chance would bring into the luckiest of all slices tried.

    Args:
        engine: Holds the table.
        table: Where to look.
        condition_sql: True where a row violates; over the typed view, NULL counts as kept.
        time: The time column, empty for none.
        private: Columns of which nothing may be said; they are no candidates.
        column: The column that the condition is about, which would explain itself.
        allowed: Share of rows that may violate, 0 to 1.

    Returns:
        None when there is no violation, too few to tell, or when parts have more of them than others
        and none explains them.
    """
    violating = f"count(*) FILTER ({condition_sql})"

    def passes(sums: Sums) -> bool:
        return sums[1] <= allowed * sums[0]

    if column:
        private = private | {column}
    whole, parts = tried(engine, table, [violating], time, private)
    found = _chosen(whole, parts, passes, _luck_of_violations, counted=True)
    if found is None and whole[1] >= ENOUGH and not passes(whole) and _is_even(whole, parts):
        return Evenly(len(parts))
    return found


def explain_mean(
    engine: Engine,
    table: Table,
    value_sql: str,
    holds: Callable[[float], bool],
    *,
    time: str = "",
    private: frozenset[str] = frozenset(),
) -> Slice | None:
    """Returns the smallest slice without which the mean of a value is within its bound.

    Args:
        engine: Holds the table.
        table: Where to look.
        value_sql: The value, over the typed view; NULL is left out, and so is what is not finite.
        holds: Tells whether a mean is within its bound.
        time: As in `explain`.
        private: As in `explain`.

    Returns:
        None when there is no such slice: the whole column has moved, or every slice that would do
        is itself within the bound.
    """
    real = f"CAST({value_sql} AS DOUBLE)"
    finite = f"FILTER (isfinite({real}))"
    (centre,), *_ = engine.rows(f"SELECT avg({real}) {finite} FROM {table.source}")
    if centre is None:
        return None
    # Sums of distances from the mean: squares of large numbers would lose what is small.
    apart = f"({real} - CAST('{float(centre)!r}' AS DOUBLE))"
    asked = [
        f"count(*) {finite}",
        *(f"coalesce(fsum({one}) {finite}, 0)" for one in (apart, f"{apart} * {apart}")),
    ]

    def passes(sums: Sums) -> bool:
        return bool(sums[1]) and holds(centre + sums[2] / sums[1])

    whole, parts = tried(engine, table, asked, time, private)
    return _chosen(whole, parts, passes, _luck_of_mean)


def explain_counts(
    engine: Engine,
    table: Table,
    conditions: Sequence[str],
    passes: Callable[[Sums], bool],
    *,
    time: str = "",
    private: frozenset[str] = frozenset(),
    column: str = "",
) -> Slice | None:
    """Returns the smallest slice without which a figure over counts passes, as drift is one.

    Args:
        engine: Holds the table.
        table: Where to look.
        conditions: SQL of each bin or category that is counted.
        passes: Tells from (rows, count of each) whether the figure passes.
        time: As in `explain`.
        private: As in `explain`.
        column: As in `explain`.
    """
    asked = [f"count(*) FILTER ({one})" for one in conditions]
    if column:
        private = private | {column}
    whole, parts = tried(engine, table, asked, time, private)
    return _chosen(whole, parts, passes, _luck_of_counts)


def explain_files(files: Mapping[str, tuple[int, int]], *, allowed: float = 0.0) -> Slice | None:
    """Returns the file of a data set that violations come from; None when they are spread evenly.

    Args:
        files: By name: rows, and rows that violate.
        allowed: Share of rows that may violate, 0 to 1.
    """
    parts = [
        Part("file", "", name, name, (float(rows), float(found)))
        for name, (rows, found) in files.items()
    ]
    whole = (sum(one.sums[0] for one in parts), sum(one.sums[1] for one in parts))

    def passes(sums: Sums) -> bool:
        return sums[1] <= allowed * sums[0]

    return _chosen(whole, parts, passes, _luck_of_violations, counted=True)


# -- choosing --------------------------------------------------------------------------------------


def _chosen(
    whole: Sums, parts: Sequence[Part], passes: Passes, luck: Luck, *, counted: bool = False
) -> Slice | None:
    if not whole[0] or passes(whole) or (counted and not whole[1]):
        return None
    most = math.log(CHANCE / max(len(parts), 1))
    best: tuple[tuple[bool, float, float, int], Slice] | None = None
    for part in parts:
        support = part.sums[0] / whole[0]
        if not part.sums[0] or support > MOST_SUPPORT or passes(part.sums):
            continue
        is_enough = passes(combined(whole, part.sums, sign=-1.0))
        share = part.sums[1] / whole[1] if counted else None
        if not is_enough and (share is None or share < MOSTLY):
            continue
        # Of two slices that do, the smaller one; of two as small, the one that holds more.
        rank = (not is_enough, support, -(share or 0.0), _KINDS.index(part.kind))
        if (best is None or rank < best[0]) and luck(part.sums, whole) <= most:
            rows = int(part.sums[0])
            found = Slice(
                part.kind, part.column, part.value, part.last, rows, support, share, is_enough
            )
            best = (rank, found)
    return None if best is None else best[1]


def _is_even(whole: Sums, parts: Sequence[Part]) -> bool:
    """Tells whether every part has about as many violations as its rows would bring by chance."""
    most = math.log(CHANCE / max(len(parts), 1))
    return bool(parts) and all(_luck_of_violations(one.sums, whole) > most for one in parts)


def _luck_of_violations(part: Sums, whole: Sums) -> float:
    """Returns the logarithm of a bound on the probability of so many violations in a slice.

    Chernoff's bound for a binomial tail: n violations fall into the slice with the probability of
    its share of the rows.
    """
    support, share = part[0] / whole[0], part[1] / whole[1]
    return -whole[1] * _divergence((share, 1 - share), (support, 1 - support)) * (share > support)


def _luck_of_mean(part: Sums, whole: Sums) -> float:
    """Likewise for the mean of a slice as far from that of the rest: 2 exp(-z² / 2)."""
    n, m = part[1], whole[1] - part[1]
    if not n or not m:
        return 0.0
    between = part[2] / n - (whole[2] - part[2]) / m
    # The spread within slice and rest: that between them is what is asked about.
    within = max(whole[3] - whole[2] ** 2 / whole[1] - between**2 * n * m / (n + m), 0.0)
    variance = within / (n + m)
    if not variance:
        return -math.inf if between else 0.0
    return math.log(2) - between**2 / (2 * variance * (1 / n + 1 / m))


def _luck_of_counts(part: Sums, whole: Sums) -> float:
    """Likewise for counts as far from those of the whole: the method of types, (n + 1)^k e^-nKL."""
    n = sum(part[1:])
    if not n:
        return 0.0
    total = sum(whole[1:])
    shares = [one / n for one in part[1:]], [one / total for one in whole[1:]]
    bins = sum(1 for one in whole[1:] if one)
    return bins * math.log(n + 1) - n * _divergence(*shares)


def _divergence(p: Sequence[float], q: Sequence[float]) -> float:
    """Returns Kullback and Leibler's sum of p ln(p / q), in nats; q is above 0 where p is."""
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0 and b > 0)
