"""What stands on disk, compared with sidecars: one data set, or several that are asked about twice.

Rows of the stat index are refreshed in memory; who saves them is the caller's business, as is what
the differences mean. Called by `status`, `check` and their relatives.
"""

from __future__ import annotations

from typing import Final

from dvtool.core.digest import fingerprint_of
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import parse_sidecar
from dvtool.core.tree import Tree
from dvtool.ops.workspace import Workspace
from dvtool.worktree.ignore import Ignore
from dvtool.worktree.statindex import StatIndex
from dvtool.worktree.status import DatasetStatus, compare

UNADDED: Final = frozenset({"modified", "new", "deleted", "conflict"})
"""States of files that are on disk as no version has them."""


class Disk:
    """Which data sets differ from their sidecars on disk; each is looked at once."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._index = workspace.load_index()
        self._states: dict[str, frozenset[str]] = {}

    def states(self, dataset: str) -> frozenset[str]:
        """Returns the states of its files that are not clean."""
        if dataset not in self._states:
            found = compare_dataset(self._workspace, self._index, dataset)
            self._states[dataset] = frozenset(one.state for one in found.paths)
        return self._states[dataset]

    def is_edited(self, dataset: str) -> bool:
        """Tells whether there is something on disk that was not added."""
        return not UNADDED.isdisjoint(self.states(dataset))


def compare_dataset(workspace: Workspace, index: StatIndex, dataset: str) -> DatasetStatus:
    """Returns how a data set differs from its sidecar, and refreshes its rows in the index.

    Raises:
        InvalidText: The sidecar breaks its format.
        ObjectMissing: The list of files is not in the store.
    """
    text = workspace.sidecar_text(dataset)
    assert text is not None, dataset
    return compare_text(workspace, index, dataset, text)


def compare_text(
    workspace: Workspace, index: StatIndex, dataset: str, text: bytes
) -> DatasetStatus:
    """Returns how a data set differs from the text of its sidecar, as `compare_dataset` does.

    Raises:
        InvalidText: The sidecar breaks its format.
        ObjectMissing: The list of files is not in the store.
    """
    found = against(workspace, index, dataset, text)
    if found.is_changed:
        index.replace(found.section)
    return found


def against(workspace: Workspace, index: StatIndex, dataset: str, text: bytes) -> DatasetStatus:
    """Returns how a data set differs from any text of a sidecar; the index stays as it is.

    Raises:
        InvalidText: The sidecar breaks its format.
        ObjectMissing: The list of files is not in the store.
    """

    def tree() -> Tree:
        return workspace.tree(parse_sidecar(text, source=dataset + SIDECAR_SUFFIX))

    return compare(
        workspace.top,
        dataset,
        index.section(dataset),
        sidecar_fingerprint=fingerprint_of(text),
        tree=tree,
        clock=index.clock,
        ignore=Ignore.for_dataset(workspace.top, dataset),
    )
