"""Putting fetched blobs into the store, large ones part after part.

A blob in parts is written to a temp file in order, while the next parts are already on their way;
it becomes part of the store only when its own sha256 is right. Called by `fetch`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import TYPE_CHECKING

import xxhash

from dvtool.core.digest import Digest, Fingerprint, fingerprint_of, format_digest
from dvtool.core.packindex import BlobRow
from dvtool.errors import CorruptObject
from dvtool.store.durable import store_error
from dvtool.store.local import SMALL_BLOB_BYTES
from dvtool.store.remote.plan import Placed, runs_in_order
from dvtool.store.remote.reading import Damaged, Reader

if TYPE_CHECKING:
    from pathlib import Path

    from dvtool.core.events import Progress
    from dvtool.store.writer import StoreWriter


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
    places: Sequence[Placed],
    pool: ThreadPoolExecutor,
    *,
    window: int,
    progress: Progress,
) -> Damaged | None:
    """Stores a blob from its parts; returns what was wrong when it could not.

    Args:
        reader: Of the remote.
        writer: Of the store.
        row: The blob and its parts.
        places: Where each part lies, in the order of the parts.
        pool: Runs the downloads.
        window: How many requests may be ahead of what is being written; each waits in a file.
        progress: Told of bytes as they are proven.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
        StoreFailed: The store cannot be written.
    """
    temp = writer.temp_file()
    whole, fast = sha256(), xxhash.xxh3_128()
    size = 0
    try:
        parts = _parts(reader, places, pool, window)
        for raw in parts:
            if isinstance(raw, Damaged):
                return raw._replace(blob=row.digest)
            size += len(raw)
            if size > row.size:
                break
            whole.update(raw)
            fast.update(raw)
            _write(temp.fd, temp.path, raw)
            progress.advance(size_bytes=len(raw))
        if size != row.size or whole.digest() != row.digest:
            return Damaged(row.digest, row.digest, None, _wrong_parts(row))
        if size < SMALL_BLOB_BYTES:
            writer.add_small(row.digest, os.pread(temp.fd, size, 0))
        else:
            writer.adopt(temp.path, row.digest, Fingerprint(fast.digest()))
        return None
    finally:
        writer.discard(temp.path)


def _parts(
    reader: Reader, places: Sequence[Placed], pool: ThreadPoolExecutor, window: int
) -> Iterator[bytes | Damaged]:
    """Yields the parts in order, with up to `window` requests ahead."""
    for one, found in reader.ahead(iter(runs_in_order(places)), pool, window=window):
        for _, raw in reader.take_apart(one, found):
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
