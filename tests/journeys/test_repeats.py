"""Data that are those of an earlier version again are told, the version just before or not."""

from __future__ import annotations

import pytest

from tests.journeys.harness import Repo

SAID = "byte for byte the same as {}@{}, from before the version before [earlier-data]"


def day(number: int) -> str:
    return "id,n\n" + "".join(f"{number * 100 + row},{row % 7}\n" for row in range(40))


@pytest.fixture
def daily(repo: Repo) -> Repo:
    """Three versions of a file and of a folder with a file that never changes."""
    for number in (1, 2, 3):
        repo.write("day.csv", day(number))
        repo.write("data/day.csv", day(number))
        repo.write("data/fixed.csv", day(0))
        repo.run("add", "day.csv", "data")
        repo.commit(f"day {number}")
    return repo


def test_a_file_that_comes_again_is_told_on_disk_staged_and_committed(daily: Repo) -> None:
    first = daily.git("rev-parse", "HEAD~2")[:12]
    said = SAID.format("day.csv", first)
    daily.write("day.csv", day(1))

    on_disk = daily.run("check", "day.csv").out
    daily.run("add", "day.csv")
    staged = daily.run("check", "--staged").out
    commit = daily.commit("day 1 again")

    assert said in on_disk and "day.csv: warn" in on_disk
    assert said in staged
    assert said in daily.run("check", "day.csv", "--rev", commit).out
    assert "earlier-data" not in daily.run("check", "day.csv", "--rev", "HEAD~1").out


def test_in_a_folder_only_the_file_that_comes_again_is_told(daily: Repo) -> None:
    first = daily.git("rev-parse", "HEAD~2")[:12]
    daily.write("data/day.csv", day(1))
    daily.run("add", "data")

    found = daily.run("check", "data").out

    assert found.count("[earlier-data]") == 1
    assert f"warn      data/day.csv {SAID.format('data', first)}" in found


def test_once_there_it_is_not_told_with_every_other_change(daily: Repo) -> None:
    daily.write("data/day.csv", day(1))
    daily.run("add", "data")
    daily.commit("day 1 again")
    daily.write("data/fixed.csv", day(9))

    assert "earlier-data" not in daily.run("check", "data").out


def test_new_data_and_the_version_just_before_are_none_of_it(daily: Repo) -> None:
    daily.write("day.csv", day(4))
    assert "earlier-data" not in daily.run("check", "day.csv").out

    daily.write("day.csv", day(3))
    assert "earlier-data" not in daily.run("check", "day.csv").out


def test_a_named_baseline_that_has_no_such_data_is_said(daily: Repo) -> None:
    none = daily.git("rev-list", "--max-parents=0", "HEAD")

    found = daily.run("check", "day.csv", "--baseline", none).out
    unknown = daily.run("check", "day.csv", "--baseline", "nope.csv", code=5).err

    assert (
        f"would decide more: checks of your own (dvtool suggest day.csv writes a draft); a baseline that has it: {none} has no day.csv"
        in found
    )
    assert unknown.startswith("error: no file and no revision to compare with: nope.csv\n")
