"""Tallies: how often each value occurs, exact while the values are few and bounded beyond.

Here live the counts, their error bound and their merge law. What a key stands for (a number, a
text, a keyed hash) is decided where the tally is made. Columns, shapes and lengths use it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from operator import and_, eq, gt, lt, or_
from typing import TypeAlias

Key: TypeAlias = int | float | str

MOST = 1000
"""More different values than this are not all kept."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of values.

    Args:
        counts: Value to count, at most `MOST` of them.
        missed: 0 when every value is listed with its exact count. Otherwise a listed value
            occurs at least `count` and at most `count + missed` times, and a value that is not
            listed at most `missed` times.
        total: Rows counted, listed or not.
    """

    counts: Mapping[Key, int] = field(default_factory=dict)
    missed: int = 0
    total: int = 0

    @property
    def is_exact(self) -> bool:
        """Tells whether every value is listed with its exact count."""
        return self.missed == 0

    def top(self, most: int = 10) -> list[tuple[Key, int]]:
        """Returns the most frequent values, ties in the order of the keys."""
        return ranked(self.counts.items())[:most]

    def shares(self) -> dict[Key, float]:
        """Returns each listed value's share of all counted rows; empty when there are none."""
        return {key: count / self.total for key, count in ranked(self.counts.items())}

    def merge(self, other: Tally) -> Tally:
        """Returns the counts of both; exact when both are and their values together are few."""
        counts = dict(self.counts)
        for key, count in other.counts.items():
            counts[key] = counts.get(key, 0) + count
        return trimmed(counts, self.missed + other.missed, self.total + other.total)


def ranked(items: Iterable[tuple[Key, int]]) -> list[tuple[Key, int]]:
    """Returns (value, count) pairs by falling count, then by rising value."""
    return sorted(items, key=lambda item: (-item[1], isinstance(item[0], str), item[0]))


def is_ranked(counts: Mapping[Key, int]) -> bool:
    """Tells whether counts are in the order of `ranked`."""
    keys, numbers = list(counts), list(counts.values())
    try:
        rises = map(lt, keys, islice(keys, 1, None))
        falls = map(gt, numbers, islice(numbers, 1, None))
        stays = map(eq, numbers, islice(numbers, 1, None))
        return all(map(or_, falls, map(and_, stays, rises)))
    except TypeError:  # numbers and texts together
        return keys == [key for key, _ in ranked(counts.items())]


def trimmed(counts: dict[Key, int], missed: int, total: int, most: int = MOST) -> Tally:
    """Returns a tally of at most `most` values; the largest count left out adds to the error."""
    if len(counts) > most:
        order = ranked(counts.items())
        missed += order[most][1]
        counts = dict(order[:most])
    return Tally(counts, missed, total)


def above_error(counts: dict[Key, int], missed: int, total: int) -> Tally:
    """Returns an inexact tally of those counts that say more than the error does."""
    least = max(missed, 1)
    left_out = max((n for n in counts.values() if n <= least), default=0)
    counts = {key: n for key, n in counts.items() if n > least}
    return trimmed(counts, least + left_out, total)
