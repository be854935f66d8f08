"""Drift that comes from one part of a table is placed there; drift of the whole is not."""

from __future__ import annotations

import datetime as dt
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from dvtool.quality import drifting
from dvtool.quality.binning import Bins, binned
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.drift.compare import Comparison
from dvtool.quality.drift.distributions import numeric
from dvtool.quality.drift.effects import psi, psi_bias
from dvtool.quality.drift_causes import with_drift_causes
from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Column

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
    found = drifting.compare(engine, *tables, spec, source="checks")
    assert found.findings
    return with_drift_causes(engine, found.pairs, tables[1], spec, found.findings)


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


@pytest.mark.parametrize("method", ["psi", "wasserstein", "ks", "wasserstein_iqr"])
def test_each_method_says_what_it_would_be_without_the_slice(
    engine: Engine, tmp_path: Path, method: str
) -> None:
    checks = f"columns:\n  price: {{drift: {{{method}: 0.12}}}}\n"

    found = drifted(
        engine, tmp_path, lambda _, shop, p: (shop, p * 3 if shop == "C" else p), checks
    )

    (price,) = [one for one in found if one.code == method.replace("_", "-")]
    assert price.figures["slice"]["where"] == "shop = 'C'"
    assert price.figures["slice"]["without"] < 0.06
    assert "without shop = 'C' (25.1% of rows) it would be 0.0" in price.hint


@pytest.mark.parametrize(
    ("method", "limit"), [("js", 0.08), ("cramers_v", 0.08), ("psi", 0.08), ("tvd", 0.06)]
)
def test_shifted_shares_are_placed_by_each_method(
    engine: Engine, tmp_path: Path, method: str, limit: float
) -> None:
    checks = (
        f"time: {{column: day, gaps: 9d}}\ncolumns: {{shop: {{drift: {{{method}: {limit}}}}}}}\n"
    )

    found = drifted(
        engine, tmp_path, lambda row, shop, p: ("A" if 600 <= row < 1500 else shop, p), checks
    )

    (shop,) = [one for one in found if one.column == "shop"]
    assert shop.figures["slice"]["where"].startswith("day 2024-01-2")
    assert shop.figures["slice"]["without"] < limit


def test_the_label_is_told_where_its_shares_shifted(engine: Engine, tmp_path: Path) -> None:
    checks = "label: shop\ncolumns: {shop: {drift: {js: 0.1}}}\n"

    found = drifted(
        engine, tmp_path, lambda row, shop, p: ("A" if row >= 2400 else shop, p), checks
    )

    (shop,) = [one for one in found if one.column == "shop"]
    assert shop.message.startswith("prior probability shifted from the baseline")
    assert "without rows 2,4" in shop.hint


def test_rows_far_out_are_placed_in_numbers_of_few_values(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "1.csv"
    before = [f"{row},{'ABCD'[row % 4]},{row % 5}" for row in range(3000)]
    path.write_text("\n".join(["id,shop,price", *before]) + "\n")
    after = [
        f"{row},{'ABCD'[row % 4]},{3000 if 1200 <= row < 1260 and row % 3 == 0 else row % 5}"
        for row in range(3000)
    ]
    (tmp_path / "2.csv").write_text("\n".join(["id,shop,price", *after]) + "\n")
    sides = [open_table(engine, tmp_path / f"{one}.csv") for one in (1, 2)]
    (spec,) = parse_checks("columns: {price: {min: 0}}\n").tables
    compared = drifting.compare(engine, *sides, spec, source="checks")

    found = with_drift_causes(engine, compared.pairs, sides[1], spec, compared.findings)

    (price,) = [one for one in found if one.column == "price"]
    assert price.code == "far-tails"
    assert price.figures["slice"]["where"] == "rows 1,201 to 1,350"
    assert price.figures["slice"]["without"] == 0.0


def test_drift_of_every_row_is_said_to_be_everywhere(engine: Engine, tmp_path: Path) -> None:
    found = drifted(engine, tmp_path, lambda _, shop, p: (shop, p + 15))

    (price,) = [one for one in found if one.column == "price"]
    parts = price.figures["spread"]["parts"]
    assert parts > 1000
    assert (
        f"spread over the whole table: it fails without any of {parts:,} parts, too" in price.hint
    )


def counts_of(engine: Engine, bins: Bins, folder: Path, values: list[float]) -> np.ndarray:
    path = folder / "part.csv"
    path.write_text("id,v\n" + "".join(f"{at},{v}\n" for at, v in enumerate(values)))
    table = open_table(engine, path)
    found = np.zeros(bins.count)
    for number, count in engine.rows(f"SELECT {bins.sql}, count(*) FROM {table.source} GROUP BY 1"):
        found[number] = count
    return found


def test_effects_of_parts_are_those_of_scipy(engine: Engine, tmp_path: Path) -> None:
    draw = np.random.default_rng(7)
    before, after = draw.normal(50, 10, 4000).round(3), draw.normal(54, 14, 3000).round(3)
    column = Column("v", Kind.FLOAT, "DOUBLE")
    bins = binned(Comparison(numeric(before), numeric(after)), column, "wasserstein")
    assert bins is not None

    counts = counts_of(engine, bins, tmp_path, after.tolist())[None, :]

    area = stats.wasserstein_distance(before, after) / before.std()
    assert bins.effect("wasserstein", counts)[0] == pytest.approx(area, abs=0.01)
    spread = np.subtract(*np.quantile(before, [0.75, 0.25]))
    wide = area * before.std() / spread
    assert bins.effect("wasserstein_iqr", counts)[0] == pytest.approx(wide, abs=0.01)
    apart = stats.ks_2samp(before, after).statistic
    assert bins.effect("ks", counts)[0] == pytest.approx(apart, abs=0.01)
    low, high = np.sort(before)[[3, -4]]
    outside = np.mean((after < low) | (after > high)) - 8 / 4001
    assert bins.effect("tails", counts)[0] == pytest.approx(outside, abs=1e-12)
    beyond = np.maximum(after - before.max(), 0) + np.maximum(before.min() - after, 0)
    far = beyond.mean() / before.std()
    assert bins.effect("far_tails", counts)[0] == pytest.approx(far, rel=0.2)
    edges = np.quantile(before, np.arange(1, 10) / 10, method="inverted_cdf")
    sides = [np.bincount(np.searchsorted(edges, one), minlength=10) for one in (before, after)]
    expected = psi(*sides) - psi_bias(10, 4000, 3000)
    assert bins.effect("psi", counts)[0] == pytest.approx(expected, rel=1e-9)


def test_effects_of_few_values_are_exact(engine: Engine, tmp_path: Path) -> None:
    before, after = [1.0, 2, 3, 4] * 300, [2.0, 3, 4, 9] * 200
    column = Column("v", Kind.INT, "BIGINT")
    pair = Comparison(numeric(before), numeric(after))
    numbers, levels = binned(pair, column, "wasserstein"), binned(pair, column, "cramers_v")
    assert numbers is not None
    assert levels is not None

    area = numbers.effect("wasserstein", counts_of(engine, numbers, tmp_path, after)[None, :])
    counts = counts_of(engine, levels, tmp_path, after)

    assert area[0] == pytest.approx(stats.wasserstein_distance(before, after) / np.std(before))
    p, q = [0.25, 0.25, 0.25, 0.25, 0], [0, 0.25, 0.25, 0.25, 0.25]
    divergence = distance.jensenshannon(p, q, base=2) ** 2
    bias = 4 * (1 / 1200 + 1 / 800) / 8 / math.log(2)
    assert levels.effect("js_distance_base2", counts[None, :])[0] == pytest.approx(
        math.sqrt(divergence - bias)
    )
    assert levels.effect("tvd", counts[None, :])[0] == pytest.approx(0.25)
    table = [[300, 300, 300, 300, 0], [0, 200, 200, 200, 200]]
    phi2 = stats.chi2_contingency(table).statistic / 2000 - 4 / 1999
    assert levels.effect("cramers_v", counts[None, :])[0] == pytest.approx(math.sqrt(phi2))
