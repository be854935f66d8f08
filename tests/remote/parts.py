"""Backends around backends for the tests, and blobs whose digests come from hashlib itself."""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from pathlib import Path

from dvtool.core.digest import Digest
from dvtool.core.roots import Root
from dvtool.errors import RemoteFailed, RemoteTemporary
from dvtool.store.local import LocalStore
from dvtool.store.remote.backend import Backend, Listed, Sink, Spool
from dvtool.store.remote.remote import Remote

REPOSITORY = "ab" * 16
ROOT = Root(REPOSITORY, "refs/heads/main", "cd" * 20, "full", ())
MIB = 2**20


class Counting:
    """Passes everything on, counts requests and can refuse some."""

    def __init__(self, inner: Backend) -> None:
        self.inner = inner
        self.url = inner.url
        self.calls: Counter[str] = Counter()
        self.names: list[tuple[str, str]] = []
        self.creates_left: int | None = None
        self.hiccups = 0
        self._lock = threading.Lock()

    @property
    def requests(self) -> int:
        return sum(self.calls.values())

    def reset(self) -> None:
        self.calls.clear()
        self.names.clear()

    def list(self) -> dict[str, Listed]:
        self._count("list", "")
        return self.inner.list()

    def read(self, name: str, *, size_limit: int) -> bytes:
        self._count("read", name)
        return self.inner.read(name, size_limit=size_limit)

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        self._count("read_range", name)
        self.inner.read_range(name, start, end, sink)

    def create(self, name: str, data: bytes | Spool) -> bool:
        self._count("create", name)
        with self._lock:
            if self.creates_left == 0:
                raise RemoteFailed("the line is cut")
            if self.creates_left is not None:
                self.creates_left -= 1
        return self.inner.create(name, data)

    def delete(self, name: str) -> None:
        self._count("delete", name)
        self.inner.delete(name)

    def close(self) -> None:
        self.inner.close()

    def _count(self, kind: str, name: str) -> None:
        with self._lock:
            self.calls[kind] += 1
            self.names.append((kind, name))
            if self.hiccups:
                self.hiccups -= 1
                raise RemoteTemporary("hiccup")


def blobs(*sizes: int, seed: int = 1) -> dict[Digest, bytes]:
    """Returns random blobs of these sizes by digest; random bytes do not compress."""
    source = random.Random(seed)
    contents = [source.randbytes(size) for size in sizes]
    return {Digest(hashlib.sha256(data).digest()): data for data in contents}


def text_blobs(count: int, lines: int = 50) -> dict[Digest, bytes]:
    """Returns blobs that compress well."""
    contents = [b"".join(b"%d,%d,text\n" % (n, i) for i in range(lines)) for n in range(count)]
    return {Digest(hashlib.sha256(data).digest()): data for data in contents}


def fill(root: Path, contents: dict[Digest, bytes]) -> LocalStore:
    """Returns a store that holds `contents`, written the way `add` does."""
    import os

    import xxhash

    store = LocalStore.open(root)
    with store.writer() as writer:
        for digest, data in contents.items():
            if len(data) < MIB:
                writer.add_small(digest, data)
                continue
            temp = writer.temp_file()
            assert os.write(temp.fd, data) == len(data)
            writer.adopt(temp.path, digest, xxhash.xxh3_128_digest(data))
    return store


def contents_of(store: LocalStore, digests: object) -> dict[Digest, bytes]:
    """Returns what a store holds under `digests`, read through its own door."""
    found = {}
    for digest in digests:  # type: ignore[attr-defined]
        with store.open_blob(digest) as file:
            found[digest] = file.read()
    return found


def remote_at(backend: Backend, cache_dir: Path) -> Remote:
    return Remote(backend, cache_dir=cache_dir, name="origin")
