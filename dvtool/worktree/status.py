"""Status of a data set: disk, base and sidecar compared, file by file.

Here lives the three-way rule: the *base* is what this work tree last added or checked out, so a
file that differs from the sidecar is *modified* here, *stale* because the sidecar moved on, or
both. Nothing is written; rows that were read again are returned for saving. Called by the verbs
`status`, `checkout` and, when a sidecar changed, `add`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from dvtool.core.digest import Digest, Fingerprint
from dvtool.core.tree import Entry, Tree
from dvtool.errors import ChangedWhileReading
from dvtool.worktree.filestat import Clock, StatKey
from dvtool.worktree.ignore import NOTHING_IGNORED, Ignore
from dvtool.worktree.scan import Found, Scan, scan
from dvtool.worktree.sections import IndexSection

if TYPE_CHECKING:
    from dvtool.worktree.edit import SectionEdit
    from dvtool.worktree.reading import Reader

State = Literal["modified", "stale", "conflict", "deleted", "new", "not-checked-out"]


_UNREAD: Final = Digest(b"unread")
"""The digest of a file that was not read because it cannot equal anything it is compared with."""


class PathStatus(NamedTuple):
    """One path that is not clean.

    Attributes:
        path: Relative to the data set; empty for a data set that is one file.
        state: `modified` changed here since the base, or differs and has no base · `stale` as in
            the base, but the sidecar has another version or none · `conflict` changed here and in
            the sidecar · `deleted` removed here since the base · `new` in neither base nor sidecar
            · `not-checked-out` in the sidecar only.
        stat: Stat key of what is on the disk now, None when there is nothing. A checkout passes
            it on as what it expects to replace.
        sidecar: The sidecar's entry, None when it has none.
        base: The last added or checked-out entry, None when there is none.
    """

    path: bytes
    state: State
    stat: StatKey | None
    sidecar: Entry | None
    base: Entry | None


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """How a data set stands.

    Attributes:
        kind: What is on the disk: `file`, `directory`, or empty for nothing.
        paths: Everything that is not clean, sorted by path.
        clean: Number of files that are as the sidecar says.
        ignored: Paths a `.dvtignore` hides; a folder ends with a slash.
        section: The section to save when `is_changed`: rows read again, bases that caught up.
        is_changed: Whether saving it saves work next time.
    """

    kind: str
    paths: tuple[PathStatus, ...]
    clean: int
    ignored: tuple[bytes, ...]
    section: IndexSection
    is_changed: bool


def compare(
    top: Path,
    dataset: str,
    section: IndexSection | None,
    *,
    sidecar_fingerprint: Fingerprint,
    tree: Callable[[], Tree],
    clock: Clock,
    ignore: Ignore = NOTHING_IGNORED,
) -> DatasetStatus:
    """Returns how what is on the disk differs from the base and the sidecar.

    With an unchanged sidecar and unchanged files this costs the scan alone: neither is the sidecar
    parsed nor anything read. Files of a size that neither side has are not read either.

    Args:
        top: The work tree's top.
        dataset: Path of the data set.
        section: The index section, None when there is none.
        sidecar_fingerprint: xxh3-128 of the sidecar's text; NO_FINGERPRINT to compare with some
            other tree.
        tree: Gives the tree of that sidecar; called at most once, and only if needed.
        clock: Gives the file system's time; called only when a file must be read.
        ignore: Hides new files.

    Raises:
        UnsafePath, WouldLoseData: As `scan` and `Reader`.
        ChangedWhileReading: A file changes right now.
    """
    rows = section or IndexSection(dataset)
    found = scan(top, dataset, section, ignore=ignore)
    is_known = bool(sidecar_fingerprint) and rows.sidecar_fingerprint == sidecar_fingerprint
    judge = _Judge(top, rows, found, sidecar_fingerprint, clock)
    try:
        if is_known and rows.complete:
            judge.against_bases()
        else:
            judge.against(tree())
    finally:
        judge.reader.close()
    return judge.status()


class _Judge:
    """One comparison: what is known of the disk, and the verdicts so far."""

    def __init__(
        self,
        top: Path,
        rows: IndexSection,
        found: Scan,
        sidecar_fingerprint: Fingerprint,
        clock: Clock,
    ) -> None:
        self.reader = _LazyReader(top, rows, clock)
        self.rows = rows
        self.found = found
        self.sidecar_fingerprint = sidecar_fingerprint
        self.paths: list[PathStatus] = []
        self.clean = 0
        self.is_caught_up = True
        self.is_complete = True
        self.touched = {item.path: item for item in found.changed}
        self.gone = frozenset(found.gone)

    def against_bases(self) -> None:
        """Judges only what moved; the bases are the sidecar's entries."""
        bases = self.rows.bases
        moved = {*self.touched, *self.gone, *bases}
        self.clean = len(self.rows) - len(moved)
        for path, row in self.rows.rows_of(moved).items() if moved else ():
            base = bases[path] if path in bases else row.entry()
            disk, stat = self.disk_of(row.entry(), row.stat, base, base)
            self.judge(path, disk, base, base, stat)
        for item in self.found.new:
            self.paths.append(PathStatus(item.path, "new", item.stat, None, None))

    def against(self, tree: Tree) -> None:
        """Judges every path of the disk, the bases and the sidecar."""
        bases = self.rows.bases
        get = tree.get
        moved = {*self.touched, *self.gone, *bases}
        with_row = 0
        for number, seen in enumerate(self.rows.each_entry()):
            path = seen.path
            sidecar = get(path)
            with_row += sidecar is not None
            if sidecar == seen and path not in moved:
                self.clean += 1
                continue
            base = bases.get(path, seen)
            row_stat = self.rows.row_at(number, path).stat
            disk, stat = self.disk_of(seen, row_stat, base, sidecar)
            self.judge(path, disk, base, sidecar, stat)
        without_row: set[bytes] = set()
        for item in self.found.new:
            sidecar = get(item.path)
            if sidecar is not None:
                without_row.add(item.path)
            disk = self.reader.entry(item, None, (sidecar,))
            self.judge(item.path, disk, None, sidecar, item.stat)
        if with_row + len(without_row) < len(tree):
            self.is_complete = False
            known = without_row.union(self.rows.paths())
            for path, entry in tree.items():
                if path not in known:
                    self.paths.append(PathStatus(path, "not-checked-out", None, entry, None))

    def disk_of(
        self, seen: Entry, row_stat: StatKey, base: Entry | None, sidecar: Entry | None
    ) -> tuple[Entry | None, StatKey | None]:
        """Returns what stands at a row's path now, and its stat key."""
        if (item := self.touched.get(seen.path)) is not None:
            return self.reader.entry(item, seen, (base, sidecar)), item.stat
        if seen.path in self.gone:
            return None, None
        return seen, row_stat

    def judge(
        self,
        path: bytes,
        disk: Entry | None,
        base: Entry | None,
        sidecar: Entry | None,
        stat: StatKey | None,
    ) -> None:
        """Applies the three-way rule to one path."""
        if disk == sidecar:
            self.clean += disk is not None
            if base != sidecar or path in self.rows.bases:
                self.reader.catch_up(path, is_gone=disk is None)
            return
        if base != sidecar:
            self.is_caught_up = False
        self.paths.append(PathStatus(path, _state_of(disk, base, sidecar), stat, sidecar, base))

    def status(self) -> DatasetStatus:
        """Returns the verdicts, sorted, and the section to save."""
        rows = self.reader.section()
        if self.sidecar_fingerprint and self.is_caught_up:
            wanted = (self.sidecar_fingerprint, self.is_complete)
            if (rows.sidecar_fingerprint, rows.complete) != wanted:
                rows = rows.matching(wanted[0], complete=wanted[1])
        return DatasetStatus(
            self.found.kind,
            tuple(sorted(self.paths, key=_path_of)),
            self.clean,
            tuple(sorted(self.found.ignored)),
            rows,
            rows is not self.rows,
        )


class _LazyReader:
    """Reads files again where stat keys leave a doubt, and notes the rows that result."""

    def __init__(self, top: Path, rows: IndexSection, clock: Clock) -> None:
        self._top = top
        self._rows = rows
        self._clock = clock
        self._edit: SectionEdit | None = None
        self._reader: Reader | None = None

    def entry(self, item: Found, seen: Entry | None, candidates: Iterable[Entry | None]) -> Entry:
        """Returns what a file holds now, as far as it matters.

        A file that no candidate equals in size and mode is not read.

        Args:
            item: The file as found.
            seen: What its row says, None when it has none.
            candidates: Entries it will be compared with.
        """
        size, mode = item.size, item.mode
        likely = (c for c in candidates if c is not None)
        if not any(c.size == size and c.mode == mode for c in likely):
            return Entry(item.path, _UNREAD, size, mode)
        edit = self._editing()
        if self._reader is None:
            from dvtool.worktree.reading import Reader  # mostly no file leaves a doubt

            self._reader = Reader(self._top, self._rows.dataset)
        try:
            row = self._reader.hash(item)
        except ChangedWhileReading:
            return Entry(item.path, _UNREAD, size, mode)
        entry = row.entry()
        edit.put(row, settled=entry == seen and item.path not in self._rows.bases)
        return entry

    def catch_up(self, path: bytes, *, is_gone: bool) -> None:
        """Makes the disk, which equals the sidecar, the base of `path`."""
        edit = self._editing()
        if is_gone:
            edit.remove(path)
        else:
            edit.settle(path)

    def section(self) -> IndexSection:
        """Returns the rows with everything learned; the very same object if that is nothing."""
        return self._edit.section() if self._edit else self._rows

    def close(self) -> None:
        """Closes what it holds open."""
        if self._reader is not None:
            self._reader.close()

    def _editing(self) -> SectionEdit:
        if self._edit is None:
            from dvtool.worktree.edit import SectionEdit

            # Before anything is read: what changes from now on has times at or after this clock.
            self._edit = SectionEdit(self._rows, clock_ns=self._clock())
        return self._edit


def _state_of(disk: Entry | None, base: Entry | None, sidecar: Entry | None) -> State:
    """Returns the state of a path whose disk and sidecar differ."""
    if disk == base:
        return "not-checked-out" if disk is None else "stale"
    if base is None:
        return "new" if sidecar is None else "modified"
    if base != sidecar:
        return "conflict"
    return "deleted" if disk is None else "modified"


def _path_of(status: PathStatus) -> bytes:
    return status.path
