"""Writing a data set's files: into place at once, or not at all.

Here live creation, replacement and removal of files in the work tree. Folders are opened by
descriptor without following links, a file is finished under a temporary name and renamed, and
what is not as the plan expects is left alone. Which files to write is decided by the verbs that
check out, which call this.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from xxhash import xxh3_128_digest

from dvtool.core.digest import (
    FINGERPRINT_BYTES,
    NO_DIGEST,
    Fingerprint,
    short_digest,
)
from dvtool.core.paths import check_path
from dvtool.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, SYMLINK, THE_FILE, Entry
from dvtool.errors import CorruptObject, StorageFull, WouldLoseData
from dvtool.store.durable import write_error
from dvtool.worktree.exchange import check_expected, put_new, put_over, take_away
from dvtool.worktree.filestat import NO_STAT, StatKey, key_of
from dvtool.worktree.folders import (
    TEMPORARY_PREFIX,
    Folders,
    check_link,
    make_folder,
    shown,
    split_dataset,
)
from dvtool.worktree.hashing import hash_descriptor, is_sparse, write_all
from dvtool.worktree.sections import Row

_FICLONE: Final = 0x40049409
"""ioctl that shares another file's blocks (btrfs, XFS, bcachefs); see ioctl_ficlone(2)."""
_CREATE: Final = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
_NO_MARK: Final = Fingerprint(bytes(FINGERPRINT_BYTES))
_PERMISSIONS: Final = {FILE: 0o666, EXECUTABLE: 0o777}
"""Before the umask, which the kernel takes off."""


class Materialiser:
    """Writes and removes files of one data set; a context manager, not for several threads.

    Remove first, then write: folders that removals leave empty go when the context ends, or when
    a file needs their place.

    Args:
        top: The work tree's top.
        dataset: Path of the data set.
        git_tracked: Paths relative to the top that git tracks; none of them is ever touched.
    """

    def __init__(self, top: Path, dataset: str, *, git_tracked: Collection[str] = ()) -> None:
        split_dataset(dataset)
        self._dataset = dataset
        self._git_tracked = frozenset(git_tracked)
        self._folders = Folders(top)
        self._emptied: set[str] = set()
        self._kept: set[str] = set()
        self._temporary = f"{TEMPORARY_PREFIX}{os.getpid():x}-{os.urandom(4).hex()}-".encode()
        self._count = 0
        self._folder = ""
        self._entered = b""
        self._handle = -1

    def __enter__(self) -> Materialiser:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.prune()
        finally:
            self._folders.close()

    def write(self, entry: Entry, data: bytes | memoryview, *, expected: StatKey | None) -> Row:
        """Writes a file, a symlink or an empty folder.

        Args:
            entry: What to write; `data` is not checked against its digest here.
            data: The bytes, a symlink's target, nothing for a folder.
            expected: Stat key of the file to replace; None if nothing may stand there.

        Raises:
            WouldLoseData: Something else stands there, or git tracks the path.
            UnsafePath: A folder on the way is a symlink, or the path or link could leave.
            StorageFull: The disk or a quota is full; nothing was put in place.
        """
        try:
            return self._write(entry, data, expected)
        except OSError as error:
            raise self._failed(entry.path, error) from error

    def _write(self, entry: Entry, data: bytes | memoryview, expected: StatKey | None) -> Row:
        path, digest, _, mode = entry
        if mode == EMPTY_DIRECTORY:
            return self._write_folder(path, expected)
        name = self._enter(path)
        unfinished = self._next_name()
        if mode == SYMLINK:
            target = bytes(data)
            check_link(path, target)
            os.symlink(target, unfinished, dir_fd=self._handle)
            self._put(path, unfinished, name, expected)
            result = os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        else:
            descriptor = os.open(unfinished, _CREATE, _PERMISSIONS[mode], dir_fd=self._handle)
            try:
                self._fill(descriptor, data, unfinished)
                self._put(path, unfinished, name, expected)
                result = os.fstat(descriptor)  # after the rename, which changes ctime
            finally:
                os.close(descriptor)
        return Row(path, key_of(result), mode, Fingerprint(xxh3_128_digest(data)), digest)

    def write_large(
        self,
        entry: Entry,
        source: int,
        *,
        expected: StatKey | None,
        fingerprint: Fingerprint | None = None,
    ) -> Row:
        """Writes a large file from an open one, sharing its blocks where the file system can.

        What was written is hashed on the way and must be what the entry says.

        Args:
            entry: A file.
            source: Descriptor of a file with the bytes; read from its start.
            expected: As in `write`.
            fingerprint: xxh3-128 of the bytes, which is checked five times as fast as the digest.

        Raises:
            CorruptObject: The source holds other bytes; nothing was put in place.
            WouldLoseData, UnsafePath, StorageFull: As in `write`.
        """
        try:
            return self._write_large(entry, source, expected, fingerprint)
        except OSError as error:
            raise self._failed(entry.path, error) from error

    def _write_large(
        self,
        entry: Entry,
        source: int,
        expected: StatKey | None,
        fingerprint: Fingerprint | None,
    ) -> Row:
        name = self._enter(entry.path)
        unfinished = self._next_name()
        permissions = _PERMISSIONS[entry.mode]
        descriptor = os.open(unfinished, _CREATE, permissions, dir_fd=self._handle)
        try:
            try:
                mark = _copy(entry, source, descriptor, fingerprint)
            except BaseException:
                os.unlink(unfinished, dir_fd=self._handle)
                raise
            self._put(entry.path, unfinished, name, expected)
            result = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return Row(entry.path, key_of(result), entry.mode, mark, entry.digest)

    def change_mode(self, row: Row, mode: str) -> Row:
        """Makes a file executable, or not, and returns its new row; the bytes stay.

        Raises:
            WouldLoseData: The file is not as its row says.
        """
        try:
            name = self._enter(row.path, create=False)
            check_expected(self._handle, name, row.stat, self._shown(row.path))
            descriptor = os.open(name, _OPEN, dir_fd=self._handle)
        except FileNotFoundError:
            raise self._vanished(row.path) from None
        except OSError as error:
            raise self._failed(row.path, error) from error
        try:
            bits = stat.S_IMODE(os.fstat(descriptor).st_mode)
            executable = bits | (bits & 0o444) >> 2
            os.fchmod(descriptor, executable if mode == EXECUTABLE else bits & ~0o111)
            result = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return row._replace(stat=key_of(result), mode=mode)

    def remove(self, path: bytes, *, expected: StatKey) -> None:
        """Removes a file, a symlink or an empty folder; nothing if it is gone already.

        A folder that is not empty any more stays.

        Raises:
            WouldLoseData: It is not what was expected.
            UnsafePath: A folder on the way is a symlink.
        """
        try:
            name = self._enter(path, create=False)
            if expected == NO_STAT:
                self._emptied.add(self._whole(path))
                return
            take_away(self._handle, name, self._next_name(), expected, self._shown(path))
            self._emptied.add(self._folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._failed(path, error) from error

    def keep_folder(self) -> None:
        """Makes the data set's own folder, and keeps it when nothing is left in it."""
        above, name = split_dataset(self._dataset)
        make_folder(self._folders.handle(above, create=True), name)
        self._kept.add(self._dataset)
        self._handle = -1

    def prune(self) -> None:
        """Removes the folders that removals have left empty, and their parents; never the top."""
        for emptied in sorted(self._emptied, key=len, reverse=True):
            folder = emptied
            while self._is_inside(folder) and folder not in self._kept:
                above, _, name = folder.rpartition("/")
                try:
                    os.rmdir(name, dir_fd=self._folders.handle(above))
                except OSError:
                    break  # not empty, gone, or no longer a folder: then it stays as it is
                self._folders.forget(folder)
                folder = above
        self._emptied.clear()
        self._handle = -1

    def _is_inside(self, folder: str) -> bool:
        return folder == self._dataset or folder.startswith(f"{self._dataset}/")

    def _enter(self, path: bytes, *, create: bool = True) -> bytes:
        """Opens the folder of a path as `self._handle` and returns the name in it, all checked."""
        if self._git_tracked and self._whole(path) in self._git_tracked:
            raise WouldLoseData(
                f"git tracks {self._shown(path)}; dvtool does not touch it",
                hint="git rm --cached it first",
            )
        if path != THE_FILE:
            check_path(path)
        folder, _, name = path.rpartition(b"/")
        if self._handle < 0 or folder != self._entered or path == THE_FILE:
            self._handle = -1
            self._folder = self._whole(path).rpartition("/")[0]
            self._handle = self._folders.handle(self._folder, create=create)
            self._entered = folder
        return name or os.fsencode(self._dataset.rpartition("/")[2])

    def _next_name(self) -> bytes:
        self._count += 1
        return b"%s%x" % (self._temporary, self._count)

    def _fill(self, descriptor: int, data: bytes | memoryview, unfinished: bytes) -> None:
        try:
            if os.write(descriptor, data) != len(data):
                os.lseek(descriptor, 0, os.SEEK_SET)
                write_all(descriptor, data)
        except BaseException:
            os.unlink(unfinished, dir_fd=self._handle)
            raise

    def _put(self, path: bytes, unfinished: bytes, name: bytes, expected: StatKey | None) -> None:
        """Renames a finished file to its place, or removes it and raises."""
        try:
            if expected is None and not self._emptied:
                put_new(self._handle, unfinished, name)
            elif expected is None or expected == NO_STAT:
                self._put_after_removals(path, unfinished, name, expected)
            else:
                put_over(self._handle, unfinished, name, expected, self._shown(path))
        except BaseException as error:
            with suppress(FileNotFoundError):
                os.unlink(unfinished, dir_fd=self._handle)
            if isinstance(error, FileExistsError):
                raise self._in_the_way(path) from None
            if isinstance(error, FileNotFoundError):
                raise self._vanished(path) from None
            raise

    def _put_after_removals(
        self, path: bytes, unfinished: bytes, name: bytes, expected: StatKey | None
    ) -> None:
        """Puts a new file where a folder may stand that is empty by now."""
        if expected == NO_STAT:
            self._emptied.add(self._whole(path))
        try:
            put_new(self._handle, unfinished, name)
        except FileExistsError:
            self.prune()
            self._handle = self._folders.handle(self._folder)  # pruning may have closed it
            put_new(self._handle, unfinished, name)

    def _write_folder(self, path: bytes, expected: StatKey | None) -> Row:
        if expected is not None and expected != NO_STAT:
            self.remove(path, expected=expected)
        name = self._enter(path)
        try:
            make_folder(self._handle, os.fsdecode(name))
        except FileExistsError:
            raise self._in_the_way(path) from None
        self._kept.add(self._whole(path))
        return Row(path, NO_STAT, EMPTY_DIRECTORY, _NO_MARK, NO_DIGEST)

    def _whole(self, path: bytes) -> str:
        """Returns a path relative to the top of the work tree."""
        return f"{self._dataset}/{os.fsdecode(path)}" if path else self._dataset

    def _shown(self, path: bytes) -> str:
        return shown(self._whole(path))

    def _failed(self, path: bytes, error: OSError) -> StorageFull | WouldLoseData:
        return write_error(error, self._shown(path))

    def _vanished(self, path: bytes) -> WouldLoseData:
        return WouldLoseData(f"{self._shown(path)} vanished since it was looked at")

    def _in_the_way(self, path: bytes) -> WouldLoseData:
        return WouldLoseData(
            f"{self._shown(path)} exists already and is not what was expected",
            hint="move it away, or dvtool add it",
        )


def _copy(entry: Entry, source: int, target: int, fingerprint: Fingerprint | None) -> Fingerprint:
    """Fills `target` with what `source` holds and returns its fingerprint, checked."""
    os.lseek(source, 0, os.SEEK_SET)
    copy_to = None if _share_blocks(source, target) else target
    digest, mark, size = hash_descriptor(
        source,
        copy_to=copy_to,
        keep_holes=is_sparse(os.fstat(source)),
        with_digest=fingerprint is None,
    )
    is_right = mark == fingerprint if fingerprint is not None else digest == entry.digest
    if size != entry.size or not is_right:
        raise CorruptObject(
            f"the stored bytes of {short_digest(entry.digest)} do not match their name"
        )
    return mark


def _share_blocks(source: int, target: int) -> bool:
    """Makes `target` share all blocks of `source`; false where the file system cannot."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        known = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS)
        if error.errno in (*known, errno.EPERM, errno.EBADF):
            return False
        raise
    return True
