"""Index sections: what this work tree last knew of each file of one data set.

Here lives the immutable value, in columns grouped by folder, because a row costs 90 bytes that way
and ten times as much as an object. Changing one is `edit`, its file is `statindex`, comparing it
with the disk is `scan`. Called by all of them and by the verbs.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Final, NamedTuple

from dvtool.core.digest import DIGEST_BYTES, FINGERPRINT_BYTES, NO_DIGEST, Digest, Fingerprint
from dvtool.core.tree import EMPTY_DIRECTORY, Entry
from dvtool.worktree.filestat import STAT, StatFields, StatKey, size_in

NO_FINGERPRINT: Final = Fingerprint(b"")
"""Says that the bases correspond to no known sidecar text."""

Buffer = bytes | bytearray | memoryview
WIDTHS: Final = (STAT.size, 1, FINGERPRINT_BYTES, DIGEST_BYTES)
"""Bytes a row in the columns stats, modes, fingerprints, digests."""

_DIGESTS = struct.Struct(f"{DIGEST_BYTES}s")


class Row(NamedTuple):
    """One file as it was last read or written.

    Attributes:
        path: Relative to the data set; empty for a data set that is one file.
        stat: Its stat key then; one that never matches if it was racy.
        mode: `f`, `x`, `l` or `d`.
        fingerprint: xxh3-128 of the bytes; 16 zero bytes for `d`.
        digest: sha256 of the bytes, NO_DIGEST for `d`.
    """

    path: bytes
    stat: StatKey
    mode: str
    fingerprint: Fingerprint
    digest: Digest

    def entry(self) -> Entry:
        """Returns what a manifest says of this file."""
        return Entry(self.path, self.digest, size_in(self.stat), self.mode)


class Span(NamedTuple):
    """Where a folder's rows stand: first row, number of rows, place and length of their names."""

    first: int
    rows: int
    names_at: int
    names_size: int


EMPTY_SPAN: Final = Span(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class IndexSection:
    """All rows of one data set.

    Attributes:
        dataset: Path of the data set, relative to the top.
        sidecar_fingerprint: xxh3-128 of the sidecar text whose entries are exactly the rows' bases
            (and, if not `complete`, more); NO_FINGERPRINT when there is no such text.
        complete: Every entry of that sidecar has a row; false after a partial checkout.
        folders: Folders with rows, each once, in no order; the data set's own is empty.
        counts: Number of rows in each folder.
        name_sizes: Bytes of the names in each folder, with a NUL after each name.
        names: The names themselves.
        stats, modes, fingerprints, digests: One value a row, of fixed width.
        bases: For rows whose last added or checked-out state was another than the row's: that
            entry, None for a file that was never added. All other rows are their own base.
    """

    dataset: str
    sidecar_fingerprint: Fingerprint = NO_FINGERPRINT
    complete: bool = False
    folders: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    name_sizes: tuple[int, ...] = ()
    names: Buffer = b""
    stats: Buffer = b""
    modes: Buffer = b""
    fingerprints: Buffer = b""
    digests: Buffer = b""
    bases: Mapping[bytes, Entry | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.modes)

    def spans(self) -> dict[str, Span]:
        """Returns where each folder's rows are."""
        firsts = accumulate(self.counts, initial=0)
        places = accumulate(self.name_sizes, initial=0)
        spans = map(Span, firsts, self.counts, places, self.name_sizes)
        return dict(zip(self.folders, spans, strict=True))

    def names_in(self, span: Span) -> list[bytes]:
        """Returns the names of a folder's rows; for a data set that is one file, an empty one."""
        block = bytes(self.names[span.names_at : span.names_at + span.names_size])
        return block.split(b"\0")[:-1]

    def stats_in(self, span: Span) -> Iterator[StatFields]:
        """Yields size, mtime_ns, ctime_ns and inode of a folder's rows."""
        block = self.stats[span.first * STAT.size : (span.first + span.rows) * STAT.size]
        return STAT.iter_unpack(block)

    def paths(self) -> Iterator[bytes]:
        """Yields every row's path, in the order of the columns."""
        for folder, span in self.spans().items():
            names = self.names_in(span)
            if folder:
                prefix = os.fsencode(folder) + b"/"
                yield from (prefix + name for name in names)
            else:
                yield from names

    def rows(self) -> Iterator[Row]:
        """Yields every row, in the order of the columns."""
        for number, path in enumerate(self.paths()):
            yield self.row_at(number, path)

    def rows_of(self, paths: set[bytes] | frozenset[bytes]) -> dict[bytes, Row]:
        """Returns the rows of those `paths` that have one."""
        return {path: self.row_at(n, path) for n, path in enumerate(self.paths()) if path in paths}

    def each_entry(self) -> Iterator[Entry]:
        """Yields what is on the disk as entries, in the order of the columns."""
        for folder, span in self.spans().items():
            first, stop = span.first, span.first + span.rows
            prefix = os.fsencode(folder) + b"/" if folder else b""
            digests = _DIGESTS.iter_unpack(self.digests[first * DIGEST_BYTES : stop * DIGEST_BYTES])
            modes = str(self.modes[first:stop], "ascii")
            columns = zip(self.names_in(span), digests, self.stats_in(span), modes, strict=True)
            for name, (digest,), stat, mode in columns:
                known = digest if mode != EMPTY_DIRECTORY else NO_DIGEST
                yield Entry(prefix + name, known, stat[0], mode)

    def entries(self) -> list[Entry]:
        """Returns what is on the disk as entries, sorted by path: what a manifest would say."""
        return sorted(self.each_entry(), key=_path_of)

    def base_entries(self) -> list[Entry]:
        """Returns the last added or checked-out entry of every path that has one, sorted."""
        bases = self.bases
        if not bases:
            return self.entries()
        chosen = (bases.get(entry.path, entry) for entry in self.entries())
        return [entry for entry in chosen if entry is not None]

    def digest_set(self) -> set[Digest]:
        """Returns every distinct digest on the disk, for asking a store which it misses."""
        found = {Digest(row[0]) for row in _DIGESTS.iter_unpack(self.digests)}
        found.discard(Digest(bytes(DIGEST_BYTES)))
        return found

    def matching(self, sidecar_fingerprint: Fingerprint, *, complete: bool) -> IndexSection:
        """Returns the same rows, said to be what that sidecar text holds."""
        return replace(self, sidecar_fingerprint=sidecar_fingerprint, complete=complete)

    def settled(self, sidecar_fingerprint: Fingerprint) -> IndexSection:
        """Returns the same rows as their own bases: the state right after an add of everything."""
        return replace(self, sidecar_fingerprint=sidecar_fingerprint, complete=True, bases={})

    def renamed(self, dataset: str) -> IndexSection:
        """Returns the same rows under another data set path."""
        return replace(self, dataset=dataset)

    def row_at(self, number: int, path: bytes) -> Row:
        """Returns the row with that number, which must be that of `path`."""
        mode = chr(self.modes[number])
        digest = bytes(self.digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES])
        mark = bytes(self.fingerprints[number * 16 : (number + 1) * 16])
        stat = bytes(self.stats[number * STAT.size : (number + 1) * STAT.size])
        known = NO_DIGEST if mode == EMPTY_DIRECTORY else Digest(digest)
        return Row(path, StatKey(stat), mode, Fingerprint(mark), known)


def _path_of(entry: Entry) -> bytes:
    return entry.path
