"""`rm` and `mv`: stop tracking a data set, or track it elsewhere.

Bytes stay in the store and at remotes: older commits need them. Called by the CLI.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.core.paths import SIDECAR_SUFFIX, check_path
from dvtool.errors import UsageError, WouldLoseData
from dvtool.git.attributes import ignore, unignore
from dvtool.git.sidecars import sidecar_paths
from dvtool.git.staging import stage
from dvtool.ops.checkout import refuse_uncommitted, take_away
from dvtool.ops.disk import compare_dataset
from dvtool.ops.selection import datasets_of, owner_of
from dvtool.ops.workspace import Workspace
from dvtool.store.durable import write_error
from dvtool.worktree.folders import Folders


@dataclass(frozen=True, slots=True)
class Removed:
    """A data set that is no longer tracked; `kept` tells whether its files are still here."""

    dataset: str
    kept: bool


def remove(
    workspace: Workspace, datasets: Sequence[str], *, keep: bool, force: bool
) -> list[Removed]:
    """Stops tracking data sets and stages that; deletes the files unless `keep` is set.

    Raises:
        UsageError: A path is no data set.
        WouldLoseData: Files hold work that is in no version; nothing was changed.
    """
    known = set(datasets_of(sidecar_paths(workspace.git)))
    for dataset in datasets:
        _must_be_known(known, dataset)
    datasets = list(dict.fromkeys(datasets))
    with workspace.changing() as index:
        if not keep:
            if not force:
                refuse_uncommitted(
                    workspace, datasets, hint="git commit it first, or dvtool rm --keep"
                )
                for dataset in datasets:
                    _refuse_unsaved(dataset, compare_dataset(workspace, index, dataset).paths)
            # Data first: with the sidecar still there, a crash leaves "deleted", never "lost".
            take_away(workspace, index, datasets, force=force)
            if force:
                _delete_rest(workspace, datasets)
        for dataset in datasets:
            workspace.abspath(dataset + SIDECAR_SUFFIX).unlink()
            index.remove(dataset)
        changed = unignore(workspace.git, datasets) if not keep else []
        stage(workspace.git, [*(name + SIDECAR_SUFFIX for name in datasets), *changed])
    return [Removed(dataset, keep) for dataset in datasets]


def _delete_rest(workspace: Workspace, datasets: Sequence[str]) -> None:
    """Deletes what a forced removal leaves: files that were never added, or ignored."""
    import shutil

    for dataset in datasets:
        path = workspace.abspath(dataset)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _refuse_unsaved(dataset: str, paths: Sequence[object]) -> None:
    unsaved = [p for p in paths if getattr(p, "state", "") in ("modified", "conflict", "new")]
    if unsaved:
        raise WouldLoseData(
            f"{dataset} has {len(unsaved)} files with work that is in no version",
            hint="dvtool add keeps it, rm --keep leaves the files, rm --force deletes them",
        )


def _must_be_known(known: set[str], dataset: str) -> None:
    if dataset not in known:
        raise UsageError(f"not a data set: {dataset}", hint="dvtool list shows them")


def move(workspace: Workspace, source: str, target: str) -> str:
    """Moves a data set, its sidecar and its ignore line, and stages that; returns its new path.

    Args:
        workspace: Where.
        source: A data set.
        target: Its new path, or a folder to move it into.

    Raises:
        UsageError: The source is no data set, or the target lies inside one.
        UnsafePath: A link stands on the way to the target.
        WouldLoseData: Something stands at the target.
    """
    known = set(datasets_of(sidecar_paths(workspace.git)))
    _must_be_known(known, source)
    if workspace.abspath(target).is_dir() and target not in known:
        target = (
            os.path.join(target, os.path.basename(source)) if target else os.path.basename(source)
        )
    check_path(os.fsencode(target))
    if target == source or target.startswith(source + "/") or owner_of(known, target):
        raise UsageError(f"{target} lies inside a data set", hint="dvtool mv SOURCE TARGET")
    new_sidecar = workspace.abspath(target + SIDECAR_SUFFIX)
    if os.path.lexists(workspace.abspath(target)) or os.path.lexists(new_sidecar):
        raise WouldLoseData(f"something stands at {target} already", hint="move it away first")
    with workspace.changing() as index:
        with Folders(workspace.top) as folders:
            # Makes the folders, and refuses a link on the way.
            folders.handle(target.rpartition("/")[0], create=True)
        # Data first: with the old sidecar still there, a crash leaves "deleted", never "lost".
        try:
            if os.path.lexists(workspace.abspath(source)):
                os.rename(workspace.abspath(source), workspace.abspath(target))
            os.rename(workspace.abspath(source + SIDECAR_SUFFIX), new_sidecar)
        except OSError as error:
            raise write_error(error, target) from error
        section = index.section(source)
        if section is not None:
            index.remove(source)
            index.replace(section.renamed(target))
        changed = {*unignore(workspace.git, [source]), *ignore(workspace.git, [target])}
        stage(workspace.git, [source + SIDECAR_SUFFIX, target + SIDECAR_SUFFIX, *sorted(changed)])
    return target
