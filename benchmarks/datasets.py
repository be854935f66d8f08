"""The data that is measured on: trees of small files, one large file, and a digest to check results.

Everything follows from a seed, so that two runs, machines or tools see the same bytes. Content is
either random (does not compress, does not deduplicate: the worst case) or CSV (compresses about
as well as real tables do).
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FILES_PER_DIRECTORY = 100
BLOCK_BYTES = 4096  # what a small file occupies is rounded up to this on usual file systems
CHUNK_BYTES = 4 << 20
CITIES = ("Aarhus", "Bergen", "Cluj", "Dijon", "Évora", "Faro", "Gdańsk", "Haarlem", "Iași", "Jena")

Content = Callable[[str, int], bytes]


def random_bytes(seed: str, size_bytes: int) -> bytes:
    """Returns bytes that no compressor makes smaller."""
    return hashlib.shake_128(seed.encode()).digest(size_bytes)


def csv_bytes(seed: str, size_bytes: int) -> bytes:
    """Returns rows of a table (id, day, city, amount, share), cut at the size."""
    rng = random.Random(seed)
    rows = []
    length = 0
    while length < size_bytes:
        number = rng.getrandbits(40)
        row = b"%d,2026-%02d-%02d,%s,%.2f,%.6f\n" % (
            number,
            1 + number % 12,
            1 + number % 28,
            CITIES[number % 10].encode(),
            (number >> 7) % 100000 / 100,
            (number >> 3) % 1000003 / 1000003,
        )
        rows.append(row)
        length += len(row)
    return b"".join(rows)[:size_bytes]


CONTENTS: dict[str, Content] = {"random": random_bytes, "csv": csv_bytes}


@dataclass(frozen=True, slots=True)
class TreeSpec:
    """A tree of small files: how many, how large, of what."""

    files: int
    size_bytes: int
    content: Content
    seed: str = "tree"

    def names(self) -> Iterator[str]:
        """Yields the relative path of every file, directory after directory."""
        for number in range(self.files):
            yield f"d{number // FILES_PER_DIRECTORY:04d}/f{number % FILES_PER_DIRECTORY:03d}.bin"

    @property
    def disk_bytes(self) -> int:
        """What the tree occupies on disk, in whole blocks."""
        return self.files * -(-self.size_bytes // BLOCK_BYTES) * BLOCK_BYTES


def write_tree(root: Path, spec: TreeSpec) -> None:
    """Writes the whole tree into a directory that does not exist yet."""
    root.mkdir(parents=True)
    directory = ""
    for name in spec.names():
        parent = name.partition("/")[0]
        if parent != directory:
            (root / parent).mkdir()
            directory = parent
        _write(root / name, spec.content(f"{spec.seed}/{name}", spec.size_bytes))


def change_share(root: Path, spec: TreeSpec, *, one_in: int, generation: int) -> None:
    """Rewrites one file in `one_in`, others in each generation, with new bytes of the same size.

    The changed files lie in all directories, which is the dearest way to change that many.
    """
    for number, name in enumerate(spec.names()):
        if number % one_in == generation % one_in:
            _write(root / name, spec.content(f"{spec.seed}/{name}/{generation}", spec.size_bytes))


def write_big(path: Path, *, size_bytes: int, content: Content) -> None:
    """Writes one large file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        for offset in range(0, size_bytes, CHUNK_BYTES):
            file.write(content(f"big/{offset}", min(CHUNK_BYTES, size_bytes - offset)))


def digest(root: Path) -> str:
    """Returns the sha256 over names and contents of all files below a directory, or of one file.

    Independent of every tool that is measured; the harness calls it to see that what a tool
    brought back is what went in.
    """
    total = hashlib.sha256()
    paths = sorted(Path(parent) / name for parent, _, names in os.walk(root) for name in names)
    for path in paths or [root]:
        total.update(os.fsencode(path.relative_to(root)) + b"\0")
        with open(path, "rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _write(path: Path, content: bytes) -> None:
    # A new file under the old name: writing into the old one would write through a hard link
    # into a tool's store, and fail on a file that a tool has made read-only.
    path.unlink(missing_ok=True)
    path.write_bytes(content)
