"""What is alive at a remote: everything that a root in force reaches.

Reads roots, segments and indexes, and refuses to answer when it cannot see all of them: a
collection that guesses deletes. Writes nothing. Called by `collect`, `sweep` and `erase`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest, short_digest
from dvtool.core.packindex import BlobRow
from dvtool.core.roots import Root, Segment
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing, RemoteTemporary
from dvtool.store.remote import layout
from dvtool.store.remote.protect import read_segment

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

_REBUILD = "dvtool verify --remote --rebuild-index"
_REPAIR = "dvtool verify --remote --repair in a clone that has the data, or dvtool purge"


@dataclass(frozen=True, slots=True)
class Live:
    """What may not go.

    Attributes:
        digests: Every blob, shard and segment that a root in force reaches, without what was
            erased on purpose.
        blobs: Those of them that are made of parts.
        records: Every record that the digests need: themselves, or their parts.
    """

    digests: frozenset[Digest]
    blobs: dict[Digest, BlobRow]
    records: frozenset[Digest]


def read_live(remote: Remote, snapshot: Snapshot, *, without: frozenset[str] = frozenset()) -> Live:
    """Returns what is alive by the roots in `snapshot`, which is one to read by.

    Args:
        remote: Where.
        snapshot: What it listed.
        without: Names of roots to leave out, as if they were retired already.

    Raises:
        CorruptObject: A root, a segment or an index cannot be read.
        ObjectMissing: A root reaches something that is not there.
        RemoteFailed: The remote is unreachable or refused.
    """
    _check_indexes(remote, snapshot)
    digests: set[Digest] = set()
    segments = _segments(remote, snapshot, without)
    for segment in segments:
        digests.add(segment.digest)
        try:
            digests.update(read_segment(remote, snapshot, segment))
        except (CorruptObject, ObjectMissing) as error:
            raise _blind(error, hint=_REPAIR) from error
    digests.difference_update(snapshot.notes.erased)
    # Where they lie nobody asks here, and a million places take more memory than all else.
    unrecorded = snapshot.without_record(digests)
    blobs: dict[Digest, BlobRow] = {}
    lost: list[Digest] = []
    for digest in unrecorded:
        row = snapshot.parts_of(digest)
        if row is None:
            lost.append(digest)
        else:
            blobs[digest] = row
    if lost:
        raise _lacking(remote, snapshot, segments, set(lost))
    alive = frozenset(digests)
    del digests
    # One set for both where nothing is made of parts.
    records = (alive - unrecorded).union(*(row.parts for row in blobs.values()))
    return Live(alive, blobs, alive if records == alive else records)


def _check_indexes(remote: Remote, snapshot: Snapshot) -> None:
    for name, what in sorted(snapshot.problems.items()):
        if layout.INDEX.fullmatch(name) and name not in snapshot.notes.condemned:
            raise _blind(CorruptObject(f"{remote.url}/{name} {what}"), hint=_REBUILD)


def _lacking(
    remote: Remote, snapshot: Snapshot, segments: Mapping[Segment, Root], lost: set[Digest]
) -> ObjectMissing:
    """Returns the error for roots that reach what is not there, naming one of them.

    Besides damage this happens where a push was killed between writing its root and settling.
    """
    some = ", ".join(map(short_digest, sorted(lost)[:3]))
    root = next(
        root
        for segment, root in segments.items()
        if not lost.isdisjoint([segment.digest, *read_segment(remote, snapshot, segment)])
    )
    return ObjectMissing(
        f"{remote.url} lacks {len(lost)} objects that its roots reach ({some}), such as that of"
        f" commit {root.commit[:12]} in repository {root.repository[:12]};"
        " nothing is deleted while that is so",
        hint=f"push that commit again, or run gc in that repository if it was given up;"
        f" {_REBUILD} where an index was lost; dvtool purge sha256:… as a last resort",
    )


def _segments(remote: Remote, snapshot: Snapshot, without: frozenset[str]) -> dict[Segment, Root]:
    """Returns the segments of all roots in force, each with one of its roots."""
    found: dict[Segment, Root] = {}
    for name in snapshot.listed:
        if not name.startswith("roots/") or name in snapshot.notes.retired or name in without:
            continue
        if layout.ROOT.fullmatch(name) is None:
            raise _blind(
                CorruptObject(f"{remote.url}/{name} is no root that this dvtool knows"),
                hint="update dvtool, or move that object away",
            )
        root = remote.root(name)
        if not isinstance(root, Root):
            if root.startswith("no object"):
                raise RemoteTemporary(f"{remote.url}/{name} was deleted while roots were read")
            raise _blind(
                CorruptObject(f"{remote.url}/{name} {root}"),
                hint="delete that object once its repository has been pushed again",
            )
        found.update(dict.fromkeys(root.segments, root))
    return found


def _blind(error: DvtoolError, *, hint: str) -> DvtoolError:
    """Returns the error for a remote of which something cannot be seen."""
    kind = type(error)
    return kind(f"cannot tell what is alive, so nothing is deleted: {error}", hint=hint)
