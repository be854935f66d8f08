"""The files of any version of any repository, as a tree that can be listed and read in ranges.

Finds repositories (here, or cloned once into the user's cache), resolves revisions, joins the data
sets of a commit to one tree, and reads from the store or the remote. Writes nothing into any work
tree. Called by `dvtool.fs` and `dvtool.api`.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dvtool.core.address import Address
from dvtool.core.digest import Digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.sidecar import Sidecar
from dvtool.core.tree import EMPTY_DIRECTORY, SYMLINK, Entry
from dvtool.errors import NoRepository, UnknownRevision
from dvtool.git.cloning import clone_repository
from dvtool.git.plumbing import Git
from dvtool.git.revisions import resolve_commit
from dvtool.ops.blobreader import BlobReader
from dvtool.ops.fetch import Seen, fetch_blobs
from dvtool.ops.versions import shards_of, sidecars_in
from dvtool.ops.workspace import Workspace
from dvtool.store.locks import FileLock

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote
    from dvtool.store.remote.snapshot import Snapshot

KEPT_VERSIONS: Final = 32
"""Trees of versions that a process remembers."""
_MOST_LINKS: Final = 16


@dataclass(frozen=True, slots=True)
class Node:
    """A file or folder of a version.

    Attributes:
        path: Relative to the repository's top; empty for the top.
        entry: What the sidecar says of a file; None for a folder.
        dataset: The data set it belongs to; empty for a folder above data sets.
    """

    path: str
    entry: Entry | None
    dataset: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it can be listed."""
        return self.entry is None


@dataclass(frozen=True, slots=True)
class VersionTree:
    """Everything that one version of a repository holds.

    Attributes:
        commit: 40 or 64 hex digits; empty for the work tree's versions.
        time: When it was committed; when it was read, for the work tree's.
        nodes: By path, folders included.
        children: Names in each folder, sorted.
    """

    commit: str
    time: dt.datetime
    nodes: Mapping[str, Node] = field(default_factory=dict)
    children: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class VersionFiles:
    """The versions of one repository. Safe from several threads; one a process."""

    def __init__(self, workspace: Workspace, *, refreshes: bool = False) -> None:
        """Takes the repository.

        Args:
            workspace: Where sidecars, store and settings are.
            refreshes: Whether it is a clone in the cache, where a revision is first asked for at
                its origin.
        """
        self.workspace = workspace
        self._refreshes = refreshes
        self._fetched = False
        self._trees: dict[str, VersionTree] = {}
        self._lock = threading.RLock()
        self._looked: tuple[Remote, Snapshot] | None = None

    def tree(self, rev: str) -> VersionTree:
        """Returns the tree of a revision; of the work tree's sidecars for an empty one.

        Raises:
            UnknownRevision: There is no such revision.
            ObjectMissing, RemoteFailed: A large list of files cannot be had.
        """
        with self._lock:
            if not rev:
                sidecars = sidecars_in(self.workspace, None)
                return self._grown("", dt.datetime.now(dt.UTC), sidecars)
            commit = self.commit_of(rev)
            if commit not in self._trees:
                while len(self._trees) >= KEPT_VERSIONS:
                    self._trees.pop(next(iter(self._trees)))
                sidecars = sidecars_in(self.workspace, commit)
                self._trees[commit] = self._grown(commit, self._time(commit), sidecars)
            return self._trees[commit]

    def commit_of(self, rev: str) -> str:
        """Returns the commit a revision means; a clone in the cache asks its origin once.

        Raises:
            UnknownRevision: There is no such revision.
            GitFailed: The origin cannot be reached.
        """
        with self._lock:
            return self._resolve(rev)

    def node(self, rev: str, path: str) -> tuple[VersionTree, Node]:
        """Returns a file or folder of a revision, links inside of data sets followed.

        Raises:
            UnknownRevision: No such revision, or no such path in it.
        """
        tree = self.tree(rev)
        node = tree.nodes.get(path)
        for _ in range(_MOST_LINKS):
            if node is None or node.entry is None or node.entry.mode != SYMLINK:
                break
            target = os.fsdecode(self.workspace_read(node.entry))
            node = tree.nodes.get(
                os.path.normpath(os.path.join(os.path.dirname(node.path), target))
            )
        if node is None:
            where = f"commit {tree.commit[:12]}" if tree.commit else "the work tree's sidecars"
            raise UnknownRevision(
                f"no data at {path} in {where}", hint="dvtool list --files shows what there is"
            )
        return tree, node

    def reader(self, entry: Entry) -> BlobReader:
        """Returns what reads ranges of a file."""
        return BlobReader(entry.digest, entry.size, self.workspace.store, self._look)

    def workspace_read(self, entry: Entry) -> bytes:
        """Returns a whole file."""
        return self.reader(entry).read(0, entry.size)

    def local_path(self, node: Node) -> Path:
        """Returns a read-only path of a file with its own name, fetched into the store first.

        Raises:
            ObjectMissing, CorruptObject, RemoteFailed: It cannot be had.
            StoreFailed: The store cannot be written.
        """
        from dvtool.ops.localpath import path_in_store

        assert node.entry is not None
        self.bring({node.entry.digest: node.entry.size})
        return path_in_store(self.workspace, node.entry, os.path.basename(node.path))

    def bring(self, blobs: dict[Digest, int]) -> None:
        """Fetches blobs into the store, as far as they are not there."""
        with self._lock:
            snapshot = self._looked[1] if self._looked is not None else None
            fetch_blobs(self.workspace, blobs, seen=Seen(snapshot))

    # -- inside --------------------------------------------------------------------------------

    def _look(self, anew: bool) -> tuple[Remote, Snapshot]:
        with self._lock:
            if self._looked is None or anew:
                remote = self.workspace.remote() if self._looked is None else self._looked[0]
                self._looked = (remote, remote.snapshot())
            return self._looked

    def _resolve(self, rev: str) -> str:
        git = self.workspace.git
        if self._refreshes and not self._fetched:
            self._fetched = True
            git.run("fetch", "--quiet", "--tags", "--force", "origin")
        if self._refreshes:
            try:  # a branch of the clone itself stands where it stood when it was cloned
                return resolve_commit(git, f"refs/remotes/origin/{rev}")
            except UnknownRevision:
                pass
        return resolve_commit(git, rev)

    def _time(self, commit: str) -> dt.datetime:
        raw = self.workspace.git.run("show", "--no-patch", "--format=%ct", commit)
        return dt.datetime.fromtimestamp(int(raw), dt.UTC)

    def _grown(self, commit: str, time: dt.datetime, sidecars: dict[str, Sidecar]) -> VersionTree:
        self.bring(shards_of(sidecars.values()))
        nodes: dict[str, Node] = {"": Node("", None)}
        children: dict[str, set[str]] = {"": set()}

        def folder(path: str, dataset: str) -> None:
            if path in nodes:
                return
            parent, _, name = path.rpartition("/")
            folder(parent, dataset)
            nodes[path] = Node(path, None, dataset)
            children[parent].add(name)
            children.setdefault(path, set())

        for dataset, sidecar in sidecars.items():
            if sidecar.kind == "directory":
                folder(dataset, dataset)
            for entry in self.workspace.tree(sidecar).values():
                inside = os.fsdecode(entry.path)
                path = f"{dataset}/{inside}" if inside else dataset
                if entry.mode == EMPTY_DIRECTORY:
                    folder(path, dataset)
                    continue
                parent, _, name = path.rpartition("/")
                folder(parent, dataset)
                nodes[path] = Node(path, entry, dataset)
                children[parent].add(name)
        return VersionTree(
            commit, time, nodes, {path: tuple(sorted(names)) for path, names in children.items()}
        )


class Repositories:
    """Finds repositories by address and keeps them for the life of a process."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], VersionFiles] = {}
        self._lock = threading.Lock()

    def at(
        self, address: Address, environ: Mapping[str, str], *, progress: Progress = SILENT
    ) -> VersionFiles:
        """Returns the versions of the repository that an address means.

        Raises:
            NoRepository: There is none.
            GitFailed: It could not be cloned.
        """
        place = _place(address.repository)
        # Connections do not survive a fork, so each process opens its own.
        key = (os.getpid(), place)
        with self._lock:
            if key not in self._known:
                self._known[key] = _open(place, environ, progress)
            return self._known[key]


def _place(repository: str) -> str:
    if not repository:
        return os.getcwd()
    path = os.path.expanduser(repository)
    return os.path.abspath(path) if os.path.isdir(path) else repository


def _open(place: str, environ: Mapping[str, str], progress: Progress) -> VersionFiles:
    if os.path.isdir(place):
        git = Git.at(Path(place), environ=environ, foreign=True, bare_ok=True)
        if not git.layout.bare:
            return VersionFiles(Workspace(git, environ, progress))
        place = str(git.layout.git_dir)
    elif "/" not in place and ":" not in place:
        raise NoRepository(
            f"no folder {place}, and no address of a repository",
            hint="a repository is a folder, host:path, or a URL such as https://host/team/data.git",
        )
    return VersionFiles(_clone(place, environ, progress), refreshes=True)


def _clone(url: str, environ: Mapping[str, str], progress: Progress) -> Workspace:
    """Returns a clone in the user's cache, made when it is first asked for."""
    base = environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(base) / "dvtool" / "repositories" / sha256(url.encode()).hexdigest()[:24]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock"), timeout_s=600, progress=progress):
        if not (folder / ".git").exists():
            clone_repository(url, folder, environ=environ)
    git = Git.at(folder, environ=environ, foreign=True)
    return Workspace(git, environ, progress)


REPOSITORIES: Final = Repositories()
"""Those that this process has opened, whether by path or by URL."""
