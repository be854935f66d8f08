"""Reading ranges of one blob: from the store where it is here, else chunk by chunk from the remote.

Holds a bounded number of decoded chunks, so many small reads cost each chunk once, and reads ahead
when reading goes forward. Whole blobs are proven by their sha256. A range from a remote is proven
chunk by chunk; which chunks make the blob is what the remote's index says, and only a whole read
proves that. Called by `versionfiles`.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest, digest_of, format_digest
from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.local import LocalStore

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

KEPT_BYTES: Final = 32 << 20
"""Decoded chunks that one reader holds."""
AHEAD_BYTES: Final = 8 << 20
"""The furthest that is read ahead."""

Looked = tuple["Remote", "Snapshot"]
"""A remote, and what it has."""


class BlobReader:
    """Reads ranges of one blob. Safe from several threads."""

    def __init__(
        self,
        digest: Digest,
        size: int,
        store: LocalStore,
        look: Callable[[bool], Looked],
    ) -> None:
        """Takes what to read and where; reads nothing.

        Args:
            digest: Which blob.
            size: Its size in bytes, by the version.
            store: Looked in first.
            look: Gives the remote and what it has; True asks it anew.
        """
        self._digest = digest
        self._size = size
        self._store = store
        self._look = look
        self._lock = threading.Lock()
        self._ends: tuple[int, ...] | None = None
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._last_end = 0
        self._ahead = 0

    @property
    def held_bytes(self) -> int:
        """Bytes of chunks that are held now."""
        return self._kept_bytes

    def read(self, start: int, end: int) -> bytes:
        """Returns bytes `start` up to `end`; fewer where the blob ends.

        Raises:
            ObjectMissing: Neither here nor at the remote.
            CorruptObject: What is there is not what the version means.
            RemoteFailed: The remote is unreachable or refused.
        """
        start, end = max(start, 0), min(end, self._size)
        if start >= end:
            return b""
        if start == 0 and end == self._size:
            return self._proven(self._range(start, end))
        return self._range(start, end)

    def _range(self, start: int, end: int) -> bytes:
        here = self._from_store(start, end)
        if here is not None:
            return here
        with self._lock:
            try:
                return self._from_remote(start, end, anew=False)
            except ObjectMissing:
                # Garbage collection may have moved things into other packs since the listing.
                self._ends = None
                return self._from_remote(start, end, anew=True)

    def _proven(self, data: bytes) -> bytes:
        if digest_of(data) != self._digest:
            raise CorruptObject(f"object {format_digest(self._digest)} does not match its name")
        return data

    def _from_store(self, start: int, end: int) -> bytes | None:
        path = self._store.path_of(self._digest)
        if path is not None:
            with open(path, "rb", buffering=0) as file:
                parts = []
                while start < end and (part := os.pread(file.fileno(), end - start, start)):
                    parts.append(part)
                    start += len(part)
            return b"".join(parts)
        if self._store.missing([self._digest]):
            return None
        return self._store.read(self._digest)[start:end]

    def _from_remote(self, start: int, end: int, *, anew: bool) -> bytes:
        remote, snapshot = self._look(anew)
        ends = self._chunk_ends(snapshot)
        first, last = bisect_right(ends, start), bisect_right(ends, end - 1)
        wanted = last
        if start and start == self._last_end:
            # Reading goes forward: each time twice as far ahead, so requests become few.
            self._ahead = min(max(2 * self._ahead, end - start), AHEAD_BYTES)
            wanted = min(bisect_right(ends, end - 1 + self._ahead), len(ends) - 1)
        else:
            self._ahead = 0
        lacking = [number for number in range(first, last + 1) if number not in self._kept]
        if lacking:
            self._bring(remote, snapshot, ends, lacking[0], wanted)
        self._last_end = end
        base = ends[first - 1] if first else 0
        data = self._cut(first, last, start - base, end - base)
        self._trim()
        return data

    def _cut(self, first: int, last: int, start: int, end: int) -> bytes:
        """Returns bytes `start` up to `end` of chunks `first` to `last`, each copied once."""
        parts = []
        for number in range(first, last + 1):
            chunk = self._take(number)
            parts.append(memoryview(chunk)[max(start, 0) : max(end, 0)])
            start, end = start - len(chunk), end - len(chunk)
        return b"".join(parts)

    def _take(self, number: int) -> bytes:
        self._kept.move_to_end(number)
        return self._kept[number]

    def _bring(
        self, remote: Remote, snapshot: Snapshot, ends: tuple[int, ...], first: int, last: int
    ) -> None:
        from dvtool.store.remote.ranged import read_range

        begin = ends[first - 1] if first else 0
        number, held = first, b""
        for piece in read_range(remote, snapshot, self._digest, begin, ends[last]):
            held += piece
            while number <= last and len(held) >= ends[number] - begin:
                size = ends[number] - begin
                self._keep(number, held[:size])
                held, begin, number = held[size:], ends[number], number + 1
        if number <= last:
            raise CorruptObject(f"object {format_digest(self._digest)} is shorter at {remote.url}")

    def _keep(self, number: int, chunk: bytes) -> None:
        if number not in self._kept:
            self._kept_bytes += len(chunk)
        self._kept[number] = chunk

    def _trim(self) -> None:
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, chunk = self._kept.popitem(last=False)
            self._kept_bytes -= len(chunk)

    def _chunk_ends(self, snapshot: Snapshot) -> tuple[int, ...]:
        """Returns where chunks end; one that is the whole blob where the remote has it so."""
        if self._ends is None:
            from dvtool.store.remote.plan import ends_of

            row = snapshot.parts_of(self._digest)
            ends = ends_of(row, snapshot.format.part_bytes) if row is not None else ()
            if row is not None and row.size != self._size:
                raise CorruptObject(
                    f"object {format_digest(self._digest)} has {row.size} bytes at {snapshot.url},"
                    f" expected {self._size}"
                )
            self._ends = ends or (self._size,)
        return self._ends
