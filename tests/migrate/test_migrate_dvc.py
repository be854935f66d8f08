"""Repositories of real DVC come over: HEAD, and with a map every commit there ever was."""

from __future__ import annotations

import shutil

import fsspec

from tests.migrate.conftest import files_of


def test_head_comes_over_from_the_cache_and_the_files_of_dvc_stay(dvc_repo, tmp_path):
    repo, commits = dvc_repo
    before = repo.snapshot(".dvc")
    plan = repo.run("migrate", "dvc")
    assert "nothing was changed; dvtool migrate dvc --yes does it" in plan.out
    assert repo.git("status", "--porcelain") == ""

    repo.run("migrate", "dvc", "--yes")
    head = repo.commit("move")

    assert files_of(repo, head, tmp_path) == list(commits.values())[-1]
    assert "2 data sets, all clean" in repo.run("status").out
    assert repo.snapshot(".dvc") == before
    assert (repo.path / "data.dvc").exists()
    assert not (repo.path / ".dvtool-migrated").exists()


def test_every_commit_of_every_branch_restores_from_a_clone_and_a_remote(dvc_repo, tmp_path):
    repo, commits = dvc_repo
    repo.run("migrate", "dvc", "--history", "--yes")
    repo.commit("move")
    shutil.rmtree(repo.path / ".dvc" / "cache")
    repo.run("push")
    clone = repo.clone("clone")
    shutil.rmtree(repo.path)

    assert len(commits) == 5
    for commit, files in commits.items():
        clone.run("fetch", "--rev", commit)
        assert files_of(clone, commit, tmp_path) == files
        address = f"dvt://{clone.path}:{commit}@data/a.csv"
        assert fsspec.open(address).open().read() == files["data/a.csv"]


def test_what_is_not_in_the_cache_comes_from_the_remote_of_dvc(dvc_repo, tmp_path):
    repo, commits = dvc_repo
    shutil.rmtree(repo.path / ".dvc" / "cache")

    plan = repo.run("migrate", "dvc", "--history")
    repo.run("migrate", "dvc", "--history", "--yes")
    repo.commit("move")

    assert "objects from DVC's remote store (s3://old-data/dvc)" in plan.out
    for commit, files in commits.items():
        assert files_of(repo, commit, tmp_path) == files


def test_an_old_commit_that_is_checked_out_with_git_gets_its_files_by_pull(dvc_repo, tmp_path):
    repo, commits = dvc_repo
    repo.run("migrate", "dvc", "--history", "--yes")
    repo.commit("move")
    repo.run("push")
    clone = repo.clone("clone")
    clone.run("pull")

    for commit, files in commits.items():
        clone.git("checkout", "-q", commit)
        clone.run("pull")
        assert {path: clone.read(path) for path in files} == files
        assert not (clone.path / "raw/model.bin").exists() or "raw/model.bin" in files
        assert "all clean" in clone.run("status").out
        assert clone.git("status", "--porcelain") == ""
    assert "before the migration" in clone.run("add", "data", code=5).err
    clone.git("checkout", "-q", "main")
    clone.run("checkout")
    assert {path: clone.read(path) for path in files} == files


def test_verify_answers_for_each_old_commit_and_names_what_is_lost(dvc_repo):
    repo, commits = dvc_repo
    repo.run("migrate", "dvc", "--history", "--yes")
    repo.commit("move")
    repo.run("push")
    assert "7 of 7 commits can be restored" in repo.run("verify", "side", "main", "--remote").out

    # The bytes of the version that only the branch `side` has go from the store.
    shutil.rmtree(repo.path / ".git" / "dvtool" / "store")
    first = next(iter(commits))
    repo.run("fetch", "--rev", "main")
    repo.run("fetch", "--rev", first)
    (report,) = repo.run("verify", "side", "--json", code=6).json["reports"]

    side = list(commits)[1]
    assert [gap["commit"] for gap in report["incomplete"]] == [side]
    assert report["incomplete"][0]["datasets"] == ["data"]


def test_nothing_is_written_while_anything_is_missing_or_damaged(dvc_repo, tmp_path):
    repo, commits = dvc_repo
    repo.write(".dvc/config", "")
    repo.commit("without a remote")
    cache = repo.path / ".dvc/cache/files/md5"
    one = cache / "26/ab0db90d72e28ad0ba1e22ee510510"  # md5 of "2\n", in HEAD's data/a.csv
    one.chmod(0o644)
    one.write_bytes(b"3\n")
    missing = cache / "3c/81c975001ddcf20bed5a8ec1df6d26"
    assert missing.read_bytes() == b"side\n"
    missing.unlink()

    plan = repo.run("migrate", "dvc", "--history").out
    assert "data at " in plan
    assert "a.csv: is in no cache and at no remote of DVC" in plan
    refused = repo.run("migrate", "dvc", "--history", "--yes", code=6).err
    assert "nothing was written" in refused
    refused = repo.run("migrate", "dvc", "--yes", code=7).err
    assert "a.csv: md5:26ab0db90d72e28ad0ba1e22ee510510 does not match its bytes" in refused
    assert repo.git("status", "--porcelain") == ""

    repo.run("migrate", "dvc", "--history", "--yes", "--allow-missing")
    repo.commit("move")
    first, side, second, *_ = commits
    assert files_of(repo, first, tmp_path) == commits[first]
    assert "data/a.csv" not in files_of(repo, side, tmp_path)
    assert files_of(repo, second, tmp_path) == {"raw/model.bin": commits[second]["raw/model.bin"]}
