"""Times that were moved are told from the next batch of a series, and from days of another rhythm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dvtool.quality.drift.diagnosis import likely_fault
from dvtool.quality.drift.distributions import numeric
from dvtool.quality.drift.faults import Fault
from dvtool.quality.drift.time_faults import moved_moments

HOUR, DAY = 3_600.0, 86_400.0
MONDAY = 1_704_067_200.0  # 2024-01-01
Times = NDArray[np.float64]


def named(before: Times, after: Times) -> Fault | None:
    return likely_fault(numeric(before), numeric(after), moment=True)


def shop_days(first: int, count: int, *, seed: int = 0, opens: int = 8) -> Times:
    """Sales of some days between eight and six, most of them about noon, at other minutes each day."""
    draw = np.random.default_rng((seed, first))
    clock = np.clip(draw.normal(4.5, 2, 400 * count), 0, 9.9) + opens
    days = np.repeat(np.arange(first, first + count), 400)
    return np.sort(MONDAY + days * DAY + clock * HOUR).round()


def test_a_week_of_days_moved_by_one_day_is_told_though_six_are_the_same() -> None:
    days = np.repeat(MONDAY + np.arange(7) * DAY, 24)

    fault = named(days, days + DAY)

    assert fault is not None
    assert (fault.code, fault.words) == (
        "time-shift",
        "the times of the baseline, moved one day later",
    )


def test_a_week_of_hours_moved_by_five_hours_is_told() -> None:
    hours = np.repeat(MONDAY + np.arange(168) * HOUR, 3)

    fault = named(hours, hours - 5 * HOUR)

    assert fault is not None
    assert fault.words == "the times of the baseline, moved 5 hours earlier"


def test_the_next_week_of_a_series_is_not_called_moved() -> None:
    days = np.repeat(MONDAY + np.arange(7) * DAY, 24)
    hours = np.repeat(MONDAY + np.arange(168) * HOUR, 3)

    assert named(days, days + 7 * DAY) is None
    assert named(hours, hours + 168 * HOUR) is None


def test_the_same_times_are_not_called_moved() -> None:
    days = np.repeat(MONDAY + np.arange(7) * DAY, 24)

    assert named(days, days) is None


def test_times_of_day_of_another_time_zone_are_told_on_other_days() -> None:
    fault = named(shop_days(0, 1), shop_days(1, 1, opens=13))

    assert fault is not None
    assert (fault.code, fault.words) == ("time-shift", "times of day moved about 5 hours later")


def test_times_of_day_that_are_the_usual_ones_are_not_called_moved() -> None:
    found = [
        moved_moments(numeric(shop_days(0, 1, seed=at)), numeric(shop_days(1, 1, seed=at)))
        for at in range(50)
    ]

    assert found == [None] * 50


def test_the_afternoon_after_a_morning_is_not_called_moved() -> None:
    morning = MONDAY + np.linspace(6, 12, 300) * HOUR
    afternoon = MONDAY + np.linspace(12.5, 18.5, 311) * HOUR

    assert moved_moments(numeric(morning), numeric(afternoon)) is None


def test_longer_opening_hours_are_not_called_moved() -> None:
    longer = MONDAY + DAY + np.linspace(8, 22, 400) * HOUR

    assert named(shop_days(0, 1), longer) is None
