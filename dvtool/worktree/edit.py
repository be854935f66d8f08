"""Editing an index section: rows put and removed, giving the next section.

Folders without a change are copied as blocks, so that an edit costs what it changes plus a copy of
the columns. Nothing here touches a file. Called by `status` and by the verbs that add or check out.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from itertools import pairwise

from dvtool.core.digest import DIGEST_BYTES, FINGERPRINT_BYTES
from dvtool.core.tree import Entry
from dvtool.worktree.filestat import without_racy
from dvtool.worktree.sections import EMPTY_SPAN, WIDTHS, Buffer, IndexSection, Row, Span

_NO_DIGEST = bytes(DIGEST_BYTES)
_NO_MARK = bytes(FINGERPRINT_BYTES)


class SectionEdit:
    """Collects changed rows and makes the next section from them.

    Args:
        section: What to start from; an empty `IndexSection(dataset)` for a new data set.
        clock_ns: The file system's clock when reading, or writing, ended or began: see
            `put_all`'s callers. Rows not older than it will be read again.
    """

    def __init__(self, section: IndexSection, *, clock_ns: int) -> None:
        self._section = section
        self._clock_ns = clock_ns
        self._paths: list[bytes] = []
        self._columns = (bytearray(), bytearray(), bytearray(), bytearray())
        self._runs: dict[str, list[tuple[int, int]]] = {}
        self._last: tuple[bytes, str] | None = None
        self._removed: dict[str, set[bytes]] = {}
        self._unsettled: set[bytes] = set()
        self._settled: set[bytes] = set()

    def put(self, row: Row, *, settled: bool) -> None:
        """Adds or replaces a row; the last of two with one path counts.

        Args:
            row: The file as just read or written.
            settled: It was added or checked out, so it is its own base. Otherwise the base stays
                what it was, and a file without a row has none.
        """
        path, stat, mode, mark, digest = row
        stats, modes, marks, digests = self._columns
        stats += without_racy(stat, self._clock_ns)
        modes += mode.encode()
        marks += mark or _NO_MARK
        digests += digest or _NO_DIGEST
        number = len(self._paths)
        self._paths.append(path)
        if not settled:
            self._unsettled.add(path)
            self._settled.discard(path)
        elif self._unsettled or self._section.bases:
            self.settle(path)
        folder = path.rpartition(b"/")[0]
        if self._last is None or self._last[0] != folder:
            self._last = (folder, os.fsdecode(folder))
        runs = self._runs.setdefault(self._last[1], [])
        if runs and runs[-1][1] == number:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number, number + 1))

    def remove(self, path: bytes) -> None:
        """Drops the row of `path` as it was before this edit; nothing if there is none."""
        folder, _, name = path.rpartition(b"/")
        self._removed.setdefault(os.fsdecode(folder), set()).add(name)

    def settle(self, path: bytes) -> None:
        """Makes the row of `path` its own base: what is on the disk is what was added."""
        self._settled.add(path)
        self._unsettled.discard(path)

    def section(self) -> IndexSection:
        """Returns the next section; sidecar fingerprint and completeness are the old one's."""
        old = self._section
        spans = old.spans()
        folders: list[str] = []
        counts: list[int] = []
        name_sizes: list[int] = []
        names: list[Buffer] = []
        columns: tuple[list[Buffer], ...] = ([], [], [], [])
        bases = dict(old.bases)
        touched = dict.fromkeys([*self._runs, *self._removed])
        for start, stop, is_touched in _stretches(old.folders, touched):
            if is_touched:
                continue
            first, last = spans[old.folders[start]], spans[old.folders[stop - 1]]
            folders += old.folders[start:stop]
            counts += old.counts[start:stop]
            name_sizes += old.name_sizes[start:stop]
            names.append(old.names[first.names_at : last.names_at + last.names_size])
            for column, width, source in zip(columns, WIDTHS, _columns_of(old), strict=True):
                column.append(source[first.first * width : (last.first + last.rows) * width])
        for folder in touched:
            kept, blocks = self._rebuild(folder, spans.get(folder, EMPTY_SPAN), bases)
            if kept:
                block = b"\0".join(kept) + b"\0"
                folders.append(folder)
                counts.append(len(kept))
                name_sizes.append(len(block))
                names.append(block)
                for column, part in zip(columns, blocks, strict=True):
                    column.append(part)
        for path in self._settled:
            bases.pop(path, None)
        stats, modes, marks, digests = (b"".join(column) for column in columns)
        return IndexSection(
            old.dataset,
            old.sidecar_fingerprint,
            old.complete,
            tuple(folders),
            tuple(counts),
            tuple(name_sizes),
            b"".join(names),
            stats,
            modes,
            marks,
            digests,
            bases,
        )

    def _rebuild(
        self, folder: str, span: Span, bases: dict[bytes, Entry | None]
    ) -> tuple[list[bytes], list[Buffer]]:
        """Returns names and column blocks of one folder with its changes."""
        if not span.rows and (fresh := self._fresh_block(folder, bases)) is not None:
            return fresh
        names = self._section.names_in(span)
        gone = self._removed.get(folder, set())
        prefix = os.fsencode(folder) + b"/" if folder else b""
        place = {name: number for number, name in enumerate(names)}
        source: dict[int, int] = {}
        for start, stop in self._runs.get(folder, ()):
            for number in range(start, stop):
                path = self._paths[number]
                name = path[len(prefix) :]
                at = place.setdefault(name, len(names))
                if at == len(names):
                    names.append(name)
                source[at] = number
                if path in self._unsettled:
                    self._keep_base(path, span, at, name in gone, bases)
        dropped = sorted(place[n] for n in gone if n in place and place[n] not in source)
        for at in dropped:
            bases.pop(prefix + names[at], None)
        kept_runs = list(_kept_runs(dropped, len(names)))
        blocks: list[Buffer] = []
        for width, old, new in zip(WIDTHS, _columns_of(self._section), self._columns, strict=True):
            block = bytearray(old[span.first * width : (span.first + span.rows) * width])
            for at, number in source.items():
                block[at * width : (at + 1) * width] = new[number * width : (number + 1) * width]
            if dropped:
                block = bytearray(b"".join(block[a * width : b * width] for a, b in kept_runs))
            blocks.append(block)
        if dropped:
            names = [name for start, stop in kept_runs for name in names[start:stop]]
        return names, blocks

    def _fresh_block(
        self, folder: str, bases: dict[bytes, Entry | None]
    ) -> tuple[list[bytes], list[Buffer]] | None:
        """Returns a new folder's rows without copying; None if they need a closer look."""
        runs = self._runs.get(folder, [])
        if len(runs) != 1:
            return None
        start, stop = runs[0]
        skip = len(os.fsencode(folder)) + 1 if folder else 0
        names = [path[skip:] for path in self._paths[start:stop]]
        if len(set(names)) != len(names):
            return None
        if self._unsettled:
            bases.update((p, None) for p in self._paths[start:stop] if p in self._unsettled)
        return names, [
            memoryview(column)[start * width : stop * width]
            for column, width in zip(self._columns, WIDTHS, strict=True)
        ]

    def _keep_base(
        self, path: bytes, span: Span, at: int, was_removed: bool, bases: dict[bytes, Entry | None]
    ) -> None:
        """Notes the base of a row that changes without being added or checked out."""
        if path in bases:
            return
        had_row = at < span.rows and not was_removed
        if had_row:
            before = self._section.row_at(span.first + at, path).entry()
            bases[path] = before
        else:
            bases[path] = None


def _columns_of(section: IndexSection) -> tuple[Buffer, Buffer, Buffer, Buffer]:
    return section.stats, section.modes, section.fingerprints, section.digests


def _kept_runs(dropped: list[int], count: int) -> Iterable[tuple[int, int]]:
    """Yields the stretches of `range(count)` between the dropped numbers."""
    edges = [-1, *dropped, count]
    return ((a + 1, b) for a, b in pairwise(edges) if b > a + 1)


def _stretches(
    folders: tuple[str, ...], touched: Container[str]
) -> Iterable[tuple[int, int, bool]]:
    """Yields stretches of neighbouring folders that are all touched or all untouched."""
    start = 0
    for number in range(1, len(folders) + 1):
        is_touched = folders[start] in touched
        if number == len(folders) or (folders[number] in touched) != is_touched:
            yield start, number, is_touched
            start = number
