"""Ctrl-C in the middle of a push and of a pull: one line, nothing lost but what was on its way.

Real processes, met by the signal at a step and not at a moment, so that a fast machine is met where
a slow one is. The remote's packs are small here, so that there are many of them.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dvtool.core.packindex import parse_index
from tests.journeys.harness import Repo

DOOMED = (sys.executable, str(Path(__file__).with_name("doomed.py")))
TIMEOUT_S = 120
FILES = 40
FILE_BYTES = 300_000
PACK_BYTES = 2**20  # three or four files
IN_FLIGHT = 4 + 1  # packs that are sent at once by default, and the one being filled


def made(number: int) -> bytes:
    """Returns bytes that follow from a number and do not compress."""
    return hashlib.shake_128(b"%d" % number).digest(FILE_BYTES)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A remote that exists and wants small packs."""
    root = tmp_path / "repo-remote"
    root.mkdir()
    wanted = {"format": 1, "features": [], "parts": {"bytes": 16 * PACK_BYTES}}
    (root / "dvtool.json").write_text(json.dumps(wanted | {"pack_bytes": PACK_BYTES}))
    return root


@pytest.fixture
def files(repo: Repo, remote: Path) -> dict[str, bytes]:
    """A data set of many packs, committed and not pushed."""
    found = {f"{number:02}.bin": made(number) for number in range(FILES)}
    for path, data in found.items():
        repo.write(f"data/{path}", data)
    repo.run("add", "data")
    repo.commit("data")
    return found


def doomed(repo: Repo, step: int, *words: str) -> tuple[int, str]:
    """Runs dvtool until Ctrl-C meets it at a step, never at step 0; returns exit code and stderr."""
    process = subprocess.run(
        [*DOOMED, str(int(signal.SIGINT)), str(step), *words],
        cwd=repo.path,
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    return process.returncode, process.stderr.decode()


def steps_of_a_rehearsal(repo: Repo, remote: Path, *words: str) -> int:
    """Returns how many steps a whole run takes; puts everything back."""
    kept = [(path, path.with_name(f"{path.name}-kept")) for path in (repo.path, remote)]
    for path, copy in kept:
        shutil.copytree(path, copy, symlinks=True)
    code, err = doomed(repo, 0, *words)
    assert code == 0, err
    for path, copy in kept:
        shutil.rmtree(path)
        copy.rename(path)
    return int(err.split()[-1])


def packs(remote: Path) -> set[str]:
    return {path.stem for path in remote.glob("packs/*/*.pack")}


def indexed(remote: Path) -> set[str]:
    """Returns the packs that an index speaks of, so that the next push relies on them."""
    return {
        pack.name.hex()
        for path in remote.glob("index/*.idx")
        for pack in parse_index(path.read_bytes()).packs
    }


def records(remote: Path) -> set[bytes]:
    """Returns the digests that the remote's indexes know."""
    found = (parse_index(path.read_bytes()) for path in remote.glob("index/*.idx"))
    return {bytes(digest) for index in found for digest in index.digests()}


def assert_one_line(err: str) -> None:
    """What a person sees: that it was interrupted and what to do, and nothing else."""
    said = [line for line in err.splitlines() if line.strip() and "\r" not in line]
    assert len(said) == 1, err
    assert "interrupted" in said[0]


def test_ctrl_c_in_a_push_loses_at_most_the_packs_on_their_way(
    repo: Repo, remote: Path, files: dict[str, bytes]
) -> None:
    names = {hashlib.sha256(data).digest() for data in files.values()}
    last = steps_of_a_rehearsal(repo, remote, "push")
    before: set[str] = set()
    for share in (0.3, 0.5, 0.7):
        code, err = doomed(repo, int(last * share), "push")
        if code == 0:  # what was kept of the last run left too little to do
            break
        assert code == 130, err
        assert_one_line(err)
        assert indexed(remote) >= before
        assert len(packs(remote) - indexed(remote)) <= IN_FLIGHT
        if list(remote.glob("roots/**/*.root")):  # the promise comes only after what it promises
            assert records(remote) >= names
        before = indexed(remote)

    assert before, "no run was interrupted after its first pack"
    repo.run("push")

    assert before <= indexed(remote)
    assert records(remote) >= names
    clone = repo.clone("elsewhere")
    clone.run("remote", "add", "--local", "here", remote.as_uri())
    clone.run("pull", "-r", "here")
    assert clone.snapshot("data") == files


def test_ctrl_c_in_a_pull_keeps_what_arrived(
    repo: Repo, remote: Path, files: dict[str, bytes]
) -> None:
    repo.run("push")
    clone = repo.clone("elsewhere")
    last = steps_of_a_rehearsal(clone, remote, "fetch")
    code, err = doomed(clone, int(last * 0.8), "fetch")

    assert code == 130, err
    assert_one_line(err)
    rest = clone.run("fetch", "--json").json
    assert rest["fetched"] < FILES
    clone.run("pull")
    assert clone.snapshot("data") == files


def test_ctrl_c_in_a_pull_leaves_no_half_written_file(
    repo: Repo, remote: Path, files: dict[str, bytes]
) -> None:
    repo.run("push")
    clone = repo.clone("elsewhere")
    last = steps_of_a_rehearsal(clone, remote, "pull")
    for share in (0.4, 0.7, 0.9):
        code, err = doomed(clone, int(last * share), "pull")

        assert code in (0, 130), err
        for path, data in clone.snapshot("data").items():
            assert data == files[path]

    clone.run("pull")
    assert clone.snapshot("data") == files


def test_a_thousand_lost_files_are_one_error(repo: Repo, remote: Path) -> None:
    for number in range(1000):
        repo.write(f"data/{number:04}.txt", f"{number}\n")
    repo.run("add", "data")
    repo.commit("data")
    repo.run("push")
    for pack in remote.glob("packs/*/*.pack"):
        pack.unlink()
    clone = repo.clone("elsewhere")

    err = clone.run("pull", code=6).err

    assert err.count("error:") == 1
    assert "1000" in err
    assert len(err.splitlines()) <= 13  # ten of them by name, how many more, and a hint


def test_a_thousand_damaged_files_are_one_error(repo: Repo, remote: Path) -> None:
    for number in range(1000):
        repo.write(f"data/{number:04}.bin", made(number)[:2000])
    repo.run("add", "data")
    repo.commit("data")
    repo.run("push")
    for pack in remote.glob("packs/*/*.pack"):
        data = bytearray(pack.read_bytes())
        data[1000::1500] = bytes(len(data[1000::1500]))
        pack.chmod(0o644)
        pack.write_bytes(data)
    clone = repo.clone("elsewhere")

    err = clone.run("pull", code=7).err

    assert err.count("error:") == 1
    assert len(err.splitlines()) <= 13  # ten of them by name, how many more, and a hint
