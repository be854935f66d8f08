"""Rooms: a version's own files in a folder beside the work tree, where its schemas are run.

Checks may refer to Python schemas and to other tables; those must be the ones of the version that
is judged, whatever stands in the work tree. A room is made only when checks refer to something.
Called by `judging`.
"""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import CorruptObject, InvalidText, ObjectMissing
from dvtool.git.contents import read_blobs
from dvtool.git.exporting import export_tree
from dvtool.git.sidecars import sidecars_at
from dvtool.ops import subjects
from dvtool.ops.ci.changes import references
from dvtool.ops.fetch import Seen, fetch_blobs
from dvtool.ops.judge_once import OTHER_FILES
from dvtool.ops.selection import owner_of
from dvtool.ops.subjects import ChecksText
from dvtool.ops.workspace import Workspace


class Rooms:
    """The folders of one run, each made once; they go when `stack` closes.

    Args:
        workspace: Where.
        stack: Holds the folders.
        remote_name: Where other tables come from.
        seen: What was seen of it before.
    """

    def __init__(
        self, workspace: Workspace, stack: ExitStack, *, remote_name: str | None, seen: Seen
    ) -> None:
        self._workspace = workspace
        self._stack = stack
        self._remote_name = remote_name
        self._seen = seen
        self._made: dict[str, Path] = {}
        self._tables: set[tuple[str, str]] = set()

    def of(self, tree: str, dataset: str, checks: ChecksText | None) -> Path | None:
        """Returns the folder with the files of `tree`; None when the checks refer to nothing."""
        if checks is None or not any(word in checks.text for word in OTHER_FILES):
            return None
        if tree not in self._made:
            folder = Path(
                self._stack.enter_context(tempfile.TemporaryDirectory(prefix="dvtool-ci-"))
            )
            export_tree(self._workspace.git, tree, folder, environ=self._workspace.environ)
            self._made[tree] = folder
        self._place_tables(
            tree, dataset, (path for path, is_schema in references(checks) if not is_schema)
        )
        return self._made[tree]

    def _place_tables(self, tree: str, dataset: str, written: Iterable[str]) -> None:
        """Puts the tables that checks refer to, and that are data sets themselves, in their place."""
        wanted = [
            posixpath.normpath(posixpath.join(folder, path))
            for path in written
            for folder in (posixpath.dirname(dataset), "")
        ]
        new = [path for path in dict.fromkeys(wanted) if (tree, path) not in self._tables]
        self._tables.update((tree, path) for path in new)
        if not new:
            return
        oids = sidecars_at(self._workspace.git, tree)
        datasets = {path.removesuffix(SIDECAR_SUFFIX) for path in oids}
        for path in new:
            owner = path if path in datasets else owner_of(datasets, path)
            if owner is not None:
                self._place_table(tree, owner, oids[owner + SIDECAR_SUFFIX], path)

    def _place_table(self, tree: str, dataset: str, oid: str, path: str) -> None:
        store = self._workspace.store
        try:
            sidecar = parse_sidecar(read_blobs(self._workspace.git, [oid])[oid], source=dataset)
            self._fetch({shard.digest: shard.size for shard in sidecar.shards})
            files = self._workspace.tree(sidecar)
            inside = path[len(dataset) + 1 :]
            entry = files.get(inside.encode("utf-8", "surrogateescape"))
            if entry is None or entry.mode not in ("f", "x"):
                return
            self._fetch({entry.digest: entry.size})
        except (InvalidText, ObjectMissing, CorruptObject):
            return  # the check that needs it says that it is not here
        file = subjects.stored_files(store, dataset, files)[inside]
        target = self._made[tree] / path
        target.parent.mkdir(parents=True, exist_ok=True)
        source = self._stack.enter_context(file.open())
        assert isinstance(source, Path)
        target.symlink_to(source)

    def _fetch(self, blobs: dict[Digest, int]) -> None:
        fetch_blobs(self._workspace, blobs, remote_name=self._remote_name, seen=self._seen)
