"""A folder of profiles: small compressed texts, by the file that they are about and an address.

Here live the files, their compression and their bound; what a profile's text means, and how its
address comes about, is `dvtool.quality.profile`. Everything in it can be computed again, so damage
and a full disk cost time and nothing else. Called by `dvtool.ops.profile`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from dvtool.core.digest import Digest
from dvtool.errors import InvalidText, StoreFailed
from dvtool.store.durable import make_directory, remove_stale_temps, write_atomically

MOST_TEXT_BYTES: Final = 64 << 20
"""No profile's text is larger."""
MOST_PACKED_BYTES: Final = 32 << 20
KEPT_BYTES: Final = 1 << 30
"""What a folder may take, compressed; the profiles that were not asked for longest go first."""
_SUFFIX: Final = ".json.zst"
_HEX = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-f]{64}/[0-9a-f]{64}")


def profile_name(digest: Digest, address: str) -> str:
    """Returns what a profile is called: the file's digest and the address, 64 hex digits each.

    One file has several profiles when it was read, or its columns were protected, in several ways.
    """
    return f"{digest.hex()}/{address}"


class ProfileFolder:
    """The profiles that a clone keeps, one file each; names are those of `profile_name`."""

    def __init__(self, folder: Path, suffix: str = _SUFFIX) -> None:
        """Takes the folder, which is made when something is put into it, and how files end."""
        self._folder = folder
        self._suffix = suffix

    def get(self, name: str) -> bytes | None:
        """Returns the text of that name; None when there is none, or it is damaged.

        Raises:
            InvalidText: The name is none that `profile_name` gives.
        """
        path = self._path(name)
        try:
            if path.stat().st_size > MOST_PACKED_BYTES:
                return None
            text = unpacked(path.read_bytes())
        except (OSError, InvalidText):
            return None
        with suppress(OSError):
            os.utime(path)  # asked for just now: the last to be forgotten
        return text

    def put(self, name: str, text: bytes) -> bool:
        """Keeps a text under a name; returns False when the disk cannot take it.

        Raises:
            InvalidText: The name is none that `profile_name` gives.
        """
        path = self._path(name)
        try:
            make_directory(path.parent)
            write_atomically(path, packed(text), temp_directory=self._folder / "tmp")
        except StoreFailed:
            return False
        return True

    def __contains__(self, name: str) -> bool:
        """Tells whether something is kept under a name, damaged or not."""
        return self._path(name).exists()

    def digests(self) -> list[Digest]:
        """Returns the files of which something is kept, sorted."""
        try:
            found = sorted(os.listdir(self._folder))
        except OSError:
            return []
        return [Digest(bytes.fromhex(one)) for one in found if _HEX.fullmatch(one)]

    def names_of(self, digest: Digest) -> list[str]:
        """Returns the names of all profiles of one file, sorted; none is no error."""
        try:
            found = os.listdir(self._folder / digest.hex())
        except OSError:
            return []
        names = (f"{digest.hex()}/{one.removesuffix(self._suffix)}" for one in sorted(found))
        return [name for name in names if _NAME.fullmatch(name)]

    def forget(self, digest: Digest) -> int:
        """Removes all profiles of one file; returns how many there were."""
        names = self.names_of(digest)
        for name in names:
            self._path(name).unlink(missing_ok=True)
        with suppress(OSError):
            os.rmdir(self._folder / digest.hex())
        return len(names)

    def trim(self, *, most_bytes: int = KEPT_BYTES) -> int:
        """Forgets what was not asked for longest until the rest takes at most `most_bytes`.

        Returns:
            How many profiles were forgotten.
        """
        remove_stale_temps(self._folder / "tmp")
        found = sorted(self._files(), reverse=True)
        kept = forgotten = 0
        for _, size, path in found:
            kept += size
            if kept > most_bytes:
                with suppress(OSError):
                    os.unlink(path)
                    forgotten += 1
                    os.rmdir(os.path.dirname(path))  # refused while another profile lies there
        return forgotten

    def __len__(self) -> int:
        """Returns how many profiles are kept."""
        return sum(1 for _ in self._files())

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InvalidText(f"expected two times 64 hex digits, found {name[:160]!r}")
        return self._folder / f"{name}{self._suffix}"

    def _files(self) -> Iterator[tuple[float, int, str]]:
        """Yields time of last use, size in bytes and path."""
        for folder, _, files in os.walk(self._folder):
            for file in files:
                if _NAME.fullmatch(f"{os.path.basename(folder)}/{file.removesuffix(self._suffix)}"):
                    path = os.path.join(folder, file)
                    with suppress(OSError):
                        facts = os.stat(path)
                        yield facts.st_mtime, facts.st_size, path


def packed(text: bytes) -> bytes:
    """Returns a text as one zstd frame with its size and a checksum; the same text, same bytes."""
    import zstandard

    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(text)


def unpacked(data: bytes) -> bytes:
    """Returns the text that `packed` was given.

    Raises:
        InvalidText: It is no such frame, is damaged, or its text is larger than a profile may be.
    """
    import zstandard

    try:
        size = zstandard.frame_content_size(data)
        if not 0 <= size <= MOST_TEXT_BYTES:
            raise InvalidText(f"profile: {size} bytes, allowed {MOST_TEXT_BYTES}")
        frame = zstandard.ZstdDecompressor().decompressobj()
        text = frame.decompress(data)
    except zstandard.ZstdError as error:
        raise InvalidText(f"profile: damaged ({error})") from error
    if not frame.eof or frame.unused_data or len(text) != size:
        raise InvalidText("profile: cut off, or followed by something else")
    return text
