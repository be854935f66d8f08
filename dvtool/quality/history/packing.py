"""Portraits as bytes: plain values, and the numbers of all columns end to end.

Here one version's portrait is packed and unpacked; some twelve thousand columns are read for one
judgement, so that nothing is made that can be cut from an array. What is not here: pickles and what they
may hold (`keeping`, the only caller).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dvtool.quality.history.portrait import (
    EDGES,
    ColumnPortrait,
    Digits,
    Portrait,
    Shares,
    Signs,
    ValueSet,
)
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.moments import Moments
from dvtool.quality.profile.patterns import Patterns
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.profile.rowsample import RowSample
from dvtool.quality.profile.tally import Tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

_KINDS = {one.value: one for one in Kind}
_PRIVACIES = {one.value: one for one in Privacy}


def packed(portrait: Portrait) -> tuple[object, ...]:
    """Returns a whole portrait, but for its name, as values that any pickle holds."""
    columns = portrait.order
    sets = [one.values for one in columns if one.values is not None]
    listed = [one.shares for one in columns]
    return (
        portrait.rows,
        portrait.readings,
        dict(portrait.copies),
        None if portrait.sample is None else portrait.sample.data,
        tuple((name, kind.value) for name, kind in portrait.sampled),
        [_plain(one) for one in columns],
        _joined([one.keys for one in columns], np.float64),
        _joined([one.quantiles for one in columns], np.float64),
        _narrow([one.counts for one in columns if one.counts is not None]),
        _joined([one.hashes for one in sets], np.uint64),
        _narrow([one.counts for one in sets if one.counts is not None]),
        _joined([one.shares for one in listed], np.float64),
        _joined([one.keys for one in listed if _type(one) == "f"], np.float64),
        _joined([one.keys for one in listed if _type(one) == "i"], np.int64),
    )


def unpacked(name: str, data: tuple[Any, ...]) -> Portrait:
    """Returns the portrait that `packed` was given; whatever is raised for anything else."""
    rows, readings, copies, sample, sampled, plain, *arrays = data
    keys, quantiles, counts, hashes, repeats, *listed = arrays
    whole = counts.astype(np.int64), hashes, repeats.astype(np.int64)
    cuts = _Cuts(*map(_Cut, (keys, quantiles, *whole, *listed)))
    order = tuple(_column(rows, one, cuts) for one in plain)
    if not all(one.is_used_up for one in cuts):
        raise ValueError("more numbers than columns have")
    return Portrait(
        name,
        rows,
        order,
        None if sample is None else RowSample(sample),
        tuple((each, _KINDS[kind]) for each, kind in sampled),
        readings,
        copies,
        {one.name: one for one in order},
    )


class _Cut:
    """Cuts pieces off an array, one after the other."""

    def __init__(self, array: Array) -> None:
        self._array = array
        self._at = 0

    def next(self, size: int) -> Array:
        start, self._at = self._at, self._at + size
        return self._array[start : self._at]

    @property
    def is_used_up(self) -> bool:
        return self._at == len(self._array)


class _Cuts(NamedTuple):
    keys: _Cut
    quantiles: _Cut
    counts: _Cut
    hashes: _Cut
    repeats: _Cut
    shares: _Cut
    floats: _Cut
    wholes: _Cut

    def listed(self, many: int, keys: str | list[Any]) -> Shares:
        """Returns the frequent values of a column."""
        shares = self.shares.next(many)
        if isinstance(keys, list):
            return Shares(keys, shares)
        return Shares((self.floats if keys == "f" else self.wholes).next(many), shares)


def _joined(parts: list[Any], kind: type) -> Array:
    return np.concatenate([np.empty(0, kind), *parts]).astype(kind, copy=False)


def _narrow(parts: list[Array]) -> Array:
    """Returns counts end to end, in as few bytes each as the largest takes."""
    found = _joined(parts, np.int64)
    return found.astype(np.min_scalar_type(int(found.max(initial=0))))


def _plain(one: ColumnPortrait) -> tuple[object, ...]:
    moments, values, patterns = one.moments, one.values, one.patterns
    return (
        one.name,
        one.kind.value,
        one.privacy.value,
        one.nulls,
        one.unparsed,
        one.distinct,
        one.distinct_error,
        moments and (moments.n, moments.mean, moments.m2, moments.m3, moments.m4),
        one.signs and tuple(one.signs),
        one.digits and tuple(one.digits),
        (len(one.keys), one.counts is not None),
        one.listed,
        values and (len(values.hashes), values.counts is not None, values.theta),
        (len(one.shares), _type(one.shares) or one.shares.keys),
        patterns
        and (
            patterns.classes,
            patterns.blank,
            patterns.padded,
            patterns.numeric,
            patterns.upper,
            patterns.lower,
            _plain_tally(patterns.shapes),
            patterns.error,
        ),
        one.forms and _plain_tally(one.forms),
        one.names if one.names is None else dict(one.names),
    )


def _type(shares: Shares) -> str:
    """Returns the kind of the values' array, empty where they stand in a list."""
    return "" if isinstance(shares.keys, list) else shares.keys.dtype.kind


def _plain_tally(tally: Tally) -> tuple[object, ...]:
    return dict(tally.counts), tally.missed, tally.total


def _column(rows: int, plain: tuple[Any, ...], cuts: _Cuts) -> ColumnPortrait:
    (
        name,
        kind,
        privacy,
        nulls,
        unparsed,
        distinct,
        distinct_error,
        moments,
        signs,
        digits,
        (width, is_counted),
        listed,
        values,
        shares,
        patterns,
        forms,
        names,
    ) = plain
    known = None
    if values is not None:
        many, repeat, theta = values
        known = ValueSet(cuts.hashes.next(many), cuts.repeats.next(many) if repeat else None, theta)
    looks = None
    if patterns is not None:
        classes, blank, padded, numeric, upper, lower, shapes, error = patterns
        looks = Patterns(classes, blank, padded, numeric, upper, lower, Tally(*shapes), error)
    return ColumnPortrait(
        name,
        _KINDS[kind],
        _PRIVACIES[privacy],
        rows,
        nulls,
        unparsed,
        distinct,
        distinct_error,
        moments and Moments(*moments),
        signs and Signs(*signs),
        digits and Digits(*digits),
        cuts.keys.next(width),
        cuts.counts.next(width) if is_counted else None,
        cuts.quantiles.next(len(EDGES) if width else 0),
        listed,
        known,
        cuts.listed(*shares),
        looks,
        forms and Tally(*forms),
        names,
    )
