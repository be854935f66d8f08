"""`status`: how every data set stands, on disk, in the store and, when asked, at a remote.

Nothing is changed but the stat index, and that only if nobody else is working on it. Called by the
CLI.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import DvtoolError, InvalidText, Locked, ObjectMissing, WouldLoseData
from dvtool.git.sidecars import sidecar_paths
from dvtool.git.staging import other_refs_tracking, tracked_files
from dvtool.ops.disk import compare_text
from dvtool.ops.selection import Places, Selected, check_part, datasets_of, select
from dvtool.ops.versions import shards_of
from dvtool.ops.workspace import Workspace
from dvtool.store.locks import FileLock
from dvtool.worktree.statindex import StatIndex
from dvtool.worktree.status import PathStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """How one data set stands.

    Attributes:
        dataset: Its path.
        paths: Every path that is not clean, with its state.
        clean: How many files are as the sidecar says.
        not_in_store: How many blobs of the version the store lacks.
        not_at_remote: How many the remote lacks; None when not asked.
        problem: Why nothing more is known; empty normally.
    """

    dataset: str
    paths: tuple[PathStatus, ...] = ()
    clean: int = 0
    not_in_store: int = 0
    not_at_remote: int | None = None
    problem: str = ""

    @property
    def is_clean(self) -> bool:
        """Nothing differs and nothing is missing."""
        return not (self.paths or self.not_in_store or self.not_at_remote or self.problem)


@dataclass(frozen=True, slots=True)
class StatusReport:
    """How the work tree stands.

    Attributes:
        datasets: One standing each.
        warnings: What a person should know besides.
    """

    datasets: tuple[Standing, ...]
    warnings: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Every data set is clean."""
        return all(one.is_clean for one in self.datasets)


def status(
    workspace: Workspace,
    paths: Sequence[str] = (),
    *,
    remote_name: str | None = None,
    remote: bool = False,
) -> StatusReport:
    """Returns how data sets stand.

    Args:
        workspace: Where.
        paths: Only these; everything when empty.
        remote_name: Which remote to ask.
        remote: Ask a remote what it has.

    Raises:
        UnknownRevision: A path names no data set.
    """
    known = datasets_of(sidecar_paths(workspace.git))
    chosen = select(known, paths, checked=False)
    places = Places(known)
    index = workspace.load_index()
    present = workspace.store.present() if chosen else set()
    snapshot = workspace.remote(remote_name).snapshot() if remote and chosen else None
    standings = []
    for one in chosen:
        try:
            places.check(one.dataset)
            standing, blobs = _stand(workspace, index, one, present)
        except (InvalidText, ObjectMissing, WouldLoseData) as error:
            standings.append(
                Standing(
                    one.dataset, problem=f"{error} ({error.hint})" if error.hint else str(error)
                )
            )
            continue
        if snapshot is not None:
            missing = len(snapshot.missing(blobs))
            standing = Standing(
                standing.dataset, standing.paths, standing.clean, standing.not_in_store, missing
            )
        standings.append(standing)
    if index.is_changed:
        save_quietly(workspace, index)
    return StatusReport(
        tuple(standings), tuple(_warnings(workspace, [one.dataset for one in chosen]))
    )


def _stand(
    workspace: Workspace, index: StatIndex, one: Selected, present: set[Digest]
) -> tuple[Standing, set[Digest]]:
    text = workspace.sidecar_text(one.dataset)
    assert text is not None, one.dataset
    found = compare_text(workspace, index, one.dataset, text)
    blobs = {path.sidecar.digest for path in found.paths if path.sidecar and path.sidecar.digest}
    section = found.section
    if section.bases:
        blobs |= {entry.digest for entry in section.base_entries() if entry.digest}
    else:
        blobs |= section.digest_set()
    check_part(
        one,
        (path.path for path in found.paths),
        lambda: workspace.tree(parse_sidecar(text, source=one.dataset + SIDECAR_SUFFIX)),
    )
    if b"\nlayout: sharded\n" in text[:256]:
        blobs |= set(shards_of([parse_sidecar(text)]))
    paths = found.paths
    if one.inside:
        below = one.inside + b"/"
        paths = tuple(p for p in paths if p.path == one.inside or p.path.startswith(below))
    return Standing(one.dataset, paths, found.clean, len(blobs - present)), blobs


def save_quietly(workspace: Workspace, index: StatIndex) -> None:
    """Saves what was learned, unless another dvtool is at work or the disk is read-only."""
    try:
        with FileLock(workspace.private_dir / "lock", timeout_s=0):
            index.save()
    except (Locked, OSError, DvtoolError):
        return


def _warnings(workspace: Workspace, datasets: Sequence[str]) -> list[str]:
    found = []
    for path, refs in other_refs_tracking(workspace.git, datasets).items():
        names = ", ".join(ref.removeprefix("refs/heads/") for ref in refs[:3])
        found.append(
            f"git itself still tracks {path} on {names}: checking that out writes over the data here"
        )
    tracked = tracked_files(workspace.git, datasets)
    if tracked:
        found.append(
            f"git itself tracks {len(tracked)} files of data sets, first {tracked[0]}:"
            " dvtool add moves them into the store"
        )
    return found
