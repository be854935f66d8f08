"""Holders: which commits of a range hold a sidecar, changed there or inherited.

`history.needed` tells what commits brought; here is what they have, in a process or two however
many commits there are. Called by `dvtool.ops.verify`.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dvtool.core.migrated import MAP_FILE
from dvtool.git.ancestry import check_oid
from dvtool.git.contents import files_at
from dvtool.git.migrated import BEFORE, made_at, made_of_map
from dvtool.git.plumbing import Git
from dvtool.git.sidecars import sidecars_at


@dataclass(frozen=True, slots=True)
class Stretch:
    """The commits of a range.

    Attributes:
        commits: Object ids, newest first.
        before: Their parents outside of the range, from which they inherit.
    """

    commits: tuple[str, ...]
    before: tuple[str, ...]


def stretch(git: Git, tips: Iterable[str], exclude: Iterable[str] = ()) -> Stretch:
    """Returns the commits reachable from `tips` but not from `exclude`; one process, none for none.

    Raises:
        UnknownRevision: One is no full object id, or this clone does not have it.
    """
    asked = [check_oid(oid) for oid in tips]
    if not asked:
        return Stretch((), ())
    asked += [f"^{check_oid(oid)}" for oid in exclude]
    text = git.run("rev-list", "--boundary", "--stdin", stdin="\n".join([*asked, ""]).encode())
    lines = text.decode().split()
    return Stretch(
        tuple(line for line in lines if not line.startswith("-")),
        tuple(line[1:] for line in lines if line.startswith("-")),
    )


def holders(
    git: Git, commits: Sequence[str], sidecars: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, str, str]]:
    """Yields commit, path and object id wherever a commit has one of `sidecars`.

    Args:
        git: The repository.
        commits: Object ids.
        sidecars: For each path the object ids that are looked for there.
    """
    yield from _made_holders(git, commits, sidecars)
    plain = [path for path in sidecars if "\n" not in path]
    asked = [(commit, path) for commit in commits for path in plain]
    lines = b"".join(commit.encode() + b":" + os.fsencode(path) + b"\n" for commit, path in asked)
    if asked:
        answers = git.run("cat-file", "--batch-check=%(objectname)", stdin=lines).split(b"\n")
        # What a commit does not have is answered by its name and a word, which match no id.
        for (commit, path), answer in zip(asked, answers, strict=False):
            if (oid := answer.decode("ascii", "replace")) in sidecars[path]:
                yield commit, path, oid
    odd = [path for path in sidecars if "\n" in path]
    for commit in commits if odd else ():
        for path, oid in sidecars_at(git, commit, odd).items():
            if oid in sidecars[path]:
                yield commit, path, oid


def _made_holders(
    git: Git, commits: Sequence[str], sidecars: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, str, str]]:
    """Yields the same for sidecars that no git object holds: of old commits, and of what maps name."""
    texts = git.past.texts
    wanted = {
        path: lost for path, oids in sidecars.items() if (lost := {o for o in oids if o in texts})
    }
    for commit in commits if wanted else ():
        listed = files_at(git, commit, BEFORE)
        made = made_at(git, commit, listed)
        if MAP_FILE in listed:
            made = made_of_map(git, listed[MAP_FILE][0])
        for path, oid in made.items():
            if oid in wanted.get(path, ()):
                yield commit, path, oid
