"""What is summed for each kind of failing figure, so that the part it comes from can be found.

A figure is given by sums that add up over rows: violations, moments, values beyond a bound, counts
of single values. Parts and their choice are `slice_parts` and `slices`. Called by `causes`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from dvtool.quality.checks.bounds import Bound
from dvtool.quality.choosing import choose
from dvtool.quality.slice_parts import FloatArray
from dvtool.quality.slice_space import Space
from dvtool.quality.slices import (
    BoolArray,
    Slice,
    Spread,
    luck_of_counts,
    luck_of_mean,
    luck_of_violations,
)
from dvtool.quality.tables.engine import quoted
from dvtool.quality.tables.table import ROW

_GIVEN: Final = "__given"
_VALUE: Final = quoted(_GIVEN)
_SQUARE: Final = "__square"
_BEHIND: Final = "__behind"
_AHEAD: Final = "__ahead"


def explain(
    space: Space, condition_sql: str, *, column: str = "", allowed: Bound | None = None
) -> Slice | Spread | None:
    """Returns the smallest slice without which few enough rows violate a condition.

    Args:
        space: The table.
        condition_sql: True where a row violates; over the typed view, NULL counts as kept.
        column: The column that the condition is about, which would explain itself.
        allowed: How many rows may violate, in percent of rows or as it is; None for none.
    """

    def passes(sums: FloatArray) -> BoolArray:
        if allowed is None:
            return np.asarray(sums[:, 1] == 0)
        if not allowed.percent:
            return within(allowed, sums[:, 1])
        return within(allowed, 100 * sums[:, 1] / np.maximum(sums[:, 0], 1))

    violating = f"count(*) FILTER ({_VALUE})"
    parts = space.sums([violating], but=column, given={_GIVEN: condition_sql})
    return choose(parts, passes, luck_of_violations, counted=True)


def explain_repeats(space: Space, values: Sequence[str]) -> Slice | Spread | None:
    """Returns the smallest slice without which no row repeats the values of an earlier one.

    Args:
        space: The table.
        values: SQL of what together must be unique; rows without one of them are left out.
    """
    row, source = quoted(ROW), space.table.source
    present = " AND ".join(f"({one}) IS NOT NULL" for one in values)
    first = (
        f"SELECT min({row}) FROM {source} WHERE {present} "
        f"GROUP BY {', '.join(f'({one})' for one in values)}"
    )
    return explain(space, f"{present} AND {row} NOT IN ({first})")


def explain_order(space: Space, behind: str, ahead: str, *, column: str) -> Slice | Spread | None:
    """Returns the smallest slice without which a column is in order.

    Args:
        space: The table.
        behind: SQL, true of rows that lie behind an earlier one.
        ahead: Likewise of those that lie ahead of a later one; the fewer of both are out of place.
        column: As in `explain`.
    """
    given = {_BEHIND: behind, _AHEAD: ahead}
    parts = space.sums(
        [f"count(*) FILTER ({quoted(one)})" for one in given], but=column, given=given
    )
    chosen = [0, 1 if parts.whole[1] <= parts.whole[2] else 2]
    parts = replace(parts, whole=parts.whole[chosen], running=parts.running[:, chosen])
    found = choose(
        parts,
        lambda sums: np.asarray(sums[:, 1] == 0),
        luck_of_violations,
        counted=True,
    )
    # Not all that is counted here is what the finding counts, which is breaks between neighbours.
    return replace(found, share=None) if isinstance(found, Slice) and found.is_enough else found


def explain_moment(
    space: Space, value_sql: str, key: str, bound: Bound, *, column: str, shown: bool
) -> Slice | Spread | None:
    """Returns the smallest slice without which a mean or a standard deviation is within its bound.

    Args:
        space: The table.
        value_sql: The value, over the typed view; NULL is left out, and so is what is not finite.
        key: `mean` or `std`.
        bound: Of it.
        column: As in `explain`.
        shown: Whether it may be said what the figure would be without the slice.
    """
    value = f"CAST({value_sql} AS DOUBLE)"
    centre = space.figure(f"avg({value}) FILTER (isfinite({value}))")
    if centre is None:
        return None
    # Sums of distances from the mean: squares of large numbers would lose what is small.
    apart = f"(CASE WHEN isfinite({value}) THEN {value} - CAST('{centre!r}' AS DOUBLE) END)"
    given = {_GIVEN: apart, _SQUARE: f"{apart} * {apart}"}
    square = quoted(_SQUARE)
    asked = [f"count({_VALUE})", f"coalesce(fsum({_VALUE}), 0)", f"coalesce(fsum({square}), 0)"]
    if key == "std":
        asked.append(f"coalesce(fsum({square} * {square}), 0)")
    parts = space.sums(asked, but=column, given=given)

    def figures(sums: FloatArray) -> FloatArray:
        n = sums[:, 1]
        with np.errstate(all="ignore"):
            if key == "mean":
                return np.asarray(np.where(n > 0, centre + sums[:, 2] / n, np.nan))
            variance = np.maximum(sums[:, 3] - sums[:, 2] ** 2 / n, 0.0) / (n - 1)
        return np.asarray(np.where(n > 1, np.sqrt(variance), np.nan))

    def luck(sums: FloatArray, whole: FloatArray) -> FloatArray:
        # A standard deviation is a mean, too: that of squared distances.
        used = [0, 1, 2, 3] if key == "mean" else [0, 1, 3, 4]
        return luck_of_mean(sums[:, used], whole[used])

    return choose(
        parts,
        lambda sums: within(bound, figures(sums)),
        luck,
        figure=(lambda rest: float(figures(rest[None, :])[0])) if shown else None,
    )


def explain_quantiles(
    space: Space, value_sql: str, wanted: Sequence[tuple[float, Bound]], *, column: str
) -> Slice | Spread | None:
    """Returns the smallest slice without which all quantiles are within their bounds.

    Args:
        space: The table.
        value_sql: As in `explain_moment`.
        wanted: Probabilities and bounds of those that are not.
        column: As in `explain`.
    """
    asked = [f"count({_VALUE})"]
    for _, bound in wanted:
        low, high = bound.low, bound.high
        below = f"{_VALUE} {'<=' if bound.low_open else '<'} {low!r}" if low is not None else ""
        above = f"{_VALUE} {'>=' if bound.high_open else '>'} {high!r}" if high is not None else ""
        asked += [f"count(*) FILTER ({one or 'false'})" for one in (below, above)]
    parts = space.sums(asked, but=column, given={_GIVEN: f"CAST({value_sql} AS DOUBLE)"})

    def passes(sums: FloatArray) -> BoolArray:
        n = sums[:, 1]
        good = n > 0
        for at, (p, _) in enumerate(wanted):
            # Both neighbours of the place have to be within: then so is what lies between.
            place = np.round((n - 1) * p, 9)
            below, above = sums[:, 2 + 2 * at], sums[:, 3 + 2 * at]
            good &= (below <= np.floor(place)) & (above <= n - 1 - np.ceil(place))
        return np.asarray(good)

    def luck(sums: FloatArray, whole: FloatArray) -> FloatArray:
        return luck_of_counts(_sides(sums), _sides(whole[None, :])[0])

    return choose(parts, passes, luck)


def _sides(sums: FloatArray) -> FloatArray:
    """Returns rows, then values below, beyond and within the first bound, shape (parts, 4)."""
    rows, n, below, above = (sums[:, at] for at in range(4))
    return np.stack([rows, below, above, n - below - above], axis=1)


def explain_shares(
    space: Space, text_sql: str, wanted: Mapping[str, Bound], *, column: str
) -> Slice | Spread | None:
    """Returns the smallest slice without which the shares of single values are within their bounds.

    Args:
        space: The table.
        text_sql: The value as text; NULL is left out.
        wanted: Bounds in percent of the values present, by SQL literal.
        column: As in `explain`.
    """
    asked = [f"count({_VALUE})", *(f"count(*) FILTER ({_VALUE} = {one})" for one in wanted)]
    parts = space.sums(asked, but=column, given={_GIVEN: text_sql})

    def passes(sums: FloatArray) -> BoolArray:
        present = sums[:, 1]
        good = present > 0
        for at, bound in enumerate(wanted.values()):
            good &= within(bound, 100 * sums[:, 2 + at] / np.maximum(present, 1))
        return np.asarray(good)

    def luck(sums: FloatArray, whole: FloatArray) -> FloatArray:
        both = np.vstack([whole, sums])
        others = both[:, 1] - both[:, 2:].sum(axis=1)
        both = np.column_stack([both[:, 0], both[:, 2:], others])
        return luck_of_counts(both[1:], both[0])

    return choose(parts, passes, luck)


def within(bound: Bound, figures: FloatArray) -> BoolArray:
    """Tells of figures, in the unit of the ends, whether they lie inside; NaN never does."""
    low = -math.inf if bound.low is None else float(bound.low)
    high = math.inf if bound.high is None else float(bound.high)
    above = figures > low if bound.low_open else figures >= low
    below = figures < high if bound.high_open else figures <= high
    return np.asarray(above & below)
