"""The statistics of the history gate, against scipy and by simulation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from dvtool.quality.history.arrays import member, runs, union
from dvtool.quality.history.curves import _unevenness
from dvtool.quality.history.levels import alarm_levels, budget_level, within_budget
from dvtool.quality.history.pairs import correlation
from dvtool.quality.history.portrait import _decimals
from dvtool.quality.history.predictors import NAMES, chosen, predictions, variances
from dvtool.quality.history.scores import Expectations
from dvtool.quality.history.sheet import Metric, Scale, Sheet
from dvtool.quality.history.variance import as_normal, beta_binomial_tail, deviate


@pytest.mark.parametrize(
    ("k", "n", "a", "b"), [(3, 50, 0.5, 1000.5), (1, 20, 2.5, 300), (9, 40, 1, 3)]
)
def test_the_beta_binomial_tail_is_scipys(k, n, a, b):
    assert beta_binomial_tail(k, n, a, b) == pytest.approx(
        stats.betabinom.sf(k - 1, n, a, b), rel=1e-6
    )


@pytest.mark.parametrize("freedom", [5.0, 12.0, 40.0])
def test_students_tail_is_told_as_a_normal_deviate(freedom):
    for t in (1.0, 3.0, 6.0, 15.0):
        exact = stats.norm.isf(stats.t.sf(t, freedom))

        assert as_normal(np.array(t), np.array(freedom)) == pytest.approx(exact, rel=0.03)


def test_a_tail_as_a_deviate_is_scipys():
    assert deviate(1e-6) == pytest.approx(stats.norm.isf(1e-6))
    assert deviate(0.9) == 0


@pytest.mark.parametrize(
    ("alarms", "versions", "fits"), [(0, 20, True), (1, 20, True), (2, 20, False), (3, 100, True)]
)
def test_the_budget_is_a_binomial_bound(alarms, versions, fits):
    assert within_budget(alarms, versions, 0.01) is fits
    assert bool(stats.binom.sf(alarms - 1, versions, 0.01) >= 0.05) is fits


def test_predictors_follow_what_they_are_named_after():
    growing = np.arange(12.0)[:, None]
    weekly = np.tile([0.0, 1, 2, 3, 4, 5, 6], 4)[:, None]
    level = np.random.default_rng(1).normal(size=(30, 1))

    def best(y):
        errors = y[None] - predictions(y)[:, :-1]
        return NAMES[chosen(errors, np.zeros(1))[0]]

    assert best(growing) in ("trend", "steps")
    assert best(weekly) == "lag 7"
    assert best(level) == "mean"
    assert predictions(growing)[NAMES.index("trend"), -1, 0] == pytest.approx(12)


def test_a_prediction_is_as_good_as_the_figures_behind_it():
    v = np.ones((14, 1))
    v[-1] = 50.0  # one figure that is known badly

    found = {name: variances(v, at)[-1, 0] for at, name in enumerate(NAMES)}

    assert found["mean"] == pytest.approx((13 + 50) / 14**2)
    assert found["last"] == 50
    assert found["smoothed"] > 0.16 * 50
    assert found["lag 6"] == pytest.approx(1 / 2)
    assert variances(np.ones((10, 1)), 0)[-1, 0] == pytest.approx(0.1)


def test_one_version_with_a_badly_known_figure_is_no_news_for_the_next():
    sheet, latest = Sheet(14), Sheet(1)
    metric = Metric("debt", "mean-value")
    for at in range(13):
        sheet.value(metric, at, 1.0 + 0.2 * (at % 5), 0.4, floor=0.01)
    sheet.value(metric, 13, 214.0, 45_000.0, floor=0.01)  # one debtor owes what no one owed before
    latest.value(metric, 0, 0.3, 0.4, floor=0.01)

    (score,) = Expectations(sheet).score(latest)

    assert not score.is_alarm


def test_a_metric_that_two_past_versions_have_is_not_judged():
    sheet, latest = Sheet(12), Sheet(1)
    for at in range(12):
        sheet.share(Metric("c", "missing", "", Scale.SHARE), at, 1, 50)
    for at in (4, 9):
        sheet.value(Metric("c", "mean-length"), at, 90.0, 0.25, floor=0.01)
    latest.value(Metric("c", "mean-length"), 0, 249.0, 0.25, floor=0.01)

    assert Expectations(sheet).score(latest) == []


def test_a_prediction_never_looks_at_its_own_version():
    y = np.arange(20.0)[:, None] ** 2
    changed = y.copy()
    changed[13:] = -1

    np.testing.assert_array_equal(predictions(y)[:, :14], predictions(changed)[:, :14])


def test_false_alarms_on_exchangeable_versions_stay_near_the_budget():
    rng = np.random.default_rng(5)
    alarms, trials, versions, metrics, rows = 0, 80, 16, 150, 500
    for _ in range(trials):
        rates = rng.uniform(0.02, 0.9, metrics)
        sheet, latest = Sheet(versions), Sheet(1)
        for at in range(versions + 1):
            for number, count in enumerate(rng.binomial(rows, rates)):
                metric = Metric(f"c{number % 5}", f"m{number % 10}", str(number), Scale.SHARE)
                if at < versions:
                    sheet.share(metric, at, count, rows)
                else:
                    latest.share(metric, 0, count, rows)
        expected = Expectations(sheet)
        alarms += any(one.is_alarm for one in expected.score(latest))

    # One in a hundred is allowed: so many, or more, come by chance once in a thousand runs.
    assert alarms <= stats.binom.isf(1e-3, trials, 0.01)


def test_a_wild_column_has_a_level_of_its_own_and_no_past_makes_blind():
    rng = np.random.default_rng(8)
    past = np.abs(rng.normal(size=(24, 6)))
    past[:, 0] *= 4
    past[9] = 50.0  # one version in which everything was odd
    groups = np.array(["wild", "wild", "tame", "tame", "", ""])

    short = alarm_levels(past[:6], groups)
    odd = alarm_levels(past, groups)
    calm = np.delete(past, 9, axis=0)
    quiet = alarm_levels(calm, groups)

    budget = stats.norm.isf(0.01 / 4 / 12)
    usual = np.quantile(calm[4:].max(axis=1), 0.9)
    assert short.tolist() == pytest.approx([1.6 * budget] * 6)
    for columns in ((2, 3), (4, 5)):
        own = calm[4:, columns].max()
        seen = 0.3 * (usual - 0.75 * budget) + 0.7 * (own - 0.6 * budget)
        level = 1.08 * (budget + 19 / 27 * seen)
        assert quiet[[*columns]].tolist() == pytest.approx([level] * 2)
    assert quiet[2] < 5 < quiet[0] == quiet[1] < 15
    assert odd.max() < 15


def test_a_column_that_was_always_calm_has_a_lower_level_than_the_budget_alone_would_give():
    rng = np.random.default_rng(8)
    past = np.abs(rng.normal(size=(34, 40)))
    past[:, 30:] *= 0.1
    groups = np.array(["usual"] * 30 + ["calm"] * 10)

    levels = alarm_levels(past, groups)

    budget = stats.norm.isf(0.01 / 4 / 80)
    assert budget < levels[0] < 1.25 * budget
    assert 0.65 * budget < levels[-1] < 0.85 * budget


def test_a_moment_that_was_never_off_by_more_than_an_hour_is_held_to_that():
    day = 86_400e6
    lows = np.arange(8) * 15 * day

    even = _unevenness(lows, lows + day)
    late = _unevenness(lows + np.array([0, 0, 0, 0.25, 0, 0, 0, 0]) * day, lows + day)

    assert even == day / 24
    assert late == pytest.approx(0.25 * day)


def test_what_comes_in_bursts_alarms_from_larger_numbers_on():
    def expected(burst):
        """Of 40 things that never were before, one a version comes, in so many rows."""
        sheet, latest = Sheet(24), Sheet(1)
        for number in range(40):
            metric = Metric(f"c{number}", "new-values", "", Scale.SHARE, True)
            for at in range(24):
                sheet.share(metric, at, burst * (at == 6 + number), 200)
            latest.share(metric, 0, 10 * (number == 39), 200)
        (score,) = (one for one in Expectations(sheet).score(latest) if one.metric.column == "c39")
        return score

    assert expected(1).is_alarm
    assert not expected(9).is_alarm


def test_a_rare_thing_is_judged_by_its_counts():
    sheet, latest = Sheet(12), Sheet(1)
    metric = Metric("c", "missing", "", Scale.SHARE)
    for at in range(12):
        sheet.share(metric, at, 0, 50)
    latest.share(metric, 0, 4, 50)

    (score,) = Expectations(sheet).score(latest)

    exact = stats.norm.isf(stats.betabinom.sf(3, 50, 0.5, 600.5))
    assert score.score == pytest.approx(exact, abs=0.01)


def test_sets_are_arrays():
    known = np.array([2, 5, 9])

    assert member(np.array([9, 1, 5, 10]), known).tolist() == [True, False, True, False]
    assert member(np.array([1]), np.empty(0)).tolist() == [False]
    assert union(known, np.array([7, 2, 2])).tolist() == [2, 5, 7, 9]
    assert [one.tolist() for one in runs(np.array([3, 1, 3]))] == [[1, 3], [1, 2]]


def test_correlation_is_scipys_and_0_for_a_constant():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=50), rng.normal(size=50)

    assert correlation(x, y) == pytest.approx(stats.pearsonr(x, y)[0])
    assert correlation(x, np.ones(50)) == 0


def test_the_worked_example_of_the_methods_page_is_what_is_computed():
    page = (Path(__file__).parents[3] / "docs" / "quality-methods.md").read_text("utf-8")
    example = page.partition("**Worked example.** Twelve days of 400 rows")[2]
    sheet, latest = Sheet(12), Sheet(1)
    metric = Metric("amount", "missing", "", Scale.SHARE)
    for at in range(12):
        sheet.share(metric, at, 0, 400)
    latest.share(metric, 0, 20, 400)

    (score,) = Expectations(sheet).score(latest)

    ratio = (score.found - score.expected) / score.spread
    by_t = float(as_normal(np.array(ratio), np.array(26.0)))
    chance = beta_binomial_tail(20, 400, 0.5, 4800.5)
    for told in (
        f"= {score.expected:.4f}. Found",
        f"= {score.found:.4f}. Sampling",
        f"= {score.spread:.4f},",
        f"r = {ratio:.2f};",
        f"deviate {by_t:.2f}. By counts",
        f"{chance * 1e24:.1f}·10⁻²⁴",
        f"deviate {score.score:.2f};",
    ):
        assert told in example
    assert f"Bonferroni; {budget_level(1000):.2f} for 1 % and 1,000 metrics" in page


def test_decimals_are_those_that_a_number_is_written_with():
    numbers = [3.0, 0.25, -1.5, 1e22, 1.5e-7, 0.1 + 0.2, 1e15, -0.0]

    assert _decimals(numbers) == [0, 2, 1, 12, 12, 12, 0, 0]
