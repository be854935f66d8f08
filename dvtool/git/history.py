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

from dvtool.core.dvcfiles import is_dvc_text
from dvtool.core.migrated import MAP_FILE, Migrated
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.git.ancestry import check_oid
from dvtool.git.contents import iter_blobs
from dvtool.git.migrated import DVC_TEXTS, MAP_SPEC, known_map, made_of, made_of_map
from dvtool.git.plumbing import Git
from dvtool.git.sidecars import ANY_SIDECAR, is_sidecar, literal

# Each switch undoes something that log.* or diff.* in a user's configuration may have turned on.
_PLAIN = (
    *("log", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-follow", "--no-show-signature"),
    *("--no-color", "--no-ext-diff", "--no-notes", "--encoding=UTF-8", "--no-mailmap", "--root"),
    *("--ignore-submodules=all", "--no-relative", "-O/dev/null"),
)
_FIELDS = 7
_CHANGES_AT_ONCE = 5_000
_FORMAT = "--format=tformat:%H%x00%an%x00%ae%x00%aI%x00%s%x00%P%x00%b"
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
        is_merge: Whether the commit has several parents.
        body: The message after its first line.
    """

    commit: str
    author: str
    email: str
    date: str
    subject: str
    path: str
    text: bytes | None
    is_merge: bool = False
    body: str = ""


class _Change(NamedTuple):
    """What one commit did to one path, as `git log --raw` says it; `oid` is None when removed."""

    header: tuple[str, ...]
    path: str
    oid: str | None
    before: str | None = None
    mode: bytes = b""


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
    known = known_map(git)
    changes = (
        _with_past(git, known, command, path)
        if known
        else (one for one in _changes(git, (*command, *literal([path]))) if one.path == path)
    )
    changes = islice(changes, limit)
    # One cat-file runs beside the log and is asked as the log goes on, some versions ahead.
    waiting: deque[_Change] = deque()
    for _, text in iter_blobs(git, _oids_noting(changes, waiting)):
        while waiting[0].oid is None:
            yield _version(waiting.popleft(), None)
        yield _version(waiting.popleft(), text)
    for removal in waiting:
        yield _version(removal, None)


def _with_past(git: Git, known: Migrated, command: Sequence[str], path: str) -> Iterator[_Change]:
    """Yields the changes of a sidecar, and before a migration of what a sidecar is made for."""
    bare = path.removesuffix(SIDECAR_SUFFIX)
    specs = [*literal([path, *([bare] if known.has_pointers else [])]), *DVC_TEXTS]
    changes = [
        one
        for one in _changes(git, (*command, *specs))
        if one.path in (path, bare) or is_dvc_text(one.path)
    ]
    others = dict.fromkeys(one.header[0] for one in changes if one.path != path)
    after = _holding_map(git, list(others))
    # What a commit that moves from one tool to the other does is told by the sidecar.
    own = {one.header[0] for one in changes if one.path == path}
    asked = [one for one in changes if one.path != path and one.header[0] not in after | own]
    now, then = (
        _made(git, known, path, [(one.path, oid or "", one.mode) for one, oid in pairs])
        for pairs in (
            [(one, one.oid) for one in asked],
            [(one, one.before) for one in asked],
        )
    )
    told = {id(one): new for one, new, old in zip(asked, now, then, strict=True) if new != old}
    for one in changes:
        if one.path == path:
            yield one
        elif id(one) in told:
            yield _Change(one.header, path, told[id(one)])


def _made(
    git: Git, known: Migrated, path: str, files: list[tuple[str, str, bytes]]
) -> list[str | None]:
    """Returns for each file the object id of the sidecar at `path` that it stands for, if any."""
    found: list[str | None] = [None] * len(files)
    for number, sidecar, oid in made_of(git, known, files):
        if sidecar == path:
            found[number] = oid
    return found


def _holding_map(git: Git, commits: Sequence[str]) -> set[str]:
    """Returns those commits that hold the map; one process, none for none."""
    if not commits:
        return set()
    asked = "".join(f"{commit}:{MAP_FILE}\n" for commit in commits).encode()
    answers = git.run("cat-file", "--batch-check=%(objecttype)", stdin=asked).split(b"\n")
    return {c for c, answer in zip(commits, answers, strict=False) if answer == b"blob"}


def _oids_noting(changes: Iterable[_Change], waiting: deque[_Change]) -> Iterator[str]:
    for change in changes:
        waiting.append(change)
        if change.oid is not None:
            yield change.oid


def _version(change: _Change, text: bytes | None) -> Version:
    commit, author, email, date, subject, parents, body = change.header
    is_merge = " " in parents
    return Version(commit, author, email, date, subject, change.path, text, is_merge, body)


def messages_merged(git: Git, commit: str) -> str:
    """Returns the messages of what a merge brought, its own first; one process.

    Args:
        git: The repository.
        commit: Object id of a commit that has a parent.

    Raises:
        GitFailed: There is none.
    """
    oid = check_oid(commit)
    found = git.run("log", "--encoding=UTF-8", "--format=%B", f"{oid}^1..{oid}", "--")
    return found.decode("utf-8", "replace")


def needed(git: Git, tips: Iterable[str], exclude: Iterable[str] = ()) -> Iterator[Needed]:
    """Yields every distinct sidecar in commits reachable from `tips` but not from `exclude`.

    Each pair of path and bytes comes once, with the first commit met that has it; newest first.
    A sidecar that an excluded commit already has may come too, where a merge brings it to another
    parent. In a shallow clone what stands in its oldest commits comes whole. What a map of a
    migration names comes as sidecars made of it, as do the versions from before it. One process,
    two more to look for maps, and one each 5,000 changes where there is one.

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
    known = known_map(git, everywhere=True)
    specs = [ANY_SIDECAR, MAP_SPEC, *(DVC_TEXTS if known.has_dvc else ())]
    # A pointer stands where the data did, so any path may be one.
    specs = [] if known.has_pointers else specs
    seen: set[tuple[str, str]] = set()
    changes = _brought(git, [*asked, "--", *specs])
    while part := list(islice(changes, _CHANGES_AT_ONCE)):
        for commit, path, oid in _needed_of(git, known, part):
            if (path, oid) not in seen:
                seen.add((path, oid))
                yield Needed(commit, path, oid)


def _brought(git: Git, revisions: Sequence[str]) -> Iterator[_Change]:
    """Yields every change that leaves a file in its place, in any of the revisions."""
    # Every parent of a merge is compared and no side branch is skipped: a version that a later
    # merge threw away is still a version someone can check out.
    command = (*_PLAIN, "--format=tformat:%H", "--full-history", "--diff-merges=separate")
    stdin = "\n".join([*revisions, ""]).encode()
    return _changes(git, (*command, "--diff-filter=d", "--stdin"), stdin, 1)


class FileVersion(NamedTuple):
    """One version of a file: the first commit met that has it, its path, and its object id."""

    commit: str
    path: str
    oid: str


def file_versions(git: Git, tips: Iterable[str], specs: Sequence[str]) -> Iterator[FileVersion]:
    """Yields each distinct version of files in any commit reachable from `tips`; one process.

    Args:
        git: The repository.
        tips: Object ids of commits.
        specs: Pathspecs of the files; empty for all.
    """
    asked = [check_oid(oid) for oid in tips]
    seen: set[tuple[str, str]] = set()
    for change in _brought(git, [*asked, "--", *specs]) if asked else ():
        if change.oid is not None and (change.path, change.oid) not in seen:
            seen.add((change.path, change.oid))
            yield FileVersion(change.header[0], change.path, change.oid)


def _needed_of(
    git: Git, known: Migrated, changes: Sequence[_Change]
) -> Iterator[tuple[str, str, str]]:
    """Yields commit, path and object id of the sidecars that changes bring, made ones too."""
    made: dict[int, list[tuple[str, str]]] = {}
    files = [(change.path, change.oid or "", change.mode) for change in changes]
    for number, path, oid in made_of(git, known, files) if known else ():
        made.setdefault(number, []).append((path, oid))
    for number, change in enumerate(changes):
        if change.oid is None:
            continue
        (commit,) = change.header
        if is_sidecar(os.fsencode(change.path)):
            yield commit, change.path, change.oid
        elif change.path == MAP_FILE:
            for path, oid in made_of_map(git, change.oid).items():
                yield commit, path, oid
        for path, oid in made.get(number, ()):
            yield commit, path, oid


def _changes(
    git: Git, command: Sequence[str], stdin: bytes = b"", fields: int = _FIELDS
) -> Iterator[_Change]:
    """Yields the changes to files in the output of `git log -z --raw`.

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
        old_mode, mode, old_oid, oid, _ = field.lstrip(b"\n").split(b" ")
        # A submodule in its place is no sidecar either.
        new = oid.decode() if mode in _BLOB_MODES else None
        old = old_oid.decode() if old_mode[1:] in _BLOB_MODES else None
        yield _Change(header, os.fsdecode(path), new, old, mode)
