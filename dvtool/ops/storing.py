"""One file read into the store, each byte once: hashed and copied in the same pass.

What is read and what becomes of the row is the business of `add` and `add_into`, which call it.
"""

from __future__ import annotations

import errno

from dvtool.core.quote import display
from dvtool.errors import DvtoolError, WouldLoseData
from dvtool.store.durable import store_error
from dvtool.store.local import SMALL_BLOB_BYTES
from dvtool.store.writer import StoreWriter
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
