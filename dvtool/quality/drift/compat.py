"""The same figures as other tools compute them, for comparing numbers side by side.

What lives here reproduces Evidently's conventions on purpose, flaws included; decisions use
`effects` instead. Called by nobody in dvtool but its documentation and users who migrate.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dvtool.quality.drift.distributions import FloatArray
from dvtool.quality.drift.effects import js_distance_base2, occupied

_FLOOR = 1e-4
MANY_DISTINCT = 20


def psi_evidently(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns PSI of two numeric arrays without NaN as Evidently 0.4 to 0.7 defines it.

    More than 20 distinct reference values are put into equally wide bins of the pooled data, as
    many as Sturges' rule says; fewer are bins of their own. An empty bin counts as 0.0001.

    Args:
        reference: Shape (n,), n > 0.
        current: Shape (m,), m > 0.
    """
    a = np.asarray(reference, dtype=np.float64)
    b = np.asarray(current, dtype=np.float64)
    pooled = np.concatenate((a, b))
    if len(np.unique(a)) > MANY_DISTINCT:
        edges = np.histogram_bin_edges(pooled, bins="sturges")
        return psi_clipped(np.histogram(a, edges)[0], np.histogram(b, edges)[0])
    points = np.unique(pooled)
    places = np.searchsorted(points, a), np.searchsorted(points, b)
    before, after = (np.bincount(place, minlength=len(points)) for place in places)
    return psi_clipped(before, after)


def psi_clipped(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns PSI of two histograms with empty bins at a share of 0.0001, as Evidently does.

    Where the smallest share of a side that is not zero is itself at most 0.0001, an empty bin
    counts as a millionth of that share.
    """
    a, b = occupied(reference, current)
    p, q = _filled(a / a.sum()), _filled(b / b.sum())
    return float(np.sum((p - q) * np.log(p / q)))


def _filled(share: FloatArray) -> FloatArray:
    smallest = float(share[share > 0].min())
    return np.where(share > 0, share, smallest / 1e6 if smallest <= _FLOOR else _FLOOR)


def js_distance_evidently(reference: ArrayLike, current: ArrayLike) -> float:
    """Returns the Jensen-Shannon distance of two histograms in natural logarithms."""
    return float(js_distance_base2(reference, current) * np.sqrt(np.log(2)))
