"""Checks suggested from how a table has been: each with the reason, none that its past breaks.

From one version only types, missing values, keys and lists of values are said. From several, also
bounds; a bound is replayed over the versions themselves and widened, or left out, until it would
have let every one of them pass. Pure: facts in, specs out. Called by `dvtool.ops.suggest`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.checks.model import ColumnSpec, RowsSpec, TableSpec
from dvtool.quality.facts import ColumnFacts, TableFacts
from dvtool.quality.kinds import Kind

ENOUGH_VERSIONS: Final = 5
"""Versions from which on bounds are suggested."""
ENOUGH_ROWS: Final = 100
"""Rows from which on a list of values is taken for the whole list."""
SIGMAS: Final = 6.0
"""Standard deviations, over versions, that a mean may lie off; doubled where the past needs it."""
CONFIDENCE: Final = 6.9
"""-ln(0.001): no missing value in n rows means a share below 6.9 / n, at 99.9 %."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A spec, and why each part of it: by path, as `dump` takes its comments."""

    spec: TableSpec
    reasons: dict[tuple[str, ...], str]


def suggest_table(versions: Sequence[TableFacts], *, path: str = "") -> Suggestion:
    """Returns checks that every one of the versions passes.

    Args:
        versions: Oldest first; the newest decides which columns there are. At least one.
        path: Of the table under `tables:`; empty for a file of its own.
    """
    newest = versions[-1]
    reasons: dict[tuple[str, ...], str] = {}
    columns = []
    for name in newest.columns:
        past = [one.columns[name] for one in versions if name in one.columns]
        column, why = _suggest_column(name, past, len(versions))
        columns.append(column)
        reasons["columns", name] = why
    key, why = _key(versions)
    if key:
        reasons["key",] = why
    rows, why = _rows([one.rows for one in versions])
    if why:
        reasons["rows",] = why
    spec = TableSpec(path=path, columns=tuple(columns), key=key, rows=rows)
    return Suggestion(spec, reasons)


def _suggest_column(
    name: str, past: Sequence[ColumnFacts], versions: int
) -> tuple[ColumnSpec, str]:
    if any(one.unparsed for one in past):
        return _suggest_mixed(name, past, versions)
    newest = past[-1]
    kinds = {one.kind for one in past if one.nulls < one.rows}
    why = [f"{newest.kind.value} in {_of(len(past))}"]
    kind: Kind | None = newest.kind
    if len(kinds) > 1:
        why = [f"{' and '.join(sorted(one.value for one in kinds))} over {len(past)} versions"]
        kind = Kind.FLOAT if kinds <= {Kind.INT, Kind.FLOAT} else None
    elif kind is Kind.INT and not newest.rows - newest.nulls:
        kind = None
    nulls, said = _nulls(past)
    why.append(said)
    allowed, said = _values(past)
    why += [said] if said else []
    low, high, said = _range(past)
    why += [said] if said else []
    mean, said = _mean(past)
    why += [said] if said else []
    column = ColumnSpec(
        name=name,
        type=kind if kind is not Kind.OTHER else None,
        optional=len(past) < versions,
        nulls=nulls,
        allowed=allowed,
        min=low,
        max=high,
        mean=mean,
    )
    return column, "; ".join(why)


def _suggest_mixed(name: str, past: Sequence[ColumnFacts], versions: int) -> tuple[ColumnSpec, str]:
    """Returns checks of a column that looks like numbers, and in which other texts occur."""
    odd, kind = sum(one.unparsed for one in past), past[-1].kind.value
    as_text = [replace(one, nulls=max(one.nulls - one.unparsed, 0)) for one in past]
    nulls, said = _nulls(as_text)
    why = f"{odd:,} values in {_of(len(past))} are not {kind}, so it is text; {said}"
    optional = len(past) < versions
    return ColumnSpec(name=name, type=Kind.TEXT, optional=optional, nulls=nulls), why


def _nulls(past: Sequence[ColumnFacts]) -> tuple[Bound | None, str]:
    rows = sum(one.rows for one in past)
    missing = sum(one.nulls for one in past)
    if not rows:
        return None, "no rows to count missing values in"
    if len(past) >= 2 * ENOUGH_VERSIONS and not missing:
        return Bound(high=0), f"no value missing in {len(past)} versions"
    if missing == rows:
        return None, "no values at all"
    shares = [one.nulls / one.rows for one in past if one.rows]
    worst = max(shares)
    # The next version's own sampling error on top of what was seen, and twice the spread.
    n = min(one.rows for one in past if one.rows)
    upper = worst + 4 * math.sqrt(worst * (1 - worst) / n) + CONFIDENCE / n
    upper += 2 * (max(shares) - min(shares))
    if upper >= 0.9:
        few = "too many missing" if worst >= 0.5 else "too few rows"
        return None, f"{missing:,} of {rows:,} values missing, {few} for a bound"
    share = _round_up(100 * upper)
    said = f"{missing:,} of {rows:,} values missing" if missing else f"none of {rows:,} missing"
    return Bound(high=share, percent=True), said


def _values(past: Sequence[ColumnFacts]) -> tuple[tuple[str | bool, ...], str]:
    newest = past[-1]
    kinds = (Kind.TEXT, Kind.BOOL, Kind.LIST)
    if newest.kind not in kinds or not all(one.values for one in past):
        return (), ""
    seen: dict[str, int] = {}
    news = 0
    for number, one in enumerate(past):
        fresh = one.values.keys() - seen.keys()
        if fresh and number >= len(past) // 2 and number:
            news += 1
        for value, count in one.values.items():
            seen[value] = seen.get(value, 0) + count
    rows = sum(seen.values())
    # Values seen once or twice announce others that were not seen yet (Good 1953).
    rare = sum(count <= 2 for count in seen.values())
    if news or rare or rows < ENOUGH_ROWS or rows < 20 * len(seen):
        return (), ""
    if newest.kind is Kind.BOOL:
        return (), ""
    if set(seen) != set().union(*(one.values for one in past[-max(1, len(past) // 2) :])):
        return (), ""
    return tuple(
        sorted(seen)
    ), f"these {len(seen)} values, each at least {min(seen.values())} times"


def _range(
    past: Sequence[ColumnFacts],
) -> tuple[float | int | None, float | int | None, str]:
    if len(past) < ENOUGH_VERSIONS or not past[-1].kind.is_number:
        return None, None, ""
    lows = [one.low for one in past if isinstance(one.low, int | float)]
    highs = [one.high for one in past if isinstance(one.high, int | float)]
    if len(lows) < ENOUGH_VERSIONS:
        return None, None, ""
    width = max(highs) - min(lows)
    # What grows from version to version leaves any bound behind, however wide.
    low = None if _trends(lows) else _bound_below(lows, width)
    high_mirrored = None if _trends(highs) else _bound_below([-one for one in highs], width)
    high = None if high_mirrored is None else -high_mirrored
    if min(lows) >= 0 and (low is None or low < 0):
        # What was never negative is a count or an amount more often than not.
        low = 0.0 if len(past) >= 2 * ENOUGH_VERSIONS else low
    if past[-1].kind is Kind.INT:
        low = None if low is None else math.floor(low)
        high = None if high is None else math.ceil(high)
    if low is None and high is None:
        return None, None, "its range moves from version to version"
    return low, high, f"{_short(min(lows))} to {_short(max(highs))} so far"


def _bound_below(figures: Sequence[float], width: float) -> float | None:
    """Returns a lower bound that every figure would have met had it been known before it."""

    def bound(seen: Sequence[float], margin: float) -> float:
        return min(seen) - margin * (width or abs(min(seen)) or 1.0)

    margin = _least_margin(figures, bound, (0.25, 0.5, 1.0))
    return None if margin is None else _rounded_down(bound(figures, 2 * margin))


def _mean(past: Sequence[ColumnFacts]) -> tuple[Bound | None, str]:
    means = [one.mean for one in past if one.mean is not None and math.isfinite(one.mean)]
    if len(means) < 2 * ENOUGH_VERSIONS or not past[-1].kind.is_number:
        return None, ""
    if _trends(means):
        return None, ""
    stds = [one.std or 0.0 for one in past]
    rows = [max(one.rows - one.nulls, 1) for one in past]
    sampling = max(std / math.sqrt(n) for std, n in zip(stds, rows, strict=True))

    def spread(seen: Sequence[float]) -> float:
        centre = sum(seen) / len(seen)
        return max(math.sqrt(sum((one - centre) ** 2 for one in seen) / (len(seen) - 1)), sampling)

    def low(seen: Sequence[float], margin: float) -> float:
        return sum(seen) / len(seen) - margin * spread(seen)

    margins = [
        _least_margin(side, low, (SIGMAS, 2 * SIGMAS)) for side in (means, [-one for one in means])
    ]
    if None in margins or not spread(means):
        return None, ""
    margin = max(one for one in margins if one is not None)
    bottom = _rounded_down(low(means, margin))
    top = -_rounded_down(low([-one for one in means], margin))
    return Bound(low=bottom, high=top), f"means {_short(min(means))} to {_short(max(means))} so far"


def _least_margin(
    figures: Sequence[float],
    bound: Callable[[Sequence[float], float], float],
    margins: Sequence[float],
) -> float | None:
    """Returns the first margin by which no figure would have broken the bound before it."""
    start = min(3, len(figures) - 1)
    for margin in margins:
        if all(
            figures[number] >= bound(figures[:number], margin)
            for number in range(start, len(figures))
        ):
            return margin
    return None


def _trends(figures: Sequence[float]) -> bool:
    """Tells whether figures mostly go one way, as running totals and prices do."""
    steps = [b - a for a, b in itertools.pairwise(figures)]
    ups = sum(step > 0 for step in steps)
    downs = sum(step < 0 for step in steps)
    return max(ups, downs) >= 0.8 * max(len(steps), 1) or (
        len(figures) >= 8 and _autocorrelation(figures) > 0.7
    )


def _autocorrelation(figures: Sequence[float]) -> float:
    centre = sum(figures) / len(figures)
    away = [one - centre for one in figures]
    power = sum(one * one for one in away)
    together = sum(a * b for a, b in itertools.pairwise(away))
    return together / power if power else 0.0


def _key(versions: Sequence[TableFacts]) -> tuple[tuple[str, ...], str]:
    for name in versions[-1].columns:
        past = [one.columns.get(name) for one in versions]
        if all(
            one is not None and one.is_unique and not one.nulls and one.rows >= 10 for one in past
        ):
            return (name,), f"no value of {name} occurs twice in {_of(len(versions))}"
    return (), ""


def _rows(counts: Sequence[int]) -> tuple[RowsSpec | None, str]:
    if len(counts) < ENOUGH_VERSIONS:
        return RowsSpec(min=1), "an empty table is a broken export"
    logs = [math.log(max(count, 1)) for count in counts]
    steps = [abs(b - a) for a, b in itertools.pairwise(logs)]
    spread = max(*steps, (max(logs) - min(logs)) / 2, 0.05)
    least = math.floor(math.exp(min(logs) - 1.5 * spread))
    most = math.ceil(math.exp(max(logs) + 1.5 * spread))
    low, high = max(1, int(_round_down_digits(least))), int(_round_up(most))
    said = f"{min(counts):,} to {max(counts):,} rows in {len(counts)} versions"
    return RowsSpec(min=low, max=high), said


# -- numbers for people ----------------------------------------------------------------------------


def _round_up(number: float) -> float | int:
    """Returns the next number of two digits at or above a positive one: 0.69 → 0.69, 1234 → 1300."""
    if number <= 0:
        return 0
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    rounded = math.ceil(number / unit - 1e-9) * unit
    return _tidy(rounded)


def _round_down_digits(number: float) -> float | int:
    if number <= 0:
        return 0
    unit = 10.0 ** (math.floor(math.log10(number)) - 1)
    return _tidy(math.floor(number / unit + 1e-9) * unit)


def _rounded_down(number: float) -> float | int:
    """Returns a number of two digits at or below, whatever its sign."""
    return -_round_up(-number) if number < 0 else _round_down_digits(number)


def _tidy(number: float) -> float | int:
    tidy = float(f"{number:.6g}")
    return int(tidy) if tidy == int(tidy) and abs(tidy) < 1e15 else tidy


def _short(number: float) -> str:
    return f"{number:.6g}"


def _of(versions: int) -> str:
    return "one version" if versions == 1 else f"{versions} versions"
