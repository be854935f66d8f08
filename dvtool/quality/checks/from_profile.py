"""Checks answered from a profile: bounds and statistics of a version whose bytes are not here.

Answers only what a profile knows exactly, and names every other key as open; the bytes answer
those. Called by `dvtool.ops.since`; judging a table itself is `evaluate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from dvtool.quality.checks.bounds import Bound, spelt
from dvtool.quality.checks.model import ColumnSpec, TableSpec
from dvtool.quality.findings import Evidence, Finding, Place
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.model import ColumnProfile, Profile
from dvtool.quality.profile.privacy import Privacy

_SAY_NOTHING: Final = frozenset({"optional", "private", "public", "severity"})
_TABLE_SAYS_NOTHING: Final = frozenset(
    {"columns", "label", "severity", "ignore", "read", "history", "group", "rows", "other_columns"}
)


DRIFT: Final = "drift"
"""The key of whatever is compared with a baseline, table-wide or of a column."""
_CODES: Final = {"rules": "rule"}
"""Keys whose findings are called otherwise."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a profile says about checks.

    Attributes:
        findings: What is violated.
        open: Findings that it cannot tell: `email.matches`, `rule`.
    """

    findings: tuple[Finding, ...]
    open: tuple[str, ...]


def judge_profile(
    profile: Profile, spec: TableSpec, *, name: str, source: str, rows_before: int | None
) -> Answer:
    """Returns what is violated for certain, and what a profile cannot answer.

    Args:
        profile: Of the table.
        spec: Its checks.
        name: The file, as the user knows it.
        source: The checks file, for `rule`.
        rows_before: Rows of the version before, None when not known.
    """
    place = Place(name)
    findings: list[Finding] = []
    unknown = [_CODES.get(key, key) for key in spec.lines if key not in _TABLE_SAYS_NOTHING]
    findings += _rows(profile, spec, place, source)
    if spec.rows is not None and spec.rows.change is not None:
        if rows_before is None:
            unknown.append("rows-change")
        elif rows_before:
            change = 100 * (profile.rows - rows_before) / rows_before
            if not spec.rows.change.holds(change):
                said = f"{rows_before:,} rows became {profile.rows:,} ({change:+.4g}%)"
                allowed = spec.rows.change.words()
                rule = spec.rows.at("change", source)
                findings.append(_violated("rows-change", f"{said}, allowed {allowed}", place, rule))
    if spec.other_columns != "allow":
        unknown.append("other-columns")
    for entry in spec.columns:
        column = profile.column(entry.name)
        if column is None:
            if not entry.optional:
                rule = Place(source, entry.line)
                said = f"no column {entry.name}"
                findings.append(_violated("missing-column", said, place, rule, entry.name))
            continue
        for key in entry.lines:
            if key in _SAY_NOTHING:
                continue
            answer = _answer(column, entry, key)
            if answer is None:
                unknown.append(f"{entry.name}.{key}")
            elif answer:
                rule = entry.at(key, source)
                findings.append(_violated(key, answer, place, rule, entry.name))
    return Answer(tuple(findings), tuple(unknown))


def _rows(profile: Profile, spec: TableSpec, place: Place, source: str) -> Iterator[Finding]:
    if spec.rows is None:
        return
    least, most = spec.rows.min, spec.rows.max
    if least is not None and profile.rows < least:
        said = f"{profile.rows} rows, allowed at least {least}"
        yield _violated("rows", said, place, spec.rows.at("min", source))
    if most is not None and profile.rows > most:
        said = f"{profile.rows} rows, allowed at most {most}"
        yield _violated("rows", said, place, spec.rows.at("max", source))


def _violated(code: str, message: str, place: Place, rule: Place, column: str = "") -> Finding:
    return Finding(code, message, place, Evidence.STATISTICS, column, rule=rule)


def _answer(column: ColumnProfile, entry: ColumnSpec, key: str) -> str | None:
    """Returns what is violated, empty for nothing, None where the profile does not know."""
    wanted = entry.type
    is_as_declared = wanted is None or column.kind is wanted
    if column.unparsed or not (is_as_declared or (wanted, column.kind) == (Kind.FLOAT, Kind.INT)):
        return None  # which cells count as values follows from the bytes
    if column.numbers is not None and column.numbers.not_finite:
        return None  # NaN is missing for checks, and is not told from infinity here
    if key == "type":
        return ""
    if key == "nulls" and entry.nulls is not None:
        of = f"{column.nulls} of {column.rows} values missing"
        return _counted(entry.nulls, column.nulls, column.rows, of)
    if key in ("min", "max"):
        return _end(column, key, entry.min if key == "min" else entry.max)
    if key in ("mean", "std") and column.kind in (Kind.INT, Kind.FLOAT):
        bound: Bound | None = getattr(entry, key)
        return _figure(bound, column.mean if key == "mean" else column.std, key)
    if key in ("distinct", "unique"):
        return _distinct(column, entry, key)
    if key == "length" and column.texts is not None and entry.length is not None:
        return _lengths(column, entry.length)
    if key == "in":
        return _values(column, entry)
    return None


def _counted(bound: Bound, count: int, total: int, said: str) -> str:
    return "" if bound.holds_count(count, total) else f"{said}, allowed {bound.words()}"


def _figure(bound: Bound | None, figure: float | None, key: str) -> str | None:
    if bound is None or figure is None:
        return None
    return "" if bound.holds(figure) else f"{key} {figure:.6g}, allowed {bound.words()}"


def _end(column: ColumnProfile, key: str, limit: float | str | None) -> str | None:
    if column.numbers is None or column.kind not in (Kind.INT, Kind.FLOAT):
        return None
    if limit is None or isinstance(limit, str):
        return None
    found = column.numbers.low if key == "min" else column.numbers.high
    if found is None:
        return ""  # no value at all breaks no limit
    if (found >= limit) if key == "min" else (found <= limit):
        return ""
    word = "below" if key == "min" else "above"
    return f"values {word} {spelt(limit)}, such as {spelt(found)}"


def _distinct(column: ColumnProfile, entry: ColumnSpec, key: str) -> str | None:
    found = column.distinct
    if found is None or column.distinct_error:
        return None
    if key == "unique":
        repeated = column.present - int(found)
        return f"{repeated} values occur again" if entry.unique and repeated else ""
    if entry.distinct is None:
        return None
    return _counted(entry.distinct, int(found), column.present, f"{int(found)} different values")


def _lengths(column: ColumnProfile, bound: Bound) -> str | None:
    assert column.texts is not None
    low, high = column.texts.lengths.low, column.texts.lengths.high
    if low is None or high is None:
        return ""
    if bound.holds(low) and bound.holds(high):
        return ""
    return f"lengths from {low:g} to {high:g}, allowed {bound.words()}"


def _values(column: ColumnProfile, entry: ColumnSpec) -> str | None:
    texts = column.texts
    if texts is None or texts.tally is None or not texts.tally.is_exact or entry.private:
        return None
    tokens = [str(one) for one in texts.tally.counts]
    found = set(tokens)
    if column.privacy is not Privacy.PUBLIC:
        if any(one not in texts.names for one in tokens):
            return None  # a text that may not be told
        found = {texts.names[one] for one in tokens}
    others = sorted(found - {str(one) for one in entry.allowed})
    return f"{len(others)} values that are not in the list, such as {others[0]!r}" if others else ""
