"""The way back: real DVC restores what dvtool exports."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.migrate.conftest import CRLF, DVC, LARGE


@pytest.fixture
def tracked(make_repo):
    if not DVC.exists():
        pytest.skip("DVC is not installed: tests/migrate/install")
    repo = make_repo()
    for path, data in {
        "data/a.csv": CRLF,
        "data/b/large.bin": LARGE,
        "raw/run.sh": b"#!/bin/sh\n",
    }.items():
        repo.write(path, data)
    (repo.path / "raw/run.sh").chmod(0o755)
    (repo.path / "data/link").symlink_to("a.csv")
    repo.run("add", "data", "raw/run.sh")
    repo.commit("data")
    return repo


def test_real_dvc_is_clean_restores_and_pulls_in_a_clone(tracked, dvc_program, tmp_path):
    assert "hint: dvc init" in tracked.run("export", "dvc", code=2).err
    dvc_program(tracked.path, "init", "-q")

    out = tracked.run("export", "dvc").out
    assert "left out, for DVC does not keep its kind: data/link" in out
    (tracked.path / "data/link").unlink()
    assert "up to date" in dvc_program(tracked.path, "status")
    dvc_program(tracked.path, "remote", "add", "-d", "disk", str(tmp_path / "disk"))
    dvc_program(tracked.path, "push", "-q")
    tracked.commit("back to DVC")
    clone = tracked.clone("clone")
    dvc_program(clone.path, "pull", "-q")

    assert clone.read("data/a.csv") == CRLF
    assert clone.read("data/b/large.bin") == LARGE
    assert clone.read("raw/run.sh") == b"#!/bin/sh\n"
    assert os.access(clone.path / "raw/run.sh", os.X_OK)


def test_what_came_from_dvc_goes_back_as_it_was(dvc_repo):
    repo, _ = dvc_repo
    before = repo.snapshot(".dvc/cache")
    repo.run("migrate", "dvc", "--yes")
    repo.commit("move")
    shutil.rmtree(repo.path / ".dvc/cache")

    repo.run("export", "dvc", "data")

    # DVC's own file says the same, so it was left as it is; the objects have DVC's own names.
    assert repo.git("status", "--porcelain") == ""
    after = repo.snapshot(".dvc/cache")
    assert after
    assert after.items() <= before.items()


def test_a_dvc_file_that_says_something_else_is_not_replaced(tracked, tmp_path):
    tracked.write("data.dvc", "outs: []\n")

    refused = tracked.run("export", "dvc", "data", "--to", str(tmp_path / "to"), code=9).err
    assert "data.dvc says something else already" in refused
    assert tracked.read("data.dvc") == b"outs: []\n"

    tracked.run("export", "dvc", "data", "--to", str(tmp_path / "to"), "--force")
    assert b".dir\n" in tracked.read("data.dvc")
    part = tracked.run("export", "dvc", "data/b", "--to", str(tmp_path / "to"), code=2)
    assert "a part of a data set cannot be exported" in part.err
