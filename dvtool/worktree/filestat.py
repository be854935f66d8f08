"""Stat keys: the few numbers by which a file is recognised as unchanged, and the clock behind them.

Here live the 32 packed bytes that stand for size, times and inode, the mode letter of a file, and
the file system's own clock with the rule that makes a key racy. Opening and reading files lives
elsewhere. Called by everything in `dvtool.worktree`.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Final, NewType

from dvtool.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, SYMLINK

StatKey = NewType("StatKey", bytes)
"""32 bytes: size, mtime and ctime in ns, inode. Equal keys mean an unchanged file, unless racy."""

STAT: Final = struct.Struct("<qqqQ")
NO_STAT: Final = StatKey(bytes(STAT.size))
"""Stands for an empty directory, whose own times say nothing about it."""

StatFields = tuple[int, int, int, int]
fields_of: Final[Callable[[os.stat_result], StatFields]] = attrgetter(
    "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino"
)
Clock = Callable[[], int]
"""Returns the file system's time in ns; called only when something must be read."""


def key_of(result: os.stat_result) -> StatKey:
    """Returns the stat key of a file; one that never matches if its times are beyond year 2262."""
    return key_of_fields(fields_of(result))


def key_of_fields(fields: StatFields) -> StatKey:
    """Returns the stat key of `fields_of(…)`."""
    try:
        return StatKey(STAT.pack(*fields))
    except struct.error:
        return StatKey(STAT.pack(fields[0], 0, 0, 0))


def size_in(key: StatKey) -> int:
    """Returns the size in bytes that a key holds."""
    return int.from_bytes(key[:8], "little", signed=True)


def without_racy(key: StatKey, clock_ns: int) -> StatKey:
    """Returns `key`, or one that never matches when a later change could leave it as it is.

    A file whose times are not older than the clock at the start of reading may change again within
    the same tick. Its key loses the inode, so the file is read again next time.
    """
    size, mtime_ns, ctime_ns, _ = STAT.unpack(key)
    if mtime_ns < clock_ns and ctime_ns < clock_ns:
        return key
    return StatKey(STAT.pack(size, mtime_ns, ctime_ns, 0))


def is_same_file(key: StatKey, other: StatKey) -> bool:
    """Tells whether two keys agree in everything but ctime, which a rename changes too."""
    return key[:16] == other[:16] and key[24:] == other[24:]


def letter_of(mode: int) -> str:
    """Returns the mode letter for `st_mode`; empty for sockets, pipes and devices.

    As in git, the owner's bit decides what is executable.
    """
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFREG:
        return EXECUTABLE if mode & stat.S_IXUSR else FILE
    if kind == stat.S_IFLNK:
        return SYMLINK
    return EMPTY_DIRECTORY if kind == stat.S_IFDIR else ""


def file_system_clock(directory: Path) -> int:
    """Returns the time in ns that a file written in `directory` now would carry.

    The kernel stamps files with a clock of its own, up to 10 ms behind `time.time_ns()`, a server's
    on a network drive; so a file is really written, and removed again.

    Raises:
        OSError: The directory cannot be written.
    """
    path = directory / f".dvt-tmp-clock-{os.getpid()}-{os.urandom(4).hex()}"
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        os.write(descriptor, b"\0")
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)
        os.unlink(path)
