"""Verifying a remote: reading every record, and replacing what is damaged.

Presence is judged by `Snapshot.missing` alone and costs nothing; here bytes are read, all of them
or those of a sample. Repair never deletes: it uploads a sound copy, which readers find first.
Called by `dvtool.ops`, mostly through `Remote`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from dvtool.core.digest import Digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.packindex import BlobRow, Location
from dvtool.errors import DvtoolError
from dvtool.store.remote.losses import loss_of
from dvtool.store.remote.parallel import parallel
from dvtool.store.remote.plan import RANGES_PER_PACK, ReadRange, plan_ranges
from dvtool.store.remote.reading import DECODERS, Damaged, Reader, Shared

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

SAMPLE_RANGES_PER_PACK: Final = 256
"""A sample is there to read little, so it pays requests, not the bytes between its records."""


@dataclass(slots=True)
class _Found:
    sound: set[Digest] = field(default_factory=set)
    damaged: dict[Digest, DvtoolError] = field(default_factory=dict)
    elsewhere: set[Digest] = field(default_factory=set)


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
    return _read(remote, snapshot, None, jobs=jobs, progress=progress)


class Sampled(NamedTuple):
    """What reading a sample found.

    Attributes:
        checked: Records that were read, and those of packs that are gone.
        records: Records that could have been drawn.
        damaged: As `read_data` returns it.
    """

    checked: int
    records: int
    damaged: dict[Digest, DvtoolError]


def read_sample(
    remote: Remote,
    snapshot: Snapshot,
    *,
    share: float,
    seed: int,
    jobs: int,
    progress: Progress = SILENT,
) -> Sampled:
    """Reads some records, all copies of each, and proves them; each is as likely as any other.

    Records of packs that are not as listed are told in any case, for that costs nothing.

    Args:
        remote: Where.
        snapshot: What is there. The same seed and records draw the same sample.
        share: Which part of the records, above 0 to 1; rounded up to whole records.
        seed: Decides which.
        jobs: How many downloads at once.
        progress: Told of each range.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
    """
    known = sorted({digest for digest, _, is_listed in snapshot.records() if is_listed})
    # The share is a decimal that a person wrote, so 0.07 of 100 records are 7, not 8.
    wanted = min(len(known), math.ceil(Fraction(repr(share)) * len(known)))
    chosen = frozenset(random.Random(seed).sample(known, wanted))  # noqa: S311 - not for secrets
    progress.start("verify", total_items=len(chosen))
    checked, damaged = _read(remote, snapshot, chosen, jobs=jobs, progress=progress)
    return Sampled(checked, len(known), damaged)


def _read(
    remote: Remote,
    snapshot: Snapshot,
    chosen: frozenset[Digest] | None,
    *,
    jobs: int,
    progress: Progress,
) -> tuple[int, dict[Digest, DvtoolError]]:
    found = _Found()
    copies: list[dict[Digest, Location]] = []
    for digest, at, is_listed in snapshot.records():
        if not is_listed:
            found.damaged.setdefault(digest, loss_of(digest, snapshot))
            continue
        if chosen is not None and digest not in chosen:
            found.elsewhere.add(digest)
            continue
        # Copies of one record are read in rounds: a plan has one place for each.
        for round_ in copies:
            if round_.setdefault(digest, at) == at:
                break
        else:
            copies.append({digest: at})
    reader = Reader(remote)
    per_pack = RANGES_PER_PACK if chosen is None else SAMPLE_RANGES_PER_PACK
    ranges = Shared(
        one for round_ in copies for one in plan_ranges(round_, ranges_per_pack=per_pack)
    )
    window = -(-jobs // DECODERS)
    with ThreadPoolExecutor(jobs) as pool:
        for part in parallel(
            lambda _: _check(reader, ranges, pool, window, progress), range(DECODERS), jobs=DECODERS
        ):
            found.sound |= part.sound
            found.damaged.update(part.damaged)
    for digest in found.sound | found.elsewhere:
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
