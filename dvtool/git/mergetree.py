"""Merging two commits as git would, without a work tree: the tree that would come out.

Sidecars go through dvtool's merge driver, whether or not this clone is set up for it. Nothing but
objects is written. Called by `dvtool.ops.ci`.
"""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from dataclasses import dataclass

from dvtool.errors import GitFailed
from dvtool.git.ancestry import check_oid
from dvtool.git.attributes import ATTRIBUTE_LINES
from dvtool.git.plumbing import Git

_NEEDS = "git 2.38 or newer merges without a work tree"


@dataclass(frozen=True, slots=True)
class MergedTree:
    """What a merge comes to.

    Attributes:
        tree: Object id; in conflicted files git leaves its marks, in sidecars our side.
        conflicts: Paths that need a person, sorted.
    """

    tree: str
    conflicts: tuple[str, ...]


def merge_commits(git: Git, ours: str, theirs: str) -> MergedTree:
    """Returns the tree that merging `theirs` into `ours` makes.

    Raises:
        GitFailed: The two have nothing in common, or git is too old.
    """
    driver = f"{shlex.quote(sys.executable)} -m dvtool merge-driver %O %A %B %P"
    with tempfile.NamedTemporaryFile(prefix="dvtool-attributes-") as attributes:
        attributes.write(b"\n".join([*ATTRIBUTE_LINES, b""]))
        attributes.flush()
        try:
            out = git.run(
                *("-c", f"merge.dvtool.driver={driver}"),
                *("-c", f"core.attributesFile={attributes.name}"),
                *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages"),
                *(check_oid(ours), check_oid(theirs)),
                ok=(0, 1),
            )
        except GitFailed as error:
            hint = "" if "unrelated" in error.message else _NEEDS
            raise GitFailed(
                f"cannot merge {ours[:12]} and {theirs[:12]}: {error.message}", hint=hint
            ) from error
    tree, *names = out.split(b"\0")
    return MergedTree(tree.decode(), tuple(sorted({os.fsdecode(name) for name in names if name})))
