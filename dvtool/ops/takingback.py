"""Which versions a later commit took back, so that nothing is compared with them.

A commit takes back what lies between it and the version that it brings back, if it says so as `git
revert` does: the data must be exactly those of the earlier version, and the words must be there. Data
that come again without the words are `repeats`. Called by `baselines`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from dvtool.git.history import messages_merged
from dvtool.git.plumbing import Git

if TYPE_CHECKING:
    from dvtool.ops.baselines import BaselineVersion

LOOKED_BACK: Final = 60
"""Versions among which the one that a revert brings back is looked for."""
_MERGED: Final = 2
"""Likewise for a merge that only holds one: it takes back the version just before."""
_WORDS: Final = re.compile(r'^(This reverts commit [0-9a-f]{7,64}\b|Reverts? "|Reapply ")', re.M)


def says_revert(message: str) -> bool:
    """Tells whether a commit message is that of a revert, as git and the big hosts write it."""
    return _WORDS.search(message) is not None


def without_taken_back(git: Git, versions: Iterable[BaselineVersion]) -> Iterator[BaselineVersion]:
    """Yields the versions that no later one takes back; what was brought back comes once, as the latest.

    Args:
        git: Asked about a merge that brings back the version before the last one, and only then.
        versions: Of one data set, newest first; read no further than needed.
    """
    coming = iter(versions)
    waiting: deque[BaselineVersion] = deque()
    while True:
        if not waiting:
            following = next(coming, None)
            if following is None:
                return
            waiting.append(following)
        one = waiting.popleft()
        yield one
        while between := _taken_back(git, one, waiting, coming):
            for _ in range(between):
                waiting.popleft()
            one = waiting.popleft()  # the same data, which may have taken something back as well


def _taken_back(
    git: Git,
    one: BaselineVersion,
    waiting: deque[BaselineVersion],
    coming: Iterator[BaselineVersion],
) -> int:
    """Returns how many of the versions before one it takes back; moves those looked at to `waiting`."""
    most = LOOKED_BACK if one.says_revert else _MERGED if one.is_merge else 0
    for place in range(most):
        if place == len(waiting):
            older = next(coming, None)
            if older is None:
                return 0
            waiting.append(older)
        if waiting[place].sidecar == one.sidecar:
            is_said = one.says_revert or says_revert(messages_merged(git, one.commit))
            return place if place and is_said else 0
    return 0
