"""Versions: the sidecars and trees of any revision, and what is needed to read them.

A revision is None for the work tree, or a commit id. Shards come from the store; verbs that may
use the network bring them first with `dvtool.ops.fetch`. Called by the other verbs.
"""

from __future__ import annotations

from collections.abc import Iterable

from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.core.tree import Tree
from dvtool.git.contents import read_blobs
from dvtool.git.sidecars import sidecar_paths, sidecars_at
from dvtool.ops.selection import Selected, datasets_of, select
from dvtool.ops.workspace import Workspace


def sidecars_in(workspace: Workspace, commit: str | None) -> dict[str, Sidecar]:
    """Returns every data set of a version with what its sidecar says.

    Raises:
        InvalidText: A sidecar breaks its format, or two data sets lie inside each other.
    """
    if commit is None:
        paths = sidecar_paths(workspace.git)
        return {name: workspace.sidecar(name) for name in datasets_of(paths)}
    oids = sidecars_at(workspace.git, commit)
    texts = read_blobs(workspace.git, oids.values())
    return {
        path.removesuffix(SIDECAR_SUFFIX): parse_sidecar(texts[oid], source=f"{commit[:12]}:{path}")
        for path, oid in oids.items()
    }


def selected_sidecars(
    workspace: Workspace, commit: str | None, wanted: list[str]
) -> list[tuple[Selected, Sidecar]]:
    """Returns the chosen data sets of a version; all of them when `wanted` is empty.

    Raises:
        UnknownRevision: A path names nothing there.
    """
    if commit is None:
        names = datasets_of(sidecar_paths(workspace.git))
        return [(one, workspace.sidecar(one.dataset)) for one in select(names, wanted)]
    oids = sidecars_at(workspace.git, commit)
    chosen = select(datasets_of(oids), wanted, where=f"commit {commit[:12]}")
    texts = read_blobs(workspace.git, (oids[one.dataset + SIDECAR_SUFFIX] for one in chosen))
    found = []
    for one in chosen:
        path = one.dataset + SIDECAR_SUFFIX
        source = f"{commit[:12]}:{path}"
        found.append((one, parse_sidecar(texts[oids[path]], source=source)))
    return found


def shards_of(sidecars: Iterable[Sidecar]) -> dict[Digest, int]:
    """Returns the shards that sidecars refer to, with their sizes in bytes."""
    return {shard.digest: shard.size for sidecar in sidecars for shard in sidecar.shards}


def blobs_of(trees: Iterable[Tree]) -> dict[Digest, int]:
    """Returns every distinct blob of several trees, with its size in bytes."""
    found: dict[Digest, int] = {}
    for tree in trees:
        found.update(tree.blobs())
    return found
