"""What the decisions are worth: how often they alarm with and without a drift of known size.

Simulates columns and counts decisions; nothing here judges data. Called by the documentation's
tables and the calibration tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from dvtool.quality.drift.compare import Comparison, compare_table
from dvtool.quality.drift.decisions import Decision
from dvtool.quality.drift.distributions import FloatArray, numeric

Sampler: TypeAlias = Callable[[np.random.Generator, int, float], FloatArray]


@dataclass(frozen=True, slots=True)
class PowerPoint:
    """Decisions at one size of drift.

    Args:
        shift: Size of the drift, in the sampler's unit.
        rows: Rows on either side.
        trials: Simulated pairs.
        failed: Pairs that were called drift.
        undecided: Pairs without a decision.
    """

    shift: float
    rows: int
    trials: int
    failed: int
    undecided: int


def normal_shift(generator: np.random.Generator, rows: int, shift: float) -> FloatArray:
    """Returns normal values with mean `shift` in standard deviations, shape (rows,)."""
    return generator.normal(shift, 1.0, rows)


def power_curve(
    shifts: Sequence[float],
    *,
    rows: int,
    trials: int,
    seed: int,
    method: str = "wasserstein",
    threshold: float = 0.1,
    columns: int = 1,
    sample: Sampler = normal_shift,
) -> list[PowerPoint]:
    """Returns how often a table whose first column drifts is called drifted, for each size.

    Args:
        shifts: Sizes of drift; 0 gives the false-alarm rate.
        rows: Rows on either side.
        trials: Simulated pairs for each size.
        seed: Of the generator; the same seed gives the same table.
        method: Deciding method.
        threshold: Its threshold.
        columns: Columns compared together; only the first one drifts.
        sample: Draws a column: generator, rows, size of drift.
    """
    generator = np.random.default_rng(seed)
    points = []
    for shift in shifts:
        answers: Counter[Decision] = Counter()
        for _ in range(trials):
            pairs = {
                str(place): Comparison(
                    numeric(sample(generator, rows, 0.0)),
                    numeric(sample(generator, rows, shift if place == 0 else 0.0)),
                    {method: threshold},
                )
                for place in range(columns)
            }
            found = {one.decision for one in compare_table(pairs, alternatives=False)}
            answers[_worst(found)] += 1
        points.append(
            PowerPoint(shift, rows, trials, answers[Decision.FAIL], answers[Decision.UNDECIDED])
        )
    return points


def _worst(found: set[Decision]) -> Decision:
    for decision in (Decision.FAIL, Decision.UNDECIDED):
        if decision in found:
            return decision
    return Decision.PASS
