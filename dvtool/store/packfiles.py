"""One local pack and its index: loading, rebuilding, forgetting what is damaged.

A pack file is named by the nonce in its header and is never changed. Its index beside it is a
cache: lost, damaged or not about a pack of this size, it is built again from the pack, with every
record proven by sha256 on the way. Which packs there are is the business of `packshelf`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, repeat
from pathlib import Path
from typing import Final

from dvtool.core.digest import Digest
from dvtool.core.pack import (
    END,
    HEADER,
    NONCE_BYTES,
    RECORD,
    Record,
    check_header,
    decode_record,
    parse_record_head,
)
from dvtool.core.packindex import PackIndex, PackRef, RecordRow, encode_index, parse_index
from dvtool.errors import CorruptObject, StoreFailed
from dvtool.store.durable import store_error, write_atomically

PACK_SUFFIX: Final = ".pack"
INDEX_SUFFIX: Final = ".idx"
IndexStamp = tuple[int, int]
NO_STAMP: Final[IndexStamp] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class LocalPack:
    """A published pack with its index in memory.

    Attributes:
        path: The pack file.
        size_bytes: Of the pack file, when it was loaded.
        index: Names one pack, this one.
        stamp: Inode and mtime of the index file that was read, NO_STAMP when there was none.
    """

    path: Path
    size_bytes: int
    index: PackIndex
    stamp: IndexStamp

    @property
    def stem(self) -> str:
        """The nonce in hex: the file's name without `.pack`."""
        return self.path.name[: -len(PACK_SUFFIX)]


def pack_ref(nonce: bytes, size_bytes: int) -> PackRef:
    """Returns how an index names a local pack: the 16-byte nonce, padded with zeros to 32 bytes.

    A remote pack is named by its sha256. A local one is not, for that would cost reading it again.
    """
    return PackRef(nonce + bytes(NONCE_BYTES), size_bytes)


def index_path(pack: Path) -> Path:
    """Returns where the index of a pack file lies."""
    return pack.with_suffix(INDEX_SUFFIX)


def load_pack(path: Path, *, temp_directory: Path) -> LocalPack:
    """Returns a pack with its index, which is built again when it is not fit for use.

    Raises:
        FileNotFoundError: The pack has gone meanwhile.
        StoreFailed: The pack cannot be read.
    """
    size_bytes = path.stat().st_size
    ref = pack_ref(bytes.fromhex(path.stem), size_bytes)
    with contextlib.suppress(FileNotFoundError, CorruptObject):
        data, stamp = _read_index(index_path(path))
        index = parse_index(data)
        if index.packs == (ref,):
            return LocalPack(path, size_bytes, index, stamp)
    return _rebuild(path, ref, temp_directory=temp_directory)


def _read_index(path: Path) -> tuple[bytes, IndexStamp]:
    try:
        with path.open("rb") as file:
            facts = os.fstat(file.fileno())
            return file.read(), (facts.st_ino, facts.st_mtime_ns)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise store_error(error, path) from error


def _rebuild(path: Path, ref: PackRef, *, temp_directory: Path) -> LocalPack:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise store_error(error, path) from error
    try:
        rows = list(_sound_rows(fd, ref.size))
        is_known_format = _has_known_header(fd)
    except OSError as error:
        raise store_error(error, path) from error
    finally:
        os.close(fd)
    data = encode_index([ref], rows)
    # An index made from a format we only half understand must not hide it from a newer dvtool.
    if is_known_format:
        save_index(path, data, temp_directory=temp_directory)
    # If saving failed, this is the unfit index: remembering it saves a scan at every look.
    return LocalPack(path, ref.size, parse_index(data), index_stamp(path))


def save_index(pack: Path, data: bytes, *, temp_directory: Path) -> None:
    """Writes the index of `pack`; a read-only store or a full disk does without, it is a cache."""
    with contextlib.suppress(StoreFailed):
        write_atomically(index_path(pack), data, temp_directory=temp_directory)


def index_stamp(pack: Path) -> IndexStamp:
    """Returns inode and mtime of the index of `pack`, NO_STAMP when there is none."""
    try:
        facts = index_path(pack).stat()
    except FileNotFoundError:
        return NO_STAMP
    return facts.st_ino, facts.st_mtime_ns


def without(pack: LocalPack, digest: Digest, *, temp_directory: Path) -> LocalPack:
    """Returns `pack` with an index that does not know `digest`, on disk too.

    Raises:
        StoreFailed: The new index cannot be written.
    """
    rows = (row for row in pack.index.rows() if row.digest != digest)
    data = encode_index(pack.index.packs, rows)
    write_atomically(index_path(pack.path), data, temp_directory=temp_directory)
    return LocalPack(pack.path, pack.size_bytes, parse_index(data), index_stamp(pack.path))


def _has_known_header(fd: int) -> bool:
    try:
        check_header(os.pread(fd, HEADER.size, 0))
    except CorruptObject:
        return False
    return True


def _sound_rows(fd: int, size_bytes: int) -> Iterator[RecordRow]:
    """Yields every record that can be proven, up to where the pack stops making sense."""
    for head, offset in _heads(fd, size_bytes):
        with contextlib.suppress(CorruptObject):
            decode_record(os.pread(fd, RECORD.size + head.stored, offset), head.digest)
            yield RecordRow(head.digest, 0, head.stored, offset)


def _heads(fd: int, size_bytes: int) -> Iterator[tuple[Record, int]]:
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    offset = HEADER.size
    while offset + RECORD.size <= size_bytes:
        try:
            head = parse_record_head(os.pread(fd, RECORD.size, offset))
        except CorruptObject:
            return
        end = offset + RECORD.size + head.stored
        if head.codec == END or end > size_bytes:
            return
        yield head, offset
        offset = end


def rows_at(digests: list[Digest], sizes_bytes: list[int]) -> Iterator[RecordRow]:
    """Yields index rows of records that stand one behind the other from a pack's start."""
    steps = map(RECORD.size.__add__, sizes_bytes)
    return map(RecordRow, digests, repeat(0), sizes_bytes, accumulate(steps, initial=HEADER.size))
