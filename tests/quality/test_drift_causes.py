"""Drift that comes from one part of a table is placed there; drift of the whole is not."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dvtool.quality import drifting
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.drift.effects import psi, psi_bias
from dvtool.quality.drift_causes import corrected_psi, with_drift_causes
from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

Change = Callable[[int, str, float], tuple[str, float]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def drifted(engine: Engine, folder: Path, change: Change, checks: str = "") -> list[Finding]:
    """Returns the drift findings of 3,000 sales, 30 a day, against others of the same kind."""
    tables = []
    for seed, apply in ((1, lambda _row, *values: values), (2, change)):
        draw = random.Random(seed)
        lines = ["day,shop,price"]
        for row in range(3000):
            shop, price = apply(row, draw.choice("ABCD"), round(draw.gauss(50, 10), 2))
            lines.append(f"{dt.date(2024, 1, 1) + dt.timedelta(days=row // 30)},{shop},{price}")
        path = folder / f"{seed}.csv"
        path.write_text("\n".join(lines) + "\n")
        tables.append(open_table(engine, path))
    text = checks or "time: {column: day, gaps: 9d}\n"
    (spec,) = parse_checks(text).tables
    found, _ = drifting.compare(engine, *tables, spec, source="checks")
    assert found
    return with_drift_causes(engine, *tables, spec, found)


def test_the_shop_with_other_prices_is_named(engine: Engine, tmp_path: Path) -> None:
    found = drifted(engine, tmp_path, lambda _, shop, p: (shop, p * 100 if shop == "C" else p))

    (price,) = [one for one in found if one.column == "price"]
    assert price.figures["slice"]["where"] == "shop = 'C'"
    assert "without shop = 'C' (25" in price.hint


def test_the_days_on_which_one_shop_reported_are_named(engine: Engine, tmp_path: Path) -> None:
    found = drifted(engine, tmp_path, lambda row, shop, p: ("A" if 600 <= row < 1500 else shop, p))

    (shop,) = [one for one in found if one.column == "shop"]
    first, last = shop.figures["slice"]["where"].removeprefix("day ").split(" to ")
    assert dt.date(2024, 1, 21) <= dt.date.fromisoformat(first)
    assert dt.date.fromisoformat(last) <= dt.date(2024, 2, 19)


def test_a_shift_of_the_whole_has_no_slice(engine: Engine, tmp_path: Path) -> None:
    found = drifted(engine, tmp_path, lambda _, shop, p: (shop, p + 15))

    assert not any("slice" in one.figures for one in found)


def test_a_private_column_names_no_slice(engine: Engine, tmp_path: Path) -> None:
    checks = "columns:\n  shop: {private: true}\n"

    found = drifted(
        engine, tmp_path, lambda _, shop, p: (shop, p * 100 if shop == "C" else p), checks
    )

    assert not any("'C'" in str(one) for one in found)


@pytest.mark.parametrize("current", [(10, 20, 30, 0), (5, 5, 5, 9), (600, 10, 1, 0)])
def test_the_corrected_psi_is_that_of_the_drift_methods(current: tuple[int, ...]) -> None:
    reference = (100, 90, 120, 0)
    bins = 4 if current[3] else 3

    expected = psi(reference, current) - psi_bias(bins, sum(reference), sum(current))

    assert corrected_psi(reference, current) == pytest.approx(expected, rel=1e-12)
