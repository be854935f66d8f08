"""Dropping blobs from the store on this machine, which the caller has found to be safe elsewhere.

Large blobs are files and go one by one; packs of small ones are written anew without what goes,
or go whole. What may be dropped is decided by `dvtool.ops.localgc`. While this runs no writer is
let in; readers look again where a pack has gone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dvtool.core.digest import Digest
from dvtool.errors import CorruptObject, StoreFailed
from dvtool.store.durable import fsync_directory, remove_stale_temps, store_error
from dvtool.store.largefiles import LargeFiles
from dvtool.store.locks import DEFAULT_TIMEOUT_S, FileLock
from dvtool.store.packfiles import LocalPack, index_path
from dvtool.store.packreads import Damage, prove
from dvtool.store.packshelf import PackShelf
from dvtool.store.packwriting import PackFile

_REWRITE_SHARE: Final = 0.25
"""A pack is written anew when at least this share of its bytes can go."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Something that goes at once: a large file, or what can go of a pack.

    Attributes:
        path: The file.
        digests: The blobs that go with it.
        freed_bytes: What that frees.
        used_s: When it was last read or written, in seconds since 1970.
        pack: The pack, None for a large file.
    """

    path: Path
    digests: frozenset[Digest]
    freed_bytes: int
    used_s: float
    pack: LocalPack | None


class Dropping:
    """One clean-up of a store."""

    def __init__(
        self, root: Path, *, lock_timeout_s: float = DEFAULT_TIMEOUT_S, is_thorough: bool = False
    ) -> None:
        """Takes the store's directory; changes nothing yet.

        Args:
            root: Of the store.
            lock_timeout_s: How long to wait for writers.
            is_thorough: Rewrite a pack however little of it goes.
        """
        self._share = 0.0 if is_thorough else _REWRITE_SHARE
        self._root = root
        self._temp = root / "tmp"
        self._packs = PackShelf(root / "packs", temp_directory=self._temp)
        self._large = LargeFiles(root / "large", damaged_directory=root / "damaged")
        self.lock = FileLock(root / "lock", timeout_s=lock_timeout_s)

    def size_bytes(self) -> int:
        """Returns what packs and large files take, in bytes."""
        self._packs.refresh()
        total = sum(pack.size_bytes for pack in self._packs.packs())
        for digest in self._large.digests():
            total += _stat(self._large, digest)[0]
        return total

    def units(self, droppable: Callable[[set[Digest]], set[Digest]]) -> list[Unit]:
        """Returns what can go, the least recently used first.

        Args:
            droppable: Returns those of some digests that may go.
        """
        self._packs.refresh()
        self._large.refresh()
        found = []
        for pack in self._packs.packs():
            gone = droppable(set(pack.index.digests()))
            freed = sum(row.stored + 64 for row in pack.index.rows() if row.digest in gone)
            if gone and (len(gone) == len(pack.index) or freed >= self._share * pack.size_bytes):
                if len(gone) == len(pack.index):
                    freed = pack.size_bytes
                used_s = _used_s(pack.path)
                found.append(Unit(pack.path, frozenset(gone), freed, used_s, pack))
        for digest in sorted(droppable(set(self._large.digests()))):
            blob = self._large.find(digest)
            if blob is not None:
                size_bytes, used_s = _stat(self._large, digest)
                found.append(Unit(blob.path, frozenset({digest}), size_bytes, used_s, None))
        return sorted(found, key=lambda unit: (unit.used_s, unit.path))

    def drop(self, unit: Unit) -> None:
        """Takes a unit away; hold `lock` around this.

        Raises:
            StoreFailed: The store cannot be written; nothing was dropped.
        """
        assert self.lock.is_held
        if unit.pack is not None and len(unit.digests) < len(unit.pack.index):
            self._rewrite(unit.pack, unit.digests)
        try:
            with suppress(FileNotFoundError):
                unit.path.unlink()
            if unit.pack is not None:
                with suppress(FileNotFoundError):
                    index_path(unit.path).unlink()
            fsync_directory(unit.path.parent)
        except OSError as error:
            raise store_error(error, unit.path) from error

    def remove_leftovers(self) -> int:
        """Removes temp files of processes that died; returns how many. Hold `lock` around this."""
        assert self.lock.is_held
        return remove_stale_temps(self._temp)

    def _rewrite(self, pack: LocalPack, without: frozenset[Digest]) -> None:
        keep = {row.digest for row in pack.index.rows()} - without
        new = PackFile(self._temp)
        try:
            for found in self._packs.read_many(set(keep)):
                bad = prove(found)
                if bad is not None or isinstance(found, Damage):
                    raise CorruptObject(f"{pack.path} holds something damaged: left as it is")
                new.append(Digest(found[0]), bytes(found[1]))
            new.write_out()
        except (CorruptObject, StoreFailed):
            new.discard()
            raise
        new.publish(self._root / "packs")


def _stat(large: LargeFiles, digest: Digest) -> tuple[int, float]:
    blob = large.find(digest)
    if blob is None:
        return 0, 0.0
    try:
        facts = os.stat(blob.path)
    except FileNotFoundError:
        return 0, 0.0
    return facts.st_size, max(facts.st_atime, facts.st_mtime)


def _used_s(path: Path) -> float:
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        return 0.0
    return max(facts.st_atime, facts.st_mtime)
