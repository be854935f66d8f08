"""Surges: the largest rise of one value's share above the most that it had in earlier versions.

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
    """The rises of a past's versions, each against those before it, and what the next is held to.

    Held against later versions as well, the past would look tamer than it was.
    """

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
        order = np.lexsort((where, code))
        # Roots are below 2, so that the largest so far never reaches into the next value's.
        largest = np.maximum.accumulate(root[order] + 2.0 * code[order]) - 2.0 * code[order]
        is_first = np.diff(code[order], prepend=-1) > 0
        before = np.empty(len(order))
        before[order] = np.where(is_first, self._unlisted, np.roll(largest, 1))
        starts = np.cumsum([0, *sizes[:-1]]) if sizes else np.empty(0, int)
        rises = np.maximum.reduceat(root - before, starts) if sizes else np.empty(0)
        pairs = zip(told[1:], rises[1:], strict=True)  # before the first there is nothing
        self._past = {at: float(rise) for (at, _), rise in pairs}
        is_last = np.append(is_first[1:], True)[: len(order)]
        most = largest[is_last]
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
