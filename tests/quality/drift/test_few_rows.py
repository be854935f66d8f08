"""Faults of few rows are named by the odd values themselves; other odd values are not."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from dvtool.quality.drift.diagnosis import likely_fault
from dvtool.quality.drift.distributions import categorical, numeric
from dvtool.quality.drift.faults import Fault, clearly_more

GENERATOR = np.random.default_rng(11)
PRICES = GENERATOR.lognormal(2, 0.6, 2000).round(2)
OTHERS = GENERATOR.lognormal(2, 0.6, 2000).round(2)
CITIES = ["Bremen", "Dresden", "Hannover", "Leipzig", "Rostock"]
BEFORE = [str(one) for one in GENERATOR.choice(CITIES, 1000)]
AFTER = [str(one) for one in GENERATOR.choice(CITIES, 1000)]


def named(before: np.ndarray, after: np.ndarray, *, moment: bool = False) -> Fault | None:
    return likely_fault(numeric(before), numeric(after), moment=moment)


def spelled(after: list[str]) -> Fault | None:
    return likely_fault(categorical(BEFORE), categorical(after))


@pytest.mark.parametrize("factor", [1000.0, 10_000.0, 0.001])
def test_twenty_multiplied_rows_of_two_thousand_are_named_with_their_factor(factor: float) -> None:
    after = OTHERS.copy()
    after[:20] = (after[:20] * factor).round(5)

    fault = named(PRICES, after)

    assert fault is not None
    assert (fault.code, fault.figures["factor"]) == ("unit-change", factor)
    assert fault.share == pytest.approx(0.01, abs=0.003)


def test_twenty_negative_rows_of_two_thousand_are_a_flipped_sign() -> None:
    after = OTHERS.copy()
    after[:20] *= -1

    fault = named(PRICES, after)

    assert fault is not None
    assert fault.code == "sign-flip"
    assert fault.words == "the sign was flipped, at least 1.0% of the rows"


def test_a_few_placeholders_are_named() -> None:
    after = OTHERS.copy()
    after[:5] = -999

    fault = named(PRICES, after)

    assert fault is not None
    assert fault.words == "-999 stands in 0.2% of the rows, 0.0% in the baseline"


@pytest.mark.parametrize("size", [0.5, 1.5, 5.0])
def test_noise_and_outliers_have_no_name(size: float) -> None:
    spread = float(PRICES.std())
    for seed in range(20):
        draw = np.random.default_rng(seed)
        noisy = (OTHERS + draw.normal(0, size * spread, len(OTHERS))).round(2)
        far = OTHERS.copy()
        far[:20] = (draw.choice([-1, 1], 20) * draw.uniform(15, 60, 20) * spread).round(2)

        assert named(PRICES, noisy) is None
        assert named(PRICES, far) is None


def test_larger_values_of_the_same_kind_have_no_name() -> None:
    after = OTHERS.copy()
    after[:10] = (PRICES.max() * GENERATOR.uniform(1, 3, 10)).round(2)

    assert named(PRICES, after) is None


def seconds(days: list[dt.date]) -> np.ndarray:
    epoch = dt.date(1970, 1, 1)
    return np.array([86_400.0 * (day - epoch).days for day in days])


def test_day_and_month_that_changed_places_are_named() -> None:
    days = [dt.date(2024, 3, 1) + dt.timedelta(days=row % 12) for row in range(600)]
    later = [day.replace(day=day.month, month=day.day) for day in days]

    fault = named(seconds(days), seconds(later), moment=True)

    assert fault is not None
    assert fault.code == "date-format"
    assert fault.words.startswith("day and month changed places, at least 91.7% of the rows")


def test_irregular_times_that_moved_by_a_day_are_named() -> None:
    steps = GENERATOR.choice([1, 2, 5], 300).cumsum()
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=int(step)) for step in steps]

    fault = named(seconds(days), seconds(days) + 86_400, moment=True)

    assert fault is not None
    assert fault.words == "the times of the baseline, moved one day later"


def test_later_days_have_no_name() -> None:
    days = [dt.date(2024, 3, 1) + dt.timedelta(days=row % 28) for row in range(600)]
    later = [day + dt.timedelta(days=10) for day in days]

    assert named(seconds(days), seconds(later), moment=True) is None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (str.upper, "case"),
        (lambda text: f"{text} ", "whitespace"),
        (lambda text: f"{text}\u00a0", "whitespace"),
    ],
)
def test_ten_respelled_rows_of_a_thousand_are_named(change, code: str) -> None:
    fault = spelled([change(one) if row < 10 else one for row, one in enumerate(AFTER)])

    assert fault is not None
    assert fault.code == code
    assert fault.share == pytest.approx(0.01)


def slip(text: str, row: int) -> str:
    at = row % (len(text) - 1)
    return (
        text[:at] + text[at + 1 :],
        text[:at] + "x" + text[at + 1 :],
        text[:at] + text[at + 1] + text[at] + text[at + 2 :],
    )[row % 3]


def test_typing_errors_are_named_with_an_example() -> None:
    fault = spelled([slip(one, row) if row % 40 == 0 else one for row, one in enumerate(AFTER)])

    assert fault is not None
    assert fault.code == "typing-errors"
    assert fault.words.startswith("typing errors: ")
    assert all(city not in fault.discreet for city in CITIES)


def test_codes_that_differ_by_a_digit_are_no_typing_errors() -> None:
    codes = [f"K{number:04}" for number in GENERATOR.integers(0, 2000, 3000)]
    others = [f"K{number:04}" for number in GENERATOR.integers(1000, 3000, 3000)]

    fault = likely_fault(categorical(codes), categorical(others))

    assert fault is None or fault.code != "typing-errors"


def test_a_small_category_that_got_a_longer_name_is_renamed() -> None:
    before = [*BEFORE, *["Wismar"] * 7]
    after = [*AFTER, *["Wismar (Hansestadt)"] * 7]

    fault = likely_fault(categorical(before), categorical(after))

    assert fault is not None
    assert fault.code == "category-renamed"


@pytest.mark.parametrize(
    ("before", "after", "is_more"),
    [
        (0 / 50, 12 / 50, True),  # one in 8,000 by Fisher's exact test
        (0 / 50, 6 / 50, False),  # one in 75
        (5 / 50, 15 / 50, False),  # one in 83
        (0 / 50, 0 / 50, False),
    ],
)
def test_few_rows_count_by_the_exact_probability(
    before: float, after: float, is_more: bool
) -> None:
    assert clearly_more(before, 50, after, 50) is is_more
