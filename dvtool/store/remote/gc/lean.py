"""What a push does about garbage collection: lean on nothing condemned, and look again at the end.

A push takes a snapshot to lean on, writes its roots, and then settles: whatever its roots reach
and a collection has condemned meanwhile is written again under a new name. Called by `Remote` for
`dvtool.ops.push`, and by `sweep`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest
from dvtool.core.gcmarks import GC_NAME
from dvtool.core.roots import Root
from dvtool.errors import ObjectMissing, RemoteTemporary
from dvtool.store.remote import layout
from dvtool.store.remote.gc.moving import copy_records
from dvtool.store.remote.protect import digests_of, is_in_force, object_name, write_root

if TYPE_CHECKING:
    from dvtool.store.local import LocalStore
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

_ROUNDS: Final = 5


def rescue(remote: Remote, view: Snapshot, digests: Iterable[Digest]) -> set[Digest]:
    """Copies what only condemned packs have into new ones; returns what can be leaned on now.

    Args:
        remote: Where.
        view: A snapshot to lean on; learns of the copies.
        digests: Blobs that `view` misses.

    Raises:
        CorruptObject: A condemned copy is damaged.
        RemoteFailed: The remote is unreachable or refused.
    """
    wanted = set(digests)
    located = view.plain.locate_all(wanted)
    rows = {
        digest: row
        for digest in wanted.difference(located)
        if (row := view.plain.parts_of(digest)) is not None
    }
    needed = set(located).union(*(row.parts for row in rows.values()))
    records = needed.difference(view.locate_all(needed))
    if records or rows:
        copy_records(remote, view.plain, view, records=records, blobs=rows.values())
    return set(located).union(rows)


def settle(
    remote: Remote, before: Snapshot, roots: Sequence[Root], store: LocalStore | None = None
) -> None:
    """Makes sure that everything `roots` reach is there to stay; one listing when nothing happened.

    To be called after the roots are written and before anybody is told that the push succeeded.

    Args:
        remote: Where.
        before: What the push leaned on; it knows what it has sent.
        roots: As `write_root` returned them.
        store: Has blobs that may have to be sent again; None where nothing is at hand.

    Raises:
        ObjectMissing: Something has gone and is not at hand.
        RemoteFailed: The remote is unreachable or refused, or keeps changing.
    """
    known = before
    held = list(roots)
    for _ in range(_ROUNDS):
        fresh = remote.snapshot(leaning=True)
        if _is_undisturbed(known, fresh) and all(_is_there(remote, fresh, root) for root in held):
            return
        _restore(remote, fresh, held, store)
        # What was just written must be looked at again: a collection may have come between.
        held = [write_root(remote, fresh, _bare(root), before=[root]) for root in held]
        known = fresh
    raise RemoteTemporary(
        f"{remote.url} changed all the time while this push wanted to end", hint="push again"
    )


def _restore(
    remote: Remote, fresh: Snapshot, roots: Sequence[Root], store: LocalStore | None
) -> None:
    from dvtool.store.remote.push import push_blobs

    reached: set[Digest] = set()
    for root in roots:
        reached |= digests_of(remote, fresh.plain, root)
    missing = fresh.missing(reached)
    missing -= rescue(remote, fresh, missing)
    if missing and store is not None:
        here = missing - store.missing(missing)
        push_blobs(remote, fresh, store, here)
        missing -= here
    if missing:
        raise ObjectMissing(
            f"{len(missing)} objects were deleted from {remote.url} during this push",
            hint="push again",
        )


def _is_undisturbed(before: Snapshot, fresh: Snapshot) -> bool:
    """Says whether nothing was condemned, retired or taken away between two snapshots."""
    notes = {name for name in fresh.listed if GC_NAME.fullmatch(name)}
    if not notes <= before.listed.keys():
        return False
    condemned = before.notes.condemned
    leant_on = [
        name
        for name in before.listed
        if name not in condemned and (layout.PACK.fullmatch(name) or layout.INDEX.fullmatch(name))
    ]
    return fresh.listed.keys() >= set(leant_on)


def _is_there(remote: Remote, fresh: Snapshot, root: Root) -> bool:
    return not root.segments or is_in_force(remote, fresh, object_name(root))


def _bare(root: Root) -> Root:
    return replace(root, segments=())
