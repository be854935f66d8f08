"""After a checkout or a merge: data are brought in line with the sidecars, as far as that is safe.

Never over unsaved work, never with the network, and only hints while a rebase or a bisection is
under way, since the work tree passes through versions then that nobody asked to see. Called by the
internal command `hook`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.errors import ObjectMissing
from dvtool.git.ancestry import commits_known
from dvtool.git.pushing import changed_between, versions_at
from dvtool.git.revisions import resolve_commit
from dvtool.git.sidecars import ANY_SIDECAR, sidecar_paths
from dvtool.git.staged import operation_under_way
from dvtool.ops.checkout import follow
from dvtool.ops.checkout_write import CheckoutReport
from dvtool.ops.fetch import datasets_to_pull
from dvtool.ops.hooks.unadded import forget_settled
from dvtool.ops.selection import datasets_of
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class AfterReport:
    """What was done to the data.

    Attributes:
        done: One report each for data sets that were brought in line.
        left: Data sets that were left as they are, with the reason.
        hint: What to run, empty when nothing is left to do.
    """

    done: tuple[CheckoutReport, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    hint: str = ""


def after_checkout(workspace: Workspace, before: str, after: str) -> AfterReport:
    """Brings data in line with the sidecars that differ between two commits.

    Args:
        workspace: Where.
        before: The commit that was left, or what git says when there was none.
        after: The commit that was reached.
    """
    auto = workspace.settings.checkout_auto
    forget_settled(workspace)
    if auto == "off":
        return AfterReport()
    behind, known_before = _behind(workspace, before, after)
    if not behind and not known_before:
        return AfterReport()
    under_way = operation_under_way(workspace.git)
    if auto == "hint" or under_way:
        when = f", once the {under_way} is done" if under_way else ""
        return AfterReport(hint=f"sidecars changed; dvtool checkout brings the data in line{when}")
    chosen = datasets_to_pull(workspace, None)
    wanted = behind if chosen is None else behind & set(chosen)
    try:
        done, left = follow(workspace, sorted(wanted), known_before=known_before)
    except ObjectMissing as error:
        return AfterReport(hint=f"{error}; {error.hint}")
    lacking = any("not in the store" in why for _, why in left)
    hint = "dvtool pull brings what is not here" if lacking else ""
    if left and not hint:
        hint = "dvtool status shows it; dvtool add keeps the work, dvtool checkout --force drops it"
    return AfterReport(tuple(done), tuple(left), hint)


def _behind(workspace: Workspace, before: str, after: str) -> tuple[set[str], set[str]]:
    """Returns the data sets that may be behind, and those that the commit before had too."""
    here = set(datasets_of(sidecar_paths(workspace.git)))
    if not commits_known(workspace.git, [before]):
        return here, set()
    paths = sorted(changed_between(workspace.git, before, after, ANY_SIDECAR))
    known = versions_at(workspace.git, [(before, paths)])[0]
    before_too = {
        path.removesuffix(SIDECAR_SUFFIX) for path, oid in zip(paths, known, strict=True) if oid
    }
    return here & set(datasets_of(paths)), before_too


def after_merge(workspace: Workspace) -> AfterReport:
    """Brings data in line after a merge, which left where it began in ORIG_HEAD."""
    ends = [resolve_commit(workspace.git, rev) for rev in ("ORIG_HEAD", "HEAD")]
    return after_checkout(workspace, *ends)
