"""What was read from a remote and never changes there: indexes, roots and segments.

Kept for ever below a directory of the clone, one file an object, under the object's name. A file
here is never proof of anything: callers check the bytes against the name each time, and presence
always comes from a listing. Losing the cache costs requests, nothing else.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from dvtool.errors import RemoteFailed
from dvtool.store.remote.backend import Spool


class Cache:
    """Files by object name below one directory, which is made when it is first needed."""

    def __init__(self, directory: Path) -> None:
        """Takes the directory; one a remote."""
        self._directory = os.fspath(directory)

    def get(self, name: str) -> bytes | None:
        """Returns the bytes kept under `name`, None when there are none or they are unreadable."""
        try:
            with open(os.path.join(self._directory, name), "rb", buffering=0) as file:
                return file.readall()
        except OSError:
            return None

    def put(self, name: str, data: bytes) -> None:
        """Keeps `data` under `name` if the disk lets us."""
        path = os.path.join(self._directory, name)
        temporary = f"{path}.{secrets.token_hex(8)}.tmp"
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(temporary, "xb") as file:
                file.write(data)
            os.replace(temporary, path)
        except OSError:  # a full or read-only disk does without
            with suppress(OSError):
                os.unlink(temporary)

    def drop(self, name: str) -> None:
        """Forgets what is kept under `name`; nothing is no error."""
        with suppress(OSError):
            os.unlink(os.path.join(self._directory, name))

    def names(self, folder: str) -> list[str]:
        """Returns the names of everything kept directly below `folder`, sorted."""
        try:
            found = os.listdir(os.path.join(self._directory, folder))
        except OSError:
            return []
        return [f"{folder}/{name}" for name in sorted(found)]

    def spool(self, *, hashed: bool = True, in_memory: bool = False) -> Spool:
        """Returns an empty spool on the cache's disk; `hashed` if its sha256 will be asked for.

        With `in_memory` it is on no disk, and the caller bounds its size.

        Raises:
            RemoteFailed: The directory cannot be written.
        """
        try:
            os.makedirs(self._directory, exist_ok=True)
            return Spool(Path(self._directory), hashed=hashed, in_memory=in_memory)
        except OSError as error:
            raise RemoteFailed(
                f"cannot write below {self._directory}: {error.strerror}",
                hint="transfers keep unfinished packs there; free space or correct its rights",
            ) from error
