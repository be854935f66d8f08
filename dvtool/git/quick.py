"""The shell test of our hooks, for those who call dvtool where git would call the script.

That is the pre-commit program: each of its commits starts Python, most of them have no data in
them, and the test is over before anything is imported. Nothing of the project is imported but the
text of the test. Called by `dvtool.cli.entry`.
"""

from __future__ import annotations

import os

from dvtool.git.hooktext import SETTLED

COMMIT_HOOKS = ("check", "large-files")
"""What `dvtool hook` is asked before a commit; of a settled commit both say nothing."""


def is_settled(args: list[str]) -> bool:
    """Tells whether a command line is such a hook's and has nothing to find, as the script would.

    False also where the test cannot be made, as in a folder that is not the top of a work tree.
    """
    if len(args) != 2 or args[0] != "hook" or args[1] not in COMMIT_HOOKS:
        return False
    if not (os.path.lexists(".git") and os.path.isfile(".dvtool")):
        return False
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    try:
        shell = os.posix_spawnp("sh", ["sh", "-c", SETTLED], os.environ, file_actions=nothing)
    except OSError:
        return False
    return os.waitpid(shell, 0)[1] == 0
