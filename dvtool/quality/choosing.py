"""Choosing the part of a table that a failing figure comes from.

The smallest part without which the figure passes, widened to neighbours that are like it; else a few
parts of one column together. Called by `explaining` and `drift_causes`, which sum what is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from dvtool.quality.slice_parts import (
    MOST_SUPPORT,
    RUNS,
    FloatArray,
    IntArray,
    Parts,
    parts_of_files,
)
from dvtool.quality.slices import (
    CHANCE,
    ENOUGH,
    MOSTLY,
    Luck,
    Passes,
    Slice,
    Spread,
    luck_of_violations,
)

_KINDS: Final = ("file", "category", "time", "rows")
"""Of slices that do equally well the one that says most to a person."""
MOST_TOGETHER: Final = 5
"""Parts of one column that are named together."""


def choose(
    parts: Parts,
    passes: Passes,
    luck: Luck,
    *,
    counted: bool = False,
    figure: Callable[[FloatArray], float] | None = None,
) -> Slice | Spread | None:
    """Returns the smallest part without which a figure passes, or how it is spread.

    It is widened to neighbours that are like it, so that it is all that is wrong there. A part must
    be itself beyond what is allowed, and differ from the rest by more than chance makes the luckiest
    of all parts differ. Where none is enough, of violations the smallest part with `MOSTLY` of them,
    else the one that stands out most.

    Args:
        parts: Candidates.
        passes: Tells of which sums the figure passes.
        luck: How likely chance makes a part.
        counted: Whether the second sum counts violations.
        figure: The figure of one row of sums, where it may be shown.

    Returns:
        None when the whole passes, when there is no part, or too few rows or violations to tell.
    """
    whole = parts.whole
    if not len(parts) or whole[0] < ENOUGH or passes(whole[None, :])[0]:
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
    together = _together(parts, passes, luck, counted=counted, figure=figure)
    if together is not None:
        return together
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


def _together(
    parts: Parts,
    passes: Passes,
    luck: Luck,
    *,
    counted: bool,
    figure: Callable[[FloatArray], float] | None,
) -> Slice | None:
    """Returns a few parts of one column that are enough together, each of which stands out alone."""
    most = math.log(CHANCE / len(parts))
    singles = np.flatnonzero(parts.ends == parts.starts + 1)
    sums = parts.sums(singles)
    bad = ~passes(sums) & (luck(sums, parts.whole) <= most)
    found: list[tuple[float, Slice]] = []
    for name, runs in _by_column(parts, singles[bad]):
        inside = np.sum([parts.running[end] - parts.running[start] for start, end in runs], axis=0)
        rest = parts.whole - inside
        support = float(inside[0] / parts.whole[0])
        if not 2 <= len(runs) <= MOST_TOGETHER or support > MOST_SUPPORT:
            continue
        if passes(rest[None, :])[0]:
            share = float(inside[1] / parts.whole[1]) if counted else None
            without = None if figure is None else figure(rest)
            one = Slice(
                "several", name, _listed(parts, runs), "", int(inside[0]), support, share, True
            )
            found.append((support, replace(one, without=without)))
    return min(found, key=lambda one: one[0])[1] if found else None


def _by_column(parts: Parts, singles: IntArray) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Yields for each column where runs of its buckets begin and end; neighbours in time are one."""
    runs: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for at in singles.tolist():
        start, end = int(parts.starts[at]), int(parts.ends[at])
        kind, column, _, _ = parts.labels[start]
        known = runs.setdefault((kind, column), [])
        if known and kind in RUNS and known[-1][1] == start:
            known[-1] = (known[-1][0], end)
        else:
            known.append((start, end))
    yield from ((column, found) for (_, column), found in runs.items())


def _listed(parts: Parts, runs: list[tuple[int, int]]) -> str:
    """Returns several parts of one column in words: `shop = 'C' or 'D'`."""
    first, *more = (
        Slice(*parts.labels[start]._replace(last=parts.labels[end - 1].last), 0, 0.0, None, True)
        for start, end in runs
    )
    return " or ".join([first.where(), *(one.where().removeprefix(first.prefix()) for one in more)])


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
