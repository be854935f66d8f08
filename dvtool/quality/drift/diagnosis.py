"""The likely fault behind a drift, in words.

Here the rules are asked and the answer that explains most rows is kept. What is not here: the
rules (`numeric_faults`, `text_faults`). Asked by whoever reports a failing column; an answer is a
guess and never changes a verdict.
"""

from __future__ import annotations

import numpy as np

from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    Distribution,
    NumericDistribution,
    as_categories,
)
from dvtool.quality.drift.faults import Fault, clearly_more
from dvtool.quality.drift.numeric_faults import numeric_faults
from dvtool.quality.drift.text_faults import text_faults


def likely_fault(
    reference: Distribution, current: Distribution, *, moment: bool = False
) -> Fault | None:
    """Returns the fault that explains best how `current` differs, None when no rule fits.

    Args:
        reference: The baseline's distribution.
        current: The new version's. A numeric column that became text is compared as text.
        moment: Whether the numbers are seconds since 1970, so that shifts in time are told.
    """
    if not reference.rows or not current.rows:
        return None
    found: list[Fault]
    if isinstance(reference, NumericDistribution) and isinstance(current, NumericDistribution):
        with np.errstate(all="ignore"):  # numbers near the largest float overflow to infinity
            found = numeric_faults(reference, current, moment=moment)
    else:
        found = text_faults(_text(reference), _text(current))
    found += [fault for fault in (_null_fill(reference, current),) if fault]
    return max(found, key=lambda fault: fault.share, default=None)


def _text(distribution: Distribution) -> CategoricalDistribution:
    if isinstance(distribution, NumericDistribution):
        return as_categories(distribution)
    return distribution


def _null_fill(reference: Distribution, current: Distribution) -> Fault | None:
    before, after = reference.nulls / reference.rows, current.nulls / current.rows
    gained = after - before
    if not clearly_more(before, reference.rows, after, current.rows):
        return None
    words = f"values became missing: {before:.1%} to {after:.1%} of the rows"
    return Fault("null-spike", words, words, gained)
