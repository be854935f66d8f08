"""git checkout, merge and their like with dvtool's hooks: data follow, unsaved work never goes."""

from __future__ import annotations

import shutil

import pytest

from tests.journeys.harness import Repo
from tests.journeys.test_push_hook import commit_data, fresh_clone


@pytest.fixture
def two(gated: Repo) -> Repo:
    """A repository with branches `one` and `main` that have other data; main is checked out."""
    commit_data(gated, b"one", "v1")
    gated.git("branch", "one")
    gated.write("more/x.bin", b"x")
    gated.run("add", "more")
    commit_data(gated, b"two", "v2")
    return gated


def test_data_follow_a_switch_of_branches(two: Repo) -> None:
    switched = two.try_git("switch", "one")

    assert switched.code == 0
    assert two.read("data.bin") == b"one"
    assert not (two.path / "more").exists()
    assert "dvtool: 1 file of data written, 1 file of data removed" in switched.err
    two.git("switch", "-q", "main")
    assert (two.read("data.bin"), two.read("more/x.bin")) == (b"two", b"x")
    assert two.run("status", "-q").code == 0


def test_unsaved_work_is_never_overwritten(two: Repo) -> None:
    two.write("data.bin", b"my work")

    switched = two.try_git("switch", "one")

    assert switched.code == 0
    assert two.read("data.bin") == b"my work"
    assert "data.bin was left as it is: 1 files hold work that is in no version" in switched.err
    assert not (two.path / "more").exists()


def test_without_the_blobs_it_says_what_to_run(two: Repo) -> None:
    two.git("push", "-q", "origin", "main", "one")
    clone = fresh_clone(two)
    clone.run("install")
    clone.run("pull", "data.bin")

    switched = clone.try_git("switch", "one")

    assert switched.code == 0
    assert clone.read("data.bin") == b"two"
    assert "data.bin was left as it is: 1 objects are not in the store" in switched.err
    assert "hint: dvtool pull" in switched.err


def test_what_was_never_checked_out_stays_away(two: Repo) -> None:
    two.git("push", "-q", "origin", "main", "one")
    clone = fresh_clone(two)
    clone.run("install")
    clone.run("fetch", "--all-commits")

    clone.git("switch", "-q", "one")

    assert not (clone.path / "data.bin").exists()


def test_a_checkout_of_single_files_and_a_new_branch_touch_nothing(two: Repo) -> None:
    two.git("checkout", "-q", "one", "--", "data.bin.dvt")
    assert two.read("data.bin") == b"two"
    two.git("checkout", "-q", "main", "--", "data.bin.dvt")

    assert two.try_git("checkout", "-b", "new").err == "Switched to a new branch 'new'\n"


def test_nothing_happens_while_pre_commit_puts_work_aside(two: Repo) -> None:
    two.try_git("checkout", "-q", "one", _PRE_COMMIT_SKIP_POST_CHECKOUT="1")

    assert two.read("data.bin") == b"two"


@pytest.mark.parametrize(("auto", "data"), [("true", b"one"), ("hint", b"two"), ("off", b"two")])
def test_whether_data_follow_is_a_setting(two: Repo, auto: str, data: bytes) -> None:
    two.git("config", "dvtool.checkout.auto", auto)

    switched = two.try_git("switch", "one")

    assert two.read("data.bin") == data
    assert ("dvtool checkout brings the data in line" in switched.err) == (auto == "hint")


def test_a_merge_brings_data_in_line(two: Repo) -> None:
    two.git("switch", "-q", "one")

    assert two.try_git("merge", "main").code == 0
    assert (two.read("data.bin"), two.read("more/x.bin")) == (b"two", b"x")
    two.git("reset", "-q", "--hard", "one")


def test_only_a_hint_while_a_bisection_is_under_way(two: Repo) -> None:
    two.git("bisect", "start", "main", "one~1")

    assert two.read("data.bin") == b"two"
    two.git("bisect", "reset")


def test_only_a_hint_while_a_rebase_is_under_way(two: Repo) -> None:
    two.write("notes.md", "1\n")
    two.git("add", "notes.md")
    two.git("commit", "-q", "-m", "notes")
    two.git("switch", "-q", "one")
    two.write("other.md", "1\n")
    two.git("add", "other.md")
    two.git("commit", "-q", "-m", "other")

    rebased = two.try_git("rebase", "main")

    assert rebased.code == 0
    assert "dvtool checkout brings the data in line, once the rebase is done" in rebased.err
    assert two.read("data.bin") == b"one"
    two.run("checkout")
    assert two.read("data.bin") == b"two"


def test_a_lost_store_does_not_make_git_checkout_fail(two: Repo) -> None:
    shutil.rmtree(two.path / ".git/dvtool/store")

    switched = two.try_git("switch", "one")

    assert switched.code == 0
    assert two.read("data.bin") == b"two"
