"""git push with dvtool's hooks: nothing bad leaves, and what leaves can be restored by others."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvtool.ops.hooks import push as push_hook
from tests.journeys.harness import Repo

GOOD = "id,age\n1,20\n2,30\n3,44\n"
BAD = "id,age\n1,20\n1,30\n3,44\n"
CHECKS = "key: [id]\n"


def commit_data(repo: Repo, data: str | bytes, message: str, path: str = "data.bin") -> str:
    """Commits a version without asking the hook before commits."""
    repo.write(path, data)
    repo.run("add", path)
    repo.git("add", "-A")
    repo.git("commit", "-q", "--no-verify", "-m", message)
    return repo.git("rev-parse", "HEAD")


def fresh_clone(repo: Repo) -> Repo:
    """Clones what others have: the bare git repository, and the data remote."""
    host = repo.at(repo.path.parent / "host.git")
    return host.clone("fresh")


def test_two_commits_pushed_at_once_are_both_restorable_from_a_fresh_clone(gated: Repo) -> None:
    first = commit_data(gated, b"one", "v1")
    second = commit_data(gated, b"two", "v2")

    pushed = gated.try_git("push", "origin", "main")

    assert pushed.code == 0
    assert "2 objects uploaded to origin" in pushed.err
    clone = fresh_clone(gated)
    for commit, data in ((first, b"one"), (second, b"two")):
        clone.run("pull", "--force", "--rev", commit, "data.bin")
        assert clone.read("data.bin") == data


def test_a_second_push_uploads_nothing_and_the_remote_is_an_s3(
    make_repo, s3_bucket: tuple[str, str], tmp_path: Path
) -> None:
    import subprocess

    endpoint, bucket = s3_bucket
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / "host.git"], check=True)
    repo = make_repo(remote=None, hooks=True)
    repo.git("remote", "add", "origin", str(tmp_path / "host.git"))
    repo.run("remote", "add", "origin", f"s3://{bucket}/data", "--endpoint-url", endpoint)
    commit_data(repo, b"one", "v1")

    first = repo.try_git("push", "origin", "main")
    repo.write("notes.md", "1\n")
    repo.commit("code")
    second = repo.try_git("push", "origin", "main")

    assert (first.code, second.code) == (0, 0)
    assert "1 objects uploaded to origin" in first.err
    assert "uploaded" not in second.err
    clone = fresh_clone(repo)
    clone.run("pull")
    assert clone.read("data.bin") == b"one"


def test_what_a_skipped_hook_left_behind_is_uploaded_by_the_next_push(gated: Repo) -> None:
    skipped = commit_data(gated, b"one", "v1")
    assert gated.try_git("push", "--no-verify", "origin", "main").code == 0
    commit_data(gated, b"two", "v2")
    environment = gated.try_git("push", "origin", "main", DVTOOL_SKIP_PUSH="1")
    assert environment.code == 0
    assert "DVTOOL_SKIP_PUSH=1" in environment.err
    gated.write("notes.md", "1\n")
    gated.commit("code")

    pushed = gated.try_git("push", "origin", "main")

    assert "2 objects uploaded" in pushed.err
    clone = fresh_clone(gated)
    clone.run("pull", "--rev", skipped, "data.bin")
    assert clone.read("data.bin") == b"one"


def test_new_branches_tags_and_deletions_in_one_push(gated: Repo) -> None:
    commit_data(gated, b"one", "v1")
    gated.git("push", "-q", "origin", "main", "main:refs/heads/old")
    gated.git("checkout", "-q", "-b", "side")
    commit_data(gated, b"side", "side")
    gated.git("tag", "-a", "v9", "-m", "annotated")
    gated.git("checkout", "-q", "--detach", "main")
    commit_data(gated, b"three", "on no branch")
    gated.git("tag", "light")
    gated.git("checkout", "-q", "main")

    pushed = gated.try_git("push", "origin", "side", "v9", "light", ":old")

    assert pushed.code == 0
    assert "2 objects uploaded" in pushed.err
    clone = fresh_clone(gated)
    for rev, data in (("v9", b"side"), ("light", b"three")):
        clone.run("pull", "--force", "--rev", rev, "data.bin")
        assert clone.read("data.bin") == data


def test_a_deletion_alone_needs_no_remote(gated: Repo) -> None:
    commit_data(gated, b"one", "v1")
    gated.git("push", "-q", "origin", "main", "main:refs/heads/old")
    gated.run("remote", "rm", "origin")

    assert gated.try_git("push", "origin", ":old").code == 0


def test_a_forced_push_over_commits_that_are_not_here(gated: Repo) -> None:
    gated.git("push", "-q", "origin", "main")
    other = fresh_clone(gated)
    other.write("theirs.md", "1\n")
    other.commit("somebody else's")
    other.git("push", "-q", "--no-verify", "origin", "main")
    commit_data(gated, b"one", "v1")

    pushed = gated.try_git("push", "--force", "origin", "main")

    assert pushed.code == 0
    assert "1 objects uploaded" in pushed.err


def test_lost_bytes_block_the_push_with_the_list(gated: Repo) -> None:
    import shutil

    commit_data(gated, b"one", "v1")
    commit_data(gated, b"two", "v2")
    shutil.rmtree(gated.path / ".git/dvtool/store")

    refused = gated.try_git("push", "origin", "main")

    assert refused.code == 1
    assert "2 objects are neither in the store nor at file://" in refused.err
    assert "data.bin at" in refused.err
    assert gated.git("ls-remote", "origin") == ""


def test_without_a_remote_for_data_nothing_leaves(gated: Repo) -> None:
    gated.run("remote", "rm", "origin")
    gated.commit("no remote")
    assert gated.try_git("push", "origin", "main").code == 0
    commit_data(gated, b"one", "v1")

    refused = gated.try_git("push", "origin", "main")

    assert refused.code == 1
    assert "data.bin.dvt at" in refused.err
    assert "hint: dvtool remote add origin s3://bucket/prefix" in refused.err


def test_a_remote_that_is_gone_blocks_and_says_how_to_go_round(gated: Repo) -> None:
    gated.run("remote", "set", "origin", "s3://nowhere/x", "--endpoint-url", "http://127.0.0.1:9")
    gated.commit("moved")
    commit_data(gated, b"one", "v1")

    refused = gated.try_git(
        "push", "origin", "main", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b"
    )

    assert refused.code != 0
    assert "error: " in refused.err
    assert "DVTOOL_SKIP_PUSH=1 git push" in refused.err


def test_more_than_a_hook_should_upload_is_said_and_stopped(
    gated: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_hook, "UPLOAD_LIMIT_BYTES", 2)
    commit = commit_data(gated, b"one", "v1")
    refs = [push_hook.PushedRef("refs/heads/main", commit, "")]

    with pytest.raises(push_hook.TooMuch, match="not at the remote yet") as refused:
        push_hook.upload(workspace_of(gated), refs, "origin")

    assert f"dvtool push --rev {commit[:12]}" in refused.value.hint
    gated.run("push", "--rev", commit[:12])
    assert push_hook.upload(workspace_of(gated), refs, "origin").uploaded == 0


def workspace_of(repo: Repo):
    import os

    from dvtool.ops.workspace import Workspace

    return Workspace.open(repo.path, environ=dict(os.environ))


def test_what_no_hook_before_commits_saw_is_judged_before_the_push(gated: Repo) -> None:
    gated.write("ages.csv.checks.yaml", CHECKS)
    commit_data(gated, GOOD, "good", "ages.csv")
    gated.git("push", "-q", "origin", "main")
    gated.git("checkout", "-q", "-b", "side")
    commit_data(gated, BAD, "bad", "ages.csv")
    gated.git("checkout", "-q", "main")
    gated.git("cherry-pick", "side")
    uploaded = len(list((gated.path.parent / "repo-remote").rglob("*.pack")))

    refused = gated.try_git("push", "origin", "main")

    assert refused.code == 1
    assert f"error: ages.csv at {gated.git('rev-parse', 'main')[:12]}: fail" in refused.err
    assert "[key]" in refused.err
    assert len(list((gated.path.parent / "repo-remote").rglob("*.pack"))) == uploaded
    gated.git("revert", "--no-edit", "HEAD")
    gated.git("reset", "-q", "--soft", "HEAD~2")
    gated.git("commit", "-q", "--allow-empty", "-m", "undone")
    assert gated.try_git("push", "origin", "main").code == 0


def test_a_bad_version_in_the_middle_of_the_range_does_not_leave(gated: Repo) -> None:
    gated.write("ages.csv.checks.yaml", CHECKS)
    commit_data(gated, GOOD, "good", "ages.csv")
    bad = commit_data(gated, BAD, "bad", "ages.csv")
    commit_data(gated, GOOD + "4,50\n", "put right", "ages.csv")

    refused = gated.try_git("push", "origin", "main")

    assert refused.code == 1
    assert f"ages.csv at {bad[:12]}: fail" in refused.err
    gated.run("config", "gate.push", "none")
    assert gated.try_git("push", "origin", "main").code == 0


def test_stricter_checks_judge_data_that_did_not_change(gated: Repo) -> None:
    commit_data(gated, GOOD, "good", "ages.csv")
    gated.git("push", "-q", "origin", "main")
    gated.write("ages.csv.checks.yaml", "columns:\n  age: {max: 40}\n")
    gated.git("add", ".")
    gated.git("commit", "-q", "--no-verify", "-m", "stricter")

    assert "ages.csv at" in gated.try_git("push", "origin", "main").err


def test_commits_that_use_dvtool_do_not_leave_from_a_work_tree_that_does_not(gated: Repo) -> None:
    commit_data(gated, b"one", "v1")
    gated.git("checkout", "-q", "--orphan", "pages")
    gated.git("rm", "-rfq", "--cached", ".")
    (gated.path / ".dvtool").unlink()

    refused = gated.try_git("push", "origin", "main")

    assert refused.code == 1
    assert "refs/heads/main has a .dvtool, this work tree has none" in refused.err
