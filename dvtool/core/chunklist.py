"""Chunk lists: of which chunks a blob is made, written into a pack beside them.

An index says the same and is what readers use; the list is there so that an index that was lost
can be built again from the packs alone. Encoded by `packbuild`, decoded by whoever scans packs.
Spec: docs/format.md#chunk-list.
"""

from __future__ import annotations

import struct
from typing import Final

from dvtool.core.digest import DIGEST_BYTES, Digest
from dvtool.core.pack import MAX_RECORD_BYTES
from dvtool.core.packindex import BlobRow
from dvtool.errors import CorruptObject

MAGIC: Final = b"DVTLIST1"
_HEAD: Final = struct.Struct("<8s32sQ")
_CHUNK: Final = struct.Struct("<32sQ")
MAX_CHUNKS: Final = (MAX_RECORD_BYTES - _HEAD.size) // _CHUNK.size
"""About 1.7 million, of half a MiB each; a blob of more has no list."""


def encode_chunk_list(row: BlobRow) -> bytes:
    """Returns the list of a blob whose ends are known.

    Raises:
        ValueError: They are not known, or the blob has more than MAX_CHUNKS.
    """
    if len(row.ends) != len(row.parts) or len(row.parts) > MAX_CHUNKS:
        raise ValueError("no chunk list can be made of this blob")
    chunks = zip(row.parts, row.ends, strict=True)
    return b"".join(
        [_HEAD.pack(MAGIC, row.digest, row.size), *(_CHUNK.pack(*chunk) for chunk in chunks)]
    )


def parse_chunk_list(data: bytes | memoryview) -> BlobRow:
    """Returns the row of the blob that a list speaks of: a claim until the blob has been read.

    Raises:
        CorruptObject: Not a list, cut off, or with ends that are not ascending to the size.
    """
    if len(data) <= _HEAD.size or (len(data) - _HEAD.size) % _CHUNK.size:
        raise CorruptObject("chunk list is cut off")
    magic, digest, size = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise CorruptObject("not a chunk list, or one of a newer format")
    chunks = list(_CHUNK.iter_unpack(memoryview(data)[_HEAD.size :]))
    ends = tuple(end for _, end in chunks)
    if not are_ends(ends, size):
        raise CorruptObject("chunk list whose chunks do not add up to the blob")
    assert len(digest) == DIGEST_BYTES
    return BlobRow(Digest(digest), size, tuple(Digest(chunk) for chunk, _ in chunks), ends)


def are_ends(ends: tuple[int, ...], size: int) -> bool:
    """Says whether `ends` rise from above zero to `size`."""
    return ends[-1] == size and all(a < b for a, b in zip((0, *ends), ends, strict=False))
