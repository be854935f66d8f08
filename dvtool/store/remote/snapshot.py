"""A snapshot: what a remote listed at one moment, and the look-ups over it.

An index row counts only when its pack was listed with the size the index says: presence is what
the remote really has. Made by `Remote.snapshot`; pushing adds to it what was uploaded. Sends
nothing by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from dvtool.core.digest import Digest
from dvtool.core.gcmarks import NO_NOTES, Notes
from dvtool.core.pack import RECORD
from dvtool.core.packindex import BlobRow, Location, PackIndex, PackRef
from dvtool.core.roots import Root
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Listed
from dvtool.store.remote.layout import RemoteFormat

_SCAN_SHARE: Final = 24
"""One binary search costs about as much as walking over this many rows."""
_BATCH_PARTS: Final = 2**18
"""Parts are looked up together, at least so many of them: each look-up walks over the indexes."""
_Avoid = Mapping[Digest, Collection[PackRef]]
_NOTHING: Final[dict[Digest, Collection[PackRef]]] = {}


class Snapshot:
    """What is there, by digest. Look-ups are safe from several threads, while `add` is not running.

    Of several copies the one uploaded last is found first, so that a replaced copy comes before
    the damaged one it replaces.

    Attributes:
        url: The remote's address, for messages.
        listed: Every object by name.
        by_name: Every readable index by its object name, condemned ones too.
        format: What `dvtool.json` says, or what it will say.
        problems: Object name → what is wrong with it: packs that are gone or have another size,
            indexes that do not match their name.
        notes: What garbage collection and erasure have written down.
        plain: For a snapshot to lean on, the one to read by; else the snapshot itself.
    """

    def __init__(
        self,
        url: str,
        listed: dict[str, Listed],
        indexes: Mapping[str, PackIndex],
        *,
        format: RemoteFormat | None = None,
        problems: dict[str, str] | None = None,
        load_roots: Callable[[Snapshot], list[Root]] | None = None,
        notes: Notes = NO_NOTES,
        plain: Snapshot | None = None,
    ) -> None:
        """Takes a listing and the indexes in it, by object name.

        Args:
            url: The remote's address.
            listed: Every object.
            indexes: All that are readable.
            format: What `dvtool.json` says.
            problems: What is known to be wrong already.
            load_roots: Reads the roots, when first asked for.
            notes: What garbage collection and erasure say.
            plain: Given, this one is to lean on: what is condemned counts as absent, so that it is
                sent again, and what was erased as present, so that it is not. One to read by
                takes what is condemned as long as it is there, and nothing that was erased.
        """
        self.url = url
        self.listed = listed
        self.format = format or RemoteFormat()
        self.problems = dict(problems or {})
        self._lock = threading.Lock()
        self._load_roots = load_roots
        self._roots: list[Root] | None = None
        self._indexes: list[tuple[PackIndex, frozenset[PackRef] | None]] = []
        self._disbelieved: set[Digest] = set()
        self.by_name = dict(indexes)
        self.notes = notes
        self.plain = plain or self
        self._leaning = plain is not None
        if not self._leaning:
            self._disbelieved.update(notes.erased)
        condemned = notes.condemned
        for name in sorted(
            indexes, key=lambda name: (name not in condemned, listed[name].modified_s, name)
        ):
            if not (self._leaning and name in condemned):
                self._take(indexes[name])

    @property
    def roots(self) -> list[Root]:
        """All readable roots; read when first asked for."""
        if self._roots is None:
            self._roots = self._load_roots(self) if self._load_roots else []
        return self._roots

    @property
    def pack_sizes(self) -> dict[str, int]:
        """Object name → bytes of every pack listed, those that no index names included."""
        return {
            name: facts.size for name, facts in self.listed.items() if layout.PACK.fullmatch(name)
        }

    @property
    def damaged(self) -> tuple[str, ...]:
        """One line for each object that is not as it should be."""
        return tuple(f"{name} {what}" for name, what in sorted(self.problems.items()))

    def add(self, name: str, index: PackIndex) -> None:
        """Takes in an index just uploaded, and its packs as present."""
        with self._lock:
            self.listed[name] = Listed(0, 0.0)
            for ref in index.packs:
                self.listed[layout.pack_name(ref.name)] = Listed(ref.size, 0.0)
            self.by_name[name] = index
            self._take(index)
            self._disbelieved.difference_update(index.digests())

    def disbelieve(self, digest: Digest) -> None:
        """Counts a record as absent, for it was read and found damaged, until it is sent again."""
        with self._lock:
            self._disbelieved.add(digest)

    def _take(self, index: PackIndex) -> None:
        """Keeps `index` with the packs that must not be used; None stands for none of them."""
        bad = frozenset(ref for ref in index.packs if not self._is_sound(ref))
        self._indexes.insert(0, (index, bad or None))

    def _is_sound(self, ref: PackRef) -> bool:
        name = layout.pack_name(ref.name)
        facts = self.listed.get(name)
        if name in self.notes.condemned and (facts is None or self._leaning):
            return False
        if facts is None:
            self.problems[name] = "is gone"
        elif facts.size != ref.size:
            self.problems[name] = f"has {facts.size} bytes, expected {ref.size}"
        else:
            return True
        return False

    def has(self, digest: Digest) -> bool:
        """Says whether the whole blob can be read."""
        return self.locate(digest) is not None or self.parts_of(digest) is not None

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Returns those of `digests` that cannot be read whole."""
        wanted = set(digests)
        if self._leaning:
            wanted.difference_update(self.notes.erased)
        damaged = wanted & self._disbelieved
        wanted = self._missing_records(wanted - damaged)
        for index, _ in self._indexes:
            for rows in _rows_in(index, wanted):
                lost = self._missing_records({part for row in rows for part in row.parts})
                wanted.difference_update(
                    row.digest for row in rows if not lost or lost.isdisjoint(row.parts)
                )
        return wanted | damaged

    def _missing_records(self, wanted: set[Digest]) -> set[Digest]:
        """Returns those of `wanted`, which is used up, that have no sound record."""
        damaged = wanted & self._disbelieved
        wanted -= damaged
        for index, bad in self._indexes:
            if not wanted:
                break
            if bad is None and not _is_few(wanted, index):
                wanted.difference_update(islice(index.digests(), len(index)))
            else:
                found = _locate_in(index, wanted)
                wanted.difference_update(d for d, at in found if not bad or at.pack not in bad)
        return wanted | damaged

    def without_record(self, digests: Iterable[Digest]) -> set[Digest]:
        """Returns those of `digests` that have no sound record of their own; some are made of parts."""
        return self._missing_records(set(digests))

    def locate(self, digest: Digest, *, avoid: Collection[PackRef] = ()) -> Location | None:
        """Returns where the record of `digest` lies in a sound pack that is not to be avoided."""
        if digest in self._disbelieved:
            return None
        for index, bad in self._indexes:
            at = index.locate(digest)
            if at is not None and not (bad and at.pack in bad) and at.pack not in avoid:
                return at
        return None

    def locate_all(
        self, digests: Collection[Digest], *, avoid: _Avoid = _NOTHING
    ) -> dict[Digest, Location]:
        """Returns where the records of `digests` lie; those that lie nowhere are left out."""
        found: dict[Digest, Location] = {}
        wanted = set(digests) - self._disbelieved
        for index, bad in self._indexes:
            if not wanted:
                break
            here = {
                digest: at
                for digest, at in _locate_in(index, wanted)
                if not (bad and at.pack in bad) and at.pack not in avoid.get(digest, ())
            }
            found.update(here)
            wanted.difference_update(here)
        return found

    def parts_of(self, digest: Digest) -> BlobRow | None:
        """Returns the parts of a large blob; None unless each of them can be read."""
        if digest in self._disbelieved:
            return None
        for index, _ in self._indexes:
            row = index.parts_of(digest)
            if row is not None and all(self.locate(part) for part in set(row.parts)):
                return row
        return None

    def should_hold(self, digest: Digest) -> Iterator[str]:
        """Yields the names of bad packs that, by an index, hold the record of `digest`."""
        for index, bad in self._indexes:
            at = index.locate(digest)
            if at is not None and bad and at.pack in bad:
                yield layout.pack_name(at.pack.name)

    def indexes(self) -> list[PackIndex]:
        """Returns all readable indexes, newest first."""
        return [index for index, _ in self._indexes]

    def records(self) -> Iterator[tuple[Digest, Location, bool]]:
        """Yields every record that an index names, its place, and whether its pack is as listed."""
        for index, bad in self._indexes:
            for row in index.rows():
                pack = index.packs[row.pack]
                at = Location(pack, row.offset, RECORD.size + row.stored)
                yield row.digest, at, not (bad and pack in bad)


def _is_few(wanted: Collection[Digest], index: PackIndex) -> bool:
    return len(wanted) * _SCAN_SHARE < len(index)


def _rows_in(index: PackIndex, wanted: set[Digest]) -> Iterator[list[BlobRow]]:
    """Yields the rows of large blobs in `wanted`, in batches whose parts fit into little memory.

    `wanted` may lose digests between batches.
    """
    if len(wanted) * _SCAN_SHARE < index.blob_count:
        here = list(wanted)
    else:
        here = [digest for digest in index.blob_digests() if digest in wanted]
    batch: list[BlobRow] = []
    count = 0
    for digest in here:
        row = index.parts_of(digest)
        if row is None:
            continue
        batch.append(row)
        count += len(row.parts)
        if count >= _BATCH_PARTS:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _locate_in(index: PackIndex, wanted: set[Digest]) -> Iterable[tuple[Digest, Location]]:
    if _is_few(wanted, index):
        each = ((digest, index.locate(digest)) for digest in wanted)
        return [(digest, at) for digest, at in each if at is not None]
    return list(index.locate_all(wanted))
