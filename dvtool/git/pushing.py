"""What a push is about to send: the lines git gives a pre-push hook, and the versions in them.

git's own view of the remote bounds only which versions are *judged*: what left this clone once
cannot be held back any more. Which bytes are at the data remote is never asked here; that is
`dvtool.ops.coverage`. Called by `dvtool.ops` for hooks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from dvtool.errors import UsageError
from dvtool.git.ancestry import check_oid, commits_known
from dvtool.git.plumbing import Git

_PLAIN = (
    *("log", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-follow", "--no-show-signature"),
    *("--no-color", "--no-ext-diff", "--no-notes", "--no-mailmap", "--root", "--reverse"),
    *("--ignore-submodules=all", "--no-relative", "-O/dev/null", "--topo-order"),
)


class PushedRef(NamedTuple):
    """One ref that a push sends.

    Attributes:
        ref: Its name at the other side.
        commit: What it will point to there.
        before: What it pointed to, as the other side said; empty for a new ref.
    """

    ref: str
    commit: str
    before: str


def pushed_refs(git: Git, lines: Iterable[str]) -> list[PushedRef]:
    """Returns the commits that a push sends, from the lines a pre-push hook reads.

    Deleted refs, and tags of anything but commits, are left out. One process a ref.

    Raises:
        UsageError: A line is not as git writes it.
    """
    found = []
    for line in lines:
        if not line.strip():
            continue
        fields = line.rstrip("\n").split(" ")
        if len(fields) != 4:
            raise UsageError(
                f"expected LOCAL-REF OID REMOTE-REF OID, found {line[:80]!r}",
                hint="git calls this; dvtool push uploads what commits need",
            )
        _, oid, ref, before = fields
        if not _is_zero(oid) and (commit := _commit_of(git, oid)):
            found.append(PushedRef(ref, commit, "" if _is_zero(before) else before))
    return found


def _is_zero(oid: str) -> bool:
    return not oid.strip("0")


def _commit_of(git: Git, oid: str) -> str:
    peeled = git.run("rev-parse", "--quiet", "--verify", f"{check_oid(oid)}^{{commit}}", ok=(0, 1))
    return peeled.decode().strip()


def not_sent_yet(git: Git, tips: Sequence[str], before: Iterable[str], remote: str) -> list[str]:
    """Returns what to give `git log` for the commits of `tips` that never left this clone.

    Args:
        git: The repository.
        tips: Commits.
        before: What the other side says it has; what this clone does not know is left out.
        remote: Name of the remote as git calls it; its remote-tracking refs bound the walk. A URL
            has none, then those of all remotes do.
    """
    known = commits_known(git, before)
    name = remote if _is_remote(git, remote) else "*"
    return [*tips, "--not", *sorted(known), f"--remotes={name}"]


def _is_remote(git: Git, name: str) -> bool:
    if not name:
        return False
    listed = git.run("remote").decode("utf-8", "surrogateescape").split("\n")
    return name in listed


class TouchedPath(NamedTuple):
    """One path that a commit of a range gave another text."""

    commit: str
    path: str
    oid: str


def touched(git: Git, revisions: Sequence[str], pathspecs: Sequence[str]) -> list[TouchedPath]:
    """Returns what commits of a range changed, oldest first; removed paths are left out.

    A merge counts where it differs from all its parents, as only then it made something new.
    One process.
    """
    command = (*_PLAIN, "--format=tformat:%H", "--diff-merges=combined", "--diff-filter=d")
    stream = git.stream(*command, *revisions, "--", *pathspecs)
    found = []
    commit = ""
    for field in stream:
        text = field.lstrip(b"\n")
        if not text:
            continue
        if not text.startswith(b":"):
            commit = text.decode()
            continue
        path = next(islice(stream, 1)).decode("utf-8", "surrogateescape")
        # A merge's line has a colon, a mode and an object id for each parent more.
        parents = len(text) - len(text.lstrip(b":"))
        oid = text.split(b" ")[2 * parents + 1].decode()
        found.append(TouchedPath(commit, path, oid))
    return found


def versions_at(git: Git, questions: Sequence[tuple[str, Sequence[str]]]) -> list[tuple[str, ...]]:
    """Returns for each commit and its paths the object ids they have there; one process.

    An empty text stands for a path the commit does not have, and for one with a newline.
    """
    lines = [
        f"{commit}:{path}" if "\n" not in path else ""
        for commit, paths in questions
        for path in paths
    ]
    asked = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    answers = git.run("cat-file", "--batch-check", stdin=asked).split(b"\n") if lines else []
    oids = iter(answer.split(b" ")[0].decode() if b" blob " in answer else "" for answer in answers)
    return [tuple(next(oids) for _ in paths) for _, paths in questions]


def changed_between(git: Git, before: str, after: str, pathspec: str) -> set[str]:
    """Returns the paths that differ between two commits; one process."""
    listed = git.run(
        *("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=all"),
        *("--end-of-options", before, after, "--", pathspec),
    )
    return {path.decode("utf-8", "surrogateescape") for path in listed.split(b"\0")[:-1]}
