"""`migrate dvc`: data sets out of what DVC tracks, of HEAD, and with the whole history a map.

Plan first, as data; nothing is written unless every object was found, read and proven, or the person
said that some may be left behind. DVC's own files, cache and remotes are read only. Called by the
CLI.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dvtool.core.digest import Digest
from dvtool.core.manifest import Shard, check_no_clash, encode_shards
from dvtool.core.migrated import Bytes, Migrated
from dvtool.core.quote import display
from dvtool.core.sidecar import Sidecar, encode_sidecar, file_sidecar, parse_sidecar
from dvtool.core.tree import EXECUTABLE, FILE, THE_FILE, Entry, Tree
from dvtool.errors import CorruptObject, DvtoolError, ObjectMissing, UsageError
from dvtool.git.migrated import known_map
from dvtool.git.revisions import head
from dvtool.ops.add import INLINE_MAX_ENTRIES
from dvtool.ops.checkout import refuse_uncommitted
from dvtool.ops.merge import store_shards
from dvtool.ops.migrate.dvcconfig import dvc_places
from dvtool.ops.migrate.found import Found, Outputs, kept_by_git, outputs_at, outputs_ever, projects
from dvtool.ops.migrate.objects import Shelf, bring
from dvtool.ops.migrate.ready import refuse_changed_texts, refuse_links
from dvtool.ops.migrate.report import DatasetLine, Lost, MigrateReport, State, refuse_lost
from dvtool.ops.migrate.writing import check_places, write_migration
from dvtool.ops.workspace import Workspace
from dvtool.store.durable import make_directory


def migrate_dvc(
    workspace: Workspace,
    *,
    history: bool = False,
    execute: bool = False,
    allow_missing: bool = False,
    force: bool = False,
    remote_names: Sequence[str] = (),
) -> MigrateReport:
    """Makes data sets of what DVC tracks.

    Args:
        workspace: Where; DVC's configuration of this clone tells where its objects are.
        history: Also make every older commit readable, by a map that is committed.
        execute: Do it; else only say what would be done.
        allow_missing: Leave behind what is missing or damaged, instead of doing nothing.
        force: Replace sidecars that say something else than DVC does.
        remote_names: Ask only these of DVC's remotes.

    Raises:
        WouldLoseData: A sidecar to be replaced has changes that are not committed.
        UsageError: There is nothing of DVC's here, or it has changes that are not committed.
        ObjectMissing, CorruptObject: With `execute`: something is missing or damaged, and nothing
            was written.
    """
    if history and workspace.git.layout.shallow:
        workspace.progress.note(
            "this clone is shallow, so commits that it lacks are left out: git fetch --unshallow"
        )
    # Beside the store: what is downloaded may be larger than the system's folder for such files.
    make_directory(workspace.shared_dir)
    with tempfile.TemporaryDirectory(prefix="migrate-", dir=workspace.shared_dir) as scratch:
        migration = _Migration(workspace, Path(scratch), history=history, remote_names=remote_names)
        if not execute:
            return migration.report(is_dry_run=True)
        with workspace.changing():
            return migration.run(allow_missing=allow_missing, force=force)


@dataclass(slots=True)
class _Migration:
    """One migration on its way."""

    workspace: Workspace
    scratch: Path
    history: bool
    remote_names: Sequence[str]
    shelf: Shelf = field(init=False)
    head: list[Found] = field(init=False)
    ever: list[Found] = field(init=False)
    commits: int = 0
    known: Migrated = field(init=False)
    members: dict[str, dict[bytes, str]] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    needing: dict[str, list[Found]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        git = self.workspace.git
        commit = head(git).commit
        if commit is None:
            raise UsageError("there is no commit yet", hint="git commit")
        refuse_changed_texts(self.workspace)
        places = dvc_places(
            self.workspace.top,
            projects(git, commit),
            environ=self.workspace.environ,
            remote_names=self.remote_names,
        )
        self.shelf = Shelf(places, self.scratch)
        self.known = known_map(git, everywhere=True)
        here = outputs_at(git, commit)
        ever = outputs_ever(git) if self.history else Outputs((), (), 0)
        if not here.found and not ever.found:
            raise UsageError(
                "HEAD has nothing that DVC tracks: no .dvc file, no dvc.lock with outputs",
                hint="dvtool migrate dvc --history, if older commits have",
            )
        unreadable = dict.fromkeys([*here.unreadable, *ever.unreadable])
        self.lost += [Lost(one, "cannot be read") for one in unreadable]
        by_git = kept_by_git(git, [*here.found, *ever.found])
        self.head = self._sound([one for one in here.found if one not in by_git])
        self.ever = self._sound([one for one in ever.found if one not in by_git])
        self.commits = ever.commits
        self._look()

    # -- planning --------------------------------------------------------------------------------

    def _sound(self, found: Iterable[Found]) -> list[Found]:
        """Returns the outputs that can be moved at all, and notes the others."""
        sound = []
        for one in found:
            if one.output.problem:
                lost = Lost(one.where, one.output.problem)
                if lost not in self.lost:
                    self.lost.append(lost)
            else:
                sound.append(one)
        return sound

    def _look(self) -> None:
        """Reads the lists of directories, and finds out what is nowhere."""
        lost: dict[str, DvtoolError] = {}
        for one in [*self.head, *self.ever]:
            name = one.output.name
            if name in self.members or name in lost or not one.output.is_directory:
                continue
            if name in self.known.directories and not self._is_in_head(name):
                continue
            try:
                members = self.shelf.members(name)
                check_no_clash(Entry(path, Digest(b""), 0, FILE) for path in members)
            except DvtoolError as error:
                lost[name] = error
            else:
                self.members[name] = members
        for name, why in lost.items():
            self._lose(name, why)
        for name in self._files():
            if self.shelf.place_of(name) is None:
                self._lose(name, ObjectMissing(self.shelf.nowhere))

    def _is_in_head(self, name: str) -> bool:
        return any(one.output.name == name for one in self.head)

    def _files(self) -> list[str]:
        """Returns the names of all files to bring, each once."""
        names: dict[str, None] = {}
        for members in self.members.values():
            names.update(dict.fromkeys(members.values()))
        in_head = {one.output.name for one in self.head}
        for one in [*self.head, *self.ever]:
            name = one.output.name
            if not one.output.is_directory and (name not in self.known.files or name in in_head):
                names[name] = None
        return [name for name in names if name not in self.bad]

    def _lose(self, name: str, error: DvtoolError) -> None:
        self.bad.add(name)
        is_damaged = isinstance(error, CorruptObject)
        for one in self._needing(name):
            inside = "" if one.output.name == name else f"{self._path_in(one, name)}: "
            self.lost.append(Lost(one.where, f"{inside}{error.message}", is_damaged))

    def _needing(self, name: str) -> list[Found]:
        """Returns the outputs that need an object: those it is itself, and directories that hold it."""
        if not self.needing:
            for one in dict.fromkeys([*self.ever, *self.head]):
                for each in {one.output.name, *self.members.get(one.output.name, {}).values()}:
                    self.needing.setdefault(each, []).append(one)
        found = {(one.output.path, one.output.name): one for one in self.needing.get(name, ())}
        return list(found.values())

    def _path_in(self, one: Found, name: str) -> str:
        members = self.members[one.output.name]
        return display(next(path for path, member in members.items() if member == name))

    def _is_whole(self, name: str) -> bool:
        """Tells whether nothing of an output is lost."""
        if name in self.bad:
            return False
        return self.bad.isdisjoint(self.members.get(name, {}).values())

    # -- reporting -------------------------------------------------------------------------------

    def report(self, *, is_dry_run: bool) -> MigrateReport:
        """Returns the plan."""
        files = self._files()
        places = Counter(place.label for name in files if (place := self.shelf.place_of(name)))
        names = {one.output.name for one in self.ever if self._is_whole(one.output.name)}
        return MigrateReport(
            is_dry_run=is_dry_run,
            datasets=tuple(self._line(one) for one in self._moving()),
            versions=len(names),
            commits=self.commits,
            objects=len(files),
            by_place=dict(places),
            lost=tuple(self.lost),
        )

    def _line(self, one: Found) -> DatasetLine:
        output = one.output
        mode = EXECUTABLE if output.is_executable else FILE
        made = self.known.sidecar(output.name, mode)
        return DatasetLine(
            output.path,
            "directory" if output.is_directory else "file",
            len(self.members[output.name]) if output.is_directory else 1,
            one.source,
            self._state(output.path, made),
        )

    def _state(self, path: str, text: bytes | None) -> State:
        """Tells how DVC's version stands to the sidecar that is there; `text` is its sidecar."""
        here = self.workspace.sidecar_text(path)
        if here is None:
            return "new"
        if text in (here, None):
            return "kept"
        both = [parse_sidecar(each, source=path) for each in (here, text) if each is not None]
        one, other = (self.workspace.tree(each) for each in both)
        return "kept" if one == other else "differs"

    def _moving(self) -> list[Found]:
        return [one for one in self.head if self._is_whole(one.output.name)]

    # -- doing -----------------------------------------------------------------------------------

    def run(self, *, allow_missing: bool, force: bool) -> MigrateReport:
        """Brings the objects, then writes sidecars and map."""
        self._refuse(allow_missing=allow_missing)
        check_places(self.workspace, (one.output.path for one in self._moving()))
        refuse_links(self.workspace, (one.output.path for one in self._moving()))
        store = self.workspace.store
        brought = bring(
            self.shelf, self._files(), store, progress=self.workspace.progress, failed=self._lose
        )
        self._refuse(allow_missing=allow_missing)
        shards: dict[Digest, bytes] = {}
        directories: dict[str, tuple[Shard, ...]] = {}
        trees: dict[str, Tree] = {}
        for name, members in self.members.items():
            if self._is_whole(name):
                trees[name] = Tree(Entry(p, *brought[each], FILE) for p, each in members.items())
                cut = list(encode_shards(trees[name].entries))
                directories[name] = tuple(shard for shard, _ in cut)
                shards.update({shard.digest: text for shard, text in cut})
        texts = {one.output.path: self._text(one, trees, brought, shards) for one in self._moving()}
        store_shards(store, shards)
        report = self.report(is_dry_run=False)
        states = {path: self._state(path, text) for path, text in texts.items()}
        lines = tuple(replace(line, state=states[line.path]) for line in report.datasets)
        differing = [path for path, state in states.items() if state == "differs"]
        if force:
            refuse_uncommitted(self.workspace, differing, hint="git commit it first")
        wanted = {"new", "differs"} if force else {"new"}
        texts = {path: text for path, text in texts.items() if states[path] in wanted}
        migrated = self._map(directories, brought) if self.history else None
        written = write_migration(self.workspace, texts, migrated)
        size = sum(found.size for found in brought.values())
        return replace(report, datasets=lines, written=tuple(written), brought_bytes=size)

    def _refuse(self, *, allow_missing: bool) -> None:
        if not allow_missing:
            refuse_lost(self.lost, command="dvc fetch --all-commits")

    def _text(
        self,
        one: Found,
        trees: Mapping[str, Tree],
        brought: Mapping[str, Bytes],
        shards: dict[Digest, bytes],
    ) -> bytes:
        output = one.output
        if not output.is_directory:
            mode = EXECUTABLE if output.is_executable else FILE
            return encode_sidecar(file_sidecar(Entry(THE_FILE, *brought[output.name], mode)))
        tree = trees[output.name]
        layout = Sidecar("directory", "sharded" if len(tree) > INLINE_MAX_ENTRIES else "inline")
        sidecar, texts = layout.with_tree(tree)
        shards.update(texts)
        return encode_sidecar(sidecar)

    def _map(
        self, directories: Mapping[str, tuple[Shard, ...]], brought: Mapping[str, Bytes]
    ) -> Migrated:
        names = {one.output.name for one in self.ever}
        return self.known.joined(
            Migrated(
                {name: found for name, found in brought.items() if name in names},
                {name: found for name, found in directories.items() if name in names},
            )
        )
