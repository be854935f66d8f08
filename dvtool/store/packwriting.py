"""Writing one pack of the store: append records, then publish it with its index.

The pack grows as a locked temp file and gets its name only when it is complete and on the disk, so
no reader ever meets half a pack. Deciding what goes into which pack is `writer`'s part.
"""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from dvtool.core.digest import Digest
from dvtool.core.pack import HEADER, NONCE_BYTES, RECORD, Packer, encode_end, encode_header
from dvtool.core.packindex import encode_index, parse_index
from dvtool.store.durable import (
    create_temp,
    discard_temp,
    fsync_directory,
    make_directory,
    store_error,
    sync_temp,
)
from dvtool.store.packfiles import (
    PACK_SUFFIX,
    LocalPack,
    index_stamp,
    pack_ref,
    rows_at,
    save_index,
)

BUFFER_BYTES: Final = 4 * 2**20
_BUFFER_RECORDS: Final = 512
"""Two buffers a record: `writev` takes at most 1,024 (IOV_MAX)."""


class _Batch(NamedTuple):
    """Records that one write brought into the file, and where they end."""

    digests: list[Digest]
    sizes_bytes: list[int]
    end: int


class PackFile:
    """A pack being written.

    Every change of state is one list append after the write it speaks of: whatever exception comes
    in between, an interrupt from the keyboard included, the batches name exactly the sound bytes.

    Args:
        temp_directory: Where it grows; on the file system it is published to.
    """

    def __init__(self, temp_directory: Path) -> None:
        self._temp_directory = temp_directory
        self._nonce = os.urandom(NONCE_BYTES)
        self._temp = create_temp(temp_directory, PACK_SUFFIX)
        self._batches = [_Batch([], [], HEADER.size)]
        self._pending: list[tuple[Digest, bytes, bytes | memoryview]] = []
        self._pending_bytes = 0
        self._record = Packer(compress=False).record
        try:
            self._write_at([encode_header(self._nonce)], 0)
        except BaseException:
            self.discard()
            raise

    @property
    def size_bytes(self) -> int:
        """How large the pack is so far, without its end record."""
        return self._batches[-1].end + self._pending_bytes

    def append(self, digest: Digest, data: bytes) -> None:
        """Adds one blob, which is only buffered; it must not change any more.

        Raises:
            StorageFull: There is no space; what `write_out` brought to the file before stays.
            StoreFailed: Writing failed otherwise.
        """
        self._pending.append((digest, *self._record(digest, data)))
        self._pending_bytes += RECORD.size + len(data)
        if self._pending_bytes >= BUFFER_BYTES or len(self._pending) >= _BUFFER_RECORDS:
            self.write_out()

    def write_out(self) -> None:
        """Brings what is buffered into the file, or, when that fails, forgets it."""
        pending = self._pending
        if not pending:
            return
        start = self._batches[-1].end
        try:
            parts = list(chain.from_iterable((head, data) for _, head, data in pending))
            end = self._write_at(parts, start)
            sizes = [len(data) for _, _, data in pending]
            self._batches.append(_Batch([digest for digest, _, _ in pending], sizes, end))
        finally:
            self._pending = []
            self._pending_bytes = 0

    def publish(self, directory: Path) -> LocalPack | None:
        """Ends the pack, brings it to the disk and gives it its name; None when it is empty.

        The pack gets its name before its index does: an index without a pack would be rubbish
        for ever, a pack without an index is complete.

        Raises:
            StorageFull: There is no space; the pack is gone.
            StoreFailed: The disk failed; the pack is gone.
        """
        try:
            self.write_out()
            digests = list(chain.from_iterable(batch.digests for batch in self._batches))
            if not digests:
                self.discard()
                return None
            path = self._name_durably(directory, count=len(digests))
        except BaseException:
            self.discard()
            raise
        os.close(self._temp.fd)
        sizes = list(chain.from_iterable(batch.sizes_bytes for batch in self._batches))
        size_bytes = self._batches[-1].end + RECORD.size
        index = encode_index([pack_ref(self._nonce, size_bytes)], rows_at(digests, sizes))
        save_index(path, index, temp_directory=self._temp_directory)
        return LocalPack(path, size_bytes, parse_index(index), index_stamp(path))

    def discard(self) -> None:
        """Throws the pack away."""
        discard_temp(self._temp)

    def _name_durably(self, directory: Path, *, count: int) -> Path:
        end = self._batches[-1].end
        path = directory / (self._nonce.hex() + PACK_SUFFIX)
        make_directory(directory)
        try:
            # A write that failed half-way left bytes behind the last sound record.
            os.ftruncate(self._temp.fd, end)
            self._write_at([encode_end(count)], end)
            sync_temp(self._temp)
            self._temp.path.replace(path)
            fsync_directory(directory)
        except OSError as error:
            raise store_error(error, path) from error
        return path

    def _write_at(self, parts: list[bytes | memoryview], offset: int) -> int:
        """Writes `parts` at `offset`; returns where they end."""
        try:
            total = sum(map(len, parts))
            written = os.pwritev(self._temp.fd, parts, offset)
            if written < total:
                rest = memoryview(b"".join(parts))[written:]
                while rest:
                    rest = rest[os.pwrite(self._temp.fd, rest, offset + total - len(rest)) :]
        except OSError as error:
            raise store_error(error, self._temp.path) from error
        return offset + total
