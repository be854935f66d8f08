"""What paths given to `add` may be: data sets, known or new, and parts of them.

Here lives where a data set may begin and where not; storing one is `add`. Called by `add` and by
whatever else makes data sets.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

from dvtool.core.paths import ALLOW_SUFFIX, CHECKS_SUFFIX, SIDECAR_SUFFIX, fold
from dvtool.core.quote import display
from dvtool.errors import UnsafePath, UsageError
from dvtool.ops.selection import Places, Selected, owner_of
from dvtool.ops.workspace import Workspace

_GITS: Final = (SIDECAR_SUFFIX, CHECKS_SUFFIX, ALLOW_SUFFIX, ".gitignore", ".dvtignore")


def targets_of(workspace: Workspace, known: Sequence[str], paths: Sequence[str]) -> list[Selected]:
    """Returns what paths mean, each data set or part once; all are checked before any is added."""
    targets = list(dict.fromkeys(_target(workspace, known, path) for path in paths))
    places = Places({*known, *(one.dataset for one in targets)})
    for one in targets:
        places.check(one.dataset)
    check_side_by_side(known, [one.dataset for one in targets])
    whole = {one.dataset for one in targets if not one.inside}
    return [one for one in targets if not one.inside or one.dataset not in whole]


def _target(workspace: Workspace, known: Sequence[str], path: str) -> Selected:
    """Returns which data set a path means, new or known."""
    shown = display(os.fsencode(path)) if path else "."
    if path.endswith(SIDECAR_SUFFIX) and path.removesuffix(SIDECAR_SUFFIX) in known:
        path = path.removesuffix(SIDECAR_SUFFIX)
    if path in known:
        return Selected(path)
    owner = owner_of(known, path)
    if owner is not None:
        return Selected(owner, os.fsencode(path[len(owner) + 1 :]))
    check_new(known, path)
    if not os.path.lexists(workspace.abspath(path)):
        raise absent(shown)
    if workspace.abspath(path).is_symlink():
        raise UnsafePath(f"a data set cannot be a symlink: {shown}", hint="add what it points to")
    return Selected(path)


def check_new(known: Sequence[str], path: str) -> None:
    """Checks that a path may become a data set, whatever stands there.

    Raises:
        UsageError: It is the top, holds or lies in another data set, or belongs in git.
    """
    shown = display(os.fsencode(path)) if path else "."
    if path == "":
        raise UsageError("the whole work tree cannot be a data set", hint="dvtool add FOLDER")
    owner = owner_of(known, path)
    if owner is not None:
        raise UsageError(
            f"{shown} lies inside the data set {display(os.fsencode(owner))}",
            hint="choose a place outside of it",
        )
    inner = [dataset for dataset in known if dataset.startswith(path + "/")]
    if inner:
        raise UsageError(
            f"{shown} holds data sets already, and none can lie inside another: {inner[0]}",
            hint="dvtool add those, or dvtool rm them first",
        )
    if path.endswith(_GITS):
        raise UsageError(f"{shown} belongs in git itself", hint="git add it")


def check_side_by_side(known: Sequence[str], names: Iterable[str]) -> None:
    """Checks that new data sets can stand beside those there are on every file system.

    Raises:
        UnsafePath: Two differ by case or Unicode form only.
    """
    taken = {fold(os.fsencode(name)): name for name in known}
    for name in names:
        other = taken.setdefault(fold(os.fsencode(name)), name)
        if other != name and name not in known:
            one, two = (display(os.fsencode(each)) for each in (name, other))
            raise UnsafePath(
                f"data sets {one} and {two} cannot stand side by side on every file system",
                hint="mv one of the two to another name",
            )


def absent(shown: str) -> UsageError:
    """Returns the error about a path at which nothing stands."""
    return UsageError(f"no such file or folder: {shown}", hint="ls shows what there is")
