"""`add --into`: files from anywhere become entries of a data set that need not be here.

The work tree is not touched. Called by the CLI.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dvtool.core.manifest import check_no_clash
from dvtool.core.paths import SIDECAR_SUFFIX, check_path
from dvtool.core.quote import display
from dvtool.core.sidecar import encode_sidecar
from dvtool.core.tree import Entry, Tree
from dvtool.errors import UsageError
from dvtool.git.staging import stage
from dvtool.ops.add import AddReport
from dvtool.ops.merge import store_shards
from dvtool.ops.storing import store_one
from dvtool.ops.workspace import Workspace
from dvtool.worktree.reading import Reader
from dvtool.worktree.scan import scan


def add_into(workspace: Workspace, dataset: str, inside: bytes, files: Sequence[Path]) -> AddReport:
    """Adds or replaces entries of a data set that need not be here; the work tree is not touched.

    Args:
        workspace: Where.
        dataset: A tracked directory.
        inside: Folder within it to put the files in; empty for its top.
        files: Ordinary files anywhere on this machine.

    Raises:
        UsageError: The data set is no directory, or a file is none.
        InvalidText: A new path cannot stand beside the others.
    """
    with workspace.changing():
        sidecar = workspace.sidecar(dataset)
        if sidecar.kind != "directory":
            raise UsageError(
                f"{dataset} is one file, so nothing can be added into it", hint="dvtool add FILE"
            )
        entries = _stored(workspace, inside, files)
        old = workspace.tree(sidecar)
        tree = Tree([*old.entries, *entries])
        check_no_clash(tree.entries)
        merged, shards = sidecar.with_tree(tree)
        text = encode_sidecar(merged)
        is_changed = text != workspace.sidecar_text(dataset)
        store_shards(workspace.store, shards)
        workspace.write_sidecar(dataset, text)
        stage(workspace.git, [dataset + SIDECAR_SUFFIX])
    same = sum(old.get(entry.path) == entry for entry in entries)
    fresh = sum(entry.path not in old for entry in entries)
    return AddReport(
        dataset,
        new=fresh,
        changed=len(entries) - fresh - same,
        removed=0,
        unchanged=len(old) - (len(entries) - fresh - same),
        size_bytes=sum(entry.size for entry in entries),
        written=is_changed,
    )


def _stored(workspace: Workspace, inside: bytes, files: Sequence[Path]) -> list[Entry]:
    """Stores files from anywhere and returns their entries below `inside`."""
    entries = {}
    with workspace.store.writer() as writer:
        for file in files:
            path = (inside + b"/" if inside else b"") + os.fsencode(file.name)
            check_path(path)
            if not file.is_file() or file.is_symlink():
                raise UsageError(
                    f"not an ordinary file: {display(os.fsencode(file))}",
                    hint="--into takes files, one by one or by a pattern",
                )
            if path in entries:
                raise UsageError(
                    f"two of the files are called {display(path)}", hint="add them one by one"
                )
            folder = file.parent.resolve()
            found = next(iter(scan(folder, file.name).new))
            with Reader(folder, file.name) as reader:
                entries[path] = store_one(reader, writer, found).entry()._replace(path=path)
    return list(entries.values())
