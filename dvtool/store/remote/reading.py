"""Reading records of packs: one request into a spool, then every record proven.

Nothing that fails its sha256 gets past this module, unless the caller proves a whole blob; what is
wrong becomes a `Damaged`, so that one bad record never costs the good ones beside it. Called by
`fetch`, `assemble`, `ranged` and `verify`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from dvtool.core.digest import Digest, format_digest
from dvtool.core.pack import decode_record
from dvtool.core.packindex import PackRef
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing, RemoteFailed
from dvtool.store.remote import layout

if TYPE_CHECKING:
    from dvtool.store.remote.backend import Spool
    from dvtool.store.remote.plan import ReadRange
    from dvtool.store.remote.remote import Remote


_T = TypeVar("_T")

DECODERS: Final = 2
"""How many threads take ranges apart. Each holds a record twice, and malloc keeps what a thread
once had, so memory grows with them; two prove 1 GB/s."""


class Damaged(NamedTuple):
    """A blob that could not be read from one place.

    Attributes:
        blob: The blob that was wanted.
        record: The record that is bad: the blob's own, or that of one of its parts.
        pack: Where; None when there is no other place to try.
        error: What to tell.
    """

    blob: Digest
    record: Digest
    pack: PackRef | None
    error: DvtoolError


class Reader:
    """Reads ranges of one remote; safe from several threads, until `stop` is called."""

    def __init__(self, remote: Remote, *, memory_bytes: int = 0) -> None:
        """Takes the remote; sends nothing.

        Args:
            remote: Where to read.
            memory_bytes: Ranges up to this size wait in memory instead of in a file.
        """
        self._remote = remote
        self._memory_bytes = memory_bytes
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Makes running and coming downloads fail soon."""
        self._stopped.set()

    def records(self, one: ReadRange) -> Iterator[tuple[Digest, bytes | Damaged]]:
        """Yields every record of a range, proven, or what is wrong with it; one request.

        Raises:
            RemoteFailed: The remote is unreachable or refused.
        """
        yield from self.take_apart(one, self.download(one))

    def take_apart(
        self, one: ReadRange, found: Spool | ObjectMissing, *, is_proven_later: bool = False
    ) -> Iterator[tuple[Digest, bytes | Damaged]]:
        """Yields every record of a range that was downloaded, and closes its spool.

        Args:
            one: The range.
            found: What `download` returned for it.
            is_proven_later: See `pack.decode_record`.
        """
        if isinstance(found, ObjectMissing):
            yield from ((d, Damaged(d, d, one.pack, found)) for d, _ in one.records)
            return
        with found:
            yield from self._decode(one, found, is_proven_later=is_proven_later)

    def ahead(
        self, ranges: Iterator[ReadRange], pool: ThreadPoolExecutor, *, window: int
    ) -> Iterator[tuple[ReadRange, Spool | ObjectMissing]]:
        """Yields ranges in their order with what was downloaded, which the caller closes.

        Args:
            ranges: Asked for the next one as late as possible, so that several may share it.
            pool: Runs the downloads.
            window: How many downloads may be ahead of the caller; each waits in a file.

        Raises:
            RemoteFailed: The remote is unreachable or refused.
        """
        coming: deque[tuple[ReadRange, Future[Spool | ObjectMissing]]] = deque()
        try:
            while True:
                for one in islice(ranges, window - len(coming)):
                    coming.append((one, pool.submit(self.download, one)))
                if not coming:
                    return
                one, future = coming.popleft()
                yield one, future.result()
        finally:
            for _, future in coming:
                future.cancel()
                future.add_done_callback(_close_spool)

    def download(self, one: ReadRange) -> Spool | ObjectMissing:
        """Returns the bytes of a range, or that its pack has gone.

        Raises:
            RemoteFailed: The remote is unreachable or refused.
        """
        in_memory = one.end - one.start <= self._memory_bytes
        spool = self._remote.cache.spool(hashed=False, in_memory=in_memory)
        name = layout.pack_name(one.pack.name)
        try:
            self._remote.backend.read_range(
                name, one.start, one.end, _Stoppable(spool, self._stopped)
            )
        except ObjectMissing as error:
            spool.close()
            return error
        except BaseException:
            spool.close()
            raise
        return spool

    def _decode(
        self, one: ReadRange, spool: Spool, *, is_proven_later: bool
    ) -> Iterator[tuple[Digest, bytes | Damaged]]:
        start = one.start
        for digest, at in one.records:
            try:
                data = spool.view_at(at.offset - start, at.length)
                yield digest, decode_record(data, digest, is_proven_later=is_proven_later)
            except CorruptObject as error:
                where = f"{self._remote.url}/{layout.pack_name(at.pack.name)}"
                text = format_digest(digest)
                what = error.message if text in error.message else f"object {text}: {error.message}"
                yield digest, Damaged(digest, digest, at.pack, CorruptObject(f"{where}: {what}"))


class Shared(Generic[_T]):
    """An iterator that several threads may draw from."""

    def __init__(self, items: Iterable[_T]) -> None:
        """Takes what to hand out, each item once."""
        self._items = iter(items)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[_T]:
        return self

    def __next__(self) -> _T:
        with self._lock:
            return next(self._items)


def _close_spool(future: Future[Spool | ObjectMissing]) -> None:
    if not future.cancelled() and future.exception() is None:
        found = future.result()
        if not isinstance(found, ObjectMissing):
            found.close()


class _Stoppable:
    """A sink that refuses more bytes once nobody wants them."""

    def __init__(self, spool: Spool, stopped: threading.Event) -> None:
        self._spool = spool
        self._stopped = stopped

    def append(self, data: bytes | bytearray | memoryview) -> None:
        if self._stopped.is_set():
            raise RemoteFailed("stopped")
        self._spool.append(data)
