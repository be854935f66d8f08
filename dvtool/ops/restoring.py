"""Restoring: what each of many sidecars needs, so that it can be told which of them lack bytes.

Unlike `coverage`, which adds up what a push must send, this keeps sidecars apart. Reads git and
the store, not the remote. Called by `verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from dvtool.core.digest import Digest
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import DvtoolError, InvalidText
from dvtool.git.contents import iter_blobs
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Lacks:
    """What sidecars need, and which of them lack something.

    Attributes:
        needed: How many distinct blobs and shards all of them need.
        missing: By a sidecar's object id what it needs and is missing; those that lack nothing
            are left out.
        unreadable: By object id why a sidecar's list of files cannot be read.
    """

    needed: int
    missing: Mapping[str, frozenset[Digest]]
    unreadable: Mapping[str, DvtoolError]


def what_lacks(
    workspace: Workspace,
    sidecars: Mapping[str, Collection[str]],
    find_missing: Callable[[set[Digest]], set[Digest]],
) -> Lacks:
    """Returns what is missing of what sidecars need; each text is read once, or twice if there is.

    Args:
        workspace: Whose git and store are asked.
        sidecars: By the object id of each text the paths where it stands, at least one.
        find_missing: Returns those digests that are not where they should be.
    """
    everything: set[Digest] = set()
    unreadable: dict[str, DvtoolError] = {}
    for oid, found in _needs(workspace, sidecars):
        if isinstance(found, DvtoolError):
            unreadable[oid] = found
        else:
            everything |= found
    missing = find_missing(everything)
    by_sidecar: dict[str, frozenset[Digest]] = {}
    if missing:
        # Kept apart only now: a thousand versions of a large data set would fill the memory.
        for oid, found in _needs(workspace, sidecars):
            if not isinstance(found, DvtoolError) and not missing.isdisjoint(found):
                by_sidecar[oid] = frozenset(found & missing)
    return Lacks(len(everything), by_sidecar, unreadable)


def _needs(
    workspace: Workspace, sidecars: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, set[Digest] | DvtoolError]]:
    for oid, text in iter_blobs(workspace.git, list(sidecars)):
        try:
            sidecar = parse_sidecar(text, source=f"{min(sidecars[oid])} ({oid[:12]})")
            found = {shard.digest for shard in sidecar.shards}
            found.update(workspace.tree(sidecar).blobs())
        except InvalidText as error:
            # Nobody can restore this version, so it needs nothing; a later commit put it right.
            workspace.progress.note(f"left out, for no reader takes it: {error}")
        except DvtoolError as error:
            yield oid, error
        else:
            yield oid, found
