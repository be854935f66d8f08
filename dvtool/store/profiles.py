"""A folder of profiles: small compressed texts by the address that says what they are about.

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

from dvtool.errors import InvalidText, StoreFailed
from dvtool.store.durable import make_directory, remove_stale_temps, write_atomically

MOST_TEXT_BYTES: Final = 64 << 20
"""No profile's text is larger."""
MOST_PACKED_BYTES: Final = 32 << 20
KEPT_BYTES: Final = 1 << 30
"""What a folder may take, compressed; the profiles that were not asked for longest go first."""
_SUFFIX: Final = ".json.zst"
_ADDRESS = re.compile(r"[0-9a-f]{64}")


class ProfileFolder:
    """The profiles that a clone keeps, one file each."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder, which is made when something is put into it."""
        self._folder = folder

    def get(self, address: str) -> bytes | None:
        """Returns the text kept under an address; None when there is none, or it is damaged.

        Args:
            address: 64 hex digits.
        """
        path = self._path(address)
        try:
            if path.stat().st_size > MOST_PACKED_BYTES:
                return None
            text = unpacked(path.read_bytes())
        except (OSError, InvalidText):
            return None
        with suppress(OSError):
            os.utime(path)  # asked for just now: the last to be forgotten
        return text

    def put(self, address: str, text: bytes) -> bool:
        """Keeps a text under an address; returns False when the disk cannot take it."""
        path = self._path(address)
        try:
            make_directory(path.parent)
            write_atomically(path, packed(text), temp_directory=self._folder / "tmp")
        except StoreFailed:
            return False
        return True

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
        return forgotten

    def __len__(self) -> int:
        """Returns how many profiles are kept."""
        return sum(1 for _ in self._files())

    def _path(self, address: str) -> Path:
        if not _ADDRESS.fullmatch(address):
            raise InvalidText(f"expected 64 hex digits, found {address[:80]!r}")
        return self._folder / address[:2] / f"{address}{_SUFFIX}"

    def _files(self) -> Iterator[tuple[float, int, str]]:
        """Yields time of last use, size in bytes and path."""
        for folder, _, names in os.walk(self._folder):
            for name in names:
                if name.endswith(_SUFFIX) and _ADDRESS.fullmatch(name.removesuffix(_SUFFIX)):
                    path = os.path.join(folder, name)
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
