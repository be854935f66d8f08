"""Objects of the benchmark S3 server, in memory: blobs, buckets, listings, multipart uploads.

Pure data structures without sockets, HTTP or XML; those are `s3server` and `s3api`. Bodies are
kept in the memory they arrived in and are never joined, so that a 2 GiB object costs 2 GiB of
memory and no copying, and the server stays out of the way of the client that is being measured.
"""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import mmap
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

# An md5 of a large body would take longer than receiving it. S3 itself gives composite ETags
# ("…-N"), which no client may take for an md5, so larger bodies get one of that form.
MD5_LIMIT_BYTES = 1 << 20
LARGE_BODY_BYTES = 1 << 20


class Arena:
    """Memory for large bodies, touched once in advance and used again after everything is deleted.

    The first touch of a page costs the kernel (and a hypervisor) several times what receiving
    4 KiB costs, and how much depends on the machine's mood. Here it is paid before the clock runs.
    """

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes
        self._used_bytes = 0
        if size_bytes:
            room = mmap.mmap(-1, size_bytes)
            if hasattr(mmap, "MADV_HUGEPAGE"):  # Linux only
                with contextlib.suppress(OSError):  # a kernel without them
                    room.madvise(mmap.MADV_HUGEPAGE)
            self._view = memoryview(room)
            for offset in range(0, size_bytes, mmap.PAGESIZE):
                self._view[offset] = 0

    def take(self, size_bytes: int) -> memoryview:
        """Returns room for a body; small bodies, and those that do not fit, get memory of their own."""
        start = self._used_bytes
        if size_bytes < LARGE_BODY_BYTES or start + size_bytes > self._size_bytes:
            return memoryview(bytearray(size_bytes))
        self._used_bytes += size_bytes
        return self._view[start : start + size_bytes]

    def reset(self) -> None:
        """Makes all room free; the caller knows that no object is left."""
        self._used_bytes = 0


@dataclass(frozen=True, slots=True)
class Blob:
    """An object: its bytes in pieces, and what HEAD tells about it.

    Args:
        pieces: The buffers whose concatenation is the object; empty for an empty object.
        size_bytes: Sum of the pieces' lengths.
        etag: Entity tag with its quotes.
        headers: Headers the client asked to keep (`content-type`, `x-amz-meta-*`, checksums).
        modified_s: Seconds since 1970.
    """

    pieces: tuple[memoryview, ...]
    size_bytes: int
    etag: str
    headers: tuple[tuple[str, str], ...]
    modified_s: float

    def cut(self, start: int, stop: int) -> list[memoryview]:
        """Returns the pieces of the half-open byte range, without copying."""
        pieces = []
        offset = 0
        for piece in self.pieces:
            first, last = max(start - offset, 0), min(stop - offset, len(piece))
            if first < last:
                pieces.append(piece[first:last])
            offset += len(piece)
            if offset >= stop:
                break
        return pieces


def single_blob(body: memoryview, headers: tuple[tuple[str, str], ...] = ()) -> Blob:
    """Returns the blob of a body that came in one request."""
    if len(body) <= MD5_LIMIT_BYTES:
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    else:
        etag = f"{zlib.crc32(body):08x}{len(body):024x}-1"
    return Blob((body,), len(body), f'"{etag}"', headers, time.time())


def composite_blob(parts: Iterable[Blob], headers: tuple[tuple[str, str], ...]) -> Blob:
    """Returns the blob of a multipart upload, its parts in the order given."""
    chosen = list(parts)
    pieces = tuple(piece for part in chosen for piece in part.pieces)
    tags = "".join(part.etag for part in chosen).encode()
    etag = f'"{hashlib.md5(tags, usedforsecurity=False).hexdigest()}-{len(chosen)}"'
    return Blob(pieces, sum(part.size_bytes for part in chosen), etag, headers, time.time())


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a listing: keys and common prefixes in order, and where the next page starts."""

    keys: list[str]
    prefixes: list[str]
    next_after: str | None


@dataclass(slots=True)
class Upload:
    """A multipart upload that is under way."""

    key: str
    headers: tuple[tuple[str, str], ...]
    parts: dict[int, Blob] = field(default_factory=dict)


class Bucket:
    """A bucket: objects by key, with the keys kept sorted for listing."""

    def __init__(self) -> None:
        self.objects: dict[str, Blob] = {}
        self.uploads: dict[str, Upload] = {}
        self._sorted: list[str] = []

    def put(self, key: str, blob: Blob) -> None:
        """Stores an object, replacing one of the same key."""
        if key not in self.objects:
            bisect.insort(self._sorted, key)
        self.objects[key] = blob

    def age(self, seconds: float) -> None:
        """Makes every object that much older."""
        for key, blob in self.objects.items():
            self.objects[key] = replace(blob, modified_s=blob.modified_s - seconds)

    def delete(self, key: str) -> None:
        """Removes an object; an unknown key is no error, as in S3."""
        if self.objects.pop(key, None) is not None:
            del self._sorted[bisect.bisect_left(self._sorted, key)]

    def list(self, prefix: str, delimiter: str, after: str, limit: int) -> Listing:
        """Returns up to `limit` keys and common prefixes that come after `after`."""
        keys: list[str] = []
        prefixes: list[str] = []
        last = ""
        position = max(
            bisect.bisect_left(self._sorted, prefix), bisect.bisect_right(self._sorted, after)
        )
        while position < len(self._sorted):
            key = self._sorted[position]
            if not key.startswith(prefix):
                break
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            group = key[: cut + len(delimiter)] if cut >= 0 else ""
            if group and group == after:  # the previous page ended with this group
                position = self._past(group, position)
                continue
            if len(keys) + len(prefixes) >= limit:
                return Listing(keys, prefixes, last)
            if group:
                prefixes.append(group)
                position = self._past(group, position)
            else:
                keys.append(key)
                position += 1
            last = group or key
        return Listing(keys, prefixes, None)

    def _past(self, group: str, position: int) -> int:
        """Returns the position of the first key that does not start with `group`."""
        # U+10FFFF sorts after every character that a key can hold.
        return bisect.bisect_left(self._sorted, group + "\U0010ffff", lo=position)
