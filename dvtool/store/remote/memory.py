"""A remote in this process's memory, for tests and for trying things out.

Gone with the process. `open_backend("memory://name")` returns the same one for the same name, as
a server would.
"""

from __future__ import annotations

import threading
import time
from typing import ClassVar

from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.remote.backend import Listed, Sink, Spool


class MemoryBackend:
    """Keeps objects in a dictionary; see `Backend` for the methods."""

    _shared: ClassVar[dict[str, MemoryBackend]] = {}
    _shared_lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, name: str = "scratch") -> None:
        """Makes an empty place that nobody else sees."""
        self.url = f"memory://{name}"
        self.objects: dict[str, bytes] = {}
        self._modified_s: dict[str, float] = {}
        self._lock = threading.Lock()

    @classmethod
    def shared(cls, name: str) -> MemoryBackend:
        """Returns the one place of that name in this process."""
        with cls._shared_lock:
            return cls._shared.setdefault(name, cls(name))

    def list(self) -> dict[str, Listed]:
        """Returns every object."""
        with self._lock:
            return {
                name: Listed(len(data), self._modified_s.get(name, 0.0))
                for name, data in self.objects.items()
            }

    def read(self, name: str, *, size_limit: int) -> bytes:
        """Returns a whole object."""
        data = self._get(name)
        if len(data) > size_limit:
            raise CorruptObject(f"{self.url}/{name} is larger than {size_limit} bytes")
        return data

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        """Appends a part of an object to `sink`."""
        sink.append(memoryview(self._get(name))[start:end])

    def create(self, name: str, data: bytes | Spool) -> bool:
        """Creates an object."""
        held = data if isinstance(data, bytes) else b"".join(data.blocks())
        with self._lock:
            if name in self.objects:
                return False
            self.objects[name] = held
            self._modified_s[name] = time.time()
            return True

    def delete(self, name: str) -> None:
        """Deletes an object."""
        with self._lock:
            self.objects.pop(name, None)
            self._modified_s.pop(name, None)

    def close(self) -> None:
        """Does nothing: a shared place stays."""

    def _get(self, name: str) -> bytes:
        try:
            return self.objects[name]
        except KeyError:
            raise ObjectMissing(f"no object {self.url}/{name}") from None
