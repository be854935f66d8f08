"""Caches, remotes and `.dvc` files of DVC 2: by itself, and laid out by hand as it lays them out.

It wrote `md5` without `hash`, over text with Unix line ends, and objects under `ab/cdef…`. What is
laid out by hand needs no DVC, so that what does not depend on it is quick to test.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.journeys.harness import Repo
from tests.migrate.conftest import CRLF, LARGE, files_of

FILES = {"data/a.csv": CRLF, "data/b/c.bin": b"\0\r\n", "model.bin": LARGE}


@pytest.mark.parametrize("place", ["the cache", "the remote", "cache and remote"])
def test_what_both_versions_of_dvc_wrote_restores(dvc2_made, tmp_path, capfd, place):
    shutil.copytree(dvc2_made.path, tmp_path / "repo")
    repo = Repo(tmp_path / "repo", capfd)
    repo.run("init", "--no-hooks")
    repo.commit("dvtool")
    if place == "the cache":
        repo.git("rm", "-q", ".dvc/config")
        repo.commit("no remote")
    commits = dict(dvc2_made.commits)
    if place == "the remote":
        shutil.rmtree(repo.path / ".dvc/cache")
        repo.git("rm", "-q", "data.dvc")  # the version of DVC 3 was never pushed
        repo.commit("without it")
        commits.popitem()

    behind = ["--allow-missing"] if place == "the remote" else []
    repo.run("migrate", "dvc", "--history", "--yes", *behind)
    repo.commit("move")

    assert len(commits) == (2 if place == "the remote" else 3)
    for commit, files in commits.items():
        assert files_of(repo, commit, tmp_path) == files


def lay_out(root: Path) -> tuple[str, str]:
    """Writes objects as DVC 2 does; returns the names of the directory and of the model."""

    def put(name: str, data: bytes) -> str:
        target = root / name[:2] / name[2:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return name

    rows = [
        {"md5": put(hashlib.md5(b"x\ny\n").hexdigest(), CRLF), "relpath": "a.csv"},
        {"md5": put(hashlib.md5(b"\0\r\n").hexdigest(), b"\0\r\n"), "relpath": "b/c.bin"},
    ]
    listed = json.dumps(rows, sort_keys=True).encode()
    directory = put(hashlib.md5(listed).hexdigest() + ".dir", listed)
    return directory, put(hashlib.md5(LARGE).hexdigest(), LARGE)


@pytest.fixture
def old(tmp_path, capfd, monkeypatch) -> Repo:
    repo = Repo(tmp_path / "repo", capfd)
    repo.path.mkdir()
    repo.git("init", "-q", "-b", "main", ".")
    directory, model = lay_out(tmp_path / "objects")
    repo.write("data.dvc", f"outs:\n- md5: {directory}\n  size: 9\n  nfiles: 2\n  path: data\n")
    repo.write("model.bin.dvc", f"md5: {model}\nouts:\n- md5: {model}\n  path: model.bin\n")
    repo.write(
        ".dvc/config", "[core]\n    remote = disk\n['remote \"disk\"']\n    url = ../../objects\n"
    )
    repo.write(".gitignore", "/data\n/model.bin\n")
    repo.commit("old")
    repo.run("init", "--no-hooks")
    repo.run("remote", "add", "origin", (tmp_path / "remote").as_uri())
    repo.commit("dvtool")
    return repo


@pytest.mark.parametrize("place", ["remote", "cache", "cache named in the configuration"])
def test_both_commits_restore(old, tmp_path, place):
    if place == "cache":
        (tmp_path / "objects").rename(old.path / ".dvc" / "cache")
    elif place != "remote":
        (tmp_path / "objects").rename(tmp_path / "elsewhere")
        old.write(".dvc/config.local", "[cache]\n    dir = ../../elsewhere\n")

    old.run("migrate", "dvc", "--history", "--yes")
    head = old.git("rev-parse", "HEAD~1")
    old.commit("move")

    assert files_of(old, head, tmp_path / "1") == FILES
    assert files_of(old, "HEAD", tmp_path / "2") == FILES
    old.run("checkout")
    assert {path: old.read(path) for path in FILES} == FILES


def test_a_map_survives_a_second_migration_and_the_old_tool_being_gone(old, tmp_path):
    old.run("migrate", "dvc", "--history", "--yes")
    old.git("rm", "-q", "data.dvc", "model.bin.dvc", ".dvc/config")
    old.commit("move")
    text = old.read(".dvtool-migrated")
    for folder in (".dvc", "../objects"):
        if (old.path / folder).exists():
            (old.path / folder).rename(tmp_path / f"gone-{folder.strip('./')}")

    refused = old.run("migrate", "dvc", code=2).err
    assert "HEAD has nothing that DVC tracks" in refused
    assert "nothing was changed" in old.run("migrate", "dvc", "--history").out
    assert files_of(old, "HEAD~2", tmp_path) == FILES
    assert old.read(".dvtool-migrated") == text

    lines = old.run("log", "data").out.splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["move", "old"]
    old.run("rm", "data", "--keep")
    old.commit("no data")
    assert [
        one["dataset"] for one in old.run("list", "--rev", "HEAD", "--json").json["datasets"]
    ] == ["model.bin"]


def test_changes_of_dvc_that_are_not_committed_stop_it(old):
    old.write("data.dvc", "outs: []\n")

    assert "not committed, first data.dvc" in old.run("migrate", "dvc", "--yes", code=2).err


def test_gc_keeps_what_only_old_commits_need(old, tmp_path):
    old.run("migrate", "dvc", "--history", "--yes")
    old.commit("move")
    for path in ("data", "model.bin"):
        old.run("rm", path)
    old.commit("nothing is left")
    old.run("push")
    old.run("gc", "--remote", "--delete", "--grace-days", "0")
    old.run("gc", "--remote", "--delete", "--grace-days", "0")
    clone = old.clone("clone")

    clone.run("fetch", "--rev", "HEAD~3")
    assert files_of(clone, clone.git("rev-parse", "HEAD~3"), tmp_path / "1") == FILES


def test_a_push_before_the_map_does_not_hide_what_the_map_brings(old, tmp_path):
    old.run("migrate", "dvc", "--yes")
    old.commit("only HEAD")
    old.run("rm", "model.bin")
    old.commit("no model")
    old.run("push")
    old.run("migrate", "dvc", "--history", "--yes", "--allow-missing")
    old.commit("the past too")
    old.run("push")
    clone = old.clone("clone")

    clone.run("fetch", "--rev", "HEAD~4")
    assert files_of(clone, clone.git("rev-parse", "HEAD~4"), tmp_path / "1") == FILES


def test_a_version_that_dvc_made_after_the_migration_is_told_and_taken_by_force(old, tmp_path):
    old.run("migrate", "dvc", "--history", "--yes")
    old.commit("move")
    new = old.write("../objects/" + "68/b329da9893e34099c7d8ad5cb9c940", "\n")  # md5 of a line end
    assert new.read_bytes() == b"\n"
    old.write(
        "model.bin.dvc", "outs:\n- md5: 68b329da9893e34099c7d8ad5cb9c940\n  path: model.bin\n"
    )
    old.commit("DVC again")

    plain = old.run("migrate", "dvc", "--history", "--yes", "--json").json
    assert {one["path"]: one["state"] for one in plain["datasets"]} == {
        "data": "kept",
        "model.bin": "differs",
    }
    assert files_of(old, "HEAD", tmp_path / "1") == FILES
    old.commit("the map grew")
    assert "--force replaces it" in old.run("migrate", "dvc").out

    old.run("migrate", "dvc", "--yes", "--force")
    old.commit("taken")
    assert files_of(old, "HEAD", tmp_path / "2") == FILES | {"model.bin": b"\n"}


def test_links_into_the_cache_of_dvc_stop_it(old, tmp_path):
    old.write("data/a.csv", CRLF)
    (old.path / "data/b").mkdir()
    (old.path / "data/b/c.bin").symlink_to(tmp_path / "objects" / "x")

    refused = old.run("migrate", "dvc", "--yes", code=2).err
    assert "data/b/c.bin is a link into DVC's cache, not a file" in refused
    assert "hint: dvc config --local cache.type copy && dvc checkout --relink" in refused
    assert not (old.path / "data.dvt").exists()


def test_a_map_of_another_branch_adds_names_and_changes_none(old, tmp_path):
    old.run("migrate", "dvc", "--history", "--yes")
    before = old.git("rev-parse", "HEAD~1")
    old.commit("move")
    old.git("switch", "-q", "-c", "a-branch")
    text = old.read(".dvtool-migrated")
    model = hashlib.sha256(LARGE).hexdigest().encode()
    assert model in text
    old.write(".dvtool-migrated", text.replace(model, b"0" * 64))
    old.commit("somebody else's idea")
    old.git("switch", "-q", "main")

    assert files_of(old, before, tmp_path / "1") == FILES
    clone = old.clone("clone")  # has the other branch at its remote only
    clone.git("checkout", "-q", before)
    old.run("push")
    clone.run("pull")
    assert clone.read("model.bin") == LARGE


def test_a_map_that_a_merge_broke_is_refused_with_the_way_out(old):
    old.run("migrate", "dvc", "--history", "--yes")
    old.commit("move")
    old.write(".dvtool-migrated", b"<<<<<<< HEAD\n" + old.read(".dvtool-migrated"))

    refused = old.run("list", "--rev", "HEAD~1", code=4).err
    assert ".dvtool-migrated" in refused
    assert "git checkout --ours .dvtool-migrated" in refused


def test_a_remote_of_a_kind_that_is_not_read_is_named_where_something_is_missing(old):
    old.write(
        ".dvc/config", "[core]\n    remote = far\n['remote \"far\"']\n    url = gdrive://x/y\n"
    )
    old.commit("moved away")

    plan = old.run("migrate", "dvc").out

    assert "of a kind that is not read: DVC's remote far (gdrive://x/y)" in plan
