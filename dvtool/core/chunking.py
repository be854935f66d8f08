"""Content-defined chunks: where a large blob is cut, decided by the bytes around the cut.

A cut depends on nothing but the bytes since the one before it, so an insertion moves only the cuts
close to it, and everything else is recognised again. Which chunks are stored where is not known
here. Called by `push`; the rule comes from a remote's `dvtool.json`. Spec: docs/format.md#chunks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import BinaryIO

ALGORITHM: Final = "fastcdc-2020"
"""The cuts of the paper of 2020 as `fastcdc-rs` 3 and `pyfastcdc` make them, with seed 0."""
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
    from pyfastcdc import FastCDC

    cutter = FastCDC(
        rule.average_bytes,
        min_size=rule.minimum_bytes,
        max_size=rule.maximum_bytes,
        normalized_chunking=rule.normalization,  # type: ignore[arg-type]
    )
    for chunk in cutter.cut_stream(stream):
        # The view is into a buffer that the next step overwrites.
        yield bytes(chunk.data)
