"""Packs that arrived at a remote and that no index names yet, noted on this machine.

An index is written after several packs, so a push that is killed leaves packs nobody can find. The
notes let the next push from here write the index that is missing instead of sending the packs
again. A note is never proof: a pack counts only if the remote lists it, with its size. Called by
`upload` and `push`.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest
from dvtool.core.packindex import PackIndex, PackRef, RecordRow, encode_index, parse_index
from dvtool.errors import CorruptObject
from dvtool.store.remote import layout

if TYPE_CHECKING:
    from dvtool.store.remote.cache import Cache
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

FOLDER: Final = "arrived"


def note_arrival(cache: Cache, ref: PackRef, rows: Iterable[tuple[Digest, int, int]]) -> None:
    """Notes a pack that the remote has just taken, with digest, stored bytes, offset of records."""
    records = (RecordRow(digest, 0, stored, offset) for digest, stored, offset in rows)
    cache.put(_name(ref), encode_index([ref], records, []))


def forget_arrivals(cache: Cache, refs: Iterable[PackRef]) -> None:
    """Forgets packs that an index names by now."""
    for ref in refs:
        cache.drop(_name(ref))


def index_arrivals(remote: Remote, snapshot: Snapshot) -> int:
    """Writes an index over noted packs that are there and in no index; returns how many those are.

    Notes of packs that are gone, condemned or known already are dropped.

    Raises:
        RemoteFailed: The index cannot be written.
    """
    known = {ref for index in snapshot.indexes() for ref in index.packs}
    found: list[PackIndex] = []
    for name in remote.cache.names(FOLDER):
        index = _read(remote.cache.get(name))
        if index is not None and index.packs[0] not in known and _is_there(snapshot, index):
            found.append(index)
        else:
            remote.cache.drop(name)
    if not found:
        return 0
    refs = [index.packs[0] for index in found]
    rows = (row._replace(pack=number) for number, one in enumerate(found) for row in one.rows())
    data = encode_index(refs, rows, [])
    name = layout.index_name(sha256(data).digest())
    remote.put(name, data)
    remote.cache.put(name, data)
    snapshot.add(name, parse_index(data))
    forget_arrivals(remote.cache, refs)
    return len(refs)


def _name(ref: PackRef) -> str:
    return f"{FOLDER}/{ref.name.hex()}"


def _read(data: bytes | None) -> PackIndex | None:
    try:
        index = parse_index(data or b"")
    except CorruptObject:
        return None
    return index if len(index.packs) == 1 else None


def _is_there(snapshot: Snapshot, index: PackIndex) -> bool:
    ref = index.packs[0]
    name = layout.pack_name(ref.name)
    facts = snapshot.listed.get(name)
    return facts is not None and facts.size == ref.size and name not in snapshot.notes.condemned
