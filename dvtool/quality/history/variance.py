"""Variance: how large an error is normal, honest at short histories; and tails in one currency.

Here live the shrunk scale of errors, Student's tail as a normal deviate, and the beta-binomial for
sparse counts. What is not here: predictions (`predictors`). Called by `scores`.
"""

from __future__ import annotations

from math import exp, lgamma
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.arrays import middle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

PRIOR: float = 4.0
"""Weight of what other metrics of the kind do, in versions."""
KNOWN: float = 12.0
"""Degrees of freedom that a known sampling error is worth."""
FIRST: int = 2
"""Predictions that rest on fewer versions do not count."""
LARGEST: float = 2.5
"""The largest past error is at most this many standard deviations: tails may be heavy."""
_NORMAL = NormalDist()


def scales(ratios: Array, names: Array) -> tuple[Array, Array]:
    """Returns the normal size of an error and its degrees of freedom, shape (versions + 1, metrics).

    Row t leaves version t out; the last row uses the whole past. A size is at least 1, the
    sampling error; it is shrunk towards the median of the metrics of one name, as a moderated t is.

    Args:
        ratios: Errors by their sampling error, shape (versions, metrics).
        names: Of the metrics, shape (metrics,).

    Source: Smyth (2004), linear models and empirical Bayes methods; docs/quality-methods.md#history
    """
    there = np.isfinite(ratios)
    there[:FIRST] = False
    squares = np.where(there, ratios, 0.0) ** 2
    sums = np.vstack([squares.sum(axis=0) - squares, squares.sum(axis=0)[None]])
    counts = np.vstack([there.sum(axis=0) - there, there.sum(axis=0)[None]]).astype(float)
    mean = sums / np.maximum(counts, 1)
    prior = np.ones(ratios.shape[1])
    for name in np.unique(names):
        group = names == name
        prior[group] = np.clip(middle(mean[-1, group]), 1.0, 16.0)
    shrunk = (PRIOR * prior[None] + counts * mean) / (PRIOR + counts)
    size = np.maximum(np.sqrt(np.maximum(shrunk, 1.0)), _largest(squares) / LARGEST)
    # Errors no larger than sampling makes them have a size that is known, not estimated.
    return size, PRIOR + counts + KNOWN * (shrunk <= 1.0)


def _largest(squares: Array) -> Array:
    """Returns the largest error of all other versions, the last row: of all."""
    roots = np.sqrt(squares)
    if not len(roots):
        return np.zeros((1, squares.shape[1]))
    order = np.sort(roots, axis=0)
    first = order[-1]
    second = order[-2] if len(order) > 1 else np.zeros_like(first)
    return np.vstack([np.where(roots >= first, second, first), first[None]])


def as_normal(t: Array, freedom: Array) -> Array:
    """Returns the normal deviate that has about the tail of Student's t.

    Source: Wallace (1959), bounds on normal approximations to Student's distribution.
    """
    spread = np.sqrt(freedom * np.log1p(t * t / freedom))
    found: Array = spread * (8 * freedom + 1) / (8 * freedom + 3)
    return found


def deviate(tail: float) -> float:
    """Returns the normal deviate whose two tails together are `2 * tail`."""
    return -_NORMAL.inv_cdf(min(max(tail, 1e-300), 0.5))


def beta_binomial_tail(count: int, rows: int, a: float, b: float) -> float:
    """Returns the chance of `count` or more of `rows` where the rate itself is Beta(a, b)."""
    if count > rows:
        return 0.0
    k, n = count, rows
    term = exp(
        lgamma(n + 1)
        - lgamma(k + 1)
        - lgamma(n - k + 1)
        + lgamma(k + a)
        + lgamma(n - k + b)
        - lgamma(n + a + b)
        - lgamma(a)
        - lgamma(b)
        + lgamma(a + b)
    )
    total = term
    for j in range(k, n):
        term *= (n - j) / (j + 1) * (j + a) / (n - j - 1 + b)
        total += term
        if term < 1e-12 * total:
            break
    return min(total, 1.0)
