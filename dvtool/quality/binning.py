"""Drift of many parts of a table at once, from how many of their rows fall into fixed bins.

Here a column's bins are laid through both versions, as SQL, and the effects of `drift` are computed
from counts, for thousands of parts in one go; what is finer than a bin is not seen. Effects that
decide come from `drift` itself. Called by `drift_causes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dvtool.quality.drift.compare import Comparison
from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    FloatArray,
    NumericDistribution,
)
from dvtool.quality.drift.effects import LEAST_EXPECTED, aligned, iqr, levels_of, psi_edges
from dvtool.quality.drift.methods import METHODS, NUMERIC
from dvtool.quality.drift.sides import Sides
from dvtool.quality.drift.tails import TAIL
from dvtool.quality.measuring import value_of
from dvtool.quality.slices import luck_of_counts
from dvtool.quality.tables.engine import literal
from dvtool.quality.tables.table import Column

STEPS: Final = 64
"""Quantiles of either version that become edges of a numeric column."""
_OUTER: Final = (0.0005, 0.001, 0.002, 0.004, 0.008)
"""Further ones, where values lie far apart."""
MOST_LEVELS: Final = 60
"""Categories with a bin of their own; the others share one."""
_COARSE: Final = 12
"""Categories told apart where only chance is asked about."""


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of one column; missing values are the last one.

    Attributes:
        sql: A row's bin, from 0, over the typed view.
        reference: The baseline's rows in each, shape (count,).
        groups: What PSI takes together: a number for each bin.
        coarse: Likewise for the question whether chance makes a part like this.
        edges: Where the bins of numbers end, ascending, shape (count - 2,); empty for categories.
        scale: Standard deviation of the baseline.
        iqr: Its interquartile range.
        is_exact: Whether every value that occurs is an edge.
        beyond: 1 for bins beyond the baseline's outermost thousandths.
        expected: Share of rows that are there without drift.
        far: How far the middle of each bin lies beyond the baseline's range, 0 within.
    """

    sql: str
    reference: FloatArray
    groups: Sequence[int]
    coarse: Sequence[int]
    edges: FloatArray
    scale: float = math.nan
    iqr: float = math.nan
    is_exact: bool = False
    beyond: FloatArray | None = None
    expected: float = 0.0
    far: FloatArray | None = None

    @property
    def count(self) -> int:
        """Returns how many bins there are."""
        return len(self.reference)

    def effect(self, method: str, counts: FloatArray) -> FloatArray:
        """Returns how far parts lie from the baseline, less what chance alone gives.

        Args:
            method: Name from `drift.methods.METHODS`.
            counts: Rows by bin, shape (parts, count); NaN comes out for a part without values.

        Raises:
            KeyError: The method cannot be told from these bins.
        """
        compute: dict[str, Callable[[FloatArray], FloatArray]] = {
            "psi": self._psi,
            "js_distance_base2": self._js,
            "cramers_v": self._cramers_v,
            "tvd": self._tvd,
        }
        if len(self.edges):
            compute |= {"wasserstein": self._wasserstein, "ks": self._ks}
            compute["wasserstein_iqr"] = lambda some: (
                self._wasserstein(some) * self.scale / self.iqr
            )
            compute |= {"tails": self._tails, "far_tails": self._far_tails}
        with np.errstate(all="ignore"):
            return compute[method](counts)

    def luck(self, sums: FloatArray, whole: FloatArray) -> FloatArray:
        """Returns logarithms of how likely chance makes such parts of the whole.

        Args:
            sums: Rows, then rows by bin, shape (parts, 1 + count).
            whole: The same of the table, shape (1 + count,).
        """
        both = _together(np.vstack([whole, sums])[:, 1:], self.coarse)
        both = np.column_stack([both.sum(axis=1), both])
        return luck_of_counts(both[1:], both[0])

    def _psi(self, counts: FloatArray) -> FloatArray:
        a = _together(self.reference[None, :], self.groups)
        b = _together(counts, self.groups)
        used = (a > 0) | (b > 0)
        n, m, bins = a.sum(), b.sum(axis=1), used.sum(axis=1)
        p = (a + 0.5) / (n + bins / 2)[:, None]
        q = (b + 0.5) / (m + bins / 2)[:, None]
        found = np.where(used, (q - p) * np.log(q / p), 0.0).sum(axis=1)
        return np.asarray(np.where(m > 0, found - (bins - 1) * (1 / n + 1 / m), np.nan))

    def _levels(self, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Returns both sides without the bin of missing values."""
        groups = self.groups[:-1]
        return _together(self.reference[None, :-1], groups), _together(counts[:, :-1], groups)

    def _js(self, counts: FloatArray) -> FloatArray:
        a, b = self._levels(counts)
        n, m = a.sum(), b.sum(axis=1)
        p, q = a / n, b / m[:, None]
        middle = (p + q) / 2
        nats = (_entropy(p, middle) + _entropy(q, middle)) / 2
        bins = ((a > 0) | (b > 0)).sum(axis=1)
        nats = nats - (bins - 1) * (1 / n + 1 / m) / 8
        return np.asarray(np.sqrt(np.maximum(nats, 0.0) / math.log(2)))

    def _cramers_v(self, counts: FloatArray) -> FloatArray:
        a, b = self._levels(counts)
        n, m = a.sum(), b.sum(axis=1)
        pooled = (a + b) / (n + m)[:, None]
        apart = (a / n - b / m[:, None]) ** 2
        each = np.where(pooled > 0, apart / pooled, 0.0).sum(axis=1)
        phi2 = n * m / (n + m) ** 2 * each
        bins = (pooled > 0).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(phi2 - (bins - 1) / (n + m - 1), 0.0)))

    def _tvd(self, counts: FloatArray) -> FloatArray:
        a, b = self._levels(counts)
        return np.asarray(np.abs(a / a.sum() - b / b.sum(axis=1)[:, None]).sum(axis=1) / 2)

    def _apart(self, counts: FloatArray) -> FloatArray:
        """Returns how far the distribution functions lie apart at each edge, shape (parts, edges)."""
        sides = []
        for one in (self.reference[None, :-1], counts[:, :-1]):
            sides.append(np.cumsum(one, axis=1)[:, :-1] / one.sum(axis=1)[:, None])
        return np.asarray(np.abs(sides[1] - sides[0]))

    def _wasserstein(self, counts: FloatArray) -> FloatArray:
        apart = self._apart(counts)
        height = apart[:, :-1] if self.is_exact else (apart[:, :-1] + apart[:, 1:]) / 2
        return np.asarray(height @ np.diff(self.edges) / self.scale)

    def _ks(self, counts: FloatArray) -> FloatArray:
        return np.asarray(self._apart(counts).max(axis=1))

    def _tails(self, counts: FloatArray) -> FloatArray:
        assert self.beyond is not None
        values = counts[:, :-1]
        return np.asarray(values @ self.beyond[:-1] / values.sum(axis=1) - self.expected)

    def _far_tails(self, counts: FloatArray) -> FloatArray:
        assert self.far is not None
        values = counts[:, :-1]
        return np.asarray(values @ self.far[:-1] / values.sum(axis=1) / self.scale)


def binned(pair: Comparison, column: Column, method: str) -> Bins | None:
    """Returns the bins in which a method's effect on a column can be told; None for none.

    Args:
        pair: Both versions of the column.
        column: As it is in the table.
        method: Name from `drift.methods.METHODS`.
    """
    sides = Sides(pair.reference, pair.current)
    if sides.as_categories and METHODS[method].kinds != (NUMERIC,):
        return _categories(*sides.as_categories, column)
    if isinstance(pair.reference, NumericDistribution):
        assert isinstance(pair.current, NumericDistribution)
        return _numbers(pair.reference, pair.current, column)
    return None


def _numbers(
    reference: NumericDistribution, current: NumericDistribution, column: Column
) -> Bins | None:
    if not reference.n or not current.n:
        return None
    steps = np.concatenate([np.linspace(0, 1, STEPS + 1), _OUTER, np.subtract(1, _OUTER)])
    cut = max(1, math.floor(TAIL * reference.n))
    low, high = reference.quantiles([cut / reference.n, 1 - (cut - 1) / reference.n])
    below = float(np.nextafter(low, -math.inf))
    deciles = psi_edges(reference)
    values = np.union1d(reference.values, current.values)
    is_exact = len(values) <= 2 * STEPS
    if not is_exact:
        values = np.concatenate([side.quantiles(steps) for side in (reference, current)])
        ends = [side.values[at] for side in (reference, current) for at in (0, -1)]
        values = np.concatenate([values, ends])
    edges = np.unique(np.concatenate([values, deciles, [below, high]]))
    uppers = [*edges.tolist(), math.inf]  # of each bin but that of missing values
    groups = np.searchsorted(deciles, uppers, side="left").tolist()
    sides = [-1 if upper <= below else int(upper > high) for upper in uppers]
    value = value_of(column)
    tree = _tree([float(one) for one in edges], value, 0, len(edges))
    return Bins(
        sql=f"(CASE WHEN isfinite({value}) THEN {tree} ELSE {len(edges) + 1} END)",
        reference=np.append(reference.counts_between(edges), float(reference.nulls)),
        groups=[*groups, len(deciles) + 1],
        coarse=[*(3 * group + side for group, side in zip(groups, sides, strict=True)), -9],
        edges=edges,
        scale=reference.std,
        iqr=iqr(reference),
        is_exact=is_exact,
        beyond=np.asarray([*(float(side != 0) for side in sides), 0.0]),
        expected=2 * cut / (reference.n + 1),
        far=np.append(_far(edges, reference, is_exact=is_exact), 0.0),
    )


def _far(edges: FloatArray, reference: NumericDistribution, *, is_exact: bool) -> FloatArray:
    """Returns how far each bin but that of missing values lies beyond the range, shape (edges + 1,)."""
    uppers = np.append(edges, edges[-1])
    lowers = uppers if is_exact else np.concatenate([edges[:1], edges[:-1], edges[-1:]])
    middles = (lowers + uppers) / 2
    low, high = reference.values[0], reference.values[-1]
    return np.asarray(np.maximum(middles - high, 0) + np.maximum(low - middles, 0))


def _tree(edges: Sequence[float], value: str, low: int, high: int) -> str:
    """Returns SQL that counts the edges below a value, by as few comparisons as it takes."""
    if low == high:
        return str(low)
    middle = (low + high) // 2
    left, right = _tree(edges, value, low, middle), _tree(edges, value, middle + 1, high)
    edge = f"CAST('{edges[middle]!r}' AS DOUBLE)"
    return f"CASE WHEN {value} <= {edge} THEN {left} ELSE {right} END"


def _categories(
    reference: CategoricalDistribution, current: CategoricalDistribution, column: Column
) -> Bins | None:
    if not reference.n or not current.n:
        return None
    names = levels_of(reference.counts, current.counts)
    before, after = aligned(reference, current)
    smaller = min(before.sum(), after.sum())
    expected = (before + after) * smaller / (before.sum() + after.sum())
    common = [at for at in range(len(names)) if expected[at] >= LEAST_EXPECTED]
    known = sorted(common, key=lambda at: (-expected[at], names[at]))[:MOST_LEVELS]
    size = len(known)
    own = [names[at] for at in known]
    counted = [float(before[at]) for at in known]
    value = value_of(column)
    listed = own if column.kind.is_number else [literal(one) for one in own]
    place = f"coalesce(nullif(list_position([{', '.join(listed)}], {value}), 0), {size + 1}) - 1"
    if not own:
        place = "0"
    coarse = [min(at, _COARSE) for at in range(size)]
    return Bins(
        sql=f"(CASE WHEN {value} IS NULL THEN {size + 1} ELSE {place} END)",
        reference=np.asarray([*counted, before.sum() - sum(counted), float(reference.nulls)]),
        groups=range(size + 2),
        coarse=[*coarse, _COARSE + 1, _COARSE + 2],
        edges=np.empty(0),
    )


def _together(counts: FloatArray, groups: Sequence[int]) -> FloatArray:
    """Returns the counts of bins that are one group summed, shape (parts, groups)."""
    names = sorted(set(groups))
    matrix = np.asarray([[float(one == name) for name in names] for one in groups])
    return np.asarray(counts @ matrix)


def _entropy(p: FloatArray, q: FloatArray) -> FloatArray:
    return np.asarray(np.where((p > 0) & (q > 0), p * np.log(p / q), 0.0).sum(axis=1))
