"""Bounds on statistics: mean, standard deviation, median, quantiles; all exact.

Sums are compensated, quantiles come from a sort that can spill; nothing is sketched. Bounds on
counts are `rowrules` and `wholerules`. `evaluate` calls these after its one pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.cells import Cell
from dvtool.quality.checks.scan import Scan
from dvtool.quality.checks.subject import Asked, Subject
from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind

KEYS = ("mean", "std", "median", "quantiles")


def aggregates(cell: Cell) -> dict[str, str]:
    """Returns the SQL aggregate of each statistic that one pass can give, by key."""
    real = f"CAST({cell.value} AS DOUBLE)"
    return {
        "mean": f"favg({real})",
        "std": f"stddev_samp({real})",
        "present": f"count({cell.value})",
    }


def judge_statistic(
    subject: Subject, asked: Asked, cell: Cell, scan: Scan, key: str
) -> Iterator[Finding]:
    """Yields a finding when `mean` or `std` lies outside its bound."""
    if why := _unfit(cell, key):
        yield subject.undecided(asked, why)
        return
    sql = aggregates(cell)
    present, figure = scan[sql["present"]], scan[sql[key]]
    bound: Bound = getattr(cell.spec, key)
    yield from _judge(subject, asked, cell, [(key, figure, bound)], present)


def judge_quantiles(subject: Subject, asked: Asked, cell: Cell, key: str) -> Iterator[Finding]:
    """Yields a finding when the median or a quantile lies outside its bound."""
    if why := _unfit(cell, key):
        yield subject.undecided(asked, why)
        return
    wanted = cell.spec.quantiles
    if key == "median":
        assert cell.spec.median is not None
        wanted = ((0.5, cell.spec.median),)
    present, found = quantiles_of(subject, cell, tuple(p for p, _ in wanted))
    named = [
        ("median" if key == "median" else f"quantile {p:g}", figure, bound)
        for (p, bound), figure in zip(wanted, found, strict=True)
    ]
    yield from _judge(subject, asked, cell, named, present)


def quantiles_of(
    subject: Subject, cell: Cell, probabilities: tuple[float, ...]
) -> tuple[int, tuple[float | None, ...]]:
    """Returns how many values are present, and their quantiles; None for each when there are none.

    Linear between the neighbours at (n - 1) p, as numpy's default.
    """
    present = int(
        subject.engine.rows(f"SELECT count({cell.value}) FROM {subject.table.source}")[0][0]
    )
    if not present:
        return 0, (None,) * len(probabilities)
    places = [(present - 1) * p for p in probabilities]
    wanted = sorted({int(edge) for place in places for edge in _edges(place)})
    ranks = ", ".join(str(one) for one in wanted)
    sql = (
        f"SELECT __r, CAST(__v AS DOUBLE) "
        f"FROM (SELECT __v, row_number() OVER (ORDER BY __v) - 1 AS __r "
        f"FROM (SELECT {cell.value} AS __v FROM {subject.table.source}) WHERE __v IS NOT NULL) "
        f"WHERE __r IN ({ranks})"
    )
    at = {int(rank): float(value) for rank, value in subject.engine.rows(sql)}
    return present, tuple(_between(at, place) for place in places)


def _edges(place: float) -> tuple[int, int]:
    return math.floor(place), math.ceil(place)


def _between(at: dict[int, float], place: float) -> float:
    low, high = _edges(place)
    if at[low] == at[high]:
        return at[low]
    return at[low] + (at[high] - at[low]) * (place - low)


def _unfit(cell: Cell, key: str) -> str:
    if cell.kind.is_number or (key == "mean" and cell.kind is Kind.BOOL):
        return ""
    return f"{cell.kind.value} has no {key}"


def _judge(
    subject: Subject,
    asked: Asked,
    cell: Cell,
    named: list[tuple[str, float | None, Bound]],
    present: int,
) -> Iterator[Finding]:
    if any(figure is None for _, figure, _ in named):
        if present:
            yield subject.undecided(asked, f"{present} values are too few")
        else:
            yield subject.without_values(asked)
        return
    if not all(math.isfinite(figure or 0) for _, figure, _ in named):
        yield subject.undecided(asked, "the column holds infinite values")
        return
    broken = [
        (name, figure, bound)
        for name, figure, bound in named
        if figure is not None and not bound.holds(figure)
    ]
    if not broken:
        return
    if cell.private:
        words = "; ".join(f"{name} outside its bound" for name, _, _ in broken)
        yield subject.violated(asked, words, figures={"present": present})
        return
    words = "; ".join(
        f"{name} {figure:.6g}, allowed {bound.words()}" for name, figure, bound in broken
    )
    found = {name: figure for name, figure, _ in broken}
    allowed = {name: str(bound) for name, _, bound in broken}
    figures = {"found": found, "allowed": allowed, "present": present}
    yield subject.violated(asked, words, figures=figures)
