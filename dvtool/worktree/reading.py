"""Reading files of the work tree: each byte once, with both hashes, and never a torn one.

Here lives the rule that a file which changes while it is read is an error. Where the bytes go is
the caller's business: small files are returned, large ones copied to a descriptor in the same
pass. Called by `status` and by the verbs that add.
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from xxhash import xxh3_128_digest

from dvtool.core.digest import (
    FINGERPRINT_BYTES,
    NO_DIGEST,
    Digest,
    Fingerprint,
    digest_of,
    fingerprint_of,
)
from dvtool.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, SYMLINK
from dvtool.errors import ChangedWhileReading, WouldLoseData
from dvtool.worktree.filestat import NO_STAT, key_of, letter_of, size_in
from dvtool.worktree.folders import Folders, check_link, shown
from dvtool.worktree.found import Found
from dvtool.worktree.hashing import hash_descriptor, is_sparse
from dvtool.worktree.sections import Row

SMALL_FILE_BYTES: Final = 2**20
"""Files below this are read in one piece."""
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_NO_MARK = Fingerprint(bytes(FINGERPRINT_BYTES))


class Reading(NamedTuple):
    """A file that was read whole and did not change meanwhile.

    Attributes:
        row: What the index will say of it.
        data: Its bytes; empty for a large file, a symlink's target, empty for a folder.
    """

    row: Row
    data: bytes


class Reader:
    """Reads files of one data set; a context manager. Not for several threads at once."""

    def __init__(self, top: Path, dataset: str) -> None:
        self._folders = Folders(top)
        self._dataset = dataset
        self._folder: bytes | None = None
        self._handle = -1

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the folders it holds open."""
        self._folders.close()

    def read(self, found: Found) -> Reading:
        """Returns a small file, a symlink or an empty folder with its bytes.

        Raises:
            ChangedWhileReading: It changed under our hands, or is no longer what was found.
            UnsafePath: A folder on the way has become a symlink, or the symlink could leave.
            WouldLoseData: It cannot be read.
        """
        path, mode, key = found
        if mode == EMPTY_DIRECTORY:
            return Reading(Row(path, NO_STAT, mode, _NO_MARK, NO_DIGEST), b"")
        handle, name = self._locate(path)
        try:
            if mode == SYMLINK:
                return _read_link(path, handle, name)
            descriptor = os.open(name, _OPEN, dir_fd=handle)
            try:
                # One stat call in the common case: unchanged from the scan until after the read.
                size = size_in(key)
                data = os.read(descriptor, size + 1) if size < SMALL_FILE_BYTES else b""
                after = os.fstat(descriptor)
                if key_of(after) != key or len(data) != size:
                    os.lseek(descriptor, 0, os.SEEK_SET)
                    data, after = self._read_again(path, descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._failure(path, error) from error
        mark, digest = Fingerprint(xxh3_128_digest(data)), Digest(sha256(data).digest())
        letter = EXECUTABLE if after.st_mode & stat.S_IXUSR else FILE
        return Reading(Row(path, key_of(after), letter, mark, digest), data)

    def _read_again(self, path: bytes, descriptor: int) -> tuple[bytes, os.stat_result]:
        """Returns the bytes of a file that changed after the scan but, one hopes, not now."""
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size >= SMALL_FILE_BYTES:
            raise self._changed(path)
        data = os.read(descriptor, before.st_size + 1)
        after = os.fstat(descriptor)
        if key_of(before) != key_of(after) or len(data) != before.st_size:
            raise self._changed(path)
        return data, after

    def read_large(self, found: Found, *, copy_to: int | None = None) -> Reading:
        """Returns the row of a file of any size, in memory that does not grow with it.

        Args:
            found: A file.
            copy_to: A descriptor that receives the same bytes in the same pass, from its current
                position on; long runs of zeros become holes in it when the file has holes itself.

        Raises:
            ChangedWhileReading, UnsafePath, WouldLoseData: As in `read`; the copy is worthless then.
        """
        path = found.path
        handle, name = self._locate(path)
        try:
            descriptor = os.open(name, _OPEN, dir_fd=handle)
        except OSError as error:
            raise self._failure(path, error) from error
        try:
            before = os.fstat(descriptor)
            digest, mark, size = hash_descriptor(
                descriptor, copy_to=copy_to, keep_holes=is_sparse(before)
            )
            after = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        key = key_of(after)
        if key_of(before) != key or size != after.st_size or not stat.S_ISREG(after.st_mode):
            raise self._changed(path)
        return Reading(Row(path, key, letter_of(after.st_mode), mark, digest), b"")

    def hash(self, found: Found) -> Row:
        """Returns the row of a file of any size and kind; its bytes go nowhere."""
        if found.mode in (FILE, EXECUTABLE) and found.size >= SMALL_FILE_BYTES:
            return self.read_large(found).row
        return self.read(found).row

    def _locate(self, path: bytes) -> tuple[int, str]:
        """Returns the open folder and the name of a file."""
        folder, _, name = path.rpartition(b"/")
        if folder != self._folder or not path:
            whole = f"{self._dataset}/{os.fsdecode(path)}" if path else self._dataset
            above, _, last = whole.rpartition("/")
            try:
                self._handle = self._folders.handle(above)
            except OSError as error:
                raise self._failure(path, error) from error
            self._folder = folder if path else None
            return self._handle, last
        return self._handle, os.fsdecode(name)

    def _shown(self, path: bytes) -> str:
        return shown(f"{self._dataset}/{os.fsdecode(path)}" if path else self._dataset)

    def _changed(self, path: bytes) -> ChangedWhileReading:
        return ChangedWhileReading(f"{self._shown(path)} changed while it was read")

    def _failure(self, path: bytes, error: OSError) -> WouldLoseData:
        if isinstance(error, PermissionError):
            return WouldLoseData(f"cannot read {self._shown(path)}: {error.strerror}")
        return ChangedWhileReading(
            f"{self._shown(path)} changed before it was read: {error.strerror}"
        )


def _read_link(path: bytes, handle: int, name: str) -> Reading:
    target = os.fsencode(os.readlink(name, dir_fd=handle))
    check_link(path, target)
    key = key_of(os.stat(name, dir_fd=handle, follow_symlinks=False))
    return Reading(Row(path, key, SYMLINK, fingerprint_of(target), digest_of(target)), target)
