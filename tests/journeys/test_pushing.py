"""What a push must care for: every commit, whatever other branches and clones have pushed."""

from __future__ import annotations

from pathlib import Path

from dvtool.core.roots import parse_root
from tests.journeys.harness import Repo


def version(repo: Repo, text: str) -> str:
    repo.write("data/a.csv", text)
    repo.run("add", "data")
    return repo.commit(text)


def roots(repo: Repo) -> list[Path]:
    return sorted((repo.path.parent / "repo-remote").rglob("*.root"))


def test_two_commits_pushed_at_once_are_both_restorable(repo: Repo) -> None:
    first = version(repo, "1\n")
    version(repo, "2\n")
    repo.run("push")

    clone = repo.clone("clone")
    clone.run("pull", "--rev", first, "data")

    assert clone.read("data/a.csv") == b"1\n"


def test_a_root_holds_what_its_branch_shares_with_one_pushed_before(repo: Repo) -> None:
    version(repo, "shared\n")
    repo.git("checkout", "-q", "-b", "side")
    version(repo, "side\n")
    repo.run("push")
    repo.git("checkout", "-q", "main")
    repo.run("checkout")
    version(repo, "main\n")

    repo.run("push")

    counts = {}
    for path in roots(repo):
        root = parse_root(path.read_bytes())
        counts[root.ref] = sum(segment.count for segment in root.segments)
    assert counts == {"refs/heads/side": 2, "refs/heads/main": 2}


def test_a_later_push_adds_a_segment_and_does_not_walk_the_old_commits(repo: Repo) -> None:
    for number in range(6):
        version(repo, f"{number}\n")
        repo.run("push")

    last = parse_root(max(roots(repo), key=lambda path: path.stat().st_mtime_ns).read_bytes())

    assert sum(segment.count for segment in last.segments) == 6
    assert repo.run("verify", "--remote").code == 0


def test_push_of_a_commit_whose_bytes_are_lost_says_which_and_leaves_no_root(repo: Repo) -> None:
    version(repo, "1\n")
    for pack in (repo.path / ".git/dvtool/store/packs").iterdir():
        pack.unlink()

    result = repo.run("push", code=6)

    assert "data at " in result.err
    assert roots(repo) == []


def test_all_branches_and_tags_can_be_pushed_at_once(repo: Repo) -> None:
    version(repo, "1\n")
    repo.git("tag", "v1")
    repo.git("checkout", "-q", "-b", "side")
    version(repo, "2\n")
    repo.git("checkout", "-q", "main")

    repo.run("push", "--all-branches", "--all-tags")

    assert repo.run("verify", "--remote", "--json").json["reports"][0]["problems"] == []


def test_a_dry_run_sends_nothing(repo: Repo) -> None:
    version(repo, "1\n")

    assert "would upload 1 object" in repo.run("push", "--dry-run").out

    assert not list((repo.path.parent / "repo-remote").rglob("*.pack"))
