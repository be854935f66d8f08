"""Retries: a backend that tries again when trying again may help.

A decorator that is itself a backend. It knows what is temporary only by `RemoteTemporary`; how
long to wait is here and nowhere else, so libraries below have their own retries switched off.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

from dvtool.errors import RemoteTemporary

if TYPE_CHECKING:
    from dvtool.store.remote.backend import Backend, Listed, Sink, Spool

DELAYS_S: Final = (0.1, 0.3, 1.0, 2.0)
"""Waits before the second, third, … try; each is stretched by up to half, at random."""

_T = TypeVar("_T")


class Retrying:
    """Wraps a backend; gives up with the last `RemoteTemporary`."""

    def __init__(
        self,
        inner: Backend,
        *,
        delays_s: tuple[float, ...] = DELAYS_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Takes the backend to wrap.

        Args:
            inner: The backend.
            delays_s: As many retries as there are delays.
            sleep: Called with the seconds to wait.
        """
        self._inner = inner
        self._delays_s = delays_s
        self._sleep = sleep

    @property
    def url(self) -> str:
        """The root, as the inner backend shows it."""
        return self._inner.url

    def list(self) -> dict[str, Listed]:
        """Returns every object."""
        return self._retry(self._inner.list)

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object."""
        return self._retry(lambda: self._inner.read(name, size_limit=size_limit))

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink`, going on where a broken connection stopped."""
        counted = _Counted(sink)
        self._retry(lambda: self._inner.read_range(name, start + counted.size, end, counted))

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object.

        False may also mean that an earlier try arrived and only its answer got lost, so callers
        compare before they call it a clash.
        """
        return self._retry(lambda: self._inner.create(name, data))

    def delete(self, name: str) -> None:
        """Deletes an object; an earlier try may have done it."""
        self._retry(lambda: self._inner.delete(name))

    def close(self) -> None:
        """Lets go of connections."""
        self._inner.close()

    def _retry(self, action: Callable[[], _T]) -> _T:
        for delay_s in self._delays_s:
            try:
                return action()
            except RemoteTemporary:
                self._sleep(delay_s * (1 + random.random() / 2))  # noqa: S311
        try:
            return action()
        except RemoteTemporary as error:
            error.message += f" (tried {len(self._delays_s) + 1} times)"
            error.hint = error.hint or "run the same command again; what arrived is kept"
            raise


class _Counted:
    """A sink that knows how much went into it."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.size = 0

    def append(self, data: bytes | bytearray | memoryview) -> None:
        self._sink.append(data)
        self.size += len(data)
