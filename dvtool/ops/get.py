"""`get`: copy a data set, or a part of one, out of any git repository; nothing is tracked.

The repository is cloned without its files into a scratch folder, the bytes come from its remote
(or, for a path on this machine, from its store). Called by the CLI.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dvtool.core.events import SILENT, Progress
from dvtool.core.tree import EMPTY_DIRECTORY, THE_FILE, Entry
from dvtool.errors import UnknownRevision, WouldLoseData
from dvtool.git.cloning import clone_repository
from dvtool.git.plumbing import Git
from dvtool.git.revisions import resolve_commit
from dvtool.ops.fetch import fetch_versions
from dvtool.ops.selection import Selected
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.store.local import SMALL_BLOB_BYTES, LocalStore
from dvtool.worktree.materialise import Materialiser


@dataclass(frozen=True, slots=True)
class GetReport:
    """What was written: the commit it came from, how many files, and their size in bytes."""

    commit: str
    files: int
    size_bytes: int


def get(
    repository: str,
    path: str,
    *,
    rev: str,
    target: Path,
    environ: Mapping[str, str],
    jobs: int | None = None,
    progress: Progress = SILENT,
) -> GetReport:
    """Writes a version of a data set to `target`.

    Args:
        repository: A git URL, or a path on this machine.
        path: The data set, or a path inside one, relative to the repository's top.
        rev: Which version.
        target: Where; nothing may stand there.
        environ: The environment the program runs in.
        jobs: How many downloads at once.
        progress: Whom to tell.

    Raises:
        WouldLoseData: Something stands at `target`.
        UnknownRevision: No such revision, or no such path in it.
        ObjectMissing, CorruptObject, RemoteFailed: The bytes cannot be had.
    """
    if os.path.lexists(target):
        raise WouldLoseData(f"something stands at {target} already", hint="-o OUT writes elsewhere")
    with tempfile.TemporaryDirectory(prefix="dvtool-get-") as scratch:
        workspace = _open(repository, Path(scratch), environ, progress)
        commit = resolve_commit(workspace.git, rev)
        wanted = path.rstrip("/")
        found = selected_sidecars(workspace, commit, [wanted])
        fetch_versions(workspace, found, jobs=jobs)
        one, sidecar = found[0]
        if len(found) > 1:
            names = ", ".join(each.dataset for each, _ in found[:5])
            raise UnknownRevision(
                f"{wanted} holds several data sets: {names}", hint="get one of them"
            )
        entries = list(workspace.tree(sidecar).under(one.inside).entries)
        if not entries and one.inside:
            raise UnknownRevision(f"no {one} in {rev}", hint="dvtool list --files shows the files")
        _write(workspace.store, one, entries, target, is_folder=sidecar.kind == "directory")
        return GetReport(commit, len(entries), sum(entry.size for entry in entries))


def _open(
    repository: str, scratch: Path, environ: Mapping[str, str], progress: Progress
) -> Workspace:
    """Returns a workspace on the repository itself when it is here, else on a clone without files."""
    if os.path.isdir(repository):
        git = Git.at(Path(repository), environ=environ, foreign=True, bare_ok=True)
        if not git.layout.bare:
            return Workspace(git, environ, progress)
        repository = str(git.layout.git_dir)
    clone_repository(repository, scratch / "clone", environ=environ)
    git = Git.at(scratch / "clone", environ=environ, foreign=True)
    return Workspace(git, environ, progress)


def _write(
    store: LocalStore, one: Selected, entries: list[Entry], target: Path, *, is_folder: bool
) -> None:
    """Writes entries beside the target under another name, then renames: all of it or nothing."""
    target = Path(os.path.abspath(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    below = one.inside + b"/" if one.inside else b""
    unfinished = Path(tempfile.mkdtemp(prefix=".dvt-tmp-", dir=target.parent))
    try:
        with Materialiser(unfinished, "data") as files:
            if is_folder and [entry.path for entry in entries] != [one.inside]:
                files.keep_folder()
            for entry in entries:
                path = entry.path
                if path == one.inside:
                    path = THE_FILE
                elif below:
                    path = path.removeprefix(below)
                _write_one(store, files, entry._replace(path=path))
        if os.path.lexists(target):
            raise WouldLoseData(f"something stands at {target} already")
        os.rename(unfinished / "data", target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_one(store: LocalStore, files: Materialiser, entry: Entry) -> None:
    if entry.mode == EMPTY_DIRECTORY:
        files.write(entry, b"", expected=None)
    elif entry.size < SMALL_BLOB_BYTES:
        files.write(entry, store.read(entry.digest), expected=None)
    else:
        with store.open_blob(entry.digest) as source:
            files.write_large(entry, source.fileno(), expected=None)
