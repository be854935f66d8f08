"""Cutting a blob beside an earlier version of it: equal bytes are equal chunks.

Far from its end, a cut depends on nothing but the bytes since the cut before it and the one behind
it. So where a blob reads like another one from a cut on, it has that one's next chunk, and comparing costs a seventh of cutting and
hashing. The other blob must lie in the local store and be known, with its chunks, to the remote.
Called by `push`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import xxhash

from dvtool.core.chunking import ChunkRule, Cutter
from dvtool.core.digest import Digest, digest_of
from dvtool.store.largefiles import LargeBlob
from dvtool.store.remote.reuse import blobs_here

if TYPE_CHECKING:
    from typing import BinaryIO

    from dvtool.core.packindex import BlobRow
    from dvtool.store.local import LocalStore
    from dvtool.store.remote.snapshot import Snapshot

_HEAD_BYTES: Final = 64 * 2**10
_BLOCK_BYTES: Final = 2**20
_AHEAD_BYTES: Final = 2
"""The rolling hash that asks for a cut has taken in the byte behind it; one more for safety."""
_PROVEN_EACH: Final = 16
"""One in so many chunks that were only compared is hashed all the same."""


class Part(NamedTuple):
    """A piece of a blob.

    Attributes:
        data: Its bytes.
        name: Its sha256, None where nobody has computed it.
        is_compared: The name was taken from another version with the same bytes.
    """

    data: bytes
    name: Digest | None = None
    is_compared: bool = False


class Earlier(NamedTuple):
    """A version that lies here whole, and how the remote has it cut."""

    blob: LargeBlob
    row: BlobRow


class DoubtfulVersion(Exception):
    """The earlier version is not what the indexes say, so names taken from it prove nothing."""


class EarlierVersions:
    """The large blobs that lie here and that a remote has in chunks; looked up once a push."""

    def __init__(self, store: LocalStore, snapshot: Snapshot) -> None:
        """Takes where to look; looks when it is first asked."""
        self._store = store
        self._snapshot = snapshot
        self._known: dict[Digest, tuple[Earlier, bytes]] | None = None

    def nearest(self, file: BinaryIO, size: int) -> Earlier | None:
        """Returns the version that begins as `file` does, of those the nearest in size."""
        head = os.pread(file.fileno(), _HEAD_BYTES, 0)
        alike = [one for one, begins in self._all().values() if begins == _mark(head)]
        return min(alike, key=lambda one: abs(one.row.size - size), default=None)

    def add(self, row: BlobRow) -> None:
        """Notes a version that this push has just cut."""
        large = self._store.large(row.digest)
        if large is not None:
            _note(self._all(), large, row)

    def _all(self) -> dict[Digest, tuple[Earlier, bytes]]:
        if self._known is None:
            self._known = {}
            for large, row in blobs_here(self._store, self._snapshot):
                _note(self._known, large, row)
        return self._known


def _note(known: dict[Digest, tuple[Earlier, bytes]], large: LargeBlob, row: BlobRow) -> None:
    """Notes a version, and how it begins; one that cannot be read, or has no ends, is left out."""
    if not row.ends:
        return
    with suppress(OSError), large.path.open("rb", buffering=0) as file:
        head = os.pread(file.fileno(), _HEAD_BYTES, 0)
        known[row.digest] = (Earlier(large, row), _mark(head))


def _mark(head: bytes) -> bytes:
    return xxhash.xxh3_128_digest(head)


def parts_beside(file: BinaryIO, size: int, earlier: Earlier, rule: ChunkRule) -> Iterator[Part]:
    """Yields the chunks of a blob, the same that `chunks_of` gives.

    Where the two part company, chunks are cut and hashed until one is met that the earlier
    version has further on; from there on they are compared again.

    Args:
        file: The blob, unbuffered.
        size: Its size in bytes.
        earlier: What to compare with.
        rule: How the remote cuts.

    Raises:
        DoubtfulVersion: The earlier version is damaged, or its row is wrong: names that were
            yielded may be wrong.
        OSError: A file cannot be read.
    """
    cutter = Cutter(file.fileno(), size, rule)
    with earlier.blob.path.open("rb", buffering=0) as opened:
        walk = _Walk(opened, earlier.row, rule)
        at = 0
        while at < size:
            part = walk.same(file, at, size)
            if part is None:
                data = cutter.chunk(at)
                part = Part(data, digest_of(data))
            walk.follow(part.name)
            yield part
            at += len(part.data)
        if walk.fingerprint() != earlier.blob.fingerprint:
            raise DoubtfulVersion


class _Walk:
    """A walk through the chunks of the earlier version, never back, that fingerprints it."""

    def __init__(self, file: BinaryIO, row: BlobRow, rule: ChunkRule) -> None:
        self._file = file
        self._longest = rule.maximum_bytes
        self._row = row
        self._places = {name: number for number, name in enumerate(row.parts)}
        self._next: int | None = 0
        self._mark = xxhash.xxh3_128()
        self._read_to = 0
        self._compared = 0

    def same(self, file: BinaryIO, at: int, size: int) -> Part | None:
        """Returns the chunk that stands next here, if `file` has the same bytes at `at`.

        Raises:
            DoubtfulVersion: It has another name than its row says.
        """
        number = self._next
        if number is None:
            return None
        start = self._row.ends[number - 1] if number else 0
        length = self._row.ends[number] - start
        left, left_here = size - at, self._row.size - start
        # Near its end a blob is cut by how much of it is left, too.
        if left != left_here and min(left, left_here) < self._longest:
            return None
        self._pass_over(start)
        name, data = self._row.parts[number], self._take(length)
        ahead = os.pread(self._file.fileno(), _AHEAD_BYTES, start + length)
        if os.pread(file.fileno(), length + len(ahead), at) != data + ahead:
            return None
        if self._compared % _PROVEN_EACH == 0 and digest_of(data) != name:
            raise DoubtfulVersion
        self._compared += 1
        return Part(data, name, is_compared=True)

    def follow(self, name: Digest | None) -> None:
        """Goes on after the chunk of that name; nowhere when there is none further on."""
        met = self._places.get(name, len(self._row.parts)) if name else len(self._row.parts)
        is_ahead = met + 1 < len(self._row.parts) and self._row.ends[met] >= self._read_to
        self._next = met + 1 if is_ahead else None

    def fingerprint(self) -> bytes:
        """Returns the xxh3-128 of the whole earlier version, reading what was passed over."""
        self._pass_over(self._row.size)
        # A file that grew is damaged, too.
        self._mark.update(os.read(self._file.fileno(), 1))
        return self._mark.digest()

    def _pass_over(self, end: int) -> None:
        while self._read_to < end and self._take(min(_BLOCK_BYTES, end - self._read_to)):
            pass

    def _take(self, length: int) -> bytes:
        data = self._file.read(length)
        self._mark.update(data)
        self._read_to += len(data)
        return data
