"""What the tests of chunks share: a small rule, a backend that counts bytes, blobs by their digest."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

from dvtool.core.chunking import ChunkRule
from dvtool.core.digest import Digest
from dvtool.errors import RemoteFailed
from dvtool.store.remote.backend import Sink
from dvtool.store.remote.layout import RemoteFormat
from tests.remote.parts import MIB, Counting

GOLDEN = Path(__file__).with_name("golden-fixed-parts")
KIB = 1024
RULE = ChunkRule(16 * KIB, 64 * KIB, 256 * KIB)
CHUNKED = RemoteFormat(part_bytes=256 * KIB, pack_bytes=MIB, chunks=RULE)


class Metered(Counting):
    """Counts bytes that are read, and cuts the line after so many."""

    bytes_read = 0
    bytes_left: int | None = None

    def read_range(self, name: str, start: int, end: int, sink: Sink) -> None:
        self.bytes_read += end - start
        if self.bytes_left is not None:
            self.bytes_left -= end - start
            if self.bytes_left < 0:
                raise RemoteFailed("the line is cut")
        super().read_range(name, start, end, sink)


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def named(*contents: bytes) -> dict[Digest, bytes]:
    return {Digest(hashlib.sha256(data).digest()): data for data in contents}
