"""A version that a revert takes back is no baseline: bringing back good data is not scolded."""

from __future__ import annotations

import random

import pytest

from dvtool.ops.takingback import says_revert
from tests.journeys.harness import Repo

BAD = "id,n,state\n" + "".join(f"{row},-999,??\n" for row in range(200))


def day(number: int) -> str:
    draw = random.Random(number)
    rows = (
        f"{number * 1000 + row},{draw.gauss(50, 5):.2f},{draw.choice(['KA', 'MH'])}\n"
        for row in range(200)
    )
    return "id,n,state\n" + "".join(rows)


def version(repo: Repo, text: str, message: str) -> str:
    repo.write("day.csv", text)
    repo.run("add", "day.csv")
    return repo.commit(message)


@pytest.fixture
def spoilt(repo: Repo) -> Repo:
    """Seven good days, then a bad version that nobody judged."""
    for number in range(1, 8):
        version(repo, day(number), f"day {number}")
    version(repo, BAD, "bad")
    return repo


def revert(repo: Repo, *revs: str) -> str:
    repo.git("revert", "--no-edit", *revs)
    repo.run("checkout")
    return repo.git("rev-parse", "HEAD")


def test_a_revert_is_judged_as_if_the_bad_version_had_not_been(spoilt: Repo) -> None:
    sixth = spoilt.git("rev-parse", "HEAD~2")[:12]

    commit = revert(spoilt, "HEAD")

    for found in (
        spoilt.run("check", "day.csv").out,
        spoilt.run("check", "day.csv", "--rev", commit).out,
    ):
        assert found.startswith("day.csv: pass (200 rows")
        assert f"compared with day.csv@{sixth}" in found


def test_the_next_version_is_compared_with_what_was_brought_back(spoilt: Repo) -> None:
    commit = revert(spoilt, "HEAD")
    spoilt.write("day.csv", day(9))

    found = spoilt.run("check", "day.csv").out

    assert found.startswith("day.csv: pass (200 rows")
    assert f"compared with day.csv@{commit[:12]}" in found


def test_while_the_revert_is_being_made_it_is_no_old_export(spoilt: Repo) -> None:
    spoilt.git("revert", "--no-commit", "HEAD")

    staged = spoilt.run("check", "--staged").out
    spoilt.git("commit", "-qm", "no word of it")

    assert staged.startswith("day.csv: pass (200 rows")
    said = spoilt.run("check", "day.csv", "--rev", "HEAD").out
    assert "[earlier-data]" in said and "A git revert of what it replaces" in said


def test_two_bad_versions_are_taken_back_one_after_the_other(spoilt: Repo) -> None:
    sixth = spoilt.git("rev-parse", "HEAD~2")[:12]
    version(spoilt, BAD.replace("999", "998"), "bad, too")

    revert(spoilt, "HEAD", "HEAD~1")

    assert f"compared with day.csv@{sixth}" in spoilt.run("check", "day.csv").out


def test_a_revert_that_is_reverted_takes_nothing_back(spoilt: Repo) -> None:
    bad = spoilt.git("rev-parse", "HEAD")
    seventh = spoilt.git("rev-parse", "HEAD~1")[:12]
    revert(spoilt, "HEAD")

    revert(spoilt, "HEAD")

    assert spoilt.git("rev-parse", "HEAD:day.csv.dvt") == spoilt.git(
        "rev-parse", f"{bad}:day.csv.dvt"
    )
    found = spoilt.run("check", "day.csv", "--rev", "HEAD").out
    assert f"compared with day.csv@{seventh}" in found
    assert "column-retyped" in found


def test_a_merge_that_brings_a_revert_takes_back_like_it(spoilt: Repo) -> None:
    main = spoilt.git("rev-parse", "--abbrev-ref", "HEAD")
    sixth = spoilt.git("rev-parse", "HEAD~2")[:12]
    spoilt.git("checkout", "-qb", "mend")
    revert(spoilt, "HEAD")
    spoilt.git("checkout", "-q", main)
    spoilt.git("merge", "--no-ff", "-qm", "Merge 1 into 2", "mend")

    found = spoilt.run("check", "day.csv", "--rev", "HEAD").out

    assert found.startswith("day.csv: pass (200 rows")
    assert f"compared with day.csv@{sixth}" in found


def test_words_alone_take_nothing_back(spoilt: Repo) -> None:
    bad = spoilt.git("rev-parse", "HEAD")
    version(spoilt, day(9), f'Revert "bad"\n\nThis reverts commit {bad}.')

    found = spoilt.run("check", "day.csv", "--rev", "HEAD").out

    assert f"compared with day.csv@{bad[:12]}" in found


@pytest.mark.parametrize(
    ("message", "is_one"),
    [
        ('Revert "bad"\n\nThis reverts commit 4d0e3bcbfadd9ec40e1dda0e7a4a8d1a4ff4a3b2.\n', True),
        ('Reapply "bad"\n\nThis reverts commit 4d0e3bcbfadd.\n', True),
        ('Merge pull request #7 from a/revert-6-b\n\nRevert "bad"', True),
        ("Revert to the old tariff", False),
        ("bad\n\nUnlike This reverts commit 4d0e3bc.", False),
        ("", False),
    ],
)
def test_a_revert_is_known_by_the_words_of_git(message: str, is_one: bool) -> None:
    assert says_revert(message) is is_one
