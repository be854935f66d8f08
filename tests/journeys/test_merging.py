"""Merging without the driver, with conflicts, and by hand."""

from __future__ import annotations

import subprocess

from tests.journeys.harness import Repo


def diverge(repo: Repo, ours: dict[str, str], theirs: dict[str, str]) -> None:
    """Makes two branches from one base, neither with the driver, and tries to merge them."""
    for key in ("merge.dvtool.driver", "merge.dvtool.name"):
        repo.git("config", "--unset-all", key)
    repo.write("data/a.csv", "0\n")
    repo.run("add", "data")
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "theirs")
    for path, text in theirs.items():
        repo.write(path, text)
    repo.run("add", "data")
    repo.commit("theirs")
    repo.git("checkout", "-q", "main")
    repo.run("checkout")
    for path, text in ours.items():
        repo.write(path, text)
    repo.run("add", "data")
    repo.commit("ours")
    subprocess.run(
        ["git", "merge", "-q", "theirs"], cwd=repo.path, capture_output=True, check=False
    )


def test_resolve_finishes_what_a_text_merge_could_not(repo: Repo) -> None:
    diverge(repo, {"data/b.csv": "ours\n"}, {"data/c.csv": "theirs\n"})
    assert "dvtool resolve" in repo.run("status").out

    repo.run("resolve")
    repo.git("commit", "-q", "-m", "merged")
    repo.run("checkout")

    assert sorted(repo.snapshot("data")) == ["a.csv", "b.csv", "c.csv"]


def test_a_real_conflict_is_shown_file_by_file_and_settled_by_choosing(repo: Repo) -> None:
    diverge(
        repo,
        {"data/a.csv": "ours\n", "data/b.csv": "ours\n"},
        {"data/a.csv": "theirs\n", "data/b.csv": "theirs\n"},
    )

    shown = repo.run("resolve", code=1).out
    assert "a.csv: both sides changed it" in shown
    assert "b.csv: both sides changed it" in shown
    repo.run("resolve", "--theirs", "data")
    repo.git("commit", "-q", "-m", "merged")
    repo.run("checkout")

    assert repo.read("data/a.csv") == b"theirs\n"


def test_case_clashes_are_conflicts_and_never_results(repo: Repo) -> None:
    diverge(repo, {"data/Name.csv": "ours\n"}, {"data/name.csv": "theirs\n"})

    assert "cannot stand beside" in repo.run("resolve", code=1).out


def test_a_text_merge_that_git_calls_clean_but_clashes_is_rejected(repo: Repo) -> None:
    for name in "bcdefgh":
        repo.write(f"data/{name}.csv", f"{name}\n")
    diverge(repo, {"data/A": "file\n"}, {"data/z.csv": "1\n", "data/a/x.csv": "2\n"})

    if repo.git("diff", "--name-only", "--diff-filter=U"):
        assert "cannot stand beside" in repo.run("resolve", code=1).out
    else:
        assert "cannot stand side by side" in repo.run("status").out
