"""Metrics of pairs of columns: relations that held in earlier versions, measured again.

Here live four measures of how one column goes with another, taken from the samples of rows, and the
choice of the pairs worth watching. What is not here: single columns (`columns`). They are what
sees a column attached to the wrong rows, which changes no column by itself. Called by `memory`.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dvtool.quality.history.arrays import member, runs, union
from dvtool.quality.history.cells import Cells, ColumnCells
from dvtool.quality.history.portrait import ColumnPortrait, Portrait
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.kinds import Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_NOTHING = np.empty(0, np.int64)
MOST_COLUMNS = 28
MOST_VERSIONS = 16
PARTNERS = 4
LEAST_ROWS = 20
RELATIONS = frozenset({"rank-correlation", "disagreements", "strange-pairs", "carried-over"})
_STRONG = 0.15
"""A relation weaker than this is not watched."""
_NUMBERS = frozenset({Kind.INT, Kind.FLOAT})
_ON = 0.9
"""Share of the versions whose numbers all lie above those of the version before, and of the rows
that have a number of their own."""
_SMALL = 1 << 14
"""Cells of a table that is counted faster than sorted."""


@dataclass(slots=True)
class _Known:
    """What a pair has been so far: values of the source, and which values stood together."""

    source: Array
    together: Array


class PairMemory:
    """The relations that held in the past, and their metrics in every earlier version."""

    def __init__(self, sheet: Sheet, past: Sequence[Portrait], names: Sequence[str]) -> None:
        self._start = max(len(past) - MOST_VERSIONS, 0)
        self._known: dict[tuple[str, str], _Known] = {}
        self._latest: dict[str, ColumnCells | None] | None = None
        self._watched: list[tuple[str, str, str]] = []
        usable = [one.cells for one in past[self._start :] if one.cells.rows >= LEAST_ROWS]
        if len(usable) < 3:
            return
        steady = [one for one in names if all(one in version.columns for version in past[-3:])]
        counters = {
            one for one in steady if _counts_on([version.columns.get(one) for version in past])
        }
        self._watched = _worth_watching(usable, steady[:MOST_COLUMNS], counters)
        for at in range(self._start, len(past)):
            cells = past[at].cells
            if cells.rows >= LEAST_ROWS:
                self._mark(sheet, at, cells, past[at].columns)
                self._learn(cells)

    def mark(self, sheet: Sheet, one: Portrait) -> None:
        """Writes down the metrics of a version that is not part of the past."""
        if self._latest is not None and one.cells.rows >= LEAST_ROWS // 2:
            self._mark(sheet, 0, one.cells, one.columns)

    def _mark(self, sheet: Sheet, at: int, cells: Cells, names: Container[str]) -> None:
        carrying: dict[str, Source | None] = {}
        for kind, source, target in self._watched:
            if source not in names or target not in names:
                continue
            a, b = cells.column(source), cells.column(target)
            if a is None or b is None:
                continue
            if kind == "rank-correlation":
                if a.ranks is not None and b.ranks is not None:
                    figure = correlation(a.ranks, b.ranks)
                    _relation(sheet, Metric(target, kind, source), at, figure, cells.rows)
            elif kind == "disagreements":
                count, rows = disagreements(a, b)
                sheet.share(Metric(target, kind, source, Scale.SHARE, True), at, count, rows)
            elif kind == "strange-pairs":
                known = self._known.get((source, target))
                if known is not None:
                    count, rows = strange_pairs(a, b, known.source, known.together)
                    sheet.share(Metric(target, kind, source, Scale.SHARE, True), at, count, rows)
            elif self._latest is not None:
                if source not in carrying:
                    carrying[source] = Source.of(a, self._latest.get(source))
                figure, rows = carried_over(carrying[source], b, self._latest.get(target))
                _relation(sheet, Metric(target, kind, source), at, figure, rows)

    def _learn(self, cells: Cells) -> None:
        carried = [one for kind, *both in self._watched if kind == "carried-over" for one in both]
        self._latest = {name: cells.column(name) for name in carried}
        for kind, source, target in self._watched:
            a, b = cells.column(source), cells.column(target)
            if kind != "strange-pairs" or a is None or b is None:
                continue
            known = self._known.setdefault((source, target), _Known(_NOTHING, _NOTHING))
            known.source = union(known.source, a.known)
            known.together = union(known.together, paired(a.codes, b.codes))


def _relation(sheet: Sheet, metric: Metric, at: int, figure: float, rows: float) -> None:
    if rows >= LEAST_ROWS / 2:
        # Fisher's z: a relation of 0.99 is measured more finely than one of 0.2. One row in
        # another place takes about 1 / rows from a perfect one, which is nothing odd.
        most = min(0.999, 1 - 1 / rows)
        bounded = float(np.arctanh(min(max(figure, -most), most)))
        sheet.value(metric, at, bounded, 1 / max(rows - 3, 1), floor=0.05)


def _counts_on(past: Sequence[ColumnPortrait | None]) -> bool:
    """Tells whether a column numbers the rows of all versions on, as a running number does."""
    there = [one for one in past if one is not None and len(one.curve[0])]
    if any(one.kind not in _NUMBERS or (one.distinct or 0) < _ON * one.rows for one in there):
        return False
    steps = [bool(new.curve[0][0] > old.curve[0][-1]) for old, new in itertools.pairwise(there)]
    return sum(steps) >= _ON * max(len(steps), 1)


def _worth_watching(
    past: Sequence[Cells], names: Sequence[str], counters: Container[str]
) -> list[tuple[str, str, str]]:
    """Returns (kind, source, target) of relations that the last versions have, strongest first.

    What goes up or down with a running number is the order of the rows, which is not judged.
    """
    latest, before = past[-1], past[-2]
    columns = {}
    for name in names:
        now, old = latest.column(name), before.column(name)
        if now is not None and old is not None and now.dense.max(initial=0) > 0:
            own = _Lately.of(now, old)
            columns[name] = own._replace(centred=None) if name in counters else own
    watched = []
    for target, b in columns.items():
        strengths: dict[str, list[tuple[float, str]]] = {}
        for source, a in columns.items():
            if source == target:
                continue
            for kind, strength in _strengths(a, b):
                if strength >= _STRONG:
                    strengths.setdefault(kind, []).append((strength, source))
        for kind, found in strengths.items():
            watched += [(kind, source, target) for _, source in sorted(found)[::-1][:PARTNERS]]
    return watched


class _Lately(NamedTuple):
    """A column in the latest version and the one before, with what all of its pairs ask of it.

    Args:
        now: In the latest version.
        old: In the one before.
        turned: The latest cells attached to other rows: what chance would give.
        known: Rows of the latest version whose value the one before has.
        spread: Their codes, far from each other, so that adding another column's makes pairs.
        spread_old: Likewise those of the version before.
        centred: The latest ranks less their mean, and the sum of their squares; None for none.
        source: What is carried over by it; None for nothing.
    """

    now: ColumnCells
    old: ColumnCells
    turned: ColumnCells
    known: Array
    spread: Array
    spread_old: Array
    centred: tuple[Array, float] | None
    source: Source | None

    @classmethod
    def of(cls, now: ColumnCells, old: ColumnCells) -> _Lately:
        """Returns a column."""
        shift = max(len(now.dense) // 3, 1)
        turned = ColumnCells(
            _turned(now.codes, shift),
            now.known,
            _turned(now.dense, shift),
            None,
            _turned(now.bins, shift),
        )
        known = np.flatnonzero(member(now.known, old.known)[now.dense])
        centred = None if now.ranks is None else _centred(now.ranks)
        spread, before = _spread(now.codes[known]), _spread(old.codes)
        return cls(now, old, turned, known, spread, before, centred, Source.of(now, old))


def _turned(cells: Array, shift: int) -> Array:
    return np.concatenate([cells[-shift:], cells[:-shift]])


def _strengths(a: _Lately, b: _Lately) -> list[tuple[str, float]]:
    """Returns how strong each relation is: 0 for none, 1 for a perfect one.

    Where nothing that chance gives would make it strong enough to be watched, chance is not asked.
    """
    found = []
    if a.centred is not None and b.centred is not None:
        found.append(("rank-correlation", abs(_correlation(a.centred, b.centred))))
    count, rows = disagreements(a.now, b.now)
    if rows >= LEAST_ROWS / 2 and count <= (1 - _STRONG) * rows:
        chance, _ = disagreements(a.now, b.turned)
        found.append(("disagreements", (chance - count) / rows))
    rows = len(a.known)
    if rows >= LEAST_ROWS / 2:
        together = a.spread_old + b.old.codes
        together.sort()
        count = _strangers(a, b.now, together)
        if count <= (1 - _STRONG) * rows:
            chance = _strangers(a, b.turned, together)
            found.append(("strange-pairs", (chance - count) / rows))
    figure, rows = carried_over(a.source, b.now, b.old, least=_STRONG)
    if rows >= LEAST_ROWS / 2:
        found.append(("carried-over", abs(figure)))
    return found


def _strangers(a: _Lately, b: ColumnCells, together: Array) -> int:
    """Returns the known rows of a source whose value never stood together with the target's."""
    # Looked up in their order, which is several times faster.
    pairs = a.spread + b.codes[a.known]
    pairs.sort()
    return len(pairs) - int(np.count_nonzero(member(pairs, together)))


def correlation(x: Array, y: Array) -> float:
    """Returns the correlation of two arrays, 0 where one of them is constant."""
    return _correlation(_centred(x), _centred(y))


def _centred(x: Array) -> tuple[Array, float]:
    x = x - x.mean()
    return x, float((x * x).sum())


def _correlation(x: tuple[Array, float], y: tuple[Array, float]) -> float:
    scale = sqrt(x[1] * y[1])
    return float((x[0] * y[0]).sum()) / scale if scale > 0 else 0.0


def disagreements(a: ColumnCells, b: ColumnCells) -> tuple[float, float]:
    """Returns rows whose target is not the commonest of their source, of rows that share a source."""
    (several, rows), groups, width = a.several, len(a.groups), b.width
    if not rows:
        return 0.0, 0.0
    if groups * width <= _SMALL:
        cells = b.bins * groups + a.dense
        most = np.bincount(cells, minlength=groups * width).reshape(width, -1).max(axis=0)
    else:
        found, counts = runs(a.dense * width + b.bins)
        starts = np.flatnonzero(np.diff(found // width, prepend=-1))
        most = np.maximum.reduceat(counts, starts)
    return rows - float(most[several].sum()), rows


def strange_pairs(
    a: ColumnCells, b: ColumnCells, source: Array, together: Array
) -> tuple[float, float]:
    """Returns rows whose values never stood together; of rows whose source is known."""
    known = member(a.known, source)[a.dense]
    met = member(paired(a.codes[known], b.codes[known]), together)
    return float((~met).sum()), float(known.sum())


def carried_over(
    source: Source | None, b: ColumnCells, old_b: ColumnCells | None, *, least: float = 0.0
) -> tuple[float, float]:
    """Returns the correlation of ranks with the mean rank that the same source had before.

    With it the rows behind it, 0 for a correlation below `least`.
    """
    if source is None or b.ranks is None or old_b is None or old_b.ranks is None:
        return 0.0, 0.0
    means = np.bincount(source.before, old_b.ranks) / source.times
    ranks = b.ranks[source.known]
    figure = correlation(means[source.places], ranks)
    if abs(figure) < least:
        return figure, 0.0
    return figure, len(source.known) / _clustering(source.groups, source.sizes, ranks)


class Source(NamedTuple):
    """A column whose values another one may carry over from the version before.

    Args:
        before: Groups of rows of one value there, counted from 0.
        times: Rows of each.
        known: Rows of the later version whose value is one of them.
        places: Which one.
        groups: Groups of these rows in the later version.
        sizes: Rows of each.
    """

    before: Array
    times: Array
    known: Array
    places: Array
    groups: Array
    sizes: Array

    @classmethod
    def of(cls, now: ColumnCells, old: ColumnCells | None) -> Source | None:
        """Returns a column in two versions; None where they have too little in common."""
        if old is None or len(old.known) < 3:
            return None
        place = np.minimum(np.searchsorted(old.known, now.known), len(old.known) - 1)
        known = np.flatnonzero((old.known[place] == now.known)[now.dense])
        if len(known) < max(LEAST_ROWS, len(now.dense)) / 2:
            return None  # where most rows have nothing before them, the few that have are of a kind
        groups = now.dense[known]
        places = place[groups]
        return cls(old.dense, np.bincount(old.dense), known, places, groups, np.bincount(groups))


def _clustering(groups: Array, sizes: Array, ranks: Array) -> float:
    """Returns how many rows are worth one independent row, given that groups are of a kind.

    The design effect of cluster samples: 1 + (m - 1) r for groups of m that share r of the variance.
    """
    means = np.bincount(groups, ranks) / np.maximum(sizes, 1)
    whole = float(ranks.var())
    within = float(((ranks - means[groups]) ** 2).mean())
    shared = 1 - within / whole if whole > 0 else 0.0
    mean_size = float((sizes**2).sum()) / len(ranks)
    return 1 + (mean_size - 1) * max(shared, 0.0)


def paired(a: Array, b: Array) -> Array:
    """Returns one number for each pair of codes."""
    return _spread(a) + b


def _spread(codes: Array) -> Array:
    with np.errstate(over="ignore"):
        found: Array = codes * np.int64(-7046029254386353131)
    return found
