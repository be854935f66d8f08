"""Verifying a remote: reading every record, and replacing what is damaged.

Presence is judged by `Snapshot.missing` alone and costs nothing; here every byte is read. Repair
never deletes: it uploads a sound copy, which readers find first. Called by `dvtool.ops` through
`Remote`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.packindex import BlobRow, Location
from dvtool.errors import DvtoolError
from dvtool.store.remote.losses import loss_of
from dvtool.store.remote.parallel import parallel
from dvtool.store.remote.plan import ReadRange, plan_ranges
from dvtool.store.remote.reading import DECODERS, Damaged, Reader, Shared

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot


@dataclass(slots=True)
class _Found:
    sound: set[Digest] = field(default_factory=set)
    damaged: dict[Digest, DvtoolError] = field(default_factory=dict)


def read_data(
    remote: Remote, snapshot: Snapshot, *, jobs: int, progress: Progress = SILENT
) -> tuple[int, dict[Digest, DvtoolError]]:
    """Reads every record that an index names and proves it.

    Returns:
        How many distinct blobs and parts were looked at, and for each blob without a sound copy
        what is wrong. A damaged part stands under the large blobs that need it, if there are any.
        The snapshot counts what is damaged as missing from then on, so pushing these blobs with
        it replaces them.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
    """
    progress.start("verify", total_bytes=sum(snapshot.pack_sizes.values()))
    found = _Found()
    copies: list[dict[Digest, Location]] = []
    for digest, at, is_listed in snapshot.records():
        if not is_listed:
            found.damaged.setdefault(digest, loss_of(digest, snapshot))
            continue
        # Copies of one record are read in rounds: a plan has one place for each.
        for round_ in copies:
            if round_.setdefault(digest, at) == at:
                break
        else:
            copies.append({digest: at})
    reader = Reader(remote)
    ranges = Shared(one for round_ in copies for one in plan_ranges(round_))
    window = -(-jobs // DECODERS)
    with ThreadPoolExecutor(jobs) as pool:
        for part in parallel(
            lambda _: _check(reader, ranges, pool, window, progress), range(DECODERS), jobs=DECODERS
        ):
            found.sound |= part.sound
            found.damaged.update(part.damaged)
    for digest in found.sound:
        found.damaged.pop(digest, None)
    for digest in found.damaged:
        snapshot.disbelieve(digest)
    rows = [row for index in snapshot.indexes() for row in index.blob_rows()]
    return len(found.sound) + len(found.damaged), _by_blob(found.damaged, rows)


def _check(
    reader: Reader,
    ranges: Iterator[ReadRange],
    pool: ThreadPoolExecutor,
    window: int,
    progress: Progress,
) -> _Found:
    found = _Found()
    for one, spool in reader.ahead(ranges, pool, window=window):
        for digest, raw in reader.take_apart(one, spool):
            if isinstance(raw, Damaged):
                found.damaged[digest] = raw.error
            else:
                found.sound.add(digest)
        progress.advance(size_bytes=one.end - one.start, items=len(one.records))
    return found


def _by_blob(
    damaged: dict[Digest, DvtoolError], rows: Iterable[BlobRow]
) -> dict[Digest, DvtoolError]:
    """Puts the errors of parts under the blobs that are made of them."""
    result = dict(damaged)
    for row in rows:
        for part in row.parts:
            if part in damaged:
                result[row.digest] = damaged[part]
                result.pop(part, None)
    return result
