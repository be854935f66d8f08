"""One file read into the store, each byte once: hashed and copied in the same pass.

What is read and what becomes of it is the business of the verbs that bring bytes: `add`, `add_into`,
imports and migrations.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from hashlib import sha256

import xxhash

from dvtool.core.digest import Digest, Fingerprint
from dvtool.core.quote import display
from dvtool.errors import DvtoolError, WouldLoseData
from dvtool.store.durable import store_error
from dvtool.store.local import SMALL_BLOB_BYTES
from dvtool.store.writer import StoreWriter
from dvtool.worktree.hashing import write_all
from dvtool.worktree.reading import Reader
from dvtool.worktree.scan import Found
from dvtool.worktree.sections import Row


def store_one(reader: Reader, writer: StoreWriter, item: Found) -> Row:
    """Reads one file into the store, each byte once, and returns its row."""
    if item.mode in "fx" and item.size >= SMALL_BLOB_BYTES:
        temp = writer.temp_file()
        try:
            row = reader.read_large(item, copy_to=temp.fd).row
        except DvtoolError:
            writer.discard(temp.path)
            raise
        except OSError as error:
            # One pass reads there and writes here; only what fills up or is denied is the store's.
            writer.discard(temp.path)
            if error.errno in (errno.EIO, errno.ESTALE):
                where = display(item.path) if item.path else "the file"
                raise WouldLoseData(f"cannot read {where}: {error.strerror}") from error
            raise store_error(error, temp.path) from error
        writer.adopt(temp.path, row.digest, row.fingerprint)
        return row
    reading = reader.read(item)
    if reading.row.digest:
        writer.add_small(reading.row.digest, reading.data)
    return reading.row


def store_blocks(writer: StoreWriter, blocks: Iterable[bytes]) -> tuple[Digest, int]:
    """Stores a large blob from its blocks, and returns its digest and size in bytes.

    Nothing of it is kept when `blocks` raises, so whoever gives them can prove them, too.

    Raises:
        StorageFull, StoreFailed: It cannot be written.
    """
    temp = writer.temp_file()
    digest, mark, size = sha256(), xxhash.xxh3_128(), 0
    try:
        for block in blocks:
            digest.update(block)
            mark.update(block)
            try:
                write_all(temp.fd, block)
            except OSError as error:
                raise store_error(error, temp.path) from error
            size += len(block)
    except BaseException:
        writer.discard(temp.path)
        raise
    found = Digest(digest.digest())
    writer.adopt(temp.path, found, Fingerprint(mark.digest()))
    return found, size
