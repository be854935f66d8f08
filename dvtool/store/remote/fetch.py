"""Fetching: blobs of a remote come into the local store, each proven by its sha256.

Small blobs arrive by planned ranges, in any order; large ones part after part into a file of
their own, and only those parts are asked for that no file here has. A copy that is cut off or altered is dropped and another one tried; what has no sound
copy is told at the end, when everything else has arrived. Called by `dvtool.ops`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.packindex import BlobRow, PackRef
from dvtool.errors import DvtoolError
from dvtool.store.remote.assemble import Sources, assemble, store_blob
from dvtool.store.remote.losses import loss_of, raise_losses
from dvtool.store.remote.plan import ReadRange, plan_ranges
from dvtool.store.remote.reading import DECODERS, Damaged, Reader, Shared
from dvtool.store.remote.reuse import FileChunk, chunks_here, partial_name

if TYPE_CHECKING:
    from dvtool.store.local import LocalStore
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot
    from dvtool.store.writer import StoreWriter

FETCH_JOBS: Final = 8


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What a fetch brought.

    Attributes:
        fetched: Blobs that came into the store.
        fetched_bytes: Their size.
    """

    fetched: int = 0
    fetched_bytes: int = 0


def fetch_blobs(
    remote: Remote,
    snapshot: Snapshot,
    store: LocalStore,
    digests: Mapping[Digest, int] | Iterable[Digest],
    *,
    jobs: int | None = None,
    progress: Progress = SILENT,
) -> FetchResult:
    """Brings blobs into the store; asks for nothing that the store has.

    Interrupted, it keeps the blobs that arrived, and running it again goes on.

    Args:
        remote: Where from.
        snapshot: What the remote has.
        store: Where to.
        digests: Which blobs; their sizes in bytes, where known, are for the progress alone.
        jobs: Requests at once; None for FETCH_JOBS.
        progress: Told of bytes as they are proven.

    Raises:
        ObjectMissing: The remote lacks something; everything else has been stored.
        CorruptObject: Something is damaged there; nothing of it was kept, the rest was stored.
        RemoteFailed: The remote is unreachable or refused.
    """
    todo = store.missing(digests)
    if not todo:
        return FetchResult()
    sizes = (
        {d: digests[d] for d in todo} if isinstance(digests, Mapping) else dict.fromkeys(todo, 0)
    )
    progress.start("fetch", total_bytes=sum(sizes.values()) or None, total_items=len(todo))
    with store.writer() as writer:
        fetching = _Fetching(remote, snapshot, store, writer, progress, max(1, jobs or FETCH_JOBS))
        fetching.run(todo)
    raise_losses(fetching.losses, snapshot)
    return FetchResult(fetching.fetched, fetching.fetched_bytes)


@dataclass(slots=True)
class _Fetching:
    """One run: what is done, and which copies turned out bad."""

    remote: Remote
    snapshot: Snapshot
    store: LocalStore
    writer: StoreWriter
    progress: Progress
    jobs: int
    fetched: int = 0
    fetched_bytes: int = 0
    losses: dict[Digest, DvtoolError] = field(default_factory=dict)
    _avoid: dict[Digest, set[PackRef]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, wanted: set[Digest]) -> None:
        """Fetches all; in rounds, as long as a damaged copy may have a sound twin."""
        while wanted:
            failed = self._round(wanted)
            wanted = {digest for digest, damage in failed.items() if self._try_elsewhere(damage)}
            self.losses.update((d, failed[d].error) for d in failed if d not in wanted)

    def _try_elsewhere(self, damage: Damaged) -> bool:
        """Notes a bad copy; says whether there is another, so that one more round makes sense."""
        if damage.pack is None:
            return False
        bad = self._avoid.setdefault(damage.record, set())
        bad.add(damage.pack)
        return self.snapshot.locate(damage.record, avoid=bad) is not None

    def _round(self, wanted: set[Digest]) -> dict[Digest, Damaged]:
        """Tries one copy of each; returns those of which it was bad, or that have none."""
        places = self.snapshot.locate_all(wanted, avoid=self._avoid)
        failed: dict[Digest, Damaged] = {}
        large: list[BlobRow] = []
        for digest in sorted(wanted.difference(places)):
            row = self.snapshot.parts_of(digest)
            if row is None:
                failed[digest] = Damaged(digest, digest, None, loss_of(digest, self.snapshot))
            else:
                large.append(row)
        here = chunks_here(self.store, self.snapshot, large)
        reader = Reader(self.remote)
        ranges = Shared(plan_ranges(places))
        with _pool(self.jobs) as downloads, _pool(DECODERS) as workers:
            running = [
                workers.submit(self._small, reader, ranges, downloads) for _ in range(DECODERS)
            ]
            running += [workers.submit(self._large, reader, row, here, downloads) for row in large]
            try:
                for damage in _outcomes(running):
                    failed[damage.blob] = damage
            except BaseException:
                reader.stop()
                raise
        return failed

    def _small(
        self, reader: Reader, ranges: Iterator[ReadRange], pool: ThreadPoolExecutor
    ) -> list[Damaged]:
        damaged = []
        for one, found in reader.ahead(ranges, pool, window=self.window):
            count = size = 0
            for digest, raw in reader.take_apart(one, found):
                if isinstance(raw, Damaged):
                    damaged.append(raw)
                    continue
                store_blob(self.writer, digest, raw)
                count += 1
                size += len(raw)
            self._arrived(count, size)
            self.progress.advance(size_bytes=size, items=count)
        return damaged

    @property
    def window(self) -> int:
        """How many downloads each worker may be ahead of itself."""
        return -(-self.jobs // DECODERS)

    def _large(
        self,
        reader: Reader,
        row: BlobRow,
        here: Mapping[Digest, FileChunk],
        pool: ThreadPoolExecutor,
    ) -> list[Damaged]:
        known = self.snapshot.locate_all(set(row.parts), avoid=self._avoid)
        places = [(part, known[part]) for part in row.parts if part in known]
        part_bytes = self.snapshot.format.part_bytes
        partial = partial_name(self.store, row.digest)
        sources = Sources(places, here, part_bytes, partial)
        damage = assemble(
            reader, self.writer, row, sources, pool, window=self.window, progress=self.progress
        )
        if damage is not None:
            return [damage]
        self._arrived(1, row.size)
        self.progress.advance(items=1)
        return []

    def _arrived(self, count: int, size_bytes: int) -> None:
        with self._lock:
            self.fetched += count
            self.fetched_bytes += size_bytes


@contextmanager
def _pool(jobs: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(jobs, thread_name_prefix="dvtool-fetch")
    try:
        yield pool
    finally:
        # After an error nothing that has not begun is worth a request.
        pool.shutdown(cancel_futures=True)


def _outcomes(running: list[Future[list[Damaged]]]) -> Iterator[Damaged]:
    """Yields what was damaged; raises the first failure as soon as it is there."""
    left = set(running)
    while left:
        done, left = wait(left, return_when="FIRST_COMPLETED")
        for future in done:
            yield from future.result()
