"""`profile`: what the columns of a table hold, of any file and of any version.

Finds the files of the work tree, of a commit, of every version. A file whose bytes are named by a
digest is profiled once in the life of a clone, by `profiler`; text is `dvtool.report`. Called by
the CLI.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from dvtool.core.events import SILENT, Progress
from dvtool.core.sidecar import Sidecar
from dvtool.errors import ObjectMissing
from dvtool.git.revisions import resolve_commit
from dvtool.ops import baselines, subjects
from dvtool.ops.disk import compare_dataset
from dvtool.ops.profiler import Profiled, Profiler
from dvtool.ops.selection import Selected
from dvtool.ops.subjects import FileBytes
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace


def profile_paths(
    paths: Sequence[tuple[Path, str]], *, progress: Progress = SILENT
) -> list[Profiled]:
    """Profiles files and folders as they stand on disk, without git; nothing is kept.

    Args:
        paths: Where each is, and what the person called it.
        progress: Whom to tell.

    Raises:
        UsageError: A path is not there.
        InvalidText: A checks file beside it breaks its format.
    """
    found = []
    for path, name in paths:
        checks = subjects.checks_beside(Path(os.path.abspath(path)), name.rstrip("/"))
        files = (
            subjects.plain_folder(path, name=name.rstrip("/"))
            if path.is_dir()
            else {"": subjects.plain_file(path, name=name)}
        )
        found.append(Profiler(None, b"", progress).version(name, "", files, (checks,)))
    return found


def profile_datasets(
    workspace: Workspace, paths: Sequence[str] = (), *, rev: str = ""
) -> list[Profiled]:
    """Profiles data sets of the work tree or of a commit.

    For a commit's files whose bytes are not here a remote is asked for their profiles.

    Args:
        workspace: Where.
        paths: Relative to the top; every data set when empty.
        rev: A revision, empty for the work tree.

    Raises:
        UnknownRevision: A path or revision is not known.
        InvalidText: A sidecar or a checks file breaks its format.
    """
    commit = resolve_commit(workspace.git, rev) if rev else None
    profiler = Profiler.of(workspace, remote=None if commit is None else "")
    found = []
    for one, sidecar in selected_sidecars(workspace, commit, list(paths)):
        checks = (
            subjects.checks_at(workspace, one.dataset, commit),
            subjects.checks_at(workspace, one.dataset, None),
        )
        try:
            files = (
                _on_disk(workspace, one.dataset, sidecar)
                if commit is None
                else subjects.stored_files(workspace.store, one.dataset, workspace.tree(sidecar))
            )
        except ObjectMissing as error:
            found.append(
                Profiled(one.dataset, commit[:12] if commit else "work tree", gap=str(error))
            )
            continue
        version = commit[:12] if commit else "work tree"
        found.append(profiler.version(str(one), version, _part(files, one), checks))
    profiler.finish()
    return found


def profile_history(workspace: Workspace, paths: Sequence[str] = ()) -> list[Profiled]:
    """Profiles every version on first-parent history, newest first, as far as its bytes are here.

    For files whose bytes are not here a remote is asked for their profiles.

    Args:
        workspace: Where.
        paths: Data sets of the work tree, or parts of them; every one when empty.

    Raises:
        UnknownRevision: A path names no data set.
        InvalidText: A sidecar or a checks file breaks its format.
    """
    profiler = Profiler.of(workspace, remote="")
    found = []
    for one, _ in selected_sidecars(workspace, None, list(paths)):
        today = subjects.checks_at(workspace, one.dataset, None)
        for version in baselines.committed(workspace, one.dataset):
            commit = version.commit[:12]
            try:
                tree = workspace.tree(version.sidecar)
            except ObjectMissing as error:
                found.append(Profiled(str(one), commit, gap=str(error)))
                continue
            files = _part(subjects.stored_files(workspace.store, one.dataset, tree), one)
            checks = (subjects.checks_at(workspace, one.dataset, commit), today)
            found.append(profiler.version(str(one), commit, files, checks))
    profiler.finish()
    return found


def _part(files: Mapping[str, FileBytes], one: Selected) -> dict[str, FileBytes]:
    inside = os.fsdecode(one.inside)
    return {
        path: file
        for path, file in files.items()
        if not inside or path == inside or path.startswith(inside + "/")
    }


def _on_disk(workspace: Workspace, dataset: str, sidecar: Sidecar) -> dict[str, FileBytes]:
    """Returns the files of the work tree: as stored where they are unchanged, else from disk.

    What is read from disk has no digest: it may change while it is read.
    """
    stored = subjects.stored_files(workspace.store, dataset, workspace.tree(sidecar))
    changed = {
        os.fsdecode(one.path)
        for one in compare_dataset(workspace, workspace.load_index(), dataset).paths
    }
    path = workspace.abspath(dataset)
    if path.is_dir():
        here = subjects.plain_folder(path, name=dataset)
    elif path.is_file():
        here = {"": subjects.plain_file(path, name=dataset)}
    else:
        return stored  # nothing is checked out; what is known of the version is what can be said
    unchanged = {
        inside
        for inside, file in stored.items()
        if inside not in changed and file.digest and workspace.store.has(file.digest)
    }
    return {
        inside: stored[inside] if inside in unchanged else file for inside, file in here.items()
    }
