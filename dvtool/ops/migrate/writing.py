"""Writing the result of a migration: map, sidecars and ignore lines, staged together.

By now all bytes are in the store. Both tools share it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from dvtool.core.migrated import MAP_FILE, Migrated, encode_map
from dvtool.core.paths import SIDECAR_SUFFIX, check_path
from dvtool.git.attributes import ignore
from dvtool.git.sidecars import sidecar_paths
from dvtool.git.staging import stage
from dvtool.ops.selection import Places, datasets_of
from dvtool.ops.workspace import Workspace
from dvtool.worktree.sidecarfile import write_sidecar


def check_places(workspace: Workspace, paths: Iterable[str]) -> None:
    """Checks that data sets can stand at `paths`, beside those that are there.

    Raises:
        UnsafePath: One lies in another, or names what git or dvtool own.
    """
    names = set(paths)
    places = Places({*names, *datasets_of(sidecar_paths(workspace.git))})
    for path in sorted(names):
        check_path(os.fsencode(path))
        places.check(path)


def write_migration(
    workspace: Workspace,
    texts: Mapping[str, bytes],
    migrated: Migrated | None,
    *,
    also: Sequence[str] = (),
) -> list[str]:
    """Writes and stages what a migration leaves; returns the files, relative to the top.

    Args:
        workspace: Where.
        texts: The sidecar of each new data set, by its path.
        migrated: The map; None for no map.
        also: Files that were changed already and are to be staged too.
    """
    written = list(also)
    if migrated:
        write_sidecar(workspace.top, MAP_FILE, encode_map(migrated))
        written.append(MAP_FILE)
    for path, text in texts.items():
        workspace.write_sidecar(path, text)
        written.append(path + SIDECAR_SUFFIX)
    written += ignore(workspace.git, list(texts))
    stage(workspace.git, written)
    return written
