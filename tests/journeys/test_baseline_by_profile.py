"""A baseline whose bytes are not here, but whose profile is: what can be told, and what cannot."""

from __future__ import annotations

import random
import shutil

import pytest

from tests.journeys.harness import Repo

GONE = ".git/dvtool/store"


def people(rows: int, *, seed: int, older: int = 0, extra: str = "", states: str = "KMT") -> str:
    draw = random.Random(seed)
    lines = ["age,state" + (f",{extra}" if extra else "")]
    for _ in range(rows):
        line = f"{draw.randrange(20, 60) + older},{draw.choice(states)}"
        lines.append(line + (",1" if extra else ""))
    return "\n".join(lines) + "\n"


@pytest.fixture
def first(repo: Repo) -> Repo:
    """A version that was judged and committed, and whose bytes are then lost."""
    repo.write("people.csv", people(2000, seed=1))
    repo.run("add", "people.csv")
    repo.run("check", "people.csv")
    repo.commit("first")
    shutil.rmtree(repo.path / GONE)
    return repo


def judge(repo: Repo, text: str, code: int = 0) -> str:
    repo.write("people.csv", text)
    repo.run("add", "people.csv")
    return repo.run("check", "people.csv", "-v", code=code).out


def test_a_version_like_the_first_passes_and_says_what_is_unknown(first: Repo) -> None:
    out = judge(first, people(2000, seed=2))

    assert out.startswith("people.csv: pass")
    assert "of which only the profile is here" in out


def test_drift_shows_without_the_bytes(first: Repo) -> None:
    out = judge(first, people(2000, seed=2, older=30, states="KKKKKKMT"))

    assert out.startswith("people.csv: warn")
    assert "age" in out
    assert "state" in out
    assert "#" not in out  # tokens mean nothing to a person


def test_lost_columns_and_rows_show_without_the_bytes(first: Repo) -> None:
    first.write("people.csv", people(2000, seed=1, extra="vip"))
    first.run("add", "people.csv")
    first.run("check", "people.csv")
    first.commit("second")
    shutil.rmtree(first.path / GONE)

    out = judge(first, people(500, seed=2), code=1)

    assert "column vip (int) is gone" in out
    assert "500 rows, 1,500 (75%) fewer" in out


def test_drift_in_blocks_that_checks_ask_for_is_named_as_unknown(first: Repo) -> None:
    first.write(
        "people.csv.checks.yaml", "columns:\n  age: {type: int, drift: {psi: 0.25}}\ngroup: state\n"
    )

    out = judge(first, people(2000, seed=2))

    assert "without them the drift of age is unknown" in out


def test_without_a_profile_either_nothing_is_compared(first: Repo) -> None:
    shutil.rmtree(first.path / ".git/dvtool/profiles")

    out = judge(first, people(500, seed=2))

    assert out.startswith("people.csv: pass")
    assert "which are not here, nor is its profile" in out


def test_bytes_that_come_back_are_another_question(first: Repo) -> None:
    text = people(2000, seed=2)
    judge(first, text)
    assert "as judged before" in first.run("check", "people.csv").out

    first.write("people.csv", people(2000, seed=1))
    first.run("add", "people.csv")  # what was lost is in the store again
    first.write("people.csv", text)
    first.run("add", "people.csv")

    assert "as judged before" not in first.run("check", "people.csv").out
