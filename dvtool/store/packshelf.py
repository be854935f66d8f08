"""All packs of the store on this machine, and which blob lies in which.

Looks packs up, notices packs that other processes publish, and reads blobs, falling back to
another copy where one is damaged. Writing packs is `packwriting`'s part; large blobs lie elsewhere.
Used by `LocalStore` alone. Safe in several threads: what is loaded is replaced, never changed.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import Final

from dvtool.core.digest import Digest, format_digest
from dvtool.core.pack import RECORD
from dvtool.core.packindex import RecordRow
from dvtool.errors import CorruptObject
from dvtool.store.durable import store_error
from dvtool.store.packfiles import LocalPack, index_stamp, load_pack, without
from dvtool.store.packreads import Damage, Raw, prove, read_head, read_record, read_rows

_PACK_NAME: Final = re.compile(r"[0-9a-f]{32}\.pack")
_DIGEST: Final = itemgetter(0)
_LOOKUPS_PER_TABLE_ROW: Final = 1 / 16
"""A look-up by bisection costs about 16 times what a row costs in building a dict of all."""


class PackShelf:
    """The packs below one directory; nothing is read before the first question.

    Args:
        directory: Where the packs lie; need not exist.
        temp_directory: Where a rebuilt index is written before it gets its name.
    """

    def __init__(self, directory: Path, *, temp_directory: Path) -> None:
        self._directory = directory
        self._temp_directory = temp_directory
        self._guard = threading.RLock()
        self._packs: dict[str, LocalPack] | None = None
        self._owners: dict[Digest, LocalPack] | None = None
        self._lookups = 0

    def refresh(self) -> None:
        """Notices packs that came, went or got another index since they were loaded.

        Raises:
            StoreFailed: The directory or a pack cannot be read.
        """
        with self._guard:
            old = self._packs or {}
            new = {}
            for stem, stamp in self._listing():
                pack = old.get(stem)
                if pack is None or stamp != (pack.size_bytes, *pack.stamp):
                    # Gone between listing and loading: then it is not there, and no error.
                    with contextlib.suppress(FileNotFoundError):
                        new[stem] = self._load(stem)
                else:
                    new[stem] = pack
            if self._packs is None or new != old:
                self._packs, self._owners, self._lookups = new, None, 0

    def add(self, pack: LocalPack) -> None:
        """Takes up a pack this process has just published."""
        with self._guard:
            self._packs = {**self._loaded(), pack.stem: pack}
            if self._owners is not None:
                self._owners.update(zip(pack.index.digests(), repeat(pack), strict=False))

    def packs(self) -> list[LocalPack]:
        """Returns the packs as last loaded."""
        return list(self._loaded().values())

    def has(self, digest: Digest) -> bool:
        """Returns whether a pack is known to hold `digest`; looks at nothing new."""
        owners = self._owners
        if owners is not None:
            return digest in owners
        return self._owner(digest) is not None

    def missing(self, wanted: set[Digest]) -> set[Digest]:
        """Returns what of `wanted` no pack is known to hold."""
        owners = self._owners
        if owners is not None:
            return {digest for digest in wanted if digest not in owners}
        if len(wanted) < _LOOKUPS_PER_TABLE_ROW * sum(len(pack.index) for pack in self.packs()):
            return {digest for digest in wanted if self._owner(digest) is None}
        return wanted.difference(self.digests())

    def is_sound(self, digest: Digest) -> bool:
        """Returns whether a pack holds `digest` and its bytes match their xxh3."""
        with contextlib.suppress(CorruptObject):
            return self.read(digest) is not None
        return False

    def digests(self) -> Iterator[Digest]:
        """Yields every digest, some twice."""
        for pack in self.packs():
            yield from pack.index.digests()

    def size_of(self, digest: Digest) -> int | None:
        """Returns the size of a blob in bytes as its record says, None when no pack has it.

        Raises:
            CorruptObject: Its record head is damaged.
        """
        pack = self._owner(digest)
        row = _row(pack, digest) if pack else None
        if pack is None or row is None:
            return None
        with contextlib.suppress(FileNotFoundError):
            head = read_head(pack.path, row.offset)
            if head.digest != digest:
                raise CorruptObject(f"object {format_digest(digest)} is not where the index says")
            return head.raw
        return None

    def stored_bytes(self, digest: Digest) -> int | None:
        """Returns how many bytes a blob takes in its pack, by the index; None when no pack has it."""
        pack = self._owner(digest)
        row = _row(pack, digest) if pack else None
        return None if row is None else row.stored

    def read(self, digest: Digest) -> bytes | None:
        """Returns a blob proven by its xxh3, from any pack with a sound copy; None if none has it.

        Raises:
            CorruptObject: There are copies and all are damaged.
        """
        pack = self._owner(digest)
        if pack is None:
            return None
        others = (other for other in self.packs() if other is not pack)
        damage: CorruptObject | None = None
        for candidate in (pack, *others):
            row = _row(candidate, digest)
            if row is None:
                continue
            try:
                return read_record(candidate.path, row)
            except FileNotFoundError:
                continue
            except CorruptObject as error:
                damage = CorruptObject(f"{error}, in {candidate.path}")
        if damage is not None:
            raise damage
        return None

    def read_many(self, wanted: set[Digest]) -> Iterator[tuple[Digest, Raw] | Damage]:
        """Yields what packs hold of `wanted`, each digest once, pack by pack in the order on disk.

        What is found, sound or not, is taken out of `wanted`.
        """
        for pack in self.packs():
            rows = _rows(pack, wanted)
            wanted.difference_update(map(_DIGEST, rows))
            try:
                for found in read_rows(pack.path, rows):
                    yield self._second_try(found) if isinstance(found, Damage) else found
            except FileNotFoundError:
                for row in rows:
                    yield self._second_try(Damage(row.digest, "its pack has gone"))

    def check(self, wanted: set[Digest] | None) -> Iterator[tuple[Digest, str | None]]:
        """Yields each digest with the damage of its only copies, None where one copy is sound."""
        sound: set[Digest] = set()
        damaged: dict[Digest, str] = {}
        for pack in self.packs():
            rows = list(pack.index.rows()) if wanted is None else _rows(pack, wanted)
            with contextlib.suppress(FileNotFoundError):
                for found in read_rows(pack.path, rows):
                    damage = prove(found)
                    if damage is not None:
                        damaged[damage.digest] = f"{damage.reason}, in {pack.path}"
                    elif found[0] not in sound:
                        sound.add(Digest(found[0]))
                        yield Digest(found[0]), None
        for digest, reason in damaged.items():
            if digest not in sound:
                yield digest, reason

    def drop_damaged(self, digest: Digest) -> bool:
        """Takes damaged copies out of the indexes; returns whether a sound copy is left.

        Raises:
            StoreFailed: An index cannot be written.
        """
        is_left = False
        for pack in self.packs():
            row = _row(pack, digest)
            if row is None:
                continue
            with contextlib.suppress(FileNotFoundError):
                if all(prove(found) is None for found in read_rows(pack.path, [row])):
                    is_left = True
                    continue
            with self._guard:
                new = without(pack, digest, temp_directory=self._temp_directory)
                self._packs = {**self._loaded(), new.stem: new}
                self._owners = None
        return is_left

    def _second_try(self, damage: Damage) -> tuple[Digest, Raw] | Damage:
        with contextlib.suppress(CorruptObject):
            data = self.read(damage.digest)
            if data is not None:
                return damage.digest, data
        return damage

    def _owner(self, digest: Digest) -> LocalPack | None:
        packs = self._loaded()
        owners = self._owners
        if not packs:
            return None
        if owners is None:
            self._lookups += 1
            rows = sum(len(pack.index) for pack in packs.values())
            if self._lookups * len(packs) <= rows * _LOOKUPS_PER_TABLE_ROW:
                located = (p for p in packs.values() if p.index.locate(digest) is not None)
                return next(located, None)
            owners = self._table()
        return owners.get(digest)

    def _table(self) -> dict[Digest, LocalPack]:
        with self._guard:
            owners: dict[Digest, LocalPack] = {}
            for pack in self._loaded().values():
                owners.update(zip(pack.index.digests(), repeat(pack), strict=False))
            self._owners = owners
            return owners

    def _loaded(self) -> dict[str, LocalPack]:
        if self._packs is None:
            self.refresh()
        return self._packs or {}

    def _load(self, stem: str) -> LocalPack:
        path = self._directory / f"{stem}.pack"
        return load_pack(path, temp_directory=self._temp_directory)

    def _listing(self) -> list[tuple[str, tuple[int, int, int]]]:
        """Returns every pack's stem with its size and the stamp of its index."""
        found = []
        try:
            with os.scandir(self._directory) as entries:
                names = [entry.name for entry in entries if _PACK_NAME.fullmatch(entry.name)]
            for name in sorted(names):
                pack = self._directory / name
                with contextlib.suppress(FileNotFoundError):
                    found.append((pack.stem, (pack.stat().st_size, *index_stamp(pack))))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise store_error(error, self._directory) from error
        return found


def _row(pack: LocalPack, digest: Digest) -> RecordRow | None:
    place = pack.index.locate(digest)
    if place is None:
        return None
    return RecordRow(digest, 0, place.length - RECORD.size, place.offset)


def _rows(pack: LocalPack, wanted: set[Digest]) -> list[RecordRow]:
    if len(wanted) > len(pack.index) * _LOOKUPS_PER_TABLE_ROW:
        return [row for row in pack.index.rows() if row[0] in wanted]
    return [row for digest in wanted if (row := _row(pack, digest)) is not None]
