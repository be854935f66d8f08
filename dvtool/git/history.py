"""History: the versions of one data set, and every sidecar a range of commits needs.

Answered by `git log` in one process each, told to ignore the user's configuration. GitPython is
not used: it cannot read repositories with sha256 object names, nor index version 4 or a split
index, and importing it costs more than these answers. Called by `dvtool.ops`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from dvtool.git.ancestry import check_oid
from dvtool.git.plumbing import Git
from dvtool.git.sidecars import ANY_SIDECAR, is_sidecar, iter_blobs, literal

# Each switch undoes something that log.* or diff.* in a user's configuration may have turned on.
_PLAIN = (
    *("log", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-follow", "--no-show-signature"),
    *("--no-color", "--no-ext-diff", "--no-notes", "--encoding=UTF-8", "--no-mailmap", "--root"),
    *("--ignore-submodules=all", "--no-relative", "-O/dev/null"),
)
_FIELDS = 5
_FORMAT = "--format=tformat:%H%x00%an%x00%ae%x00%aI%x00%s"
_BLOB_MODES = frozenset({b"100644", b"100755", b"120000"})


class Needed(NamedTuple):
    """One sidecar that a commit brought: `oid` names its bytes for `read_blobs`."""

    commit: str
    path: str
    oid: str


class Version(NamedTuple):
    """One commit that changed a data set's sidecar.

    Attributes:
        commit: Object id.
        author: Name as the commit has it.
        email: Address as the commit has it.
        date: Author's date, strict ISO 8601 with offset.
        subject: First line of the message.
        path: The sidecar.
        text: Its bytes after the commit, None when the commit removed it.
    """

    commit: str
    author: str
    email: str
    date: str
    subject: str
    path: str
    text: bytes | None


class _Change(NamedTuple):
    """What one commit did to one path, as `git log --raw` says it; `oid` is None when removed."""

    header: tuple[str, ...]
    path: str
    oid: str | None


def versions(
    git: Git,
    path: str,
    rev: str | None = None,
    *,
    limit: int | None = None,
    first_parent: bool = False,
) -> Iterator[Version]:
    """Yields the versions of one data set, newest first; two processes.

    History is simplified as `git log -- PATH` does: of two branches that end the same, one is
    shown. A merge counts when it differs from all its parents; when only first parents are
    followed, as soon as it differs from the first. Nothing in an unborn branch.

    Args:
        git: The repository.
        path: The sidecar, relative to the top.
        rev: Where to begin, as `git log` takes it but never as an option; None for HEAD.
        limit: At most so many.
        first_parent: Follow only the first parent of a merge.

    Raises:
        UnknownRevision: There is no such commit.
        ObjectMissing: git lacks the bytes of one of them.
    """
    command = (
        *_PLAIN,
        _FORMAT,
        "--diff-merges=first-parent",
        *(["--first-parent"] if first_parent else []),
        "--end-of-options",
        rev or "HEAD",
        "--",
    )
    changes = islice(_changes(git, (*command, *literal([path]))), limit)
    # One cat-file runs beside the log and is asked as the log goes on, some versions ahead.
    waiting: deque[_Change] = deque()
    for _, text in iter_blobs(git, _oids_noting(changes, waiting)):
        while waiting[0].oid is None:
            yield _version(waiting.popleft(), None)
        yield _version(waiting.popleft(), text)
    for removal in waiting:
        yield _version(removal, None)


def _oids_noting(changes: Iterable[_Change], waiting: deque[_Change]) -> Iterator[str]:
    for change in changes:
        waiting.append(change)
        if change.oid is not None:
            yield change.oid


def _version(change: _Change, text: bytes | None) -> Version:
    commit, author, email, date, subject = change.header
    return Version(commit, author, email, date, subject, change.path, text)


def needed(git: Git, tips: Iterable[str], exclude: Iterable[str] = ()) -> Iterator[Needed]:
    """Yields every distinct sidecar in commits reachable from `tips` but not from `exclude`.

    Each pair of path and bytes comes once, with the first commit met that has it; newest first.
    A sidecar that an excluded commit already has may come too, where a merge brings it to another
    parent. In a shallow clone what stands in its oldest commits comes whole. One process.

    Args:
        git: The repository.
        tips: Object ids of commits.
        exclude: Object ids of commits whose sidecars are not wanted.

    Raises:
        UnknownRevision: One is no object id, or git lacks that commit.
    """
    asked = [check_oid(oid) for oid in tips]
    if not asked:
        return
    asked += [f"^{check_oid(oid)}" for oid in exclude]
    revisions = "\n".join([*asked, "--", ANY_SIDECAR, ""]).encode()
    # Every parent of a merge is compared and no side branch is skipped: a version that a later
    # merge threw away is still a version someone can check out.
    command = (*_PLAIN, "--format=tformat:%H", "--full-history", "--diff-merges=separate")
    seen: set[tuple[str, str]] = set()
    for (commit,), path, oid in _changes(
        git, (*command, "--diff-filter=d", "--stdin"), revisions, 1
    ):
        if oid and (path, oid) not in seen:
            seen.add((path, oid))
            yield Needed(commit, path, oid)


def _changes(
    git: Git, command: Sequence[str], stdin: bytes = b"", fields: int = _FIELDS
) -> Iterator[_Change]:
    """Yields the changes to sidecars in the output of `git log -z --raw`.

    The output is headers of `fields` NUL-terminated fields, each followed by pairs of a field that
    begins with a colon (after a newline the first time) and a path. No object id begins so.
    """
    stream = git.stream(*command, stdin=stdin)
    header: tuple[str, ...] = ()
    for field in stream:
        if not field.lstrip(b"\n").startswith(b":"):
            rest = islice(stream, fields - 1)
            header = tuple(item.decode("utf-8", "replace") for item in (field, *rest))
            continue
        path = next(stream)
        _, mode, _, oid, _ = field.split(b" ")
        if is_sidecar(path):
            # A submodule in its place is no sidecar either.
            new = oid.decode() if mode in _BLOB_MODES else None
            yield _Change(header, os.fsdecode(path), new)
