"""The store on this machine: every blob this clone has, by digest.

Small blobs lie in packs, large ones in plain read-only files; this module decides where to look and
leaves the work to `packshelf`, `largefiles` and `writer`. The verbs read and write through it, the
remote fills it and empties itself from it. Nothing here knows of git or of paths in a work tree.

    <root>/packs/<nonce>.pack, .idx        large/ab/<sha256>.<xxh3-128>        tmp/  damaged/  lock
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from dvtool.core.digest import Digest, digest_of, format_digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.pack import MAX_RECORD_BYTES, PACK_BYTES
from dvtool.errors import CorruptObject, ObjectMissing, UsageError
from dvtool.store.durable import store_error
from dvtool.store.largefiles import LargeBlob, LargeFiles, damage_of, read_large
from dvtool.store.locks import DEFAULT_TIMEOUT_S, FileLock
from dvtool.store.packreads import Damage, Raw
from dvtool.store.packshelf import PackShelf

if TYPE_CHECKING:
    from dvtool.store.writer import StoreWriter

SMALL_BLOB_BYTES: Final = 2**20
"""Blobs below this size go into packs, others become files of their own."""
_NAMED: Final = 10
"""How many digests an error about many spells out."""


class LocalStore:
    """Blobs below one directory. Make it with `open`; safe in threads and beside processes.

    Attributes:
        root: The directory.
    """

    def __init__(self, root: Path, *, progress: Progress, lock_timeout_s: float) -> None:
        self.root = root
        self._progress = progress
        self._lock_timeout_s = lock_timeout_s
        self._temp_directory = root / "tmp"
        self._packs = PackShelf(root / "packs", temp_directory=self._temp_directory)
        self._large = LargeFiles(root / "large", damaged_directory=root / "damaged")

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        progress: Progress = SILENT,
        lock_timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> LocalStore:
        """Returns the store at `root`, which is neither read nor created yet."""
        return cls(root, progress=progress, lock_timeout_s=lock_timeout_s)

    def has(self, digest: Digest) -> bool:
        """Returns whether the store has a blob, as far as it knows without looking again."""
        return self._packs.has(digest) or self._large.has(digest)

    def present(self) -> set[Digest]:
        """Returns the digests of all blobs, after looking what other processes brought."""
        self._refresh()
        found = set(self._packs.digests())
        found.update(self._large.digests())
        return found

    def missing(self, digests: Iterable[Digest]) -> set[Digest]:
        """Returns those of `digests` that the store does not have, after looking again."""
        self._refresh()
        wanted = set(digests)
        absent = self._packs.missing(wanted)
        return {digest for digest in absent if not self._large.has(digest)}

    def read(
        self, digest: Digest, *, size_limit: int = MAX_RECORD_BYTES, verify: bool = False
    ) -> bytes:
        """Returns a blob, proven by its xxh3.

        Args:
            digest: Which.
            size_limit: In bytes; a larger blob is not read into memory.
            verify: Prove it by its sha256 too.

        Raises:
            ObjectMissing: The store does not have it.
            CorruptObject: The store has damaged copies only.
            UsageError: It is larger than `size_limit`.
            StoreFailed: The store cannot be read.
        """
        size_bytes = self._packs.stored_bytes(digest)
        if size_bytes is None:
            size_bytes = self.size_of(digest)
        if size_bytes > size_limit:
            raise UsageError(
                f"object {format_digest(digest)} has {size_bytes} bytes, "
                f"more than the {size_limit} that may be read into memory here"
            )
        data = self._packs.read(digest)
        if data is None:
            with _gone(digest, self.root):
                data = read_large(self._need_large(digest))
        if verify and digest_of(data) != digest:
            raise CorruptObject(f"object {format_digest(digest)} does not match its name")
        return data

    def open_blob(self, digest: Digest) -> BinaryIO:
        """Returns a blob as a binary stream; close it.

        A small one has been proven. A large one is read unproven: whoever relies on it hashes it
        on the way, against the digest or against `large(digest).fingerprint`.

        Raises:
            ObjectMissing: The store does not have it.
            CorruptObject: It is small and damaged.
            StoreFailed: The store cannot be read.
        """
        if (large := self.large(digest)) is None:
            return io.BytesIO(self.read(digest))
        try:
            return large.path.open("rb", buffering=0)
        except OSError as error:
            raise store_error(error, large.path) from error

    def large(self, digest: Digest) -> LargeBlob | None:
        """Returns the file and fingerprint of a large blob, None when there is none."""
        return None if self._packs.has(digest) else self._large.find(digest)

    def large_digests(self) -> Iterator[Digest]:
        """Yields the digest of every blob that has a file of its own.

        Raises:
            StoreFailed: A directory cannot be read.
        """
        return self._large.digests()

    def path_of(self, digest: Digest) -> Path | None:
        """Returns the plain, read-only file of a large blob, None when there is none."""
        large = self.large(digest)
        return large.path if large else None

    def size_of(self, digest: Digest) -> int:
        """Returns the size of a blob in bytes.

        Raises:
            ObjectMissing: The store does not have it.
            CorruptObject: It is small and its record is damaged.
            StoreFailed: The store cannot be read.
        """
        size_bytes = self._packs.size_of(digest)
        if size_bytes is None and self._large.find(digest) is None:
            self._packs.refresh()
            size_bytes = self._packs.size_of(digest)
        if size_bytes is not None:
            return size_bytes
        with _gone(digest, self.root):
            return self._need_large(digest).path.stat().st_size

    def read_many(self, digests: Iterable[Digest]) -> Iterator[tuple[Digest, Raw]]:
        """Yields blobs in the order they lie on disk, each once and proven by its xxh3.

        A view keeps about 4 MiB alive: use it and let it go. Large blobs come last, whole.

        Raises:
            ObjectMissing: Some are not in the store; before the first is yielded.
            CorruptObject: Some are damaged; after all others were yielded.
            StoreFailed: The store cannot be read.
        """
        wanted = set(digests)
        self._need_all(wanted)
        damaged: list[Damage] = []
        for found in self._packs.read_many(wanted):
            if isinstance(found, Damage):
                damaged.append(found)
            else:
                yield found
        for digest in sorted(wanted):
            try:
                yield digest, self.read(digest)
            except CorruptObject as error:
                damaged.append(Damage(digest, str(error)))
        if damaged:
            raise CorruptObject(
                _many("damaged in the store", [one.digest for one in damaged], self.root)
            )

    def writer(self, *, pack_bytes: int = PACK_BYTES) -> StoreWriter:
        """Returns a writer for one run; use it with `with`.

        Args:
            pack_bytes: A pack of this size is published and the next one begun.
        """
        from dvtool.store.writer import StoreWriter  # readers do without

        lock = FileLock(
            self.root / "lock",
            timeout_s=self._lock_timeout_s,
            progress=self._progress,
            shared=True,
        )
        return StoreWriter(
            self._packs,
            packs_directory=self.root / "packs",
            large=self._large,
            temp_directory=self._temp_directory,
            lock=lock,
            pack_bytes=pack_bytes,
        )

    def verify(
        self, digests: Iterable[Digest] | None = None
    ) -> Iterator[tuple[Digest, CorruptObject | ObjectMissing | None]]:
        """Reads everything, or `digests`, and yields each with what is wrong by sha256, or None.

        Of a blob with several copies one sound copy is enough.

        Raises:
            StoreFailed: The store cannot be read.
        """
        self._refresh()
        wanted = None if digests is None else set(digests)
        absent = set() if wanted is None else self._packs.missing(wanted)
        for digest, reason in self._packs.check(wanted):
            yield digest, None if reason is None else _corrupt(digest, reason)
        for digest in self._large.digests() if wanted is None else sorted(absent):
            yield digest, self._check_large(digest)

    def drop(self, digest: Digest) -> bool:
        """Forgets damaged copies of a blob, so that it can be fetched or added again.

        A sound copy is never touched. A large damaged file is kept in `damaged/`, for it may be
        the only copy there is and nearly right.

        Returns:
            Whether the store is now without the blob.

        Raises:
            StoreFailed: The store cannot be read or written.
        """
        self._refresh()
        is_left = self._packs.drop_damaged(digest)
        blob = self._large.find(digest)
        if blob is not None:
            with contextlib.suppress(FileNotFoundError):
                if damage_of(blob, by_sha256=True) is None:
                    return False
                self._large.drop_damaged(blob)
        return not is_left

    def _check_large(self, digest: Digest) -> CorruptObject | ObjectMissing | None:
        blob = self._large.find(digest)
        try:
            if blob is not None:
                reason = damage_of(blob, by_sha256=True)
                return None if reason is None else _corrupt(digest, reason)
        except FileNotFoundError:
            pass
        return _missing(digest, self.root)

    def _refresh(self) -> None:
        self._packs.refresh()
        self._large.refresh()

    def _need_large(self, digest: Digest) -> LargeBlob:
        blob = self._large.find(digest)
        if blob is None:
            raise _missing(digest, self.root)
        return blob

    def _need_all(self, wanted: set[Digest]) -> None:
        absent = {one for one in self._packs.missing(wanted) if not self._large.has(one)}
        if absent:
            absent = self.missing(absent)
        if absent:
            raise ObjectMissing(_many("missing from the store", sorted(absent), self.root))


@contextlib.contextmanager
def _gone(digest: Digest, root: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _missing(digest, root) from error


def _missing(digest: Digest, root: Path) -> ObjectMissing:
    return ObjectMissing(
        f"object {format_digest(digest)} is not in the store {root}",
        hint="dvtool fetch brings it from a remote",
    )


def _corrupt(digest: Digest, reason: str) -> CorruptObject:
    return CorruptObject(f"object {format_digest(digest)} {reason}")


def _many(what: str, digests: list[Digest], root: Path) -> str:
    named = ", ".join(map(format_digest, digests[:_NAMED]))
    more = f" and {len(digests) - _NAMED} more" if len(digests) > _NAMED else ""
    plural = "object" if len(digests) == 1 else "objects"
    return f"{len(digests)} {plural} {what} {os.fspath(root)}: {named}{more}"
