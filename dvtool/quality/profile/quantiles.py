"""Quantiles of many values: a KLL sketch with its stated rank error.

Here lives the wrapper around the sketch library and its merge. Columns with few values need no
sketch: their tally gives exact quantiles (`numbers`). Number summaries and lengths use it.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dvtool.errors import InvalidText

if TYPE_CHECKING:
    from datasketches import kll_doubles_sketch
    from numpy.typing import NDArray

SIZE = 400
"""Parameter k of the sketch."""
RANK_ERROR = 0.0068
"""Largest distance between true and answered rank, as a share, with 99 % confidence, for one
question. Follows from `SIZE`; the library states the same number."""
_MOST_BYTES = 1 << 17
_STEP = 1 << 12
_HEAD = struct.Struct("<8sQHBB")
_HEADS = tuple(
    bytes((5, 1, 15, flags)) + SIZE.to_bytes(2, "little") + bytes((8, 0)) for flags in (0, 2)
)
"""Longs ahead, version, family, flags (2: the lowest level is sorted), k, m, unused."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A KLL sketch of finite numbers.

    Args:
        data: The sketch as its library serialises it; never empty.
    """

    data: bytes

    def quantile(self, share: float) -> float:
        """Returns a value whose rank is `share` of all values, give or take `RANK_ERROR`.

        Args:
            share: From 0 to 1.
        """
        return float(self._sketch().get_quantile(share))

    def rank(self, value: float) -> float:
        """Returns the share of values <= `value`, give or take `RANK_ERROR`."""
        return float(self._sketch().get_rank(value, True))

    def merge(self, other: Quantiles) -> Quantiles:
        """Returns the sketch of both sets of values."""
        merged = self._sketch()
        merged.merge(other._sketch())
        return Quantiles(merged.serialize())

    def _sketch(self) -> kll_doubles_sketch:
        from datasketches import kll_doubles_sketch

        return kll_doubles_sketch.deserialize(self.data)


def checked_quantiles(data: bytes) -> Quantiles:
    """Returns the sketch that `data` holds.

    Raises:
        InvalidText: The bytes are no sketch of ours.
    """
    # The library trusts what it reads: a changed byte can make it loop or read far out.
    if not _is_sound(data):
        raise InvalidText("profile: a quantile sketch that is damaged")
    return Quantiles(data)


def _is_sound(data: bytes) -> bool:
    """Tells whether bytes are a sketch of at least two finite values, with all that follows."""
    import numpy as np

    if not _HEAD.size <= len(data) <= _MOST_BYTES:
        return False
    head, n, least_k, levels, unused = _HEAD.unpack_from(data)
    if head not in _HEADS or least_k != SIZE or not 0 < levels <= 40 or unused or n < 2:
        return False
    items_at = _HEAD.size + 4 * levels
    if len(data) < items_at + 16 or (len(data) - items_at) % 8:
        return False
    bounds = list(struct.unpack_from(f"<{levels}I", data, _HEAD.size))
    bounds.append(sum(_capacity(levels, level) for level in range(levels)))
    every = np.frombuffer(data, "<f8", offset=items_at)
    low, high, items = every[0], every[1], every[2:]
    first = bounds[0]
    if sorted(bounds) != bounds or len(items) != bounds[-1] - first:
        return False
    weight = 0
    for level, (start, end) in enumerate(itertools.pairwise(bounds)):
        held = items[start - first : end - first]
        weight += (end - start) << level
        if level and (held[1:] < held[:-1]).any():
            return False
    good = bool(np.isfinite(every).all() and (low <= every).all() and (every <= high).all())
    return good and weight == n


def _capacity(levels: int, level: int) -> int:
    """Returns how many values a level holds at most; part of the sketch's format."""
    depth = levels - level - 1
    third: int = 3**depth
    return max(8, (((2 * SIZE) << depth) // third + 1) >> 1)


class QuantileScan:
    """Takes values batch by batch."""

    def __init__(self) -> None:
        from datasketches import kll_doubles_sketch

        self._sketch = kll_doubles_sketch(SIZE)

    def add(self, values: NDArray[Any]) -> None:
        """Takes finite numbers, shape (n,)."""
        import numpy as np

        if len(values):
            self._sketch.update(np.ascontiguousarray(values, dtype=np.float64))

    def add_counts(self, values: NDArray[Any], counts: NDArray[Any]) -> None:
        """Takes each value as often as it occurs, in bounded memory."""
        import numpy as np

        # Heavy values alone, the others together, so that no array is larger than a step.
        light = counts < _STEP
        for value, count in zip(values[~light].tolist(), counts[~light].tolist(), strict=True):
            for done in range(0, count, _STEP):
                self._sketch.update(np.full(min(count - done, _STEP), value, np.float64))
        for start in range(0, len(values), 1 << 10):
            part = light[start : start + 1024]
            chosen = values[start : start + 1024][part].astype(np.float64, copy=False)
            self.add(np.repeat(chosen, counts[start : start + 1024][part]))

    def finish(self) -> Quantiles | None:
        """Returns the sketch, None when there was no value."""
        return None if self._sketch.is_empty() else Quantiles(self._sketch.serialize())
