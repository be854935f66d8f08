"""Repositories of real git-lfs come over: pointers of HEAD, and with a map those of every commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dvtool.core.pointers import parse_pointer
from dvtool.ops.migrate.lfsattributes import without_lfs
from tests.journeys.harness import Repo
from tests.migrate.conftest import LARGE, files_of

ONE = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"  # printf one | sha256sum
TWO = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3"  # of two
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{ONE}\nsize 3\n".encode()


def object_of(repo: Repo, digest: str) -> Path:
    return repo.path / ".git/lfs/objects" / digest[:2] / digest[2:4] / digest


def test_every_commit_of_every_branch_restores_from_a_clone_and_a_remote(lfs_repo, tmp_path):
    repo, commits = lfs_repo
    assert repo.git("show", "main~2:a.bin") == POINTER.decode().strip()
    plan = repo.run("migrate", "lfs", "--history").out
    assert "4 objects from git-lfs's objects" not in plan  # one, two, side, CRLF, LARGE
    assert "5 objects from git-lfs's objects" in plan
    assert repo.git("status", "--porcelain") == ""

    repo.run("migrate", "lfs", "--history", "--yes")
    head = repo.commit("move")
    assert "2 data sets, all clean" in repo.run("status").out
    assert repo.git("ls-tree", "-r", "--name-only", head).split() == [
        ".dvtool", ".dvtool-migrated", ".gitattributes", ".gitignore", "a.bin.dvt",
        "data/sub/.gitignore", "data/sub/t.csv.dvt", "readme.txt",
    ]  # fmt: skip
    shutil.rmtree(repo.path / ".git/lfs")
    repo.run("push")
    clone = repo.clone("clone")
    shutil.rmtree(repo.path)

    assert len(commits) == 3
    for commit, files in [*commits.items(), (head, list(commits.values())[-1])]:
        clone.run("fetch", "--rev", commit)
        assert files_of(clone, commit, tmp_path) == files
    clone.run("get", str(clone.path), "a.bin", "--rev", "origin/side", "-o", str(tmp_path / "x"))
    assert os.access(tmp_path / "x", os.X_OK)


def test_objects_are_taken_by_name_and_size_and_hashed_where_that_is_asked(lfs_repo):
    repo, _ = lfs_repo
    two = object_of(repo, TWO)
    assert two.read_bytes() == b"two"
    two.chmod(0o644)
    two.write_bytes(b"too")

    refused = repo.run("migrate", "lfs", "--yes", "--rehash", code=7).err
    assert "a.bin at " in refused
    assert "does not match its name" in refused
    assert repo.git("status", "--porcelain") == ""

    two.write_bytes(b"longer")
    assert "its object has 6 bytes, its pointer says 3" in repo.run("migrate", "lfs").out
    assert repo.run("migrate", "lfs", "--yes", code=7).err.count("nothing was written") == 1
    assert repo.git("status", "--porcelain") == ""


def test_missing_objects_are_named_with_the_command_that_brings_them(lfs_repo, tmp_path):
    repo, commits = lfs_repo
    object_of(repo, ONE).unlink()

    refused = repo.run("migrate", "lfs", "--history", "--yes", code=6).err
    assert "a.bin at " in refused
    assert "hint: git lfs fetch --all" in refused
    assert repo.git("status", "--porcelain") == ""

    repo.run("migrate", "lfs", "--history", "--yes", "--allow-missing")
    repo.commit("move")
    first, side, *_ = commits
    assert "a.bin" not in files_of(repo, first, tmp_path)
    assert files_of(repo, first, tmp_path / "2")["data/large.dat"] == LARGE
    assert files_of(repo, side, tmp_path) == commits[side]


def test_what_is_left_behind_keeps_its_attributes_unless_they_would_take_our_files(lfs_repo):
    repo, _commits = lfs_repo
    object_of(repo, TWO).unlink()

    refused = repo.run("migrate", "lfs", "--yes", "--allow-missing", code=2).err
    assert "git-lfs would take data/sub/t.csv.dvt for data" in refused
    assert repo.git("status", "--porcelain") == ""

    repo.write(
        ".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n*.csv filter=lfs -text\n"
    )
    repo.commit("narrower")
    repo.run("migrate", "lfs", "--yes", "--allow-missing")
    assert repo.read(".gitattributes").startswith(b"*.bin filter=lfs")
    assert repo.git("ls-files", "a.bin", "data/sub/t.csv*") == "a.bin\ndata/sub/t.csv.dvt"


def test_a_run_that_was_interrupted_is_finished_by_the_next(lfs_repo):
    repo, _ = lfs_repo
    repo.run("migrate", "lfs", "--yes")
    written = repo.git("write-tree")
    # As if it had stopped before git forgot the pointers.
    repo.git("reset", "-q", "HEAD", "--", "a.bin", "data/sub/t.csv", ".gitattributes")
    repo.git("checkout", "-q", "--", ".gitattributes")

    repo.run("migrate", "lfs", "--yes")

    assert repo.git("write-tree") == written


def test_pointers_that_stand_on_the_disk_are_replaced_by_their_data(lfs_repo, tmp_path):
    repo, commits = lfs_repo
    repo.git("config", "filter.lfs.smudge", "git-lfs smudge --skip -- %f")
    repo.git("config", "filter.lfs.process", "git-lfs filter-process --skip")
    for path in ("a.bin", "data/sub/t.csv"):
        (repo.path / path).unlink()
        repo.git("checkout", "-q", "--", path)
    assert repo.read("a.bin").startswith(b"version https://git-lfs")

    repo.run("migrate", "lfs", "--yes")

    files = list(commits.values())[-1]
    assert {path: repo.read(path) for path in files} == files
    assert os.access(repo.path / "a.bin", os.X_OK)
    assert "all clean" in repo.run("status").out


def test_work_that_is_in_no_commit_stops_it(lfs_repo):
    repo, _ = lfs_repo
    repo.write("a.bin", b"new work")

    assert "not committed, first a.bin" in repo.run("migrate", "lfs", "--yes", code=2).err
    assert repo.read("a.bin") == b"new work"


def test_an_attribute_that_would_hand_sidecars_to_git_lfs_stops_it_and_all_is_as_it_was(lfs_repo):
    repo, _ = lfs_repo
    repo.write(".git/info/attributes", "*.dvt filter=lfs\n")
    before = repo.read(".gitattributes")

    refused = repo.run("migrate", "lfs", "--yes", code=2).err

    assert "git-lfs would take a.bin.dvt for data" in refused
    assert repo.read(".gitattributes") == before
    assert repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (b"*.bin filter=lfs diff=lfs merge=lfs -text\n", b""),
        (b"*.txt text\n*.bin filter=lfs diff=lfs merge=lfs -text lockable\n", b"*.txt text\n*.bin lockable\n"),
        (b'"a b" filter=lfs diff=lfs merge=lfs -text\r\n*.c diff=cpp\r\n', b"*.c diff=cpp\r\n"),
        (b"# filter=lfs\n*.x -text\n[attr]big filter=lfs\n", b"# filter=lfs\n*.x -text\n"),
        (b"*.dvt text eol=lf", b"*.dvt text eol=lf"),
    ],
)  # fmt: skip
def test_lines_of_git_lfs_go_and_others_stay_byte_for_byte(text, left):
    assert without_lfs(text) == left


def test_pointers_are_read_as_git_lfs_reads_them():
    assert parse_pointer(POINTER) == (bytes.fromhex(ONE), 3, "")
    assert parse_pointer(POINTER.replace(b"\n", b"\r\n")) == (bytes.fromhex(ONE), 3, "")
    old = POINTER.replace(b"https://git-lfs.github.com/spec/v1", b"http://git-media.io/v/2")
    assert parse_pointer(old) == (bytes.fromhex(ONE), 3, "")
    extended = POINTER.replace(b"oid ", b"ext-0-case sha256:" + b"0" * 64 + b"\noid ")
    assert parse_pointer(extended).problem == "an extension of git-lfs changes its bytes"
    for text in (
        b"",
        b"one",
        POINTER[:60],
        POINTER.replace(b"size 3", b"size x"),
        POINTER + b"x" * 1024,
    ):
        assert parse_pointer(text) is None
    # What the program itself writes.
    done = subprocess.run(
        ["git", "hash-object", "--stdin"], input=POINTER, capture_output=True, check=True
    )
    assert len(done.stdout.strip()) == 40
