"""Durable writes: temp file, fsync, rename.

Every file of the store comes into being here, so that a crash or `kill -9` leaves either the whole
file under its name or a temp file that nobody reads. What the bytes mean is not known here.
Called by the store's writers.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from dvtool.errors import StorageFull, StoreFailed, WouldLoseData

STALE_AFTER_S: Final = 24 * 3600
"""Unlocked temp files older than this were left by a process that died."""

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


class TempFile(NamedTuple):
    """An open file in the store's `tmp`, locked by its owner so that no clean-up takes it."""

    fd: int
    path: Path


def store_error(error: OSError, where: Path) -> StoreFailed:
    """Returns what a failed system call on `where` means for the store."""
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return StorageFull(f"no space to store data: {where}: {reason}")
    if error.errno in _DENIED:
        return StoreFailed(
            f"the store does not let us in: {where}: {reason}",
            hint="check the owner and the mount of the store, or set store.path to another place",
        )
    return StoreFailed(f"the store cannot be used: {where}: {reason}")


def write_error(error: OSError, shown: str) -> StorageFull | WouldLoseData:
    """Returns what a failed write of `shown`, a file of the user's, means; it is as it was."""
    kind = StorageFull if error.errno in _FULL else WouldLoseData
    return kind(f"cannot write {shown}: {error.strerror}")


def make_directory(path: Path) -> None:
    """Creates `path` and its parents where they are missing, and makes their names durable.

    Raises:
        StoreFailed: It cannot be created.
    """
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    try:
        for directory in reversed(missing):
            with contextlib.suppress(FileExistsError):
                directory.mkdir()
            fsync_directory(directory.parent)
    except OSError as error:
        raise store_error(error, missing[0]) from error


def fsync_directory(path: Path) -> None:
    """Makes the names in a directory survive a power cut.

    Raises:
        OSError: As the system says.
    """
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        # Some network file systems cannot sync a directory, and need not.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(fd)


def create_temp(directory: Path, suffix: str) -> TempFile:
    """Returns a new empty file in `directory`, open for reading and writing.

    Raises:
        StoreFailed: It cannot be created.
    """
    make_directory(directory)
    path = directory / (os.urandom(16).hex() + suffix)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise store_error(error, path) from error
    # No locks on this file system: then only the age protects the file from a clean-up.
    with contextlib.suppress(OSError):
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return TempFile(fd, path)


def sync_temp(temp: TempFile) -> None:
    """Brings a temp file's bytes to the disk and takes away everyone's right to write.

    Raises:
        OSError: As the system says; the bytes may then be lost and must not be trusted.
    """
    os.fsync(temp.fd)
    # Not plain 0444: that would open to others what the user's umask keeps private.
    os.fchmod(temp.fd, os.fstat(temp.fd).st_mode & 0o444)


def discard_temp(temp: TempFile) -> None:
    """Closes and removes a temp file."""
    with contextlib.suppress(OSError):
        temp.path.unlink()
    os.close(temp.fd)


def write_atomically(target: Path, data: bytes, *, temp_directory: Path) -> None:
    """Puts `data` at `target`, replacing what is there, without waiting for the disk.

    For what can be rebuilt and carries a checksum; a power cut may leave it damaged.

    Raises:
        StoreFailed: It cannot be written; `target` is as it was.
    """
    temp = create_temp(temp_directory, target.suffix)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(temp.fd, rest) :]
        os.fchmod(temp.fd, os.fstat(temp.fd).st_mode & 0o444)
        temp.path.replace(target)
    except OSError as error:
        temp.path.unlink(missing_ok=True)
        raise store_error(error, target) from error
    finally:
        os.close(temp.fd)


def remove_stale_temps(directory: Path) -> int:
    """Removes what dead processes left in `directory`; returns how many files."""
    removed = 0
    oldest_s = time.time() - STALE_AFTER_S
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return 0
    for entry in entries:
        # Another clean-up may be at work beside us, or the file may belong to another user.
        with contextlib.suppress(OSError):
            if entry.stat(follow_symlinks=False).st_mtime < oldest_s and _is_unowned(entry.path):
                os.unlink(entry.path)
                removed += 1
    return removed


def _is_unowned(path: str) -> bool:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True
