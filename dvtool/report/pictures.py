"""What a page draws of a column: two distributions over the same bins, and figures over time.

Numbers in, numbers between 0 and 1 out; no markup. Everything comes from profiles, so values that
may not be told are not there to be drawn. Called by `html`, whose templates make SVG of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.model import ColumnProfile
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.profile.tally import Tally
from dvtool.report.harmless import harmless
from dvtool.report.model import Past
from dvtool.report.profile_table import shown

BINS: Final = 24
MOST_BARS: Final = 8
_OUTER: Final = 0.005
"""Share of the values at either end that may lie beyond the drawn range."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Two distributions over equal bins; shares of the higher one's highest bin, 0 to 1.

    Attributes:
        now: Of what is judged, a height a bin; empty when it has no value.
        before: Of the baseline; likewise.
        low: Lower end of the range, as people write it.
        high: Upper end.
        about: What the range leaves out, empty for nothing.
    """

    now: tuple[float, ...]
    before: tuple[float, ...]
    low: str
    high: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One category: its share of the values now and before, None when it is not known."""

    name: str
    now: float | None
    before: float | None


@dataclass(frozen=True, slots=True)
class Bars:
    """The most frequent categories of both sides together, and how many more there are."""

    bars: tuple[Bar, ...]
    more: int

    @property
    def top(self) -> float:
        """The largest share, for the scale."""
        return max(side for one in self.bars for side in (one.now, one.before, 1e-9) if side)


@dataclass(frozen=True, slots=True)
class Line:
    """A figure over past versions, the judged one last.

    Attributes:
        name: Which figure.
        points: From 0, lowest, to 1, highest of all; None for a version nothing is known of.
        low: Lowest, as people write it.
        high: Highest.
        last: The judged version's.
    """

    name: str
    points: tuple[float | None, ...]
    low: str
    high: str
    last: str


def distribution(
    now: ColumnProfile | None, before: ColumnProfile | None
) -> Histogram | Bars | None:
    """Returns how the values are distributed; None where nothing may or can be told."""
    one = now or before
    if one is None:
        return None
    if before is not None and now is not None and not _are_alike(before.kind, now.kind):
        before = None
    if one.kind in (Kind.TEXT, Kind.BOOL):
        return _bars(now, before)
    return _histogram(one.kind, now, before)


def lines(name: str, now: ColumnProfile | None, past: Sequence[Past]) -> list[Line]:
    """Returns the figures of one column over time; none without at least two known versions."""
    then = [None if one.profile is None else one.profile.column(name) for one in past]
    kind = now.kind if now is not None else Kind.TEXT
    series = {
        "missing": [_nulls(one) for one in (*then, now)],
        "distinct": [None if one is None else one.distinct for one in (*then, now)],
    }
    if now is not None and now.kind.is_number:
        series["mean"] = [None if one is None else one.mean for one in (*then, now)]
    drawn = (_line(what, values, partial(_figure, what, kind)) for what, values in series.items())
    return [one for one in drawn if one is not None]


def rows_line(rows: int, past: Sequence[Past]) -> Line | None:
    """Returns the number of rows over time; None without at least two known versions."""
    values: list[float | None] = [None if one.profile is None else one.profile.rows for one in past]
    return _line("rows", [*values, rows], lambda value: f"{value:,.0f}")


def _are_alike(one: Kind, other: Kind) -> bool:
    return one is other or (one.is_number and other.is_number)


# -- distributions ---------------------------------------------------------------------------------


def _histogram(
    kind: Kind, now: ColumnProfile | None, before: ColumnProfile | None
) -> Histogram | None:
    sides = [one for one in (now, before) if one is not None and _has_numbers(one)]
    if not sides:
        return None
    low = min(_end(one, _OUTER) for one in sides)
    high = max(_end(one, 1 - _OUTER) for one in sides)
    if not (math.isfinite(low) and math.isfinite(high)) or not math.isfinite(high - low):
        return None
    if high <= low:
        low, high = low - 0.5, high + 0.5
    shares = [_shares(one, low, high) for one in (now, before)]
    top = max((share for side in shares for share in side), default=0.0) or 1.0
    heights = [tuple(share / top for share in side) for side in shares]
    least = min(one.quantile(0) or 0 for one in sides)
    most = max(one.quantile(1) or 0 for one in sides)
    beyond = least < low or most > high
    about = f"values reach from {_edge(kind, least)} to {_edge(kind, most)}" if beyond else ""
    return Histogram(heights[0], heights[1], _edge(kind, low), _edge(kind, high), about)


def _has_numbers(column: ColumnProfile) -> bool:
    return column.numbers is not None and column.numbers.low is not None


def _end(column: ColumnProfile, share: float) -> float:
    value = column.quantile(share)
    assert value is not None
    return float(value)


def _shares(column: ColumnProfile | None, low: float, high: float) -> tuple[float, ...]:
    """Returns the share of the values in each bin; what lies outside counts to the outermost."""
    if column is None or not _has_numbers(column):
        return ()
    assert column.numbers is not None
    if column.numbers.quantiles is None:
        return _counted(column.numbers.tally, low, high)
    step = (high - low) / BINS
    # A bin holds its lower edge and not its upper one, as whole numbers in narrow bins need.
    edges = (math.nextafter(low + number * step, -math.inf) for number in range(1, BINS))
    reached = [0.0, *(column.cdf(edge) or 0.0 for edge in edges), 1.0]
    return tuple(max(0.0, b - a) for a, b in pairwise(reached))


def _counted(tally: Tally, low: float, high: float) -> tuple[float, ...]:
    counts = [0] * BINS
    for value, count in tally.counts.items():
        place = int((float(value) - low) / (high - low) * BINS)
        counts[min(max(place, 0), BINS - 1)] += count
    return tuple(count / tally.total for count in counts)


def _edge(kind: Kind, value: float) -> str:
    if kind.is_number and value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}" if kind.is_number else shown(kind, value)


def _bars(now: ColumnProfile | None, before: ColumnProfile | None) -> Bars | None:
    shares = [_named(one) for one in (now, before)]
    if not any(shares):
        return None
    known = {name: max(side.get(name, 0.0) for side in shares) for side in shares for name in side}
    order = sorted(known, key=lambda name: (-known[name], name))
    bars = tuple(
        Bar(
            harmless(name),
            shares[0].get(name, 0.0) if now is not None else None,
            shares[1].get(name, 0.0) if before is not None else None,
        )
        for name in order[:MOST_BARS]
    )
    return Bars(bars, len(order) - len(bars))


def _named(column: ColumnProfile | None) -> dict[str, float]:
    """Returns shares by category, of those whose names may be told."""
    if column is None:
        return {}
    if column.kind is Kind.BOOL:
        share = column.true_share
        return {} if share is None else {"true": share, "false": 1 - share}
    names = set(column.texts.names.values()) if column.texts is not None else set()
    is_public = column.privacy is Privacy.PUBLIC
    # A token tells a person nothing, and a value that stands once singles out a row.
    return {
        name: share
        for name, share in column.shares().items()
        if name in names or (is_public and not name.startswith("#") and share * column.present > 1)
    }


# -- figures over time -----------------------------------------------------------------------------


def _line(name: str, values: Sequence[float | None], write: Callable[[float], str]) -> Line | None:
    known = [one for one in values if one is not None and math.isfinite(one)]
    last = values[-1]
    if len(known) < 2 or last is None or not math.isfinite(last):
        return None
    low, high = min(known), max(known)
    width = (high - low) or 1.0
    points = tuple(
        None if one is None or not math.isfinite(one) else (one - low) / width for one in values
    )
    return Line(name, points, write(low), write(high), write(last))


def _nulls(column: ColumnProfile | None) -> float | None:
    return None if column is None else column.null_share


def _figure(what: str, kind: Kind, value: float) -> str:
    if what == "missing":
        return f"{value:.2%}"
    return f"{value:,.0f}" if what == "distinct" else shown(kind, value, is_mean=True)
