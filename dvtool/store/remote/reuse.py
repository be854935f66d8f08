"""Chunks that need not be downloaded: other versions of a blob in the store, and half-fetched files.

An index says at which offset of which blob a chunk stands, so a blob that lies in the local store
lends its chunks without being cut again. What is read here is not proven; whoever puts a blob
together proves the whole. Called by `fetch` and `assemble`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from dvtool.core.digest import Digest
from dvtool.core.packindex import BlobRow
from dvtool.store.remote.plan import ends_of

if TYPE_CHECKING:
    from pathlib import Path

    from dvtool.store.largefiles import LargeBlob
    from dvtool.store.local import LocalStore
    from dvtool.store.remote.snapshot import Snapshot

MAX_WANTED: Final = 2**20
"""Of more chunks than these, half a TiB, the rest is downloaded: the table of them stays small."""


class FileChunk(NamedTuple):
    """A stretch of a file that should hold a chunk: offset and length in bytes."""

    path: Path
    offset: int
    length: int


def chunks_here(
    store: LocalStore, snapshot: Snapshot, rows: Sequence[BlobRow]
) -> dict[Digest, FileChunk]:
    """Returns the chunks of `rows` that large blobs of the local store hold.

    One pass over those blobs' rows in the indexes; no file is read.
    """
    wanted: set[Digest] = set()
    for row in rows:
        if len(wanted) + len(row.parts) > MAX_WANTED:
            break
        wanted.update(row.parts)
    found: dict[Digest, FileChunk] = {}
    for large, known in blobs_here(store, snapshot) if wanted else ():
        for part, chunk in _chunks_in(large.path, known, snapshot.format.part_bytes):
            if part in wanted:
                found.setdefault(part, chunk)
    return found


def blobs_here(store: LocalStore, snapshot: Snapshot) -> Iterator[tuple[LargeBlob, BlobRow]]:
    """Yields the large blobs of the local store that a remote has in parts, with their rows."""
    here = set(store.large_digests())
    for index in snapshot.indexes() if here else ():
        for digest in index.blob_digests():
            large = store.large(digest) if digest in here else None
            row = index.parts_of(digest) if large is not None else None
            if large is not None and row is not None:
                yield large, row


def read_chunk(chunk: FileChunk) -> bytes | None:
    """Returns the bytes of a chunk, not proven; None when they cannot be read whole."""
    try:
        with open(chunk.path, "rb", buffering=0) as file:
            data = os.pread(file.fileno(), chunk.length, chunk.offset)
    except OSError:
        return None
    return data if len(data) == chunk.length else None


def partial_name(store: LocalStore, digest: Digest) -> Path:
    """Returns the name under which a fetch of `digest` can be found again while it is under way."""
    return store.root / "tmp" / f"{digest.hex()}.part"


@contextmanager
def half_fetched(name: Path, row: BlobRow, part_bytes: int) -> Iterator[dict[Digest, FileChunk]]:
    """Gives the chunks that an interrupted fetch of a blob left under `name`, then drops them."""
    mine = name.with_name(f"{name.name}.{secrets.token_hex(8)}")
    try:
        os.rename(name, mine)
        size = mine.stat().st_size
    except OSError:
        yield {}
        return
    try:
        chunks = _chunks_in(mine, row, part_bytes)
        yield {part: chunk for part, chunk in chunks if chunk.offset + chunk.length <= size}
    finally:
        with suppress(OSError):
            mine.unlink()


class Partial:
    """A second name for a temp file, so that what is in it can be found after a crash."""

    def __init__(self, temp: Path, name: Path) -> None:
        """Gives `temp` the second name, where the file system can and nobody else is at it."""
        self._path = name
        self._is_mine = False
        with suppress(OSError):
            os.link(temp, name)
            self._is_mine = True

    def drop(self) -> None:
        """Takes the second name away: the blob is complete, or not worth keeping."""
        if self._is_mine:
            with suppress(OSError):
                self._path.unlink()


def _chunks_in(path: Path, row: BlobRow, part_bytes: int) -> Iterator[tuple[Digest, FileChunk]]:
    start = 0
    for part, end in zip(row.parts, ends_of(row, part_bytes), strict=False):
        yield part, FileChunk(path, start, end - start)
        start = end
