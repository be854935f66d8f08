"""Building remote packs: records go in, a finished pack with its name and index rows comes out.

A pack under construction lies in a `Spool`, not in memory. Nothing is sent here; `upload` does
that. Called by `push`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from dvtool.core.chunklist import MAX_CHUNKS, encode_chunk_list
from dvtool.core.digest import Digest, digest_of
from dvtool.core.pack import NONCE_BYTES, Packer, encode_end, encode_header, list_record
from dvtool.core.packindex import BlobRow, PackRef

if TYPE_CHECKING:
    from dvtool.store.remote.backend import Spool


_DULL_ROW: Final = 32


class PackBuilder:
    """One pack being written.

    Attributes:
        rows: Digest, stored bytes and offset of each record so far.
        blob_rows: Large blobs whose last part is in this pack or in an earlier one.
        raw_bytes: What the records hold, before compression.
    """

    def __init__(self, new_spool: Callable[[], Spool]) -> None:
        """Takes what makes a spool; none is made before the first record."""
        self._new_spool = new_spool
        self._spool: Spool | None = None
        self._packer = Packer(compress=True)
        self._plain = Packer(compress=False)
        self._dull = 0
        self.rows: list[tuple[Digest, int, int]] = []
        self.blob_rows: list[BlobRow] = []
        self.raw_bytes = 0
        self._lists = 0

    @property
    def size(self) -> int:
        """Bytes so far, without the end record."""
        return self._spool.size if self._spool else 0

    def add(self, digest: Digest, data: bytes | memoryview) -> None:
        """Appends one record; `data` is not looked at after the return."""
        head, stored = self._choose_packer().record(digest, data)
        self._dull = self._dull + 1 if len(stored) == len(data) else 0
        spool = self._begun()
        self.rows.append((digest, len(stored), spool.size))
        spool.append(head)
        spool.append(stored)
        self.raw_bytes += len(data)

    def add_blob(self, row: BlobRow) -> None:
        """Notes a large blob whose last part was just added, or was there before.

        Where the ends of its parts are known, the list of them goes into the pack as well: an
        index that is lost can then be built again from packs alone.
        """
        self.blob_rows.append(row)
        if row.ends and len(row.parts) <= MAX_CHUNKS:
            data = encode_chunk_list(row)
            spool = self._begun()
            for piece in list_record(digest_of(data), data):
                spool.append(piece)
            self._lists += 1

    def _begun(self) -> Spool:
        """Returns the spool, with the header in it."""
        if self._spool is None:
            self._spool = self._new_spool()
            self._spool.append(encode_header(os.urandom(NONCE_BYTES)))
        return self._spool

    def _choose_packer(self) -> Packer:
        """Returns the packer that tries zstd, or, where it has not paid for long, one that does not.

        Photos and model weights do not get smaller, so after many such records in a row only one
        in eight is tried, until one pays again.
        """
        return self._plain if self._dull >= _DULL_ROW and self._dull % 8 else self._packer

    def finish(self) -> BuiltPack | None:
        """Ends the pack and returns it; None when it has no records."""
        if self._spool is None:
            return None
        self._spool.append(encode_end(len(self.rows) + self._lists))
        ref = PackRef(self._spool.sha256(), self._spool.size)
        return BuiltPack(ref, self.rows, self.raw_bytes, self._spool)

    def close(self) -> None:
        """Drops an unfinished pack."""
        if self._spool is not None:
            self._spool.close()


class BuiltPack:
    """A finished pack; who has it closes its spool."""

    __slots__ = ("raw_bytes", "ref", "rows", "spool")

    def __init__(
        self, ref: PackRef, rows: list[tuple[Digest, int, int]], raw_bytes: int, spool: Spool
    ) -> None:
        """Takes name and size, the rows of its records, and its bytes."""
        self.ref = ref
        self.rows = rows
        self.raw_bytes = raw_bytes
        self.spool = spool
