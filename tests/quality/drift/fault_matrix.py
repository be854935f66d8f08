"""What the guesses at faults say about corruptions that were labelled by somebody else.

Applies the corruptions of the public gate bench to real series and counts, for each of them, the
fault named for a column that it changed. Used by `test_fault_patterns.py` and to write the matrix
in `docs/quality-methods.md`; run as a program it prints the matrix. With `--previous` the baseline is
the batch before, as a user has it, so that what changed by itself is there as well.
"""

from __future__ import annotations

import datetime
import importlib
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from dvtool.quality.drift.diagnosis import likely_fault
from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    Distribution,
    categorical,
    counted,
    numeric,
)

SHARED = Path(__file__).parents[4] / "shared"
SERIES = SHARED / "data" / "series"
NAMED = (
    "null_spike",
    "default_fill",
    "unit_change",
    "subset_scaled",
    "sign_flip",
    "precision_loss",
    "dtype_change",
    "int_became_float",
    "date_format_swap",
    "time_shift",
    "category_renamed",
    "category_dropped",
    "case_change",
    "whitespace",
    "typos",
)
"""Corruptions of single columns that leave a pattern."""
UNNAMED = ("numeric_noise", "outliers", "distribution_shift", "prior_shift")
"""Corruptions for which no fault of ours is right; every name is a false accusation."""
FITTING = {
    "null_spike": {"null-spike"},
    "default_fill": {"zero-fill", "sentinel", "constant-fill"},
    "unit_change": {"unit-change"},
    "subset_scaled": {"unit-change"},
    "sign_flip": {"sign-flip"},
    "precision_loss": {"rounded"},
    "dtype_change": {"number-format"},
    "int_became_float": {"int-became-float"},
    "date_format_swap": {"date-format"},
    "time_shift": {"time-shift"},
    "category_renamed": {"category-renamed", "case", "whitespace", "category-spelling"},
    "category_dropped": {"category-dropped"},
    "case_change": {"case"},
    "whitespace": {"whitespace"},
    "typos": {"typing-errors"},
}


def bench() -> tuple[ModuleType, ModuleType]:
    """Returns the corruptions and the tables of the gate bench."""
    sys.path.insert(0, str(SHARED / "gatebench"))
    try:
        corruptions = importlib.import_module("gatebench.corruptions")
        return corruptions, importlib.import_module("gatebench.table")
    finally:
        sys.path.pop(0)


def matrix(*, batches: int = 2, seed: int = 0, previous: bool = False) -> dict[str, Counter[str]]:
    """Returns how often each fault was named for each corruption; `clean` is the control.

    Args:
        batches: How many of each series are spoilt.
        seed: Of the corruptions.
        previous: Whether the baseline is the batch before, not the same one before the corruption.
    """
    corruptions, tables = bench()
    found: dict[str, Counter[str]] = {name: Counter() for name in ("clean", *NAMED, *UNNAMED)}
    for folder in sorted(path for path in SERIES.iterdir() if (path / "series.json").is_file()):
        meta = json.loads((folder / "series.json").read_text(encoding="utf-8"))
        paths = sorted((folder / "batches").glob("*.csv"))
        for place in range(4, min(4 + batches, len(paths) - 1)):
            history = [tables.read(path) for path in paths[:place]]
            batch, following = tables.read(paths[place]), [tables.read(paths[place + 1])]
            context = corruptions.Ctx(batch, history, following, meta)
            for name in context.batch.header:
                found["clean"][_named(tables, history[-1], batch, name)] += 1
            for name, table, column in _corrupted(corruptions, tables, context, seed + place):
                before = history[-1] if previous else batch
                found[name][_named(tables, before, table, column)] += 1
    return found


def _corrupted(
    corruptions: ModuleType, tables: ModuleType, context: Any, seed: int
) -> Iterator[tuple[str, Any, str]]:
    for name in (*NAMED, *UNNAMED):
        for level in range(3):
            generator = np.random.default_rng((seed, level))
            made = corruptions.ALL[name][1](context, level, generator)
            if made is None:
                continue
            try:
                table = tables.parse(made[0])
            except tables.Unreadable:
                continue
            yield name, table, made[1][0]


def _named(tables: ModuleType, before: Any, after: Any, column: str) -> str:
    if column not in before.header or column not in after.header:
        return "-"
    old = before.cols[before.header.index(column)]
    new = after.cols[after.header.index(column)]
    moments = _moments(tables, old), _moments(tables, new)
    if moments[0] is not None and moments[1] is not None:
        fault = likely_fault(moments[0], moments[1], moment=True)
    else:
        fault = likely_fault(_distribution(tables, old), _distribution(tables, new))
    if fault is None or fault.code == "stale":  # the same numbers, written in another way
        written = likely_fault(_as_written(tables, old), _as_written(tables, new))
        if written and written.code in ("int-became-float", "number-format"):
            fault = written
    return fault.code if fault else "none"


def _distribution(tables: ModuleType, column: Any) -> Distribution:
    missing = tables.is_missing(column)
    if tables.kind(column) == "num" and not np.isnan(tables.to_float(column[~missing])).any():
        return numeric(tables.to_float(column))
    return _as_written(tables, column)


def _as_written(tables: ModuleType, column: Any) -> CategoricalDistribution:
    missing = tables.is_missing(column)
    return categorical([None if gone else text for text, gone in zip(column, missing, strict=True)])


def _moments(tables: ModuleType, column: Any) -> Distribution | None:
    if tables.kind(column) != "date":
        return None
    form = tables.date_format(column)
    if form is None:
        return None
    seconds = []
    for text in column:
        try:
            moment = datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC)
        except ValueError:
            return None
        seconds.append(moment.timestamp())
    return counted(seconds, np.ones(len(seconds)))


def rows(found: dict[str, Counter[str]]) -> list[str]:
    """Returns the matrix as lines of a Markdown table."""
    lines = [
        "| corruption | columns | right | named otherwise | not named |",
        "|---|---|---|---|---|",
    ]
    for name, counts in found.items():
        total = counts.total()
        right = sum(counts[code] for code in FITTING.get(name, ()))
        others = {
            code: count
            for code, count in counts.most_common()
            if code not in FITTING.get(name, set()) and code != "none"
        }
        shown = ", ".join(f"{code} {count}" for code, count in others.items()) or "-"
        lines.append(f"| {name} | {total} | {right or '-'} | {shown} | {counts['none']} |")
    return lines


def summary(found: dict[str, Counter[str]]) -> str:
    """Returns how many columns got the right name, another one or none, in words."""
    asked = sum(found[name].total() for name in NAMED)
    right = sum(found[name][code] for name in NAMED for code in FITTING[name])
    none = sum(found[name]["none"] for name in NAMED)
    blamed = sum(found[name].total() - found[name]["none"] for name in UNNAMED)
    of = sum(found[name].total() for name in UNNAMED)
    return (
        f"{asked} columns with a fault: {right} right ({right / asked:.0%}), "
        f"{asked - right - none} wrong, {none} without a name; {blamed} of {of} others were named"
    )


if __name__ == "__main__":
    made = matrix(previous="--previous" in sys.argv)
    print("\n".join([*rows(made), "", summary(made)]))
