"""Outlines: what hard breaks need to know of a past, without its profiles.

Here columns' kinds and rows' digests are taken from portraits, once. What is not here: what a break is
(`structure`). Kept with a remembered past.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import median
from typing import Final, NamedTuple

from dvtool.quality.history.arrays import member
from dvtool.quality.history.portrait import ColumnPortrait, Portrait
from dvtool.quality.kinds import Kind

RowsKey = tuple[int, bytes]
_STEADY: Final = 0.8


class Trace(NamedTuple):
    """One column of one version.

    Args:
        kind: What its values are.
        present: Rows with a value.
        numeric: Texts that are numbers; None where nothing is known of texts.
        unparsed: Rows that hold something else than the column does.
    """

    kind: Kind
    present: int
    numeric: int | None
    unparsed: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """The rows of all versions.

    Args:
        names: Of versions, by their rows' key.
        are_different: Whether no two versions have the same rows.
        is_snapshot: Whether versions mostly hold the rows of the version before: then no change
            is nothing strange.
    """

    names: Mapping[RowsKey, str]
    are_different: bool
    is_snapshot: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """A past, as far as breaks ask for it.

    Args:
        versions: Columns by name, of each version, the oldest first.
        latest: Name and kind of the latest version's columns, those without a history included.
        readings: How any version was read.
        rows: Of the rows as they are.
        undated: Of the rows without their dates.
    """

    versions: tuple[Mapping[str, Trace], ...]
    latest: tuple[tuple[str, Kind], ...]
    readings: frozenset[str]
    rows: Repeats
    undated: Repeats


def outline_of(past: Sequence[Portrait]) -> Outline:
    """Returns the outline of a past that has at least one version."""
    return Outline(
        tuple({name: _trace(one) for name, one in version.columns.items()} for version in past),
        tuple((column.name, column.kind) for column in past[-1].order),
        frozenset(reading for version in past for reading in version.readings),
        _repeats(past, undated=False),
        _repeats(past, undated=True),
    )


def rows_key(version: Portrait, *, undated: bool) -> RowsKey:
    """Returns what tells the rows of one version from those of another, as far as samples do."""
    sample = version.sample
    if sample is None:
        return version.rows, b""
    hashes = sample.undated if undated else sample.hashes
    return version.rows, blake2b(hashes.tobytes(), digest_size=16).digest()


def _trace(one: ColumnPortrait) -> Trace:
    patterns = one.patterns
    numeric = None if one.names is None else (0 if patterns is None else patterns.numeric)
    return Trace(one.kind, one.present, numeric, one.unparsed)


def _repeats(past: Sequence[Portrait], *, undated: bool) -> Repeats:
    keys = [rows_key(one, undated=undated) for one in past]
    names = {key: one.name for key, one in reversed(list(zip(keys, past, strict=True)))}
    return Repeats(names, len(names) == len(keys), _is_snapshot(past, undated=undated))


def _is_snapshot(past: Sequence[Portrait], *, undated: bool) -> bool:
    shares = []
    for before, after in itertools.pairwise(past):
        if before.sample is None or after.sample is None or not after.rows:
            continue
        old = before.sample.undated if undated else before.sample.hashes
        new = after.sample.undated if undated else after.sample.hashes
        bound = min(old[-1], new[-1]) if len(old) and len(new) else 0
        both = new[new <= bound]
        if len(both):
            shares.append(float(member(both, old).mean()))
    return bool(shares) and median(shares) >= _STEADY
