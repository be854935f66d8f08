"""Exporting: the files of a commit or tree in a folder of its own, beside the work tree.

The work tree and its index are not touched. Called by `dvtool.ops.ci`, which runs a version's own
schemas there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dvtool.git.plumbing import Git


def export_tree(git: Git, tree: str, folder: Path, *, environ: Mapping[str, str]) -> None:
    """Writes the files of `tree` into `folder`, which exists and is empty. Two processes.

    Args:
        git: The repository.
        tree: Object id of a commit or a tree.
        folder: Absolute.
        environ: The environment to hand on to git.
    """
    index = folder.with_name(folder.name + ".index")
    apart = Git(git.layout, environ={**environ, "GIT_INDEX_FILE": str(index)})
    try:
        apart.run("read-tree", "--end-of-options", tree)
        apart.run("checkout-index", "--all", "--quiet", f"--prefix={folder}{os.sep}")
    finally:
        index.unlink(missing_ok=True)
