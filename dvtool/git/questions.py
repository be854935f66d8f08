"""The few questions to git whose answers tell that a repository is where it was, asked cheaply.

No other module of the project is imported and almost none of Python's own, since a command that only
repeats what it said is over before `subprocess` is imported. Everything else that is asked of git
goes through `dvtool.git.plumbing`. Called by `dvtool.ops.answers`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as in `typing`, which takes as long to import as git to answer
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# These change what a path on the command line means, or run a program while git only reports.
NEVER_HANDED_ON = frozenset(
    {
        "GIT_LITERAL_PATHSPECS",
        "GIT_GLOB_PATHSPECS",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_ICASE_PATHSPECS",
        "GIT_EXTERNAL_DIFF",
        "GIT_DIFF_OPTS",
        "GIT_PREFIX",
        "LANGUAGE",
    }
)
# What `git rev-parse --local-env-vars` lists: a hook's git exports some of them, and they would
# send a command meant for another repository back to the hook's own. As git does for submodules,
# GIT_CONFIG_PARAMETERS and GIT_CONFIG_COUNT stay: they are the user's `git -c`.
ONE_REPOSITORY_ONLY = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_PLACE = ("rev-parse", "--absolute-git-dir", "--git-common-dir", "--show-toplevel", "HEAD")
_REPLACED = ("--is-shallow-repository", "--glob=refs/replace")
_SIDECARS = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--")
_STAGED = (
    *("ls-files", "-z", "--stage", "--"),
    *(":(glob)**/*.dvt", ":(glob)**/*.checks.yaml", ":(glob)**/*.allow.yaml"),
)
_BRANCHES = ("for-each-ref", "--format=%(HEAD)%(objectname) %(refname)", "refs/heads")
_MOST_REV_BYTES = 4096
"""What any pipe takes before somebody reads it."""


def is_ordinary(environ: Mapping[str, str]) -> bool:
    """Tells whether git speaks of the repository around us, not as one of its hooks nor traced."""
    unusual = NEVER_HANDED_ON | ONE_REPOSITORY_ONLY
    return not any(
        name in unusual or name.startswith("GIT_TRACE")
        for name in environ
        if name.startswith("GIT_")
    )


def place() -> tuple[bytes, list[str]] | None:
    """Returns git's answer, and git directory, common directory and top of the work tree in it.

    The answer also holds the commit at HEAD and the objects that replace others. None without a
    repository, a work tree or a commit. One process.
    """
    told = _told((*_PLACE, *_REPLACED))
    lines = os.fsdecode(told).split("\n") if told is not None else []
    # A folder with a newline in its name would move the commit to another line.
    if told is None or len(lines) < 6 or len(lines[3]) not in (40, 64):
        return None
    return told, [lines[0], os.path.abspath(lines[1]), lines[2]]


def surroundings(top: str, *, branches: bool, index: bool) -> list[bytes] | None:
    """Returns which sidecars are there, and git's settings; branches or what is staged, if asked.

    None when git fails. A process each.
    """
    questions: list[Iterable[str]] = [
        ("-C", top, *_SIDECARS, ":(glob)**/*.dvt"),
        ("-C", top, "config", "-z", "--list", "--show-scope"),
    ]
    if branches:
        questions.append(_BRANCHES)
    if index:
        questions.append(("-C", top, *_STAGED))
    answers = [_told(one) for one in questions]
    known = [one for one in answers if one is not None]
    return known if len(known) == len(answers) else None


def commits(top: str, revs: Sequence[str]) -> list[str] | None:
    """Returns the object ids of the commits that revisions name, in order; one process, or none.

    None where git does not know one of them.
    """
    if not revs:
        return []
    asked = os.fsencode("".join(f"{rev}^{{commit}}\n" for rev in revs))
    if asked.count(b"\n") != len(revs) or len(asked) > _MOST_REV_BYTES:
        return None
    # As `dvtool.git.revisions` asks: nothing that a user typed is an argument of git.
    told = _told(("-C", top, "cat-file", "--batch-check=%(objectname)"), asked)
    lines = os.fsdecode(told).split("\n")[:-1] if told is not None else []
    is_known = len(lines) == len(revs) and all(len(one) in (40, 64) for one in lines)
    return lines if is_known and not any(" " in one for one in lines) else None


def _told(args: Iterable[str], said: bytes = b"") -> bytes | None:
    """Returns what git writes when it is told `said`; None if it ends with an error or is not there."""
    # The little that is said fits the pipe: git need not run yet.
    ours, theirs = os.pipe()
    with open(theirs, "wb", buffering=0) as telling:
        telling.write(said)
    reading, writing = os.pipe()
    with open(ours, "rb", buffering=0), open(reading, "rb", buffering=0) as answer:
        try:
            process = os.posix_spawnp(
                "git",
                ["git", *args],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, ours, 0),
                    (os.POSIX_SPAWN_DUP2, writing, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
            )
        except (OSError, ValueError):
            os.close(writing)
            return None
        os.close(writing)
        told = answer.readall()
    _, status = os.waitpid(process, 0)
    return told if status == 0 else None
