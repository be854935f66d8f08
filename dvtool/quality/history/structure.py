"""Hard breaks: columns gone, renamed, moved or of a kind that they never had.

Here the columns of a version are held against those of all earlier ones; no statistics, so that one
earlier version is enough. What is not here: what is remembered of those (`outline`), and the
comparison of two lists of columns (`schema` of the tables). Called by `judging`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.history.outline import Outline, Trace, rows_key
from dvtool.quality.history.portrait import ColumnPortrait, Portrait
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.schema import compare_schema
from dvtool.quality.tables.table import Column

_FEW = 5
"""With fewer versions nobody knows whether they repeat each other."""
_TYPED = 2
"""Columns of numbers or dates that a row of texts must break all of."""
_CHANCE = 1e-3
"""Texts that are all numbers more often than this by chance are no break."""


def breaks(past: Outline, one: Portrait, *, name: str) -> list[Finding]:
    """Returns what is not as it was in any earlier version."""
    before = [
        Column(each, _kind_before(past, each, kind, one.columns.get(each)), "")
        for each, kind in past.latest
    ]
    after = [Column(column.name, column.kind, "") for column in one.order]
    found = []
    for finding in compare_schema(before, after, name=name):
        shown = replace(finding, evidence=Evidence.HISTORY, code=f"history-{finding.code}")
        if finding.code == "column-removed" and _comes_and_goes(past, finding.column):
            shown = replace(shown, severity=Severity.NOTE)
        if finding.code == "column-added" and any(finding.column in p for p in past.versions):
            shown = replace(shown, severity=Severity.NOTE)
        found.append(shown)
    found += _another_writer(past, one, name) + _strange_rows(past, one, name)
    return found + _again(past, one, name)


def _again(past: Outline, one: Portrait, name: str) -> list[Finding]:
    """Returns that all rows are those of an earlier version, where no version repeated one so far."""
    if one.sample is None or not one.rows or len(past.versions) < _FEW:
        return []
    for what, repeats in (("", past.rows), (", apart from their dates", past.undated)):
        earlier = repeats.names.get(rows_key(one, undated=bool(what)))
        if earlier is not None and repeats.are_different and not repeats.is_snapshot:
            message = f"the rows are those of {earlier} again{what}"
            return [Finding("history-same-rows", message, Place(name), Evidence.HISTORY)]
    return []


def _another_writer(past: Outline, one: Portrait, name: str) -> list[Finding]:
    """Returns that format, delimiter or encoding are none that an earlier version had."""
    strange = [reading for reading in one.readings if reading not in past.readings]
    if not past.readings or not strange:
        return []
    seen = ", ".join(sorted(past.readings))
    message = f"read as {strange[0]!r}; every earlier version was {seen!r}"
    return [Finding("history-reading-changed", message, Place(name), Evidence.HISTORY)]


def _strange_rows(past: Outline, one: Portrait, name: str) -> list[Finding]:
    """Returns that rows hold texts wherever others hold numbers or dates, as a header again does."""
    typed = [
        column
        for column in one.order
        if column.kind not in (Kind.TEXT, Kind.LIST, Kind.OTHER) and column.present
    ]
    strange = min((column.unparsed for column in typed), default=0)
    if len(typed) < _TYPED or not strange:
        return []
    for version in past.versions:
        before = [version[column.name].unparsed for column in typed if column.name in version]
        if before and min(before) > 0:
            return []
    rows = "1 row holds" if strange == 1 else f"{strange:,} rows hold"
    message = f"{rows} no value of its kind in any of {len(typed)} columns: a header again?"
    return [Finding("history-strange-rows", message, Place(name), Evidence.HISTORY)]


def _kind_before(past: Outline, name: str, latest: Kind, now: ColumnPortrait | None) -> Kind:
    """Returns the kind a column had; the kind it has now where that is nothing new."""
    if now is None:
        return latest
    filled = [one[name] for one in past.versions if name in one and one[name].present]
    if not now.present or not filled or any(one.kind is now.kind for one in filled):
        return now.kind
    kind = filled[-1].kind
    if kind is Kind.FLOAT and now.kind is Kind.INT:
        return now.kind  # no decimals this time
    if kind is Kind.TEXT and now.kind.is_number and _by_chance(filled, now.present):
        return now.kind
    return kind


def _by_chance(filled: Sequence[Trace], rows: int) -> bool:
    """Tells whether texts that are often numbers could all be numbers in so many rows."""
    numeric = sum(one.numeric or 0 for one in filled)
    total = sum(one.present for one in filled)
    # Numbers throughout, and texts all the same: codes with leading zeros, which are now lost.
    return 0 < numeric < total and (numeric / total) ** min(rows, 10_000) > _CHANCE


def _comes_and_goes(past: Outline, name: str) -> bool:
    had = [name in one for one in past.versions]
    return not all(had[had.index(True) :]) if True in had else False
