"""Which commits can be restored, a sample of the bytes, and a look at the indexes."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.journeys.harness import Repo


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "repo-remote"


def history(repo: Repo) -> list[str]:
    """Commits `old` once and `new` twice, each pushed by itself; returns the three commits."""
    commits = []
    for number, name in enumerate(["old.csv", "new.csv", "new.csv"]):
        repo.write(name, f"x\n{number}\n" * 50)
        repo.run("add", name)
        commits.append(repo.commit(f"number {number}"))
        repo.run("push")
    return commits


def lose_first_pack(remote: Path) -> None:
    """Deletes the pack with the first version's bytes, the oldest one."""
    min(remote.rglob("*.pack"), key=lambda path: path.stat().st_mtime_ns).unlink()


def test_a_range_answers_for_each_of_its_commits(repo: Repo, remote: Path) -> None:
    first, second, third = history(repo)

    whole = repo.run("verify", "--remote", f"{first}..{third}", "--json").json["reports"][0]
    lose_first_pack(remote)
    # What is lost came before the range, and its commits have it all the same.
    lost = repo.run("verify", "--remote", f"{first}..{third}", "--json", code=6).json["reports"][0]

    assert (whole["commits"], whole["incomplete"]) == (2, [])
    assert [gap["commit"] for gap in lost["incomplete"]] == [third, second]
    assert {name for gap in lost["incomplete"] for name in gap["datasets"]} == {"old.csv"}


def test_a_commit_that_no_longer_has_what_is_lost_can_be_restored(repo: Repo, remote: Path) -> None:
    history(repo)
    repo.run("rm", "old.csv")
    last = repo.commit("without it")
    repo.run("push")
    lose_first_pack(remote)

    told = repo.run("verify", "--remote", f"{last}^..{last}").out
    every = repo.run("verify", "--remote", code=6).out

    assert "1 of 1 commit can be restored" in told
    assert every.count("INCOMPLETE: commit") == 3


def test_a_sample_says_that_it_was_one_and_can_be_drawn_again(repo: Repo) -> None:
    history(repo)

    first = repo.run("verify", "--remote", "--read-data", "--sample", "50%", "--json").json
    seed = first["reports"][0]["sample"]["seed"]
    again = repo.run(
        "verify", "--remote", "--read-data", "--sample", "50%", "--seed", str(seed)
    ).out

    sample = first["reports"][0]["sample"]
    assert first["reports"][0]["checked"] == -(-sample["records"] // 2)
    assert f"of {sample['records']} records (50%, --seed {seed}) checked, 0 problems" in again


@pytest.mark.parametrize("share", ["0%", "101%", "1", "-1%"])
def test_a_share_that_is_none_is_refused(repo: Repo, share: str) -> None:
    repo.run("verify", "--remote", "--read-data", "--sample", share, code=2)


def test_a_sample_of_nothing_to_read_is_refused(repo: Repo) -> None:
    repo.run("verify", "--sample", "1%", code=2)


def test_debug_index_counts_and_exports(repo: Repo, tmp_path: Path) -> None:
    history(repo)
    path = tmp_path / "rows.parquet"

    told = repo.run("debug", "index", "--live", "--parquet", str(path)).out
    found = repo.run("debug", "index", "-r", "origin", "--json").json

    assert found["counts"]["large_blobs"] == 0
    assert pq.read_table(path).num_rows == found["counts"]["rows"]
    assert f"{found['counts']['rows']} rows written" in told
    assert "% of the packs" in told
