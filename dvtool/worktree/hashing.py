"""Hashing large files: one pass over the bytes, both hashes, and a copy where one is wanted.

Here lives what is done with an open descriptor, in memory that does not grow with the file. Opening
it, and checking that it did not change meanwhile, is the business of `reading` and `materialise`,
which call this.
"""

from __future__ import annotations

import os
from hashlib import sha256
from queue import SimpleQueue
from threading import Thread
from typing import Final

import xxhash

from dvtool.core.digest import NO_DIGEST, Digest, Fingerprint

BLOCK_BYTES: Final = 2**20
_BLOCKS_IN_FLIGHT = 4


def is_sparse(result: os.stat_result) -> bool:
    """Tells whether a file has holes worth keeping."""
    return result.st_size - result.st_blocks * 512 >= BLOCK_BYTES


def hash_descriptor(
    source: int, *, copy_to: int | None = None, keep_holes: bool = False, with_digest: bool = True
) -> tuple[Digest, Fingerprint, int]:
    """Returns both hashes of what can be read from `source`, and its length in bytes.

    A second thread computes the sha256, the dearest part, while this one reads, fingerprints and
    writes; all of them release the GIL.

    Args:
        source: Read from its current position to the end.
        copy_to: Receives the same bytes.
        keep_holes: Leave holes in `copy_to` where a whole block is zero.
        with_digest: Without it the digest is NO_DIGEST and costs nothing.
    """
    mark = xxhash.xxh3_128()
    size = 0
    zeros = bytes(BLOCK_BYTES)
    with _Sha256Thread(is_wanted=with_digest) as hasher:
        while True:
            buffer = hasher.free_buffer()
            got = os.readv(source, [buffer])
            if not got:
                break
            block = memoryview(buffer)[:got]
            hasher.put(buffer, got)
            mark.update(block)
            size += got
            if copy_to is not None:
                if keep_holes and got == BLOCK_BYTES and buffer == zeros:
                    os.lseek(copy_to, got, os.SEEK_CUR)
                else:
                    write_all(copy_to, block)
    if copy_to is not None and keep_holes:
        os.ftruncate(copy_to, os.lseek(copy_to, 0, os.SEEK_CUR))
    return hasher.digest, Fingerprint(mark.digest()), size


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Writes everything; one system call may take only a part."""
    written = os.write(descriptor, data)
    while written < len(data):
        data = memoryview(data)[written:]
        written = os.write(descriptor, data)


class _Sha256Thread:
    """Computes one sha256 behind the reader's back, over a ring of buffers."""

    def __init__(self, *, is_wanted: bool) -> None:
        self.digest = NO_DIGEST
        self._free: SimpleQueue[bytearray] = SimpleQueue()
        self._full: SimpleQueue[tuple[bytearray, int] | None] = SimpleQueue()
        # A daemon: Ctrl-C may hit between its start and the `with` block, and nobody would end it.
        self._thread = Thread(target=self._run, name="sha256", daemon=True) if is_wanted else None
        for _ in range(_BLOCKS_IN_FLIGHT if is_wanted else 1):
            self._free.put(bytearray(BLOCK_BYTES))

    def __enter__(self) -> _Sha256Thread:
        if self._thread:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread:
            self._full.put(None)
            self._thread.join()

    def free_buffer(self) -> bytearray:
        """Returns a buffer that is hashed already; waits for one if need be."""
        return self._free.get()

    def put(self, buffer: bytearray, size: int) -> None:
        """Hands a buffer over; the reader may go on reading it, but not change it."""
        if self._thread:
            self._full.put((buffer, size))
        else:
            self._free.put(buffer)

    def _run(self) -> None:
        hasher = sha256()
        while (item := self._full.get()) is not None:
            buffer, size = item
            hasher.update(memoryview(buffer)[:size])
            self._free.put(buffer)
        self.digest = Digest(hasher.digest())
