"""Locks between processes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dvtool.core.events import SILENT
from dvtool.errors import Locked, StoreFailed
from dvtool.store.locks import FileLock
from tests.store.blobs import start

HOLD = """
from dvtool.store.locks import FileLock
with FileLock(root, shared=sys.argv[2] == "shared"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def hold(path: Path, mode: str = "exclusive") -> subprocess.Popen[str]:
    process = start(HOLD, path, mode)
    assert process.stdout.readline() == "held\n"
    return process


class Releases(type(SILENT)):
    """Lets the other process go as soon as someone is told to wait for it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def test_a_lock_is_taken_and_let_go_and_its_file_stays(tmp_path):
    lock = FileLock(tmp_path / "deep" / "lock")

    with lock:
        assert lock.is_held
    with lock:
        pass

    assert not lock.is_held
    assert lock.path.exists()


def test_a_held_lock_is_an_error_that_names_holder_and_file(tmp_path):
    path = tmp_path / "lock"
    with hold(path) as holder:
        with pytest.raises(Locked) as caught, FileLock(path, timeout_s=0):
            pass
        holder.communicate("\n")

    assert f"pid {holder.pid}" in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.exit_code == 10


def test_a_held_lock_is_waited_for_and_the_waiter_is_told_once(tmp_path):
    path = tmp_path / "lock"
    with hold(path) as holder:
        progress = Releases(holder)
        with FileLock(path, timeout_s=60, progress=progress) as lock:
            assert lock.is_held

    assert len(progress.notes) == 1
    assert f"pid {holder.pid}" in progress.notes[0]


def test_a_lock_dies_with_its_process(tmp_path):
    path = tmp_path / "lock"
    with hold(path) as holder:
        holder.kill()
        holder.communicate()

    with FileLock(path, timeout_s=0) as lock:
        assert lock.is_held


def test_many_may_share_a_lock_and_none_may_have_it_alone_meanwhile(tmp_path):
    path = tmp_path / "lock"
    with hold(path, "shared") as holder:
        with FileLock(path, timeout_s=0, shared=True), pytest.raises(Locked):
            FileLock(path, timeout_s=0).acquire()
        holder.communicate("\n")

    with FileLock(path, timeout_s=0), pytest.raises(Locked):
        FileLock(path, timeout_s=0, shared=True).acquire()


def test_two_locks_in_one_process_exclude_each_other(tmp_path):
    with FileLock(tmp_path / "lock"), pytest.raises(Locked, match=f"pid {os.getpid()}"):
        FileLock(tmp_path / "lock", timeout_s=0).acquire()


def test_a_lock_taken_twice_is_a_bug(tmp_path):
    with FileLock(tmp_path / "lock") as lock, pytest.raises(RuntimeError):
        lock.acquire()


def test_a_lock_that_cannot_be_made_is_an_error_of_ours(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreFailed, match="lock"):
        FileLock(tmp_path / "file" / "lock").acquire()
