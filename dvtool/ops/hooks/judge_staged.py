"""Judging staged data sets one by one, each answer given as soon as it is there.

This is what the pre-commit hook starts in a process of its own; see `budget`, which reads the
answers. Called by the internal command `hook`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import DvtoolError
from dvtool.git.contents import read_blobs
from dvtool.git.sidecars import staged_sidecars
from dvtool.ops.check import Wanted, check_datasets
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import to_json


def answers(
    workspace: Workspace, datasets: Sequence[str], wanted: Wanted
) -> Iterator[dict[str, object]]:
    """Yields for each data set its judgement, or why there is none, as JSON values.

    Small ones first, so that a budget of time serves as many as it can.
    """
    sizes = _sizes(workspace, datasets)
    for name in sorted(datasets, key=lambda one: sizes.get(one, 0)):
        try:
            (judged,) = check_datasets(workspace, [name], wanted, staged=True)
        except DvtoolError as error:
            yield {
                "dataset": name,
                "error": error.slug,
                "message": str(error),
                "hint": error.hint,
            }
        else:
            yield {"dataset": name, "judgement": to_json(judged)}


def _sizes(workspace: Workspace, datasets: Sequence[str]) -> dict[str, int]:
    oids = {entry.path: entry.oid for entry in staged_sidecars(workspace.git)}
    wanted = {name: oids[path] for name in datasets if (path := name + SIDECAR_SUFFIX) in oids}
    texts = read_blobs(workspace.git, wanted.values())
    sizes = {}
    for name, oid in wanted.items():
        try:
            tree = workspace.tree(parse_sidecar(texts[oid], source=name))
        except DvtoolError:
            continue  # judging it says why
        sizes[name] = sum(tree.blobs().values())
    return sizes
