"""Situations in which another tool was measured to lose or corrupt data without a word.

The letters are those of the table in docs/limits.md#situations; E is in `test_gc.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.journeys.harness import Repo

WRITER = """
import os, sys
descriptor = os.open(sys.argv[1], os.O_WRONLY)
print("ready", flush=True)
number = 0
while True:
    number += 1
    os.pwrite(descriptor, number.to_bytes(8, "little") * 4096, (number % 256) * 32768)
"""


def packs_of(repo: Repo) -> list[Path]:
    return sorted((repo.path.parent / "repo-remote").rglob("*.pack"))


def test_a_git_push_uploads_every_version_that_its_commits_need(gated: Repo) -> None:
    commits = []
    for data in (b"version one", b"version two"):
        gated.write("data/a.bin", data)
        gated.run("add", "data")
        commits.append(gated.commit())

    gated.git("push", "--quiet", "origin", "main")

    clone = gated.at(gated.path.parent / "host.git").clone("fresh")
    for commit, data in zip(commits, (b"version one", b"version two"), strict=True):
        clone.run("pull", "--force", "--rev", commit, "data")
        assert clone.read("data/a.bin") == data


def test_b_a_commit_stops_while_data_are_changed_and_not_added(gated: Repo) -> None:
    gated.write("data/a.bin", b"as added")
    gated.run("add", "data")
    before = gated.commit()
    gated.write("data/a.bin", b"changed!")
    gated.write("train.py", "print('trained on what is not in any version')\n")
    gated.git("add", "train.py")

    refused = gated.try_git("commit", "-m", "train")

    assert refused.code == 1
    assert "error: changed on disk and not added: data (1 file)" in refused.err
    assert gated.git("rev-parse", "HEAD") == before


def test_c_a_truncated_remote_object_is_refused_and_named(repo: Repo) -> None:
    repo.write("data/a.csv", "x\n" * 1000)
    repo.run("add", "data")
    repo.commit()
    repo.run("push")
    clone = repo.clone("clone")
    for pack in packs_of(repo):
        pack.chmod(0o644)
        os.truncate(pack, pack.stat().st_size - 40)

    result = clone.run("pull", code=7)

    assert not (clone.path / "data/a.csv").exists()
    assert any(pack.name in result.err for pack in packs_of(repo))
    assert "sha256:" in result.err


def test_c_an_altered_remote_object_is_refused_and_repaired_from_the_store(repo: Repo) -> None:
    repo.write("data/a.csv", "x\n" * 1000)
    repo.run("add", "data")
    repo.commit()
    repo.run("push")
    clone = repo.clone("clone")
    for pack in packs_of(repo):
        data = bytearray(pack.read_bytes())
        data[32 + 64 + 3] ^= 0xFF
        pack.chmod(0o644)
        pack.write_bytes(data)

    assert "sha256:" in clone.run("pull", code=7).err
    assert not (clone.path / "data/a.csv").exists()
    repo.run("verify", "--remote", "--read-data", "--repair")
    clone.run("pull")
    assert clone.read("data/a.csv") == repo.read("data/a.csv")


def test_d_a_deleted_remote_object_is_pushed_again(repo: Repo) -> None:
    repo.write("data/a.csv", "x\n1\n")
    repo.run("add", "data")
    repo.commit()
    repo.run("push")
    for pack in packs_of(repo):
        pack.unlink()

    assert "not at the remote" in repo.run("status", "--remote").out
    repo.run("push")

    clone = repo.clone("clone")
    clone.run("pull")
    assert clone.read("data/a.csv") == b"x\n1\n"


def test_f_a_file_that_changes_while_it_is_read_is_never_stored_torn(repo: Repo) -> None:
    target = repo.write("data/moving.bin", bytes(8 * 2**20))
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target)], stdout=subprocess.PIPE
    ) as writer:
        try:
            assert writer.stdout is not None
            writer.stdout.readline()
            result = repo.run("add", "data", code=9)
        finally:
            writer.kill()

    assert "changed while it was read" in result.err
    assert not (repo.path / "data.dvt").exists()
    repo.run("add", "data")
    repo.run("verify")


def test_g_two_people_add_different_files_and_merge_without_conflict(repo: Repo) -> None:
    repo.write("data/base.csv", "0\n")
    repo.run("add", "data")
    repo.commit("base")
    repo.git("checkout", "-q", "-b", "theirs")
    repo.write("data/theirs.csv", "2\n")
    repo.run("add", "data")
    repo.commit("theirs")
    repo.git("checkout", "-q", "main")
    repo.run("checkout")
    repo.write("data/ours.csv", "1\n")
    repo.run("add", "data")
    repo.commit("ours")

    repo.git("merge", "--quiet", "-m", "both", "theirs")
    repo.run("checkout")

    assert sorted(repo.snapshot("data")) == ["base.csv", "ours.csv", "theirs.csv"]
    assert repo.run("status", "-q").code == 0
