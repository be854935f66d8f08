"""Plain read-only paths of blobs, for programs that read no file systems but the local one.

A large blob is a file of the store and is linked to; a small one is copied out of its pack. The
path ends in the file's own name, because readers go by endings. Called by `versionfiles`.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from dvtool.core.tree import Entry
from dvtool.ops.workspace import Workspace
from dvtool.store.durable import store_error


def path_in_store(workspace: Workspace, entry: Entry, name: str) -> Path:
    """Returns a path to read a blob from that is in the store; never write to it.

    It stays until the clone is deleted; of a large blob, until `gc --local` drops the blob.

    Raises:
        ObjectMissing: It is not in the store.
        CorruptObject: It is damaged there.
        StoreFailed: The file cannot be written.
    """
    target = workspace.shared_dir / "local" / entry.digest.hex() / name
    large = workspace.store.path_of(entry.digest)
    if large is None and target.is_file() and target.stat().st_size == entry.size:
        return target
    if large is not None and target.is_symlink() and os.readlink(target) == str(large):
        return target
    unfinished = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if large is not None:
            os.symlink(large, unfinished)
        else:
            unfinished.write_bytes(workspace.store.read(entry.digest))
            unfinished.chmod(0o444)
        os.replace(unfinished, target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise store_error(error, target) from error
    return target
