"""Faults told by the numbers that the baseline has nothing like, however few they are.

A distribution of thousands of rows hardly moves when twenty are multiplied by a thousand; those twenty
tell it themselves: divided again, they are values that the baseline has, or lie on its grid of
decimals. What is not here: what moves the whole distribution (`numeric_faults`). Called by `diagnosis`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dvtool.quality.drift.distributions import FloatArray, NumericDistribution, counted
from dvtool.quality.drift.faults import Fault

BY_CHANCE: Final = 1e-3
"""Chance that other values would look as if moved, above which nothing is said."""
_LEAST_VALUES: Final = 2
_MOST: Final = 0.9
_FINEST: Final = -9
_FACTORS: Final = tuple(10.0**power for power in range(1, 7))
_SPREAD: Final = 3 * 0.29
"""Three standard deviations of a rank drawn evenly between 0 and 1."""
_NEAR: Final = 0.5
"""Share of the baseline's range by which values beyond it are usual."""
_MANY: Final = 10
_ENOUGH: Final = 1_000
_UNMOVED: Final = 0.9
"""Scaled distance of Kolmogorov that two draws from one law exceed four times of ten."""
_UNSURE: Final = 0.999


def novel_fault(reference: NumericDistribution, current: NumericDistribution) -> Fault | None:
    """Returns that novel numbers are usual ones multiplied, divided or negated; None for no sign of it.

    Args:
        reference: The baseline's distribution, exact.
        current: The new version's, exact.
    """
    if reference.error or current.error or len(reference.values) < _LEAST_VALUES or not current.n:
        return None
    step = _step(reference)
    novel = _is_novel(reference, current.values, step)
    values, weights = current.values[novel], current.weights[novel]
    if len(values) < _LEAST_VALUES or float(weights.max()) > _MOST * float(weights.sum()):
        return None  # one value that stands for many is filled in
    far = _is_novel(reference, values, step, room=_NEAR)
    changes = [(factor, f"multiplied by {factor:g}") for factor in _FACTORS]
    changes += [(1 / factor, f"divided by {factor:g}") for factor in _FACTORS]
    best: tuple[float, Fault] | None = None
    for factor, words in [*changes, (-1.0, "the sign was flipped")]:
        chance, fitting = _chance(reference, (values, weights, far), factor, step)
        if factor < 0 and BY_CHANCE <= chance < 1 and len(values) >= _MANY:
            chance = 0.0 if _is_rest_unmoved(reference, current, novel) else chance
        if chance < BY_CHANCE and (best is None or chance < best[0]):
            share = fitting / current.n
            told = f"{words}, at least {share:.1%} of the rows"
            code = "sign-flip" if factor < 0 else "unit-change"
            figures = {"factor": factor, "values": len(values)}
            best = chance, Fault(code, told, told, share, figures)
    return best[1] if best else None


def _is_novel(
    reference: NumericDistribution, values: FloatArray, step: float | None, room: float = 0.0
) -> NDArray[np.bool_]:
    """Tells which values lie beyond the baseline's, by more than a share of their range, or off its step."""
    low, high = float(reference.values[0]), float(reference.values[-1])
    outside = (values < low - room * (high - low)) | (values > high + room * (high - low))
    return np.asarray(outside if step is None else outside | ~on_step(values, step))


def _chance(
    reference: NumericDistribution,
    novel: tuple[FloatArray, FloatArray, NDArray[np.bool_]],
    factor: float,
    step: float | None,
) -> tuple[float, float]:
    """Returns how likely other numbers would look as if multiplied, and the rows that do.

    The chance is 1 where these do not. Values just beyond the baseline's, as any new version has
    some, count where they fit and are not held against it.
    """
    values, weights, far = novel
    if factor < 0:
        far = far | (values < 0)  # a sign that no value had is no matter of distance
    origin = values / factor
    low, high = float(reference.values[0]), float(reference.values[-1])
    slack = _NEAR * (high - low) + 1e-9 * max(abs(low), abs(high))
    least = low - slack if low < 0 else max(low - slack, 0.0)
    fits = (origin >= least) & (origin <= high + slack)
    if step is not None:
        fits &= on_step(origin, step)
    rows = float(weights[fits].sum())
    count = int((fits & far).sum())
    if count < _LEAST_VALUES or float(weights[fits & far].sum()) < _MOST * weights[far].sum():
        return 1.0, rows
    if factor < 0 and not (low >= 0 and _are_usual(reference, origin[fits])):
        return 1.0, rows
    places = np.clip(np.searchsorted(reference.values, origin), 1, len(reference.values) - 1)
    near = np.minimum(
        np.abs(reference.values[places] - origin), np.abs(reference.values[places - 1] - origin)
    )
    seen = near <= 1e-9 * np.maximum(np.abs(origin), 1e-300)
    chances = [1.0 if factor > 0 else _UNSURE]
    if float(weights[seen & fits].sum()) >= _MOST * rows:
        # Of all numbers as finely written in the range, this share is one that the baseline has.
        fine = (step or 1e-9 * max(high - low, 1e-300)) / max(abs(factor), 1.0)
        chances.append(min(1.0, len(reference.values) * fine / max(high - low, fine)))
    if 0 < factor < 1 and low > 0 and bool((values[fits] < low).all()):
        chances.append(max(BY_CHANCE, high * factor / low))  # of all numbers below the smallest
    if step is not None and factor > 1:
        coarse = float(reference.weights[on_step(reference.values, step * factor)].sum())
        chances.append(max(1 / factor, coarse / reference.n))
    return float(min(chances) ** count), rows


def _is_rest_unmoved(
    reference: NumericDistribution, current: NumericDistribution, novel: NDArray[np.bool_]
) -> bool:
    """Tells whether the other values are as they were: noise would have moved them, too."""
    from dvtool.quality.drift.effects import ks

    rest = counted(current.values[~novel], current.weights[~novel])
    rows = min(reference.n, rest.n)
    return rows >= _ENOUGH and ks(reference, rest) <= _UNMOVED * math.sqrt(2 / rows)


def _are_usual(reference: NumericDistribution, values: FloatArray) -> bool:
    """Tells whether values are spread over the baseline's as its own are, not crowded at its low end."""
    zeros = float(reference.weights[reference.values == 0].sum()) / reference.n  # have no sign
    ranks = (reference.share_at_most(values) - zeros) / max(1 - zeros, 1e-9)
    return abs(float(ranks.mean()) - 0.5) <= _SPREAD / math.sqrt(len(ranks)) and ranks.max() > 0.5


def _step(distribution: NumericDistribution) -> float | None:
    """Returns the coarsest decimal step on which nearly all values stand; None for no such step."""
    for power in range(6, _FINEST - 1, -1):
        step = 10.0**power
        hit = on_step(distribution.values, step)
        if distribution.weights[hit].sum() >= 0.99 * distribution.n:
            return step
    return None


def on_step(values: FloatArray, step: float) -> NDArray[np.bool_]:
    """Tells which values are whole multiples of a step, as far as floats can."""
    ratio = values / step
    return np.asarray(np.abs(ratio - np.round(ratio)) <= 1e-9 * np.maximum(1, np.abs(ratio)))
