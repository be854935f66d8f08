"""The way from a typed command to a workspace: around the current folder, with progress shown or not.

Called by the modules of `dvtool.cli.commands`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dvtool.core.events import SILENT, Progress
from dvtool.errors import NoRepository

if TYPE_CHECKING:
    from dvtool.ops.workspace import Workspace


def check_folder() -> None:
    """Checks that there is a current folder.

    Raises:
        NoRepository: There is none any more.
    """
    try:
        os.getcwd()
    except FileNotFoundError:
        raise NoRepository("the current folder is gone", hint="cd to one that exists") from None


def open_workspace(
    *,
    quiet: bool = True,
    must_be_ready: bool = True,
    limit_rate: int | None = None,
    past_ok: bool = False,
) -> Workspace:
    """Returns the workspace around the current directory; arguments as of `Workspace.open`."""
    from dvtool.ops.workspace import Workspace

    return Workspace.open(
        Path.cwd(),
        environ=dict(os.environ),
        progress=watcher(quiet=quiet),
        must_be_ready=must_be_ready,
        limit_rate=limit_rate,
        past_ok=past_ok,
    )


def watcher(*, quiet: bool) -> Progress:
    """Returns what shows progress: bars on a terminal, only notes elsewhere, nothing when quiet."""
    if quiet:
        return SILENT
    from dvtool.cli.progress import Bars

    return Bars()


def in_repository(workspace: Workspace, typed: Iterable[str]) -> list[str]:
    """Returns typed paths relative to the top of the work tree."""
    from dvtool.ops.selection import repo_path

    return [repo_path(workspace.top, Path.cwd(), path) for path in typed]


def data_and_files(
    workspace: Workspace, typed: Iterable[str]
) -> tuple[list[str], list[tuple[Path, str]]]:
    """Returns which typed paths belong to data sets, relative to the top, and which do not.

    The others are files and folders like any, in the work tree or outside of it, as they were typed.
    """
    from dvtool.ops.check import split_paths
    from dvtool.ops.selection import is_outside

    here: list[str] = []
    plain: list[str] = []
    for path in typed:
        (plain if is_outside(workspace.top, Path.cwd(), path) else here).append(path)
    relative = dict(zip(in_repository(workspace, here), here, strict=True))
    inside, outside = split_paths(workspace, list(relative)) if here else ([], [])
    plain += [relative[path] for path in outside]
    return inside, [(Path(path), path) for path in plain]
