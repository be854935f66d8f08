"""Experimental: whether a model can tell the two versions apart, and by which columns.

The classifier two-sample test: out-of-fold area under the ROC curve (AUC) of a small model that
guesses the version of a row. What is not here: single columns without a model (`compare`). Called
where a table's checks ask for it; needs the extra `ml`.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy import special

from dvtool.quality.drift.decisions import LEAST_ROWS, Effect
from dvtool.quality.drift.distributions import FloatArray
from dvtool.quality.drift.learners import (
    Columns,
    Features,
    classifier,
    features_of,
    folds,
    single_threaded,
    thinned,
)

METHOD = "classifier_auc"
THRESHOLD = 0.6
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class TwoSample:
    """Answer of the classifier two-sample test.

    Args:
        effect: AUC with its interval; 0.5 means that the versions look alike.
        separating: Columns that separate the versions on their own, with their AUC, best first.
        used: Columns that the model saw.
        excluded: Columns left out, with the reason.
    """

    effect: Effect
    separating: tuple[tuple[str, float], ...]
    used: tuple[str, ...]
    excluded: dict[str, str]


def classifier_two_sample(
    reference: Columns,
    current: Columns,
    *,
    exclude: Collection[str] = (),
    threshold: float = THRESHOLD,
    level: float = 0.05,
) -> TwoSample:
    """Returns how well a small model tells the rows of two versions apart.

    Args:
        reference: Columns by name, in file order, shape (n,) each.
        current: Likewise, shape (m,).
        exclude: Key, time and group columns. Others that would give it away are found.
        threshold: Largest AUC that is allowed.
        level: Probability that the interval misses.

    Raises:
        ExtraMissing: scikit-learn is not installed.
    """
    seen = features_of(thinned(reference), thinned(current), exclude=exclude)
    n, m = len(seen.reference), len(seen.current)
    if not seen.names or min(n, m) < LEAST_ROWS:
        classifier([])  # a missing package is said first
        reason = "no column left to look at" if not seen.names else f"{min(n, m)} rows are too few"
        nan = math.nan
        effect = Effect(
            METHOD, nan, nan, nan, threshold, level=level, reason=reason, is_experimental=True
        )
        return TwoSample(effect, (), seen.names, seen.excluded)
    classifier([])  # a missing package is said first
    value = auc(*version_scores(seen, list(range(len(seen.names)))))
    low, high = auc_interval(value, n, m, level=level)
    null = null_sd(n, m)
    p_value = float(special.ndtr(-(value - 0.5) / null))
    detail = {"null_sd": null, "rows": [n, m], "excluded": dict(seen.excluded)}
    effect = Effect(
        METHOD,
        value,
        low,
        high,
        threshold,
        level,
        p_value,
        detail=detail,
        is_experimental=True,
    )
    separating: list[tuple[str, float]] = []
    if low > 0.5:
        single = {
            name: auc(*version_scores(seen, [place])) for place, name in enumerate(seen.names)
        }
        best = sorted(single.items(), key=lambda item: -item[1])[:MOST_NAMED]
        bar = level / len(single)
        separating = [one for one in best if auc_interval(one[1], n, m, level=bar)[0] > 0.5]
    return TwoSample(effect, tuple(separating), seen.names, seen.excluded)


def auc(before: FloatArray, after: FloatArray) -> float:
    """Returns the probability that a score of `after` exceeds one of `before`, ties counting half.

    Raises:
        ValueError: A side is empty.
    """
    if not len(before) or not len(after):
        raise ValueError("a side has no scores")
    ordered = np.sort(before)
    below = np.searchsorted(ordered, after, side="left")
    at_most = np.searchsorted(ordered, after, side="right")
    return float((below.sum() + at_most.sum()) / 2 / (len(before) * len(after)))


def null_sd(n: int, m: int) -> float:
    """Returns the standard deviation of AUC without drift: sqrt((n + m + 1) / (12 n m))."""
    return math.sqrt((n + m + 1) / (12 * n * m))


def auc_interval(value: float, n: int, m: int, *, level: float = 0.05) -> tuple[float, float]:
    """Returns the interval for AUC by Hanley and McNeil (1982), never narrower than without drift.

    Args:
        value: AUC, 0 to 1.
        n: Rows of the reference.
        m: Rows of the current side.
        level: Probability that the interval misses.
    """
    once, twice = value / (2 - value), 2 * value**2 / (1 + value)
    spread = value * (1 - value) + (m - 1) * (once - value**2) + (n - 1) * (twice - value**2)
    error = max(math.sqrt(max(spread, 0.0) / (n * m)), null_sd(n, m))
    width = float(special.ndtri(1 - level / 2)) * error
    return max(0.0, value - width), min(1.0, value + width)


def version_scores(seen: Features, places: list[int]) -> tuple[FloatArray, FloatArray]:
    """Returns the out-of-fold probability of being current for the rows of both sides.

    Args:
        seen: Both versions.
        places: Columns that the model may see, by position.
    """
    rows = np.vstack((seen.reference, seen.current))[:, places]
    version = np.repeat([0, 1], [len(seen.reference), len(seen.current)])
    scores = np.empty(len(rows))
    with single_threaded():
        for train, test in folds(len(rows)):
            model = classifier([seen.categorical[place] for place in places])
            scores[test] = model.fit(rows[train], version[train]).predict_proba(rows[test])[:, 1]
    return scores[version == 0], scores[version == 1]
