"""Coverage: which commits a push must still care for, and which bytes those commits need.

A commit is covered when a root at the remote proves it: the root speaks of this repository, has
the full history of the commit, and every digest in its segments is really there. Git's own view of
the remote is never asked. Called by `push` and `verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest
from dvtool.core.roots import Root
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.errors import DvtoolError, InvalidText
from dvtool.git.ancestry import commits_known
from dvtool.git.contents import iter_blobs
from dvtool.git.history import needed
from dvtool.ops.workspace import Workspace

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Need:
    """What a set of commits needs.

    Attributes:
        blobs: Every file's blob and every shard, with its size in bytes.
        where: For each blob one version that needs it: commit and data set, for messages.
        unreadable: Versions whose list of files cannot be read, with the error.
    """

    blobs: Mapping[Digest, int]
    where: Mapping[Digest, tuple[str, str]]
    unreadable: tuple[tuple[str, str, DvtoolError], ...]


def covering_roots(workspace: Workspace, remote: Remote, snapshot: Snapshot) -> list[Root]:
    """Returns the roots of this repository that are proven whole.

    A root whose commit this clone does not have cannot bound a walk and is left out.
    """
    mine = [
        root
        for root in snapshot.roots
        if root.repository == workspace.settings.repository and root.scope == "full"
    ]
    known = commits_known(workspace.git, [root.commit for root in mine])
    return [
        root
        for root in mine
        if root.commit in known and not snapshot.missing(remote.digests_of(snapshot, root))
    ]


def needs_of(workspace: Workspace, tips: Sequence[str], exclude: Sequence[str] = ()) -> Need:
    """Returns what all commits reachable from `tips` and not from `exclude` need.

    Each distinct sidecar is read once, however many commits hold it.
    """
    if not tips:
        return Need({}, {}, ())
    places: dict[str, tuple[str, str]] = {}
    for commit, path, oid in needed(workspace.git, tips, exclude):
        places.setdefault(oid, (commit, path.removesuffix(".dvt")))
    blobs: dict[Digest, int] = {}
    where: dict[Digest, tuple[str, str]] = {}
    unreadable: list[tuple[str, str, DvtoolError]] = []
    for oid, text in iter_blobs(workspace.git, list(places)):
        commit, dataset = places[oid]
        try:
            found = dict(_blobs_of_text(workspace, text, f"{commit[:12]}:{dataset}.dvt"))
        except InvalidText as error:
            # Nobody can restore this version, so it needs nothing; a later commit put it right.
            workspace.progress.note(f"left out, for no reader takes it: {error}")
            continue
        except DvtoolError as error:
            unreadable.append((commit, dataset, error))
            continue
        for digest, size in found.items():
            if digest not in blobs:
                blobs[digest] = size
                where[digest] = (commit, dataset)
    return Need(blobs, where, tuple(unreadable))


def _blobs_of_text(workspace: Workspace, text: bytes, source: str) -> Iterator[tuple[Digest, int]]:
    sidecar = parse_sidecar(text, source=source)
    yield from ((shard.digest, shard.size) for shard in sidecar.shards)
    yield from _tree_blobs(workspace, sidecar)


def _tree_blobs(workspace: Workspace, sidecar: Sidecar) -> Iterable[tuple[Digest, int]]:
    return workspace.tree(sidecar).blobs().items()
