"""`export dvc`: the way back, for those who must go: `.dvc` files, and objects where DVC looks for them.

Bytes come from the store, each file is read once, and its md5 is its name in a cache of DVC 3. The
sidecars stay; nothing of dvtool's is removed. Called by the CLI.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import md5, sha256
from pathlib import Path
from typing import Final

from dvtool.core.digest import Digest, format_digest
from dvtool.core.dvcfiles import DVC_SUFFIX, directory_text, output_text, outputs_of
from dvtool.core.quote import display
from dvtool.core.tree import EXECUTABLE, FILE, Entry, Tree
from dvtool.errors import CorruptObject, InvalidText, UsageError, WouldLoseData
from dvtool.git.attributes import ignore
from dvtool.git.staging import stage
from dvtool.ops.fetch import fetch_versions
from dvtool.ops.migrate.dvcconfig import cache_folder
from dvtool.ops.selection import Selected
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.store.durable import write_error
from dvtool.store.local import LocalStore
from dvtool.worktree.sidecarfile import read_sidecar, write_sidecar

_BLOCK_BYTES: Final = 2**20
_LAYOUT: Final = "files/md5"


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        cache: The folder that holds the objects.
        datasets: The data sets that have a `.dvc` file now.
        objects: How many objects were written; those that were there already are not counted.
        size_bytes: Their bytes.
        left_out: Entries that DVC cannot keep: symlinks, empty directories.
        modes: How many executable files of directories lose that bit with DVC.
    """

    cache: Path
    datasets: tuple[str, ...]
    objects: int
    size_bytes: int
    left_out: tuple[str, ...]
    modes: int


def export_dvc(
    workspace: Workspace,
    paths: Sequence[str] = (),
    *,
    folder: Path | None = None,
    force: bool = False,
    jobs: int | None = None,
) -> ExportReport:
    """Writes the work tree's versions as DVC keeps them.

    Args:
        workspace: Where.
        paths: Data sets; all when empty.
        folder: A cache, or a remote that is a folder; None for the cache that DVC is set to.
        force: Replace `.dvc` files that say something else.
        jobs: How many downloads at once.

    Raises:
        UsageError: Only a part of a data set was named, or DVC is not set up here.
        WouldLoseData: A `.dvc` file says something else.
        ObjectMissing, CorruptObject: Bytes are not to be had, or damaged.
    """
    target = folder or cache_folder(workspace.top, workspace.environ)
    if target is None:
        raise UsageError(
            "no .dvc folder here, so nobody knows where DVC's cache is",
            hint="dvc init, or --to FOLDER",
        )
    chosen = selected_sidecars(workspace, None, list(paths))
    for one, _ in chosen:
        if one.inside:
            raise UsageError(f"a part of a data set cannot be exported: {one}")
    fetch_versions(workspace, chosen, jobs=jobs)
    export = _Export(workspace.store, target / _LAYOUT)
    total = sum(workspace.tree(sidecar).size_bytes for _, sidecar in chosen)
    workspace.progress.start("export", total_bytes=total)
    texts = {}
    for one, sidecar in chosen:
        tree = workspace.tree(sidecar)
        texts[one.dataset] = export.dataset(one, tree, is_file=sidecar.kind == "file")
        workspace.progress.advance(size_bytes=tree.size_bytes, items=1)
    written = _write(workspace, _to_write(workspace, texts, force=force))
    stage(workspace.git, [*written, *ignore(workspace.git, list(texts))])
    return ExportReport(
        target,
        tuple(texts),
        export.objects,
        export.size_bytes,
        tuple(export.left_out),
        export.modes,
    )


def _to_write(workspace: Workspace, texts: Mapping[str, bytes], *, force: bool) -> dict[str, bytes]:
    """Returns those `.dvc` files that do not say the same already, by the path of the data set."""
    wanted = {}
    for dataset, text in texts.items():
        path = dataset + DVC_SUFFIX
        found = read_sidecar(workspace.top, path)
        if found is not None and _says(path, found) == _says(path, text):
            continue
        if found is not None and not force:
            shown = display(os.fsencode(path))
            raise WouldLoseData(f"{shown} says something else already", hint="--force replaces it")
        wanted[dataset] = text
    return wanted


def _says(path: str, text: bytes) -> object:
    try:
        return outputs_of(path, text)
    except InvalidText:
        return None


def _write(workspace: Workspace, texts: Mapping[str, bytes]) -> list[str]:
    for dataset, text in texts.items():
        write_sidecar(workspace.top, dataset + DVC_SUFFIX, text)
    return [dataset + DVC_SUFFIX for dataset in texts]


@dataclass(slots=True)
class _Export:
    """Writes objects below `root`, and remembers which md5 a digest has."""

    store: LocalStore
    root: Path
    known: dict[Digest, str] = field(default_factory=dict)
    objects: int = 0
    size_bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    modes: int = 0

    def dataset(self, one: Selected, tree: Tree, *, is_file: bool) -> bytes:
        """Writes all objects of a data set and returns its `.dvc` file."""
        name = posixpath.basename(one.dataset)
        if is_file:
            (entry,) = tree.entries
            value = self._object(entry)
            return output_text(
                name, value, size=entry.size, files=None, executable=entry.mode == EXECUTABLE
            )
        members = {}
        for path, entry in tree.items():
            if entry.mode not in (FILE, EXECUTABLE):
                self.left_out.append(f"{one.dataset}/{display(path)}")
                continue
            self.modes += entry.mode == EXECUTABLE
            members[path] = self._object(entry)
        text = directory_text(members)
        value = md5(text, usedforsecurity=False).hexdigest() + ".dir"
        self._place(self._unfinished(text), value, len(text))
        size = sum(tree[path].size for path in members)
        return output_text(name, value, size=size, files=len(members), executable=False)

    def _object(self, entry: Entry) -> str:
        """Writes one file, proven by its sha256, and returns its md5."""
        value = self.known.get(entry.digest)
        if value is None:
            temporary = self._unfinished()
            try:
                value = self._copy(entry, temporary)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
            self._place(temporary, value, entry.size)
            self.known[entry.digest] = value
        return value

    def _copy(self, entry: Entry, temporary: Path) -> str:
        old, new = md5(usedforsecurity=False), sha256()
        with self.store.open_blob(entry.digest) as source:
            try:
                with temporary.open("wb") as target:
                    while block := source.read(_BLOCK_BYTES):
                        old.update(block)
                        new.update(block)
                        target.write(block)
            except OSError as error:
                raise write_error(error, str(temporary)) from error
        if new.digest() != entry.digest:
            raise CorruptObject(f"object {format_digest(entry.digest)} does not match its name")
        return old.hexdigest()

    def _unfinished(self, data: bytes | None = None) -> Path:
        temporary = self.root.parent / f"tmp-dvtool-{os.getpid()}-{os.urandom(6).hex()}"
        try:
            temporary.parent.mkdir(parents=True, exist_ok=True)
            if data is not None:
                temporary.write_bytes(data)
        except OSError as error:
            raise write_error(error, str(temporary)) from error
        return temporary

    def _place(self, temporary: Path, value: str, size: int) -> None:
        """Moves a finished object to its name; DVC wants what is there to be read-only."""
        target = self.root / value[:2] / value[2:]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists() and target.stat().st_size == size:
                temporary.unlink()
                return
            temporary.chmod(0o444)
            temporary.replace(target)
        except OSError as error:
            raise write_error(error, str(target)) from error
        self.objects += 1
        self.size_bytes += size
