"""Staging: what git itself tracks below a path, and the two changes dvtool makes to git's index.

Git writes its own index, whatever its version and extensions; nothing here reads the file. Sidecars
are found in `dvtool.git.sidecars`. Called by `dvtool.ops` for `add`, `rm`, `mv` and `resolve`, and
by `checkout` to learn which targets belong to git.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence

from dvtool.errors import GitFailed, WouldLoseData
from dvtool.git.plumbing import Git
from dvtool.git.revisions import BRANCHES
from dvtool.git.sidecars import is_sidecar, literal

# Above this many paths one listing of everything is cheaper than that many pathspecs.
_MANY_PATHS = 64
_FROM_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")


def tracked_files(git: Git, paths: Collection[str]) -> list[str]:
    """Returns what git tracks at or below `paths`, sidecars left out; sorted. One process.

    Submodules are listed as the path they stand at.

    Args:
        git: The repository.
        paths: Relative to the top; no paths, no files.
    """
    if not paths:
        return []
    few = len(paths) <= _MANY_PATHS
    listed = git.run("ls-files", "-z", "--deduplicate", "--", *(literal(paths) if few else ()))
    files = [os.fsdecode(path) for path in listed.split(b"\0")[:-1] if not is_sidecar(path)]
    return sorted(files if few else _at_or_below(files, set(paths)))


def _at_or_below(files: Iterable[str], roots: set[str]) -> Iterable[str]:
    for file in files:
        folder = file
        while folder and folder not in roots:
            folder = folder.rpartition("/")[0]
        if folder:
            yield file


def stage(git: Git, paths: Sequence[str]) -> None:
    """Puts the files as they are on disk into git's index; at most two processes.

    Also where an ignore rule or a sparse checkout would have git skip them; a path that is gone
    from disk is taken out of the index, if it was there.

    Raises:
        Locked: Another git process is changing the index.
    """
    present = [path for path in paths if os.path.lexists(git.top / path)]
    if present:
        git.run(
            *("--literal-pathspecs", "add", "--force", "--sparse", *_FROM_STDIN),
            stdin=_joined(present),
        )
    untrack(git, [path for path in paths if path not in set(present)])


def untrack(git: Git, paths: Sequence[str]) -> None:
    """Takes paths, and all below them, out of git's index and leaves the disk alone. One process.

    Raises:
        WouldLoseData: Something staged differs from both the disk and the last commit, so that
            the index alone has it.
        Locked: Another git process is changing the index.
    """
    if not paths:
        return
    command = ("rm", "-r", "--cached", "--quiet", "--sparse", "--ignore-unmatch")
    try:
        git.run("--literal-pathspecs", *command, *_FROM_STDIN, stdin=_joined(paths))
    except GitFailed as error:
        if "staged content different" not in error.message:
            raise
        raise WouldLoseData(
            f"git's index holds staged changes that are neither on disk nor committed: {error.message}",
            hint="git commit them, or drop them with git restore --staged",
        ) from error


def _joined(paths: Sequence[str]) -> bytes:
    return b"\0".join(map(os.fsencode, paths)) + b"\0"


def other_refs_tracking(
    git: Git, paths: Sequence[str], prefixes: Sequence[str] = (BRANCHES,)
) -> dict[str, list[str]]:
    """Returns, for paths that git itself tracks on a ref other than the current branch, those refs.

    Checking out such a ref makes git write those files over what dvtool put there. Two processes,
    one when there are no other refs.

    Args:
        git: The repository.
        paths: Data sets, relative to the top.
        prefixes: Where to look, such as `refs/heads`.
    """
    listed = git.run("for-each-ref", "--format=%(HEAD)%(objectname) %(refname)", *prefixes)
    refs_at: dict[str, list[str]] = {}
    for line in os.fsdecode(listed).split("\n")[:-1]:
        oid, _, name = line[1:].partition(" ")
        if line[0] != "*":
            refs_at.setdefault(oid, []).append(name)
    # One line is one question, so a newline cannot be asked for; git older than 2.38 has no -z.
    askable = [path for path in paths if "\n" not in path]
    questions = [(oid, path) for oid in refs_at for path in askable]
    if not questions:
        return {}
    asked = os.fsencode("".join(f"{oid}:{path}\n" for oid, path in questions))
    answers = git.run("cat-file", "--batch-check=%(objectname)", stdin=asked).split(b"\n")
    found: dict[str, list[str]] = {}
    for (oid, path), answer in zip(questions, answers, strict=False):
        if b" " not in answer:
            found.setdefault(path, []).extend(refs_at[oid])
    return {path: sorted(refs) for path, refs in found.items()}


def unignored(git: Git, paths: Sequence[str]) -> list[str]:
    """Returns those of `paths` that no ignore rule covers, so that git would offer to add them.

    One process, none for no paths. Whether git tracks a path makes no difference.
    """
    if not paths:
        return []
    answer = git.run("check-ignore", "-z", "--no-index", "--stdin", stdin=_joined(paths), ok=(0, 1))
    ignored = set(map(os.fsdecode, answer.split(b"\0")))
    return [path for path in paths if path not in ignored]
