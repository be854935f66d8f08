"""Roots: writing down what a push made reachable, and reading what roots say.

A root names segments, blobs of digests; those of earlier roots are shared, and merged when they
become many. Written after every blob it speaks of, so a root never lies. Called by `dvtool.ops`
through `Remote`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from dvtool.core.digest import Digest, digest_of
from dvtool.core.roots import (
    Root,
    Segment,
    decode_segment,
    encode_root,
    encode_segment,
    segments_to_merge,
)
from dvtool.errors import CorruptObject, ObjectMissing
from dvtool.store.remote import layout
from dvtool.store.remote.backend import Listed
from dvtool.store.remote.plan import runs_in_order
from dvtool.store.remote.push import push_bytes
from dvtool.store.remote.reading import Damaged, Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

RENEW_S: Final = 7 * 24 * 3600
"""A root older than this is written anew by a push that relies on it: half the grace period, for
a younger one than that is never retired."""


def write_root(
    remote: Remote,
    snapshot: Snapshot,
    root: Root,
    *,
    before: Sequence[Root] = (),
    new_digests: Iterable[Digest] = (),
) -> Root:
    """Creates a root whose segments hold those of `before` and `new_digests`.

    Sends nothing when the very same root is there already. One that was retired, or is so old
    that it may be retired soon, does not count: then a small segment more gives it a new name.

    Args:
        remote: Where.
        snapshot: Learns of what is sent.
        root: Repository, ref, commit and scope; its segments are not looked at.
        before: Roots whose segments it builds on; all of them must be readable.
        new_digests: What else is reachable; must be on the remote by now.

    Raises:
        ObjectMissing: A digest in `new_digests` is not on the remote.
        RemoteFailed: The remote is unreachable or refused.
    """
    kept = list({segment: None for one in before for segment in one.segments})
    kept.sort(key=lambda segment: (-segment.count, segment.digest))
    new = set(new_digests)
    absent = snapshot.missing(new)
    if absent:
        raise ObjectMissing(f"{len(absent)} objects of the new root are not at {remote.url}")
    if new:
        merged = segments_to_merge([segment.count for segment in kept], len(new))
        for segment in kept[len(kept) - merged :]:
            new.update(read_segment(remote, snapshot, segment))
        del kept[len(kept) - merged :]
        data = encode_segment(new)
        push_bytes(remote, snapshot, [data])
        digest = digest_of(data)
        remote.cache.put(_segment_key(digest), data)
        kept.append(Segment(digest, len(new)))
        kept.sort(key=lambda segment: (-segment.count, segment.digest))
    complete = replace(root, segments=tuple(kept))
    spare = _spare_segments(complete)
    while (name := object_name(complete)) in snapshot.listed or name in snapshot.notes.retired:
        if is_in_force(remote, snapshot, name):
            return complete
        again = next(spare, None)
        if again is None:  # it holds nothing, so nothing is lost with it
            return complete
        push_bytes(remote, snapshot, [again])
        extra = Segment(digest_of(again), len(decode_segment(again)))
        kept = sorted({*complete.segments, extra}, key=lambda one: (-one.count, one.digest))
        complete = replace(root, segments=tuple(kept))
    text = encode_root(complete)
    remote.put_format(snapshot)
    remote.put(name, text)
    remote.cache.put(name, text)
    snapshot.listed[name] = Listed(len(text), 0.0)
    return complete


def object_name(root: Root) -> str:
    """Returns the name of a root's object."""
    return layout.root_name(root.repository, sha256(encode_root(root)).digest())


def is_in_force(remote: Remote, snapshot: Snapshot, name: str) -> bool:
    """Says whether a root is there, not retired, and too young to be retired soon.

    Its age counts by this machine's clock or the newest object's time, whichever is later: too
    old a guess costs one small object.
    """
    facts = snapshot.listed.get(name)
    if facts is None or name in snapshot.notes.retired:
        return False
    newest_s = max(one.modified_s for one in snapshot.listed.values())
    return facts.modified_s <= 0 or max(remote.now_s(), newest_s) - facts.modified_s < RENEW_S


def _spare_segments(root: Root) -> Iterator[bytes]:
    """Yields segments that add nothing: each holds only the digest of the one before."""
    if root.segments:
        digest = root.segments[-1].digest
        while True:
            data = encode_segment([digest])
            yield data
            digest = digest_of(data)


def digests_of(remote: Remote, snapshot: Snapshot, root: Root) -> set[Digest]:
    """Returns everything a root protects: its segments, and every digest in them.

    When a segment cannot be read, its own digest is all there is of it, and the snapshot reports
    that as missing from then on: such a root proves nothing.
    """
    found: set[Digest] = set()
    for segment in root.segments:
        found.add(segment.digest)
        try:
            found.update(read_segment(remote, snapshot, segment))
        except (CorruptObject, ObjectMissing) as error:
            remote.progress.note(str(error))
            snapshot.disbelieve(segment.digest)
    return found


def read_segment(remote: Remote, snapshot: Snapshot, segment: Segment) -> list[Digest]:
    """Returns the digests of a segment, from the cache or the remote, proven either way.

    Raises:
        ObjectMissing: The remote does not have it, whatever the cache has.
        CorruptObject: It is damaged there, or not a segment.
    """
    if not snapshot.has(segment.digest):
        raise ObjectMissing(f"segment {segment.digest.hex()} of a root is not at {remote.url}")
    key = _segment_key(segment.digest)
    data = remote.cache.get(key)
    if data is None or digest_of(data) != segment.digest:
        data = read_blob(remote, snapshot, segment.digest)
        remote.cache.put(key, data)
    digests = decode_segment(data)
    if len(digests) != segment.count:
        raise CorruptObject(
            f"segment {segment.digest.hex()} has {len(digests)} digests, not {segment.count}"
        )
    return digests


def resend_segments(remote: Remote, snapshot: Snapshot, digests: Iterable[Digest]) -> set[Digest]:
    """Uploads segments again that are damaged at the remote and sound in this clone's cache.

    Segments are of no use to a local store, so `push` cannot replace them from there.

    Returns:
        Those that were replaced.
    """
    found = {digest: remote.cache.get(_segment_key(digest)) for digest in digests}
    sound = {d: data for d, data in found.items() if data is not None and digest_of(data) == d}
    push_bytes(remote, snapshot, sound.values())
    return set(sound)


def read_blob(remote: Remote, snapshot: Snapshot, digest: Digest) -> bytes:
    """Returns one blob of the remote in memory, proven.

    Raises:
        ObjectMissing: It is not there.
        CorruptObject: It is damaged.
    """
    row = snapshot.parts_of(digest)
    records = row.parts if row else (digest,)
    places = [(one, at) for one in records if (at := snapshot.locate(one)) is not None]
    if len(places) != len(records):
        raise ObjectMissing(f"object {digest.hex()} is not at {remote.url}")
    reader = Reader(remote)
    parts: list[bytes] = []
    for one in runs_in_order(places):
        for _, raw in reader.records(one):
            if isinstance(raw, Damaged):
                raise raw.error
            parts.append(raw)
    data = b"".join(parts)
    if digest_of(data) != digest:
        raise CorruptObject(f"object {digest.hex()} at {remote.url} does not match its name")
    return data


def _segment_key(digest: Digest) -> str:
    return f"segments/{digest.hex()}"
