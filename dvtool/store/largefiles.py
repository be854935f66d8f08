"""Large blobs of the store: one plain read-only file each.

A file is named `large/ab/<sha256>.<xxh3-128>`, both in hex: the first is what the blob is, the
second lets a read be proven at the speed of the disk. Plain files can be copied, or shared by the
file system, straight into a work tree. Used by `LocalStore`; files come from `writer`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import xxhash

from dvtool.core.digest import Digest, Fingerprint, format_digest
from dvtool.errors import CorruptObject
from dvtool.store.durable import make_directory, store_error

_FILE_NAME: Final = re.compile(r"([0-9a-f]{64})\.([0-9a-f]{32})")
_BLOCK_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class LargeBlob:
    """A large blob's file.

    Attributes:
        digest: What it should hold.
        fingerprint: xxh3-128 of that, as whoever stored it computed beside the sha256.
        path: The file; never write to it.
    """

    digest: Digest
    fingerprint: Fingerprint
    path: Path


class LargeFiles:
    """The large blobs below one directory; nothing is read before the first question.

    Args:
        directory: Where they lie; need not exist.
        damaged_directory: Where `drop_damaged` puts what it takes away.
    """

    def __init__(self, directory: Path, *, damaged_directory: Path) -> None:
        self._directory = directory
        self._damaged_directory = damaged_directory
        self._listings: dict[int, dict[Digest, LargeBlob]] = {}

    def place_of(self, digest: Digest, fingerprint: Fingerprint) -> Path:
        """Returns where a blob's file belongs."""
        name = f"{digest.hex()}.{fingerprint.hex()}"
        return self._directory / name[:2] / name

    def refresh(self) -> None:
        """Forgets what was listed."""
        self._listings = {}

    def has(self, digest: Digest) -> bool:
        """Returns whether there is a file for `digest`; looks at nothing new."""
        return digest in self._listing(digest[0])

    def find(self, digest: Digest) -> LargeBlob | None:
        """Returns the file of `digest`, looking again where it was not there before."""
        found = self._listing(digest[0]).get(digest)
        if found is None or not found.path.exists():
            self._listings.pop(digest[0], None)
            found = self._listing(digest[0]).get(digest)
        return found

    def digests(self) -> Iterator[Digest]:
        """Yields the digest of every file.

        Raises:
            StoreFailed: A directory cannot be read.
        """
        try:
            names = os.listdir(self._directory)
        except FileNotFoundError:
            return
        except OSError as error:
            raise store_error(error, self._directory) from error
        for name in sorted(names):
            if re.fullmatch(r"[0-9a-f]{2}", name):
                yield from self._listing(int(name, 16))

    def drop_damaged(self, blob: LargeBlob) -> Path:
        """Moves a damaged file aside, for it may be the only, nearly right copy; returns where.

        Raises:
            StoreFailed: It cannot be moved.
        """
        aside = self._damaged_directory / blob.path.name
        make_directory(self._damaged_directory)
        try:
            with contextlib.suppress(FileNotFoundError):
                blob.path.replace(aside)
        except OSError as error:
            raise store_error(error, blob.path) from error
        self._listings.pop(blob.digest[0], None)
        return aside

    def _listing(self, first: int) -> dict[Digest, LargeBlob]:
        known = self._listings.get(first)
        if known is None:
            known = self._listings[first] = self._list(self._directory / f"{first:02x}")
        return known

    def _list(self, directory: Path) -> dict[Digest, LargeBlob]:
        try:
            names = os.listdir(directory)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise store_error(error, directory) from error
        found = {}
        for match in filter(None, map(_FILE_NAME.fullmatch, names)):
            digest = Digest(bytes.fromhex(match[1]))
            fingerprint = Fingerprint(bytes.fromhex(match[2]))
            found[digest] = LargeBlob(digest, fingerprint, directory / match[0])
        return found


def damage_of(blob: LargeBlob, *, by_sha256: bool) -> str | None:
    """Returns why a large file does not hold what its name says, None when it does.

    Args:
        by_sha256: Proof; otherwise the xxh3-128, which finds every accident but no forgery.

    Raises:
        FileNotFoundError: The file has gone.
        StoreFailed: It cannot be read.
    """
    hasher = sha256() if by_sha256 else xxhash.xxh3_128()
    try:
        with blob.path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while block := file.read(_BLOCK_BYTES):
                hasher.update(block)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise store_error(error, blob.path) from error
    if hasher.digest() == (blob.digest if by_sha256 else blob.fingerprint):
        return None
    return f"does not match its name, in {blob.path}"


def read_large(blob: LargeBlob) -> bytes:
    """Returns a large blob whole, proven by its xxh3-128.

    Raises:
        FileNotFoundError: The file has gone.
        CorruptObject: It does not match.
        StoreFailed: It cannot be read.
    """
    try:
        data = blob.path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise store_error(error, blob.path) from error
    if xxhash.xxh3_128_digest(data) != blob.fingerprint:
        raise CorruptObject(f"object {format_digest(blob.digest)} was altered, in {blob.path}")
    return data
