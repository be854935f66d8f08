"""Content-defined chunks: where a large blob is cut, decided by the bytes around the cut.

A cut depends on nothing but the bytes since the one before it, so an insertion moves only the cuts
close to it, and everything else is recognised again. Which chunks are stored where is not known
here. Called by `push`; the rule comes from a remote's `dvtool.json`. Spec: docs/format.md#chunks.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

    from pyfastcdc import FastCDC

ALGORITHM: Final = "fastcdc-2020"
"""The cuts of the paper of 2020 as `fastcdc-rs` 3 and `pyfastcdc` make them, with seed 0."""
_AHEAD: Final = 4
"""So many of the longest chunks are read at once."""
_BOUNDS: Final = {
    "minimum_bytes": (64, 2**20),
    "average_bytes": (256, 4 * 2**20),
    "maximum_bytes": (1024, 16 * 2**20),
    "normalization": (0, 3),
}


@dataclass(frozen=True, slots=True)
class ChunkRule:
    """How blobs are cut; two blobs share chunks only where they were cut by the same rule.

    Attributes:
        minimum_bytes: No chunk but the last of a blob is shorter.
        average_bytes: Where a cut becomes likelier; chunks of random bytes are a quarter longer.
        maximum_bytes: No chunk is longer.
        normalization: How strongly sizes are drawn to the average, 0 to 3.
    """

    minimum_bytes: int = 128 * 2**10
    average_bytes: int = 512 * 2**10
    maximum_bytes: int = 2 * 2**20
    normalization: int = 1

    @property
    def is_valid(self) -> bool:
        """Whether all numbers are in range and in order."""
        return (
            all(
                type(getattr(self, name)) is int and low <= getattr(self, name) <= high
                for name, (low, high) in _BOUNDS.items()
            )
            and self.minimum_bytes <= self.average_bytes <= self.maximum_bytes
        )


def chunks_of(stream: BinaryIO, rule: ChunkRule) -> Iterator[bytes]:
    """Yields the chunks of everything that is left in `stream`, in order; none for nothing.

    Reads once and holds two chunks of the greatest size, however long the stream is.

    Args:
        stream: Open for reading bytes; may give fewer at once than it is asked for.
        rule: A valid one.

    Raises:
        OSError: As the stream says.
    """
    for chunk in _engine(rule).cut_stream(stream):
        # The view is into a buffer that the next step overwrites.
        yield bytes(chunk.data)


class Cutter:
    """Cuts a file from any place on that is a cut already; gives what `chunks_of` gives there."""

    def __init__(self, descriptor: int, size: int, rule: ChunkRule) -> None:
        """Takes a file open for reading, which is not moved, its size in bytes, and a valid rule."""
        self._descriptor = descriptor
        self._size = size
        self._rule = rule
        self._engine = _engine(rule)
        self._start = 0
        self._held = b""

    def chunk(self, at: int) -> bytes:
        """Returns the chunk that begins at offset `at`, where bytes are left.

        Raises:
            OSError: The file cannot be read, or is shorter than its size.
        """
        wanted = min(self._rule.maximum_bytes, self._size - at)
        if not self._start <= at <= self._start + len(self._held) - wanted:
            self._start = at
            self._held = os.pread(self._descriptor, _AHEAD * self._rule.maximum_bytes, at)
        view = memoryview(self._held)[at - self._start :][:wanted]
        if len(view) < wanted:
            raise OSError(errno.EIO, "the file is shorter than it was")
        return bytes(view[: next(self._engine.cut_buf(view)).length])


def _engine(rule: ChunkRule) -> FastCDC:
    from pyfastcdc import FastCDC

    return FastCDC(
        rule.average_bytes,
        min_size=rule.minimum_bytes,
        max_size=rule.maximum_bytes,
        normalized_chunking=rule.normalization,  # type: ignore[arg-type]
    )
