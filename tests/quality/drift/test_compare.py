"""What a comparison decides, for one column and for many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.errors import UsageError
from dvtool.quality.drift.compare import PRIOR, Comparison, compare_column, compare_table
from dvtool.quality.drift.decisions import ColumnDrift, Decision
from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    from_quantiles,
    in_blocks,
    numeric,
)
from dvtool.quality.drift.methods import METHODS
from dvtool.quality.drift.resampling import Blocks

GENERATOR = np.random.default_rng(2026)
NORMAL = GENERATOR.normal(0, 1, 5000)
LETTERS = CategoricalDistribution({"a": 2500, "b": 1500, "c": 1000}, 5000)


def methods_of(drift: ColumnDrift) -> list[tuple[str, bool]]:
    return [(effect.method, effect.decides) for effect in drift.effects]


def test_numbers_are_judged_by_wasserstein_and_tails_with_psi_beside() -> None:
    drift = compare_column(numeric(NORMAL), numeric(NORMAL + 0.5))

    assert methods_of(drift) == [("wasserstein", True), ("tails", True), ("psi", False)]
    assert drift.effects[0].value == pytest.approx(0.5 / NORMAL.std(), abs=1e-9)
    assert drift.decision is Decision.FAIL


def test_categories_are_judged_by_jensen_shannon_with_cramers_v_beside() -> None:
    drift = compare_column(LETTERS, CategoricalDistribution({"a": 2000, "b": 3000}, 5000))

    assert methods_of(drift) == [("js_distance_base2", True), ("cramers_v", False)]
    assert drift.decision is Decision.FAIL


def test_numbers_with_few_distinct_values_are_categories() -> None:
    drift = compare_column(numeric([1, 2, 3] * 100), numeric([1, 2, 3] * 90 + [700] * 30))

    assert drift.effects[0].method == "js_distance_base2"
    assert drift.decision is Decision.FAIL


def test_the_same_column_again_passes() -> None:
    assert compare_column(numeric(NORMAL), numeric(NORMAL)).decision is Decision.PASS
    assert compare_column(LETTERS, LETTERS).decision is Decision.PASS


def test_twelve_percent_of_rows_a_hundredfold_slip_past_psi_and_are_caught_by_the_tails() -> None:
    generator = np.random.default_rng(0)
    before, after = (generator.lognormal(3, 0.5, 10_000) for _ in range(2))
    after[:1200] *= 100

    drift = compare_column(numeric(before), numeric(after), thresholds={"psi": 0.25})

    assert drift.effect("psi").value == pytest.approx(0.09, abs=0.01)
    assert drift.effect("psi").decision is Decision.PASS
    assert drift.effect("tails").decision is Decision.FAIL
    assert drift.effect("tails").detail["above_range"] == pytest.approx(0.12, abs=0.001)


def test_psi_on_numbers_brings_along_what_it_is_blind_to() -> None:
    few = numeric([1, 2, 3] * 100)

    by_many = compare_column(numeric(NORMAL), numeric(NORMAL), thresholds={"psi": 0.25})
    by_few = compare_column(few, few, thresholds={"psi": 0.25})
    by_text = compare_column(LETTERS, LETTERS, thresholds={"psi": 0.25})

    deciding = [
        [one.method for one in drift.effects if one.decides] for drift in (by_many, by_few, by_text)
    ]
    assert deciding == [["psi", "tails", "far_tails"], ["psi", "far_tails"], ["psi"]]


def test_one_percent_of_the_rows_a_thousandfold_are_drift() -> None:
    generator = np.random.default_rng(1)
    before, after = (generator.lognormal(3, 0.5, 2000) for _ in range(2))
    after[:20] *= 1000

    drift = compare_column(numeric(before), numeric(after))

    assert drift.effect("psi").value == pytest.approx(0.01, abs=0.01)
    assert drift.effect("tails").decision is Decision.UNDECIDED
    assert drift.effect("wasserstein").decision is Decision.FAIL


def test_one_percent_of_a_few_small_numbers_a_thousandfold_are_drift() -> None:
    before, after = [1, 2, 3, 4] * 500, [1, 2, 3, 4] * 495 + [1000, 2000, 3000, 4000] * 5

    drift = compare_column(numeric(before), numeric(after))

    assert methods_of(drift) == [
        ("js_distance_base2", True), ("far_tails", True), ("cramers_v", False)
    ]  # fmt: skip
    assert drift.effect("js_distance_base2").value < 0.1
    assert drift.effect("far_tails").value == pytest.approx(
        (2500 - 4) * 0.01 / np.std([1, 2, 3, 4])
    )
    assert drift.effect("far_tails").decision is Decision.FAIL


def test_one_row_far_out_is_no_drift() -> None:
    drift = compare_column(numeric(NORMAL), numeric([*NORMAL[1:], 1e6]))

    assert drift.decision is Decision.UNDECIDED


def test_a_few_small_numbers_without_one_beyond_pass() -> None:
    drift = compare_column(numeric([1, 2, 3, 4] * 500), numeric([1, 2, 3, 4] * 500))

    assert drift.effect("far_tails").value == 0
    assert drift.decision is Decision.PASS


@pytest.mark.parametrize("rows", [1, 5, 29])
def test_tiny_samples_are_undecided_and_never_passed(rows: int) -> None:
    same = numeric(NORMAL[:rows])
    few = CategoricalDistribution({"a": rows}, rows)

    assert compare_column(numeric(NORMAL), same).decision is Decision.UNDECIDED
    assert compare_column(LETTERS, few).decision is Decision.UNDECIDED
    assert compare_column(numeric(NORMAL), same).effects[0].reason == (
        f"{rows} rows in the new version, at least 30 needed"
    )


def test_a_column_without_any_value_is_undecided_but_psi_sees_what_is_missing() -> None:
    empty = numeric([], nulls=5000)

    assert compare_column(numeric(NORMAL), empty).effects[0].reason == (
        "no values in the new version"
    )
    psi = compare_column(numeric(NORMAL), empty, thresholds={"psi": 0.25}).effect("psi")
    assert psi.decision is Decision.FAIL


def test_both_sides_without_rows_are_undecided() -> None:
    nothing = CategoricalDistribution({}, 0)

    drift = compare_column(nothing, nothing, thresholds={"psi": 0.1, "tvd": 0.1})
    assert drift.decision is Decision.UNDECIDED
    assert math.isnan(drift.effects[0].value)


def test_a_middling_sample_is_undecided_where_the_interval_holds_the_threshold() -> None:
    drift = compare_column(numeric(NORMAL[:200]), numeric(NORMAL[200:400]))

    assert drift.decision is Decision.UNDECIDED
    assert not drift.effects[0].reason


def test_given_thresholds_choose_who_decides() -> None:
    drift = compare_column(
        numeric(NORMAL), numeric(NORMAL + 0.5), thresholds={"ks": 0.3}, alternatives=False
    )

    assert methods_of(drift) == [("ks", True)]
    assert drift.decision is Decision.PASS


def test_every_method_gives_an_ordered_interval() -> None:
    everything = dict.fromkeys(METHODS, 0.1)

    drift = compare_column(numeric(NORMAL), numeric(NORMAL * 2), thresholds=everything)
    assert [one.method for one in drift.effects] == list(everything)
    assert all(one.low <= one.high for one in drift.effects)
    decisions = {one.method: one.decision for one in drift.effects}
    assert decisions.pop("far_tails") is Decision.PASS  # twice as wide is not far beyond
    assert set(decisions.values()) == {Decision.FAIL}


def test_an_outlier_in_the_reference_hides_a_shift_from_wasserstein_but_not_over_iqr() -> None:
    before = numeric([*NORMAL, 1e6])
    after = numeric([*(NORMAL + 3), 1e6])

    drift = compare_column(before, after, thresholds={"wasserstein": 0.1, "wasserstein_iqr": 0.1})
    assert drift.effect("wasserstein").value < 0.001
    assert drift.effect("wasserstein_iqr").value > 2


def test_names_and_scale_of_evidently_are_understood() -> None:
    drift = compare_column(LETTERS, LETTERS, thresholds={"jensenshannon": 0.1})

    assert drift.effects[0].method == "js_distance_base2"
    assert drift.effects[0].threshold == pytest.approx(0.1 / math.sqrt(math.log(2)))


@pytest.mark.parametrize("given", [{"psy": 0.1}, {"psi": 0}, {"psi": math.nan}])
def test_an_unknown_method_or_a_senseless_threshold_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="drift"):
        compare_column(LETTERS, LETTERS, thresholds=given)


def test_a_method_for_numbers_on_categories_is_undecided_with_the_reason() -> None:
    drift = compare_column(LETTERS, LETTERS, thresholds={"ks": 0.1})

    assert drift.effects[0].reason == "not defined for categories"


def test_numbers_cannot_be_compared_with_categories() -> None:
    with pytest.raises(TypeError):
        compare_column(LETTERS, numeric(NORMAL))


def test_the_p_value_never_decides() -> None:
    big = GENERATOR.normal(0, 1, 200_000)
    drift = compare_column(numeric(big), numeric(big + 0.02), thresholds={"ks": 0.1})

    assert drift.effects[0].p_value is not None
    assert drift.effects[0].p_value < 1e-6
    assert drift.decision is Decision.PASS


def test_a_sketch_has_no_p_value_and_a_wider_interval() -> None:
    levels = (np.arange(200) + 0.5) / 200
    sketch = from_quantiles(np.quantile(NORMAL, levels).tolist(), n=5000, error=0.01)
    after = numeric(NORMAL + 0.1)

    exact = compare_column(numeric(NORMAL), after, thresholds={"ks": 0.1}).effects[0]
    rough = compare_column(sketch, after, thresholds={"ks": 0.1}).effects[0]
    assert rough.p_value is None
    assert rough.high - rough.low > exact.high - exact.low


def test_rows_in_blocks_widen_the_interval() -> None:
    generator = np.random.default_rng(9)
    groups = np.repeat(np.arange(20), 150)
    a, b = (generator.normal(0, 1, 20)[groups] + generator.normal(0, 0.3, 3000) for _ in range(2))
    blocks = Blocks(in_blocks(a, groups), in_blocks(b, groups))

    thresholds = {"ks": 0.1, "wasserstein": 0.1, "psi": 0.1, "cramers_v": 0.1, "tvd": 0.1}
    alone = compare_column(numeric(a), numeric(b), thresholds=thresholds)
    blocked = compare_column(numeric(a), numeric(b), thresholds=thresholds, blocks=blocks)

    for method in thresholds:
        assert blocked.effect(method).high > alone.effect(method).high
        assert blocked.effect(method).p_value is None
    assert alone.decision is Decision.FAIL
    assert blocked.decision is Decision.UNDECIDED


def test_few_blocks_are_undecided() -> None:
    groups = np.repeat(np.arange(4), 1250)
    blocks = Blocks(in_blocks(NORMAL, groups), in_blocks(NORMAL, groups))

    drift = compare_column(numeric(NORMAL), numeric(NORMAL), blocks=blocks)
    assert drift.effects[0].reason == "4 blocks, at least 8 needed"


def test_many_columns_share_the_level() -> None:
    pairs = {str(i): Comparison(numeric(NORMAL), numeric(NORMAL + 0.12)) for i in range(20)}

    drifts = compare_table(pairs, alternatives=False)
    assert {effect.level for drift in drifts for effect in drift.effects} == {0.05 / 40}


def test_what_fails_leaves_its_share_of_the_level_to_the_rest() -> None:
    drifts = compare_table(
        {
            "far": Comparison(numeric(NORMAL), numeric(NORMAL + 3), {"ks": 0.1}),
            "near": Comparison(numeric(NORMAL), numeric(NORMAL), {"ks": 0.1}),
        },
        alternatives=False,
    )

    assert [drift.effects[0].level for drift in drifts] == [0.025, 0.05]


def test_a_table_without_columns_has_no_drift() -> None:
    assert compare_table({}) == ()


def test_a_label_is_compared_under_its_own_name() -> None:
    assert compare_column(LETTERS, LETTERS, role=PRIOR).role == "prior-probability"


COLUMNS = st.lists(
    st.one_of(st.floats(), st.integers(-3, 3).map(float), st.just(math.nan)), max_size=80
)


@given(COLUMNS, COLUMNS)
@settings(deadline=None, max_examples=60)
def test_no_column_of_numbers_is_too_odd(a: list[float], b: list[float]) -> None:
    everything = dict.fromkeys(METHODS, 0.1)
    for sides in ((numeric(a), numeric(b)), (numeric(a * 2), numeric(b * 2))):
        drift = compare_column(*sides, thresholds=everything)

        for effect in drift.effects:
            assert effect.decision in Decision
            assert math.isfinite(effect.value) or effect.reason
            assert not effect.low > effect.high


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 200), max_size=8),
    st.dictionaries(st.text(max_size=3), st.integers(0, 200), max_size=8),
    st.integers(0, 50),
)
@settings(deadline=None, max_examples=100)
def test_no_column_of_categories_is_too_odd(
    a: dict[str, int], b: dict[str, int], nulls: int
) -> None:
    before = CategoricalDistribution(a, sum(a.values()), nulls)
    after = CategoricalDistribution(b, sum(b.values()) + 5, other=5)

    drift = compare_column(before, after, thresholds=dict.fromkeys(METHODS, 0.1))
    assert all(math.isfinite(effect.value) or effect.reason for effect in drift.effects)
