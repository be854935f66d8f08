"""Uploading finished packs in parallel, and the index over each batch of them.

Keeps the write order: an index is created only after every pack it names. An interrupted push
leaves an index over what did arrive, so that the next one goes on from there. Called by `push`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dvtool.core.packindex import (
    BlobRow,
    PackRef,
    RecordRow,
    encode_index,
    nonce_row,
    parse_index,
)
from dvtool.errors import DvtoolError
from dvtool.store.remote import layout
from dvtool.store.remote.arrivals import forget_arrivals, note_arrival
from dvtool.store.remote.packbuild import BuiltPack

if TYPE_CHECKING:
    from dvtool.core.events import Progress
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

PACKS_PER_INDEX: Final = 16


class Uploader:
    """Sends packs by a few threads. Used by one thread, as a context manager's value.

    Attributes:
        packs: How many packs have been sent.
        sent_bytes: The bytes of packs and indexes sent.
        raw_bytes: What the packs hold, before compression.
    """

    def __init__(
        self,
        remote: Remote,
        snapshot: Snapshot,
        *,
        jobs: int,
        packs_per_index: int,
        progress: Progress,
    ) -> None:
        """Takes where to send to and the snapshot that learns of what was sent."""
        self._remote = remote
        self._snapshot = snapshot
        self._packs_per_index = packs_per_index
        self._progress = progress
        self._pool = ThreadPoolExecutor(jobs, thread_name_prefix="dvtool-push")
        self._slots = threading.BoundedSemaphore(jobs + 1)
        self._batch: list[tuple[BuiltPack, Future[None]]] = []
        self._blob_rows: list[BlobRow] = []
        self.packs = 0
        self.sent_bytes = 0
        self.raw_bytes = 0

    @contextmanager
    def running(self) -> Iterator[Uploader]:
        """Runs the block, then indexes what it uploaded, even when it failed."""
        try:
            yield self
            self.write_index()
        except BaseException:
            for _, future in self._batch:
                future.cancel()
            with suppress(DvtoolError):
                self._index_what_arrived()
            raise
        finally:
            self._pool.shutdown(cancel_futures=True)
            for pack, _ in self._batch:
                pack.spool.close()

    def send(self, pack: BuiltPack) -> None:
        """Queues a pack; waits when enough are on their way.

        Raises:
            RemoteFailed: An earlier pack of this batch could not be sent.
        """
        self._slots.acquire()
        self._batch.append((pack, self._pool.submit(self._send, pack)))
        for _, future in self._batch:
            if future.done():
                future.result()
        if len(self._batch) >= self._packs_per_index:
            self.write_index()

    def add_blob_rows(self, rows: list[BlobRow]) -> None:
        """Takes large blobs for the next index; all their parts must have been queued before."""
        self._blob_rows += rows

    def write_index(self) -> None:
        """Waits for the batch and creates the index over it; nothing when there is nothing new."""
        for _, future in self._batch:
            future.result()
        self._create_index(self._batch, self._blob_rows)
        self._batch, self._blob_rows = [], []

    def _index_what_arrived(self) -> None:
        wait([future for _, future in self._batch])
        arrived = [
            (pack, future)
            for pack, future in self._batch
            if not future.cancelled() and future.exception() is None
        ]
        self._create_index(arrived, [])

    def _send(self, pack: BuiltPack) -> None:
        try:
            self._remote.put(layout.pack_name(pack.ref.name), pack.spool)
            note_arrival(self._remote.cache, pack.ref, pack.rows)
            self._progress.advance(size_bytes=pack.raw_bytes, items=len(pack.rows))
        finally:
            pack.spool.close()
            self._slots.release()

    def _create_index(
        self, batch: list[tuple[BuiltPack, Future[None]]], blob_rows: list[BlobRow]
    ) -> None:
        if not batch and not blob_rows:
            return
        refs: list[PackRef] = [pack.ref for pack, _ in batch]
        rows = (
            RecordRow(digest, number, stored, offset)
            for number, (pack, _) in enumerate(batch)
            for digest, stored, offset in pack.rows
        )
        data = encode_index(refs, rows, blob_rows if batch else [*blob_rows, nonce_row()])
        name = layout.index_name(sha256(data).digest())
        self._remote.put(name, data)
        self._remote.cache.put(name, data)
        self._snapshot.add(name, parse_index(data))
        forget_arrivals(self._remote.cache, refs)
        self.packs += len(batch)
        self.sent_bytes += len(data) + sum(ref.size for ref in refs)
        self.raw_bytes += sum(pack.raw_bytes for pack, _ in batch)
