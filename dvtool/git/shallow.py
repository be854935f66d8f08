"""Shallow clones: what history they lack, and fetching it from where the clone came from.

A clone of depth 1 answers every question about history, wrongly. Here is told whether an answer
about two commits can be right, and the missing part is fetched; branches are never moved, only
remote-tracking ones. Called by `dvtool.ops.ci`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dvtool.errors import DvtoolError, GitFailed
from dvtool.git.ancestry import check_oid, commits_known
from dvtool.git.plumbing import Git

WHOLE_HISTORY = (
    "give the job the whole history: `fetch-depth: 0` for actions/checkout, "
    '`GIT_DEPTH: "0"` for GitLab, or git fetch --unshallow'
)
_STEPS = (50, 250, 1250)
"""Commits to go back at first, and then; after these all of it."""
_BRANCH = re.compile(r"[^\s~^:?*\[\\\x00-\x1f-][^\s~^:?*\[\\\x00-\x1f]*")


def cut_commits(git: Git) -> frozenset[str]:
    """Returns the commits whose parents this clone does not have; none when it is whole."""
    try:
        text = (git.layout.common_dir / "shallow").read_text("ascii")
    except FileNotFoundError:
        return frozenset()
    return frozenset(text.split())


def is_cut_between(git: Git, head: str, base: str | None) -> bool:
    """Tells whether history is cut before two commits meet, so that neither range nor base is known.

    Args:
        git: The repository.
        head: Object id of a commit.
        base: Of another; None asks whether anything behind `head` is cut off.
    """
    cut = cut_commits(git)
    if not cut:
        return False
    asked = [head] if base is None else ["--left-right", f"{head}...{base}"]
    walked = git.run("rev-list", *asked, "--").decode().split()
    return any(line.lstrip("<>") in cut for line in walked)


def parents_written(git: Git, commit: str) -> list[str]:
    """Returns the parents as the commit itself names them, also where history is cut there."""
    header, _, _ = git.run("cat-file", "commit", check_oid(commit)).partition(b"\n\n")
    lines = header.decode("utf-8", "replace").split("\n")
    return [line.removeprefix("parent ") for line in lines if line.startswith("parent ")]


def origin_of(git: Git) -> str:
    """Returns the name of the remote that this clone is of.

    Raises:
        GitFailed: It has none, or several and none called origin.
    """
    names = git.run("remote").decode("utf-8", "surrogateescape").split()
    if "origin" in names:
        return "origin"
    if len(names) == 1:
        return names[0]
    found = "several and none called origin" if names else "none"
    raise GitFailed(f"no git remote to fetch from: there is {found}", hint="git remote add origin")


def fetch_branch(git: Git, branch: str) -> str | None:
    """Brings a branch of the origin to its remote-tracking ref; returns that ref, None without.

    A whole clone stays whole; a shallow one gets the branch's latest commits.
    """
    if not _BRANCH.fullmatch(branch):
        return None
    try:
        remote = origin_of(git)
        ref = f"refs/remotes/{remote}/{branch}"
        _fetch(git, remote, [f"+refs/heads/{branch}:{ref}"], depth=bool(cut_commits(git)))
    except DvtoolError:
        return None
    return ref


def fetch_commit(git: Git, oid: str) -> bool:
    """Brings one commit by its id; tells whether it is here now."""
    if commits_known(git, [oid]):
        return True
    try:
        _fetch(git, origin_of(git), [check_oid(oid)], depth=bool(cut_commits(git)))
    except DvtoolError:
        return False
    return bool(commits_known(git, [oid]))


def _fetch(git: Git, remote: str, wanted: Sequence[str], *, depth: bool) -> None:
    limit = [f"--depth={_STEPS[0]}"] if depth else []
    git.run("fetch", *_PLAIN, *limit, "--end-of-options", remote, *wanted)


_PLAIN = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")


def deepen(git: Git, head: str, base: str | None) -> None:
    """Fetches history until that between two commits is whole: in growing steps, then all of it.

    Raises:
        GitFailed: The origin does not give it; the hint says how to clone the whole.
    """
    if not is_cut_between(git, head, base):
        return
    wanted = [check_oid(oid) for oid in (head, base) if oid is not None]
    why = ""
    # Named commits bring only their own history; a host that refuses ids is asked for branches.
    tries = [([f"--deepen={step}"], wanted) for step in _STEPS]
    tries += [(["--unshallow"], wanted), (["--unshallow"], [])]
    for options, names in tries:
        try:
            remote = origin_of(git)
            git.run("fetch", *_PLAIN, *options, "--end-of-options", remote, *names)
        except DvtoolError as error:
            why = f": {error.message}"
            continue
        if not is_cut_between(git, head, base):
            return
    before = "its beginning" if base is None else base[:12]
    raise GitFailed(
        f"the clone is shallow, and history between {before} and {head[:12]} cannot be fetched{why}",
        hint=WHOLE_HISTORY,
    )
