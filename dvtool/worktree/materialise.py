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
from pathlib import Path
from types import TracebackType
from typing import Final

from dvtool.core.digest import (
    FINGERPRINT_BYTES,
    NO_DIGEST,
    Fingerprint,
    fingerprint_of,
    short_digest,
)
from dvtool.core.paths import check_path
from dvtool.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE, SYMLINK, THE_FILE, Entry
from dvtool.errors import CorruptObject, WouldLoseData
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
from dvtool.worktree.reading import hash_descriptor, is_sparse, write_all
from dvtool.worktree.sections import Row

_FICLONE: Final = 0x40049409
"""ioctl that shares another file's blocks (btrfs, XFS, bcachefs); see ioctl_ficlone(2)."""
_CREATE: Final = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
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
        self._temporary = f"{TEMPORARY_PREFIX}{os.getpid():x}-{os.urandom(4).hex()}-"
        self._count = 0

    def __enter__(self) -> Materialiser:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
        """
        mode = entry.mode
        folder, name = self._place(entry.path)
        if mode == EMPTY_DIRECTORY:
            return self._write_folder(entry, folder, name, expected)
        handle = self._folders.handle(folder, create=True)
        unfinished = self._next_name()
        if mode == SYMLINK:
            target = bytes(data)
            check_link(entry.path, target)
            os.symlink(target, os.fsencode(unfinished), dir_fd=handle)
            self._put(entry, folder, unfinished, name, expected)
            handle = self._folders.handle(folder)
            result = os.stat(name, dir_fd=handle, follow_symlinks=False)
        else:
            descriptor = os.open(unfinished, _CREATE, _PERMISSIONS[mode], dir_fd=handle)
            try:
                self._fill(descriptor, data, handle, unfinished)
                self._put(entry, folder, unfinished, name, expected)
                result = os.fstat(descriptor)  # after the rename, which changes ctime
            finally:
                os.close(descriptor)
        return Row(entry.path, key_of(result), mode, fingerprint_of(data), entry.digest)

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
            WouldLoseData, UnsafePath: As in `write`.
        """
        folder, name = self._place(entry.path)
        handle = self._folders.handle(folder, create=True)
        unfinished = self._next_name()
        permissions = _PERMISSIONS[entry.mode]
        descriptor = os.open(unfinished, _CREATE, permissions, dir_fd=handle)
        try:
            try:
                mark = _copy(entry, source, descriptor, fingerprint)
            except BaseException:
                os.unlink(unfinished, dir_fd=handle)
                raise
            self._put(entry, folder, unfinished, name, expected)
            result = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        return Row(entry.path, key_of(result), entry.mode, mark, entry.digest)

    def change_mode(self, row: Row, mode: str) -> Row:
        """Makes a file executable, or not, and returns its new row; the bytes stay.

        Raises:
            WouldLoseData: The file is not as its row says.
        """
        folder, name = self._place(row.path)
        handle = self._folders.handle(folder)
        self._expect(handle, name, row.stat, row.path)
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
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
        folder, name = self._place(path)
        try:
            handle = self._folders.handle(folder)
        except FileNotFoundError:
            return
        whole = f"{folder}/{name}" if folder else name
        if expected == NO_STAT:
            self._emptied.add(whole)
            return
        take_away(handle, name, self._next_name(), expected, shown(whole))
        self._emptied.add(folder)

    def keep_folder(self) -> None:
        """Makes the data set's own folder, and keeps it when nothing is left in it."""
        above, name = split_dataset(self._dataset)
        self._make(above, name)

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

    def _is_inside(self, folder: str) -> bool:
        return folder == self._dataset or folder.startswith(f"{self._dataset}/")

    def _place(self, path: bytes) -> tuple[str, str]:
        """Returns folder and name relative to the top, after checking that they may be touched."""
        if path != THE_FILE:
            check_path(path)
            whole = f"{self._dataset}/{os.fsdecode(path)}"
        else:
            whole = self._dataset
        if self._git_tracked and whole in self._git_tracked:
            raise WouldLoseData(
                f"git tracks {shown(whole)}; dvtool does not touch it",
                hint="git rm --cached it first",
            )
        folder, _, name = whole.rpartition("/")
        return folder, name

    def _next_name(self) -> str:
        self._count += 1
        return f"{self._temporary}{self._count:x}"

    def _fill(self, descriptor: int, data: bytes | memoryview, handle: int, name: str) -> None:
        try:
            if os.write(descriptor, data) != len(data):
                os.lseek(descriptor, 0, os.SEEK_SET)
                write_all(descriptor, data)
        except BaseException:
            os.unlink(name, dir_fd=handle)
            raise

    def _put(
        self, entry: Entry, folder: str, unfinished: str, name: str, expected: StatKey | None
    ) -> None:
        """Renames a finished file to its place, or removes it and raises."""
        handle = self._folders.handle(folder)
        try:
            if expected is not None and expected != NO_STAT:
                put_over(handle, unfinished, name, expected, self._shown(entry.path))
                return
            if expected == NO_STAT:
                self._emptied.add(f"{folder}/{name}" if folder else name)
            try:
                put_new(handle, unfinished, name)
            except FileExistsError:
                if not self._emptied:
                    raise
                self.prune()  # perhaps a folder that is empty now stands there
                handle = self._folders.handle(folder, create=True)
                put_new(handle, unfinished, name)
        except BaseException as error:
            os.unlink(unfinished, dir_fd=handle)
            if isinstance(error, FileExistsError):
                raise self._in_the_way(entry.path) from None
            if isinstance(error, FileNotFoundError):
                raise WouldLoseData(
                    f"{self._shown(entry.path)} vanished since it was looked at"
                ) from None
            raise

    def _write_folder(self, entry: Entry, folder: str, name: str, expected: StatKey | None) -> Row:
        if expected is not None and expected != NO_STAT:
            self.remove(entry.path, expected=expected)
        try:
            self._make(folder, name)
        except FileExistsError:
            raise self._in_the_way(entry.path) from None
        return Row(entry.path, NO_STAT, EMPTY_DIRECTORY, _NO_MARK, NO_DIGEST)

    def _make(self, folder: str, name: str) -> None:
        make_folder(self._folders.handle(folder, create=True), name)
        self._kept.add(f"{folder}/{name}" if folder else name)

    def _expect(self, handle: int, name: str, expected: StatKey, path: bytes) -> None:
        try:
            check_expected(handle, name, expected, self._shown(path))
        except FileNotFoundError:
            raise WouldLoseData(f"{self._shown(path)} vanished since it was looked at") from None

    def _shown(self, path: bytes) -> str:
        return shown(f"{self._dataset}/{os.fsdecode(path)}" if path else self._dataset)

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
