"""Carrying out plans of a checkout: files removed and written, and noted in the stat index.

What is decided stands in the plan; here the disk is made to match it, and what was done is true
however it ends. Called by `checkout`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dvtool.core.digest import Digest, fingerprint_of, short_digest
from dvtool.core.tree import EMPTY_DIRECTORY
from dvtool.errors import ObjectMissing
from dvtool.git.staging import tracked_files
from dvtool.ops.checkout_plan import EMPTY_TEXT, Plan
from dvtool.ops.selection import Selected
from dvtool.ops.workspace import Workspace
from dvtool.store.local import SMALL_BLOB_BYTES, LocalStore
from dvtool.worktree.edit import SectionEdit
from dvtool.worktree.materialise import Materialiser
from dvtool.worktree.sections import NO_FINGERPRINT, IndexSection, Row
from dvtool.worktree.statindex import StatIndex
from dvtool.worktree.status import PathStatus

_ROWS_AT_ONCE: Final = 20_000


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


def carry_out(
    workspace: Workspace, index: StatIndex, plans: Sequence[Plan]
) -> list[CheckoutReport]:
    """Does what plans say, data set by data set, and notes it in the stat index.

    Raises:
        ObjectMissing: The store lacks bytes; everything else was written.
        WouldLoseData: A file changed under our hands; it stays as it is.
    """
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
        reports.append(report_of(plan, missing=len(missing)))
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


def _write_files(workspace: Workspace, plan: Plan, noted: _Noted) -> list[PathStatus]:
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
        if plan.text.startswith(b"dvt: 1\nkind: directory") and plan.text != EMPTY_TEXT:
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


def _remember(index: StatIndex, plan: Plan, noted: _Noted, missing: Sequence[PathStatus]) -> None:
    dataset = plan.target.dataset
    section = noted.finish()
    if plan.text == EMPTY_TEXT and not len(section):
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


def report_of(plan: Plan, *, missing: int) -> CheckoutReport:
    """Returns what carrying out a plan does, with so many files whose bytes are missing."""
    return CheckoutReport(
        plan.target.dataset,
        written=len(plan.write) - missing,
        removed=len(plan.remove),
        kept=tuple(path.path for path in plan.kept),
        missing=missing,
    )
