"""Sidecars on disk: reading one without being led astray, replacing one in a single step.

A sidecar's place comes with a commit, so a link in it or on its way is refused, and nothing
without an end is read. What the text means is `dvtool.core.sidecar`; called by the workspace.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from dvtool.core.sidecar import MAX_SIDECAR_BYTES
from dvtool.errors import InvalidText, UnsafePath, WouldLoseData
from dvtool.store.durable import write_error
from dvtool.worktree.folders import TEMPORARY_PREFIX, Folders, shown

_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def read_sidecar(top: Path, path: str) -> bytes | None:
    """Returns the text of a sidecar, None when there is none.

    Args:
        top: The work tree's top.
        path: The sidecar, relative to it.

    Raises:
        UnsafePath: It is a symlink, a pipe or a device.
        InvalidText: It is larger than MAX_SIDECAR_BYTES.
        WouldLoseData: It cannot be read.
    """
    try:
        descriptor = os.open(os.path.join(top, path), _READ)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _not_ordinary(path) from None
        raise WouldLoseData(f"cannot read {shown(path)}: {error.strerror}") from error
    with open(descriptor, "rb", buffering=0) as file:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            return None
        if not stat.S_ISREG(found.st_mode):
            raise _not_ordinary(path)
        if found.st_size > MAX_SIDECAR_BYTES:
            raise InvalidText(f"larger than {MAX_SIDECAR_BYTES} bytes", source=shown(path))
        return file.read(found.st_size)  # a buffer for the largest would cost more than the read


def write_sidecar(top: Path, path: str, text: bytes) -> None:
    """Replaces a sidecar: temporary file, fsync, rename; folders on its way are made.

    Raises:
        UnsafePath: A folder on the way is a symlink.
        StorageFull: The disk or a quota is full.
        WouldLoseData: It cannot be written for another reason. What stood there stands there still.
    """
    folder, _, name = path.rpartition("/")
    unfinished = f"{TEMPORARY_PREFIX}{os.getpid():x}-{os.urandom(4).hex()}"
    try:
        with Folders(top) as folders:
            parent = folders.handle(folder, create=True)
            descriptor = os.open(unfinished, _CREATE, 0o666, dir_fd=parent)
            try:
                with open(descriptor, "wb") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(unfinished, name, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                os.unlink(unfinished, dir_fd=parent)
                raise
    except OSError as error:
        raise write_error(error, shown(path)) from error


def _not_ordinary(path: str) -> UnsafePath:
    return UnsafePath(
        "a sidecar is an ordinary file; found a link or something special",
        source=shown(path),
        hint="remove it, then git checkout the sidecar or dvtool add the data set",
    )
