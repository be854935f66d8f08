"""Floors: the least work that could give a result, in plain Python; a program run by the cases.

A floor does what no tool can do without and nothing else, so a ratio to it says how much a tool
adds. Each is written the fastest way known in CPython without compiled extensions.

    python floors.py store DIR OUT     read every file, sha256 it, append all bytes to one file
    python floors.py stat DIR          what `status` cannot do without: scandir and stat
    python floors.py create DIR N SIZE what `checkout` and `pull` cannot do without: create the files
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator


def scan(root: str) -> Iterator[os.DirEntry[str]]:
    """Yields every file below a directory."""
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    yield entry


def store(root: str, out: str) -> None:
    """Reads and hashes every file and appends all bytes to one, which is synced at the end."""
    with open(out, "xb", buffering=1 << 20) as pack:
        for entry in scan(root):
            size = entry.stat(follow_symlinks=False).st_size
            descriptor = os.open(entry.path, os.O_RDONLY)
            data = os.read(descriptor, size + 1)
            os.close(descriptor)
            pack.write(hashlib.sha256(data).digest())
            pack.write(data)
        pack.flush()
        os.fsync(pack.fileno())


def stat(root: str) -> None:
    """Asks the size and times of every file."""
    for entry in scan(root):
        entry.stat(follow_symlinks=False)


def create(root: str, files: int, size_bytes: int) -> None:
    """Creates files with content, in directories of a hundred."""
    data = os.urandom(size_bytes)
    os.mkdir(root)
    parent = root
    for number in range(files):
        if number % 100 == 0:
            parent = f"{root}/d{number // 100:04d}"
            os.mkdir(parent)
        descriptor = os.open(
            f"{parent}/f{number % 100:03d}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644
        )
        os.write(descriptor, data)
        os.close(descriptor)


def main() -> None:
    """Runs the floor named on the command line."""
    name, *rest = sys.argv[1:]
    if name == "store":
        store(rest[0], rest[1])
    elif name == "stat":
        stat(rest[0])
    elif name == "create":
        create(rest[0], int(rest[1]), int(rest[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
