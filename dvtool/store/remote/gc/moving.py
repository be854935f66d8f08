"""Moving records into new packs, and finding the indexes that this makes stale.

A pack is never changed: what is to stay of it is copied into a new one, of another name because
of its nonce, and gets a new index. Nothing is condemned or deleted here, and stale indexes are
rewritten by `merging`. Called by `collect`, `sweep`, `erase`, `lean` and `plan`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest
from dvtool.core.events import SILENT
from dvtool.core.packindex import BlobRow, PackRef
from dvtool.store.remote import layout
from dvtool.store.remote.losses import loss_of
from dvtool.store.remote.packbuild import PackBuilder
from dvtool.store.remote.plan import plan_ranges
from dvtool.store.remote.reading import Damaged, Reader
from dvtool.store.remote.upload import PACKS_PER_INDEX, Uploader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dvtool.core.packindex import PackIndex
    from dvtool.errors import DvtoolError
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot


def read_records(
    remote: Remote, source: Snapshot, records: Collection[Digest]
) -> Iterator[tuple[Digest, bytes | DvtoolError]]:
    """Yields records proven by sha256, or what is wrong with the last copy that was tried.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
    """
    reader = Reader(remote)
    avoid: dict[Digest, set[PackRef]] = {}
    wanted = set(records)
    while wanted:
        failed: dict[Digest, DvtoolError] = {}
        for one in plan_ranges(source.locate_all(wanted, avoid=avoid)):
            for digest, raw in reader.records(one):
                wanted.discard(digest)
                if not isinstance(raw, Damaged):
                    yield digest, raw
                    continue
                failed[digest] = raw.error
                avoid.setdefault(digest, set()).add(one.pack)
        elsewhere = {d for d in failed if source.locate(d, avoid=avoid[d]) is not None}
        yield from ((d, error) for d, error in failed.items() if d not in elsewhere)
        yield from ((digest, loss_of(digest, source)) for digest in wanted)
        wanted = elsewhere


def copy_records(
    remote: Remote,
    source: Snapshot,
    target: Snapshot,
    *,
    records: Collection[Digest],
    blobs: Iterable[BlobRow] = (),
) -> int:
    """Puts copies of records into new packs, with an index over them; returns how many packs.

    Args:
        remote: Where.
        source: Where the records are looked up.
        target: Learns of the copies.
        records: Which; all must be in `source`.
        blobs: Large blobs whose rows, and lists of chunks, are written again.

    Raises:
        CorruptObject, ObjectMissing: One has no sound copy.
        RemoteFailed: The remote is unreachable or refused.
    """
    uploader = Uploader(remote, target, jobs=1, packs_per_index=PACKS_PER_INDEX, progress=SILENT)
    builder = PackBuilder(remote.cache.spool)
    with uploader.running():
        try:
            for digest, raw in read_records(remote, source, records):
                if not isinstance(raw, bytes):
                    raise raw
                builder.add(digest, raw)
                if builder.size >= target.format.pack_bytes:
                    builder = _send(remote, uploader, builder)
            for row in blobs:
                builder.add_blob(row)
            builder = _send(remote, uploader, builder)
        finally:
            builder.close()
    return uploader.packs


def _send(remote: Remote, uploader: Uploader, builder: PackBuilder) -> PackBuilder:
    """Hands a pack to the uploader, whose spool it is from then on; returns a new builder."""
    pack = builder.finish()
    uploader.add_blob_rows(builder.blob_rows)
    if pack is not None:
        uploader.send(pack)
    return PackBuilder(remote.cache.spool)


def stale_indexes(snapshot: Snapshot, bad: Collection[str]) -> dict[str, PackIndex]:
    """Returns the indexes in force that name a pack which is in `bad`, condemned or not there."""
    condemned = snapshot.notes.condemned
    found = {}
    for name, index in snapshot.by_name.items():
        if name in condemned:
            continue
        packs = {layout.pack_name(ref.name) for ref in index.packs}
        if any(p in bad or p in condemned or p not in snapshot.listed for p in packs):
            found[name] = index
    return found
