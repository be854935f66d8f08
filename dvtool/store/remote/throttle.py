"""Holding back: a backend that sends and receives no more bytes a second than it was told.

A decorator that is itself a backend, with one budget for both directions and all threads. What
the answer to a request costs besides objects (headers, listings) is not counted. Put inside the
retries by `fsspec_backend.open_backend`, so that a second try is counted again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dvtool.errors import UsageError
from dvtool.store.remote.backend import Spool

if TYPE_CHECKING:
    from dvtool.store.remote.backend import Backend, Listed, Sink

BURST_S: Final = 0.25
"""How much of an unused budget may be saved up, in seconds of the limit."""
LIMIT_MIN: Final = 64 * 2**10
"""Bytes a second. Below, one block would take so long that servers hang up."""


class Bucket:
    """A token bucket: bytes taken from it never exceed limit times time, plus a burst. For any thread."""

    def __init__(
        self,
        limit: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Makes a bucket that holds its burst.

        Args:
            limit: Bytes a second, at least LIMIT_MIN.
            clock: Seconds, never going back.
            sleep: Called with the seconds to wait.

        Raises:
            UsageError: The limit is lower.
        """
        if limit < LIMIT_MIN:
            raise UsageError(f"a rate limit is at least {LIMIT_MIN} bytes a second: {limit}")
        self.limit = limit
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at_s = clock() - BURST_S  # when all that was taken is paid for

    def take(self, size_bytes: int) -> None:
        """Waits until so many bytes may pass; more than a burst waits for its whole length."""
        with self._lock:
            now_s = self._clock()
            self._free_at_s = max(self._free_at_s, now_s - BURST_S) + size_bytes / self.limit
            wait_s = self._free_at_s - now_s
        if wait_s > 0:
            self._sleep(wait_s)


class Throttled:
    """Wraps a backend; see `Backend` for the methods."""

    def __init__(self, inner: Backend, bucket: Bucket) -> None:
        """Takes the backend to hold back, and the budget, which others may share."""
        self._inner = inner
        self._bucket = bucket

    @property
    def url(self) -> str:
        """The root, as the inner backend shows it."""
        return self._inner.url

    def list(self) -> dict[str, Listed]:
        """Returns every object."""
        return self._inner.list()

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object, and pays for it afterwards: its size is not known before."""
        data = self._inner.read(name, size_limit=size_limit)
        self._bucket.take(len(data))
        return data

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink`, paying for each block before the next is read."""
        self._inner.read_range(name, start, end, _Paid(sink, self._bucket))

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object, paying for each block of a spool as it is read to be sent."""
        if isinstance(data, bytes):
            self._bucket.take(len(data))
            return self._inner.create(name, data)
        return self._inner.create(name, _PaidSpool(data, self._bucket))

    def delete(self, name: str) -> None:
        """Deletes an object."""
        self._inner.delete(name)

    def close(self) -> None:
        """Lets go of connections."""
        self._inner.close()


class _Paid:
    """A sink that waits after each block as long as it costs.

    Some backends call it on the event loop that all transfers share. That is meant: everything on
    that loop draws on the same budget, and what is not read holds back the server by TCP.
    """

    def __init__(self, sink: Sink, bucket: Bucket) -> None:
        self._sink = sink
        self._bucket = bucket

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self._sink.append(data)
        self._bucket.take(len(data))


class _PaidSpool(Spool):
    """A spool that is finished, seen by somebody who pays for what he reads, once for each byte.

    Backends that keep a whole object in memory read all of it before they send any of it: there
    the limit holds from one object to the next, not within one.
    """

    def __init__(self, spool: Spool, bucket: Bucket) -> None:
        self._spool = spool
        self._bucket = bucket
        self._paid = 0
        self.size = spool.size

    def sha256(self) -> bytes:
        return self._spool.sha256()

    def read_at(self, offset: int, length: int) -> bytes:
        data = self._spool.read_at(offset, length)
        new = max(0, offset + len(data) - self._paid)  # a request's body may be read to sign it
        self._paid += new
        self._bucket.take(new)
        return data

    def close(self) -> None:
        """Leaves the spool to its owner."""
