"""Sweeping: deleting what has been condemned for long enough, and only while all is seen.

Before each batch the remote is listed and its roots read again; what is alive and has no copy
outside of what is condemned gets one first, and each copy that a deletion leans on has been read
and proven. Called by `collect` and `erase`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest, short_digest
from dvtool.core.gcmarks import CLOCK_NAME
from dvtool.errors import ObjectMissing, RemoteTemporary
from dvtool.store.remote import layout
from dvtool.store.remote.gc.lean import rescue
from dvtool.store.remote.gc.live import Live, read_live
from dvtool.store.remote.gc.moving import read_records

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

BATCH: Final = 500
"""So many objects are deleted between two looks at the remote."""
_CLOCK_AGE_S: Final = 24 * 3600
_RESCUES_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Due:
    """What may be deleted now; order matters, packs go before the marks that condemn them."""

    packs: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Everything, in the order in which it is deleted."""
        return self.packs + self.others


@dataclass(slots=True)
class Swept:
    """What a sweep did: objects deleted, their bytes, and records that got a copy just in time."""

    deleted: int = 0
    deleted_bytes: int = 0
    rescued: int = 0
    _tried: set[str] = field(default_factory=set)
    _proven: set[Digest] = field(default_factory=set)


def due(view: Snapshot, *, now_s: float, grace_s: float) -> Due:
    """Returns what has been condemned or retired for the grace period by the server's clock."""
    listed = view.listed

    def is_aged(name: str, age_s: float) -> bool:
        return 0 < listed[name].modified_s <= now_s - age_s

    aged = [name for name in view.notes.marks if is_aged(name, grace_s)]
    condemned = {name for mark in aged for name in view.notes.marks[mark].condemned}
    packs = sorted(name for name in condemned & listed.keys() if layout.PACK.fullmatch(name))
    indexes = sorted(name for name in condemned & listed.keys() if layout.INDEX.fullmatch(name))
    # A retirement stays for ever, or the root could come back by a request that arrives late.
    gone = [view.notes.retirements[n].roots for n in view.notes.retirements if is_aged(n, grace_s)]
    roots = sorted(listed.keys() & set(chain.from_iterable(gone)))
    spent = [
        name
        for name in view.notes.marks
        if is_aged(name, 2 * grace_s) and listed.keys().isdisjoint(view.notes.marks[name].condemned)
    ]
    clocks = [n for n in listed if CLOCK_NAME.fullmatch(n) and is_aged(n, _CLOCK_AGE_S)]
    return Due(tuple(packs), (*indexes, *roots, *sorted(spent), *sorted(clocks)))


def sweep(
    remote: Remote, *, now_s: float, grace_s: float, only: frozenset[str] | None = None
) -> Swept:
    """Deletes what is due.

    Args:
        remote: Where.
        now_s: The server's time.
        grace_s: How long a mark must have been there.
        only: Nothing but these objects; None for everything that is due.

    Raises:
        CorruptObject, ObjectMissing: It cannot be seen what is alive.
        RemoteFailed: The remote is unreachable or refused.
    """
    done = Swept()
    rescues = 0
    while True:
        view = remote.snapshot(leaning=True)
        found = due(view, now_s=now_s, grace_s=grace_s)
        todo = [
            name
            for name in found.names
            if name not in done._tried and (only is None or name in only)
        ]
        if not todo:
            return done
        live = read_live(remote, view.plain)
        batch = todo[:BATCH]
        if _secure(remote, view, live, frozenset(batch), done):
            rescues += 1
            del view, live
            if rescues > _RESCUES_MAX:
                raise RemoteTemporary(f"{remote.url} changed all the time", hint="run gc again")
            continue
        for name in batch:
            done._tried.add(name)
            remote.backend.delete(name)
            done.deleted += 1
            done.deleted_bytes += view.listed[name].size
        # The next look is made without holding this one.
        del view, live


def _secure(remote: Remote, view: Snapshot, live: Live, batch: frozenset[str], done: Swept) -> bool:
    """Gives what is alive a proven copy outside of what is condemned; says whether it had to."""
    leant_on = _records_in(view.plain, batch) & live.records - done._proven
    for digest, raw in read_records(remote, view, leant_on.intersection(view.locate_all(leant_on))):
        if isinstance(raw, bytes):
            done._proven.add(digest)
        else:
            view.disbelieve(digest)
    missing = view.missing(live.digests)
    if not missing:
        return False
    lost = missing - rescue(remote, view, missing)
    if lost:
        some = ", ".join(short_digest(digest) for digest in islice(sorted(lost), 5))
        raise ObjectMissing(f"{len(lost)} objects at {remote.url} have no sound copy: {some}")
    done.rescued += len(missing)
    return True


def _records_in(snapshot: Snapshot, packs: frozenset[str]) -> set[Digest]:
    found: set[Digest] = set()
    for index in snapshot.indexes():
        numbers = {n for n, ref in enumerate(index.packs) if layout.pack_name(ref.name) in packs}
        if numbers:
            found.update(row.digest for row in index.rows() if row.pack in numbers)
    return found
