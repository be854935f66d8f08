"""Reading records of packs: one request into a spool, then every record proven.

Nothing that fails its sha256 gets past this module; what is wrong becomes a `Damaged`, so that
one bad record never costs the good ones beside it. Called by `fetch`, `assemble` and `verify`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from dvtool.core.digest import Digest, format_digest
from dvtool.core.pack import decode_record
from dvtool.core.packindex import PackRef
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing, RemoteFailed
from dvtool.store.remote import layout

if TYPE_CHECKING:
    from dvtool.store.remote.backend import Spool
    from dvtool.store.remote.plan import ReadRange
    from dvtool.store.remote.remote import Remote


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

    def __init__(self, remote: Remote) -> None:
        """Takes the remote; sends nothing."""
        self._remote = remote
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Makes running and coming downloads fail soon."""
        self._stopped.set()

    def records(self, one: ReadRange) -> Iterator[tuple[Digest, bytes | Damaged]]:
        """Yields every record of a range, proven, or what is wrong with it; one request.

        Raises:
            RemoteFailed: The remote is unreachable or refused.
        """
        found = self.download(one)
        if isinstance(found, DvtoolError):
            yield from ((d, Damaged(d, d, one.pack, found)) for d, _ in one.records)
            return
        with found:
            yield from self.decode(one, found)

    def download(self, one: ReadRange) -> Spool | ObjectMissing:
        """Returns the bytes of a range, or that its pack has gone.

        Raises:
            RemoteFailed: The remote is unreachable or refused.
        """
        spool = self._remote.cache.spool(hashed=False)
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

    def decode(self, one: ReadRange, spool: Spool) -> Iterator[tuple[Digest, bytes | Damaged]]:
        """Yields every record of a downloaded range, proven, or what is wrong with it."""
        start = one.start
        for digest, at in one.records:
            try:
                yield digest, decode_record(spool.read_at(at.offset - start, at.length), digest)
            except CorruptObject as error:
                where = f"{self._remote.url}/{layout.pack_name(at.pack.name)}"
                text = format_digest(digest)
                what = error.message if text in error.message else f"object {text}: {error.message}"
                yield digest, Damaged(digest, digest, at.pack, CorruptObject(f"{where}: {what}"))


class _Stoppable:
    """A sink that refuses more bytes once nobody wants them."""

    def __init__(self, spool: Spool, stopped: threading.Event) -> None:
        self._spool = spool
        self._stopped = stopped

    def append(self, data: bytes | bytearray | memoryview) -> None:
        if self._stopped.is_set():
            raise RemoteFailed("stopped")
        self._spool.append(data)
