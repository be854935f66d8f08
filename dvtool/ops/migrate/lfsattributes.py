"""The lines of `.gitattributes` that hand files to git-lfs, and taking them out.

What else stands in these files is the user's and stays byte for byte. The pure function comes first.
Called by `migrate lfs`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Final

from dvtool.errors import UsageError
from dvtool.git.attributes import read_lines_file, write_lines_file
from dvtool.git.plumbing import Git

_LINE = re.compile(rb'(\s*)("(?:[^"\\]|\\.)*"|[^\s#]\S*)((?:[ \t]+\S+)*)[ \t]*(\r?\n?)')
_OF_LFS: Final = frozenset({b"filter=lfs", b"diff=lfs", b"merge=lfs"})
_BESIDE_LFS: Final = frozenset({b"-text", b"!text"})


def without_lfs(text: bytes) -> bytes:
    """Returns a `.gitattributes` without what `git lfs track` writes; itself if there is none."""
    kept = []
    for line in text.splitlines(keepends=True):
        match = _LINE.fullmatch(line)
        attributes = match[3].split() if match else []
        if match is None or _OF_LFS.isdisjoint(attributes):
            kept.append(line)
            continue
        rest = [one for one in attributes if one not in _OF_LFS | _BESIDE_LFS]
        if rest:
            kept.append(match[1] + match[2] + b" " + b" ".join(rest) + match[4])
    return b"".join(kept)


def drop_lfs(git: Git, ours: Sequence[str]) -> list[str]:
    """Takes the lines of git-lfs out of every `.gitattributes`, and returns those that changed.

    Args:
        git: The repository.
        ours: Files that git-lfs must not take afterwards.

    Raises:
        UsageError: Something else still hands one of them to git-lfs; all is as it was.
    """
    listed = git.run("ls-files", "-z", "--", ":(glob)**/.gitattributes").split(b"\0")[:-1]
    before: dict[str, tuple[bytes, int]] = {}
    for path in sorted(os.fsdecode(one) for one in listed):
        target = str(git.top / path)
        text, mode = read_lines_file(target, path)
        after = without_lfs(text)
        if after != text:
            before[path] = (text, mode)
            write_lines_file(target, path, after, mode)
    try:
        refuse_taken(git, ours)
    except UsageError:
        _put_back(git, before)
        raise
    return sorted(before)


def refuse_taken(git: Git, ours: Sequence[str]) -> None:
    """Refuses where git would hand files of dvtool's to git-lfs, as it does the data beside them.

    Raises:
        UsageError: It would.
    """
    taken = taken_by_lfs(git, ours)
    if taken:
        raise UsageError(
            f"git-lfs would take {taken[0]} for data, by an attribute that is still needed or does"
            " not stand in .gitattributes",
            hint=f"git check-attr -a -- {taken[0]} shows it; no data may be left behind,"
            " or the pattern has to be narrower",
        )


def _put_back(git: Git, before: Mapping[str, tuple[bytes, int]]) -> None:
    for path, (text, mode) in before.items():
        write_lines_file(str(git.top / path), path, text, mode)


def taken_by_lfs(git: Git, paths: Sequence[str]) -> list[str]:
    """Returns those paths that git would hand to git-lfs; one process."""
    if not paths:
        return []
    stdin = b"".join(os.fsencode(path) + b"\0" for path in paths)
    fields = git.run("check-attr", "-z", "--stdin", "filter", stdin=stdin).split(b"\0")
    return [
        os.fsdecode(path)
        for path, value in zip(fields[::3], fields[2::3], strict=False)
        if value == b"lfs"
    ]
