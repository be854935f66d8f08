"""Packs: many blobs, or parts of large ones, in one self-describing run of bytes.

The same format serves the store on this machine and the remote. A pack can be read from its start
without any index: a header with a random nonce, records that each name their bytes, and an end
record that proves the pack is whole. Nothing here touches a file. Spec: docs/format.md#pack.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import xxhash

from dvtool.core.digest import DIGEST_BYTES, Digest, digest_of, format_digest
from dvtool.errors import CorruptObject

if TYPE_CHECKING:
    import zstandard

MAGIC: Final = b"DVTPACK1"
NONCE_BYTES: Final = 16
HEADER: Final = struct.Struct("<8s8x16s")
"""Magic, eight zero bytes reserved for flags, random nonce: 32 bytes."""
RECORD: Final = struct.Struct("<32sQQQQ")
"""sha256 of the raw bytes, raw size, stored size, xxh3-64 of the stored bytes, codec: 64 bytes."""
RAW: Final = 0
ZSTD: Final = 1
LIST: Final = 2
"""The record is a chunk list, stored raw; it is in no index."""
LIST_HEAD_BYTES: Final = 48
"""What a chunk list has before its first chunk."""
END: Final = 255
MAX_RECORD_BYTES: Final = 64 * 2**20
"""No record holds more raw bytes; a reader refuses to allocate for one that claims to."""
PACK_BYTES: Final = 2**30
"""A pack of a store on this machine that has grown to this size is published, the next one begun."""

_SLICES: Final = 4
_SLICE_BYTES: Final = 4 * 2**10
_NO_DIGEST = bytes(DIGEST_BYTES)


class Record(NamedTuple):
    """What a record's head says.

    Attributes:
        digest: sha256 of the raw bytes.
        raw: Size before compression, in bytes.
        stored: Size in the pack, without the head.
        check: xxh3-64 of the stored bytes.
        codec: RAW, ZSTD, LIST or END.
    """

    digest: Digest
    raw: int
    stored: int
    check: int
    codec: int


class Packer:
    """Turns blobs into records, compressing where it pays. Keep one a thread."""

    def __init__(self, *, compress: bool) -> None:
        """Takes whether to try zstd level 1 at all; the local store does not."""
        self._compressor: zstandard.ZstdCompressor | None = None
        if compress:
            import zstandard

            self._compressor = zstandard.ZstdCompressor(level=1)

    def record(self, digest: Digest, data: bytes | memoryview) -> tuple[bytes, bytes | memoryview]:
        """Returns head and stored bytes of one record.

        Compressed bytes are used when they save at least one part in 32; of long data a sample
        is tried first.

        Raises:
            ValueError: `data` is larger than MAX_RECORD_BYTES; no reader would take it.
        """
        stored: bytes | memoryview = data
        codec = RAW
        if self._compressor is not None and len(data) > 64 and self._may_pay(data):
            small = self._compressor.compress(data)
            if _pays(small, data):
                stored, codec = small, ZSTD
        return _record_head(digest, len(data), stored, codec), stored

    def _may_pay(self, data: bytes | memoryview) -> bool:
        """Says whether a sample of `data` gets smaller; data not much longer than it always may."""
        if len(data) < 8 * _SLICES * _SLICE_BYTES:
            return True
        assert self._compressor is not None
        step = (len(data) - _SLICE_BYTES) // (_SLICES - 1)
        starts = range(0, step * _SLICES, step)
        sample = b"".join(data[start : start + _SLICE_BYTES] for start in starts)
        return _pays(self._compressor.compress(sample), sample)


def list_record(digest: Digest, data: bytes) -> tuple[bytes, bytes]:
    """Returns head and stored bytes of the record of a chunk list.

    Raises:
        ValueError: `data` is larger than MAX_RECORD_BYTES.
    """
    return _record_head(digest, len(data), data, LIST), data


def _record_head(digest: Digest, raw: int, stored: bytes | memoryview, codec: int) -> bytes:
    if raw > MAX_RECORD_BYTES:
        raise ValueError(f"a record holds {MAX_RECORD_BYTES} bytes, not {raw}")
    return RECORD.pack(digest, raw, len(stored), xxhash.xxh3_64_intdigest(stored), codec)


def _pays(small: bytes, data: bytes | memoryview) -> bool:
    return len(small) <= len(data) - len(data) // 32


def encode_header(nonce: bytes) -> bytes:
    """Returns a pack's first 32 bytes; `nonce` is 16 random bytes."""
    return HEADER.pack(MAGIC, nonce)


def encode_end(count: int) -> bytes:
    """Returns the record that ends a pack of `count` records."""
    return RECORD.pack(_NO_DIGEST, count, 0, 0, END)


def check_header(data: bytes | memoryview) -> None:
    """Checks a pack's first 32 bytes.

    Raises:
        CorruptObject: They are not the header of a pack this version can read.
    """
    if len(data) < HEADER.size or bytes(data[:16]) != MAGIC + bytes(8):
        raise CorruptObject("not a pack, or a pack of a newer format")


def parse_record_head(data: bytes | memoryview, offset: int = 0) -> Record:
    """Returns the record head at `offset`.

    Raises:
        CorruptObject: It is cut off, or claims sizes or a codec that no record has.
    """
    if len(data) < offset + RECORD.size:
        raise CorruptObject("record cut off in its head")
    digest, raw, stored, check, codec = RECORD.unpack_from(data, offset)
    if codec == END:
        fits = not (stored or check) and digest == _NO_DIGEST
    elif codec == ZSTD:
        fits = stored < raw <= MAX_RECORD_BYTES
    else:
        least = {RAW: 0, LIST: LIST_HEAD_BYTES + 1}.get(codec)
        fits = least is not None and least <= stored == raw <= MAX_RECORD_BYTES
    if not fits:
        raise CorruptObject("record head makes no sense")
    return Record(Digest(digest), raw, stored, check, codec)


def decode_record(
    data: bytes | memoryview, expected: Digest, *, is_proven_later: bool = False
) -> bytes:
    """Returns the raw bytes of the record that fills `data`, proven to be `expected`.

    Args:
        data: Head and stored bytes, no more.
        expected: The digest that the record was asked for by.
        is_proven_later: The caller checks the sha256 of the blob that this is a part of; here
            only the name in the head and the xxh3 are looked at.

    Raises:
        CorruptObject: Cut off, altered, or not the blob asked for.
    """
    head = parse_record_head(data)
    if head.codec == END or len(data) != RECORD.size + head.stored:
        raise CorruptObject(f"object {format_digest(expected)} is cut off")
    raw = decode_body(head, memoryview(data)[RECORD.size :])
    found = head.digest if is_proven_later else digest_of(raw)
    if found != expected or head.digest != expected:
        raise CorruptObject(
            f"object {format_digest(expected)} does not match its name (found {format_digest(found)})"
        )
    return raw


def decode_body(head: Record, stored: memoryview) -> bytes:
    """Returns the raw bytes of a record whose head is `head`; the sha256 is not checked here.

    Raises:
        CorruptObject: The stored bytes fail their xxh3 or do not decompress to the stated size.
    """
    if xxhash.xxh3_64_intdigest(stored) != head.check:
        raise CorruptObject(f"object {format_digest(head.digest)} was altered or cut off")
    if head.codec != ZSTD:
        return bytes(stored)
    return _decompressed(head, stored)


def _decompressed(head: Record, stored: memoryview) -> bytes:
    import zstandard

    try:
        # A frame that states its size makes zstandard allocate that much, whatever the limit.
        if zstandard.frame_content_size(stored) != head.raw:
            raise CorruptObject(f"object {format_digest(head.digest)} has the wrong size")
        return zstandard.ZstdDecompressor(max_window_size=MAX_RECORD_BYTES).decompress(
            stored, max_output_size=head.raw, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        what = f"object {format_digest(head.digest)} does not decompress: {error}"
        raise CorruptObject(what) from error


def scan_pack(data: bytes | memoryview) -> Iterator[tuple[Record, int]]:
    """Yields every record of a whole pack with the offset of its head.

    Raises:
        CorruptObject: The pack is cut off, has bytes after its end, or counts wrongly. Records
            before the damage have been yielded by then.
    """
    check_header(data)
    offset = HEADER.size
    count = 0
    while True:
        record = parse_record_head(data, offset)
        if record.codec == END:
            if record.raw != count or offset + RECORD.size != len(data):
                raise CorruptObject("pack has the wrong length or count")
            return
        if offset + RECORD.size + record.stored > len(data):
            raise CorruptObject("pack is cut off")
        yield record, offset
        count += 1
        offset += RECORD.size + record.stored
