"""Locks between processes: one file, one flock.

A lock dies with its process, so a crash never leaves one behind; the file itself stays, because
deleting it would let two processes lock two files of one name. What a lock protects is decided by
whoever takes it: the store's writers, the stat index, the verbs.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Final

from dvtool.core.events import SILENT, Progress
from dvtool.errors import Locked, StoreFailed
from dvtool.store.durable import store_error

DEFAULT_TIMEOUT_S: Final = 600.0
_FIRST_PAUSE_S: Final = 0.005
_LONGEST_PAUSE_S: Final = 0.2
_OWNER_BYTES: Final = 200
_BUSY: Final = (errno.EAGAIN, errno.EACCES)


class FileLock:
    """A lock on a file, held between `with` and its end; not re-entrant.

    Args:
        path: The lock file; it and its directory are created when they are not there.
        timeout_s: How long to wait before giving up; 0 tries once.
        progress: Is told once, by `note`, when there is something to wait for.
        shared: Many may hold the lock shared, or one exclusively.
    """

    def __init__(
        self,
        path: Path,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        progress: Progress = SILENT,
        shared: bool = False,
    ) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._progress = progress
        self._shared = shared
        self._fd: int | None = None

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def is_held(self) -> bool:
        """Whether this object holds the lock now."""
        return self._fd is not None

    def acquire(self) -> None:
        """Takes the lock, waiting for it if need be.

        Raises:
            Locked: Another process kept it for `timeout_s`.
            StoreFailed: The lock file cannot be made, or its file system knows no locks.
        """
        if self._fd is not None:
            raise RuntimeError(f"lock taken twice: {self.path}")
        fd = _open(self.path)
        try:
            self._wait(fd)
            _write_owner(fd)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd

    def release(self) -> None:
        """Lets go of the lock; does nothing when it is not held."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def _wait(self, fd: int) -> None:
        deadline = time.monotonic() + self._timeout_s
        pause_s = _FIRST_PAUSE_S
        has_told = False
        while not self._try(fd):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise Locked(
                    f"{_owner(fd)} holds {self.path}; gave up after {self._timeout_s:g} s",
                    hint="wait for it to end, then run the same command again",
                )
            if not has_told:
                self._progress.note(f"waiting for {_owner(fd)}")
                has_told = True
            # A poll, not a blocking flock: that could not time out without signals.
            time.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _try(self, fd: int) -> bool:
        mode = fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX
        try:
            fcntl.flock(fd, mode | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise StoreFailed(
                f"{self.path} cannot be locked: {error.strerror}",
                hint="keep the store on a file system with working locks (store.path)",
            ) from error
        return True


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise store_error(error, path) from error


def _write_owner(fd: int) -> None:
    """Leaves word of who holds the lock; of several shared holders the last one shows."""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    owner = f"{os.getpid()} {since} {os.uname().nodename}\n".encode()[:_OWNER_BYTES]
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, owner, 0)
    except OSError as error:
        # The lock counts, not the note in it; a full disk must not forbid taking it.
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise StoreFailed(f"lock file cannot be written: {error.strerror}") from error


def _owner(fd: int) -> str:
    words = os.pread(fd, _OWNER_BYTES, 0).decode(errors="replace").split()
    if len(words) != 3:
        return "another dvtool"
    pid, since, host = words
    where = "" if host == os.uname().nodename else f" on {host}"
    return f"another dvtool (pid {pid}{where}, since {since})"
