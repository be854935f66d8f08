"""What a remote turned out not to have, in words.

Turns the state of a snapshot into the error for one blob, and many such errors into the one that
is raised. Called by `fetch` and `verify`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dvtool.core.digest import Digest, format_digest
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing
from dvtool.store.remote import layout
from dvtool.store.remote.snapshot import Snapshot

_NAMED: Final = 10


def loss_of(digest: Digest, snapshot: Snapshot) -> DvtoolError:
    """Returns why a blob cannot be read: a pack cut off, a pack gone, or never heard of.

    A cut-off pack or an unreadable index that may have known the blob is damage, not absence.
    """
    text = format_digest(digest)
    if (reason := snapshot.notes.erased.get(digest)) is not None:
        return ObjectMissing(
            f"object {text} was erased on purpose: {reason}", hint="nothing brings it back"
        )
    for name in _bad_packs(digest, snapshot):
        what = snapshot.problems.get(name, "is damaged")
        error = f"{snapshot.url}/{name} {what}; it should hold object {text}"
        return ObjectMissing(error) if what == "is gone" else CorruptObject(error)
    for name, what in sorted(snapshot.problems.items()):
        if layout.INDEX.fullmatch(name):
            return CorruptObject(
                f"object {text}: {snapshot.url}/{name} {what}, and no other index knows it"
            )
    return ObjectMissing(
        f"object {text} is not at {snapshot.url} (looked into {len(snapshot.indexes())} indexes)"
    )


def _bad_packs(digest: Digest, snapshot: Snapshot) -> list[str]:
    found = list(snapshot.should_hold(digest))
    for index in snapshot.indexes():
        row = index.parts_of(digest)
        for part in row.parts if row else ():
            found += snapshot.should_hold(part)
    return found


def raise_losses(losses: Mapping[Digest, DvtoolError], snapshot: Snapshot) -> None:
    """Raises one error for all blobs that could not be had; returns when there is none.

    Raises:
        CorruptObject: Something was damaged.
        ObjectMissing: Things were absent, none damaged.
    """
    if not losses:
        return
    errors = sorted(
        losses.values(), key=lambda error: (isinstance(error, ObjectMissing), str(error))
    )
    kind = CorruptObject if isinstance(errors[0], CorruptObject) else ObjectMissing
    hint = errors[0].hint or "push from a clone that has them, or fetch from another remote"
    if kind is CorruptObject:
        hint = "dvtool verify --remote --repair, in a clone that has the data, replaces them"
    if len(errors) == 1:
        raise kind(str(errors[0]), hint=hint)
    lines = "".join(f"\n  {error}" for error in errors[:_NAMED])
    more = f"\n  and {len(errors) - _NAMED} more" if len(errors) > _NAMED else ""
    raise kind(
        f"{len(errors)} objects could not be had from {snapshot.url}:{lines}{more}", hint=hint
    )
