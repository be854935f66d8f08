"""One file of a version by its address: opened as a stream, or as a path for those who need one.

Tables are `tables`, whole repositories `repository`. Called by both, and by whoever imports dvtool.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, Any

from dvtool.core.address import parse_address
from dvtool.errors import UnknownRevision, UsageError
from dvtool.ops.blobreader import BlobReader
from dvtool.ops.versionfiles import REPOSITORIES, Node, VersionFiles


def open(
    address: str, mode: str = "rb", *, encoding: str = "utf-8", newline: str | None = None
) -> IO[Any]:
    """Opens one file of a version for reading.

    Args:
        address: `dvt://REV@PATH`, `dvt://REPO:REV@PATH`, or `dvt://PATH` for what the work tree's
            sidecars say.
        mode: `rb`, or `r` for text.
        encoding: For text.
        newline: For text, as in the built-in `open`.

    Raises:
        UnknownRevision: No such revision, or no file there.
        ObjectMissing, CorruptObject, RemoteFailed: The bytes cannot be had.
        UsageError: Another mode: versions do not change.
    """
    if mode not in ("r", "rb", "rt"):
        raise UsageError(f"versions are only read, not opened with mode {mode!r}")
    versions, node = file_at(address)
    assert node.entry is not None
    raw = io.BufferedReader(_RawBlob(versions.reader(node.entry), node.entry.size), 1 << 16)
    return raw if mode == "rb" else io.TextIOWrapper(raw, encoding, newline=newline)


def local_path(address: str) -> Path:
    """Returns a read-only path of one file of a version, fetched into the store first.

    For readers that take nothing but paths. Never write to it.

    Raises:
        UnknownRevision: No such revision, or no file there.
        ObjectMissing, CorruptObject, RemoteFailed: The bytes cannot be had.
    """
    versions, node = file_at(address)
    return versions.local_path(node)


def file_at(address: str) -> tuple[VersionFiles, Node]:
    """Returns the file that an address means, and the repository it is in.

    Raises:
        UnknownRevision: No such revision, no file there, or a folder.
    """
    found = parse_address(address)
    versions = REPOSITORIES.at(found, dict(os.environ))
    _, node = versions.node(found.rev, found.path)
    if node.is_folder:
        raise UnknownRevision(f"{address} is a folder", hint="name a file in it")
    return versions, node


class _RawBlob(io.RawIOBase):
    """The reader of one blob as a raw stream."""

    def __init__(self, reader: BlobReader, size: int) -> None:
        self._reader = reader
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative seek position {base + offset}")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._reader.read(self._at, self._at + len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def readall(self) -> bytes:
        data = self._reader.read(self._at, self._size)
        self._at += len(data)
        return data
