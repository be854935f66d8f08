"""Counts of different values: a theta sketch, fed by array and merged exactly.

Here lives the wrapper around the sketch library, and its hash written for arrays, so that only
the few values that the sketch would keep are handed to it one by one. How text becomes a number
is the business of `tokens`. Column summaries use it for columns with many values.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dvtool.errors import InvalidText

if TYPE_CHECKING:
    from datasketches import compact_theta_sketch
    from numpy.typing import NDArray

LOG_SIZE: Final = 11
"""Base 2 logarithm of the number of hashes that the sketch keeps."""
ERROR: Final = 0.066
"""Largest relative error at 99.7 % confidence (three standard errors of 1 / sqrt(2048 - 1))."""
_SEED: Final = 9001
_MOST_BYTES: Final = 1 << 15
_HEAD: Final = struct.Struct("<B7sII")
_REST: Final = bytes.fromhex("03 03 00 00 1a cc 93")
"""Version, family, unused, flags (read only, compact, ordered), hash of the seed."""
_STEP: Final = 1 << 13  # scratch arrays stay in the processor's cache


@dataclass(frozen=True, slots=True)
class Distinct:
    """The smallest hashes of all values, and what follows for their number.

    Deterministic: the same set of values gives the same bytes, in whatever order, batches or
    merges they come.

    Args:
        data: The sketch as its library serialises it.
    """

    data: bytes

    @property
    def estimate(self) -> float:
        """Returns how many different values there are, about; exact up to 2,048."""
        return float(self._sketch().get_estimate())

    def bounds(self) -> tuple[float, float]:
        """Returns bounds that hold with 99.7 % confidence."""
        sketch = self._sketch()
        return float(sketch.get_lower_bound(3)), float(sketch.get_upper_bound(3))

    def merge(self, other: Distinct) -> Distinct:
        """Returns the sketch of the union of both sets."""
        from datasketches import theta_union

        union = theta_union(LOG_SIZE, 1.0, _SEED)
        union.update(self._sketch())
        union.update(other._sketch())
        return Distinct(union.get_result(True).serialize())

    def jaccard(self, other: Distinct) -> tuple[float, float, float]:
        """Returns the share of values that both sets have of all: low, estimate, high (95 %)."""
        from datasketches import theta_jaccard_similarity

        low, middle, high = theta_jaccard_similarity.jaccard(
            self._sketch(), other._sketch(), seed=_SEED
        )
        return float(low), float(middle), float(high)

    def _sketch(self) -> compact_theta_sketch:
        from datasketches import compact_theta_sketch

        return compact_theta_sketch.deserialize(self.data, _SEED)


def checked_distinct(data: bytes) -> Distinct:
    """Returns the sketch that `data` holds.

    Raises:
        InvalidText: The bytes are no sketch of ours.
    """
    # The library trusts what it reads: a changed byte can make it loop or read far out.
    if not _is_sound(data):
        raise InvalidText("profile: a distinct sketch that is damaged")
    return Distinct(data)


def _is_sound(data: bytes) -> bool:
    """Tells whether bytes are a compact, ordered sketch of at least two hashes."""
    import numpy as np

    if not _HEAD.size <= len(data) <= _MOST_BYTES:
        return False
    longs, rest, count, unused = _HEAD.unpack_from(data)
    if longs not in (2, 3) or rest != _REST or unused or not 2 <= count <= 1 << LOG_SIZE:
        return False
    if len(data) != 8 * (longs + count):
        return False
    numbers = np.frombuffer(data, "<u8")
    hashes = numbers[longs:]
    theta = int(numbers[2]) if longs == 3 else 1 << 63
    rising = bool((hashes[1:] > hashes[:-1]).all())
    return rising and hashes[0] > 0 and int(hashes[-1]) < theta < (1 << 63) + (longs == 2)


class DistinctScan:
    """Takes values batch by batch, as 64-bit integers."""

    def __init__(self) -> None:
        from datasketches import update_theta_sketch

        self._sketch = update_theta_sketch(LOG_SIZE, 1.0, _SEED)

    def add(self, bits: NDArray[Any]) -> NDArray[Any]:
        """Takes values, shape (n,), any type of 8 bytes, and returns their hashes as uint64.

        What counts is a value's bits.
        """
        import numpy as np

        bits = np.ascontiguousarray(bits).view(np.uint64)
        hashes = np.empty(len(bits), np.uint64)
        for start in range(0, len(bits), _STEP):
            hashes[start : start + _STEP] = theta_hash(bits[start : start + _STEP])
        fitting = hashes < np.uint64(self._sketch.theta64)
        for one in _smallest(bits[fitting], hashes[fitting]).view(np.int64).tolist():
            self._sketch.update(one)
        return hashes

    def finish(self) -> Distinct:
        """Returns the sketch, trimmed to its size, which makes it independent of the order."""
        self._sketch.trim()
        return Distinct(self._sketch.compact(True).serialize())


def _smallest(bits: NDArray[Any], hashes: NDArray[Any]) -> NDArray[Any]:
    """Returns the different values that can be among the smallest hashes that a sketch keeps."""
    import numpy as np

    if len(bits) > _STEP:
        bound = np.partition(hashes, _STEP)[_STEP]
        near = np.unique(bits[hashes <= bound])
        if len(near) > 1 << LOG_SIZE:  # one more than are kept: it is what the sketch's end tells
            return near
    return np.unique(bits)


def theta_hash(bits: NDArray[Any]) -> NDArray[Any]:
    """Returns the hash that the sketch library gives 64-bit integers, shape (n,), as uint64.

    Upper half of MurmurHash3 x64 128 of the 8 bytes, shifted right by one.
    """
    import numpy as np

    with np.errstate(over="ignore"):
        k = bits * np.uint64(0x87C37B91114253D5)
        k = (k << np.uint64(31)) | (k >> np.uint64(33))
        k *= np.uint64(0x4CF5AD432745937F)
        k ^= np.uint64(_SEED ^ 8)
        k += np.uint64(_SEED ^ 8)
        second = k + np.uint64(_SEED ^ 8)
        found: NDArray[Any] = _finalised(k)
        found += _finalised(second)
        found >>= np.uint64(1)
    return found


def _finalised(h: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    h ^= h >> np.uint64(33)
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    return h
