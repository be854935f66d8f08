"""`add`: store files, write their sidecar, have git ignore the data and track the sidecar.

Bytes come first, then the sidecar, then the ignore line, then git's index, then ours: whoever dies
in between leaves nothing that names bytes which are not there. Nothing is parsed or judged here.
Called by the CLI.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dvtool.core.digest import Digest, fingerprint_of
from dvtool.core.paths import CHECKS_SUFFIX, SIDECAR_SUFFIX, find_clash
from dvtool.core.quote import display
from dvtool.core.sidecar import Layout, Sidecar, encode_sidecar, file_sidecar, parse_sidecar
from dvtool.core.tree import Entry, Tree
from dvtool.errors import DvtoolError, UnsafePath, UsageError, WouldLoseData
from dvtool.git.attributes import ignore
from dvtool.git.sidecars import sidecar_paths
from dvtool.git.staging import stage, tracked_files, untrack
from dvtool.ops.addable import absent, targets_of
from dvtool.ops.merge import store_shards
from dvtool.ops.selection import Selected, datasets_of
from dvtool.ops.storing import store_one
from dvtool.ops.workspace import Workspace
from dvtool.worktree.edit import SectionEdit
from dvtool.worktree.ignore import Ignore
from dvtool.worktree.reading import Reader
from dvtool.worktree.scan import Scan, scan
from dvtool.worktree.sections import NO_FINGERPRINT, IndexSection
from dvtool.worktree.statindex import StatIndex
from dvtool.worktree.status import compare

INLINE_MAX_ENTRIES = 1_000
"""A new data set with more entries gets a sharded list; after that its layout stays as it is."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """What an add did, or with `dry_run` would do, to one data set.

    Attributes:
        dataset: Its path.
        new: How many files were not in the sidecar's base.
        changed: How many were read again because they looked changed.
        removed: How many are gone from disk and so from the sidecar.
        unchanged: How many were left alone.
        size_bytes: Bytes read.
        written: The sidecar's text changed.
        ignored: Paths that a `.dvtignore` hides.
        untracked: Files that git itself tracked until now.
    """

    dataset: str
    new: int
    changed: int
    removed: int
    unchanged: int
    size_bytes: int
    written: bool
    ignored: tuple[bytes, ...] = ()
    untracked: tuple[str, ...] = ()


def add(
    workspace: Workspace,
    paths: Sequence[str],
    *,
    layout: Layout | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> list[AddReport]:
    """Stores data sets, or parts of them, and stages their sidecars.

    Args:
        workspace: Where.
        paths: Relative to the top: new data sets, tracked ones, or files inside tracked ones.
        layout: List of files inline or sharded; None chooses for new data sets and keeps others.
        force: Take the disk's state also where a newer sidecar has not been checked out.
        dry_run: Only say what would be done.

    Raises:
        WouldLoseData: A path is stale, and adding it would undo a newer version.
        ChangedWhileReading: A file changed while it was read.
        UsageError: A path cannot be a data set.
    """
    reports = []
    with workspace.changing() as index:
        known = datasets_of(sidecar_paths(workspace.git))
        for target in targets_of(workspace, known, paths):
            one = _Add(workspace, index, target, layout=layout, force=force)
            reports.append(one.plan() if dry_run else one.run())
    if workspace.settings.profile_on_add and not dry_run:
        _profile(workspace, [one.dataset for one in reports])
    return reports


def _profile(workspace: Workspace, datasets: Sequence[str]) -> None:
    """Profiles what was just stored; whatever goes wrong there, the data are safe already."""
    from dvtool.ops.profile import profile_datasets

    try:
        profile_datasets(workspace, datasets)
    except DvtoolError as error:
        workspace.progress.note(f"stored, and not profiled: {error}")


class _Add:
    """The add of one data set, or of a part of one."""

    def __init__(
        self,
        workspace: Workspace,
        index: StatIndex,
        target: Selected,
        *,
        layout: Layout | None,
        force: bool,
    ) -> None:
        self.workspace = workspace
        self.index = index
        self.target = target
        self.dataset = target.dataset
        self.layout = layout
        self.force = force
        self.text = workspace.sidecar_text(self.dataset)
        self.mark = fingerprint_of(self.text) if self.text is not None else NO_FINGERPRINT
        self.ignore = Ignore.for_dataset(workspace.top, self.dataset)
        # Before anything is looked at: what changes from now on has times at or after this clock.
        self.clock_ns = index.clock()
        self.section = index.section(self.dataset) or IndexSection(self.dataset)

    def plan(self) -> AddReport:
        """Returns what `run` would report, reading nothing but what it must."""
        self._refuse_stale()
        found = self._scan()
        self._refuse_absent(found)
        self._refuse_checks(found)
        return self._report(found, written=False, untracked=())

    def run(self) -> AddReport:
        """Stores what is new, writes the sidecar and stages it."""
        self._refuse_stale()
        found = self._scan()
        self._refuse_absent(found)
        self._refuse_checks(found)
        tracked = tracked_files(self.workspace.git, [self.dataset])
        before = self.section
        rows = self._store(found)
        sidecar, shards = self._sidecar(found, before, rows)
        text = encode_sidecar(sidecar)
        store_shards(self.workspace.store, shards)
        if text != self.text:
            self.workspace.write_sidecar(self.dataset, text)
        # Stored first: git may now forget what it tracked until today.
        untrack(self.workspace.git, tracked)
        changed = ignore(self.workspace.git, [self.dataset])
        if text != self.text or changed or tracked:
            stage(self.workspace.git, [self.dataset + SIDECAR_SUFFIX, *changed])
        self._remember(rows, text)
        return self._report(found, written=text != self.text, untracked=tuple(tracked))

    def _refuse_stale(self) -> None:
        """Refuses to undo a newer version that was not checked out, and brings bases up to date."""
        if self.text is None or self.section.sidecar_fingerprint == self.mark:
            return
        parsed = parse_sidecar(self.text, source=self.dataset + SIDECAR_SUFFIX)
        status = compare(
            self.workspace.top,
            self.dataset,
            self.section,
            sidecar_fingerprint=self.mark,
            tree=lambda: self.workspace.tree(parsed),
            clock=self.index.clock,
            ignore=self.ignore,
        )
        self.section = status.section
        stale = [
            p for p in status.paths if p.state in ("stale", "conflict") and self._is_meant(p.path)
        ]
        if stale and not self.force:
            names = ", ".join(display(p.path) if p.path else self.dataset for p in stale[:5])
            raise WouldLoseData(
                f"{self.dataset}: the sidecar has newer versions of {len(stale)} files that were"
                f" not checked out: {names}",
                hint=f"dvtool checkout {self.dataset}, or dvtool add --force to keep the disk's",
            )

    def _scan(self) -> Scan:
        # Hashed by status but never stored, or gone from the store since: read again.
        reread = set(self.section.bases)
        lost = self.workspace.store.missing(self.section.digest_set())
        if lost:
            reread |= {row.path for row in self.section.rows() if row.digest in lost}
        return scan(
            self.workspace.top, self.dataset, self.section, ignore=self.ignore, reread=reread
        )

    def _refuse_absent(self, found: Scan) -> None:
        """Refuses a path that stands neither on disk nor, removed since, in the sidecar."""
        if not found.kind and self.text is None:
            raise absent(str(self.target))
        if not found.kind and not self.target.inside:
            # A disk that is not mounted looks just like this.
            raise UsageError(
                f"nothing stands at {self.target}, which is a data set",
                hint="dvtool checkout brings it back, dvtool rm stops tracking it",
            )
        if self.text is None:
            return
        if not self.target.inside or os.path.lexists(self.workspace.abspath(self.target.path)):
            return
        old = self.workspace.tree(parse_sidecar(self.text, source=self.dataset + SIDECAR_SUFFIX))
        if not old.under(self.target.inside):
            raise absent(str(self.target))

    def _refuse_checks(self, found: Scan) -> None:
        """Refuses checks that would be hashed as data, where nobody looks for them."""
        for path in filter(self._is_meant, found.new.ending(CHECKS_SUFFIX.encode())):
            inside = display(path.removesuffix(CHECKS_SUFFIX.encode()))
            raise UsageError(
                f"{self.dataset}/{display(path)} would be data, and check nothing",
                hint=f"write its rules below tables: {inside}: in {self.dataset}{CHECKS_SUFFIX},"
                f" as dvtool suggest {self.dataset}/{inside} does, and move it away",
            )

    def _is_meant(self, path: bytes) -> bool:
        inside = self.target.inside
        return not inside or path == inside or path.startswith(inside + b"/")

    def _store(self, found: Scan) -> IndexSection:
        """Reads what changed into the store and returns the rows that result."""
        edit = SectionEdit(self.section, clock_ns=self.clock_ns)
        progress = self.workspace.progress
        total = found.changed.size_bytes + found.new.size_bytes
        progress.start(f"add {self.dataset}", total_bytes=total)
        touched = False
        with (
            self.workspace.store.writer() as writer,
            Reader(self.workspace.top, self.dataset) as reader,
        ):
            for items in (found.changed, found.new):
                for item in items:
                    if self.target.inside and not self._is_meant(item.path):
                        continue
                    touched = True
                    edit.put(store_one(reader, writer, item), settled=True)
                    progress.advance(size_bytes=item.size, items=1)
        for path in found.gone:
            if self._is_meant(path):
                touched = True
                edit.remove(path)
        return edit.section() if touched else self.section

    def _sidecar(
        self, found: Scan, before: IndexSection, rows: IndexSection
    ) -> tuple[Sidecar, dict[Digest, bytes]]:
        """Returns the next sidecar: the disk, and what was never brought here."""
        old = parse_sidecar(self.text, source=self.dataset + SIDECAR_SUFFIX) if self.text else None
        is_untouched = rows is before and rows.sidecar_fingerprint == self.mark
        if is_untouched and old is not None and self.layout in (None, old.layout):
            return old, {}
        if found.kind == "file":
            extra = old.extra if old is not None else ()
            return replace(file_sidecar(rows.entries()[0]), extra=extra), {}
        entries: Iterable[Entry] = rows.base_entries() if self.target.inside else rows.entries()
        tree = Tree(entries)
        if old is not None and old.kind == "directory":
            tree = self._with_absent(tree, self.workspace.tree(old), before, rows)
            base = replace(old, layout=self.layout or old.layout, entries=(), shards=())
        else:
            sharded = len(tree) > INLINE_MAX_ENTRIES
            base = Sidecar("directory", self.layout or ("sharded" if sharded else "inline"))
        self._refuse_clash(tree)
        return base.with_tree(tree)

    def _refuse_clash(self, tree: Tree) -> None:
        """Refuses what this disk can hold and another could not: no reader would take it."""
        clash = find_clash(tree)
        if clash is not None:
            one, other = (display(path) for path in clash)
            raise UnsafePath(
                f"{one} and {other} cannot stand side by side on every file system"
                " (case, Unicode form, or file and folder)",
                source=self.dataset,
                hint="rename one of the two, or list it in .dvtignore",
            )

    def _with_absent(self, tree: Tree, old: Tree, before: IndexSection, rows: IndexSection) -> Tree:
        """Returns `tree` with the sidecar's entries that this work tree never had or that are not meant."""
        if before.complete and before.sidecar_fingerprint == self.mark and not self.target.inside:
            return tree
        had = set(before.paths())
        kept = [
            entry
            for path, entry in old.items()
            if path not in tree and (path not in had or not self._is_meant(path))
        ]
        if self.target.inside:
            # Outside of what is meant the sidecar stays as it is, whatever the disk says.
            inner = [entry for entry in tree.entries if self._is_meant(entry.path)]
            outer = [entry for entry in old.entries if not self._is_meant(entry.path)]
            return Tree([*inner, *outer, *(e for e in kept if self._is_meant(e.path))])
        return Tree([*tree.entries, *kept])

    def _remember(self, rows: IndexSection, text: bytes) -> None:
        mark = fingerprint_of(text)
        if not self.target.inside:
            complete = self.text is None or self.section.complete
            settled = rows.settled(mark)
            self.index.replace(settled if complete else settled.matching(mark, complete=False))
        elif self.text is None or self.section.sidecar_fingerprint == self.mark:
            self.index.replace(rows.matching(mark, complete=self.section.complete))
        else:
            self.index.replace(rows.matching(NO_FINGERPRINT, complete=False))

    def _report(self, found: Scan, *, written: bool, untracked: tuple[str, ...]) -> AddReport:
        return AddReport(
            self.dataset,
            new=sum(self._is_meant(item.path) for item in found.new)
            if self.target.inside
            else len(found.new),
            changed=sum(self._is_meant(i.path) for i in found.changed)
            if self.target.inside
            else len(found.changed),
            removed=sum(map(self._is_meant, found.gone)),
            unchanged=found.unchanged,
            size_bytes=found.new.size_bytes + found.changed.size_bytes,
            written=written,
            ignored=tuple(found.ignored),
            untracked=untracked,
        )
