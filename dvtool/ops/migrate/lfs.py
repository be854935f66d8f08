"""`migrate lfs`: data sets out of what git-lfs keeps, of HEAD, and with the whole history a map.

A pointer names its bytes by sha256, as dvtool does, so they are taken as they lie in `.git/lfs`: their
size is checked, and their sha256 only where that is asked for. Plan first, as data. Called by the CLI.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from dvtool.core.digest import Digest, digest_of
from dvtool.core.migrated import MAP_FILE, Bytes, Migrated
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.quote import display
from dvtool.core.sidecar import encode_sidecar, file_sidecar
from dvtool.core.tree import THE_FILE, Entry
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing, UsageError
from dvtool.git.migrated import known_map
from dvtool.git.revisions import head
from dvtool.git.staging import untrack
from dvtool.ops.checkout import checkout
from dvtool.ops.migrate.lfsattributes import drop_lfs, refuse_taken
from dvtool.ops.migrate.lfspointers import FoundPointer, pointers_at, pointers_ever
from dvtool.ops.migrate.report import DatasetLine, Lost, MigrateReport, refuse_lost
from dvtool.ops.migrate.writing import check_places, write_migration
from dvtool.ops.workspace import Workspace
from dvtool.store.durable import store_error
from dvtool.store.local import SMALL_BLOB_BYTES
from dvtool.store.writer import StoreWriter
from dvtool.worktree.hashing import hash_descriptor

_WHERE = "git-lfs's objects"


def migrate_lfs(
    workspace: Workspace,
    *,
    history: bool = False,
    execute: bool = False,
    allow_missing: bool = False,
    rehash: bool = False,
) -> MigrateReport:
    """Makes data sets of what git-lfs keeps.

    Args:
        workspace: Where.
        history: Also make every older commit readable, by a map that is committed.
        execute: Do it; else only say what would be done.
        allow_missing: Leave behind what is missing or damaged, instead of doing nothing.
        rehash: Compute the sha256 of every object again, instead of trusting its name.

    Raises:
        UsageError: There are no pointers here, or files of git-lfs's have uncommitted changes.
        ObjectMissing, CorruptObject: With `execute`: something is missing or damaged, and nothing
            was written.
    """
    migration = _Migration(workspace, history=history, rehash=rehash)
    if not execute:
        return migration.report(is_dry_run=True)
    with workspace.changing():
        report = migration.run(allow_missing=allow_missing)
    # Where git-lfs had left pointers on the disk, their data take their place.
    if migration.unsmudged:
        checkout(workspace, migration.unsmudged)
    return report


@dataclass(slots=True)
class _Migration:
    """One migration on its way."""

    workspace: Workspace
    history: bool
    rehash: bool
    here: list[FoundPointer] = field(default_factory=list)
    ever: list[FoundPointer] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    bad: set[Digest] = field(default_factory=set)
    unsmudged: list[str] = field(default_factory=list)
    objects: Path = field(init=False)

    def __post_init__(self) -> None:
        git = self.workspace.git
        commit = head(git).commit
        if commit is None:
            raise UsageError("there is no commit yet", hint="git commit")
        self.here = pointers_at(git, commit)
        self.ever = pointers_ever(git) if self.history else []
        if not self.here and not self.ever:
            raise UsageError(
                "HEAD has no pointers of git-lfs",
                hint="dvtool migrate lfs --history, if older commits have",
            )
        self._refuse_changed()
        raw = git.run("config", "--get", "lfs.storage", ok=(0, 1)).rstrip(b"\n")
        storage = os.path.join(git.layout.common_dir, os.fsdecode(raw) if raw else "lfs")
        self.objects = Path(storage) / "objects"
        self._look()

    # -- planning --------------------------------------------------------------------------------

    def _refuse_changed(self) -> None:
        """Refuses while work on the data is in no commit: it is of git-lfs, and dvtool has no copy."""
        listed = self.workspace.git.run("diff", "--name-only", "-z", "HEAD").split(b"\0")
        paths = {os.fsencode(one.path) for one in self.here}
        changed = [path for path in listed if path in paths]
        if changed:
            raise UsageError(
                f"files of git-lfs have changes that are not committed, first {display(changed[0])}",
                hint="git commit them first: what HEAD has is what is moved",
            )

    def _look(self) -> None:
        """Finds out which objects are nowhere, or of another size than their pointers say."""
        for one in self._all():
            digest, size, problem = one.pointer
            if problem:
                self._lose(one, problem)
                continue
            if digest in self.bad or self.workspace.store.has(digest):
                continue
            try:
                found = os.stat(self._object(digest)).st_size
            except OSError:
                self.bad.add(digest)
                continue
            if found != size:
                self.bad.add(digest)
                why = f"its object has {found} bytes, its pointer says {size}"
                self._lose(one, why, is_damaged=True)
        told = {lost.what for lost in self.lost}
        for one in self._all():
            if one.pointer.digest in self.bad and one.where not in told:
                self._lose(one, "is not in .git/lfs")

    def _all(self) -> list[FoundPointer]:
        seen: dict[tuple[str, str], FoundPointer] = {}
        for one in [*self.here, *self.ever]:
            seen.setdefault((one.path, one.oid), one)
        return list(seen.values())

    def _lose(self, one: FoundPointer, why: str, *, is_damaged: bool = False) -> None:
        self.bad.add(one.pointer.digest)
        self.lost.append(Lost(one.where, why, is_damaged))

    def _object(self, digest: Digest) -> Path:
        name = digest.hex()
        return self.objects / name[:2] / name[2:4] / name

    # -- reporting -------------------------------------------------------------------------------

    def report(self, *, is_dry_run: bool) -> MigrateReport:
        """Returns the plan."""
        blobs = self._to_bring()
        ever = {one.oid for one in self.ever if one.pointer.digest not in self.bad}
        return MigrateReport(
            is_dry_run=is_dry_run,
            datasets=tuple(self._line(one) for one in self._moving()),
            versions=len(ever),
            commits=len({one.commit for one in self.ever}),
            objects=len(blobs),
            by_place={_WHERE: len(blobs)} if blobs else {},
            lost=tuple(self.lost),
        )

    def _line(self, one: FoundPointer) -> DatasetLine:
        has = self.workspace.sidecar_text(one.path) is not None
        return DatasetLine(one.path, "file", 1, "its pointer", "kept" if has else "new")

    def _moving(self) -> list[FoundPointer]:
        return [one for one in self.here if one.pointer.digest not in self.bad]

    def _to_bring(self) -> dict[Digest, int]:
        found = {
            one.pointer.digest: one.pointer.size
            for one in self._all()
            if one.pointer.digest not in self.bad
        }
        return {digest: found[digest] for digest in self.workspace.store.missing(found)}

    # -- doing -----------------------------------------------------------------------------------

    def run(self, *, allow_missing: bool) -> MigrateReport:
        """Brings the objects, then writes sidecars and map, and takes the pointers out of git."""
        if not allow_missing:
            refuse_lost(self.lost, command="git lfs fetch --all")
        moving = self._moving()
        check_places(self.workspace, (one.path for one in moving))
        report = self.report(is_dry_run=False)
        size = self._bring()
        if not allow_missing:
            refuse_lost(self.lost, command="git lfs fetch --all")
        # One that has its sidecar already was left by a run that was interrupted.
        moving = [
            one
            for one in self._moving()
            if self.workspace.sidecar_text(one.path) in (None, _sidecar_of(one))
        ]
        ours = [MAP_FILE, *(path for one in moving for path in _beside(one.path))]
        attributes = []
        if moving and len(moving) == len(self.here):
            attributes = drop_lfs(self.workspace.git, ours)
        else:
            # What is left behind still needs git-lfs, so its lines stay.
            refuse_taken(self.workspace.git, ours)
        texts = {one.path: _sidecar_of(one) for one in moving}
        self.unsmudged = [one.path for one in moving if self._is_pointer_on_disk(one)]
        written = write_migration(
            self.workspace, texts, self._map() if self.history else None, also=attributes
        )
        # All is stored and named: git may forget the pointers, and the disk those it shows.
        untrack(self.workspace.git, list(texts))
        for path in self.unsmudged:
            os.unlink(self.workspace.abspath(path))
        return replace(report, written=tuple(written), brought_bytes=size)

    def _is_pointer_on_disk(self, one: FoundPointer) -> bool:
        path = self.workspace.abspath(one.path)
        try:
            return not path.is_symlink() and path.read_bytes() == one.text
        except OSError:
            return False

    def _bring(self) -> int:
        wanted = self._to_bring()
        progress = self.workspace.progress
        progress.start("migrate", total_bytes=sum(wanted.values()), total_items=len(wanted))
        with self.workspace.store.writer() as writer:
            for digest, size in wanted.items():
                try:
                    self._bring_one(writer, digest, size)
                except (ObjectMissing, CorruptObject) as error:
                    for one in self._all():
                        if one.pointer.digest == digest:
                            is_damaged = isinstance(error, CorruptObject)
                            self._lose(one, error.message, is_damaged=is_damaged)
                else:
                    progress.advance(size_bytes=size, items=1)
        return sum(size for digest, size in wanted.items() if digest not in self.bad)

    def _bring_one(self, writer: StoreWriter, digest: Digest, size: int) -> None:
        path = self._object(digest)
        try:
            source = path.open("rb", buffering=0)
        except OSError as error:
            raise ObjectMissing(f"cannot read {path}: {error.strerror}") from error
        with source:
            if size < SMALL_BLOB_BYTES:
                data = source.read(SMALL_BLOB_BYTES + 1)
                self._check(digest, size, digest_of(data) if self.rehash else digest, len(data))
                writer.add_small(digest, data)
                return
            temp = writer.temp_file()
            try:
                found, mark, got = hash_descriptor(
                    source.fileno(), copy_to=temp.fd, with_digest=self.rehash
                )
                self._check(digest, size, found if self.rehash else digest, got)
            except DvtoolError:
                writer.discard(temp.path)
                raise
            except OSError as error:
                writer.discard(temp.path)
                raise store_error(error, temp.path) from error
            writer.adopt(temp.path, digest, mark)

    def _check(self, digest: Digest, size: int, found: Digest, got: int) -> None:
        if found != digest or got != size:
            raise CorruptObject(f"its object does not match its name: {self._object(digest)}")

    def _map(self) -> Migrated:
        known = known_map(self.workspace.git, everywhere=True)
        found = {
            f"pointer:{one.oid}": Bytes(one.pointer.digest, one.pointer.size)
            for one in self.ever
            if one.pointer.digest not in self.bad
        }
        return known.joined(Migrated(found))


def _sidecar_of(one: FoundPointer) -> bytes:
    entry = Entry(THE_FILE, one.pointer.digest, one.pointer.size, one.mode)
    return encode_sidecar(file_sidecar(entry))


def _beside(path: str) -> tuple[str, str]:
    """Returns what dvtool writes beside a data set."""
    folder, slash, _ = path.rpartition("/")
    return path + SIDECAR_SUFFIX, f"{folder}{slash}.gitignore"
