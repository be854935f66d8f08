"""Putting fetched blobs into the store, large ones part after part.

A blob in parts is written to a temp file in order, while the next parts are already on their way;
it becomes part of the store only when its own sha256 is right. Interrupted, it leaves the file for
the next fetch. Called by `fetch`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING

import xxhash

from dvtool.core.digest import Digest, Fingerprint, fingerprint_of, format_digest
from dvtool.core.packindex import BlobRow
from dvtool.errors import CorruptObject
from dvtool.store.durable import store_error
from dvtool.store.local import SMALL_BLOB_BYTES
from dvtool.store.remote.plan import Placed, runs_in_order
from dvtool.store.remote.reading import Damaged, Reader
from dvtool.store.remote.reuse import FileChunk, Partial, half_fetched, read_chunk

if TYPE_CHECKING:
    from pathlib import Path

    from dvtool.core.events import Progress
    from dvtool.store.writer import StoreWriter


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the parts of a blob can be had.

    Attributes:
        places: At the remote, in the order of the parts; a part that is nowhere is left out.
        here: In files of this machine, by digest.
        part_bytes: Size of parts where an index does not say where they end.
        partial: Name for the file while it is not complete, so that another fetch can go on.
    """

    places: Sequence[Placed]
    here: Mapping[Digest, FileChunk]
    part_bytes: int
    partial: Path


def store_blob(writer: StoreWriter, digest: Digest, raw: bytes) -> None:
    """Adds a proven blob that is in memory, in the form its size asks for."""
    if len(raw) < SMALL_BLOB_BYTES:
        writer.add_small(digest, raw)
        return
    temp = writer.temp_file()
    try:
        _write(temp.fd, temp.path, raw)
        writer.adopt(temp.path, digest, fingerprint_of(raw))
    finally:
        writer.discard(temp.path)


def assemble(
    reader: Reader,
    writer: StoreWriter,
    row: BlobRow,
    sources: Sources,
    pool: ThreadPoolExecutor,
    *,
    window: int,
    progress: Progress,
) -> Damaged | None:
    """Stores a blob from its parts; returns what was wrong when it could not.

    At first parts pass by their xxh3 alone, and those that are on this machine are taken from
    here: the sha256 of the whole decides. If that is wrong, all parts are read again from the
    remote, each proven by its own, to tell which one it was.

    Args:
        reader: Of the remote.
        writer: Of the store.
        row: The blob and its parts.
        sources: Where each part lies.
        pool: Runs the downloads.
        window: How many requests may be ahead of what is being written; each waits in a file.
        progress: Told of bytes as they are written.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
        StoreFailed: The store cannot be written.
    """
    with half_fetched(sources.partial, row, sources.part_bytes) as left:
        here = {**sources.here, **left}
        hurried = _Parts(reader, sources.places, here, pool, window, is_proven_later=True)
        damage = _store(writer, row, hurried.read(), sources.partial, progress)
    if damage is None or damage.pack is not None:
        return damage
    careful = _Parts(reader, sources.places, {}, pool, window, is_proven_later=False)
    return _store(writer, row, careful.read(), sources.partial, progress)


def _store(
    writer: StoreWriter,
    row: BlobRow,
    parts: Iterator[bytes | Damaged],
    name: Path,
    progress: Progress,
) -> Damaged | None:
    """Writes parts to a temp file and makes it the blob if its sha256 is right."""
    temp = writer.temp_file()
    partial = Partial(temp.path, name)
    whole, fast = sha256(), xxhash.xxh3_128()
    size = 0
    try:
        for raw in parts:
            if isinstance(raw, Damaged):
                partial.drop()
                return raw._replace(blob=row.digest)
            size += len(raw)
            if size > row.size:
                break
            whole.update(raw)
            fast.update(raw)
            _write(temp.fd, temp.path, raw)
            progress.advance(size_bytes=len(raw))
        partial.drop()
        if size != row.size or whole.digest() != row.digest:
            return Damaged(row.digest, row.digest, None, _wrong_parts(row))
        if size < SMALL_BLOB_BYTES:
            writer.add_small(row.digest, os.pread(temp.fd, size, 0))
        else:
            writer.adopt(temp.path, row.digest, Fingerprint(fast.digest()))
        return None
    finally:
        writer.discard(temp.path)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Reads the parts of one blob in their order."""

    reader: Reader
    places: Sequence[Placed]
    here: Mapping[Digest, FileChunk]
    pool: ThreadPoolExecutor
    window: int
    is_proven_later: bool

    def read(self) -> Iterator[bytes | Damaged]:
        """Yields every part, or what is wrong with it; neighbours that are equal are read once."""
        steps = [(one, len(list(run))) for one, run in groupby(self.places)]
        coming = self._downloaded([one for one, _ in steps if one[0] not in self.here])
        for (digest, at), times in steps:
            raw: bytes | Damaged | None
            if digest in self.here:
                raw = read_chunk(self.here[digest])
                if raw is None:
                    raw = next(self._downloaded([(digest, at)]))
            else:
                raw = next(coming)
            for _ in range(times):
                yield raw

    def _downloaded(self, places: Sequence[Placed]) -> Iterator[bytes | Damaged]:
        """Yields parts in order, with up to `window` requests ahead."""
        ranges = iter(runs_in_order(places))
        for one, found in self.reader.ahead(ranges, self.pool, window=self.window):
            for _, raw in self.reader.take_apart(one, found, is_proven_later=self.is_proven_later):
                yield raw


def _write(fd: int, path: Path, data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError as error:
        raise store_error(error, path) from error


def _wrong_parts(row: BlobRow) -> CorruptObject:
    return CorruptObject(
        f"object {format_digest(row.digest)}: its {len(row.parts)} parts at the remote are sound,"
        " but together they are not the object"
    )
