"""The sides of a merge: the one under way, or the one that HEAD is.

A text merge that git calls clean can still break a sidecar; then there are no stages in the index,
and the three versions come from the commits themselves. Called by `dvtool.ops.merge`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvtool.git.plumbing import Git
from dvtool.git.sidecars import sidecars_at


@dataclass(frozen=True, slots=True)
class Sides:
    """The commits of a merge; `base` is None when the two have no common ancestor."""

    base: str | None
    ours: str
    theirs: str

    def stages(self, git: Git, path: str) -> dict[int, str]:
        """Returns the object ids of a sidecar on each side, numbered as git's index stages are."""
        commits = {1: self.base, 2: self.ours, 3: self.theirs}
        found = {
            stage: sidecars_at(git, commit, [path]).get(path)
            for stage, commit in commits.items()
            if commit is not None
        }
        return {stage: oid for stage, oid in found.items() if oid is not None}


def merge_sides(git: Git) -> Sides | None:
    """Returns the sides of the merge under way, else of HEAD if it is a merge; None otherwise.

    Three processes at most.
    """
    asked = b"MERGE_HEAD^{commit}\nHEAD^{commit}\nHEAD^1\nHEAD^2\n"
    answers = git.run("cat-file", "--batch-check", stdin=asked).decode().split("\n")
    merging, head, first, second = (
        line.split(" ")[0] if " commit " in line else None for line in answers[:4]
    )
    if merging is not None and head is not None:
        ours, theirs = head, merging
    elif first is not None and second is not None:
        ours, theirs = first, second
    else:
        return None
    base = git.run("merge-base", ours, theirs, ok=(0, 1)).decode().strip()
    return Sides(base or None, ours, theirs)
