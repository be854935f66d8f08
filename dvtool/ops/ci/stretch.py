"""The stretch of history that is judged: from what the change left, to what it comes to.

Resolves what a person or the environment said into commits, and fetches what a shallow clone
lacks; a range that cannot be known whole is an error, never a shorter range. Called by `run`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvtool.errors import UnknownRevision, UsageError
from dvtool.git.ancestry import is_covered
from dvtool.git.holders import stretch
from dvtool.git.plumbing import Git
from dvtool.git.revisions import resolve_commit
from dvtool.git.shallow import (
    WHOLE_HISTORY,
    cut_commits,
    deepen,
    fetch_branch,
    fetch_commit,
    origin_of,
    parents_written,
)


@dataclass(frozen=True, slots=True)
class Hint:
    """What the environment says about the base.

    Attributes:
        commit: Object id of the base; empty when it does not say, zeros for the very beginning.
        branch: Branch that the change is meant for; empty when it does not say.
        head: Object id of the change itself, where HEAD may be its merge with the branch.
        is_push: The commits are on their branch already; `commit` is what stood there before.
    """

    commit: str = ""
    branch: str = ""
    head: str = ""
    is_push: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """The commits that are judged.

    Attributes:
        head: The commit whose data are judged.
        base: The commit it is relative to; None for the beginning of history.
        merge_base: Where the two parted; None when they share nothing.
        law: The commit whose settings and checks hold, besides those of `head`; None for none.
        commits: Those of the change, newest first.
        notes: What a reader should know about how the base was found.
    """

    head: str
    base: str | None
    merge_base: str | None
    law: str | None
    commits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find_span(git: Git, *, base: str = "", hint: Hint | None = None, merge: bool = False) -> Span:
    """Returns what is judged; fetches history that a shallow clone lacks.

    Args:
        git: The repository.
        base: What a person named; empty for what `hint` says.
        hint: What the environment says; None for nothing.
        merge: The merge of both is judged, so the base is where the branch stands today.

    Raises:
        UnknownRevision: The base is not here, and the origin does not give it.
        UsageError: Nothing says what the base is.
        GitFailed: The clone is shallow, and the origin does not give the rest.
    """
    head = resolve_commit(git, "HEAD")
    found = _given(git, head, base) if base else _hinted(git, head, hint or Hint())
    if merge and found.law is not None:
        found = replace(found, base=found.law)
    deepen(git, head, found.base)
    merge_base = None
    if found.base is not None:
        merge_base = git.run("merge-base", found.base, head, ok=(0, 1)).decode().strip() or None
    exclude = [found.base] if found.base is not None else []
    commits = stretch(git, [head], exclude).commits
    return replace(found, merge_base=merge_base, commits=commits)


def _given(git: Git, head: str, base: str) -> Span:
    try:
        commit = resolve_commit(git, base)
    except UnknownRevision as error:
        commit = _brought(git, base)
        if not commit:
            raise UnknownRevision(
                f"{error.message}, and the origin does not give it", hint=WHOLE_HISTORY
            ) from None
    return Span(head, commit, None, commit)


def _brought(git: Git, base: str) -> str:
    """Returns the commit of a base that had to be fetched, empty when it could not be."""
    if len(base) in (40, 64) and fetch_commit(git, base):
        return base
    ref = fetch_branch(git, base.removeprefix("origin/"))
    return resolve_commit(git, ref) if ref else ""


def _hinted(git: Git, head: str, hint: Hint) -> Span:
    if hint.commit and not hint.commit.strip("0"):
        return Span(head, None, None, None, notes=("nothing was there before: all is judged",))
    if hint.head:
        parents = parents_written(git, head)
        # The host merged the change into its branch, and that merge is what is checked out here.
        if len(parents) == 2 and parents[1] == hint.head and fetch_commit(git, parents[0]):
            return Span(head, parents[0], None, parents[0])
    tip = _tip(git, hint.branch)
    if hint.commit and fetch_commit(git, hint.commit):
        return Span(head, hint.commit, None, _law(git, head, tip, hint.commit))
    if hint.commit and (hint.is_push or tip is None):
        raise UnknownRevision(
            f"the base of this change, {hint.commit}, is not here, and the origin does not give it",
            hint=f"--base REV names another; {WHOLE_HISTORY}",
        )
    if tip is None and hint.branch:
        raise UnknownRevision(
            f"branch {hint.branch} is not here, and the origin does not give it", hint=WHOLE_HISTORY
        )
    if tip is None and not hint.is_push:
        tip = _tracking(git, "HEAD")
        if tip is None:
            raise UsageError(
                "nothing says what this change is relative to", hint="dvtool ci --base origin/main"
            )
    if tip is None or is_covered(git, head, [tip]):
        return _last_commit(git, head)
    return Span(head, tip, None, tip)


def _last_commit(git: Git, head: str) -> Span:
    """Returns the last commit alone, where the branch has it already and nobody knows from when."""
    parent = next(iter(parents_written(git, head)), None)
    if parent is not None and not fetch_commit(git, parent) and head in cut_commits(git):
        raise UnknownRevision(f"the parent of {head[:12]} is not here", hint=WHOLE_HISTORY)
    note = "the branch has this commit already: only the last one is judged (--base names another)"
    return Span(head, parent, None, parent, notes=(note,))


def _law(git: Git, head: str, tip: str | None, base: str) -> str:
    """Returns the commit whose rules hold: the branch as it is today, unless it has the change."""
    return base if tip is None or is_covered(git, head, [tip]) else tip


def _tip(git: Git, branch: str) -> str | None:
    """Returns where a branch of the origin stands today, or stood when this clone last looked."""
    if not branch:
        return None
    ref = fetch_branch(git, branch)
    return resolve_commit(git, ref) if ref else _tracking(git, branch)


def _tracking(git: Git, name: str) -> str | None:
    remotes = git.run("remote").split()
    if not remotes:
        return None
    try:
        return resolve_commit(git, f"refs/remotes/{origin_of(git)}/{name}")
    except UnknownRevision:
        return None
