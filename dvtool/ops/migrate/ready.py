"""What stops a migration from DVC before it begins: work that is in no commit, and links for files.

Reads git and the disk only. Called by `dvtool.ops.migrate.dvc`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from dvtool.core.quote import display
from dvtool.errors import UsageError
from dvtool.git.migrated import DVC_TEXTS
from dvtool.ops.workspace import Workspace


def refuse_changed_texts(workspace: Workspace) -> None:
    """Refuses while files of DVC's differ from HEAD: what is committed is what is moved.

    Raises:
        UsageError: Some do.
    """
    specs = (*DVC_TEXTS, ":(glob)**/dvc.yaml")
    command = ("status", "--porcelain", "-z", "--untracked-files=all")
    changed = workspace.git.run(*command, "--", *specs)
    if changed:
        path = changed.split(b"\0")[0][3:]
        raise UsageError(
            f"DVC's files have changes that are not committed, first {display(path)}",
            hint="git commit them first: what HEAD has is what is moved",
        )


def refuse_links(workspace: Workspace, paths: Iterable[str]) -> None:
    """Refuses data that stand on the disk as symlinks into DVC's cache: no version can hold them.

    Raises:
        UsageError: Some do.
    """
    for path in paths:
        link = _link_out(workspace.abspath(path))
        if link is not None:
            shown = display(os.fsencode(os.path.relpath(link, workspace.top)))
            raise UsageError(
                f"{shown} is a link into DVC's cache, not a file",
                hint="dvc config --local cache.type copy && dvc checkout --relink",
            )


def _link_out(path: Path) -> str | None:
    """Returns the first symlink at or below `path` with an absolute target, None when none is."""
    found = [os.fspath(path)] if path.is_symlink() else []
    for folder, folders, files in os.walk(path):
        found += [os.path.join(folder, name) for name in (*folders, *files)]
    links = (each for each in found if os.path.islink(each))
    return next((each for each in links if os.path.isabs(os.readlink(each))), None)
