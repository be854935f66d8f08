"""Values of a drift comparison: the effect, its interval, and the decision that follows.

Light on purpose, so that reports can read them without numpy. What is not here: how effects and
intervals are computed (`effects`, `intervals`) and what is compared with what (`compare`). Made
by `compare`, read by `wording`, reports and the cache.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field, replace
from typing import Any, Final

LEAST_ROWS: Final = 30
"""Fewest rows with a value on either side that allow a decision; below it all is undecided."""
LEAST_BLOCKS: Final = 8
"""Fewest blocks on either side that allow a decision where rows come in blocks."""


class Decision(enum.Enum):
    """What an interval says about a threshold, from best to worst."""

    PASS = "pass"  # noqa: S105 - a verdict
    UNDECIDED = "undecided"
    FAIL = "fail"


def decide(low: float, high: float, threshold: float) -> Decision:
    """Returns fail when the whole interval lies above the threshold, pass when below it.

    A threshold inside the interval, or an interval that is not a number, is undecided.
    """
    if low > threshold:
        return Decision.FAIL
    if high < threshold:
        return Decision.PASS
    return Decision.UNDECIDED


@dataclass(frozen=True, slots=True)
class Effect:
    """How far two versions of a column lie apart, by one method.

    Args:
        method: Name from `methods.METHODS`.
        value: The method's figure computed from the two samples; NaN when there is none.
        low: Lower end of the interval for the figure of the two populations.
        high: Upper end. `value` may lie above it: PSI and its like are biased upwards in samples.
        threshold: The largest figure that is allowed.
        level: Probability that the interval misses the truth, after correction for many columns.
        p_value: Of "no difference", assuming independent rows; never decides. None where the
            method has none, rows come in blocks, or the numbers come from a sketch.
        decides: False for the alternative that is only shown.
        reason: Why no decision is possible, empty when one is.
        detail: Further numbers: JSON values only, no value of the column.
        is_experimental: Whether the figure comes from a model that is still on trial.
    """

    method: str
    value: float
    low: float
    high: float
    threshold: float
    level: float = 0.05
    p_value: float | None = None
    decides: bool = True
    reason: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    is_experimental: bool = False

    @property
    def decision(self) -> Decision:
        """Returns what the interval says; undecided whenever there is a reason not to decide."""
        if self.reason:
            return Decision.UNDECIDED
        return decide(self.low, self.high, self.threshold)

    def advisory(self) -> Effect:
        """Returns the same effect as one that is only shown."""
        return replace(self, decides=False)

    def figures(self) -> dict[str, Any]:
        """Returns the numbers as JSON values; what is not finite becomes None."""
        numbers = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "allowed": self.threshold,
            "interval": 1 - self.level,
        }
        shown: dict[str, Any] = {"method": self.method}
        shown |= {key: _number(number) for key, number in numbers.items()}
        if self.p_value is not None:
            shown["p_value_assuming_independent_rows"] = _number(self.p_value)
        shown["decision"] = self.decision.value
        shown["decides"] = self.decides
        shown["experimental"] = self.is_experimental
        return shown | self.detail


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """All effects of one column.

    Args:
        column: Its name; empty when it was compared alone.
        role: `covariate`, or `prior-probability` for the label or prediction.
        effects: Deciding ones first.
        rows: Rows with a value in reference and current.
        nulls: Rows without one, in the same order.
    """

    column: str
    effects: tuple[Effect, ...]
    rows: tuple[int, int]
    nulls: tuple[int, int]
    role: str = "covariate"

    @property
    def decision(self) -> Decision:
        """Returns the worst decision of the effects that decide; pass when there is none."""
        found = {effect.decision for effect in self.effects if effect.decides}
        for worst in (Decision.FAIL, Decision.UNDECIDED):
            if worst in found:
                return worst
        return Decision.PASS

    @property
    def leading(self) -> Effect | None:
        """Returns the first effect that decides the column's decision, None without effects."""
        for effect in self.effects:
            if effect.decides and effect.decision is self.decision:
                return effect
        return None

    def effect(self, method: str) -> Effect:
        """Returns the effect by that method.

        Raises:
            KeyError: The method was not computed.
        """
        for effect in self.effects:
            if effect.method == method:
                return effect
        raise KeyError(method)


def _number(number: float) -> float | None:
    return number if math.isfinite(number) else None
