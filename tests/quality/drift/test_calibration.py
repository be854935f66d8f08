"""Without drift the decisions rarely alarm, and with drift they do: counted, with fixed seeds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from dvtool.quality.drift.compare import Comparison, compare_table
from dvtool.quality.drift.decisions import Decision
from dvtool.quality.drift.distributions import Distribution, categorical, in_blocks, numeric
from dvtool.quality.drift.power import power_curve
from dvtool.quality.drift.resampling import Blocks

pytestmark = pytest.mark.slow
LEVEL = 0.05
TINY = 1e-6
"""A threshold so small that every true difference exceeds it: the hardest case for false alarms."""
NUMERIC = ("wasserstein", "wasserstein_iqr", "ks", "psi", "tails", "far_tails")
CATEGORICAL = ("js_distance_base2", "cramers_v", "tvd", "psi")
TABLES = Path(__file__).parents[4] / "shared" / "data" / "tables"


def bound(trials: int) -> float:
    """Returns the 99.9 % point of the alarms that the stated level allows."""
    return float(stats.binom.ppf(0.999, trials, LEVEL))


def failed(pairs: dict[str, Comparison]) -> bool:
    drifts = compare_table(pairs, alternatives=False, level=LEVEL)
    return any(drift.decision is Decision.FAIL for drift in drifts)


@pytest.mark.parametrize("rows", [60, 1000])
@pytest.mark.parametrize("method", NUMERIC)
@pytest.mark.parametrize("law", ["normal", "lognormal", "ties"])
def test_numbers_without_drift_alarm_at_most_at_the_level(method: str, rows: int, law: str) -> None:
    generator, trials = np.random.default_rng(101), 200
    draw = {
        "normal": lambda: generator.normal(0, 1, rows),
        "lognormal": lambda: generator.lognormal(0, 2, rows),
        "ties": lambda: np.round(generator.exponential(20, rows)),
    }[law]

    alarms = sum(
        failed({"x": Comparison(numeric(draw()), numeric(draw()), {method: TINY})})
        for _ in range(trials)
    )
    print(f"seed 101, {method}, {law}, {rows} rows: {alarms} of {trials}")
    assert alarms <= bound(trials)


@pytest.mark.parametrize("rows", [60, 1000])
@pytest.mark.parametrize("method", CATEGORICAL)
@pytest.mark.parametrize("levels", [2, 10, 80])
def test_categories_without_drift_alarm_at_most_at_the_level(
    method: str, rows: int, levels: int
) -> None:
    generator, trials = np.random.default_rng(102), 200
    chances = 1 / np.arange(1, levels + 1)
    chances /= chances.sum()

    def draw() -> Distribution:
        return categorical(generator.choice(levels, rows, p=chances).tolist())

    alarms = sum(failed({"x": Comparison(draw(), draw(), {method: TINY})}) for _ in range(trials))
    print(f"seed 102, {method}, {levels} levels, {rows} rows: {alarms} of {trials}")
    assert alarms <= bound(trials)


@pytest.mark.parametrize("rows", [60, 1000])
@pytest.mark.parametrize("law", ["cauchy", "pareto", "rare"])
def test_numbers_with_wild_tails_do_not_lie_far_beyond_each_other(law: str, rows: int) -> None:
    generator, trials = np.random.default_rng(107), 1000
    draw = {
        "cauchy": lambda: generator.standard_cauchy(rows),
        "pareto": lambda: generator.pareto(1, rows),
        # One row in three samples stands for "missing", against all that the bound assumes.
        "rare": lambda: np.where(
            generator.random(rows) < 1 / (3 * rows), 99_999.0, generator.normal(0, 1, rows)
        ),
    }[law]

    alarms = sum(
        failed({"x": Comparison(numeric(draw()), numeric(draw()), {"far_tails": TINY})})
        for _ in range(trials)
    )
    print(f"seed 107, far_tails, {law}, {rows} rows: {alarms} of {trials}")
    assert alarms <= bound(trials)


@pytest.mark.parametrize("method", ["wasserstein", "ks", "psi", "tails", "far_tails"])
def test_rows_in_blocks_alarm_at_most_at_the_level(method: str) -> None:
    generator, trials, alarms, naive = np.random.default_rng(103), 150, 0, 0
    groups = np.repeat(np.arange(30), 20)
    for _ in range(trials):
        a, b = (
            generator.normal(0, 1, 30)[groups] + generator.normal(0, 0.5, 600) for _ in range(2)
        )
        blocks = Blocks(in_blocks(a, groups), in_blocks(b, groups))
        alarms += failed({"x": Comparison(numeric(a), numeric(b), {method: TINY}, blocks)})
        naive += failed({"x": Comparison(numeric(a), numeric(b), {method: TINY})})

    print(f"seed 103, {method}, 30 blocks: {alarms} of {trials}, taken as rows {naive}")
    assert alarms <= bound(trials)


def test_thirty_columns_together_alarm_at_most_at_the_level() -> None:
    generator, trials = np.random.default_rng(104), 30
    alarms = sum(
        failed(
            {
                str(place): Comparison(
                    numeric(generator.normal(0, 1, 300)), numeric(generator.normal(0, 1, 300))
                )
                for place in range(30)
            }
        )
        for _ in range(trials)
    )

    print(f"seed 104, 30 columns: {alarms} of {trials}")
    assert alarms <= bound(trials)


@pytest.mark.shared
@pytest.mark.skipif(not TABLES.is_dir(), reason="the real tables are not beside this checkout")
@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("seattle-weather.csv", ("precipitation", "temp_max", "wind", "weather")),
        ("penguins.csv", ("bill_length_mm", "body_mass_g", "sex", "island")),
    ],
)
def test_random_halves_of_real_tables_alarm_at_most_at_the_level(
    name: str, columns: tuple[str, ...]
) -> None:
    import csv

    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    generator, trials, alarms = np.random.default_rng(105), 100, 0
    names = {column.lower(): column for column in read[0]}
    present = [names[column.lower()] for column in columns if column.lower() in names]
    assert len(present) >= 3
    for _ in range(trials):
        order = generator.permutation(len(read))
        halves = np.array_split(order, 2)
        alarms += failed(
            {
                column: Comparison(*(_column([read[i][column] for i in half]) for half in halves))
                for column in present
            }
        )

    print(f"seed 105, {name}: {alarms} of {trials}")
    assert alarms <= bound(trials)


def _column(texts: list[str]) -> Distribution:
    known = [None if text in ("", "NA") else text for text in texts]
    try:
        return numeric([np.nan if text is None else float(text) for text in known])
    except ValueError:
        return categorical(known)


def test_power_grows_with_the_drift() -> None:
    points = power_curve((0.0, 0.1, 0.3, 0.5), rows=1000, trials=40, seed=106)

    for point in points:
        print(point)
    assert points[0].failed == 0
    assert [point.failed for point in points] == sorted(point.failed for point in points)
    assert points[-1].failed == 40
