"""Copying a remote to another place: packs, indexes, roots and erasures, as they are.

Objects are named by their bytes, so each is proven on the way and copied at most once; an
interrupted copy goes on where it stopped. The order is that of a push, so the target never lies.
Called by `dvtool.ops.copy`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest
from dvtool.core.gcmarks import Erasure
from dvtool.errors import CorruptObject, ObjectMissing, RemoteFailed
from dvtool.store.remote import layout
from dvtool.store.remote.gc.live import read_live
from dvtool.store.remote.gc.notes import write_notes
from dvtool.store.remote.parallel import parallel

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

COPY_JOBS: Final = 4


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy did.

    Attributes:
        objects: Objects created at the target.
        copied_bytes: Their size.
        there_already: Objects that the target had.
    """

    objects: int
    copied_bytes: int
    there_already: int


def copy_remote(source: Remote, target: Remote, *, jobs: int = COPY_JOBS) -> CopyReport:
    """Makes `target` hold all that `source` holds, beside what it holds already.

    Args:
        source: What is copied; it must be whole.
        target: Where to; new, or of a format that can hold what the source has.
        jobs: Objects on their way at once, each in a file.

    Raises:
        CorruptObject: An object at the source does not match its name; it was not copied.
        ObjectMissing: The source lacks something that its roots reach.
        RemoteFailed: One of them is unreachable or refused, or the formats do not go together.
    """
    here = source.snapshot()
    live = read_live(source, here)
    there = target.snapshot(leaning=True)
    if layout.FORMAT_NAME not in there.listed:
        there.format = here.format if here.format.chunks else there.format
    elif here.format.chunks and there.format.chunks is None:
        raise RemoteFailed(
            f"{target.url} is of an older format than {source.url}",
            hint="copy to a place of its own",
        )
    target.put_format(there)
    packs = [name for name in sorted(here.listed) if _is_sound_pack(here, name)]
    steps = [
        packs,
        sorted(here.by_name),
        [
            n
            for n in sorted(here.listed)
            if layout.ROOT.fullmatch(n) and n not in here.notes.retired
        ],
    ]
    total = sum(here.listed[name].size for names in steps for name in names)
    source.progress.start("copy", total_bytes=total)
    done: list[int] = []
    skipped = 0
    for names in steps:
        todo = [name for name in names if not _is_there(here, there, name)]
        skipped += len(names) - len(todo)
        done += parallel(
            lambda name: _copy(source, target, name, here.listed[name].size), todo, jobs=jobs
        )
    _copy_erasures(here, target)
    _prove(target, live.digests)
    return CopyReport(len(done), sum(done), skipped)


def _is_sound_pack(here: Snapshot, name: str) -> bool:
    return layout.PACK.fullmatch(name) is not None and name not in here.problems


def _is_there(here: Snapshot, there: Snapshot, name: str) -> bool:
    facts = there.listed.get(name)
    return facts is not None and facts.size == here.listed[name].size


def _copy(source: Remote, target: Remote, name: str, size_bytes: int) -> int:
    digest = name.rpartition("/")[2].partition(".")[0]
    with source.cache.spool() as spool:
        source.backend.read_range(name, 0, size_bytes, spool)
        if spool.size != size_bytes or spool.sha256().hex() != digest:
            raise CorruptObject(
                f"{source.url}/{name} does not match its name",
                hint="dvtool verify --remote --read-data --repair",
            )
        target.put(name, spool)
    source.progress.advance(size_bytes=size_bytes)
    return size_bytes


def _copy_erasures(here: Snapshot, target: Remote) -> None:
    by_reason: dict[str, list[Digest]] = {}
    for digest, reason in here.notes.erased.items():
        by_reason.setdefault(reason, []).append(digest)
    write_notes(target, [Erasure(why, tuple(sorted(found))) for why, found in by_reason.items()])


def _prove(target: Remote, digests: Iterable[Digest]) -> None:
    """Makes sure that nothing leans on what garbage collection at the target has condemned."""
    view = target.snapshot(leaning=True)
    missing = view.missing(digests)
    missing -= target.rescue(view, missing)
    if missing:
        raise ObjectMissing(f"{len(missing)} objects did not arrive at {target.url}")
