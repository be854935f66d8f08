"""A crowd at one remote: pushers, collectors and sudden deaths, and nothing reachable is ever lost."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

DVTOOL = (sys.executable, "-m", "dvtool")
DOOMED = (sys.executable, str(Path(__file__).with_name("doomed.py")))
PUSHERS = 8
COLLECTORS = 2
ROUNDS = 3
GRACE_DAYS = 25 / 86_400
"""25 seconds: longer than twice any push here, short enough for sweeps to happen."""
SEED = os.environ.get("DVTOOL_TEST_SEED", "")


def call(folder: Path, *words: str, expect: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in expect, f"{words}\n{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def made(name: str) -> bytes:
    """Returns bytes that follow from a name: small, or large enough to be cut into chunks."""
    size = 3_500_000 if name.endswith("0") else 40_000
    return hashlib.shake_128(name.encode()).digest(size)


class Pusher:
    """One person with a clone and a branch; some versions are taken back, as people do."""

    def __init__(self, folder: Path, number: int, seed: int) -> None:
        self.folder = folder
        self.branch = f"branch-{number}"
        self.draw = random.Random(f"{seed}/{number}")
        self.killed = 0

    def work(self) -> None:
        call(self.folder, "git", "switch", "-q", "-c", self.branch)
        for turn in range(ROUNDS):
            # Names shared by all pushers make everyone lean on what others sent.
            names = [f"shared-{self.draw.randrange(6)}", f"{self.branch}-{turn}"]
            for name in names:
                path = self.folder / "data" / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(made(name))
            call(self.folder, *DVTOOL, "add", "-q", "data")
            call(self.folder, "git", "commit", "-q", "-m", f"{turn}")
            self.push()
            call(self.folder, "git", "push", "-q", "-f", "origin", self.branch)
            if turn == 1:
                call(self.folder, "git", "reset", "-q", "--hard", "HEAD~1")
                call(self.folder, *DVTOOL, "checkout", "-q", "--force")
                call(self.folder, "git", "push", "-q", "-f", "origin", self.branch)

    def push(self) -> None:
        if self.draw.random() < 0.6:
            step = self.draw.randrange(1, 250)
            words = (*DOOMED, str(int(signal.SIGKILL)), str(step), "push", "-q")
            call(self.folder, *words, expect=(0, -signal.SIGKILL))
            self.killed += 1
        call(self.folder, *DVTOOL, "push", "-q")


def collect(folder: Path, draw: random.Random, stop: threading.Event) -> int:
    """Collects garbage over and over; returns how often it went through."""
    done = 0
    while not stop.wait(0.5):
        # Refused while somebody's branch is not here yet: fetch, and try again.
        call(folder, "git", "fetch", "-q", "--prune", "origin")
        words = ("gc", "--remote", "--delete", "--grace-days", f"{GRACE_DAYS:.7f}", "--json")
        if draw.random() < 0.3:
            step = draw.randrange(1, 200)
            signalled = (*DOOMED, str(int(signal.SIGKILL)), str(step), *words)
            call(folder, *signalled, expect=(0, 5, 8, 9, 10, -signal.SIGKILL))
        else:
            done += bool(call(folder, *DVTOOL, *words, expect=(0, 5, 8, 9, 10)))
    return done


@pytest.mark.slow
def test_eight_pushers_and_two_collectors_with_sudden_deaths_lose_nothing_reachable(
    make_repo: Callable[..., Repo], s3_bucket: tuple[str, str], tmp_path: Path
) -> None:
    seed = int(SEED or random.SystemRandom().randrange(2**32))
    print(f"DVTOOL_TEST_SEED={seed}")
    endpoint, bucket = s3_bucket
    first = make_repo("first", remote=None)
    first.run("remote", "add", "origin", f"s3://{bucket}/data", "--endpoint-url", endpoint)
    first.commit("remote")
    bare = tmp_path / "upstream.git"
    call(tmp_path, "git", "clone", "-q", "--bare", str(first.path), str(bare))
    folders = [tmp_path / f"clone-{number}" for number in range(PUSHERS + COLLECTORS)]
    for folder in folders:
        call(tmp_path, "git", "clone", "-q", str(bare), str(folder))
        call(folder, *DVTOOL, "init", "-q")
    pushers = [Pusher(folder, number, seed) for number, folder in enumerate(folders[:PUSHERS])]
    stop = threading.Event()

    with ThreadPoolExecutor(PUSHERS + COLLECTORS) as crowd:
        collecting = [
            crowd.submit(collect, folder, random.Random(f"{seed}/{folder.name}"), stop)
            for folder in folders[PUSHERS:]
        ]
        try:
            for one in [crowd.submit(pusher.work) for pusher in pushers]:
                one.result()
        finally:
            stop.set()
        collected = sum(one.result() for one in collecting)

    assert collected
    assert sum(one.killed for one in pushers)
    judge = tmp_path / "judge"
    call(tmp_path, "git", "clone", "-q", str(bare), str(judge))
    call(judge, *DVTOOL, "init", "-q")
    for pusher in pushers:
        call(judge, "git", "switch", "-q", pusher.branch)
        for rev in call(judge, "git", "rev-list", "--first-parent", "HEAD", "^origin/main").split():
            call(judge, *DVTOOL, "pull", "-q", "--rev", rev, "data")
            for path in (judge / "data").iterdir():
                assert path.read_bytes() == made(path.name), (pusher.branch, rev, path.name)
        call(judge, "git", "reset", "-q", "--hard")
        call(judge, *DVTOOL, "checkout", "-q", "--force")
    call(judge, *DVTOOL, "verify", "-q", "--remote", "--read-data")
