"""What a checkout would do to a data set, path by path, as data; nothing is touched here.

Which paths to write, which to remove, which to keep because somebody worked on them. Carrying a
plan out is `checkout_write`; called by `checkout`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, encode_sidecar, parse_sidecar
from dvtool.errors import WouldLoseData
from dvtool.ops.disk import against
from dvtool.ops.selection import Selected, check_part
from dvtool.ops.workspace import Workspace
from dvtool.worktree.statindex import StatIndex
from dvtool.worktree.status import DatasetStatus, PathStatus

EMPTY_TEXT: Final = encode_sidecar(Sidecar("directory"))


@dataclass(slots=True)
class Plan:
    """What to do with one data set."""

    target: Selected
    text: bytes
    status: DatasetStatus
    write: list[PathStatus] = field(default_factory=list)
    remove: list[PathStatus] = field(default_factory=list)
    kept: list[PathStatus] = field(default_factory=list)
    left: list[PathStatus] = field(default_factory=list)
    unsaved: list[PathStatus] = field(default_factory=list)


def plan_for(
    workspace: Workspace, index: StatIndex, one: Selected, text: bytes, *, force: bool
) -> Plan:
    """Compares a data set with what `text` says, and decides path by path."""
    found = against(workspace, index, one.dataset, text)
    check_part(
        one,
        (path.path for path in found.paths),
        lambda: workspace.tree(parse_sidecar(text, source=one.dataset + SIDECAR_SUFFIX)),
    )
    plan = Plan(one, text, found)
    below = one.inside + b"/"
    for path in found.paths:
        if one.inside and path.path != one.inside and not path.path.startswith(below):
            plan.left.append(path)
        else:
            _decide(plan, path, force=force)
    if not force:
        _spare_only_copies(workspace, plan)
    return plan


def _spare_only_copies(workspace: Workspace, plan: Plan) -> None:
    """Counts files as unsaved that are as they were added, but whose bytes the store has lost."""
    doomed = [p for p in (*plan.write, *plan.remove) if p.stat and p.base and p.base.digest]
    lost = workspace.store.missing(p.base.digest for p in doomed if p.base) if doomed else set()
    if lost:
        spared = {p.path for p in doomed if p.base and p.base.digest in lost}
        plan.unsaved += [p for p in doomed if p.path in spared]
        plan.write = [p for p in plan.write if p.path not in spared]
        plan.remove = [p for p in plan.remove if p.path not in spared]


def _decide(plan: Plan, path: PathStatus, *, force: bool) -> None:
    if path.state == "new":
        plan.left.append(path)
    elif path.state in ("not-checked-out", "deleted", "stale") or force:
        (plan.write if path.sidecar is not None else plan.remove).append(path)
    elif path.state == "modified" and path.base is not None:
        plan.kept.append(path)
    elif path.stat is None:
        # Deleted here, changed there: writing the new version loses nothing.
        plan.write.append(path)
    else:
        plan.unsaved.append(path)


def refuse_unsaved(plans: Iterable[Plan], *, drop: str = "--force overwrites it") -> None:
    """Refuses plans that would overwrite what is in no version.

    Args:
        plans: All of them, so that nothing is done when one refuses.
        drop: How to do it all the same, for the hint.

    Raises:
        WouldLoseData: A file holds unsaved work.
    """
    unsaved = [(plan, path) for plan in plans for path in plan.unsaved]
    if unsaved:
        names = [str(Selected(plan.target.dataset, path.path)) for plan, path in unsaved[:10]]
        raise WouldLoseData(
            f"{len(unsaved)} files hold work that is in no version: {', '.join(names)}",
            hint=f"dvtool add keeps it, {drop}",
        )
