"""Unsaved work is never overwritten, and three-way status tells what happened to each file."""

from __future__ import annotations

import pytest

from tests.journeys.harness import Repo


@pytest.fixture
def two(repo: Repo) -> Repo:
    """A repository with two committed versions of data/a.csv; the second is checked out."""
    repo.write("data/a.csv", "1\n")
    repo.write("data/b.csv", "same\n")
    repo.run("add", "data")
    repo.commit("one")
    repo.write("data/a.csv", "22\n")
    repo.run("add", "data")
    repo.commit("two")
    return repo


def states(repo: Repo) -> dict[str, str]:
    found = repo.run("status", "--json").json["datasets"]
    return {p["path"]: p["state"] for one in found for p in one["paths"]}


def test_stale_files_are_brought_up_to_date(two: Repo) -> None:
    two.git("checkout", "-q", "HEAD~1")

    assert states(two) == {"a.csv": "stale"}
    two.run("checkout")

    assert two.read("data/a.csv") == b"1\n"
    assert states(two) == {}


def test_add_refuses_to_undo_a_newer_version(two: Repo) -> None:
    two.git("checkout", "-q", "HEAD~1")

    assert "newer versions" in two.run("add", "data", code=9).err
    two.run("add", "--force", "data")

    assert states(two) == {}
    assert two.read("data/a.csv") == b"22\n"


def test_a_modified_file_survives_a_checkout_that_does_not_concern_it(two: Repo) -> None:
    two.write("data/b.csv", "mine\n")
    two.git("checkout", "-q", "HEAD~1")

    two.run("checkout")

    assert two.read("data/b.csv") == b"mine\n"
    assert two.read("data/a.csv") == b"1\n"
    assert states(two) == {"b.csv": "modified"}


def test_a_conflict_stops_the_checkout_before_anything_is_written(two: Repo) -> None:
    two.write("data/a.csv", "mine!\n")
    two.git("checkout", "-q", "HEAD~1")

    assert states(two) == {"a.csv": "conflict"}
    assert "data/a.csv" in two.run("checkout", code=9).err
    assert two.read("data/a.csv") == b"mine!\n"
    two.run("checkout", "--force")
    assert two.read("data/a.csv") == b"1\n"


def test_a_deleted_file_is_told_and_comes_back(two: Repo) -> None:
    (two.path / "data/b.csv").unlink()

    assert states(two) == {"b.csv": "deleted"}
    assert two.run("status", "-q", code=1).out == ""
    two.run("checkout")

    assert two.read("data/b.csv") == b"same\n"


def test_a_new_file_is_told_and_left_alone(two: Repo) -> None:
    two.write("data/new.csv", "n\n")
    two.git("checkout", "-q", "HEAD~1")
    two.run("checkout")

    assert states(two) == {"new.csv": "new"}


def test_pull_of_a_revision_refuses_to_drop_an_uncommitted_sidecar(two: Repo) -> None:
    two.write("data/a.csv", "333\n")
    two.run("add", "data")

    assert "not committed" in two.run("checkout", "--rev", "HEAD~1", "data", code=9).err
    assert two.read("data/a.csv") == b"333\n"


def test_a_path_git_tracked_is_stored_before_git_forgets_it(repo: Repo) -> None:
    repo.write("old.csv", "precious\n")
    repo.commit("git has it")
    repo.git("branch", "elsewhere")

    result = repo.run("add", "old.csv")
    repo.commit("dvtool has it")

    assert "git tracked 1 file" in result.out
    assert repo.git("ls-files", "old.csv") == ""
    assert repo.read("old.csv") == b"precious\n"
    assert "still tracks old.csv on elsewhere" in repo.run("status").err
    assert "still tracks old.csv" in repo.run("doctor", code=1).out


def test_checkout_takes_away_a_data_set_that_the_commit_does_not_have(two: Repo) -> None:
    two.git("checkout", "-q", "-b", "other", "HEAD~2")

    two.run("checkout")

    assert not (two.path / "data").exists()
    two.git("checkout", "-q", "main")
    two.run("checkout")
    assert two.read("data/a.csv") == b"22\n"


def test_rm_keeps_what_older_commits_need(two: Repo) -> None:
    two.run("rm", "data")
    two.commit("gone")
    assert not (two.path / "data").exists()

    two.run("checkout", "--rev", "HEAD~1", "data")

    assert two.read("data/a.csv") == b"22\n"


def test_rm_refuses_to_delete_work_that_is_in_no_version(two: Repo) -> None:
    two.write("data/a.csv", "mine\n")

    two.run("rm", "data", code=9)
    assert two.read("data/a.csv") == b"mine\n"
    two.run("rm", "--keep", "data")

    assert two.read("data/a.csv") == b"mine\n"


def test_mv_moves_files_sidecar_and_ignore_line(two: Repo) -> None:
    two.run("mv", "data", "raw/data")
    two.commit("moved")

    assert two.read("raw/data/a.csv") == b"22\n"
    assert two.run("status", "-q").code == 0
    assert two.git("status", "--porcelain") == ""


def test_names_that_another_disk_could_not_hold_are_refused_at_add(repo: Repo) -> None:
    repo.write("data/A.csv", "1\n")
    repo.write("data/a.csv", "2\n")

    assert "cannot stand side by side" in repo.run("add", "data", code=4).err
    assert not (repo.path / "data.dvt").exists()


def test_pull_leaves_out_what_settings_exclude(two: Repo) -> None:
    two.write("raw/big.bin", "big\n")
    two.run("add", "raw")
    two.commit()
    two.run("push")
    clone = two.clone("clone")
    clone.run("config", "--local", "fetch.exclude", "raw")

    clone.run("pull")

    assert clone.read("data/a.csv") == b"22\n"
    assert not (clone.path / "raw").exists()
