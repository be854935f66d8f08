"""Clones that share a store: each leaves word of where it is, so that none is forgotten.

A registration is a small file in the store, named by the hash of the path it holds. It is written
when a clone first opens a shared store and never needed to read blobs. Called by the workspace;
read by `dvtool.ops.localgc`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from dvtool.store.durable import make_directory, store_error, write_atomically

_FOLDER: Final = "clones"
_PATH_BYTES_MAX: Final = 4096


def register(store: Path, common_dir: Path) -> None:
    """Leaves word in `store` that the clone with this git directory uses it; once is enough.

    Raises:
        StoreFailed: It cannot be written.
    """
    text = os.fsencode(os.path.abspath(common_dir))
    place = store / _FOLDER / sha256(text).hexdigest()[:32]
    if place.exists():
        return
    make_directory(place.parent)
    write_atomically(place, text, temp_directory=store / "tmp")


def registered(store: Path) -> list[Path]:
    """Returns the git directories of all clones that ever opened `store`, sorted.

    Raises:
        StoreFailed: The registrations cannot be read.
    """
    found = set()
    try:
        for entry in os.scandir(store / _FOLDER):
            with suppress(FileNotFoundError), open(entry.path, "rb") as file:
                text = file.read(_PATH_BYTES_MAX + 1)
                if sha256(text).hexdigest()[:32] == entry.name:
                    found.add(Path(os.fsdecode(text)))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise store_error(error, store / _FOLDER) from error
    return sorted(found)
