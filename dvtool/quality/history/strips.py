"""Strips: one column in several versions, as arrays.

Most metrics of a column ask one figure of each version alone; here these stand side by side, so that a
past of 60 versions is measured about as quickly as a single one. What is not here: the metrics
(`columns`, `curves`, `texts`, which read strips).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.portrait import ColumnPortrait
from dvtool.quality.history.sheet import ALL, Where

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Strip:
    """The versions that have a column.

    Args:
        ones: Its portraits, oldest first.
        places: Where these versions stand among all.
        versions: How many versions there are in all.

    Attributes:
        at: Where they stand, as sheets are told it.
    """

    def __init__(self, ones: Sequence[ColumnPortrait], places: Array, versions: int) -> None:
        self.ones = ones
        self.places = places
        self.versions = versions
        self.at: Where = ALL if len(places) == versions else places

    @classmethod
    def of(cls, past: Sequence[ColumnPortrait | None]) -> Strip:
        """Returns the strip of a column that some versions, None here, do not have."""
        ones = [one for one in past if one is not None]
        places = np.array([at for at, one in enumerate(past) if one is not None], int)
        return cls(ones, places, len(past))

    def where(self, chosen: Iterable[bool]) -> Strip:
        """Returns the strip of some of its versions."""
        mask = np.fromiter(chosen, bool, len(self.ones))
        return self if mask.all() else self.only(np.flatnonzero(mask))

    def only(self, kept: Array) -> Strip:
        """Returns the strip of those of its versions that stand at some places of it."""
        ones = [self.ones[at] for at in kept.tolist()]
        return Strip(ones, self.places[kept], self.versions)

    def __len__(self) -> int:
        return len(self.ones)

    @cached_property
    def rows(self) -> Array:
        """Rows of each version."""
        return numbers([one.rows for one in self.ones])

    @cached_property
    def nulls(self) -> Array:
        """Rows without a value."""
        return numbers([one.nulls for one in self.ones])

    @cached_property
    def unparsed(self) -> Array:
        """Of these, rows that hold something else than the column does."""
        return numbers([one.unparsed for one in self.ones])

    @cached_property
    def present(self) -> Array:
        """Rows with a value."""
        return self.rows - self.nulls


def rows_of(tuples: Iterable[Iterable[float]], width: int) -> Array:
    """Returns tuples as the rows of an array."""
    return np.fromiter(chain.from_iterable(tuples), float).reshape(-1, width)


def numbers(values: Sequence[Any]) -> Array:
    """Returns numbers as an array."""
    return np.array(values, float)
