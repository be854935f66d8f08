"""Hard breaks: columns gone, renamed, moved or of a kind that they never had.

Here the columns of a version are held against those of all earlier ones; no statistics, so that two
earlier versions are enough. What is not here: the comparison of two lists of columns (`schema` of
the tables). Called by `judging`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.history.arrays import member
from dvtool.quality.history.portrait import ColumnPortrait, Portrait
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.model import ColumnProfile
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.table import Column

_STEADY = 0.8
_FEW = 5
"""With fewer versions nobody knows whether they repeat each other."""
_TYPED = 2
"""Columns of numbers or dates that a row of texts must break all of."""
_CHANCE = 1e-3
"""Texts that are all numbers more often than this by chance are no break."""


def breaks(past: Sequence[Portrait], one: Portrait, *, name: str) -> list[Finding]:
    """Returns what is not as it was in any earlier version; nothing without an earlier version."""
    if not past:
        return []
    latest = past[-1]
    before = [
        Column(column.name, _kind_before(past, column, one.columns.get(column.name)), "")
        for column in latest.profile.columns
    ]
    after = [Column(column.name, column.kind, "") for column in one.profile.columns]
    found = []
    for finding in compare_schema(before, after, name=name):
        shown = replace(finding, evidence=Evidence.HISTORY, code=f"history-{finding.code}")
        if finding.code == "column-removed" and _comes_and_goes(past, finding.column):
            shown = replace(shown, severity=Severity.NOTE)
        if finding.code == "column-added" and any(finding.column in p.columns for p in past):
            shown = replace(shown, severity=Severity.NOTE)
        found.append(shown)
    found += _another_writer(past, one, name) + _strange_rows(past, one, name)
    return found + _again(past, one, name)


def _again(past: Sequence[Portrait], one: Portrait, name: str) -> list[Finding]:
    """Returns that all rows are those of an earlier version, where no version repeated one so far."""
    if one.sample is None or not one.rows or len(past) < _FEW:
        return []
    for what, undated in (("", False), (", apart from their dates", True)):
        keys = [_rows_key(version, undated=undated) for version in past]
        now = _rows_key(one, undated=undated)
        if now in keys and len(set(keys)) == len(keys) and not _is_snapshot(past, undated=undated):
            earlier = past[keys.index(now)].name
            message = f"the rows are those of {earlier} again{what}"
            return [Finding("history-same-rows", message, Place(name), Evidence.HISTORY)]
    return []


def _is_snapshot(past: Sequence[Portrait], *, undated: bool) -> bool:
    """Tells whether versions mostly hold the rows of the version before: then no change is none."""
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


def _rows_key(version: Portrait, *, undated: bool) -> tuple[int, bytes]:
    sample = version.sample
    if sample is None:
        return version.rows, b""
    hashes = sample.undated if undated else sample.hashes
    return version.rows, hashes.tobytes()


def _another_writer(past: Sequence[Portrait], one: Portrait, name: str) -> list[Finding]:
    """Returns that format, delimiter or encoding are none that an earlier version had."""
    seen = {reading for version in past for reading in version.profile.readings}
    strange = [reading for reading in one.profile.readings if reading not in seen]
    if not seen or not strange:
        return []
    message = f"read as {strange[0]!r}; every earlier version was {', '.join(sorted(seen))!r}"
    return [Finding("history-reading-changed", message, Place(name), Evidence.HISTORY)]


def _strange_rows(past: Sequence[Portrait], one: Portrait, name: str) -> list[Finding]:
    """Returns that rows hold texts wherever others hold numbers or dates, as a header again does."""
    typed = [
        column
        for column in one.profile.columns
        if column.kind not in (Kind.TEXT, Kind.LIST, Kind.OTHER) and column.present
    ]
    strange = min((column.unparsed for column in typed), default=0)
    if len(typed) < _TYPED or not strange:
        return []
    names = [column.name for column in typed]
    for version in past:
        before = [
            version.columns[each].profile.unparsed for each in names if each in version.columns
        ]
        if before and min(before) > 0:
            return []
    rows = "1 row holds" if strange == 1 else f"{strange:,} rows hold"
    message = f"{rows} no value of its kind in any of {len(typed)} columns: a header again?"
    return [Finding("history-strange-rows", message, Place(name), Evidence.HISTORY)]


def _kind_before(
    past: Sequence[Portrait], column: ColumnProfile, now: ColumnPortrait | None
) -> Kind:
    """Returns the kind a column had; the kind it has now where that is nothing new."""
    if now is None:
        return column.kind
    seen = [one.columns[column.name] for one in past if column.name in one.columns]
    filled = [one for one in seen if one.present]
    if not now.present or not filled or any(one.kind is now.kind for one in filled):
        return now.kind
    kind = filled[-1].kind
    if kind is Kind.FLOAT and now.kind is Kind.INT:
        return now.kind  # no decimals this time
    if kind is Kind.TEXT and now.kind.is_number and _by_chance(filled, now.present):
        return now.kind
    return kind


def _by_chance(filled: Sequence[ColumnPortrait], rows: int) -> bool:
    """Tells whether texts that are often numbers could all be numbers in so many rows."""
    texts = [one.profile.texts for one in filled if one.profile.texts is not None]
    numeric = sum(one.patterns.numeric for one in texts if one.patterns is not None)
    total = sum(one.present for one in filled)
    # Numbers throughout, and texts all the same: codes with leading zeros, which are now lost.
    return 0 < numeric < total and (numeric / total) ** min(rows, 10_000) > _CHANCE


def _comes_and_goes(past: Sequence[Portrait], name: str) -> bool:
    had = [name in one.columns for one in past]
    return not all(had[had.index(True) :]) if True in had else False
