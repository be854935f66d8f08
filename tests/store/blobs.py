"""Blobs, and processes that store them: what the store's tests share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import xxhash

import dvtool
from dvtool.core.digest import Digest, Fingerprint
from dvtool.store.local import LocalStore
from dvtool.store.writer import StoreWriter

HEAD = 64
"""Bytes of a record's head, and of the end record."""
PACK_HEAD = 32


def blob(number: int, size: int = 1000) -> bytes:
    """Returns bytes of a size that look random and differ for each number."""
    seed = b"%d" % number
    return b"".join(sha256(seed + b"/%d" % i).digest() for i in range(size // 32 + 1))[:size]


def name(data: bytes) -> Digest:
    return Digest(sha256(data).digest())


def fingerprint(data: bytes) -> Fingerprint:
    return Fingerprint(xxhash.xxh3_128(data).digest())


def put(store: LocalStore, *blobs: bytes) -> list[Digest]:
    """Stores small blobs in one pack."""
    with store.writer() as writer:
        for data in blobs:
            writer.add_small(name(data), data)
    return [name(data) for data in blobs]


def put_large(writer: StoreWriter, data: bytes) -> Digest:
    """Fills a temp file and has it adopted."""
    temp = writer.temp_file()
    os.write(temp.fd, data)
    writer.adopt(temp.path, name(data), fingerprint(data))
    return name(data)


def only(root: Path, pattern: str) -> Path:
    """Returns the one file below `root` that matches."""
    (found,) = root.glob(pattern)
    return found


def files(root: Path, *, besides: Sequence[str] = ()) -> list[str]:
    """Returns the files of a store, by their path in it."""
    found = (path for path in root.rglob("*") if path.is_file())
    names = sorted(str(path.relative_to(root)) for path in found)
    return [one for one in names if not one.startswith(tuple(besides))]


def damage(path: Path, offset: int) -> None:
    """Flips one bit of a read-only file."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def start(code: str, *args: object) -> subprocess.Popen[str]:
    """Starts a Python process that can import dvtool and these functions."""
    repository = Path(dvtool.__file__).parent.parent
    prelude = "import os, resource, signal, sys\nfrom pathlib import Path\n"
    prelude += "from tests.store.blobs import *\nroot = Path(sys.argv[1])\n"
    return subprocess.Popen(
        [sys.executable, "-c", prelude + code, *map(str, args)],
        env={**os.environ, "PYTHONPATH": str(repository)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, *args: object) -> tuple[int, str]:
    """Runs a Python process to its end; returns how it ended and what it said."""
    with start(code, *args) as process:
        out, err = process.communicate()
        return process.returncode, out + err
