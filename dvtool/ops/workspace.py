"""The workspace: the one place where git, settings, store, stat index and remote are put together.

Verbs in this package take a `Workspace`; nothing below this package ever sees one. Every part is
made when it is first asked for, so `status` never pays for a remote. Called by `dvtool.cli`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from dvtool.core.config import CONFIG_FILE, Settings
from dvtool.core.digest import Digest
from dvtool.core.events import SILENT, Progress
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.core.tree import Tree
from dvtool.errors import NoRepository, ObjectMissing, StoreFailed
from dvtool.git.migrated import commit_after, made_on_disk
from dvtool.git.plumbing import Git
from dvtool.git.settings import read_settings
from dvtool.store.durable import store_error
from dvtool.store.local import LocalStore
from dvtool.store.locks import FileLock
from dvtool.worktree.sidecarfile import read_sidecar, write_sidecar
from dvtool.worktree.statindex import StatIndex

if TYPE_CHECKING:
    from dvtool.store.remote.remote import Remote


@dataclass(frozen=True)
class Workspace:
    """One work tree and all that belongs to it.

    Attributes:
        git: The repository.
        environ: The environment the program runs in.
        progress: Whom to tell that work moves on.
        limit_rate: Most bytes a second to and from remotes; None for no limit.
        ruling: Settings to go by instead of those of the work tree; None for the latter.
    """

    git: Git
    environ: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = SILENT
    limit_rate: int | None = None
    ruling: Settings | None = None

    @classmethod
    def open(
        cls,
        cwd: Path,
        *,
        environ: Mapping[str, str],
        progress: Progress = SILENT,
        must_be_ready: bool = True,
        limit_rate: int | None = None,
        past_ok: bool = False,
    ) -> Workspace:
        """Returns the workspace that `cwd` is in.

        With `past_ok` a commit from before a migration may be checked out there: then the settings
        are those of a commit after it.

        Raises:
            NoRepository: There is no git work tree, or no `.dvtool` at its top.
        """
        workspace = cls(Git.at(cwd, environ=environ), environ, progress, limit_rate)
        if not must_be_ready or workspace.is_ready:
            return workspace
        after = commit_after(workspace.git)
        if after is None:
            raise NoRepository(
                f"no {CONFIG_FILE} at the top of the work tree {workspace.top}", hint="dvtool init"
            )
        if not past_ok:
            raise NoRepository(
                f"what is checked out in {workspace.top} is from before the migration to dvtool,"
                " so it can be read, and not changed",
                hint="git switch to a branch that has .dvtool, or git merge one",
            )
        ruling = read_settings(workspace.git, rev=after, environ=environ)
        return replace(workspace, ruling=ruling)

    @property
    def top(self) -> Path:
        """Absolute path of the work tree's top."""
        return self.git.top

    @property
    def is_ready(self) -> bool:
        """Whether the repository uses dvtool."""
        return (self.top / CONFIG_FILE).is_file()

    @property
    def private_dir(self) -> Path:
        """What belongs to this work tree alone."""
        return self.git.layout.git_dir / "dvtool"

    @property
    def shared_dir(self) -> Path:
        """What all work trees of the clone share."""
        return self.git.layout.common_dir / "dvtool"

    @property
    def records_dir(self) -> Path:
        """Where the clone keeps records of what was judged in it."""
        return self.shared_dir / "records"

    @cached_property
    def settings(self) -> Settings:
        """Settings of this clone and of the committed `.dvtool`."""
        if self.ruling is not None:
            return self.ruling
        return read_settings(self.git, environ=self.environ)

    @cached_property
    def store(self) -> LocalStore:
        """The blobs on this machine."""
        root = self.settings.store_path or self.shared_dir / "store"
        if self.settings.store_path is not None:
            from dvtool.store.clones import register

            with suppress(StoreFailed):  # one that cannot be written can still be read from
                register(root, self.git.layout.common_dir)
        return LocalStore.open(root, progress=self.progress)

    def remote(self, name: str | None = None) -> Remote:
        """Returns a remote, once its address is trusted; nothing is sent yet.

        Raises:
            UsageError: There is no such remote, or none at all.
            RemoteUntrusted: A commit changed its address since it was last used here.
            ExtraMissing: Its protocol needs a package that is not installed.
        """
        from dvtool.ops.remotes import open_remote

        return open_remote(self, name)

    # -- data sets ---------------------------------------------------------------------------

    def abspath(self, path: str) -> Path:
        """Returns where a path relative to the top stands on disk."""
        return self.top / path

    def sidecar_text(self, dataset: str) -> bytes | None:
        """Returns the text of a data set's sidecar on disk, None when there is none.

        Where a commit from before a migration is checked out, the one that is made for it.

        Raises:
            InvalidText: It is larger than any sidecar may be.
            UnsafePath: It is no ordinary file; a link could lead to an endless one.
            WouldLoseData: It cannot be read.
        """
        path = dataset + SIDECAR_SUFFIX
        text = read_sidecar(self.top, path)
        return self._made_on_disk.get(path) if text is None else text

    @cached_property
    def _made_on_disk(self) -> Mapping[str, bytes]:
        return made_on_disk(self.git)

    def write_sidecar(self, dataset: str, text: bytes) -> None:
        """Replaces a data set's sidecar, and makes the folders on its way.

        Raises:
            UnsafePath: A folder on the way is a symlink.
            WouldLoseData, StorageFull: It cannot be written; what stood there stands there still.
        """
        write_sidecar(self.top, dataset + SIDECAR_SUFFIX, text)

    def sidecar(self, dataset: str) -> Sidecar:
        """Returns what the sidecar on disk says.

        Raises:
            InvalidText: It breaks its format.
        """
        text = self.sidecar_text(dataset)
        assert text is not None, dataset
        return parse_sidecar(text, source=dataset + SIDECAR_SUFFIX)

    def tree(self, sidecar: Sidecar) -> Tree:
        """Returns a sidecar's whole tree, reading shards from the store.

        Raises:
            ObjectMissing: A shard is not in the store.
        """
        return sidecar.tree(self.read_shard)

    def read_shard(self, digest: Digest, size: int) -> bytes:
        """Returns one shard's text from the store."""
        try:
            return self.store.read(digest)
        except ObjectMissing as error:
            raise ObjectMissing(
                f"{error.message}: part of a large data set's list of files",
                hint="dvtool fetch brings it",
            ) from error

    # -- the stat index ----------------------------------------------------------------------

    @property
    def index_path(self) -> Path:
        """Where the stat index of this work tree lies."""
        return self.private_dir / "index"

    def load_index(self) -> StatIndex:
        """Returns the stat index, empty when there is none or it is damaged."""
        return StatIndex.load(self.index_path)

    @contextmanager
    def changing(self) -> Iterator[StatIndex]:
        """Holds the work tree's lock while a verb changes files, sidecars or the index.

        The index is saved on the way out, also after an error: rows of what was done stay true.
        Waits for another process that holds the lock, and says so.

        Raises:
            Locked: The other process does not let go in time.
            StoreFailed: git's folder cannot be written.
        """
        lock = FileLock(
            self.private_dir / "lock",
            timeout_s=self.settings.lock_timeout_s,
            progress=self.progress,
        )
        with lock:
            index = self.load_index()
            try:
                yield index
            except BaseException:
                # The failure that brought us here is the one to tell.
                with suppress(StoreFailed):
                    _save(index)
                raise
            _save(index)


def _save(index: StatIndex) -> None:
    if index.is_changed:
        try:
            index.save()
        except OSError as error:
            raise store_error(error, index.path) from error
