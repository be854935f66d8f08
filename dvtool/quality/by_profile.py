"""A table against a baseline of which only the profile is here: what profiles can tell, no more.

Columns, rows and distributions are compared; whether rows are the same, which of them changed, and
everything that needs rows together stays unknown, and is said to be. Called by `judging`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from dvtool.quality.changes import column_changes, row_changes
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.drift.compare import COVARIATE, PRIOR, Comparison
from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    Distribution,
    counted,
    from_quantiles,
)
from dvtool.quality.drift_causes import with_drift_causes
from dvtool.quality.drifting import has_own_drift, thresholds_for, told, wanted_drift
from dvtool.quality.findings import Finding, Outcome, Place
from dvtool.quality.given import Given
from dvtool.quality.kinds import Kind
from dvtool.quality.measuring import NEAR_UNIQUE
from dvtool.quality.profile.model import ColumnProfile, Profile
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Column, Table

STEPS: Final = 512
"""Quantiles that stand for a sketch: finer than the sketch itself."""
_TOKEN: Final = re.compile(r"#[0-9a-f]{16}")
_NAMES_ROWS: Final = 0.95
"""Share of different values from which on a column names its rows; estimates are off by 3 %."""


def compare_by_profile(
    engine: Engine, given: Given, spec: TableSpec, table: Table, now: Profile
) -> tuple[list[Finding], tuple[dict[str, Any], ...], str]:
    """Returns findings, the figures of compared columns, and what stays unknown, in words.

    Args:
        engine: Holds the table.
        given: With the baseline and its profile.
        spec: The checks.
        table: What is judged.
        now: Its profile, made with the same key as the baseline's.
    """
    before, baseline = given.baseline_profile, given.baseline
    assert before is not None and baseline is not None
    columns = [Column(one.name, one.kind, "") for one in before.columns]
    found = list(column_changes(engine, given, spec, columns, table))
    found += row_changes(given, spec, before.rows, table)
    pairs = dict(_pairs(before, now, spec, given.source))
    untold = frozenset(name for name, (one, _) in pairs.items() if _has_tokens(one))
    drift, figures = told(pairs, table.name, _moments(now), private=spec.private, untold=untold)
    # What tokens stand for is not known here, so that no row of the table is found by them.
    known = {name: pair for name, (pair, _) in pairs.items() if name not in untold}
    drift = with_drift_causes(engine, known, table, spec, drift)
    left = [
        one.name
        for one in now.columns
        if one.name not in pairs and _is_asked(one, before.column(one.name), spec)
    ]
    unknown = f"the bytes of {baseline.name}, of which only the profile is here"
    if left:
        unknown += f"; without them the drift of {', '.join(left[:5])} is unknown"
    return found + drift, tuple(figures), unknown


def drift_of_profiles(
    before: Profile, now: Profile, spec: TableSpec, *, name: str, source: str
) -> tuple[list[Finding], tuple[str, ...]]:
    """Returns the drift between two profiles that checks ask for, and the keys that stay open.

    Args:
        before: Of the baseline.
        now: Of what is judged, made with the same key.
        spec: The checks.
        name: What is judged, as the user knows it.
        source: The checks file.
    """
    asked = [one.name for one in now.columns if _is_asked(one, before.column(one.name), spec)]
    pairs = {key: pair for key, pair in _pairs(before, now, spec, source) if key in asked}
    untold = frozenset(key for key, (one, _) in pairs.items() if _has_tokens(one))
    found, _ = told(pairs, name, _moments(now), private=spec.private, untold=untold)
    open_columns = {one.column for one in found if one.outcome is Outcome.UNDECIDED}
    open_columns |= {key for key in asked if key not in pairs}
    told_for_certain = [one for one in found if one.column not in open_columns]
    return told_for_certain, tuple(f"{key}.drift" for key in asked if key in open_columns)


def _moments(profile: Profile) -> frozenset[str]:
    return frozenset(one.name for one in profile.columns if one.kind.is_moment)


def _pairs(
    before: Profile, now: Profile, spec: TableSpec, source: str
) -> Iterator[tuple[str, tuple[Comparison, Place | None]]]:
    if spec.group or spec.time is not None:
        return  # rows that depend on each other: only their blocks tell how far figures vary
    for column in now.columns:
        wanted, rule = wanted_drift(column.name, spec, source)
        earlier = before.column(column.name)
        if wanted.off or earlier is None or earlier.kind is not column.kind:
            continue
        if _is_left_out(column, earlier, spec):
            continue
        if column.kind is Kind.TEXT and before.key_id != now.key_id:
            continue
        names = {**_names(earlier), **_names(column)}
        reference, current = distribution_of(earlier, names), distribution_of(column, names)
        if reference is not None and current is not None:
            role = PRIOR if column.name == spec.label else COVARIATE
            thresholds = _thresholds(column, spec)
            pair = Comparison(reference, current, thresholds, None, role=role)
            yield column.name, (pair, rule if thresholds else None)


def distribution_of(column: ColumnProfile, names: Mapping[str, str]) -> Distribution | None:
    """Returns the distribution that a column's profile holds, None where it holds none.

    Texts have one while all of them are counted; numbers of many values are those of the sketch,
    with its error.

    Args:
        column: Of a profile.
        names: What tokens stand for, as far as that may be told; others stay tokens.
    """
    if column.kind is Kind.TEXT:
        tally = column.tally
        if tally is None or not tally.is_exact:
            return None
        if len(tally.counts) > max(20, NEAR_UNIQUE * tally.total):
            return None  # nearly every row has a text of its own
        counts = {names.get(str(key), str(key)): count for key, count in tally.counts.items()}
        return CategoricalDistribution(counts, tally.total, column.rows - tally.total)
    numbers = column.numbers
    if numbers is None:
        return None
    present = numbers.moments.n
    nulls = column.rows - present
    if column.kind is Kind.BOOL:
        flags = {str(bool(key)).lower(): count for key, count in numbers.tally.counts.items()}
        return CategoricalDistribution(flags, present, nulls)
    if numbers.tally.is_exact:
        return counted(
            [float(key) for key in numbers.tally.counts],
            [float(count) for count in numbers.tally.counts.values()],
            nulls=nulls,
        )
    quantiles = [numbers.quantile((step + 0.5) / STEPS) for step in range(STEPS)]
    values = [float(one) for one in quantiles if one is not None]
    return from_quantiles(values, n=present, error=numbers.rank_error, nulls=nulls)


def _names_rows(column: ColumnProfile) -> bool:
    if column.kind not in (Kind.INT, Kind.TEXT) or column.rows < 2 or column.distinct is None:
        return False
    return column.distinct >= _NAMES_ROWS * column.present > 0


def _names(column: ColumnProfile) -> Mapping[str, str]:
    return column.texts.names if column.texts is not None else {}


def _has_tokens(pair: Comparison) -> bool:
    sides = (pair.reference, pair.current)
    return any(
        _TOKEN.fullmatch(key) is not None
        for side in sides
        if isinstance(side, CategoricalDistribution)
        for key in side.counts
    )


def _is_asked(column: ColumnProfile, earlier: ColumnProfile | None, spec: TableSpec) -> bool:
    is_left_out = earlier is not None and _is_left_out(column, earlier, spec)
    return bool(_thresholds(column, spec)) and not is_left_out


def _thresholds(column: ColumnProfile, spec: TableSpec) -> dict[str, float]:
    is_numeric = column.kind not in (Kind.TEXT, Kind.BOOL)
    return thresholds_for(column.name, spec, is_numeric=is_numeric)


def _is_left_out(column: ColumnProfile, earlier: ColumnProfile, spec: TableSpec) -> bool:
    """Tells whether a column names rows or moments, and its own entry does not ask for drift."""
    if has_own_drift(column.name, spec):
        return False
    moves_on = column.kind.is_moment or (_names_rows(column) and _names_rows(earlier))
    return moves_on or column.name in (*spec.key, spec.group)
