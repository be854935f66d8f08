"""Pointers of git-lfs in a repository: those of HEAD, and those of every commit that a ref leads to.

Reads git only, and tells pointers by what they say, as git-lfs does. Called by
`dvtool.ops.migrate.lfs`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dvtool.core.pointers import MAX_POINTER_BYTES, Pointer, parse_pointer
from dvtool.core.quote import display
from dvtool.core.tree import EXECUTABLE, FILE
from dvtool.git.contents import EXECUTABLE_MODE, files_at, read_blobs
from dvtool.git.history import FileVersion, file_versions
from dvtool.git.plumbing import Git
from dvtool.git.revisions import all_tips
from dvtool.git.staged import blob_sizes


@dataclass(frozen=True, slots=True)
class FoundPointer:
    """One pointer.

    Attributes:
        path: Where it stands.
        commit: A commit that has it there.
        oid: What git calls it.
        text: Its bytes.
        pointer: What it says.
        mode: `f` or `x`; of older commits always `f`, as git knows better when one is read.
    """

    path: str
    commit: str
    oid: str
    text: bytes
    pointer: Pointer
    mode: str = FILE

    @property
    def where(self) -> str:
        """For messages: the path, and the commit's short id."""
        return f"{display(os.fsencode(self.path))} at {self.commit[:12]}"


def pointers_at(git: Git, commit: str) -> list[FoundPointer]:
    """Returns the pointers of one commit; three processes."""
    listed = files_at(git, commit)
    modes = {path: EXECUTABLE for path, (_, mode) in listed.items() if mode == EXECUTABLE_MODE}
    versions = [FileVersion(commit, path, oid) for path, (oid, _) in listed.items()]
    return _among(git, versions, modes)


def pointers_ever(git: Git) -> list[FoundPointer]:
    """Returns the pointers of all commits that a branch, tag or remote branch leads to."""
    return _among(git, file_versions(git, all_tips(git), ()), {})


def _among(
    git: Git, versions: Iterable[FileVersion], modes: Mapping[str, str]
) -> list[FoundPointer]:
    """Returns the pointers among files; other small files are read for nothing."""
    listed = list(versions)
    sizes = blob_sizes(git, (one.oid for one in listed))
    small = [oid for oid, size in sizes.items() if 0 < size < MAX_POINTER_BYTES]
    found = {
        oid: (text, pointer)
        for oid, text in read_blobs(git, small).items()
        if (pointer := parse_pointer(text)) is not None
    }
    return [
        FoundPointer(one.path, one.commit, one.oid, *found[one.oid], modes.get(one.path, FILE))
        for one in listed
        if one.oid in found
    ]
