"""Baselines: which earlier version a data set is compared with, and why that one.

The default is the latest accepted version on first-parent history that differs from what is
judged; every committed version counts as accepted. Called by `check`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.errors import GitFailed, UnknownRevision
from dvtool.git.revisions import resolve_commit
from dvtool.git.sidecars import literal, read_blobs, sidecars_at
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Baseline


@dataclass(frozen=True, slots=True)
class BaselineVersion:
    """An earlier version of a data set: what it is called, and its sidecar."""

    baseline: Baseline
    sidecar: Sidecar


def at_revision(
    workspace: Workspace, dataset: str, rev: str, *, why: str = ""
) -> BaselineVersion | None:
    """Returns the version that a person named; None when the data set is not in it.

    Args:
        workspace: Where.
        dataset: Which data set.
        rev: As git knows it.
        why: How it was chosen, when nobody named it.

    Raises:
        UnknownRevision: git does not know the revision.
    """
    commit = resolve_commit(workspace.git, rev)
    sidecar = _sidecar_at(workspace, dataset, commit)
    if sidecar is None:
        return None
    why = why or f"given as {rev}"
    return BaselineVersion(Baseline(f"{dataset}@{commit[:12]}", why), sidecar)


def latest_accepted(
    workspace: Workspace, dataset: str, judged: Sidecar, commit: str | None
) -> BaselineVersion | None:
    """Returns the newest version on first-parent history that is not the judged one.

    Args:
        workspace: Where.
        dataset: Which data set.
        judged: What is judged, which may be committed already.
        commit: Where history begins; None for HEAD.
    """
    try:
        start = resolve_commit(workspace.git, commit or "HEAD")
    except (UnknownRevision, GitFailed):
        return None  # no commit yet
    path = dataset + SIDECAR_SUFFIX
    commits = workspace.git.run(
        "rev-list", "--first-parent", "--max-count=50", start, "--", *literal([path])
    ).split()
    for raw in commits:
        found = raw.decode()
        sidecar = _sidecar_at(workspace, dataset, found)
        if (
            sidecar is not None
            and sidecar.entries + sidecar.shards != judged.entries + judged.shards
        ):
            why = "the latest version on first-parent history that differs"
            return BaselineVersion(Baseline(f"{dataset}@{found[:12]}", why), sidecar)
    return None


def accepted(
    workspace: Workspace, dataset: str, commit: str | None = None
) -> list[BaselineVersion]:
    """Returns every distinct version on first-parent history, newest first; none before a commit.

    Args:
        workspace: Where.
        dataset: Which data set.
        commit: Where history begins; None for HEAD.
    """
    try:
        start = resolve_commit(workspace.git, commit or "HEAD")
    except (UnknownRevision, GitFailed):
        return []
    path = dataset + SIDECAR_SUFFIX
    commits = workspace.git.run("rev-list", "--first-parent", start, "--", *literal([path])).split()
    found = []
    for raw in commits:
        sidecar = _sidecar_at(workspace, dataset, raw.decode())
        if sidecar is not None:
            name = f"{dataset}@{raw.decode()[:12]}"
            found.append(
                BaselineVersion(Baseline(name, "a version on first-parent history"), sidecar)
            )
    return found


def _sidecar_at(workspace: Workspace, dataset: str, commit: str) -> Sidecar | None:
    path = dataset + SIDECAR_SUFFIX
    oid = sidecars_at(workspace.git, commit, [path]).get(path)
    if oid is None:
        return None
    text = read_blobs(workspace.git, [oid])[oid]
    return parse_sidecar(text, source=f"{commit[:12]}:{path}")
