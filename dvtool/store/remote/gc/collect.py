"""Collecting garbage at a remote: retire, mark, sweep.

One call does as much as is due: roots that were found dead are retired, packs that no root reaches
are condemned, thin ones after what lives in them has a copy, many small indexes become one, and
what was condemned a grace period ago is deleted. Which roots are dead is for `dvtool.ops.gc` to find out. Called through it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvtool.core.gcmarks import Mark, Retirement, batches
from dvtool.store.remote.gc.age import GRACE_S
from dvtool.store.remote.gc.live import Live, read_live
from dvtool.store.remote.gc.merging import MERGE_FROM, batches_of, merge_indexes
from dvtool.store.remote.gc.moving import copy_records
from dvtool.store.remote.gc.notes import server_now_s, write_notes
from dvtool.store.remote.gc.plan import LIVE_SHARE, Condemned, plan_condemned
from dvtool.store.remote.gc.sweep import Swept, due, sweep

if TYPE_CHECKING:
    from dvtool.core.packindex import PackIndex
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class GcReport:
    """What a collection did, or would do.

    Attributes:
        is_dry_run: Nothing was written or deleted.
        alive: Objects that roots reach.
        retired: Roots taken out of force.
        dead_packs: Packs condemned because nothing in them is alive.
        thin_packs: Packs condemned after what is alive in them was copied.
        condemned_bytes: What their deletion will free.
        merged_indexes: Indexes condemned because one takes the place of many.
        written_indexes: Indexes written in place of these, and of those that named condemned packs;
            in a dry run a guess from their sizes.
        waiting: Objects condemned, now or earlier, that the grace period still keeps.
        deleted: Objects deleted; in a dry run those that would be.
        deleted_bytes: Their size.
    """

    is_dry_run: bool
    alive: int
    retired: int
    dead_packs: int
    thin_packs: int
    condemned_bytes: int
    merged_indexes: int
    written_indexes: int
    waiting: int
    deleted: int
    deleted_bytes: int


def _nothing(_: Snapshot) -> Collection[str]:
    return ()


def collect(
    remote: Remote,
    *,
    find_dead: Callable[[Snapshot], Collection[str]] = _nothing,
    grace_s: float = GRACE_S,
    live_share: float = LIVE_SHARE,
    merge_from: int = MERGE_FROM,
    delete: bool = False,
) -> GcReport:
    """Collects garbage.

    Args:
        remote: Where.
        find_dead: Returns the object names of roots that nobody needs. Called after the server's
            time was taken; a root that was younger than GRACE_S by then stays all the same.
        grace_s: How long what is condemned stays, in seconds by the server's clock.
        live_share: Packs with a smaller share of living bytes are rewritten, 0 to 1.
        merge_from: So many small indexes become one; at least 2.
        delete: Write and delete; else only say what would be done.

    Raises:
        CorruptObject, ObjectMissing: It cannot be seen what is alive; nothing was deleted.
        RemoteFailed: The remote is unreachable or refused.
    """
    view = remote.snapshot(leaning=True)
    if not delete:
        # No probe is written, so this machine's time must do to say what would happen.
        now_s = max((one.modified_s for one in view.listed.values()), default=0.0)
        now_s = max(now_s, remote.now_s())
        retired = _old_enough(view, find_dead(view), now_s)
        live = read_live(remote, view.plain, without=frozenset(retired))
        plan = plan_condemned(
            view, live, before_s=now_s - grace_s / 2, live_share=live_share, merge_from=merge_from
        )
        names = due(view, now_s=now_s, grace_s=grace_s).names
        would = Swept(len(names), sum(view.listed[name].size for name in names))
        written = len(batches_of(view, _sources(view, plan)))
        return _report(plan, would, view, live, retired=len(retired), written=written, dry=True)
    now_s = server_now_s(remote)
    retired = _old_enough(view, find_dead(view), now_s)
    if retired:
        write_notes(remote, [Retirement(names) for names in batches(retired)])
        view = remote.snapshot(leaning=True)
    live = read_live(remote, view.plain)
    plan = plan_condemned(
        view, live, before_s=now_s - grace_s / 2, live_share=live_share, merge_from=merge_from
    )
    written = condemn(remote, view, plan)
    swept = sweep(remote, now_s=now_s, grace_s=grace_s)
    left = remote.snapshot()
    return _report(plan, swept, left, live, retired=len(retired), written=written)


def condemn(remote: Remote, view: Snapshot, plan: Condemned) -> int:
    """Copies what is to stay, then writes the marks: in this order, so that no reader is without.

    Returns:
        How many indexes were written in place of others.

    Raises:
        CorruptObject: Something that is to stay is damaged; nothing is condemned.
        RemoteFailed: The remote is unreachable or refused.
    """
    if not plan.names:
        return 0
    sources = _sources(view, plan)
    if plan.moved or plan.blobs:
        copy_records(remote, view, view, records=plan.moved, blobs=plan.blobs)
    written = merge_indexes(
        remote,
        view,
        {name: index for name, index in sources.items() if name not in plan.small},
        bad=plan.packs,
        small={name: sources[name] for name in plan.small},
    )
    write_notes(remote, [Mark(names) for names in batches(plan.names)])
    return written


def _sources(view: Snapshot, plan: Condemned) -> dict[str, PackIndex]:
    """Returns the condemned indexes that can be read."""
    names = plan.indexes | plan.small
    return {name: view.by_name[name] for name in sorted(names & view.by_name.keys())}


def _old_enough(view: Snapshot, roots: Collection[str], now_s: float) -> list[str]:
    """Returns those of `roots` that may be retired: a younger one's commit may be on its way.

    However short a grace period was asked for, roots get the usual one.
    """
    before_s = now_s - GRACE_S
    return [
        name
        for name in roots
        if name in view.listed
        and name not in view.notes.retired
        and 0 < view.listed[name].modified_s <= before_s
    ]


def _report(
    plan: Condemned,
    swept: Swept,
    left: Snapshot,
    live: Live,
    *,
    retired: int,
    written: int,
    dry: bool = False,
) -> GcReport:
    waiting = len(left.notes.condemned & left.listed.keys())
    if dry:
        waiting = max(0, waiting - swept.deleted)
    return GcReport(
        is_dry_run=dry,
        alive=len(live.digests),
        retired=retired,
        dead_packs=len(plan.dead),
        thin_packs=len(plan.thin),
        condemned_bytes=plan.freed_bytes,
        merged_indexes=len(plan.small),
        written_indexes=written,
        waiting=waiting,
        deleted=swept.deleted,
        deleted_bytes=swept.deleted_bytes,
    )
