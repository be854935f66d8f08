"""Surges: the largest rise of one value's share above the most that it had in earlier versions.

Here lives what is remembered of the shares of a column's frequent values. What is not here: shares
of values that are always frequent, which are metrics of their own (`columns`, which calls it).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.portrait import LISTED, ColumnPortrait, Shares
from dvtool.quality.history.strips import Strip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Listed:
    """The frequent values of a column's versions, end to end.

    Args:
        past: The versions, oldest first.

    Attributes:
        keys: The different values, in the order in which they were first met.
        codes: Of each listed value, its place in `keys`.
        shares: Its share among the rows of its version.
        at: The place of that version.
        sizes: How many values each version lists, of those that list any.
        versions: How many versions list any.
        among: How many versions there are.
    """

    def __init__(self, past: Strip) -> None:
        told = [(at, one.shares) for at, one in enumerate(past.ones) if len(one.shares)]
        self.sizes = np.array([len(one) for _, one in told], int)
        self.at = np.repeat(np.array([at for at, _ in told], int), self.sizes)
        self.shares = np.concatenate([np.empty(0), *(one.shares for _, one in told)])
        self.keys, self.codes = _coded([one.keys for _, one in told])
        self.versions, self.among = len(told), len(past)

    def values(self, places: Array) -> list[Any]:
        """Returns the values at some places of `keys`."""
        if isinstance(self.keys, list):
            return [self.keys[at] for at in places]
        found: list[Any] = self.keys[places].tolist()
        return found

    def times(self) -> Array:
        """Returns how many versions list each value."""
        return np.bincount(self.codes, minlength=len(self.keys))

    def means(self) -> Array:
        """Returns each value's mean share, over the versions that list any."""
        weights = self.shares / max(self.versions, 1)
        return np.bincount(self.codes, weights, minlength=len(self.keys))

    def of(self, places: Array) -> Array:
        """Returns the shares of the values at some places of `keys`; shape (values, versions).

        They are 0 where a version does not list a value.
        """
        found = np.zeros((len(places), self.among))
        rows = np.full(len(self.keys), -1)
        rows[places] = np.arange(len(places))
        row = rows[self.codes]
        chosen = row >= 0
        found[row[chosen], self.at[chosen]] = self.shares[chosen]
        return found


class Surges:
    """The rises of a past's versions, each against those before it, and what the next is held to.

    Held against later versions as well, the past would look tamer than it was.

    Args:
        listed: The frequent values of the past.

    Attributes:
        past: The largest rise of each version, NaN for none.
    """

    def __init__(self, listed: Listed) -> None:
        code, sizes = listed.codes, listed.sizes
        starts = np.cumsum(sizes) - sizes
        is_long = sizes == LISTED
        ends = np.minimum.reduceat(listed.shares, starts)[is_long] if len(sizes) else starts
        self._unlisted = float(_roots(np.array([ends.max(initial=0.0)]))[0])
        """What a value may have had without being listed."""
        root = _roots(listed.shares)
        # Small numbers are sorted by counting, several times faster.
        small = code.astype(np.min_scalar_type(len(listed.keys)))
        order = np.argsort(small, kind="stable")
        # Roots are below 2, so that the largest so far never reaches into the next value's.
        largest = np.maximum.accumulate(root[order] + 2.0 * code[order]) - 2.0 * code[order]
        is_first = np.diff(code[order], prepend=-1) > 0
        before = np.empty(len(order))
        before[order] = np.where(is_first, self._unlisted, np.roll(largest, 1))
        rises = np.maximum.reduceat(root - before, starts) if len(sizes) else np.empty(0)
        self.past = np.full(listed.among, np.nan)
        self.past[listed.at[starts[1:]]] = rises[1:]  # before the first there is nothing
        is_last = np.append(is_first[1:], True)[: len(order)]
        most = largest[is_last]
        if isinstance(listed.keys, list):
            self._most = Shares(listed.keys, most)
        else:
            rising = np.argsort(listed.keys)
            self._most = Shares(listed.keys[rising], most[rising])

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out the past's own rises."""
        return {**self.__dict__, "past": np.empty(0)}

    def of(self, one: ColumnPortrait) -> float:
        """Returns the largest rise of a version that is no part of the past; NaN for none."""
        if not len(one.shares):
            return np.nan
        return float((_roots(one.shares.shares) - self._most_of(one.shares.keys)).max())

    def _most_of(self, keys: Array | list[Any]) -> Array:
        most = self._most
        if not isinstance(keys, list):
            if not isinstance(most.keys, list) and most.keys.dtype == keys.dtype and len(most):
                at = np.minimum(most.keys.searchsorted(keys), len(most) - 1)
                return np.where(most.keys[at] == keys, most.shares[at], self._unlisted)
            keys = keys.tolist()
        known = most.known()
        return np.array([known.get(key, self._unlisted) for key in keys])


def _coded(listed: Sequence[Array | list[Any]]) -> tuple[Array | list[Any], Array]:
    """Returns the different values of several lists as they are first met, and each one's place."""
    arrays = [one for one in listed if not isinstance(one, list)]
    if len(arrays) == len(listed) and len({one.dtype for one in arrays}) == 1:
        return _coded_numbers(np.concatenate(arrays))
    lists = [one if isinstance(one, list) else one.tolist() for one in listed]
    codes = dict.fromkeys(chain.from_iterable(lists))
    codes = dict(zip(codes, range(len(codes)), strict=True))
    every = chain.from_iterable(lists)
    return list(codes), np.fromiter(map(codes.__getitem__, every), int, sum(map(len, lists)))


def _coded_numbers(numbers: Array) -> tuple[Array, Array]:
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    is_first = np.append(True, ordered[1:] != ordered[:-1])
    met = order[is_first]  # the first of equal ones, as the order is stable
    places = np.empty(len(met), int)
    places[np.argsort(met)] = np.arange(len(met))
    codes = np.empty(len(order), int)
    codes[order] = places[np.cumsum(is_first) - 1]
    return numbers[np.sort(met)], codes


def _roots(shares: Array) -> Array:
    found: Array = np.arcsin(np.sqrt(np.minimum(shares, 1.0)))
    return found
