"""Intervals contain what they should and mean what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dvtool.quality.drift import intervals, resampling
from dvtool.quality.drift.decisions import Decision, Effect, decide
from dvtool.quality.drift.distributions import numeric
from dvtool.quality.drift.tails import far_area, far_distance, tails


@given(st.floats(0.1, 500), st.integers(1, 40), st.sampled_from([0.1, 0.05, 0.001]))
@settings(deadline=None)
def test_the_noncentral_interval_inverts_scipys_distribution(
    statistic: float, freedom: int, level: float
) -> None:
    low, high = intervals.noncentral(statistic, freedom, level)

    if low > 0:
        assert stats.ncx2.cdf(statistic, freedom, low) == pytest.approx(1 - level / 2, abs=1e-6)
    else:
        assert stats.chi2.cdf(statistic, freedom) <= 1 - level / 2 + 1e-9
    if high > 0:
        assert stats.ncx2.cdf(statistic, freedom, high) == pytest.approx(level / 2, abs=1e-6)


def test_the_interval_for_huge_statistics_joins_the_exact_one() -> None:
    below = intervals.noncentral(0.999999e6, 9, 0.05)
    above = intervals.noncentral(1.000001e6, 9, 0.05)

    assert above == pytest.approx(below, rel=1e-4)


def test_the_interval_of_ks_has_the_half_width_of_the_bound() -> None:
    width = math.sqrt(-math.log(0.025) / 2 * 3000 / (1000 * 2000))

    assert intervals.ks_interval(0.3, 1000, 2000) == pytest.approx((0.3 - width, 0.3 + width))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.11, 0.2, Decision.FAIL),
        (0.0, 0.09, Decision.PASS),
        (0.05, 0.2, Decision.UNDECIDED),
        (0.1, 0.2, Decision.UNDECIDED),
        (math.nan, math.nan, Decision.UNDECIDED),
    ],
)
def test_the_decision_follows_the_whole_interval(
    low: float, high: float, expected: Decision
) -> None:
    assert decide(low, high, 0.1) is expected


def test_a_reason_not_to_decide_beats_the_interval() -> None:
    assert Effect("psi", 9, 8, 10, 0.1, reason="3 rows").decision is Decision.UNDECIDED


@pytest.mark.parametrize("true_shift", [0.0, 0.2, 1.0])
def test_the_wasserstein_interval_covers_the_true_distance(true_shift: float) -> None:
    generator = np.random.default_rng(11)
    missed = 0
    for _ in range(60):
        a = numeric(generator.normal(0, 1, 400))
        b = numeric(generator.normal(true_shift, 1, 400))
        missed += not _covers_wasserstein(a, b, true_shift)

    # 99.9 % point of a binomial law with the stated level
    assert missed <= stats.binom.ppf(0.999, 60, 0.05)


def _covers_wasserstein(a, b, truth: float) -> bool:
    from dvtool.quality.drift.sides import Sides

    effect = Sides(a, b).effect("wasserstein", 0.1, 0.05)
    return effect.low * a.std <= truth <= effect.high * a.std


@pytest.mark.parametrize(
    ("name", "interval"),
    [
        ("psi", intervals.psi_interval),
        ("js", intervals.js_interval),
        ("v", intervals.cramers_v_interval),
    ],
)
@pytest.mark.parametrize(
    "q", [[0.25, 0.25, 0.25, 0.25], [0.4, 0.2, 0.2, 0.2], [0.7, 0.1, 0.1, 0.1]]
)
def test_intervals_of_sums_over_bins_cover_the_true_figure(
    name: str, interval, q: list[float]
) -> None:
    p, generator = np.full(4, 0.25), np.random.default_rng(12)
    truth = _true_figure(name, p, np.asarray(q))
    missed = 0
    for _ in range(400):
        low, high = interval(
            generator.multinomial(600, p).astype(float), generator.multinomial(400, q).astype(float)
        )
        missed += not low <= truth <= high

    assert missed <= stats.binom.ppf(0.999, 400, 0.05)


def _true_figure(name: str, p: np.ndarray, q: np.ndarray) -> float:
    if name == "psi":
        return float(np.sum((q - p) * np.log(q / p)))
    middle = (p + q) / 2
    if name == "js":
        return math.sqrt((stats.entropy(p, middle, 2) + stats.entropy(q, middle, 2)) / 2)
    pooled = 0.6 * p + 0.4 * q
    return math.sqrt(0.24 * float(np.sum((p - q) ** 2 / pooled)))


def test_the_upper_point_of_a_lognormal_law_is_found_from_few_draws() -> None:
    draws = np.random.default_rng(13).lognormal(0, 0.5, 5000)

    expected = stats.lognorm.ppf(0.999, 0.5)
    assert resampling.upper_point(draws, 0.001) == pytest.approx(expected, rel=0.1)


def test_a_column_that_cannot_move_has_no_width() -> None:
    assert intervals.norm_interval(0.0, np.zeros(200), 0.05) == (0, 0)


def test_resampling_gives_the_same_numbers_every_time() -> None:
    counts = np.asarray([10.0, 20.0, 30.0])

    first = resampling.row_deviations(counts, stream=0)
    assert np.array_equal(first, resampling.row_deviations(counts, stream=0))
    assert not np.array_equal(first, resampling.row_deviations(counts, stream=1))


def test_rows_that_come_in_identical_tens_count_as_a_tenth() -> None:
    generator = np.random.default_rng(14)
    choices = generator.integers(0, 4, 300)
    counts = np.zeros((300, 4))
    counts[np.arange(300), choices] = 10

    moved = resampling.block_deviations(counts, stream=0)
    effective = resampling.effective_rows(counts.sum(axis=0), moved)
    assert effective == pytest.approx(300, rel=0.25)


def test_blocks_of_independent_rows_cost_little() -> None:
    counts = np.random.default_rng(15).multinomial(10, [0.25] * 4, size=300).astype(float)

    moved = resampling.block_deviations(counts, stream=0)
    assert resampling.effective_rows(counts.sum(axis=0), moved) > 2000


def test_tails_count_what_lies_outside_of_the_range() -> None:
    found = tails(numeric(range(1000)), numeric([*range(100, 980), *[-5] * 30, *[5000] * 90]))

    assert (found.below_range, found.above_range) == pytest.approx((0.03, 0.09))
    assert found.beyond == pytest.approx(0.12)


def test_the_interval_of_tails_is_that_of_clopper_pearson_and_order_statistics() -> None:
    found = tails(numeric(range(1000)), numeric([*range(1, 881), *[5000] * 120]))

    share = stats.binomtest(120, 1000).proportion_ci(0.975, method="exact")
    mass = stats.beta(2, 999).ppf([0.0125, 0.9875])
    assert found.low == pytest.approx(share.low - mass[1], abs=1e-9)
    assert found.high == pytest.approx(share.high - mass[0], abs=1e-9)


def test_the_area_of_ten_rows_far_out_is_that_of_clopper_pearson_and_a_tail_as_1_over_x() -> None:
    reference = numeric(range(1000))  # median 499, end 999

    found = far_area(reference, numeric([*range(990), *[500_000] * 10]))

    unseen, share = 1 - 0.0125 ** (1 / 1000), stats.beta.ppf(0.00125, 10, 991)
    # 500,000 lies between 512 and 1024 times 500 above the median: the ninth point is the best.
    point = 499 + 512 * 500
    assert found == pytest.approx(share * (point - 999) - unseen * 500 * np.log(512), rel=1e-9)
    assert far_area(
        numeric(-reference.values), numeric([*range(0, -990, -1), *[-500_000] * 10])
    ) == (pytest.approx(found, rel=0.01))


def test_the_distance_beyond_the_range_is_a_mean_over_all_rows() -> None:
    reference = numeric(range(100))

    value, high = far_distance(reference, numeric([*range(90), *[199] * 8, *[-50] * 2]))

    most = stats.binomtest(10, 100).proportion_ci(0.95, method="exact").high
    assert value == pytest.approx((8 * 100 + 2 * 50) / 100)
    assert high == pytest.approx(most * 90)
    assert far_distance(reference, numeric([0, 50, 99])) == (0.0, 0.0)


def test_no_row_beyond_the_tails_leaves_room_for_a_few() -> None:
    found = tails(numeric(range(200)), numeric(range(10, 60)))

    assert found.beyond == 0
    assert found.low < 0 < found.high


def test_total_variation_of_two_categories_has_an_interval_of_use() -> None:
    sides = np.array([1000.0, 1000]), np.array([500.0, 1500])
    norms = np.abs(np.random.default_rng(1).normal(0, 0.015, 200))

    low, high = intervals.total_variation_interval(0.25, sides, norms, 0.05)

    # sqrt((0.25 + 0.1875) / 2000) + sqrt(ln(20) / 2 * (1 / 2000 + 1 / 2000))
    assert (low, high) == (pytest.approx(0.1965, abs=1e-4), pytest.approx(0.3035, abs=1e-4))


@pytest.mark.parametrize("levels", [2, 5])
def test_intervals_of_total_variation_hold_the_truth(levels: int) -> None:
    draw = np.random.default_rng(levels)
    p, q = np.full(levels, 1 / levels), np.arange(1.0, levels + 1)
    q /= q.sum()
    missed = 0
    for _ in range(400):
        sides = draw.multinomial(300, p).astype(float), draw.multinomial(500, q).astype(float)
        value = np.abs(sides[0] / 300 - sides[1] / 500).sum() / 2
        low, high = intervals.total_variation_interval(value, sides, np.full(200, 9.0), 0.05)
        missed += not low <= np.abs(p - q).sum() / 2 <= high

    assert missed <= 35  # the 99.9 % binomial bound of 5 %
