"""Faults that were put in are named, and clean versions are not blamed."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvtool.quality.drift.diagnosis import likely_fault
from dvtool.quality.drift.distributions import (
    CategoricalDistribution,
    NumericDistribution,
    categorical,
    numeric,
)
from dvtool.quality.drift.faults import Fault

GENERATOR = np.random.default_rng(7)
BEFORE = GENERATOR.normal(20, 6, 4000)
AFTER = GENERATOR.normal(20, 6, 4000)
CITIES = ["Berlin", "New York", "Hamburg", "Las Vegas", "Aachen"]
NAMES = [str(one) for one in GENERATOR.choice(CITIES, 2000, p=[0.4, 0.2, 0.2, 0.15, 0.05])]
OTHERS = [str(one) for one in GENERATOR.choice(CITIES, 2000, p=[0.4, 0.2, 0.2, 0.15, 0.05])]


def found(before: object, after: object) -> Fault:
    fault = likely_fault(_distribution(before), _distribution(after))
    assert fault is not None
    return fault


def _distribution(values: object) -> NumericDistribution | CategoricalDistribution:
    if isinstance(values, np.ndarray):
        return numeric(values)
    assert isinstance(values, list)
    return categorical(values)


@pytest.mark.parametrize("factor", [1000, 100, 0.01, 2.54, 1 / 2.54, 0.45359237])
def test_another_unit_is_named_with_its_factor(factor: float) -> None:
    fault = found(BEFORE, AFTER * factor)

    assert fault.code == "unit-change"
    assert fault.figures["factor"] == pytest.approx(factor)
    assert fault.share == pytest.approx(1, abs=0.02)


def test_fahrenheit_and_kelvin_are_named() -> None:
    assert found(BEFORE, AFTER * 1.8 + 32).words.startswith("degrees Celsius became Fahrenheit")
    assert found(BEFORE, AFTER + 273.15).words.startswith("degrees Celsius became kelvin")


@pytest.mark.parametrize("share", [0.05, 0.12, 0.5])
def test_a_scaled_subset_is_named_with_its_share(share: float) -> None:
    after = np.where(GENERATOR.random(4000) < share, AFTER * 100, AFTER)
    fault = found(BEFORE, after)

    assert fault.code == "unit-change"
    assert fault.figures["factor"] == pytest.approx(100)
    assert fault.share == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_flipped_sign_is_named_with_its_share(share: float) -> None:
    fault = found(BEFORE, np.where(GENERATOR.random(4000) < share, -AFTER, AFTER))

    assert fault.code == "sign-flip"
    assert fault.share == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(
    ("value", "code"), [(0.0, "zero-fill"), (-999.0, "sentinel"), (17.25, "constant-fill")]
)
def test_a_filled_in_number_is_named(value: float, code: str) -> None:
    fault = found(BEFORE, np.where(GENERATOR.random(4000) < 0.25, value, AFTER))

    assert fault.code == code
    assert fault.share == pytest.approx(0.25, abs=0.03)


def test_missing_values_that_became_a_number_are_told_apart() -> None:
    before, after = BEFORE.copy(), AFTER.copy()
    before[:800], after[:800] = np.nan, 9999

    assert found(before, after).words == "missing values were written as 9999"


def test_values_that_became_missing_are_named() -> None:
    after = AFTER.copy()
    after[:400] = np.nan

    assert found(BEFORE, after).words == "values became missing: 0.0% to 10.0% of the rows"


def test_the_same_file_again_is_named() -> None:
    assert found(BEFORE, BEFORE.copy()).code == "stale"


def test_rounding_is_named_with_its_step() -> None:
    assert found(BEFORE, np.round(AFTER)).words == "rounded to steps of 1"


def test_a_shift_in_time_is_named() -> None:
    start = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC).timestamp()
    before = start + GENERATOR.uniform(0, 86_400 * 2, 4000).round()

    fault = likely_fault(numeric(before), numeric(before + 5 * 3600 + 1), moment=True)
    assert fault is not None
    assert fault.words.startswith("moved 5 hours later")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (str.upper, "case"),
        (lambda text: text + " ", "whitespace"),
        (lambda text: text + "\u00a0", "whitespace"),
        (lambda text: text.replace(" ", "_"), "category-spelling"),
        (lambda text: "unknown", "constant-fill"),
        (lambda text: {"Berlin": "BER"}.get(text, text), "category-renamed"),
        (lambda text: text[:5], "truncation"),
        (lambda text: text.replace("e", "\u00e9").encode().decode("cp1252"), "encoding"),
    ],
)
def test_changed_categories_are_named(change, code: str) -> None:
    assert found(NAMES, [change(name) for name in OTHERS]).code == code


def test_a_renamed_category_is_named_with_both_names() -> None:
    fault = found(NAMES, ["Munich" if name == "Hamburg" else name for name in OTHERS])

    assert fault.words.startswith("'Hamburg' was renamed to 'Munich'")
    assert "Hamburg" not in fault.describe(private=True)


def test_a_category_that_is_gone_is_named() -> None:
    assert found(NAMES, [name for name in OTHERS if name != "Hamburg"]).code == "category-dropped"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda number: f"{number}.0", "int-became-float"),
        (lambda number: f"{number:.2E}", "int-became-float"),
        (lambda number: f"{number:,}", "number-format"),
        (lambda number: f"{number} kg", "number-format"),
        (lambda number: f"{number},0", "number-format"),
    ],
)
def test_numbers_that_became_text_are_named(change, code: str) -> None:
    numbers = GENERATOR.integers(1000, 99_999, 1000)

    fault = likely_fault(numeric(numbers), categorical([change(int(one)) for one in numbers]))
    assert fault is not None
    assert fault.code == code


def test_lost_leading_zeros_are_named() -> None:
    codes = [f"{number:05d}" for number in GENERATOR.integers(0, 99_999, 3000)]

    assert found(codes, [code.lstrip("0") or "0" for code in codes]).code == "leading-zeros-lost"


def test_another_date_format_is_named() -> None:
    days = [datetime.date(2026, 1, 1) + datetime.timedelta(days=i % 90) for i in range(900)]

    fault = found([f"{day}" for day in days], [day.strftime("%d/%m/%Y") for day in days])
    assert fault.code == "date-format"


def test_clean_versions_are_not_blamed() -> None:
    assert likely_fault(numeric(BEFORE), numeric(AFTER)) is None
    assert likely_fault(categorical(NAMES), categorical(OTHERS)) is None


def test_clean_splits_are_hardly_ever_blamed() -> None:
    blamed = 0
    for seed in range(100):
        values = np.random.default_rng(seed).lognormal(0, 1, 800).round(2)
        blamed += likely_fault(numeric(values[:400]), numeric(values[400:])) is not None

    assert blamed <= 2


def test_nothing_is_said_about_empty_columns() -> None:
    assert likely_fault(numeric([]), numeric([1.0])) is None
    assert likely_fault(categorical([]), categorical(["a"])) is None


@given(
    st.lists(st.floats(), max_size=60),
    st.lists(st.floats(), max_size=60),
    st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=60),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_no_pair_of_columns_is_too_odd(
    a: list[float], b: list[float], texts: list[str | None], moment: bool
) -> None:
    before, after, words = numeric(a), numeric(b), categorical(texts)

    for pair in ((before, after), (before, words), (words, after), (words, words)):
        fault = likely_fault(*pair, moment=moment)
        assert fault is None or 0 <= fault.share <= 1.000001
