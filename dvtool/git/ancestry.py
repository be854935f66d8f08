"""Ancestry: which commits this clone has, and which of them lie behind others.

Commits here are full object ids, from `dvtool.git.revisions` or out of a remote's roots, and are
checked before git sees them. Called by `dvtool.ops` to bound the walk of a push.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from dvtool.errors import UnknownRevision, UsageError
from dvtool.git.plumbing import Git
from dvtool.git.revisions import resolve_commits

_OID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def check_oid(oid: str) -> str:
    """Returns `oid`, once it is a full object id and so neither an option nor another name.

    Raises:
        UnknownRevision: It is anything else.
    """
    if not _OID.fullmatch(oid):
        raise UnknownRevision(f"expected a full object id, found {oid[:80]!r}")
    return oid


def commits_known(git: Git, commits: Iterable[str]) -> set[str]:
    """Returns those of `commits` that this clone has; one process, none for no commits.

    Whatever is no full object id, or an object of another kind, is not known.
    """
    asked = list(dict.fromkeys(commit for commit in commits if _OID.fullmatch(commit)))
    if not asked:
        return set()
    lines = "".join(f"{commit}\n" for commit in asked).encode()
    answers = git.run("cat-file", "--batch-check=%(objecttype)", stdin=lines).split(b"\n")
    return {commit for commit, answer in zip(asked, answers, strict=False) if answer == b"commit"}


def is_covered(git: Git, commit: str, covering: Iterable[str]) -> bool:
    """Tells whether `commit` is one of `covering` or lies behind one of them; at most one process.

    Raises:
        UnknownRevision: One is no full object id, or this clone does not have it.
    """
    excluded = [check_oid(other) for other in covering]
    if not excluded or commit in excluded:
        return bool(excluded)
    lines = "".join([f"{check_oid(commit)}\n", *(f"^{other}\n" for other in excluded)]).encode()
    return not git.run("rev-list", "--max-count=1", "--stdin", stdin=lines)


def resolve_range(git: Git, text: str) -> tuple[str, str]:
    """Returns the commits at the ends of `A..B`; an empty end is HEAD. One process.

    Raises:
        UsageError: It is no such range.
        UnknownRevision: git does not know one of its ends.
    """
    start, dots, end = text.partition("..")
    if not dots or end.startswith(".") or ".." in end:
        raise UsageError(f"expected A..B, found {text}")
    first, last = resolve_commits(git, [start or "HEAD", end or "HEAD"])
    return first, last
