"""Backends: the few things a remote asks of a place that keeps objects.

Here are the protocol and the bytes on their way in and out (`Spool`). What objects mean is not
known here, and which backend a URL means is decided in `fsspec_backend.open_backend`. Implemented
by the `*_backend` modules and `memory`, wrapped by `retry`, used by `remote`.
"""

from __future__ import annotations

import io
import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES: Final = 2**20


class Listed(NamedTuple):
    """What a listing says about an object: its size in bytes and its age by the server's clock.

    Attributes:
        size: In bytes.
        modified_s: Seconds since 1970, by the server's clock.
    """

    size: int
    modified_s: float


class Spool:
    """Bytes on their way to or from a remote: the first MiB in memory, more in an unnamed file.

    One that is asked to be stays in memory as a whole: for small things that are read at once, a
    file costs several times what the bytes do.

    Written once from the start, then read at any place by any thread. Gone when closed, and after
    kill -9 too.
    """

    def __init__(self, directory: Path, *, hashed: bool = True, in_memory: bool = False) -> None:
        """Makes an empty spool.

        Args:
            directory: Where its file lies, if it needs one.
            hashed: Whether `sha256` will be asked for.
            in_memory: Never use a file; the caller bounds what is appended.
        """
        self._directory = directory
        self._in_memory = in_memory
        self._file: io.FileIO | None = None
        self._buffer = bytearray()
        self._hash = sha256() if hashed else None
        self.size = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, data: bytes | bytearray | memoryview) -> None:
        """Adds `data` at the end."""
        self.size += len(data)
        if self._in_memory or len(data) < BLOCK_BYTES:
            self._buffer += data
            if not self._in_memory and len(self._buffer) >= BLOCK_BYTES:
                self._flush()
            return
        self._flush()
        self._put(data)

    def _flush(self) -> None:
        if self._buffer:
            data, self._buffer = self._buffer, bytearray()
            self._put(data)

    def _put(self, data: bytes | bytearray | memoryview) -> None:
        if self._hash is not None:
            self._hash.update(data)
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def sha256(self) -> bytes:
        """Returns the sha256 of everything appended so far, 32 raw bytes."""
        assert self._hash is not None
        whole = self._hash.copy()
        whole.update(self._buffer)
        return whole.digest()

    def read_at(self, offset: int, length: int) -> bytes:
        """Returns up to `length` bytes from `offset`; fewer only at the end. Appending is over."""
        if self._file is None:
            return bytes(self._buffer[offset : offset + length])
        self._flush()
        fd = self._file.fileno()
        data = os.pread(fd, length, offset)
        while len(data) < length and (more := os.pread(fd, length - len(data), offset + len(data))):
            data += more
        return data

    def view_at(self, offset: int, length: int) -> bytes | memoryview:
        """Returns what `read_at` does, without a copy where it is in memory."""
        if self._in_memory:
            return memoryview(self._buffer)[offset : offset + length]
        return self.read_at(offset, length)

    def blocks(self) -> Iterator[bytes]:
        """Yields everything in order, in blocks of at most BLOCK_BYTES. Appending is over."""
        for offset in range(0, self.size, BLOCK_BYTES):
            yield self.read_at(offset, BLOCK_BYTES)

    def close(self) -> None:
        """Gives memory and file back; the spool cannot be used any more. May be called twice."""
        self._buffer = bytearray()
        if self._file is not None:
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

    def delete(self, name: str) -> None:
        """Deletes an object; one that is not there is no error.

        Only garbage collection and erasure call this, so pushers need no right to delete.
        """

    def close(self) -> None:
        """Lets go of connections."""
