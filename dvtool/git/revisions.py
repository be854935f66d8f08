"""Revisions: what a person typed becomes a commit; branches, tags and HEAD.

Nothing a user typed is ever an argument of git here: revisions go in through standard input, where
no option exists. History between commits is `dvtool.git.history`. Called by `dvtool.ops`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

from dvtool.core.quote import display
from dvtool.errors import UnknownRevision
from dvtool.git.plumbing import Git

BRANCHES = "refs/heads"
TAGS = "refs/tags"


class Head(NamedTuple):
    """Where the work tree stands.

    Attributes:
        ref: Full name of the branch, None when HEAD is detached.
        commit: Object id, None when the branch has no commit yet.
    """

    ref: str | None
    commit: str | None


def resolve_commit(git: Git, rev: str) -> str:
    """Returns the object id of the commit that `rev` names; one process.

    Args:
        git: The repository.
        rev: What git calls a single revision: a branch, `HEAD~3`, a tag, an abbreviated id.
            Ranges and options are no revisions.

    Raises:
        UnknownRevision: git knows no such commit.
    """
    return resolve_commits(git, [rev])[0]


def resolve_commits(git: Git, revs: Sequence[str]) -> list[str]:
    """Returns the object ids of several commits in order; one process, none for no revisions.

    Raises:
        UnknownRevision: git does not know one of them; the message names it.
    """
    if not revs:
        return []
    for rev in revs:
        if not rev or "\n" in rev or "\0" in rev:
            raise _unknown(rev, "not a revision")
    asked = "".join(f"{rev}^{{commit}}\n" for rev in revs)
    answers = git.run("cat-file", "--batch-check", stdin=os.fsencode(asked)).split(b"\n")
    commits = []
    for rev, answer in zip(revs, answers, strict=False):
        oid, _, rest = answer.partition(b" ")
        if not rest.startswith(b"commit "):
            raise _unknown(
                rev, "ambiguous" if answer.endswith(b" ambiguous") else "unknown revision"
            )
        commits.append(oid.decode())
    return commits


def _unknown(rev: str, why: str) -> UnknownRevision:
    if rev == "HEAD":
        return UnknownRevision("this branch has no commit yet", hint="git commit")
    return UnknownRevision(
        f"{why}: {display(os.fsencode(rev)) if rev else '(empty)'}",
        hint="git log --oneline --all shows the commits there are; git fetch brings others",
    )


def current_refs(git: Git, prefixes: Sequence[str] = (BRANCHES, TAGS)) -> dict[str, str]:
    """Returns full ref names with the commits they lead to; one process, two with nested tags.

    Tags of trees and blobs are left out. Sorted by name.
    """
    found: dict[str, str] = {}
    nested: list[str] = []
    form = "%(refname)%00%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)"
    listed = git.run("for-each-ref", "--sort=refname", f"--format={form}", *prefixes)
    for line in listed.split(b"\n")[:-1]:
        name, kind, oid, peeled_kind, peeled = os.fsdecode(line).split("\0")
        if kind == "commit":
            found[name] = oid
        elif peeled_kind == "commit":
            found[name] = peeled
        elif peeled_kind == "tag":
            nested.append(name)
    return dict(sorted((found | _peeled(git, nested)).items()))


def all_tips(git: Git) -> list[str]:
    """Returns the commits that branches, tags and remote branches lead to, each once."""
    refs = current_refs(git, [BRANCHES, "refs/remotes", TAGS])
    return list(dict.fromkeys(refs.values()))


def _peeled(git: Git, names: Sequence[str]) -> dict[str, str]:
    """Returns the commits behind tags of tags; git before 2.45 takes off only one tag."""
    if not names:
        return {}
    asked = "".join(f"{name}^{{commit}}\n" for name in names)
    answers = git.run("cat-file", "--batch-check", stdin=os.fsencode(asked)).split(b"\n")
    return {
        name: answer.split(b" ")[0].decode()
        for name, answer in zip(names, answers, strict=False)
        if b" commit " in answer
    }


def head(git: Git) -> Head:
    """Returns where the work tree stands; two processes."""
    ref = os.fsdecode(git.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).removesuffix(b"\n"))
    return Head(ref or None, head_commit(git))


def head_commit(git: Git) -> str | None:
    """Returns the commit that the work tree stands on, None before the first one; one process."""
    answer = git.run("cat-file", "--batch-check", stdin=b"HEAD^{commit}\n")
    return answer.split(b" ")[0].decode() if b" commit " in answer else None
