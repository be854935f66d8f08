"""What came from an origin: its bytes in the store of this clone, and the sidecar they make.

Whether an origin is a repository or a URL is decided here, and nowhere else. The work tree is not
looked at. Called by `importing` and `updating`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dvtool.core.events import Progress
from dvtool.core.origin import Origin, with_origin
from dvtool.core.sidecar import Layout, Sidecar, file_sidecar, version_digest
from dvtool.core.tree import Entry, Tree
from dvtool.ops.add import INLINE_MAX_ENTRIES
from dvtool.ops.merge import store_shards
from dvtool.store.local import LocalStore


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who takes what arrives: the store, and how the program runs."""

    store: LocalStore
    environ: Mapping[str, str]
    progress: Progress
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A version that an origin has.

    Attributes:
        origin: Where it is from, with what its revision or server said this time.
        kind: `file` or `directory`.
        tree: Its files; a file data set has one with an empty path.
        fetched: How many blobs were not here yet.
        fetched_bytes: Their size.
    """

    origin: Origin
    kind: str
    tree: Tree
    fetched: int = 0
    fetched_bytes: int = 0


def arrive(receiver: Receiver, asked: Origin, *, known: Origin | None = None) -> Arrival | None:
    """Brings what an origin has now; None when it is what is known, then nothing is downloaded.

    Args:
        receiver: Who takes it.
        asked: Where to look, and for which revision.
        known: What was seen there last; None brings it whatever it is.

    Raises:
        NoRepository, UnknownRevision, GitFailed: No such repository, revision or path.
        ObjectMissing, CorruptObject, RemoteFailed: The bytes cannot be had.
        UsageError: The address means nothing that can be opened.
    """
    if asked.is_repository:
        from dvtool.ops.imports.repository import arrive_from_repository

        return arrive_from_repository(receiver, asked, known)
    from dvtool.ops.imports.url import arrive_from_url

    return arrive_from_url(receiver, asked, known)


def sidecar_of(store: LocalStore, arrival: Arrival, old: Sidecar | None = None) -> Sidecar:
    """Returns the sidecar of what came, its shards stored.

    Args:
        store: Takes the shards.
        arrival: What came.
        old: The sidecar it takes the place of, whose layout and further keys are kept.
    """
    entries = list(arrival.tree.entries)
    extra = old.extra if old is not None else ()
    if arrival.kind == "file":
        made = replace(file_sidecar(entries[0]), extra=extra)
    else:
        layout: Layout = "sharded" if len(entries) > INLINE_MAX_ENTRIES else "inline"
        if old is not None and old.kind == "directory":
            layout = old.layout
        base = Sidecar("directory", layout, extra=extra)
        made, shards = base.with_tree(arrival.tree)
        store_shards(store, shards)
    return with_origin(made, replace(arrival.origin, digest=version_digest(made)))


def rooted(entries: list[Entry], inside: bytes) -> Tree:
    """Returns a part of a data set as a tree of its own; one file has an empty path then."""
    below = inside + b"/"
    return Tree(
        entry._replace(path=b"" if entry.path == inside else entry.path.removeprefix(below))
        for entry in entries
    )
