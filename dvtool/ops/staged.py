"""What is staged: the data sets in git's index, listed once for all that is asked of them.

What of it differs from a commit is `dvtool.git.staged`; judging it is `check`'s business. Called by
`check` and by the pre-commit hook.
"""

from __future__ import annotations

from collections.abc import Sequence

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.git.contents import read_blobs
from dvtool.git.sidecars import staged_sidecars
from dvtool.ops.selection import Selected, datasets_of, select
from dvtool.ops.workspace import Workspace


class Staged:
    """The data sets in the index, as they are when this is made. One process."""

    def __init__(self, workspace: Workspace) -> None:
        self._git = workspace.git
        self._oids = {entry.path: entry.oid for entry in staged_sidecars(workspace.git)}

    @property
    def datasets(self) -> list[str]:
        """Their names."""
        return datasets_of(self._oids)

    def chosen(self, paths: Sequence[str]) -> list[tuple[Selected, Sidecar]]:
        """Returns the chosen data sets with their sidecars; all of them without paths. One process.

        Raises:
            UnknownRevision: A path names nothing there.
            UnsafePath: A chosen one cannot stand where it does.
            InvalidText: A sidecar breaks its format.
        """
        chosen = select(self.datasets, list(paths), where="the index")
        oids = {one.dataset: self._oids[one.dataset + SIDECAR_SUFFIX] for one in chosen}
        texts = read_blobs(self._git, oids.values())
        return [
            (one, parse_sidecar(texts[oid], source=f":{one.dataset}{SIDECAR_SUFFIX}"))
            for one in chosen
            for oid in (oids[one.dataset],)
        ]
