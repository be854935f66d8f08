"""The experimental methods tell versions apart, and a changed meaning from changed columns."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy import stats

from dvtool.errors import ExtraMissing, UsageError
from dvtool.quality.drift import concept, two_sample
from dvtool.quality.drift.decisions import Decision
from dvtool.quality.drift.learners import features_of

pytest.importorskip("sklearn")


def table(rows: int, seed: int, *, shift: float = 0.0, meaning: str = "x") -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    columns = {"x": generator.normal(shift, 1, rows), "z": generator.normal(0, 1, rows)}
    noisy = columns[meaning] + generator.normal(0, 0.5, rows)
    return {
        "id": np.arange(rows) + seed * rows,
        "email": np.asarray([f"{seed}-{generator.random()}" for _ in range(rows)], dtype=object),
        **columns,
        "color": generator.choice(np.asarray(["red", "blue", None], dtype=object), rows),
        "bought": np.where(noisy > 0, "yes", "no"),
    }


def test_equal_versions_cannot_be_told_apart() -> None:
    answer = two_sample.classifier_two_sample(table(300, 1), table(300, 2))

    assert answer.effect.decision is Decision.PASS
    assert answer.separating == ()


def test_a_shifted_column_separates_the_versions_and_is_named() -> None:
    answer = two_sample.classifier_two_sample(table(300, 1), table(300, 2, shift=1.5))

    assert answer.effect.decision is Decision.FAIL
    assert answer.separating[0][0] == "x"


def test_keys_and_running_numbers_are_left_out_and_named() -> None:
    answer = two_sample.classifier_two_sample(table(200, 1), table(200, 2), exclude={"bought"})

    assert answer.used == ("x", "z", "color")
    assert answer.excluded == {
        "id": "only rises or only falls",
        "email": "nearly unique",
        "bought": "named as key, time, group or label",
    }


def test_columns_of_one_side_constants_and_changed_types_are_left_out() -> None:
    rows = {"a": np.ones(40), "b": np.arange(40) % 7, "c": np.arange(40) % 5}
    other = {"a": np.ones(40), "b": np.asarray(["x", "y"] * 20), "d": np.arange(40) % 3}

    seen = features_of(rows, other)
    assert seen.names == ()
    assert seen.excluded == {
        "a": "constant",
        "b": "another type on either side",
        "c": "only on one side",
        "d": "only on one side",
    }


def test_auc_equals_the_statistic_of_mann_and_whitney() -> None:
    generator = np.random.default_rng(3)
    a, b = generator.integers(0, 9, 60).astype(float), generator.integers(2, 9, 80).astype(float)

    expected = stats.mannwhitneyu(b, a).statistic / (60 * 80)
    assert two_sample.auc(a, b) == pytest.approx(expected, abs=1e-12)


def test_few_rows_are_undecided() -> None:
    answer = two_sample.classifier_two_sample(table(300, 1), table(20, 2))

    assert answer.effect.decision is Decision.UNDECIDED
    assert answer.effect.reason == "20 rows are too few"


def test_a_changed_meaning_is_concept_drift() -> None:
    change = concept.performance_change(table(400, 1), table(400, 2, meaning="z"), "bought")

    assert change.is_concept_drift
    assert change.effect.value > 1
    assert change.loss == "log loss"


def test_the_same_meaning_is_no_concept_drift_even_when_columns_shift() -> None:
    for shift in (0.0, 1.0):
        change = concept.performance_change(table(400, 1), table(400, 2, shift=shift), "bought")

        assert not change.is_concept_drift
        assert change.effect.decision is not Decision.FAIL


def test_a_numeric_label_is_judged_by_squared_error() -> None:
    def rows(seed: int, slope: float) -> dict[str, np.ndarray]:
        generator = np.random.default_rng(seed)
        x = generator.normal(0, 1, 400)
        return {"x": x, "y": slope * x + generator.normal(0, 0.3, 400)}

    change = concept.performance_change(rows(1, 1.0), rows(2, -1.0), "y")
    assert change.loss == "squared error"
    assert change.is_concept_drift


def test_classes_that_the_baseline_does_not_know_cost_most() -> None:
    new = table(400, 2)
    new["bought"] = np.where(new["bought"] == "yes", "maybe", "no")

    change = concept.performance_change(table(400, 1), new, "bought")
    assert change.effect.decision is Decision.FAIL


def test_a_label_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no column named sold"):
        concept.performance_change(table(50, 1), table(50, 2), "sold")


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)

    with pytest.raises(ExtraMissing) as caught:
        two_sample.classifier_two_sample(table(50, 1), table(50, 2))
    assert caught.value.hint == "pip install 'dvtool[ml]'"
