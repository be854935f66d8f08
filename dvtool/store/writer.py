"""Bringing blobs into the store: one writer for one run of `add` or `fetch`.

Small blobs are gathered into packs, large ones arrive as temp files that are adopted; nothing is
visible to anyone before it is complete and on the disk, and several processes may write at once.
That bytes match their digest is the caller's promise, who has just hashed them. Made by
`LocalStore.writer`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from dvtool.core.digest import Digest, Fingerprint, format_digest
from dvtool.core.pack import MAX_RECORD_BYTES, PACK_BYTES
from dvtool.errors import StoreFailed, UsageError
from dvtool.store.durable import (
    TempFile,
    create_temp,
    discard_temp,
    fsync_directory,
    make_directory,
    remove_stale_temps,
    store_error,
    sync_temp,
)
from dvtool.store.largefiles import LargeFiles
from dvtool.store.locks import FileLock
from dvtool.store.packshelf import PackShelf
from dvtool.store.packwriting import PackFile

_ADOPTED_AT_ONCE: Final = 32
"""How many adopted files wait for one round of fsync: the disk likes them together."""


class _Adopted(NamedTuple):
    temp: TempFile
    target: Path


class StoreWriter:
    """Writes blobs; a context manager whose end publishes what was added. Safe in threads.

    When the block ends with an exception, what is complete is published all the same, so that the
    next run goes on from there. After an error while writing, the writer takes nothing more.

    Args:
        packs: Where packs are looked up and announced.
        packs_directory: Where they are published.
        large: Where adopted files belong.
        temp_directory: Where files grow.
        lock: Shared by all writers of the store, so that a clean-up can shut them out.
        pack_bytes: A pack of this size is published and the next one begun.
    """

    def __init__(
        self,
        packs: PackShelf,
        *,
        packs_directory: Path,
        large: LargeFiles,
        temp_directory: Path,
        lock: FileLock,
        pack_bytes: int = PACK_BYTES,
    ) -> None:
        self._packs = packs
        self._packs_directory = packs_directory
        self._large = large
        self._temp_directory = temp_directory
        self._lock = lock
        self._pack_bytes = pack_bytes
        self._guard = threading.RLock()
        self._pack: PackFile | None = None
        self._added: set[Digest] = set()
        self._temps: dict[Path, TempFile] = {}
        self._adopted: list[_Adopted] = []
        self._failure: StoreFailed | None = None

    def __enter__(self) -> StoreWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.flush()
            else:
                # The first error is the one to tell.
                with contextlib.suppress(StoreFailed):
                    self._publish_all()
        finally:
            self.close()

    def add_small(self, digest: Digest, data: bytes | memoryview) -> bool:
        """Adds a blob, to be published later; returns False when the store has it already.

        A copy the store has already is read and proven by its xxh3 first: adding again heals.

        Args:
            digest: The sha256 of `data`; not computed again.
            data: Below 64 MiB; empty is a blob like any other.

        Raises:
            StorageFull: There is no space.
            StoreFailed: The store cannot be written.
        """
        with self._guard:
            if digest in self._added:
                return False
            if self._failure is not None:
                raise self._failure
            if self._packs.has(digest) and self._packs.is_sound(digest):
                return False
            if len(data) > MAX_RECORD_BYTES:
                raise UsageError(f"object {format_digest(digest)} is too large for a pack")
            try:
                pack = self._pack or self._begin_pack()
                # A view may show other bytes by the time the buffer is written.
                pack.append(digest, data if type(data) is bytes else bytes(data))
            except StoreFailed as error:
                self._failure = error
                raise
            self._added.add(digest)
            if pack.size_bytes >= self._pack_bytes:
                self._attempt(self._publish_pack)
            return True

    def temp_file(self) -> TempFile:
        """Returns an empty file to fill with a large blob; `adopt` or `discard` it afterwards.

        The writer owns the descriptor: do not close it.

        Raises:
            StoreFailed: It cannot be created.
        """
        with self._guard:
            if self._failure is not None:
                raise self._failure
            self._prepare()
            temp = create_temp(self._temp_directory, ".blob")
            self._temps[temp.path] = temp
            return temp

    def adopt(self, path: Path, digest: Digest, fingerprint: Fingerprint) -> None:
        """Takes a filled temp file as the blob `digest`, to be published at the next `flush`.

        A copy the store has already is replaced by this one, which has just been proven.

        Args:
            path: Of a `temp_file` of this writer; its descriptor is the writer's from now on.
            digest: The sha256 of what was written to it.
            fingerprint: The xxh3-128 of the same bytes.

        Raises:
            StorageFull: There is no space.
            StoreFailed: The store cannot be written.
        """
        with self._guard:
            temp = self._temps.pop(path)
            self._adopted.append(_Adopted(temp, self._large.place_of(digest, fingerprint)))
            if len(self._adopted) >= _ADOPTED_AT_ONCE:
                self._attempt(self._publish_adopted)

    def discard(self, path: Path) -> None:
        """Throws a temp file away, one already adopted or discarded excepted."""
        with self._guard:
            temp = self._temps.pop(path, None)
            if temp is not None:
                discard_temp(temp)

    def flush(self) -> None:
        """Publishes everything added so far: when this returns, it survives a power cut.

        Raises:
            StorageFull: There is no space.
            StoreFailed: The store cannot be written, or could not earlier on.
        """
        with self._guard:
            if self._failure is not None:
                with contextlib.suppress(StoreFailed):
                    self._publish_all()
                raise self._failure
            self._attempt(self._publish_all)

    def close(self) -> None:
        """Throws away what was not published; does nothing the second time."""
        with self._guard:
            if self._pack is not None:
                self._pack.discard()
                self._pack = None
            for temp in [*self._temps.values(), *(adopted.temp for adopted in self._adopted)]:
                discard_temp(temp)
            self._temps.clear()
            self._adopted.clear()
            self._lock.release()

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except StoreFailed as error:
            self._failure = error
            raise

    def _prepare(self) -> None:
        if not self._lock.is_held:
            self._lock.acquire()
            remove_stale_temps(self._temp_directory)

    def _begin_pack(self) -> PackFile:
        self._prepare()
        self._pack = PackFile(self._temp_directory)
        return self._pack

    def _publish_all(self) -> None:
        try:
            self._publish_pack()
        finally:
            self._publish_adopted()

    def _publish_pack(self) -> None:
        pack = self._pack
        if pack is None:
            return
        try:
            pack.write_out()
        finally:
            # Also when the last buffer found no space: what is in the file already is complete.
            self._pack = None
            published = pack.publish(self._packs_directory)
            if published is not None:
                self._packs.add(published)

    def _publish_adopted(self) -> None:
        directories = set()
        while self._adopted:
            temp, target = self._adopted[-1]
            make_directory(target.parent)
            try:
                sync_temp(temp)
                temp.path.replace(target)
            except OSError as error:
                # Linux tells of a failed write-back once: a second fsync would seem to succeed.
                discard_temp(self._adopted.pop().temp)
                raise store_error(error, target) from error
            os.close(self._adopted.pop().temp.fd)
            directories.add(target.parent)
        try:
            for directory in directories:
                fsync_directory(directory)
        except OSError as error:
            raise store_error(error, self._temp_directory) from error
        if directories:
            self._large.refresh()
