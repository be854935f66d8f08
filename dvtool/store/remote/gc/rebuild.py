"""Building indexes again from packs: for an index that was lost or damaged.

Packs describe themselves: each record names its bytes, and large blobs leave a list of their
chunks. Damaged indexes are condemned, so that nobody trips over them again. Called by
`dvtool.ops.verify`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dvtool.core.chunklist import parse_chunk_list
from dvtool.core.digest import digest_of
from dvtool.core.gcmarks import Mark, batches
from dvtool.core.pack import (
    END,
    HEADER,
    LIST,
    RECORD,
    check_header,
    decode_record,
    parse_record_head,
)
from dvtool.core.packindex import (
    BlobRow,
    PackRef,
    RecordRow,
    encode_index,
    nonce_row,
    parse_index,
)
from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.remote import layout
from dvtool.store.remote.gc.notes import write_notes

if TYPE_CHECKING:
    from dvtool.core.packindex import PackIndex
    from dvtool.store.remote.backend import Spool
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

_PACKS_PER_INDEX: Final = 64


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild did.

    Attributes:
        packs: Packs that no readable index named, and that were read.
        records: Sound records found in them.
        blobs: Large blobs whose list of chunks was found.
        indexes: Indexes written.
        damaged: One line for each pack that does not hold what it should.
    """

    packs: int
    records: int
    blobs: int
    indexes: int
    damaged: tuple[str, ...]


def rebuild_index(remote: Remote) -> RebuildReport:
    """Writes indexes over all packs that no readable index names; nothing when there are none.

    Reads each of these packs once and proves every record. What this clone still has of a damaged
    index is used as well: in remotes with fixed parts nothing else says how large blobs are made.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
    """
    view = remote.snapshot(leaning=True)
    broken = [
        name
        for name in view.problems
        if layout.INDEX.fullmatch(name) and name not in view.notes.condemned
    ]
    kept = [index for name in broken if (index := _cached(remote, name)) is not None]
    named = {layout.pack_name(ref.name) for index in view.indexes() for ref in index.packs}
    orphans = sorted(
        name for name in view.pack_sizes if name not in named and name not in view.notes.condemned
    )
    remote.progress.start("rebuild", total_bytes=sum(view.listed[name].size for name in orphans))
    damaged: list[str] = []
    records = blobs = indexes = 0
    rows_kept = [row for index in kept for row in index.blob_rows() if not row.is_nonce]
    for start in range(0, max(len(orphans), 1), _PACKS_PER_INDEX):
        packs: list[PackRef] = []
        rows: list[RecordRow] = []
        blob_rows, rows_kept = rows_kept, []
        for name in orphans[start : start + _PACKS_PER_INDEX]:
            found = _scan(remote, name, view.listed[name].size, len(packs), damaged)
            packs.append(PackRef(bytes.fromhex(name[-69:-5]), view.listed[name].size))
            rows += [one for one in found if isinstance(one, RecordRow)]
            blob_rows += [one for one in found if isinstance(one, BlobRow)]
            remote.progress.advance(size_bytes=view.listed[name].size)
        if packs or blob_rows:
            _write(remote, view, packs, rows, blob_rows)
            indexes += 1
        records, blobs = records + len(rows), blobs + len(blob_rows)
    if broken:
        write_notes(remote, [Mark(names) for names in batches(broken)])
    return RebuildReport(len(orphans), records, blobs, indexes, tuple(damaged))


def _cached(remote: Remote, name: str) -> PackIndex | None:
    data = remote.cache.get(name)
    if data is None or layout.index_name(sha256(data).digest()) != name:
        return None
    return parse_index(data)


def _write(
    remote: Remote,
    view: Snapshot,
    packs: list[PackRef],
    rows: list[RecordRow],
    blob_rows: list[BlobRow],
) -> None:
    data = encode_index(packs, rows, [*blob_rows, nonce_row()])
    name = layout.index_name(sha256(data).digest())
    remote.put(name, data)
    remote.cache.put(name, data)
    view.add(name, parse_index(data))


def _scan(
    remote: Remote, name: str, size_bytes: int, number: int, damaged: list[str]
) -> list[RecordRow | BlobRow]:
    """Returns what a pack holds, up to where it stops making sense."""
    with remote.cache.spool() as spool:
        try:
            remote.backend.read_range(name, 0, size_bytes, spool)
        except ObjectMissing as error:
            damaged.append(str(error))
            return []
        if spool.sha256().hex() != name[-69:-5]:
            damaged.append(f"{remote.url}/{name} does not match its name")
        found: list[RecordRow | BlobRow] = []
        try:
            for one in _records(spool, number):
                if isinstance(one, CorruptObject):
                    damaged.append(f"{remote.url}/{name}: {one}")
                else:
                    found.append(one)
        except CorruptObject as error:
            damaged.append(f"{remote.url}/{name}: {error}")
        return found


def _records(spool: Spool, number: int) -> Iterator[RecordRow | BlobRow | CorruptObject]:
    """Yields what each record is for an index, or what is wrong with it.

    Raises:
        CorruptObject: From there on nothing can be told apart.
    """
    check_header(spool.read_at(0, HEADER.size))
    offset = HEADER.size
    while True:
        head = parse_record_head(spool.read_at(offset, RECORD.size))
        if head.codec == END:
            return
        data = spool.read_at(offset, RECORD.size + head.stored)
        try:
            if head.codec == LIST:
                if digest_of(data[RECORD.size :]) == head.digest:
                    yield parse_chunk_list(data[RECORD.size :])
            else:
                decode_record(data, head.digest)
                yield RecordRow(head.digest, number, head.stored, offset)
        except CorruptObject as error:
            yield error
        offset += RECORD.size + head.stored
