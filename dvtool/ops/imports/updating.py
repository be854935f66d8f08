"""`update`: look whether origins of imported data sets have something newer, and take it.

Looking brings new bytes into the store, where they are compared with what is here and judged; the
work tree stays as it is. Taking replaces a data set as a whole, never over unsaved work. Called by
the CLI and the API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dvtool.core.origin import Origin, origin_of
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, encode_sidecar, version_digest
from dvtool.core.tree import diff_trees
from dvtool.errors import UsageError, WouldLoseData
from dvtool.ops import subjects
from dvtool.ops.check import Wanted, subject_of
from dvtool.ops.checkout import bring_to, refuse_uncommitted
from dvtool.ops.checkout_write import CheckoutReport
from dvtool.ops.compare import DatasetDiff
from dvtool.ops.datadiff import FileDiff, RowsWanted, diff_changes
from dvtool.ops.imports.arriving import Arrival, Receiver, arrive, sidecar_of
from dvtool.ops.judge_once import judge_subject_once
from dvtool.ops.selection import Selected
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Judgement


@dataclass(frozen=True, slots=True)
class News:
    """What looking at the origin of one data set found.

    Attributes:
        dataset: Its path.
        before: Its origin as the sidecar has it.
        now: Its origin with what it says today; the same when nothing is new.
        diff: How the bytes differ; None when they do not.
        judgement: Of the new bytes, by the checks that stand here; None when they are the same.
        changed_here: Whether somebody added other bytes since they were imported.
        sidecar: What the sidecar would say; None when it stays as it is.
        seen: What it said when the origin was asked.
        tables: How the rows of changed tables differ.
    """

    dataset: str
    before: Origin
    now: Origin
    diff: DatasetDiff | None = None
    judgement: Judgement | None = None
    changed_here: bool = False
    sidecar: Sidecar | None = None
    seen: Sidecar | None = None
    tables: tuple[FileDiff, ...] = ()


def imported(workspace: Workspace, paths: Sequence[str]) -> list[tuple[str, Sidecar, Origin]]:
    """Returns the imported data sets among those that paths name; all of them without paths.

    Raises:
        UsageError: A path names a data set that was not imported, or only a part of one.
        InvalidText: The lines of an origin make no sense.
    """
    found = []
    for one, sidecar in selected_sidecars(workspace, None, list(paths)):
        origin = origin_of(sidecar, source=one.dataset + SIDECAR_SUFFIX)
        if paths and (one.inside or origin is None):
            why = "is a part of a data set" if one.inside else "was not imported"
            hint = f"dvtool update {one.dataset}" if one.inside else "dvtool import brings data"
            raise UsageError(f"{one} {why}", hint=hint)
        if origin is not None:
            found.append((one.dataset, sidecar, origin))
    return found


def look(
    workspace: Workspace,
    paths: Sequence[str],
    *,
    wanted: Wanted,
    rev: str | None = None,
    rows: RowsWanted | None = None,
    jobs: int | None = None,
) -> list[News]:
    """Asks the origins of data sets for news; what is new comes into the store and is judged.

    Args:
        workspace: Where.
        paths: Imported data sets; all of them when empty.
        rev: Another revision than the one that was asked for before.
        wanted: How to judge.
        rows: How to compare rows of tables.
        jobs: How many downloads at once.

    Raises:
        UsageError: A data set was not imported, or `rev` is given for one that came from a URL.
        NoRepository, UnknownRevision, ObjectMissing, RemoteFailed: An origin does not answer.
    """
    chosen = imported(workspace, paths)
    for dataset, _, origin in chosen:
        if rev is not None and not origin.is_repository:
            raise UsageError(
                f"{dataset} came from a URL, which has no revisions", hint="leave out --rev"
            )
    receiver = Receiver(workspace.store, workspace.environ, workspace.progress, jobs)
    news = []
    for dataset, sidecar, origin in chosen:
        came = arrive(receiver, replace(origin, rev=rev or origin.rev), known=origin)
        one = _news(workspace, dataset, sidecar, origin, came)
        if one.diff is not None and one.sidecar is not None:
            checks = subjects.checks_at(workspace, dataset, None)
            tables = diff_changes(workspace, one.diff, [checks, checks], rows or RowsWanted())
            judgement = _judged(workspace, dataset, one.sidecar, wanted)
            one = replace(one, judgement=judgement, tables=tuple(tables))
        news.append(one)
    return news


def _news(
    workspace: Workspace, dataset: str, sidecar: Sidecar, origin: Origin, came: Arrival | None
) -> News:
    """Returns how what came differs from what is here."""
    here = version_digest(sidecar)
    is_changed = origin.digest is not None and here != origin.digest
    if came is None:
        return News(dataset, origin, origin, changed_here=is_changed)
    new = sidecar_of(workspace.store, came, sidecar)
    now = origin_of(new, source=dataset) or came.origin
    if now.digest == origin.digest:
        # Nothing but the revision asked for, or the server's name of the same bytes, is new.
        kept = replace(sidecar, extra=new.extra)
        return News(dataset, origin, now, None, None, is_changed, kept, sidecar)
    before = workspace.tree(sidecar)
    changes = tuple(diff_trees(before, came.tree))
    diff = DatasetDiff(dataset, "changed", changes, before.size_bytes, came.tree.size_bytes)
    return News(dataset, origin, now, diff, None, is_changed, new, sidecar)


def _judged(workspace: Workspace, dataset: str, sidecar: Sidecar, wanted: Wanted) -> Judgement:
    """Judges what came, as if it had been added here: by the checks on disk, and from the store."""
    subject = subject_of(workspace, Selected(dataset), sidecar, None, wanted, stored=True)
    arrived = replace(subject, version="arrived")
    return judge_subject_once(arrived, wanted, workspace.progress, workspace)


def take(
    workspace: Workspace, news: Sequence[News], *, force: bool = False
) -> list[CheckoutReport]:
    """Replaces data sets by what came; all of them or, when one refuses, none.

    Args:
        workspace: Where.
        news: What `look` found; those without anything new are passed over.
        force: Also replace what somebody changed here since the import, once it is committed.

    Raises:
        WouldLoseData: Unsaved work, or changes made here, stand in the way; nothing was touched.
    """
    fresh = [one for one in news if one.sidecar is not None]
    for one in fresh:
        if workspace.sidecar(one.dataset) != one.seen:
            raise WouldLoseData(
                f"{one.dataset}: its sidecar changed meanwhile", hint="run the same command again"
            )
        if one.changed_here and one.diff is not None:
            if not force:
                raise WouldLoseData(
                    f"{one.dataset} was changed here since it was imported",
                    hint="--force takes the origin's version; the one here stays in git's history",
                )
            refuse_uncommitted(workspace, [one.dataset], hint="git commit it first")
    targets = [(Selected(one.dataset), encode_sidecar(one.sidecar)) for one in fresh if one.sidecar]
    return bring_to(workspace, targets)
