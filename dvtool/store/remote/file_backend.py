"""A remote in a directory: a disk, a network file system, a folder that something else mirrors.

Objects appear whole or not at all: written under a hidden name, synced to disk and linked to
their name, which fails when it exists. No fsspec here: nothing it has does that.
"""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dvtool.errors import CorruptObject, ObjectMissing, RemoteFailed, RemoteTemporary
from dvtool.store.remote.backend import BLOCK_BYTES, Listed, Sink, Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

_HIDDEN: Final = ".dvtool-"
_TEMPORARY: Final = frozenset(
    {errno.EIO, errno.EAGAIN, errno.EINTR, errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE}
)
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK})


class FileBackend:
    """Keeps objects as files below a directory; see `Backend` for the methods."""

    def __init__(self, root: Path, *, url: str = "") -> None:
        """Takes the directory; it is made by the first `create` if its parent exists."""
        self.url = (url or root.as_uri()).rstrip("/")
        self._root = os.fspath(root)

    def list(self) -> dict[str, Listed]:
        """Returns every object; hidden files are not objects."""
        found: dict[str, Listed] = {}
        with self._failures("list"), suppress(FileNotFoundError):
            self._list_into(found, self._root, "")
        return found

    def _list_into(self, found: dict[str, Listed], directory: str, prefix: str) -> None:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    self._list_into(found, entry.path, f"{prefix}{entry.name}/")
                elif entry.is_file():
                    status = entry.stat()
                    found[prefix + entry.name] = Listed(status.st_size, status.st_mtime)

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object."""
        with self._failures(name), open(self._path(name), "rb", buffering=0) as file:
            data = file.read(size_limit + 1) or b""
            while len(data) <= size_limit and (more := file.read(size_limit + 1 - len(data))):
                data += more
        if len(data) > size_limit:
            raise CorruptObject(f"{self.url}/{name} is larger than {size_limit} bytes")
        return data

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink`."""
        with self._failures(name), open(self._path(name), "rb", buffering=0) as file:
            file.seek(start)
            while start < end and (data := file.read(min(BLOCK_BYTES, end - start))):
                sink.append(data)
                start += len(data)

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object: temporary file, fsync, link, fsync of the directory."""
        path = self._path(name)
        with self._failures(name):
            self._make_parents(os.path.dirname(path))
            temporary = os.path.join(os.path.dirname(path), _HIDDEN + secrets.token_hex(8))
            try:
                self._write(temporary, data)
                created = _publish(temporary, path)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary)
            if created:
                _sync_directory(os.path.dirname(path))
            return created

    def delete(self, name: str) -> None:
        """Deletes an object's file; its folder stays, for somebody may be creating another."""
        with self._failures(name), suppress(FileNotFoundError):
            os.unlink(self._path(name))
            _sync_directory(os.path.dirname(self._path(name)))

    def close(self) -> None:
        """Does nothing: no connection is held."""

    def _path(self, name: str) -> str:
        return os.path.join(self._root, name)

    def _make_parents(self, directory: str) -> None:
        # The place above must exist: pushing to a disk that is not mounted would otherwise fill
        # its mount point.
        if not os.path.isdir(os.path.dirname(self._root)):
            raise RemoteFailed(
                f"remote {self.url}: directory {os.path.dirname(self._root)} does not exist",
                hint=f"mount it, or mkdir -p {os.path.dirname(self._root)}",
            )
        os.makedirs(directory, exist_ok=True)

    def _write(self, path: str, data: bytes | Spool) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            for block in (data,) if isinstance(data, bytes) else data.blocks():
                view = memoryview(block)
                while view:
                    view = view[os.write(fd, view) :]
            os.fsync(fd)
        finally:
            os.close(fd)

    @contextmanager
    def _failures(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise ObjectMissing(f"no object {self.url}/{name}") from error
        except OSError as error:
            where = f"remote {self.url}: {name}: {error.strerror or error}"
            if error.errno in _TEMPORARY:
                raise RemoteTemporary(where) from error
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise RemoteFailed(
                    where, hint="free space on the remote, then push again"
                ) from error
            raise RemoteFailed(where, hint=f"look at the rights of {self._root}") from error


def _publish(temporary: str, path: str) -> bool:
    """Gives a finished file its name; returns False when the name is taken."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # Some network file systems have no links. Rename replaces, so look first: two writers of
        # one name write the same bytes, as names are digests.
        if os.path.exists(path):
            return False
        os.rename(temporary, path)
    return True


def _sync_directory(directory: str) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some file systems cannot
            raise
    finally:
        os.close(fd)
