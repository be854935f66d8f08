"""`debug`: looks at what lies under the hood, for people who want to know or to mend.

Changes nothing at a remote or in the store. What rows of an index are is said in
`dvtool.store.remote.rows`. Called by the CLI.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dvtool.ops.workspace import Workspace

if TYPE_CHECKING:
    from dvtool.store.remote.rows import IndexCounts


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What `debug index` found.

    Attributes:
        url: The remote's address.
        counts: What its indexes hold.
        exported: How many rows were written to a file; None when none was asked for.
    """

    url: str
    counts: IndexCounts
    exported: int | None


def debug_index(
    workspace: Workspace,
    *,
    remote_name: str | None = None,
    parquet: Path | None = None,
    live: bool = False,
) -> IndexReport:
    """Counts what the indexes of a remote hold, and writes their rows to a file.

    Args:
        workspace: Where.
        remote_name: Which remote; None for the default.
        parquet: The file to write; replaced if it exists.
        live: Read the roots too, and say which share of the bytes they reach.

    Raises:
        CorruptObject, ObjectMissing: What is alive cannot be told.
        RemoteFailed: The remote is unreachable or refused.
        StoreFailed: The file cannot be written.
    """
    from dvtool.store.remote.rows import count_rows, write_parquet

    remote = workspace.remote(remote_name)
    snapshot = remote.snapshot()
    counts = count_rows(remote, snapshot, live=live)
    exported = None if parquet is None else write_parquet(snapshot, parquet)
    return IndexReport(remote.url, counts, exported)
