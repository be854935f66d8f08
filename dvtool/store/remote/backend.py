"""Backends: the few things a remote asks of a place that keeps objects.

Here are the protocol, the bytes on their way in and out (`Spool`) and `open_backend`, the only
place that chooses an implementation. What objects mean is not known here. `dvtool.ops` opens a
backend and hands it to `dvtool.store.remote.remote.Remote`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from dvtool.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES: Final = 2**20
PROTOCOLS: Final = frozenset(
    {"file", "s3", "gs", "gcs", "az", "abfs", "ssh", "sftp", "memory"}
)
"""All protocols a remote may have. A closed list: fsspec knows some that run programs."""


class Listed(NamedTuple):
    """What a listing says about an object: its size in bytes and its age by the server's clock.

    Attributes:
        size: In bytes.
        modified_s: Seconds since 1970, by the server's clock.
    """

    size: int
    modified_s: float


class Spool:
    """Bytes on their way to or from a remote, kept in an unnamed file and not in memory.

    Written once from the start, then read at any place by any thread. Gone when closed, and after
    kill -9 too.
    """

    def __init__(self, directory: Path) -> None:
        """Makes an empty spool in `directory`, which must exist."""
        self._file = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115
        self._fd = self._file.fileno()
        self._buffer = bytearray()
        self._hash = sha256()
        self.size = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Adds `data` at the end."""
        self.size += len(data)
        if len(data) < BLOCK_BYTES:
            self._buffer += data
            if len(self._buffer) >= BLOCK_BYTES:
                self.flush()
            return
        self.flush()
        self._put(data)

    def flush(self) -> None:
        """Makes all that was appended readable."""
        if self._buffer:
            data, self._buffer = self._buffer, bytearray()
            self._put(data)

    def _put(self, data: bytes | bytearray | memoryview) -> None:
        self._hash.update(data)
        view = memoryview(data)
        while view:
            view = view[os.write(self._fd, view) :]

    def sha256(self) -> bytes:
        """Returns the sha256 of everything appended so far, 32 raw bytes."""
        self.flush()
        return self._hash.digest()

    def read_at(self, offset: int, length: int) -> bytes:
        """Returns up to `length` flushed bytes from `offset`; fewer only at the end."""
        data = os.pread(self._fd, length, offset)
        while len(data) < length and (more := os.pread(self._fd, length - len(data), offset + len(data))):
            data += more
        return data

    def blocks(self) -> Iterator[bytes]:
        """Yields everything in order, in blocks of at most BLOCK_BYTES."""
        self.flush()
        for offset in range(0, self.size, BLOCK_BYTES):
            yield self.read_at(offset, BLOCK_BYTES)

    def close(self) -> None:
        """Gives the file back; the spool cannot be used any more."""
        self._file.close()


class Sink(Protocol):
    """Takes downloaded bytes in order; a `Spool` is one, and so is a `bytearray`-backed buffer."""

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Adds `data` at the end."""


class Backend(Protocol):
    """A place that keeps objects by name. Safe to use from several threads.

    Names are relative to the root and use `/`. All methods raise `RemoteTemporary` when trying
    again may help, `RemoteFailed` when it will not, `ObjectMissing` for an object that is not
    there. No error text holds a credential.
    """

    @property
    def url(self) -> str:
        """The root as the user wrote it, without credentials."""

    def list(self) -> dict[str, Listed]:
        """Returns every object below the root; empty when there is nothing."""

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object of at most `size_limit` bytes.

        Raises:
            CorruptObject: It is larger.
        """

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends bytes `start` to `end` (exclusive) to `sink`, and fewer if the object ends.

        After an error `sink` may hold a part; the caller drops it.
        """

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object, all of it or nothing; never changes one that exists.

        Returns:
            True when it was created, False when an object of that name exists already.
        """

    def close(self) -> None:
        """Lets go of connections."""


def open_backend(
    url: str, *, options: Mapping[str, object] | None = None, endpoint_url: str | None = None
) -> Backend:
    """Returns a backend for `url`, with retries around it; nothing is sent yet.

    Args:
        url: `file:///dir`, `s3://bucket/prefix`, …; the protocols are PROTOCOLS, never chained.
        options: Options of the protocol's fsspec file system, already typed.
        endpoint_url: Another S3 server than Amazon's.

    Raises:
        UsageError: The URL has an unknown protocol, is chained, or lacks a place.
        ExtraMissing: The protocol needs a package that is not installed.
    """
    from dvtool.store.remote.retry import Retrying

    return Retrying(_open_plain(url, dict(options or {}), endpoint_url))


def _open_plain(url: str, options: dict[str, object], endpoint_url: str | None) -> Backend:
    protocol, root = split_url(url)
    if protocol == "file":
        from dvtool.store.remote.file_backend import FileBackend

        return FileBackend(Path(root), url=url)
    if protocol == "memory":
        from dvtool.store.remote.memory import MemoryBackend

        return MemoryBackend.shared(root)
    if endpoint_url:
        options["endpoint_url"] = endpoint_url
    if protocol == "s3":
        from dvtool.store.remote.s3_backend import S3Backend

        return S3Backend.open(root, options=options)
    from dvtool.store.remote.fsspec_backend import FsspecBackend

    return FsspecBackend.open(protocol, root, options=options)


def split_url(url: str) -> tuple[str, str]:
    """Returns protocol and root of a remote's URL; the root has no slash at its end.

    Raises:
        UsageError: Unknown protocol, chained protocols, no place, or a relative file path.
    """
    from dvtool.store.remote.redact import redact

    shown = redact(url)
    protocol, found, rest = url.partition("://")
    if "::" in url or not found or protocol not in PROTOCOLS:
        raise UsageError(
            f"remote URL {shown}: expected one of {', '.join(sorted(PROTOCOLS))} and ://",
            hint="dvtool remote add origin s3://bucket/prefix",
        )
    if protocol == "file":
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise UsageError(f"remote URL {shown}: expected an absolute path, as in file:///srv/data")
        return protocol, unquote(parts.path).rstrip("/") or "/"
    root = rest.strip("/") if protocol not in ("ssh", "sftp") else rest.rstrip("/")
    if not root:
        raise UsageError(f"remote URL {shown}: no place after ://")
    return protocol, root
