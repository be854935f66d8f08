"""Refs of the repositories this one fetches from, as they are now, and whether we hold them.

`git ls-remote` asks the servers; nothing is fetched. Branches and tags count, a host's own refs
(pull requests) do not. Called by `dvtool.ops.gc`, which may only judge what it can see whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from dvtool.errors import GitFailed
from dvtool.git.ancestry import check_oid
from dvtool.git.plumbing import Git
from dvtool.git.revisions import current_refs

_PATTERNS = ("refs/heads/*", "refs/tags/*")


def remote_refs(git: Git) -> dict[str, str]:
    """Returns `<remote> <ref>` with object ids, peeled where a tag is annotated.

    One process, and one more for each remote that git knows; empty without remotes.

    Raises:
        GitFailed: A remote cannot be reached.
    """
    found: dict[str, str] = {}
    for name in os.fsdecode(git.run("remote")).splitlines():
        try:
            listed = git.run("ls-remote", "--quiet", "--", name, *_PATTERNS)
        except GitFailed as error:
            raise GitFailed(
                f"git remote {name} cannot be asked for its branches and tags: {error}",
                hint="reach it, or remove it: git remote remove",
            ) from error
        for line in os.fsdecode(listed).splitlines():
            oid, _, ref = line.partition("\t")
            # The peeled line follows the tag's own and takes its place.
            found[f"{name} {ref.removesuffix('^{}')}"] = oid
    return found


def objects_unknown(git: Git, oids: Iterable[str]) -> set[str]:
    """Returns those of `oids` that this clone does not have; one process, none for none."""
    asked = sorted({check_oid(oid) for oid in oids})
    if not asked:
        return set()
    lines = "".join(f"{oid}\n" for oid in asked).encode()
    answers = git.run("cat-file", "--batch-check", stdin=lines).split(b"\n")
    pairs = zip(asked, answers, strict=False)
    return {oid for oid, answer in pairs if answer.endswith(b" missing")}


def all_tips(git: Git) -> dict[str, str]:
    """Returns every ref here that leads to a commit, and HEAD of every work tree, with commits."""
    found = current_refs(git, ["refs/"])
    listed = os.fsdecode(git.run("worktree", "list", "--porcelain", "-z")).split("\0")
    where = ""
    for line in listed:
        if line.startswith("worktree "):
            where = line.removeprefix("worktree ")
        elif line.startswith("HEAD "):
            oid = line.removeprefix("HEAD ")
            if oid.strip("0"):  # zeros stand for a branch without a commit
                found[f"HEAD of {where}"] = oid
    return found


def reachable(git: Git, tips: Iterable[str]) -> set[str]:
    """Returns every commit that `tips` reach, themselves included; one process, none for none."""
    asked = "".join(f"{check_oid(oid)}\n" for oid in dict.fromkeys(tips))
    if not asked:
        return set()
    return set(git.run("rev-list", "--stdin", stdin=asked.encode()).decode().split())


def independent(git: Git, commits: Sequence[str]) -> set[str]:
    """Returns those of `commits` that lie behind no other of them; one process a thousand."""
    left = list(dict.fromkeys(map(check_oid, commits)))
    if len(left) < 2 or len(left) > 1000:
        return set(left)
    return set(git.run("merge-base", "--independent", *left).decode().split())
