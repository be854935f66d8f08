"""`list` and `log`: which data sets a version has, and which versions a data set has.

Called by the CLI. Bytes are never read; lists of files come from sidecars and the store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dvtool.core.address import Address
from dvtool.core.events import SILENT, Progress
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import parse_sidecar
from dvtool.core.tree import Entry, Tree, diff_trees
from dvtool.errors import DvtoolError, ObjectMissing, UnknownRevision
from dvtool.git.cloning import check_clone_url
from dvtool.git.history import versions
from dvtool.git.revisions import resolve_commit
from dvtool.ops.versionfiles import REPOSITORIES
from dvtool.ops.versions import selected_sidecars, shards_of
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Listed:
    """One data set of a version.

    Attributes:
        dataset: Its path.
        kind: `file` or `directory`.
        files: How many entries; None when the list of files is not in the store.
        size_bytes: All files together; None likewise.
        entries: The files, when asked for.
    """

    dataset: str
    kind: str
    files: int | None
    size_bytes: int | None
    entries: tuple[Entry, ...] = ()


def list_datasets(
    workspace: Workspace, rev: str | None, paths: Sequence[str], *, files: bool
) -> list[Listed]:
    """Returns the data sets of a version, with their files when `files` is set.

    Raises:
        ObjectMissing: `files` is set and the list of a large data set is not in the store.
    """
    commit = resolve_commit(workspace.git, rev) if rev is not None else None
    found = []
    for one, sidecar in selected_sidecars(workspace, commit, list(paths)):
        try:
            tree = workspace.tree(sidecar).under(one.inside)
        except ObjectMissing:
            if files:
                raise
            found.append(Listed(one.dataset, sidecar.kind, None, None))
            continue
        if one.inside and not tree:
            raise UnknownRevision(f"no such file in the data set: {one}")
        entries = tuple(tree.entries) if files else ()
        found.append(Listed(one.dataset, sidecar.kind, len(tree), tree.size_bytes, entries))
    return found


def list_elsewhere(
    repository: str,
    rev: str,
    paths: Sequence[str],
    environ: Mapping[str, str],
    *,
    files: bool,
    progress: Progress = SILENT,
) -> list[Listed]:
    """Returns the data sets of a version of another repository; lists of files are fetched.

    Args:
        repository: A folder in it, or a git URL, which is cloned once into the user's cache.
        rev: Which version.
        paths: Only these data sets, or parts of them, relative to its top.
        environ: The environment the program runs in.
        files: Return the files, too.
        progress: Whom to tell.

    Raises:
        NoRepository, UnknownRevision, GitFailed: There is no such repository, version or path.
        ObjectMissing, RemoteFailed: The list of a large data set cannot be had.
    """
    if not os.path.isdir(repository):
        check_clone_url(repository)
    other = REPOSITORIES.at(Address(repository, "", ""), environ, progress=progress)
    commit = other.commit_of(rev)
    chosen = selected_sidecars(other.workspace, commit, list(paths))
    other.bring(shards_of(sidecar for _, sidecar in chosen))
    return list_datasets(other.workspace, commit, paths, files=files)


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of a data set.

    Attributes:
        commit: Object id.
        author: Name.
        date: ISO 8601 with the author's offset.
        subject: First line of the message.
        files: How many; None when removed or the list is not in the store.
        size_bytes: All files together; None likewise.
        change: `created`, `removed`, `+2 -1 ~3`, or why it is not known.
    """

    commit: str
    author: str
    date: str
    subject: str
    files: int | None
    size_bytes: int | None
    change: str


def log(workspace: Workspace, dataset: str, rev: str = "HEAD") -> Iterator[VersionLine]:
    """Yields the versions of a data set, newest first, compared with the version before.

    Raises:
        UnknownRevision: No commit has this data set.
    """
    later: tuple[VersionLine, Tree | None] | None = None
    found = False
    commit = resolve_commit(workspace.git, rev)
    for version in versions(workspace.git, dataset + SIDECAR_SUFFIX, rev=commit):
        found = True
        tree, problem = _tree_of(workspace, version.text, f"{version.commit[:12]}:{dataset}.dvt")
        if later is not None:
            yield _with_change(*later, before=tree, known=not problem)
        line = VersionLine(
            version.commit,
            version.author,
            version.date,
            version.subject,
            None if tree is None else len(tree),
            None if tree is None else tree.size_bytes,
            problem or ("removed" if version.text is None else ""),
        )
        later = (line, tree)
    if later is not None:
        line, _ = later
        yield line if line.change else _changed(line, "created")
    if not found:
        raise UnknownRevision(
            f"no commit of {rev} has the data set {dataset}", hint="dvtool list shows what there is"
        )


def _tree_of(workspace: Workspace, text: bytes | None, source: str) -> tuple[Tree | None, str]:
    if text is None:
        return None, ""
    try:
        return workspace.tree(parse_sidecar(text, source=source)), ""
    except DvtoolError as error:
        return None, f"not known: {error.slug}"


def _with_change(
    line: VersionLine, tree: Tree | None, *, before: Tree | None, known: bool
) -> VersionLine:
    if line.change:
        return line
    if before is None or tree is None:
        return _changed(line, "created" if known else "not known")
    counts = {"added": 0, "removed": 0, "changed": 0, "renamed": 0, "mode": 0}
    for change in diff_trees(before, tree):
        counts[change.kind] += 1
    signs = {"added": "+", "removed": "-", "changed": "~", "renamed": ">", "mode": "m"}
    return _changed(
        line, " ".join(f"{signs[k]}{n}" for k, n in counts.items() if n) or "same files"
    )


def _changed(line: VersionLine, change: str) -> VersionLine:
    return VersionLine(
        line.commit, line.author, line.date, line.subject, line.files, line.size_bytes, change
    )
