"""`diff`: what changed in data sets between two versions, file by file.

A version is a commit or the work tree's sidecars. Bytes are not read, lists of files are. Called
by the CLI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.core.sidecar import Sidecar
from dvtool.core.tree import Change, Tree, diff_trees
from dvtool.errors import UnknownRevision, UsageError
from dvtool.git.revisions import resolve_commit
from dvtool.ops.disk import Disk
from dvtool.ops.selection import select
from dvtool.ops.versions import selected_sidecars, sidecars_in
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class DatasetDiff:
    """What changed in one data set.

    Attributes:
        dataset: Its path.
        kind: `added`, `removed` or `changed`.
        changes: File by file.
        old_bytes: Size before, all files together.
        new_bytes: Size after.
    """

    dataset: str
    kind: str
    changes: tuple[Change, ...]
    old_bytes: int
    new_bytes: int


def split_words(
    workspace: Workspace, words: Sequence[str], behind_dashes: Sequence[str] | None
) -> tuple[tuple[str | None, str | None], list[str]]:
    """Returns which of the words a person typed are revisions, and which are paths.

    As in git: what stands behind `--` is a path, what stands before it a revision. Without `--`
    at most two leading words that git knows as commits are revisions.

    Raises:
        UsageError: More than two words stand before `--`.
    """
    if behind_dashes is not None:
        if len(words) > 2:
            raise UsageError(
                f"at most two revisions, found {len(words)}", hint="dvtool diff A B -- PATHS"
            )
        old, new = (*words, None, None)[:2]
        return (old, new), list(behind_dashes)
    revisions: list[str] = []
    for word in words[:2]:
        try:
            resolve_commit(workspace.git, word)
        except UnknownRevision:
            break
        revisions.append(word)
    old, new = (*revisions, None, None)[:2]
    return (old, new), list(words[len(revisions) :])


def edited_on_disk(workspace: Workspace, paths: Sequence[str] = ()) -> list[str]:
    """Returns the data sets whose files on disk were edited and not added, which `diff` cannot see.

    Args:
        workspace: Where.
        paths: Only these data sets, or those that these are parts of.
    """
    disk = Disk(workspace)
    chosen = selected_sidecars(workspace, None, list(paths))
    return [one.dataset for one, _ in chosen if disk.is_edited(one.dataset)]


def diff(
    workspace: Workspace, old: str | None, new: str | None, paths: Sequence[str] = ()
) -> list[DatasetDiff]:
    """Returns what changed, data set by data set, sorted; empty when nothing did.

    Args:
        workspace: Where.
        old: A revision; None for HEAD.
        new: A revision; None for the work tree's sidecars.
        paths: Only these data sets, or parts of them.

    Raises:
        UnknownRevision: git does not know a revision, or a path names nothing in either version.
        ObjectMissing: The list of files of a large data set is not in the store.
    """
    before = sidecars_in(workspace, resolve_commit(workspace.git, old or "HEAD"))
    after = sidecars_in(workspace, resolve_commit(workspace.git, new) if new is not None else None)
    try:
        chosen = select({*before, *after}, paths)
    except UnknownRevision as error:
        raise UnknownRevision(
            error.message.replace("the work tree", "either version"),
            hint="dvtool list shows the data sets there are, git log the revisions",
        ) from error
    found = []
    for one in chosen:
        was, now = before.get(one.dataset), after.get(one.dataset)
        if was == now:
            continue
        difference = _diff_one(workspace, one.dataset, one.inside, was, now)
        if difference.changes or not one.inside:
            found.append(difference)
    return found


def _diff_one(
    workspace: Workspace, dataset: str, inside: bytes, was: Sidecar | None, now: Sidecar | None
) -> DatasetDiff:
    before = workspace.tree(was).under(inside) if was else Tree()
    after = workspace.tree(now).under(inside) if now else Tree()
    kind = "added" if was is None else "removed" if now is None else "changed"
    changes = tuple(diff_trees(before, after))
    return DatasetDiff(dataset, kind, changes, before.size_bytes, after.size_bytes)
