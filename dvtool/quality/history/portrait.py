"""Portraits: what the history gate asks of a profile, as arrays that are quick to compare.

Here lives the way from one profile to one portrait, which holds all that is needed of it; nothing in it
depends on another version. What is not here: figures that compare versions (`columns`, `rows`,
`pairs`), and how portraits are remembered (`keeping`). Made once a version.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dvtool.quality.history.cells import Cells, copies_of
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.distinct import theta_hash
from dvtool.quality.profile.model import ColumnProfile, Profile
from dvtool.quality.profile.moments import Moments
from dvtool.quality.profile.numbers import Numbers
from dvtool.quality.profile.patterns import Patterns
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.profile.rowsample import RowSample
from dvtool.quality.profile.tally import Tally
from dvtool.quality.profile.texts import token_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_GRID = 201
EDGES = np.array([0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
"""Shares of the numbers at or below which quantiles are known."""
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
class Shares:
    """Frequent values of a column and their shares among the rows, the largest first.

    Args:
        keys: The values; an array where all are whole numbers, or all are others.
        shares: Of each, an array.
    """

    keys: Array | list[Any]
    shares: Array

    def __len__(self) -> int:
        return len(self.keys)

    def known(self) -> dict[Any, float]:
        """Returns the shares by value."""
        keys = self.keys if isinstance(self.keys, list) else self.keys.tolist()
        return dict(zip(keys, self.shares.tolist(), strict=True))


class Signs(NamedTuple):
    """Of numbers: how many are of a kind that a fault often makes."""

    zeros: int
    negatives: int
    wholes: int
    not_finite: int


class Digits(NamedTuple):
    """How numbers are written: of at most 256 different ones, evenly over their range."""

    looked: int
    decimals: float
    variance: float
    """Of the mean number of decimals."""
    tens: int
    """Whole ones that end in 0."""


@dataclass(frozen=True)
class ColumnPortrait:
    """One column of one version.

    Args:
        name: As in the table.
        kind: What the values are.
        privacy: What was allowed to be kept.
        rows: Rows of the table.
        nulls: Rows without a value.
        unparsed: Of these, rows that hold something else than the column does.
        distinct: Different values, None where unknown.
        distinct_error: Relative error of that; 0 for none.
        moments: Of the numbers, or of the lengths of texts; None where neither may be kept.
        signs: Of the numbers, None for texts.
        digits: Of whole and other numbers, None for few of them and for all else.
        keys: Numbers (lengths) for the curve, rising.
        counts: Rows of each; None where the keys are quantiles at equal steps.
        quantiles: The smallest numbers that so many are at or below, one for each of `EDGES`;
            empty where there are no numbers.
        listed: Counts of whole numbers as far as they are known, where there are too many to
            know all; else None: then `keys` and `counts` say it.
        values: The different values; None where they may not be kept.
        shares: Of the most frequent values; empty where none may be told.
        patterns: What texts look like; None where that may not be kept, and for all else.
        forms: How values that are no texts are written; None likewise.
        names: Of texts that stand as tokens in `shares`; None for a column of no texts.
    """

    name: str
    kind: Kind
    privacy: Privacy
    rows: int
    nulls: int
    unparsed: int
    distinct: float | None
    distinct_error: float
    moments: Moments | None
    signs: Signs | None
    digits: Digits | None
    keys: Array
    counts: Array | None
    quantiles: Array
    listed: Mapping[Any, int] | None
    values: ValueSet | None
    shares: Shares
    patterns: Patterns | None
    forms: Tally | None
    names: Mapping[str, str] | None

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @cached_property
    def curve(self) -> tuple[Array, Array]:
        """Returns values, rising, and the share of values at or below each; empty for none."""
        return self.keys, _upto(self.keys, self.counts)

    def rows_but(self, values: Collection[int]) -> int:
        """Returns the rows with a whole number, as far as they are counted, that is none of some."""
        if self.listed is not None:
            return sum(count for value, count in self.listed.items() if value not in values)
        if self.counts is None:
            return 0
        return int(self.counts[~np.isin(self.keys, list(values))].sum())


_STEPS = np.linspace(0, 1, _GRID)


@dataclass(frozen=True)
class Portrait:
    """One version: rows, columns by name, and the sample of its rows.

    Args:
        name: As the user knows it.
        rows: Rows of the version.
        order: All of its columns, as in the table.
        sample: Of its rows, None for none.
        sampled: Name and kind of the columns that the sample has.
        readings: How its files were read.
        copies: By column, sampled rows that equal an earlier one in everything but that column.
        columns: Those that may be compared, by name.
        is_whole: Whether what is about no column may be compared as well.
    """

    name: str
    rows: int
    order: tuple[ColumnPortrait, ...]
    sample: RowSample | None
    sampled: tuple[tuple[str, Kind], ...]
    readings: tuple[str, ...]
    copies: Mapping[str, int]
    columns: Mapping[str, ColumnPortrait] = field(default_factory=dict)
    is_whole: bool = True

    @cached_property
    def cells(self) -> Cells:
        """The cells of its sampled rows."""
        return Cells(self.sample, self.sampled)


def portrait_of(name: str, profile: Profile) -> Portrait:
    """Returns the portrait of a profile."""
    order = tuple(map(_column, profile.columns))
    sampled = tuple((one.name, one.kind) for one in profile.sampled)
    return Portrait(
        name,
        profile.rows,
        order,
        profile.sample,
        sampled,
        profile.readings,
        copies_of(profile.sample, sampled),
        {one.name: one for one in order},
    )


def _upto(keys: Array, counts: Array | None) -> Array:
    """Returns the share of values at or below each key."""
    if not len(keys):
        return keys
    return _STEPS if counts is None else np.cumsum(counts) / counts.sum()


def _quantiles(keys: Array, counts: Array | None) -> Array:
    if not len(keys):
        return keys
    at = _upto(keys, counts).searchsorted(EDGES - 1e-12)
    return keys[np.minimum(at, len(keys) - 1)]


def _column(one: ColumnProfile) -> ColumnPortrait:
    texts = one.texts
    numbers = texts.lengths if texts is not None else one.numbers
    keys, counts = _curve(numbers)
    own = one.numbers
    tally = own.tally if own is not None and one.kind is Kind.INT else None
    return ColumnPortrait(
        one.name,
        one.kind,
        one.privacy,
        one.rows,
        one.nulls,
        one.unparsed,
        one.distinct,
        one.distinct_error,
        None if numbers is None else numbers.moments,
        None if own is None else Signs(own.zeros, own.negatives, own.wholes, own.not_finite),
        _digits(keys) if one.kind in (Kind.INT, Kind.FLOAT) else None,
        keys,
        counts,
        _quantiles(keys, counts),
        dict(tally.counts) if tally is not None and not tally.is_exact else None,
        _values(one),
        _shares(one),
        None if texts is None else texts.patterns,
        one.forms,
        None if texts is None else texts.names,
    )


def _curve(numbers: Numbers | None) -> tuple[Array, Array | None]:
    """Returns the keys of a curve, and the rows of each where every value is one of them."""
    if numbers is None or numbers.low is None or numbers.high is None:
        return np.empty(0), None
    if numbers.quantiles is None:
        counts = numbers.tally.counts
        keys = sorted(counts)
        return np.array(keys, float), np.fromiter(map(counts.__getitem__, keys), np.int64)
    inner = numbers.quantiles._sketch().get_quantiles(_STEPS[1:-1].tolist())
    return np.concatenate([[numbers.low], np.array(inner), [numbers.high]]), None


def _values(one: ColumnProfile) -> ValueSet | None:
    tally = one.tally
    if tally is None or one.kind is Kind.LIST:
        return None
    if not tally.is_exact:
        sketch = one.distinct_sketch
        if sketch is None:
            return None
        found = sketch._sketch()
        hashes = np.sort(np.fromiter(found, np.uint64))
        return ValueSet(hashes, None, float(found.theta64))
    keys = list(tally.counts)
    counts = np.fromiter(tally.counts.values(), np.int64, len(keys))
    if one.kind is Kind.TEXT:
        bits = np.array([token_of(str(key)) for key in keys], np.uint64)
    else:
        whole = set(map(type, keys)) <= {int, bool}
        bits = np.array(keys, np.int64 if whole and keys else np.float64).view(np.uint64)
    hashes = theta_hash(bits)
    order = np.argsort(hashes)
    return ValueSet(hashes[order], counts[order], FULL)


def _shares(one: ColumnProfile) -> Shares:
    tally = one.tally
    if tally is None or not one.rows:
        return Shares([], np.empty(0))
    least = tally.missed if not tally.is_exact else 0
    keys = list(tally.counts)
    counts = np.fromiter(tally.counts.values(), np.int64, len(keys))
    order = np.argsort(-counts, kind="stable")[:LISTED]
    order = order[counts[order] > least]
    return Shares(_array([keys[at] for at in order]), counts[order] / one.rows)


def _array(keys: list[Any]) -> Array | list[Any]:
    """Returns numbers of one type as an array, all else as it is."""
    types = set(map(type, keys))
    if types == {float}:
        return np.array(keys, np.float64)
    if types == {int} and -(1 << 63) <= min(keys) <= max(keys) < 1 << 63:
        return np.array(keys, np.int64)
    return keys


def _digits(keys: Array) -> Digits | None:
    looked = keys
    if len(looked) > _LOOKED:
        looked = looked[np.linspace(0, len(looked) - 1, _LOOKED).astype(int)]
    if len(looked) < 5:
        return None
    decimals = np.array(_decimals(looked.tolist()), float)
    variance = float(decimals.var()) / len(decimals)
    tens = int((looked % 10 == 0).sum())
    return Digits(len(looked), float(decimals.mean()), variance, tens)


def _decimals(numbers: list[float]) -> list[int]:
    """Returns how many decimals each number is written with; 12 for more, and for an exponent."""
    tails = [one.partition(".")[2] for one in repr(numbers)[1:-1].split(", ")]
    return [
        0 if one == "0" else 12 if not one or "e" in one else min(len(one), 12) for one in tails
    ]
