"""A snapshot: what a remote listed at one moment, and the look-ups over it.

An index row counts only when its pack was listed, with the size the index says, and nobody has
marked it as damaged: presence is what the remote really has. Made by `Remote.snapshot`; pushing
adds to it what was uploaded. Sends nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from typing import Final

from dvtool.core.digest import Digest
from dvtool.core.packindex import BlobRow, Location, PackIndex, PackRef
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Listed
from dvtool.store.remote.layout import RemoteFormat

_SCAN_SHARE: Final = 24
"""One binary search costs about as much as walking over this many rows."""


class Snapshot:
    """What is there, by digest. Look-ups are safe from several threads; adding is locked.

    Attributes:
        url: The remote's address, for messages.
        listed: Every object by name.
        format: What `dvtool.json` says, or what it will say.
        damaged: Object name → what is wrong with it: packs that are gone or have another size,
            indexes that do not match their name.
    """

    def __init__(
        self,
        url: str,
        listed: dict[str, Listed],
        indexes: Mapping[str, PackIndex],
        *,
        format: RemoteFormat | None = None,  # noqa: A002
        damaged: dict[str, str] | None = None,
    ) -> None:
        """Takes a listing and the indexes in it, by object name."""
        self.url = url
        self.listed = listed
        self.format = format or RemoteFormat()
        self.damaged = damaged if damaged is not None else {}
        self._lock = threading.Lock()
        self._indexes: list[tuple[PackIndex, frozenset[PackRef] | None]] = []
        self._marked = {m[1] for name in listed if (m := layout.DAMAGED.fullmatch(name))}
        for index in indexes.values():
            self._take(index)

    def add(self, name: str, index: PackIndex) -> None:
        """Takes in an index just uploaded, and its packs as present."""
        with self._lock:
            self.listed[name] = Listed(0, 0.0)
            for ref in index.packs:
                self.listed[layout.pack_name(ref.name)] = Listed(ref.size, 0.0)
            self._take(index)

    def _take(self, index: PackIndex) -> None:
        """Keeps `index` with the packs that must not be used; None stands for none of them."""
        bad = frozenset(ref for ref in index.packs if not self._is_sound(ref))
        self._indexes.append((index, bad or None))

    def _is_sound(self, ref: PackRef) -> bool:
        name = layout.pack_name(ref.name)
        facts = self.listed.get(name)
        if ref.name.hex() in self._marked:
            self.damaged[name] = "is marked as damaged"
        elif facts is None:
            self.damaged[name] = "is gone"
        elif facts.size != ref.size:
            self.damaged[name] = f"has {facts.size} bytes, expected {ref.size}"
        else:
            return True
        return False

    def has(self, digest: Digest) -> bool:
        """Says whether the whole blob can be read."""
        return self.locate(digest) is not None or self.parts_of(digest) is not None

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Returns those of `digests` that cannot be read whole."""
        wanted = set(digests)
        for index, bad in self._indexes:
            if not wanted:
                break
            if bad is None and not _is_few(wanted, index):
                wanted.difference_update(islice(index.digests(), len(index)))
            else:
                wanted.difference_update(d for d, _ in _locate_in(index, bad, wanted))
        if wanted and any(len(index.blobs) for index, _ in self._indexes):
            wanted = {d for d in wanted if self.parts_of(d) is None}
        return wanted

    def locate(self, digest: Digest) -> Location | None:
        """Returns where the record of `digest` lies; None when nowhere, or only in bad packs."""
        for index, bad in self._indexes:
            found = index.locate(digest)
            if found is not None and (bad is None or found.pack not in bad):
                return found
        return None

    def locate_all(self, digests: Collection[Digest]) -> dict[Digest, Location]:
        """Returns where the records of `digests` lie; those that lie nowhere are left out."""
        found: dict[Digest, Location] = {}
        wanted = set(digests)
        for index, bad in self._indexes:
            if not wanted:
                break
            here = dict(_locate_in(index, bad, wanted))
            found.update(here)
            wanted.difference_update(here)
        return found

    def parts_of(self, digest: Digest) -> BlobRow | None:
        """Returns the parts of a large blob; None unless each of them can be read."""
        for index, _ in self._indexes:
            row = index.parts_of(digest)
            if row is not None and self._has_records(row.parts):
                return row
        return None

    def where_looked(self) -> str:
        """Returns what was searched, for an error's text."""
        return f"{self.url} ({len(self._indexes)} indexes)"

    def indexes(self) -> list[PackIndex]:
        """Returns all readable indexes."""
        return [index for index, _ in self._indexes]

    def packs(self) -> list[PackRef]:
        """Returns every pack that may be used, each once."""
        refs = {ref: None for index, bad in self._indexes for ref in index.packs if ref not in (bad or ())}
        return list(refs)

    def _has_records(self, digests: Iterable[Digest]) -> bool:
        return all(self.locate(digest) is not None for digest in set(digests))


def _is_few(wanted: Collection[Digest], index: PackIndex) -> bool:
    return len(wanted) * _SCAN_SHARE < len(index)


def _locate_in(
    index: PackIndex, bad: frozenset[PackRef] | None, wanted: set[Digest]
) -> list[tuple[Digest, Location]]:
    if _is_few(wanted, index):
        each = ((digest, index.locate(digest)) for digest in wanted)
        found = [(digest, place) for digest, place in each if place is not None]
    else:
        found = list(index.locate_all(wanted))
    if bad is None:
        return found
    return [(digest, place) for digest, place in found if place.pack not in bad]
