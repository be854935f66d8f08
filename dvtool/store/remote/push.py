"""Pushing: blobs of the local store become packs and indexes of a remote.

Only what a snapshot does not have is read, cut, packed and sent. Every blob is proven on its way
out, a small one by its sha256, a large one by the fingerprint it was stored with: a damaged local
copy stops here and not at whoever pulls. Roots are written by `protect`, after this. Called by
`dvtool.ops` through `Remote`.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import xxhash

from dvtool.core.chunking import chunks_of
from dvtool.core.digest import Digest, digest_of, format_digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.packindex import BlobRow
from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.remote.arrivals import index_arrivals
from dvtool.store.remote.likeness import DoubtfulVersion, EarlierVersions, Part, parts_beside
from dvtool.store.remote.packbuild import PackBuilder
from dvtool.store.remote.upload import PACKS_PER_INDEX, Uploader

if TYPE_CHECKING:
    from dvtool.store.local import LocalStore
    from dvtool.store.remote.layout import RemoteFormat
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

PUSH_JOBS: Final = 4
_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class PushResult:
    """What a push sent; all zero when there was nothing to do.

    Attributes:
        uploaded: Blobs that the remote did not have.
        packs: Packs that were created.
        raw_bytes: Size of these blobs; parts the remote had already are not counted.
        uploaded_bytes: Bytes that went over the wire, packs and indexes.
    """

    uploaded: int = 0
    packs: int = 0
    raw_bytes: int = 0
    uploaded_bytes: int = 0


def push_blobs(
    remote: Remote,
    snapshot: Snapshot,
    store: LocalStore,
    digests: Mapping[Digest, int] | Iterable[Digest],
    *,
    jobs: int | None = None,
    progress: Progress = SILENT,
    packs_per_index: int = PACKS_PER_INDEX,
) -> PushResult:
    """Makes the remote have every one of `digests`; sends only what it lacks.

    Interrupted, it leaves the packs that arrived in an index, or killed, in notes on this machine;
    running it again goes on from there.

    Args:
        remote: Where to.
        snapshot: What the remote has; learns of what is sent.
        store: Must hold every blob that the remote lacks.
        digests: Which blobs; their sizes in bytes, where known, are for the progress alone.
        jobs: Packs on their way at once, each in a file and not in memory; None for PUSH_JOBS.
        progress: Told of bytes before compression, and of records.
        packs_per_index: An index is written after so many packs.

    Raises:
        ObjectMissing: Neither here nor there; nothing is sent.
        CorruptObject: A local blob does not match its name.
        RemoteFailed: The remote is unreachable or refused.
    """
    index_arrivals(remote, snapshot)
    todo = snapshot.missing(digests)
    if not todo:
        return PushResult()
    lost = store.missing(todo)
    if lost:
        raise _neither_here_nor_there(lost, snapshot)
    total = sum(digests[d] for d in todo) if isinstance(digests, Mapping) else None
    progress.start("push", total_bytes=total, total_items=len(todo))
    remote.put_format(snapshot)
    uploader = Uploader(
        remote,
        snapshot,
        jobs=max(1, jobs or PUSH_JOBS),
        packs_per_index=packs_per_index,
        progress=progress,
    )
    with uploader.running(), _Cutter(remote, snapshot, uploader) as cutter:
        large = {digest for digest in todo if store.large(digest) is not None}
        if todo != large:
            for digest, data in store.read_many(todo - large):
                cutter.add_small(digest, data)
        for digest in sorted(large):
            cutter.add_large(store, digest)
        cutter.finish()
    return PushResult(len(todo), uploader.packs, uploader.raw_bytes, uploader.sent_bytes)


def push_bytes(
    remote: Remote, snapshot: Snapshot, blobs: Iterable[bytes], *, progress: Progress = SILENT
) -> PushResult:
    """Makes the remote have blobs that are in memory, such as segments."""
    by_digest = {digest_of(data): data for data in blobs}
    todo = snapshot.missing(by_digest)
    if not todo:
        return PushResult()
    remote.put_format(snapshot)
    uploader = Uploader(
        remote, snapshot, jobs=1, packs_per_index=PACKS_PER_INDEX, progress=progress
    )
    with uploader.running(), _Cutter(remote, snapshot, uploader) as cutter:
        for digest in sorted(todo):
            data = by_digest[digest]
            whole = io.BytesIO(data)
            pieces = (Part(piece) for piece in _pieces(whole, len(data), snapshot.format))
            cutter.add_parts(digest, pieces)
        cutter.finish()
    return PushResult(len(todo), uploader.packs, uploader.raw_bytes, uploader.sent_bytes)


class _Cutter:
    """Cuts blobs into records, closes packs that are full and hands them to the uploader."""

    def __init__(self, remote: Remote, snapshot: Snapshot, uploader: Uploader) -> None:
        self._remote = remote
        self._snapshot = snapshot
        self._uploader = uploader
        self._builder = PackBuilder(remote.cache.spool)
        self._added: set[Digest] = set()
        self._earlier: EarlierVersions | None = None

    def __enter__(self) -> _Cutter:
        return self

    def __exit__(self, *_: object) -> None:
        self._builder.close()

    def add_small(self, digest: Digest, data: bytes | memoryview) -> None:
        """Adds one blob as one record, proving it first."""
        if digest_of(data) != digest:
            raise _damaged_here(digest)
        self._add(digest, data)

    def add_large(self, store: LocalStore, digest: Digest) -> None:
        """Adds a blob read from the store's file in parts."""
        with store.open_blob(digest) as file:
            size = file.seek(0, os.SEEK_END)
            rule = self._snapshot.format.chunks
            if rule is not None and size > self._snapshot.format.part_bytes:
                if self._earlier is None:
                    self._earlier = EarlierVersions(store, self._snapshot)
                earlier = self._earlier.nearest(file, size)
                if earlier is not None:
                    # A version that proves wrong costs a second pass, and nothing else.
                    with suppress(DoubtfulVersion):
                        parts = parts_beside(file, size, earlier, rule)
                        self.add_parts(digest, _proven(store, digest, parts))
                        return
            file.seek(0)
            plain = (Part(data) for data in _pieces(file, size, self._snapshot.format))
            self.add_parts(digest, _proven(store, digest, plain))

    def add_parts(self, digest: Digest, parts: Iterator[Part]) -> None:
        """Adds a blob that comes in parts: a single one is a record, more are a list of them.

        When `parts` fails at its end, parts may be on the remote, but no list makes a blob of them.
        """
        names: list[Digest] = []
        held = next(parts, Part(b""))
        ends = [len(held.data)]
        for part in parts:
            names.append(self._add_part(held))
            ends.append(ends[-1] + len(part.data))
            held = part
        if not names:
            self._add(digest, held.data)
            return
        names.append(self._add_part(held))
        known = tuple(ends) if self._snapshot.format.chunks else ()
        row = BlobRow(digest, ends[-1], tuple(names), known)
        self._builder.add_blob(row)
        if self._earlier is not None:
            self._earlier.add(row)

    def _add_part(self, part: Part) -> Digest:
        name = part.name or digest_of(part.data)
        if name not in self._added and self._snapshot.locate(name) is None:
            if part.is_compared and digest_of(part.data) != name:
                raise DoubtfulVersion
            self._added.add(name)
            self._add(name, part.data)
        return name

    def _add(self, digest: Digest, data: bytes | memoryview) -> None:
        self._builder.add(digest, data)
        if self._builder.size >= self._snapshot.format.pack_bytes:
            self._close_pack()

    def _close_pack(self) -> None:
        pack = self._builder.finish()
        rows = self._builder.blob_rows
        self._builder = PackBuilder(self._remote.cache.spool)
        self._uploader.add_blob_rows(rows)
        if pack is not None:
            self._uploader.send(pack)

    def finish(self) -> None:
        """Closes the last pack, full or not."""
        self._close_pack()


def _pieces(file: BinaryIO, size: int, format: RemoteFormat) -> Iterator[bytes]:
    """Returns chunks or parts of a blob of `size` bytes, as the remote's format has it."""
    if format.chunks is not None and size > format.part_bytes:
        return chunks_of(file, format.chunks)
    return iter(lambda: _read_full(file, format.part_bytes), b"")


def _proven(store: LocalStore, digest: Digest, parts: Iterable[Part]) -> Iterator[Part]:
    """Yields the parts of a large blob and fails at the end if they were not what was stored."""
    large = store.large(digest)
    fast = xxhash.xxh3_128()
    for part in parts:
        fast.update(part.data)
        yield part
    if large is None or fast.digest() != large.fingerprint:
        raise _damaged_here(digest)


def _read_full(file: BinaryIO, length: int) -> bytes:
    """Returns `length` bytes, fewer only at the end; an unbuffered file may give less at once."""
    data = file.read(length)
    while 0 < len(data) < length and (more := file.read(length - len(data))):
        data += more
    return data


def _damaged_here(digest: Digest) -> CorruptObject:
    return CorruptObject(
        f"object {format_digest(digest)} in the local store does not match its name"
    )


def _neither_here_nor_there(lost: set[Digest], snapshot: Snapshot) -> ObjectMissing:
    names = ", ".join(format_digest(digest) for digest in sorted(lost)[:_NAMED])
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    return ObjectMissing(
        f"{len(lost)} objects are neither in the local store nor at {snapshot.url}: {names}{more}",
        hint="push from the clone that added them, or fetch them from another remote",
    )
