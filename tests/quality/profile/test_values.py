"""Figures of profiles against pandas, numpy and scipy on real and made tables."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.stats

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.quantiles import RANK_ERROR
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

ROOT = Path(__file__).parents[3]
PENGUINS = ROOT / "dvtool" / "ops" / "penguins.csv"
TABLES = ROOT.parent / "shared" / "data" / "tables"
needs_tables = pytest.mark.skipif(
    not TABLES.is_dir(), reason="the real tables are not beside this checkout"
)


def compare(path: Path, engine: Engine) -> int:
    """Compares every numeric column of a CSV file with pandas; returns how many there were."""
    profile = profile_table(engine, open_table(engine, path))
    frame = pd.read_csv(path)
    assert profile.rows == len(frame)
    compared = 0
    for column in profile.columns:
        series = frame[column.name]
        if not column.kind.is_number or column.numbers is None or series.dtype.kind not in "if":
            continue
        assert column.nulls == int(series.isna().sum())
        values = series.dropna().to_numpy(np.float64)
        assert column.distinct == len(np.unique(values))
        assert column.numbers.low == values.min()
        assert column.numbers.high == values.max()
        assert column.mean == pytest.approx(values.mean(), rel=1e-9)
        assert column.std == pytest.approx(series.std(), rel=1e-9)
        moments = column.numbers.moments
        assert moments.skewness == pytest.approx(scipy.stats.skew(values), rel=1e-9, abs=1e-9)
        assert moments.kurtosis == pytest.approx(scipy.stats.kurtosis(values), rel=1e-9, abs=1e-9)
        for share in (0.1, 0.25, 0.5, 0.9):
            expected = np.quantile(values, share, method="inverted_cdf")
            assert column.quantile(share) == expected
            assert column.cdf(float(expected)) == np.mean(values <= expected)
        compared += 1
    return compared


def test_numbers_of_the_penguins_are_those_of_pandas_and_scipy(engine):
    assert compare(PENGUINS, engine) == 5


@pytest.mark.shared
@needs_tables
@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("auto-mpg.csv", 6),
        ("cows.csv", 1),
        ("iris.csv", 4),
        ("seattle-weather.csv", 4),
        ("titanic_all.csv", 2),
        ("unemployment1948.csv", 1),
    ],
)
def test_numbers_of_real_tables_are_those_of_pandas_and_scipy(engine, name, columns):
    assert compare(TABLES / name, engine) >= columns


def test_categories_of_the_penguins_are_those_of_pandas(engine):
    profile = profile_table(engine, open_table(engine, PENGUINS))
    frame = pd.read_csv(PENGUINS)

    for name in ("species", "island", "sex"):
        expected = frame[name].value_counts(normalize=True)
        assert profile.column(name).shares() == pytest.approx(expected.to_dict(), rel=1e-12)


def test_summaries_by_label_are_those_of_a_pandas_group_by(engine):
    profile = profile_table(engine, open_table(engine, PENGUINS), label="species")
    frame = pd.read_csv(PENGUINS)

    for species, part in frame.groupby("species"):
        found = profile.named_classes()[species]
        assert found.rows == len(part)
        mass = found.columns["body_mass_g"]
        assert mass.nulls == int(part["body_mass_g"].isna().sum())
        assert mass.mean == pytest.approx(part["body_mass_g"].mean(), rel=1e-9)
        assert mass.variance == pytest.approx(part["body_mass_g"].var(), rel=1e-9)


def test_moments_keep_their_digits_far_from_zero(profile_rows):
    values = 1e9 + np.random.default_rng(3).normal(size=20_000)

    column = profile_rows({"x": values}).column("x")

    assert column.std == pytest.approx(np.std(values, ddof=1), rel=1e-9)
    assert column.numbers.moments.kurtosis == pytest.approx(scipy.stats.kurtosis(values), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_quantiles_of_many_values_keep_their_rank_error(profile_rows, seed):
    values = np.random.default_rng(seed).lognormal(sigma=2, size=200_000)

    column = profile_rows({"x": values}).column("x")

    ordered = np.sort(values)
    off = [
        abs(np.searchsorted(ordered, column.quantile(share), "right") / len(values) - share)
        for share in np.linspace(0.01, 0.99, 99)
    ]
    # Each answer keeps the error with 99 % confidence; all 99 at once keep twice of it.
    assert max(off) <= 2 * RANK_ERROR
    assert np.mean(off) <= RANK_ERROR
    assert column.numbers.rank_error == RANK_ERROR


def test_distinct_counts_of_many_values_keep_their_error(profile_rows):
    for expected in (1_500, 30_000, 200_000):
        numbers = np.random.default_rng(expected).permutation(expected)
        found = profile_rows({"n": numbers, "t": [f"user-{one}" for one in numbers]})

        for column in found.columns:
            assert column.distinct == pytest.approx(expected, rel=column.distinct_error)
            low, high = column.distinct_sketch.bounds()
            assert low <= expected <= high


def test_frequent_values_among_many_are_counted_within_the_stated_error(profile_rows):
    rng = np.random.default_rng(5)
    values = np.where(rng.random(300_000) < 0.02, -999.0, rng.normal(size=300_000))

    tally = profile_rows({"x": values}).column("x").tally

    exact = int((values == -999.0).sum())
    value, count = tally.top(1)[0]
    assert value == -999.0
    assert count <= exact <= count + tally.missed
    assert tally.missed < 0.005 * len(values)


def test_zeros_negatives_wholes_and_what_is_not_finite_are_counted(profile_rows):
    values = [0.0, -0.0, -1.5, 2.0, float("nan"), float("inf"), float("-inf"), None]

    column = profile_rows({"x": pa.array(values, pa.float64())}).column("x")

    numbers = column.numbers
    assert (numbers.zeros, numbers.negatives, numbers.wholes, numbers.not_finite) == (2, 1, 3, 3)
    assert (column.nulls, column.distinct, numbers.low, numbers.high) == (1, 3, -1.5, 2.0)


def test_a_bool_column_tells_its_true_share(profile_rows):
    column = profile_rows({"b": [True, False, True, None, True]}).column("b")

    assert column.kind is Kind.BOOL
    assert column.true_share == 0.75
    assert column.nulls == 1


def test_dates_tell_span_days_and_gaps(profile_rows):
    days = [dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2026, 1, 5), dt.date(2026, 1, 2)]

    column = profile_rows({"d": days}).column("d")

    first = (dt.date(2026, 1, 1) - dt.date(1970, 1, 1)).days
    assert (column.numbers.low, column.numbers.high) == (first, first + 4)
    assert column.days.count == 3
    assert column.days.gaps() == [(first + 1, 2)]


def test_times_of_day_and_moments_are_microseconds(profile_rows):
    moment = dt.datetime(1969, 12, 31, 23, 59, 59)

    found = profile_rows({"m": [moment], "t": [dt.time(0, 0, 1)]})

    assert found.column("m").numbers.low == -1_000_000
    assert found.column("m").days.runs == ((-1, -1),)
    assert found.column("t").numbers.low == 1_000_000


def test_lists_are_judged_by_their_lengths(profile_rows):
    column = profile_rows({"l": [[1, 2], [], None, [1, 2, 3, 4]]}).column("l")

    assert column.kind is Kind.LIST
    assert (column.nulls, column.mean, column.numbers.high) == (1, 2.0, 4)


def test_whole_numbers_beyond_64_bits_are_profiled_as_floats(engine):
    engine.rows("CREATE VIEW wide AS SELECT 1 AS __row, 170141183460469231731687303715884105727 h")
    from dvtool.quality.tables.options import ReadOptions
    from dvtool.quality.tables.table import Column, Table

    columns = (Column("h", Kind.INT, "HUGEINT"),)
    table = Table("wide", ReadOptions(format="parquet"), columns, 1, "wide", "wide")

    assert profile_table(engine, table).column("h").numbers.low == float(2**127)


def test_text_lengths_classes_and_edges_are_exact_for_few_and_for_many_values(profile_rows):
    few = ["", " ", "Ab", "é9", " x", "a,b\t", "\x01"]
    many = [f"{one}{number}" for number in range(3_000) for one in few]

    for texts in (few, many):
        column = profile_rows({"t": texts}).column("t")
        patterns = column.texts.patterns
        characters = "".join(texts)
        assert patterns.classes == (
            sum(c in "0123456789" for c in characters),
            sum(c.isascii() and c.isalpha() for c in characters),
            sum(c in " \t" for c in characters),
            characters.count(","),
            characters.count("\x01"),
            characters.count("é"),
        )
        assert patterns.blank == sum(not one.strip() for one in texts)
        assert patterns.padded == sum(bool(one.strip()) and one != one.strip() for one in texts)
        lengths = [len(one) for one in texts]
        assert column.texts.lengths.moments.mean == pytest.approx(np.mean(lengths), rel=1e-9)
        assert column.texts.lengths.quantile(0.5) == np.quantile(
            lengths, 0.5, method="inverted_cdf"
        )


def test_shapes_and_look_alikes_of_many_texts_keep_their_error(profile_rows):
    rng = np.random.default_rng(11)
    kinds = rng.integers(0, 3, 150_000)
    texts = [(f"KA-{i:06}", f"{i}.5", f"abc{i:06}")[kind] for i, kind in enumerate(kinds)]

    patterns = profile_rows({"t": texts}).column("t").texts.patterns

    exact = Counter(int(kind) for kind in kinds)
    assert 0 < patterns.error < 0.02 * len(texts)
    assert patterns.numeric == pytest.approx(exact[1], abs=patterns.error)
    assert patterns.upper == pytest.approx(exact[0], abs=patterns.error)
    assert patterns.lower == pytest.approx(exact[2], abs=patterns.error)
    assert patterns.shapes.counts["A-999999"] == pytest.approx(exact[0], abs=patterns.error)


def test_text_that_is_no_number_counts_as_unparsed(engine, tmp_path):
    from dvtool.quality.tables.options import ReadOptions

    path = tmp_path / "a.csv"
    path.write_text("n,t\n1,a\nNA,b\nx,c\n4,\n")
    options = ReadOptions(types=(("n", "int"),))

    column = profile_table(engine, open_table(engine, path, options=options)).column("n")

    assert (column.rows, column.nulls, column.unparsed) == (4, 2, 1)


def test_a_table_without_rows_has_no_figure_and_no_error(profile_rows):
    profile = profile_rows({"a": pa.array([], pa.float64()), "b": pa.array([], pa.string())})

    assert profile.rows == 0
    assert [column.mean for column in profile.columns] == [None, None]
    assert [column.null_share for column in profile.columns] == [None, None]
