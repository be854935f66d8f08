"""What a scan found: files that are not as the index remembers them.

Here live the values, kept in columns because there may be a million of them on a first add.
Finding them is `scan`, reading them `reading`; both and the verbs pass them on.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from dvtool.worktree.filestat import STAT, StatKey, size_in

_KEYS: Final = struct.Struct(f"{STAT.size}s")


class Found(NamedTuple):
    """A file that is not as the index remembers it.

    Attributes:
        path: Relative to the data set; empty when the data set is one file.
        mode: `f`, `x`, `l` or `d`.
        stat: Its stat key; NO_STAT for `d`.
    """

    path: bytes
    mode: str
    stat: StatKey

    @property
    def size(self) -> int:
        """Size in bytes."""
        return size_in(self.stat)


class FoundFiles:
    """Many `Found`, kept in columns: about 60 bytes each, iterated any number of times."""

    __slots__ = ("_batches", "size_bytes")

    def __init__(self) -> None:
        self._batches: list[tuple[str, bytes, bytes, str]] = []
        self.size_bytes = 0

    def __len__(self) -> int:
        return sum(len(modes) for _, _, _, modes in self._batches)

    def __iter__(self) -> Iterator[Found]:
        for folder, names, stats, modes in self._batches:
            prefix = os.fsencode(folder) + b"/" if folder else b""
            keys = _KEYS.iter_unpack(stats)
            for name, mode, (key,) in zip(names.split(b"\0"), modes, keys, strict=True):
                yield Found(prefix + name, mode, key)

    def ending(self, ending: bytes) -> Iterator[bytes]:
        """Yields the paths that end in a way that few do."""
        for folder, names, _, _ in self._batches:
            if ending in names:
                prefix = os.fsencode(folder) + b"/" if folder else b""
                yield from (prefix + name for name in names.split(b"\0") if name.endswith(ending))

    def add(self, folder: str, names: list[str], stats: list[StatKey], modes: list[str]) -> None:
        """Adds files of one folder; nothing for empty lists."""
        if names:
            text = os.fsencode("\0".join(names))
            self._batches.append((folder, text, b"".join(stats), "".join(modes)))
            self.size_bytes += sum(map(size_in, stats))
