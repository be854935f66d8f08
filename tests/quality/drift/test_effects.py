"""Every figure of drift equals an independent source: scipy, numpy, or arithmetic written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from dvtool.quality.drift import compat, effects
from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    categorical,
    from_quantiles,
    numeric,
)

EVIDENTLY_MANY, EVIDENTLY_FEW = 2.157799677021269, 3.9428443903321924
"""Computed by Evidently 0.7.23 (pandas 2) on the same values."""
COUNTS = st.integers(2, 12).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(0, 500), min_size=size, max_size=size).filter(any),
        st.lists(st.integers(0, 500), min_size=size, max_size=size).filter(any),
    )
)
NUMBERS = st.lists(
    st.one_of(st.integers(-5, 5).map(float), st.floats(-1e6, 1e6, allow_nan=False)),
    min_size=2,
    max_size=60,
)


@given(COUNTS)
@settings(deadline=None)
def test_psi_equals_the_formula_written_out(counts: tuple[list[int], list[int]]) -> None:
    pairs = [(a, b) for a, b in zip(*counts, strict=True) if a + b]
    n, m, half = sum(a for a, _ in pairs), sum(b for _, b in pairs), len(pairs) / 2
    expected = 0.0
    for a, b in pairs:
        p, q = (a + 0.5) / (n + half), (b + 0.5) / (m + half)
        expected += (q - p) * math.log(q / p)

    assert effects.psi(*counts) == pytest.approx(expected, abs=1e-9)


@given(COUNTS)
@settings(deadline=None)
def test_psi_is_symmetric_and_zero_only_for_equal_counts(
    counts: tuple[list[int], list[int]],
) -> None:
    a, b = counts

    assert effects.psi(a, b) == pytest.approx(effects.psi(b, a), abs=1e-9)
    assert effects.psi(a, a) == 0


@given(COUNTS)
@settings(deadline=None)
def test_jensen_shannon_equals_scipy_in_base_2(counts: tuple[list[int], list[int]]) -> None:
    # near 0 the square root doubles the rounding of the divergence, so the squares are compared
    expected = distance.jensenshannon(*counts, base=2)

    assert effects.js_distance_base2(*counts) ** 2 == pytest.approx(
        0.0 if math.isnan(expected) else expected**2, abs=1e-12
    )


@given(COUNTS)
@settings(deadline=None)
def test_chi_square_and_its_p_value_equal_scipy(counts: tuple[list[int], list[int]]) -> None:
    table = np.asarray(counts)
    table = table[:, table.sum(axis=0) > 0]
    expected = stats.chi2_contingency(table, correction=False)

    statistic = effects.chi_square(*counts)
    assert statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert effects.chi_square_p_value(statistic, table.shape[1]) == pytest.approx(
        expected.pvalue, rel=1e-9, abs=1e-12
    )


@given(COUNTS)
@settings(deadline=None)
def test_cramers_v_equals_scipy(counts: tuple[list[int], list[int]]) -> None:
    table = np.asarray(counts)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] > 1:
        expected = stats.contingency.association(table, method="cramer")

        assert effects.cramers_v(*counts) == pytest.approx(expected, abs=1e-9)


def test_corrected_cramers_v_equals_the_formula_of_bergsma() -> None:
    # 2 x 3 table, N = 180, chi-square 12.0: phi2 = 1/15, less 2/179
    statistic = stats.chi2_contingency([[40, 30, 20], [20, 30, 40]], correction=False).statistic
    phi2 = statistic / 180 - 2 / 179
    levels, sides = 3 - 4 / 179, 2 - 1 / 179

    expected = math.sqrt(phi2 / min(levels - 1, sides - 1))
    assert effects.cramers_v_corrected([40, 30, 20], [20, 30, 40]) == pytest.approx(expected)


@given(COUNTS)
@settings(deadline=None)
def test_total_variation_equals_half_the_differences(counts: tuple[list[int], list[int]]) -> None:
    a, b = (np.asarray(side) / sum(side) for side in counts)

    assert effects.total_variation(*counts) == pytest.approx(abs(a - b).sum() / 2, abs=1e-12)


@given(NUMBERS, NUMBERS)
@settings(deadline=None)
def test_ks_and_wasserstein_equal_scipy(a: list[float], b: list[float]) -> None:
    before, after = numeric(a), numeric(b)

    assert effects.ks(before, after) == pytest.approx(
        stats.ks_2samp(a, b, method="asymp").statistic, abs=1e-9
    )
    assert effects.wasserstein(before, after) == pytest.approx(
        stats.wasserstein_distance(a, b), rel=1e-9, abs=1e-9
    )


def test_the_p_value_of_ks_is_kolmogorovs() -> None:
    expected = stats.kstwobign.sf(0.07 * math.sqrt(500 * 700 / 1200))

    assert effects.ks_p_value(0.07, 500, 700) == pytest.approx(expected, abs=1e-12)


def test_the_null_point_of_psi_is_the_chi_square_point() -> None:
    expected = stats.chi2.ppf(0.95, 9) * (1 / 100 + 1 / 400)

    assert effects.psi_null(10, 100, 400) == pytest.approx(expected, abs=1e-12)


def test_psi_bins_are_the_deciles_of_the_reference() -> None:
    before, after = effects.psi_counts(numeric(range(1, 101)), numeric([0.5, 10, 10.5, 1000]))

    assert before.tolist() == [10.0] * 10
    assert after.tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_missing_values_are_a_bin_of_their_own() -> None:
    values = [*range(1, 101), math.nan]
    before, after = effects.psi_counts(numeric(values), numeric([5.0], nulls=3))

    assert (before[-1], after[-1]) == (1, 3)
    assert len(before) == 11


def test_repeated_deciles_become_one_edge() -> None:
    mostly_zero = numeric([0] * 80 + list(range(1, 21)))

    assert effects.psi_edges(mostly_zero).tolist() == [0, 10]


def test_a_constant_column_has_one_bin_and_no_drift() -> None:
    counts = effects.psi_counts(numeric([7] * 50), numeric([7] * 60))

    assert [side.tolist() for side in counts] == [[50], [60]]
    assert effects.psi(*counts) == 0


def test_rare_levels_are_merged_and_a_common_new_one_stays() -> None:
    before = CategoricalDistribution({"a": 90, "b": 4, "c": 3, "d": 3}, 100)
    after = CategoricalDistribution({"a": 50, "e": 48, "f": 2}, 100)

    merged = effects.merge_rare(*effects.aligned(before, after))

    assert [side.tolist() for side in merged] == [[90, 0, 10], [50, 48, 2]]


def test_rows_of_unlisted_categories_are_one_more_level() -> None:
    before = CategoricalDistribution({"a": 6}, 10, other=4)
    after = CategoricalDistribution({"b": 5}, 5)

    assert [side.tolist() for side in effects.aligned(before, after)] == [[6, 0, 4], [0, 5, 0]]


def test_an_empty_side_is_refused_and_never_zero() -> None:
    with pytest.raises(ValueError, match="no rows"):
        effects.psi([1, 2], [0, 0])
    with pytest.raises(ValueError, match="no values"):
        effects.wasserstein(numeric([]), numeric([1]))


def test_different_bins_are_refused() -> None:
    with pytest.raises(ValueError, match="bins differ"):
        effects.psi([1, 2], [1, 2, 3])


def test_quantiles_equal_numpys_inverted_distribution_function() -> None:
    values = np.random.default_rng(3).integers(0, 40, 333)
    levels = np.linspace(0.001, 0.999, 97)

    expected = np.quantile(values, levels, method="inverted_cdf")
    assert numeric(values).quantiles(levels).tolist() == expected.tolist()


def test_moments_equal_numpys() -> None:
    values = np.random.default_rng(4).normal(5, 2, 1000)

    assert numeric(values).mean == pytest.approx(values.mean(), abs=1e-12)
    assert numeric(values).std == pytest.approx(values.std(), abs=1e-12)


def test_a_sketch_of_many_quantiles_gives_nearly_the_exact_distance() -> None:
    values = np.random.default_rng(5).normal(0, 1, 20_000)
    levels = (np.arange(400) + 0.5) / 400
    sketch = from_quantiles(np.quantile(values, levels).tolist(), n=20_000, error=0.0)
    other = numeric(np.random.default_rng(6).normal(0.5, 1, 20_000))

    exact = effects.ks(numeric(values), other)
    assert abs(effects.ks(sketch, other) - exact) <= sketch.error


def test_values_become_text_and_none_is_missing() -> None:
    assert categorical(["a", None, 1, "a"]) == CategoricalDistribution({"a": 2, "1": 1}, 3, 1)


def evidently_numbers() -> tuple[np.ndarray, np.ndarray]:
    first = np.arange(1, 201) % 97 * 1.0 + np.arange(200) / 7
    return first, np.arange(1, 151) % 53 * 1.5


def test_the_compatibility_mode_gives_evidentlys_psi_of_many_values() -> None:
    assert compat.psi_evidently(*evidently_numbers()) == pytest.approx(EVIDENTLY_MANY, abs=1e-9)


def test_the_compatibility_mode_gives_evidentlys_psi_of_few_values() -> None:
    before, after = [1] * 50 + [2] * 30 + [3] * 20, [1] * 40 + [2] * 30 + [4] * 30

    assert compat.psi_evidently(before, after) == pytest.approx(EVIDENTLY_FEW, abs=1e-9)


def test_evidentlys_jensen_shannon_is_ours_in_natural_logarithms() -> None:
    found = compat.js_distance_evidently([50, 30, 20], [40, 30, 0])
    assert found == pytest.approx(distance.jensenshannon([50, 30, 20], [40, 30, 0]), abs=1e-9)


def test_the_normed_wasserstein_distance_is_evidentlys() -> None:
    before, after = (numeric(side) for side in evidently_numbers())

    found = effects.wasserstein(before, after) / before.std
    assert found == pytest.approx(0.7216285607531516, abs=1e-9)
