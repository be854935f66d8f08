"""The gate's policy: which verdicts stop a commit, a push and a merge, as settings say.

Only the policy; judging is `dvtool.ops.check`. Reads nothing: a pull request that changes its own
`.dvtool` is judged by the settings of its base commit, which the caller reads. Called by hooks and
by `ci`.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from dvtool.core.config import Loosened, Modified, Settings
from dvtool.quality.findings import Verdict


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """What stops what.

    Attributes:
        commit: Verdicts that stop a commit.
        push: Verdicts that stop a push.
        merge: Verdicts that stop a merge, which CI decides about.
        commit_budget_s: Seconds that judging may take at a commit.
        modified: What a commit does about data changed on disk and not added.
        loosened: What a change is that asks for less than before.
        large_file_bytes: Size from which a file may not be committed to git itself; 0 for none.
    """

    commit: frozenset[Verdict]
    push: frozenset[Verdict]
    merge: frozenset[Verdict]
    commit_budget_s: float
    modified: Modified
    loosened: Loosened
    large_file_bytes: int


def policy_of(settings: Settings) -> GatePolicy:
    """Returns the policy that settings describe."""
    commit, push, merge = (
        frozenset(map(Verdict, settings.gates.get(gate, ("fail",))))
        for gate in ("gate.commit", "gate.push", "gate.merge")
    )
    return GatePolicy(
        commit,
        push,
        merge,
        settings.commit_budget_s,
        settings.modified,
        settings.loosened,
        settings.large_file_bytes,
    )


def blocks(verdict: Verdict, blocked: Set[Verdict]) -> bool:
    """Tells whether a verdict stops what `blocked` guards; a pass never does."""
    return verdict in blocked and verdict is not Verdict.PASS
