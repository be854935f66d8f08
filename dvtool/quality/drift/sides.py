"""Two versions of one column, ready to be measured by any method at any level.

What is costly (counts, resampling) is done once and kept, since the correction for many columns
asks again at other levels. What is not here: which methods are asked (`compare`), and the
formulas (`effects`, `intervals`). Called by `compare` only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from dvtool.quality.drift import effects, intervals, resampling
from dvtool.quality.drift.decisions import LEAST_BLOCKS, LEAST_ROWS, Effect
from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    Distribution,
    FloatArray,
    NumericDistribution,
    as_categories,
)
from dvtool.quality.drift.methods import CATEGORICAL, NUMERIC, psi_band
from dvtool.quality.drift.resampling import Blocks
from dvtool.quality.drift.tails import far_area, far_distance, tails

FAR_SHARE = 0.1
"""Part of the level of a Wasserstein interval that is spent on rows far beyond the range."""
FEW_DISTINCT = 20
"""A numeric column with at most so many distinct values is compared as categories."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its interval, before any threshold. NaN throughout when it is not defined."""

    value: float
    ends: intervals.Interval
    detail: dict[str, Any] = field(default_factory=dict)
    p_value: float | None = None


_OF_NUMBERS = ("ks", "wasserstein", "wasserstein_iqr", "tails", "far_tails")
_UNDEFINED = Measured(math.nan, (math.nan, math.nan))


class Sides:
    """Reference and current version of one column.

    Args:
        reference: What the thresholds allow to move away from.
        current: Of the same type.
        blocks: The same rows cut into blocks; None where rows are independent.
    """

    def __init__(
        self, reference: Distribution, current: Distribution, blocks: Blocks | None = None
    ) -> None:
        if isinstance(reference, NumericDistribution) != isinstance(current, NumericDistribution):
            raise TypeError("one side is numeric and the other categorical")
        self.reference = reference
        self.current = current
        self.blocks = blocks

    @property
    def kind(self) -> str:
        """Returns how the column is compared by default: `numeric` or `categorical`."""
        return CATEGORICAL if self.as_categories else NUMERIC

    @property
    def has_range(self) -> bool:
        """Tells whether the reference are numbers of which some differ."""
        return isinstance(self.reference, NumericDistribution) and len(self.reference.values) > 1

    @cached_property
    def as_categories(self) -> tuple[CategoricalDistribution, CategoricalDistribution] | None:
        """Both sides as categories; None for numbers with more than a few distinct values."""
        if isinstance(self.reference, CategoricalDistribution):
            assert isinstance(self.current, CategoricalDistribution)
            return self.reference, self.current
        assert isinstance(self.current, NumericDistribution)
        few = self.reference.distinct is not None and self.reference.distinct <= FEW_DISTINCT
        exact = self.reference.error == 0 and self.current.error == 0
        if not (few and exact and self.reference.n):
            return None
        return as_categories(self.reference), as_categories(self.current)

    def effect(self, method: str, threshold: float, level: float) -> Effect:
        """Returns one effect; it carries a reason where no decision is possible.

        Args:
            method: Name from `methods.METHODS`.
            threshold: Largest figure that is allowed.
            level: Probability that the interval misses.
        """
        reason = self._reason(method)
        found = _UNDEFINED
        if self._measurable(method):
            with np.errstate(all="ignore"):  # numbers near the largest float overflow to infinity
                found = self._measures[method](level)
        if not math.isfinite(found.value):
            reason = reason or "the baseline does not vary, or its numbers are too large"
        low, high = found.ends
        return Effect(
            method,
            found.value,
            low,
            high,
            threshold,
            level=level,
            p_value=None if self.blocks else found.p_value,
            reason=reason,
            detail=found.detail,
        )

    @property
    def _measures(self) -> dict[str, Callable[[float], Measured]]:
        return {
            "psi": self._psi,
            "js_distance_base2": self._js,
            "cramers_v": self._cramers_v,
            "tvd": self._tvd,
            "ks": self._ks,
            "wasserstein": self._wasserstein,
            "wasserstein_iqr": self._wasserstein_iqr,
            "tails": self._tails,
            "far_tails": self._far_tails,
        }

    def _measurable(self, method: str) -> bool:
        if method == "psi":
            return bool(self.reference.rows and self.current.rows)
        defined = method in ("js_distance_base2", "cramers_v", "tvd") or self._is_numeric
        return bool(defined and self.reference.n and self.current.n)

    @property
    def _is_numeric(self) -> bool:
        return isinstance(self.reference, NumericDistribution)

    def _reason(self, method: str) -> str:
        """Returns why no decision is possible, empty when one is."""
        counts = {"baseline": self.reference.n, "new version": self.current.n}
        if method == "psi":  # missing is a bin of its own
            counts = {"baseline": self.reference.rows, "new version": self.current.rows}
        elif not self._is_numeric and method in _OF_NUMBERS:
            return "not defined for categories"
        for side, rows in counts.items():
            if rows == 0:
                return f"no values in the {side}"
        for side, rows in counts.items():
            if rows < LEAST_ROWS:
                return f"{rows} rows in the {side}, at least {LEAST_ROWS} needed"
        if self.blocks and self.blocks.fewest < LEAST_BLOCKS:
            return f"{self.blocks.fewest} blocks, at least {LEAST_BLOCKS} needed"
        return ""

    # -- figures that are sums over bins

    @cached_property
    def _psi_counts(self) -> tuple[FloatArray, FloatArray]:
        return effects.psi_counts(*(self.as_categories or (self.reference, self.current)))

    @cached_property
    def _levels(self) -> tuple[FloatArray, FloatArray]:
        """Categories with rare ones merged; deciles for numbers with many distinct values."""
        if self.as_categories:
            return effects.merge_rare(*effects.aligned(*self.as_categories))
        assert isinstance(self.reference, NumericDistribution)
        assert isinstance(self.current, NumericDistribution)
        edges = effects.psi_edges(self.reference)
        return self.reference.counts_between(edges), self.current.counts_between(edges)

    @cached_property
    def _effective(self) -> tuple[float, float] | None:
        """Effective rows of both sides; None where rows are independent."""
        both = self.reference.n and self.current.n
        if not self.blocks or self.blocks.fewest < 2 or not both:
            return None
        found = []
        for stream, side in enumerate((self.blocks.reference, self.blocks.current)):
            counts = np.stack([self._block_counts(block) for block in side])
            moved = resampling.block_deviations(counts, stream=stream)
            found.append(resampling.effective_rows(counts.sum(axis=0), moved))
        return found[0], found[1]

    def _block_counts(self, block: Distribution) -> FloatArray:
        """Returns the rows of one block by bin: the reference's deciles, or its categories."""
        if isinstance(block, NumericDistribution) and not self.as_categories:
            assert isinstance(self.reference, NumericDistribution)
            return block.counts_between(effects.psi_edges(self.reference))
        assert self.as_categories
        if isinstance(block, NumericDistribution):
            block = as_categories(block)
        before, after = self.as_categories
        names = effects.levels_of(before.counts, after.counts)
        counts = [float(block.counts.get(name, 0)) for name in names]
        return np.asarray([*counts, float(block.other)])

    def _psi(self, level: float) -> Measured:
        a, b = effects.occupied(*self._psi_counts)
        value, bins = effects.psi(a, b), len(a)
        n, m = int(a.sum()), int(b.sum())
        bias = effects.psi_bias(bins, n, m)
        detail = {
            "bins": bins,
            "corrected": value - bias,
            "null_95": effects.psi_null(bins, n, m),
            "band": psi_band(value),
        }
        ends = intervals.psi_interval(
            a, b, level=level, effective=self._effective, error=self._errors
        )
        exact = sum(self._errors) == 0
        p_value = effects.chi_square_p_value(value / (1 / n + 1 / m), bins) if exact else None
        return Measured(value, ends, detail, p_value)

    def _js(self, level: float) -> Measured:
        value = effects.js_distance_base2(*self._levels)
        ends = intervals.js_interval(*self._levels, level=level, effective=self._effective)
        return Measured(value, ends, {"levels": len(self._levels[0])})

    def _cramers_v(self, level: float) -> Measured:
        a, b = self._levels
        statistic = effects.chi_square(a, b)
        detail = {
            "levels": len(a),
            "chi_square": statistic,
            "corrected": effects.cramers_v_corrected(a, b),
        }
        ends = intervals.cramers_v_interval(a, b, level=level, effective=self._effective)
        p_value = effects.chi_square_p_value(statistic, len(a))
        return Measured(effects.cramers_v(a, b), ends, detail, p_value)

    def _tvd(self, level: float) -> Measured:
        a, b = self._levels
        norms = self._norms_of_levels
        value = effects.total_variation(a, b)
        ends = intervals.total_variation_interval(
            value, (a, b), norms, level, effective=self._effective
        )
        return Measured(value, ends, {"levels": len(a)})

    @cached_property
    def _norms_of_levels(self) -> FloatArray:
        a, b = self._levels
        moved = resampling.row_deviations(b, stream=1) - resampling.row_deviations(a, stream=0)
        norms = np.abs(moved).sum(axis=1) / 2
        if self._effective:  # the spread grows as the effective rows shrink
            most = max(a.sum() / self._effective[0], b.sum() / self._effective[1])
            norms = norms * math.sqrt(most)
        return np.asarray(norms)

    # -- figures from distribution functions

    @property
    def _numbers(self) -> tuple[NumericDistribution, NumericDistribution]:
        assert isinstance(self.reference, NumericDistribution)
        assert isinstance(self.current, NumericDistribution)
        return self.reference, self.current

    @property
    def _errors(self) -> tuple[float, float]:
        return getattr(self.reference, "error", 0.0), getattr(self.current, "error", 0.0)

    @cached_property
    def _deviations(self) -> tuple[FloatArray, FloatArray]:
        """Points, and how the difference of the distribution functions deviates at each."""
        points = intervals.grid_of(*self._numbers)
        moved = []
        for stream, side in enumerate(self._numbers):
            if self.blocks and self.blocks.fewest > 1:
                parts = (self.blocks.reference, self.blocks.current)[stream]
                counts = np.stack([_binned(block, points) for block in parts])
                moved.append(resampling.block_deviations(counts, stream=stream))
            else:
                moved.append(resampling.row_deviations(_binned(side, points), stream=stream))
        return points, np.cumsum(moved[1] - moved[0], axis=1)

    @cached_property
    def _areas(self) -> FloatArray:
        points, moved = self._deviations
        return np.asarray(np.abs(moved[:, :-1]) @ np.diff(points))

    def _ks(self, level: float) -> Measured:
        reference, current = self._numbers
        value, slack = effects.ks(reference, current), sum(self._errors)
        if self.blocks:
            norms = np.abs(self._deviations[1]).max(axis=1)
            ends = intervals.norm_interval(value, norms, level, slack=slack)
        else:
            ends = intervals.ks_interval(value, reference.n, current.n, level=level, error=slack)
        p_value = None if slack else effects.ks_p_value(value, reference.n, current.n)
        return Measured(value, ends, p_value=p_value)

    def _wasserstein(self, level: float) -> Measured:
        return self._scaled_area(self._numbers[0].std, level)

    def _wasserstein_iqr(self, level: float) -> Measured:
        return self._scaled_area(effects.iqr(self._numbers[0]), level)

    def _scaled_area(self, scale: float, level: float) -> Measured:
        if not scale > 0:
            return _UNDEFINED
        area = effects.wasserstein(*self._numbers)
        points = self._deviations[0]
        slack = sum(self._errors) * float(points[-1] - points[0])
        by_rows = (1 - FAR_SHARE) * level
        low, high = intervals.norm_interval(area, self._areas, by_rows, slack=slack)
        low = max(low, self._far_area(FAR_SHARE * level))
        return Measured(area / scale, (low / scale, high / scale))

    def _tails(self, level: float) -> Measured:
        found = tails(*self._numbers, level=level, effective=self._effective)
        detail = {
            "below_range": found.below_range,
            "above_range": found.above_range,
            "beyond": found.beyond,
            "expected": found.expected,
        }
        return Measured(found.excess, (found.low, found.high), detail)

    def _far_tails(self, level: float) -> Measured:
        scale = self._numbers[0].std
        if not scale > 0:
            return _UNDEFINED
        found, high = far_distance(*self._numbers, level=level / 2, effective=self._effective)
        low = min(self._far_area(level / 2), found)
        return Measured(found / scale, (low / scale, high / scale))

    def _far_area(self, level: float) -> float:
        return far_area(*self._numbers, level=level, effective=self._effective)


def _binned(side: Distribution, points: FloatArray) -> FloatArray:
    """Returns the rows in the cells that end at each point; the last cell holds the rest."""
    assert isinstance(side, NumericDistribution)
    return side.counts_between(points[:-1]) if len(points) > 1 else np.asarray([float(side.n)])
