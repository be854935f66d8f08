"""Surges: the largest rise of one value's share above the most that it had in any other version.

Here lives what is remembered of the shares of a column's frequent values. What is not here: shares
of values that are always frequent, which are metrics of their own (`columns`, which calls it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.portrait import LISTED, ColumnPortrait

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Surges:
    """The rises of a past's versions, each against all others, and what later ones are held to."""

    def __init__(self, past: Sequence[ColumnPortrait | None]) -> None:
        told = [(at, one.shares) for at, one in enumerate(past) if one is not None and one.shares]
        ends = [min(shares.values()) for _, shares in told if len(shares) == LISTED]
        self._unlisted = float(_roots(np.array([max(ends, default=0.0)]))[0])
        """What a value may have had without being listed."""
        codes: dict[Any, int] = {}
        code = np.array([codes.setdefault(key, len(codes)) for _, one in told for key in one], int)
        root = _roots(np.array([share for _, one in told for share in one.values()], float))
        sizes = [len(one) for _, one in told]
        where = np.repeat([at for at, _ in told], sizes)
        # Each value's largest share last: that of the others is this one, or the one before it.
        order = np.lexsort((root, code))
        bounds = np.append(np.flatnonzero(np.diff(code[order], prepend=-1)), len(order))
        last = order[bounds[1:] - 1]
        most = root[last]
        second = np.where(np.diff(bounds) > 1, root[order[bounds[1:] - 2]], self._unlisted)
        others = np.where(where[last][code] == where, second[code], most[code])
        starts = np.cumsum([0, *sizes[:-1]]) if sizes else np.empty(0, int)
        rises = np.maximum.reduceat(root - others, starts) if sizes else np.empty(0)
        self._past = {at: float(rise) for (at, _), rise in zip(told, rises, strict=True)}
        self._most: Mapping[Any, float] = dict(zip(codes, most.tolist(), strict=True))

    def of(self, one: ColumnPortrait, past_at: int | None) -> float | None:
        """Returns the largest rise of a version, None where no share may be told.

        Args:
            one: The version.
            past_at: Its place in the past, None for one that is no part of it.
        """
        if past_at is not None:
            return self._past.get(past_at)
        if not one.shares:
            return None
        most = [self._most.get(key, self._unlisted) for key in one.shares]
        return float((_roots(np.array(list(one.shares.values()))) - np.array(most)).max())


def _roots(shares: Array) -> Array:
    found: Array = np.arcsin(np.sqrt(np.minimum(shares, 1.0)))
    return found
