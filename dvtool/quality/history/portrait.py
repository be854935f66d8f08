"""Portraits: what the history gate asks of a profile, as arrays that are quick to compare.

Here lives the way from one profile to one portrait; nothing in it depends on another version. What
is not here: figures that compare versions (`columns`, `rows`, `pairs`). Made once a version and
kept by whoever judges several candidates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dvtool.quality.history.cells import Cells
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.distinct import theta_hash
from dvtool.quality.profile.model import ColumnProfile, Profile
from dvtool.quality.profile.numbers import Numbers
from dvtool.quality.profile.rowsample import RowSample
from dvtool.quality.profile.tally import Tally
from dvtool.quality.profile.texts import token_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_GRID = 201
_LOOKED = 256
"""Values whose digits are looked at, at most."""
LISTED = 64
"""Frequent values whose shares are looked at, at most."""
FULL = float(1 << 63)
"""The threshold of a sketch that holds every value."""


@dataclass(frozen=True, slots=True)
class ValueSet:
    """The different values of a column, as hashes.

    Args:
        hashes: Rising, uint64; all below `theta`.
        counts: Rows of each; None where only the values are known.
        theta: Values with a larger hash are not in the set; `FULL` when it is complete.
    """

    hashes: Array
    counts: Array | None
    theta: float


@dataclass(frozen=True)
class ColumnPortrait:
    """One column of one version."""

    profile: ColumnProfile

    @property
    def kind(self) -> Kind:
        """What the values are."""
        return self.profile.kind

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.profile.present

    @property
    def numbers(self) -> Numbers | None:
        """The numbers, or the lengths of texts; None where neither may be kept."""
        texts = self.profile.texts
        return texts.lengths if texts is not None else self.profile.numbers

    @cached_property
    def curve(self) -> tuple[Array, Array]:
        """Returns values, rising, and the share of values at or below each; empty for none."""
        numbers = self.numbers
        if numbers is None or numbers.low is None or numbers.high is None:
            return np.empty(0), np.empty(0)
        if numbers.quantiles is None:
            keys = np.array(sorted(numbers.tally.counts), float)
            counts = np.array([numbers.tally.counts[one] for one in sorted(numbers.tally.counts)])
            return keys, np.cumsum(counts) / counts.sum()
        shares = np.linspace(0, 1, _GRID)
        inner = np.array(numbers.quantiles._sketch().get_quantiles(shares[1:-1].tolist()))
        return np.concatenate([[numbers.low], inner, [numbers.high]]), shares

    def cdf(self, values: Array) -> Array:
        """Returns the share of values at or below each of `values`."""
        keys, shares = self.curve
        at = np.searchsorted(keys, values, side="right")
        return np.where(at > 0, shares[np.maximum(at - 1, 0)], 0.0)

    def quantile(self, share: Array) -> Array:
        """Returns the smallest values with at least `share` of the values at or below them."""
        keys, shares = self.curve
        return keys[np.minimum(np.searchsorted(shares, share - 1e-12), len(keys) - 1)]

    @cached_property
    def values(self) -> ValueSet | None:
        """Returns the different values; None where they may not be kept."""
        tally = self.profile.tally
        if tally is None or self.profile.kind is Kind.LIST:
            return None
        if not tally.is_exact:
            sketch = self.profile.distinct_sketch
            if sketch is None:
                return None
            found = sketch._sketch()
            hashes = np.sort(np.fromiter(found, np.uint64))
            return ValueSet(hashes, None, float(found.theta64))
        keys = list(tally.counts)
        counts = np.array([tally.counts[one] for one in keys], np.int64)
        if self.profile.kind is Kind.TEXT:
            bits = np.array([token_of(str(one)) for one in keys], np.uint64)
        else:
            whole = all(isinstance(one, int) for one in keys)
            bits = np.array(keys, np.int64 if whole and keys else np.float64).view(np.uint64)
        hashes = theta_hash(bits)
        order = np.argsort(hashes)
        return ValueSet(hashes[order], counts[order], FULL)

    @cached_property
    def shares(self) -> dict[Any, float]:
        """Returns the shares of the most frequent values among the rows, the largest first.

        Empty where none may be told.
        """
        tally = self.profile.tally
        if tally is None or not self.profile.rows:
            return {}
        least = tally.missed if not tally.is_exact else 0
        keys = list(tally.counts)
        counts = np.fromiter(tally.counts.values(), np.int64, len(keys))
        order = np.argsort(-counts, kind="stable")[:LISTED]
        return {keys[at]: int(counts[at]) / self.profile.rows for at in order if counts[at] > least}

    @cached_property
    def sampled_numbers(self) -> list[float]:
        """Returns at most 256 of the different numbers, evenly over their range."""
        if self.profile.kind not in (Kind.INT, Kind.FLOAT):
            return []
        keys, _ = self.curve
        if len(keys) > _LOOKED:
            keys = keys[np.linspace(0, len(keys) - 1, _LOOKED).astype(int)]
        found: list[float] = keys.tolist()
        return found


@dataclass(frozen=True)
class Portrait:
    """One version: rows, columns by name, and the sample of its rows.

    Args:
        name: As the user knows it.
        profile: What it was made from.
        columns: Those that may be compared, by name.
        is_whole: Whether what is about no column may be compared as well.
    """

    name: str
    profile: Profile
    columns: Mapping[str, ColumnPortrait] = field(default_factory=dict)
    is_whole: bool = True

    @property
    def rows(self) -> int:
        """Rows of the version."""
        return self.profile.rows

    @cached_property
    def cells(self) -> Cells:
        """The cells of its sampled rows."""
        return Cells(self.profile)

    @property
    def sample(self) -> RowSample | None:
        """The sample of its rows."""
        return self.profile.sample


def portrait_of(name: str, profile: Profile) -> Portrait:
    """Returns the portrait of a profile."""
    return Portrait(name, profile, {one.name: ColumnPortrait(one) for one in profile.columns})


def listed(tally: Tally | None) -> Mapping[Any, int]:
    """Returns the counts that a tally is sure of."""
    return {} if tally is None else tally.counts
