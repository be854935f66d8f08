"""What the indexes of a remote say, row by row, and added up; also as a Parquet file for anyone.

Reads a snapshot only and sends nothing, but for the roots when asked what is alive. What may be
deleted is decided elsewhere, in `gc`. Called by `dvtool.ops.debug`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from dvtool.core.digest import Digest
from dvtool.core.pack import RECORD
from dvtool.errors import StoreFailed
from dvtool.store.remote import layout

if TYPE_CHECKING:
    import pyarrow as pa

    from dvtool.core.packindex import PackIndex
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

_BATCH_ROWS: Final = 2**16


class Row(NamedTuple):
    """One row of one index.

    Attributes:
        digest: 64 hex digits.
        kind: `blob` for bytes in one record, `chunk` for a record that large blobs are made of,
            `large` for a blob of chunks.
        pack: Object name; None for a large blob.
        offset: Of the record's head in the pack, in bytes; None for a large blob.
        length: Of the record with its head, in bytes; None for a large blob.
        size: Before compression, in bytes; None where no index says it.
        codec: `raw` or `zstd`; None where the size is not known.
        index_file: Object name of the index.
        sound: The pack is listed with the size that the index says; for a large blob, that all of
            it can be read.
        condemned: The pack or the index is waiting to be deleted.
        chunks: Of a large blob, in order; None for a record.
    """

    digest: str
    kind: str
    pack: str | None
    offset: int | None
    length: int | None
    size: int | None
    codec: str | None
    index_file: str
    sound: bool
    condemned: bool
    chunks: list[str] | None


@dataclass(frozen=True, slots=True)
class IndexCounts:
    """What all indexes hold together.

    Attributes:
        indexes: Readable ones, condemned ones too.
        index_bytes: Their size.
        packs: Packs that are listed, named by an index or not.
        pack_bytes: Their size.
        rows: Records as the indexes name them, copies included.
        records: Distinct ones.
        chunks: Those of them that large blobs are made of.
        large_blobs: Distinct blobs that are made of chunks.
        condemned: Packs and indexes that wait to be deleted.
        damaged: Packs and indexes that are not as they should be.
        live_bytes: What the records that roots reach take in their packs; None when not asked for.
        live_share: That as a share of `pack_bytes`, 0 to 1; None when not asked for or no packs.
    """

    indexes: int
    index_bytes: int
    packs: int
    pack_bytes: int
    rows: int
    records: int
    chunks: int
    large_blobs: int
    condemned: int
    damaged: int
    live_bytes: int | None = None
    live_share: float | None = None


def count_rows(remote: Remote, snapshot: Snapshot, *, live: bool = False) -> IndexCounts:
    """Adds up what indexes say.

    Args:
        remote: Where.
        snapshot: What it listed; one to read by.
        live: Read the roots too and say which share of the bytes they reach.

    Raises:
        CorruptObject, ObjectMissing: What is alive cannot be told.
        RemoteFailed: The remote is unreachable or refused.
    """
    from dvtool.store.remote.gc.live import read_live

    records: set[bytes] = set()
    chunks: set[Digest] = set()
    large: set[Digest] = set()
    for index in snapshot.by_name.values():
        records.update(row.digest for row in index.rows())
        for blob in index.blob_rows():
            if not blob.is_nonce:
                large.add(blob.digest)
                chunks.update(blob.parts)
    sizes = snapshot.pack_sizes
    total = sum(sizes.values())
    live_bytes = None
    if live:
        places = snapshot.locate_all(read_live(remote, snapshot).records)
        live_bytes = sum(at.length for at in places.values())
    return IndexCounts(
        indexes=len(snapshot.by_name),
        index_bytes=sum(snapshot.listed[name].size for name in snapshot.by_name),
        packs=len(sizes),
        pack_bytes=total,
        rows=sum(map(len, snapshot.by_name.values())),
        records=len(records),
        chunks=len(records & chunks),
        large_blobs=len(large),
        condemned=len(snapshot.notes.condemned & snapshot.listed.keys()),
        damaged=len(snapshot.problems),
        live_bytes=live_bytes,
        live_share=live_bytes / total if live_bytes is not None and total else None,
    )


def iter_rows(snapshot: Snapshot) -> Iterator[Row]:
    """Yields every row of every readable index, index by index in the order of their names."""
    chunk_sizes: dict[Digest, int | None] = {}
    large: list[Digest] = []
    for index in snapshot.by_name.values():
        for blob in index.blob_rows():
            if blob.is_nonce:
                continue
            large.append(blob.digest)
            # A chunk's size follows from where it and the one before it end.
            sizes = [end - start for start, end in pairwise((0, *blob.ends))]
            for part, size in zip_longest(blob.parts, sizes):
                chunk_sizes[part] = size or chunk_sizes.get(part)
    unreadable = snapshot.missing(large)
    for name in sorted(snapshot.by_name):
        yield from _rows_of(snapshot, name, chunk_sizes, unreadable)


def _rows_of(
    snapshot: Snapshot,
    name: str,
    chunk_sizes: dict[Digest, int | None],
    unreadable: set[Digest],
) -> Iterator[Row]:
    index: PackIndex = snapshot.by_name[name]
    condemned = snapshot.notes.condemned
    packs = [layout.pack_name(ref.name) for ref in index.packs]
    sizes = snapshot.pack_sizes
    sound = [sizes.get(p) == ref.size for p, ref in zip(packs, index.packs, strict=True)]
    doomed = [name in condemned or pack in condemned for pack in packs]
    for row in index.rows():
        size = chunk_sizes.get(row.digest)
        yield Row(
            row.digest.hex(),
            "chunk" if row.digest in chunk_sizes else "blob",
            packs[row.pack],
            row.offset,
            RECORD.size + row.stored,
            size,
            None if size is None else "raw" if size == row.stored else "zstd",
            name,
            sound[row.pack],
            doomed[row.pack],
            None,
        )
    for blob in index.blob_rows():
        if not blob.is_nonce:
            yield Row(
                blob.digest.hex(),
                "large",
                pack=None,
                offset=None,
                length=None,
                size=blob.size,
                codec=None,
                index_file=name,
                sound=blob.digest not in unreadable,
                condemned=name in condemned,
                chunks=[part.hex() for part in blob.parts],
            )


def write_parquet(snapshot: Snapshot, path: Path) -> int:
    """Writes all rows as a Parquet file, whole or not at all; returns how many.

    The columns are the fields of `Row`. An existing file is replaced.

    Raises:
        StoreFailed: The file cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema()
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    rows = iter_rows(snapshot)
    written = 0
    try:
        with parquet.ParquetWriter(temporary, schema, compression="zstd") as writer:
            while batch := list(islice(rows, _BATCH_ROWS)):
                columns = zip(*batch, strict=True)
                arrays = [
                    pa.array(column, field.type)
                    for column, field in zip(columns, schema, strict=True)
                ]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                written += len(batch)
        temporary.replace(path)
    except OSError as error:
        raise StoreFailed(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return written


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    return pa.schema(
        [
            pa.field("digest", text, nullable=False),
            pa.field("kind", text, nullable=False),
            pa.field("pack", text),
            pa.field("offset", number),
            pa.field("length", number),
            pa.field("size", number),
            pa.field("codec", text),
            pa.field("index_file", text, nullable=False),
            pa.field("sound", pa.bool_(), nullable=False),
            pa.field("condemned", pa.bool_(), nullable=False),
            pa.field("chunks", pa.list_(text)),
        ]
    )
