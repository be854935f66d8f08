"""`remote copy`: make one remote hold all that another holds.

Both are remotes of this workspace, so both addresses are trusted ones. Called by the CLI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dvtool.errors import UsageError
from dvtool.ops.workspace import Workspace

if TYPE_CHECKING:
    from dvtool.store.remote.copying import CopyReport


def copy(
    workspace: Workspace, source_name: str, target_name: str, *, jobs: int | None = None
) -> CopyReport:
    """Copies everything that lies at one remote to another; running it again goes on.

    Raises:
        UsageError: They are the same place.
        CorruptObject, ObjectMissing: The source is not whole.
        RemoteFailed, RemoteUntrusted: From either of them.
    """
    from dvtool.store.remote.copying import COPY_JOBS, copy_remote

    source = workspace.remote(source_name)
    target = workspace.remote(target_name)
    if source.url == target.url:
        raise UsageError(f"{source_name} and {target_name} are the same place: {source.url}")
    return copy_remote(source, target, jobs=jobs or workspace.settings.jobs or COPY_JOBS)
