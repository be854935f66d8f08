"""`doctor`: look for what could go wrong, and say what to do about it.

Reads everything that is cheap to read and changes nothing. Called by the CLI.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from dvtool.core.config import CONFIG_FILE
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.quote import display
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import DvtoolError
from dvtool.git.health import missing_attributes, missing_drivers
from dvtool.git.sidecars import sidecar_paths, staged_sidecars
from dvtool.git.staging import other_refs_tracking, tracked_files, unignored
from dvtool.ops.selection import Places, datasets_of
from dvtool.ops.workspace import Workspace
from dvtool.worktree.leftovers import leftovers


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that needs care, and the next step."""

    what: str
    hint: str = ""


def examine(workspace: Workspace) -> list[Finding]:
    """Returns everything that needs care; empty when all is well."""
    datasets = datasets_of(sidecar_paths(workspace.git))
    try:
        _ = workspace.settings
    except DvtoolError as error:
        # Without settings nobody knows where the store is, so what lies in it is not looked at.
        broken = Finding(str(error), error.hint)
        return [broken, *_git_set_up(workspace), *_git_and_data(workspace, datasets)]
    return [
        *_settings(workspace),
        *_git_set_up(workspace),
        *_sidecars(workspace, datasets),
        *_git_and_data(workspace, datasets),
        *_leftovers(workspace, datasets),
    ]


def _settings(workspace: Workspace) -> Iterator[Finding]:
    settings = workspace.settings
    for key in settings.unknown:
        yield Finding(f"{CONFIG_FILE} has a key this version does not know: {key}")
    if not settings.remotes:
        yield Finding(
            "no remote: the data are on this machine only", "dvtool remote add origin URL"
        )


def _git_set_up(workspace: Workspace) -> Iterator[Finding]:
    if missing_attributes(workspace.git):
        yield Finding(".gitattributes does not name the drivers for sidecars", "dvtool init")
    if missing_drivers(workspace.git):
        yield Finding("this clone's git does not know the drivers for sidecars", "dvtool init")


def _sidecars(workspace: Workspace, datasets: list[str]) -> Iterator[Finding]:
    staged = {entry.path for entry in staged_sidecars(workspace.git)}
    present = workspace.store.present()
    places = Places(datasets)
    for dataset in datasets:
        path = dataset + SIDECAR_SUFFIX
        if path not in staged:
            yield Finding(f"git does not track {path}", f"git add {path}")
        try:
            places.check(dataset)
            sidecar = parse_sidecar(workspace.sidecar_text(dataset) or b"", source=path)
            lacking = set(workspace.tree(sidecar).blobs()) - present
        except DvtoolError as error:
            yield Finding(str(error), error.hint)
            continue
        if lacking:
            yield Finding(f"{dataset}: {len(lacking)} objects are not in the store", "dvtool fetch")


def _git_and_data(workspace: Workspace, datasets: list[str]) -> Iterator[Finding]:
    for path in unignored(workspace.git, datasets):
        yield Finding(f"git does not ignore the data set {path}", f"dvtool add {path}")
    tracked = tracked_files(workspace.git, datasets)
    if tracked:
        yield Finding(
            f"git itself tracks {len(tracked)} files of data sets, first {tracked[0]}",
            "dvtool add stores them and has git forget them",
        )
    for path, refs in other_refs_tracking(workspace.git, datasets).items():
        names = ", ".join(ref.removeprefix("refs/heads/") for ref in refs[:3])
        yield Finding(
            f"git itself still tracks {path} on {names}; checking that out writes over the data here",
            "merge the change into those branches, or delete them",
        )


def _leftovers(workspace: Workspace, datasets: list[str]) -> Iterator[Finding]:
    found = list(leftovers(workspace.top, datasets))
    if found:
        shown = ", ".join(display(os.fsencode(path)) for path in found[:3])
        yield Finding(
            f"{len(found)} temporary file{'s' * (len(found) != 1)} of a dvtool that was killed:"
            f" {shown}",
            "one may hold a file that was just being replaced: once dvtool status is as you expect,"
            " rm them",
        )
