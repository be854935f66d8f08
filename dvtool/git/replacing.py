"""Whether git is just about to replace the commit at HEAD: an amend, or a stop of a rebase.

Then the version at HEAD is the one that is being mended, and no baseline for its successor. git
tells its hooks nothing of an amend, so the command line of the git that called us is looked at. Also
the message that waits for the next commit, which tells a revert.
Called by `dvtool.ops.baselines`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dvtool.git.plumbing import Git
from dvtool.git.revisions import resolve_commit

MESSAGE_FILE: Final = "MERGE_MSG"
_MOST_ANCESTORS: Final = 16
# git takes an option by any beginning that is unique; `--a` could also be `--author` or `--all`.
_AMEND: Final = frozenset({"--am", "--ame", "--amen", "--amend"})


def is_head_replaced(git: Git, *, environ: Mapping[str, str]) -> bool:
    """Tells whether the commit that is being made takes the place of HEAD.

    An alias that hides `--amend`, or a program that is not git, is not recognised; then HEAD
    counts as a version like any other. git is asked only while a rebase stands still.

    Args:
        git: The repository.
        environ: The environment dvtool itself runs in; git's hooks have `GIT_INDEX_FILE` there.

    Raises:
        UnknownRevision: There is no commit at HEAD.
    """
    try:
        # Written when a rebase stops for `edit`: the commit that `rebase --continue` amends.
        stopped = (git.layout.git_dir / "rebase-merge" / "amend").read_text("ascii", "replace")
    except OSError:
        stopped = ""
    if stopped.strip() and stopped.strip() == resolve_commit(git, "HEAD"):
        return True
    if "GIT_INDEX_FILE" not in environ:
        return False
    callers = (one for one in _callers() if one and os.path.basename(one[0]) == "git")
    return _is_amend(next(callers, []))


def coming_message(git: Git) -> str:
    """Returns the message that git has ready for the next commit: of a merge or revert; else empty."""
    try:
        return (git.layout.git_dir / MESSAGE_FILE).read_text("utf-8", "replace")
    except OSError:
        return ""


def _callers() -> Iterator[list[str]]:
    """Yields the command lines of the processes above this one, nearest first; none without /proc."""
    process = os.getppid()
    for _ in range(_MOST_ANCESTORS):
        folder = Path("/proc", str(process))
        try:
            command = os.fsdecode((folder / "cmdline").read_bytes()).split("\0")[:-1]
            # The name of the program stands in brackets and may hold anything.
            process = int((folder / "stat").read_bytes().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return
        yield command
        if process <= 1:
            return


def _is_amend(command: list[str]) -> bool:
    if "commit" not in command:
        return False
    options = command[command.index("commit") + 1 :]
    options = options[: options.index("--")] if "--" in options else options
    return bool(_AMEND & set(options))
