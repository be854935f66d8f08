"""`fetch` and `pull`: bring bytes into the store; `pull` also writes the files.

Lists of files (shards) come first, then the files they name, each in one batch for all versions
asked for. Called by the CLI, `clone` and `get`.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dvtool.core.digest import Digest
from dvtool.core.sidecar import Sidecar
from dvtool.core.tree import Tree
from dvtool.errors import ObjectMissing
from dvtool.git.contents import iter_blobs
from dvtool.git.history import needed
from dvtool.git.revisions import BRANCHES, TAGS, all_tips, current_refs, resolve_commit
from dvtool.ops.selection import Selected
from dvtool.ops.versions import blobs_of, selected_sidecars, shards_of
from dvtool.ops.workspace import Workspace

if TYPE_CHECKING:
    from dvtool.store.local import LocalStore
    from dvtool.store.remote.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch did.

    Attributes:
        needed: How many blobs the versions asked for need.
        fetched: How many were not in the store and came from the remote.
        fetched_bytes: Their size, in bytes, as files.
    """

    needed: int
    fetched: int
    fetched_bytes: int

    def __add__(self, other: FetchReport) -> FetchReport:
        return FetchReport(
            self.needed + other.needed,
            self.fetched + other.fetched,
            self.fetched_bytes + other.fetched_bytes,
        )


def fetch(
    workspace: Workspace,
    *,
    remote_name: str | None = None,
    paths: Sequence[str] = (),
    rev: str | None = None,
    branches: bool = False,
    tags: bool = False,
    commits: bool = False,
    jobs: int | None = None,
    everything: bool = False,
) -> FetchReport:
    """Brings the blobs of versions into the store.

    Args:
        workspace: Where.
        remote_name: From which remote; None for the default.
        paths: Only these data sets, or parts of them.
        rev: The version; None for the work tree's sidecars.
        branches: The tips of all branches.
        tags: All tags.
        commits: Every commit of all branches and tags.
        jobs: How many downloads at once.
        everything: Ignore `fetch.include` and `fetch.exclude`.

    Raises:
        ObjectMissing: The remote lacks something; the rest has been fetched.
        CorruptObject: Something arrived damaged; nothing of it was kept, the rest was.
    """
    chosen = _chosen(workspace, list(paths), rev=rev, branches=branches, tags=tags, commits=commits)
    if not everything and not paths:
        chosen = [pair for pair in chosen if _wanted_by_settings(workspace, pair[0].dataset)]
    return fetch_versions(workspace, chosen, remote_name=remote_name, jobs=jobs)


def fetch_versions(
    workspace: Workspace,
    chosen: Sequence[tuple[Selected, Sidecar]],
    *,
    remote_name: str | None = None,
    jobs: int | None = None,
) -> FetchReport:
    """Brings the blobs of chosen versions into the store: shards first, then files."""
    shards = shards_of(sidecar for _, sidecar in chosen)
    seen = Seen()
    first = fetch_blobs(workspace, shards, remote_name=remote_name, jobs=jobs, seen=seen)
    trees: list[Tree] = [workspace.tree(sidecar).under(one.inside) for one, sidecar in chosen]
    files = blobs_of(trees)
    return first + fetch_blobs(workspace, files, remote_name=remote_name, jobs=jobs, seen=seen)


@dataclass(slots=True)
class Seen:
    """What a remote listed, kept between two fetches of one command.

    Attributes:
        snapshot: None before the first look.
    """

    snapshot: Snapshot | None = None


def fetch_blobs(
    workspace: Workspace,
    blobs: dict[Digest, int],
    *,
    remote_name: str | None = None,
    jobs: int | None = None,
    seen: Seen | None = None,
    store: LocalStore | None = None,
) -> FetchReport:
    """Brings blobs into the store; no request is made when all are there.

    Args:
        workspace: Where.
        blobs: Which, with their sizes in bytes.
        remote_name: From which remote; None for the default.
        jobs: How many downloads at once.
        seen: What an earlier fetch from the same remote saw; learns of this one's look.
        store: Another store to bring them into; None for the workspace's own.

    Raises:
        ObjectMissing: The remote lacks something; the rest has been fetched.
        CorruptObject: Something arrived damaged; nothing of it was kept, the rest was.
    """
    store = store or workspace.store
    missing = store.missing(blobs)
    if not missing:
        return FetchReport(len(blobs), 0, 0)
    if remote_name is None and not workspace.settings.remotes:
        raise ObjectMissing(
            f"{len(missing)} objects are not in the store {store.root},"
            " and there is no remote to fetch them from",
            hint="dvtool remote add origin URL",
        )
    remote = workspace.remote(remote_name)
    wanted = {digest: blobs[digest] for digest in missing}
    jobs = jobs or workspace.settings.jobs
    seen = seen or Seen()
    seen.snapshot = snapshot = seen.snapshot or remote.snapshot()
    try:
        done = remote.fetch_blobs(snapshot, store, wanted, jobs=jobs)
    except ObjectMissing:
        # Garbage collection may have moved things into other packs since the listing.
        seen.snapshot = fresh = remote.snapshot()
        if fresh.listed.keys() == snapshot.listed.keys():
            raise
        done = remote.fetch_blobs(fresh, store, wanted, jobs=jobs)
    return FetchReport(len(blobs), done.fetched, done.fetched_bytes)


def _chosen(
    workspace: Workspace,
    paths: list[str],
    *,
    rev: str | None,
    branches: bool,
    tags: bool,
    commits: bool,
) -> list[tuple[Selected, Sidecar]]:
    if commits:
        return _of_all_commits(workspace)
    if not branches and not tags:
        commit = resolve_commit(workspace.git, rev) if rev is not None else None
        return selected_sidecars(workspace, commit, paths)
    refs = current_refs(workspace.git, [BRANCHES, "refs/remotes"] * branches + [TAGS] * tags)
    found: dict[tuple[Selected, Sidecar], None] = {}
    for commit in dict.fromkeys(refs.values()):
        found.update(dict.fromkeys(selected_sidecars(workspace, commit, paths)))
    return list(found)


def _of_all_commits(workspace: Workspace) -> list[tuple[Selected, Sidecar]]:
    from dvtool.core.sidecar import parse_sidecar

    tips = all_tips(workspace.git)
    places = {oid: (commit, path) for commit, path, oid in needed(workspace.git, tips, [])}
    found = []
    for oid, text in iter_blobs(workspace.git, list(places)):
        commit, path = places[oid]
        sidecar = parse_sidecar(text, source=f"{commit[:12]}:{path}")
        found.append((Selected(path.removesuffix(".dvt")), sidecar))
    return found


def datasets_to_pull(workspace: Workspace, rev: str | None) -> list[str] | None:
    """Returns the data sets of a version that settings want here; None when they want all."""
    if not workspace.settings.fetch_include and not workspace.settings.fetch_exclude:
        return None
    chosen = _chosen(workspace, [], rev=rev, branches=False, tags=False, commits=False)
    names = [one.dataset for one, _ in chosen]
    return [name for name in names if _wanted_by_settings(workspace, name)]


def _wanted_by_settings(workspace: Workspace, dataset: str) -> bool:
    settings = workspace.settings
    name = os.fsencode(dataset)

    def any_of(patterns: Sequence[str]) -> bool:
        return any(fnmatch.fnmatchcase(name, os.fsencode(pattern)) for pattern in patterns)

    if settings.fetch_include and not any_of(settings.fetch_include):
        return False
    return not any_of(settings.fetch_exclude)
