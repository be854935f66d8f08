"""Selection: from what a person typed to data sets and parts of them.

A person names a data set, a file inside one, a folder with several below, a sidecar, or nothing
for everything. Called by every verb of this package that takes paths.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from dvtool.core.paths import SIDECAR_SUFFIX, check_path
from dvtool.core.quote import display
from dvtool.core.tree import Tree
from dvtool.errors import UnknownRevision, UnsafePath, UsageError


class Selected(NamedTuple):
    """A data set, or a part of one.

    Attributes:
        dataset: Path relative to the top of the work tree.
        inside: Path within it, raw bytes; empty for all of it.
    """

    dataset: str
    inside: bytes = b""

    @property
    def path(self) -> str:
        """The whole path, relative to the top of the work tree."""
        return f"{self.dataset}/{os.fsdecode(self.inside)}" if self.inside else self.dataset

    def __str__(self) -> str:
        return display(os.fsencode(self.path))


def repo_path(top: Path, cwd: Path, typed: str) -> str:
    """Returns `typed` relative to the top of the work tree; empty for the top itself.

    Links on the way to the work tree are followed, links inside it are not.

    Raises:
        UsageError: It lies outside the work tree.
        UnsafePath: It names something git or dvtool own.
    """
    relative = _relative(top, cwd, typed)
    if relative == os.curdir:
        return ""
    if _leads_out(relative):
        raise UsageError(
            f"outside the work tree {top}: {display(os.fsencode(typed))}",
            hint="call dvtool in the repository that the path belongs to",
        )
    try:
        check_path(os.fsencode(relative))
    except UnsafePath as error:
        raise UnsafePath(error.message, hint="name a path that is data") from None
    return relative


def is_outside(top: Path, cwd: Path, typed: str) -> bool:
    """Tells whether a path lies outside the work tree."""
    return _leads_out(_relative(top, cwd, typed))


def _relative(top: Path, cwd: Path, typed: str) -> str:
    joined = os.path.normpath(os.path.join(cwd, typed.rstrip("/") or typed))
    relative = os.path.relpath(joined, top)
    if not relative.startswith(".."):
        return relative
    # The person may have come here through a link: compare real places of the folders.
    parent, name = os.path.split(joined)
    real = os.path.join(os.path.realpath(parent), name)
    return os.path.relpath(real, os.path.realpath(top))


def _leads_out(relative: str) -> bool:
    return relative == os.pardir or relative.startswith(os.pardir + os.sep)


def select(
    datasets: Iterable[str],
    wanted: Sequence[str],
    *,
    where: str = "the work tree",
    checked: bool = True,
) -> list[Selected]:
    """Returns what `wanted` names among `datasets`, each part once, sorted.

    Args:
        datasets: The data sets there are, relative to the top.
        wanted: Paths from `repo_path`; none means everything.
        where: Where the data sets are, for the error.
        checked: Refuse data sets that cannot stand where they do; the caller does it otherwise.

    Raises:
        UnknownRevision: A path names no data set and nothing in one.
        UnsafePath: A chosen one cannot stand where it does; see `Places`.
    """
    known = sorted(datasets)
    chosen = _chosen(known, wanted, where)
    if checked:
        places = Places(known)
        for dataset in dict.fromkeys(one.dataset for one in chosen):
            places.check(dataset)
    return chosen


class Places:
    """Tells which sidecars stand where a data set may; the place came with a commit.

    Args:
        known: All data sets of a version.
    """

    def __init__(self, known: Iterable[str]) -> None:
        names = frozenset(known)
        self._outer = {name: outer for name in names if (outer := owner_of(names, name))}
        self._inner = {outer: name for name, outer in self._outer.items()}

    def check(self, dataset: str) -> None:
        """Checks one data set.

        Raises:
            UnsafePath: It names what git or dvtool own, or lies in another, or holds another.
        """
        source = display(os.fsencode(dataset + SIDECAR_SUFFIX))
        try:
            check_path(os.fsencode(dataset))
        except UnsafePath as error:
            raise UnsafePath(error.message, source=source, hint=f"git rm {source}") from None
        if dataset in self._outer:
            inner, outer = dataset, self._outer[dataset]
        elif dataset in self._inner:
            inner, outer = self._inner[dataset], dataset
        else:
            return
        inner, outer = (display(os.fsencode(name)) for name in (inner, outer))
        raise UnsafePath(
            f"data set {inner} lies inside data set {outer}; one of them has to go",
            source=source,
            hint=f"dvtool rm --keep {inner}",
        )


def _chosen(known: Sequence[str], wanted: Sequence[str], where: str) -> list[Selected]:
    if not wanted:
        return [Selected(dataset) for dataset in known]
    chosen: set[Selected] = set()
    for path in wanted:
        found = set(_match(known, path))
        if not found:
            raise UnknownRevision(
                f"no data set in {where} at {display(os.fsencode(path or '.'))}",
                hint="dvtool list shows the data sets there are",
            )
        chosen |= found
    whole = {one.dataset for one in chosen if not one.inside}
    kept = [one for one in chosen if not one.inside or one.dataset not in whole]
    return sorted(kept, key=lambda one: (one.dataset, one.inside))


def _match(known: Sequence[str], path: str) -> Iterable[Selected]:
    if path == "":
        return [Selected(dataset) for dataset in known]
    if path in known:
        return [Selected(path)]
    bare = path.removesuffix(SIDECAR_SUFFIX)
    if bare != path and bare in known:
        return [Selected(bare)]
    owner = owner_of(known, path)
    if owner is not None:
        return [Selected(owner, os.fsencode(path[len(owner) + 1 :]))]
    return [Selected(dataset) for dataset in known if dataset.startswith(path + "/")]


def check_part(one: Selected, found: Iterable[bytes], tree: Callable[[], Tree]) -> None:
    """Checks that a part which a person named exists, on disk or in the version.

    Args:
        one: What was named.
        found: Paths of the data set that are not as the version says.
        tree: Gives the version's tree; called only if `found` has nothing of the part.

    Raises:
        UnknownRevision: Neither has it.
    """
    below = one.inside + b"/"
    if not one.inside or any(path == one.inside or path.startswith(below) for path in found):
        return
    if not tree().under(one.inside):
        raise nothing_at(one, "neither on disk nor in the version")


def nothing_at(one: Selected, where: str = "") -> UnknownRevision:
    """Returns the error for a part that a person named and that is not there."""
    return UnknownRevision(
        f"nothing at {one}{where and ', '}{where}",
        hint=f"dvtool list --files {display(os.fsencode(one.dataset))} shows what there is",
    )


def is_within(path: str, part: str) -> bool:
    """Tells whether a path inside a data set is a part of it, or lies below; all lie in ``""``."""
    return not part or path == part or path.startswith(part + "/")


def owner_of(known: Iterable[str], path: str) -> str | None:
    """Returns the data set that `path` lies inside, None when it lies in none."""
    names = known if isinstance(known, (set, frozenset)) else set(known)
    folder = path.rpartition("/")[0]
    while folder:
        if folder in names:
            return folder
        folder = folder.rpartition("/")[0]
    return None


def datasets_of(sidecars: Iterable[str]) -> list[str]:
    """Returns the data sets that sidecar paths stand for."""
    return [path.removesuffix(SIDECAR_SUFFIX) for path in sidecars]
