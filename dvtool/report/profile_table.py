"""Profiles on one screen, and the same facts for machines.

Nothing is computed here but what a profile answers, and values of private columns appear in
neither form. Called by `dvtool.cli`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from typing import Any

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.days import day_text
from dvtool.quality.profile.model import ColumnProfile, Profile
from dvtool.quality.profile.privacy import Privacy

SHOWN_VALUES = 3
VALUE_WIDTH = 24
_HEAD = ("column", "kind", "nulls", "distinct", "min", "mean", "max", "values")
_QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_TOKEN = re.compile(r"#[0-9a-f]{16}")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def profile_lines(
    profile: Profile, *, private: frozenset[str] = frozenset(), verbose: bool = False
) -> Iterator[str]:
    """Yields a table with a line a column; nothing for a table without columns.

    Args:
        profile: Of one file, or of several together.
        private: Columns of which no value is shown, whatever the profile keeps.
        verbose: Show quantiles, lengths and shapes under each column as well.
    """
    if not profile.columns:
        return
    rows = [_HEAD, *(_cells(one, is_private=_hides(one, private)) for one in profile.columns)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    for number, row in enumerate(rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()
        if verbose and number:
            column = profile.columns[number - 1]
            yield from (f"      {line}" for line in _more(column, _hides(column, private)))


def profile_facts(profile: Profile, *, private: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Returns a profile's figures as JSON values; what is not known is null, never 0.

    Moments come as ISO 8601 text; sketches are answered, not told.
    """
    return {
        "rows": profile.rows,
        "size_bytes": profile.size_bytes,
        "label": profile.label,
        "columns": [_facts(one, is_private=_hides(one, private)) for one in profile.columns],
    }


def _hides(column: ColumnProfile, private: frozenset[str]) -> bool:
    return column.name in private or column.privacy is Privacy.PRIVATE


# -- for people ------------------------------------------------------------------------------------


def _cells(column: ColumnProfile, *, is_private: bool) -> tuple[str, ...]:
    nulls = f"{column.nulls:,}"
    if column.nulls and column.null_share is not None:
        nulls += f" ({column.null_share:.2%})"
    if is_private:
        return _flat(column.name), column.kind.value, nulls, "-", "-", "-", "-", "private"
    known = _distinct(column)
    distinct = "-" if known is None else f"{known:,.0f}"
    if column.distinct_error:
        distinct = f"~{distinct}"
    low, mean, high = "-", "-", "-"
    if column.kind is Kind.BOOL:
        mean = "-" if column.true_share is None else f"{column.true_share:.2%} true"
    elif column.numbers is not None and column.numbers.low is not None:
        low, high = shown(column.kind, column.numbers.low), shown(column.kind, column.numbers.high)
        mean = shown(column.kind, column.mean, is_mean=True)
    return _flat(column.name), column.kind.value, nulls, distinct, low, mean, high, _values(column)


def _distinct(column: ColumnProfile) -> float | None:
    """Returns the number of different values; an estimate is never above the number of values."""
    return None if column.distinct is None else min(column.distinct, column.present)


def _values(column: ColumnProfile) -> str:
    if column.kind is Kind.LIST:
        return "figures are those of lengths"
    top = _top(column)
    if top:
        return ", ".join(f"{_short(name)} {share:.1%}" for name, share in top[:SHOWN_VALUES])
    if column.texts is not None and column.texts.lengths.low is not None:
        return f"{column.texts.lengths.low} to {column.texts.lengths.high} characters"
    return ""


def _top(column: ColumnProfile) -> list[tuple[str, float]]:
    """Returns the most frequent values that may be told, where they tell something."""
    tally = column.tally
    if tally is None or not tally.counts or column.kind not in (Kind.TEXT, Kind.BOOL):
        return []
    names = column.texts.names if column.texts is not None else {}
    found = []
    for key, count in tally.top(10):
        name = names.get(str(key), str(key))
        if column.kind is Kind.BOOL:
            name = "true" if key else "false"
        # Counts of 1 single out rows; a token tells a person nothing.
        if count > 1 and not _TOKEN.fullmatch(name):
            found.append((name, count / tally.total))
    return found


def _more(column: ColumnProfile, is_private: bool) -> Iterator[str]:
    if column.unparsed:
        yield f"{column.unparsed:,} rows say something that is no {column.kind.value}"
    if is_private:
        return
    numbers = column.numbers
    if numbers is not None and numbers.low is not None and column.kind is not Kind.BOOL:
        quantiles = (
            f"{share:.0%} {shown(column.kind, numbers.quantile(share))}" for share in _QUANTILES
        )
        error = f" (ranks within {numbers.rank_error:.2%})" if numbers.rank_error else ""
        yield f"quantiles{error}: {', '.join(quantiles)}"
        if column.std is not None and not column.kind.is_moment:
            yield f"std {column.std:.6g}, zeros {numbers.zeros:,}, below zero {numbers.negatives:,}"
        if numbers.not_finite:
            yield f"{numbers.not_finite:,} values are NaN or infinite and left out"
    if column.days is not None and column.days.runs:
        gaps = column.days.gaps()
        yield f"days {column.days.count:,}, gaps between them {len(gaps):,}"
    texts = column.texts
    if texts is not None and texts.lengths.low is not None:
        lengths = texts.lengths
        yield f"length {lengths.low} to {lengths.high} characters, mean {lengths.moments.mean:.4g}"
        if texts.patterns is not None and texts.patterns.shapes.total:
            shapes = texts.patterns.shapes.top(SHOWN_VALUES)
            total = texts.patterns.shapes.total
            listed = ", ".join(f"{_short(str(one))} {count / total:.1%}" for one, count in shapes)
            yield f"shapes {listed}"


def shown(kind: Kind, value: float | None, *, is_mean: bool = False) -> str:
    """Returns a number of a profile as a person writes it: dates as dates, times as times.

    `-` for None.
    """
    if value is None or not math.isfinite(value):
        return "-"
    if kind is Kind.DATE:
        return day_text(math.floor(value))
    if kind is Kind.DATETIME:
        try:
            moment = _EPOCH + dt.timedelta(microseconds=round(value))
        except OverflowError:
            return str(value)
        return moment.strftime("%Y-%m-%d %H:%M:%S")
    if kind is Kind.TIME:
        seconds, _ = divmod(round(value), 1_000_000)
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if is_mean or isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _short(text: str) -> str:
    flat = _flat(text)
    return flat if len(flat) <= VALUE_WIDTH else f"{flat[: VALUE_WIDTH - 1]}…"


def _flat(text: str) -> str:
    """Returns a text that stays on its line and moves no cursor."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


# -- for machines ----------------------------------------------------------------------------------


def _facts(column: ColumnProfile, *, is_private: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": column.name,
        "kind": column.kind.value,
        "privacy": Privacy.PRIVATE.value if is_private else column.privacy.value,
        "rows": column.rows,
        "nulls": column.nulls,
        "unparsed": column.unparsed,
    }
    if is_private:
        return facts
    facts["distinct"] = _distinct(column)
    facts["distinct_error"] = column.distinct_error
    numbers = column.numbers
    if numbers is not None:
        kind = column.kind
        facts |= {
            "min": _machine(kind, numbers.low),
            "max": _machine(kind, numbers.high),
            "mean": _machine(kind, column.mean),
            "std": column.std,
            "zeros": numbers.zeros,
            "negatives": numbers.negatives,
            "not_finite": numbers.not_finite,
            "quantiles": {
                f"{share:g}": _machine(kind, numbers.quantile(share)) for share in _QUANTILES
            },
            "rank_error": numbers.rank_error,
        }
    if column.texts is not None:
        lengths = column.texts.lengths
        facts["lengths"] = {"min": lengths.low, "max": lengths.high, "mean": _mean(column)}
        if column.texts.patterns is not None:
            shapes = column.texts.patterns.shapes.top(10)
            facts["shapes"] = [{"shape": str(one), "rows": count} for one, count in shapes]
    facts["top"] = [{"value": name, "share": share} for name, share in _top(column)]
    return facts


def _mean(column: ColumnProfile) -> float | None:
    assert column.texts is not None
    moments = column.texts.lengths.moments
    return moments.mean if moments.n else None


def _machine(kind: Kind, value: float | None) -> float | str | None:
    if value is None or not (kind.is_moment or kind is Kind.TIME):
        return value
    return shown(kind, value).replace(" ", "T")
