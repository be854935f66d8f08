"""`checkout`: write the files of a version, and take away those it does not have.

Plan first, as data: which paths to write, which to remove, which to keep because somebody worked on
them. Nothing that exists only on disk is overwritten without `force`. Called by the CLI and `pull`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from dvtool.core.digest import Digest, fingerprint_of, short_digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.quote import display
from dvtool.core.sidecar import Sidecar, encode_sidecar, parse_sidecar
from dvtool.core.tree import EMPTY_DIRECTORY, Tree
from dvtool.errors import InvalidText, ObjectMissing, WouldLoseData
from dvtool.git.attributes import ignore
from dvtool.git.revisions import head, resolve_commit
from dvtool.git.sidecars import read_blobs, sidecar_paths, sidecars_at, staged_sidecars
from dvtool.git.staging import stage, tracked_files
from dvtool.ops.merge import store_shards
from dvtool.ops.selection import Selected, check_part, datasets_of, select
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.store.local import SMALL_BLOB_BYTES, LocalStore
from dvtool.worktree.edit import SectionEdit
from dvtool.worktree.ignore import Ignore
from dvtool.worktree.materialise import Materialiser
from dvtool.worktree.sections import NO_FINGERPRINT, IndexSection, Row
from dvtool.worktree.statindex import StatIndex
from dvtool.worktree.status import DatasetStatus, PathStatus, compare

_ROWS_AT_ONCE: Final = 20_000
_EMPTY_TEXT: Final = encode_sidecar(Sidecar("directory"))


@dataclass(frozen=True, slots=True)
class CheckoutReport:
    """What a checkout did, or with `dry_run` would do, to one data set.

    Attributes:
        dataset: Its path.
        written: How many files were written.
        removed: How many files the version does not have and were taken away.
        kept: Files with unsaved work that the version does not concern.
        missing: How many files could not be written because the store lacks their bytes.
    """

    dataset: str
    written: int
    removed: int
    kept: tuple[bytes, ...] = ()
    missing: int = 0


@dataclass(slots=True)
class _Plan:
    """What to do with one data set."""

    target: Selected
    text: bytes
    status: DatasetStatus
    write: list[PathStatus] = field(default_factory=list)
    remove: list[PathStatus] = field(default_factory=list)
    kept: list[PathStatus] = field(default_factory=list)
    left: list[PathStatus] = field(default_factory=list)
    unsaved: list[PathStatus] = field(default_factory=list)


def checkout(
    workspace: Workspace,
    paths: Sequence[str] = (),
    *,
    rev: str | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> list[CheckoutReport]:
    """Brings files in line with their sidecars, or with `rev` both in line with a commit.

    Args:
        workspace: Where.
        paths: Data sets or parts of them; everything when empty, then also data sets that the
            current commit no longer has are taken away, if nobody worked on them.
        rev: A revision; its sidecars are written and staged too, as `git checkout REV -- PATH`.
        force: Overwrite unsaved work.
        dry_run: Only say what would be done.

    Raises:
        WouldLoseData: Unsaved work stands in the way; nothing was touched.
        ObjectMissing: The store lacks bytes; everything else was written.
    """
    with workspace.changing() as index:
        if rev is not None:
            targets = _of_revision(workspace, list(paths), rev, force=force)
        else:
            chosen = select(datasets_of(sidecar_paths(workspace.git)), paths)
            targets = [(one, workspace.sidecar_text(one.dataset) or b"") for one in chosen]
        plans = [_plan(workspace, index, one, text, force=force) for one, text in targets]
        if rev is None and not paths:
            plans += _orphans(workspace, index, {one.dataset for one, _ in targets})
        _refuse_unsaved(plans)
        if dry_run:
            return [_report(plan, missing=0) for plan in plans]
        if rev is not None:
            _write_sidecars(workspace, targets)
        return _carry_out(workspace, index, plans)


def bring_to(
    workspace: Workspace, targets: Sequence[tuple[Selected, bytes]], *, dry_run: bool = False
) -> list[CheckoutReport]:
    """Writes and stages sidecars with given texts, and brings their files in line.

    Args:
        workspace: Where; its store has what the texts name.
        targets: Whole data sets, each with the text its sidecar shall have.
        dry_run: Only say what would be done.

    Raises:
        WouldLoseData: Unsaved work stands in the way; nothing was touched.
    """
    with workspace.changing() as index:
        plans = [_plan(workspace, index, one, text, force=False) for one, text in targets]
        _refuse_unsaved(plans, drop="dvtool checkout --force drops it")
        if dry_run:
            return [_report(plan, missing=0) for plan in plans]
        _write_sidecars(workspace, targets)
        return _carry_out(workspace, index, plans)


def follow(
    workspace: Workspace, datasets: Iterable[str], *, known_before: Set[str]
) -> tuple[list[CheckoutReport], list[tuple[str, str]]]:
    """Brings data sets in line as far as that loses nothing and needs no network.

    A data set goes as a whole or is left as it is. What this work tree never had of a data set
    that is not new stays away.

    Args:
        workspace: Where.
        datasets: Those that may be behind their sidecars.
        known_before: Those among them that the commit before had too.

    Returns:
        What was done, and each data set that was left with the reason.
    """
    left: list[tuple[str, str]] = []
    plans = []
    with workspace.changing() as index:
        for dataset in datasets:
            text = workspace.sidecar_text(dataset)
            section = index.section(dataset)
            had = section is not None and len(section) > 0
            if text is None or (not had and dataset in known_before):
                continue
            try:
                plan = _plan(workspace, index, Selected(dataset), text, force=False)
            except (InvalidText, ObjectMissing, WouldLoseData) as error:
                left.append((dataset, str(error)))
                continue
            if section is not None and had and not section.complete:
                plan.left += [path for path in plan.write if path.state == "not-checked-out"]
                plan.write = [path for path in plan.write if path.state != "not-checked-out"]
            lacking = workspace.store.missing(
                path.sidecar.digest for path in plan.write if path.sidecar and path.sidecar.digest
            )
            if plan.unsaved:
                left.append((dataset, f"{len(plan.unsaved)} files hold work that is in no version"))
            elif lacking:
                left.append((dataset, f"{len(lacking)} objects are not in the store"))
            else:
                plans.append(plan)
        plans += _orphans(workspace, index, set(datasets_of(sidecar_paths(workspace.git))))
        tracked = tracked_files(workspace.git, [plan.target.dataset for plan in plans])
        gits = {plan.target.dataset for plan in plans if _holds(plan.target.dataset, tracked)}
        plans = [plan for plan in plans if plan.target.dataset not in gits]
        return _carry_out(workspace, index, plans), left


def _holds(dataset: str, tracked: Sequence[str]) -> bool:
    """Tells whether git itself tracks some of a data set, so that it is git's to write."""
    return any(path == dataset or path.startswith(dataset + "/") for path in tracked)


def _plan(
    workspace: Workspace, index: StatIndex, one: Selected, text: bytes, *, force: bool
) -> _Plan:
    """Compares a data set with what `text` says, and decides path by path."""

    def tree() -> Tree:
        return workspace.tree(parse_sidecar(text, source=one.dataset + SIDECAR_SUFFIX))

    found = compare(
        workspace.top,
        one.dataset,
        index.section(one.dataset),
        sidecar_fingerprint=fingerprint_of(text),
        tree=tree,
        clock=index.clock,
        ignore=Ignore.for_dataset(workspace.top, one.dataset),
    )
    check_part(one, (path.path for path in found.paths), tree)
    plan = _Plan(one, text, found)
    below = one.inside + b"/"
    for path in found.paths:
        if one.inside and path.path != one.inside and not path.path.startswith(below):
            plan.left.append(path)
        else:
            _decide(plan, path, force=force)
    if not force:
        _spare_only_copies(workspace, plan)
    return plan


def _spare_only_copies(workspace: Workspace, plan: _Plan) -> None:
    """Counts files as unsaved that are as they were added, but whose bytes the store has lost."""
    doomed = [p for p in (*plan.write, *plan.remove) if p.stat and p.base and p.base.digest]
    lost = workspace.store.missing(p.base.digest for p in doomed if p.base) if doomed else set()
    if lost:
        spared = {p.path for p in doomed if p.base and p.base.digest in lost}
        plan.unsaved += [p for p in doomed if p.path in spared]
        plan.write = [p for p in plan.write if p.path not in spared]
        plan.remove = [p for p in plan.remove if p.path not in spared]


def _decide(plan: _Plan, path: PathStatus, *, force: bool) -> None:
    if path.state == "new":
        plan.left.append(path)
    elif path.state in ("not-checked-out", "deleted", "stale") or force:
        (plan.write if path.sidecar is not None else plan.remove).append(path)
    elif path.state == "modified" and path.base is not None:
        plan.kept.append(path)
    elif path.stat is None:
        # Deleted here, changed there: writing the new version loses nothing.
        plan.write.append(path)
    else:
        plan.unsaved.append(path)


def _refuse_unsaved(plans: Iterable[_Plan], *, drop: str = "--force overwrites it") -> None:
    unsaved = [(plan, path) for plan in plans for path in plan.unsaved]
    if unsaved:
        names = [str(Selected(plan.target.dataset, path.path)) for plan, path in unsaved[:10]]
        raise WouldLoseData(
            f"{len(unsaved)} files hold work that is in no version: {', '.join(names)}",
            hint=f"dvtool add keeps it, {drop}",
        )


def _of_revision(
    workspace: Workspace, paths: list[str], rev: str, *, force: bool
) -> list[tuple[Selected, bytes]]:
    """Returns the texts that the sidecars will have after checking out parts of a commit."""
    commit = resolve_commit(workspace.git, rev)
    targets = []
    for one, sidecar in selected_sidecars(workspace, commit, paths):
        text = encode_sidecar(sidecar)
        current = workspace.sidecar_text(one.dataset)
        if one.inside:
            text = _with_part(workspace, one, sidecar, current)
        if current is not None and current != text and not force:
            hint = "git commit it first, or --force drops them"
            refuse_uncommitted(workspace, [one.dataset], hint=hint)
        targets.append((one, text))
    return targets


def _with_part(
    workspace: Workspace, one: Selected, sidecar: Sidecar, current: bytes | None
) -> bytes:
    """Returns the sidecar on disk with one part of it as the revision has it."""
    part = workspace.tree(sidecar).under(one.inside)
    if not part:
        raise ObjectMissing(f"that version has no {one}", hint="dvtool list --rev REV --files")
    here = Sidecar("directory", sidecar.layout)
    if current is not None:
        here = parse_sidecar(current, source=one.dataset + SIDECAR_SUFFIX)
    merged, shards = here.with_tree(workspace.tree(here).replaced(one.inside, part.entries))
    store_shards(workspace.store, shards)
    return encode_sidecar(merged)


def refuse_uncommitted(workspace: Workspace, datasets: Sequence[str], *, hint: str) -> None:
    """Refuses to drop sidecars that no commit has: they alone name the bytes they stand for.

    Raises:
        WouldLoseData: A sidecar on disk is not as HEAD has it.
    """
    paths = [dataset + SIDECAR_SUFFIX for dataset in datasets]
    commit = head(workspace.git).commit
    oids = sidecars_at(workspace.git, commit, paths) if commit is not None else {}
    committed = read_blobs(workspace.git, oids.values())
    for dataset, path in zip(datasets, paths, strict=True):
        if workspace.sidecar_text(dataset) != committed.get(oids.get(path, "")):
            shown = display(os.fsencode(path))
            raise WouldLoseData(f"{shown} has changes that are not committed", hint=hint)


def _write_sidecars(workspace: Workspace, targets: Iterable[tuple[Selected, bytes]]) -> None:
    staged = []
    for one, text in targets:
        path = one.dataset + SIDECAR_SUFFIX
        if workspace.sidecar_text(one.dataset) != text:
            workspace.write_sidecar(one.dataset, text)
            staged.append(path)
    staged += ignore(workspace.git, [one.dataset for one, _ in targets])
    stage(workspace.git, staged)


def _orphans(workspace: Workspace, index: StatIndex, here: set[str]) -> list[_Plan]:
    """Returns plans that take away data sets which neither disk nor git's index has any more."""
    gone = [dataset for dataset in index.datasets if dataset not in here]
    if not gone:
        return []
    staged = {entry.path for entry in staged_sidecars(workspace.git)}
    plans = []
    for dataset in gone:
        if dataset + SIDECAR_SUFFIX in staged or workspace.sidecar_text(dataset) is not None:
            continue
        plan = _plan(workspace, index, Selected(dataset), _EMPTY_TEXT, force=False)
        plan.kept += plan.unsaved
        plan.unsaved.clear()
        plans.append(plan)
    return plans


def take_away(
    workspace: Workspace, index: StatIndex, datasets: Sequence[str], *, force: bool
) -> None:
    """Removes the files of data sets as they were added or checked out; others stay.

    For the caller of `Workspace.changing`. Nothing is touched if any data set refuses.

    Raises:
        UnsafePath: A symlink stands where a folder or the data set should.
        WouldLoseData: A file is the only copy of its bytes, or changed under our hands.
    """
    plans = [
        _plan(workspace, index, Selected(dataset), _EMPTY_TEXT, force=force) for dataset in datasets
    ]
    _refuse_unsaved(plans)
    _carry_out(workspace, index, plans)


def _carry_out(
    workspace: Workspace, index: StatIndex, plans: Sequence[_Plan]
) -> list[CheckoutReport]:
    progress = workspace.progress
    writes = [path for plan in plans for path in plan.write]
    progress.start("checkout", total_bytes=sum(p.sidecar.size for p in writes if p.sidecar))
    reports = []
    lost: dict[Digest, str] = {}
    for plan in plans:
        noted = _Noted(index, plan.status.section)
        try:
            missing = _write_files(workspace, plan, noted) if plan.write or plan.remove else []
        except BaseException:
            # What was written is true whatever stopped the rest.
            index.replace(noted.finish().matching(NO_FINGERPRINT, complete=False))
            raise
        _remember(index, plan, noted, missing)
        for path in missing:
            assert path.sidecar is not None
            lost[path.sidecar.digest] = str(Selected(plan.target.dataset, path.path))
        reports.append(_report(plan, missing=len(missing)))
    if lost:
        examples = ", ".join(f"{name} ({short_digest(d)})" for d, name in list(lost.items())[:5])
        raise ObjectMissing(
            f"{len(lost)} objects are not in the store {workspace.store.root}: {examples}",
            hint="dvtool pull brings them",
        )
    return reports


class _Noted:
    """Takes the rows of written files in batches, so that they do not add up in memory."""

    def __init__(self, index: StatIndex, section: IndexSection) -> None:
        self._index = index
        self._section = section
        self._rows: list[Row] = []
        self._removed: list[bytes] = []
        self.count = 0

    def wrote(self, row: Row) -> None:
        self._rows.append(row)
        self.count += 1
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._flush()

    def removed(self, path: bytes) -> None:
        self._removed.append(path)
        self.count += 1

    def finish(self) -> IndexSection:
        """Returns the section with all that was noted."""
        if self._rows or self._removed:
            self._flush()
        return self._section

    def _flush(self) -> None:
        # After writing: what somebody changes from now on carries this time or a later one.
        edit = SectionEdit(self._section, clock_ns=self._index.clock())
        for path in self._removed:
            edit.remove(path)
        for row in self._rows:
            edit.put(row, settled=True)
        self._section = edit.section()
        self._rows.clear()
        self._removed.clear()


def _write_files(workspace: Workspace, plan: _Plan, noted: _Noted) -> list[PathStatus]:
    """Removes and writes files; returns what the store has no bytes for."""
    store = workspace.store
    wanted = {p.sidecar.digest for p in plan.write if p.sidecar and p.sidecar.digest}
    lacking = store.missing(wanted)
    missing = [p for p in plan.write if p.sidecar and p.sidecar.digest in lacking]
    writes = [p for p in plan.write if p.sidecar and p.sidecar.digest not in lacking]
    dataset = plan.target.dataset
    tracked = tracked_files(workspace.git, [dataset])
    with Materialiser(workspace.top, dataset, git_tracked=tracked) as files:
        for path in plan.remove:
            assert path.stat is not None
            files.remove(path.path, expected=path.stat)
            noted.removed(path.path)
        if plan.text.startswith(b"dvt: 1\nkind: directory") and plan.text != _EMPTY_TEXT:
            files.keep_folder()
        small: dict[Digest, list[PathStatus]] = {}
        for path in writes:
            entry = path.sidecar
            assert entry is not None
            if entry.mode == EMPTY_DIRECTORY:
                noted.wrote(files.write(entry, b"", expected=path.stat))
            elif entry.size < SMALL_BLOB_BYTES:
                small.setdefault(entry.digest, []).append(path)
            else:
                noted.wrote(_write_large(store, files, path))
                workspace.progress.advance(size_bytes=entry.size, items=1)
        for digest, data in store.read_many(small):
            for path in small[digest]:
                assert path.sidecar is not None
                noted.wrote(files.write(path.sidecar, data, expected=path.stat))
                workspace.progress.advance(size_bytes=len(data), items=1)
    return missing


def _write_large(store: LocalStore, files: Materialiser, path: PathStatus) -> Row:
    assert path.sidecar is not None
    blob = store.large(path.sidecar.digest)
    with store.open_blob(path.sidecar.digest) as source:
        return files.write_large(
            path.sidecar,
            source.fileno(),
            expected=path.stat,
            fingerprint=blob.fingerprint if blob else None,
        )


def _remember(index: StatIndex, plan: _Plan, noted: _Noted, missing: Sequence[PathStatus]) -> None:
    dataset = plan.target.dataset
    section = noted.finish()
    if plan.text == _EMPTY_TEXT and not len(section):
        index.remove(dataset)
        return
    rest = [*plan.kept, *plan.left, *missing]
    if all(path.base == path.sidecar for path in rest):
        absent = any(path.stat is None and path.sidecar is not None for path in rest)
        section = section.matching(fingerprint_of(plan.text), complete=not absent)
    elif noted.count:
        section = section.matching(NO_FINGERPRINT, complete=False)
    before = index.section(dataset)
    if section is not before and (len(section) or before is not None):
        index.replace(section)


def _report(plan: _Plan, *, missing: int) -> CheckoutReport:
    return CheckoutReport(
        plan.target.dataset,
        written=len(plan.write) - missing,
        removed=len(plan.remove),
        kept=tuple(path.path for path in plan.kept),
        missing=missing,
    )
