"""Scanning a data set: which files are not as the index remembers them.

Here lives the walk over the folders, which compares each file's stat with its row in the same
loop; nothing is opened but folders. Reading what was found is `reading`, judging it `status`.
Called by `status` and by the verbs that add or check out.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dvtool.core.paths import MAX_PATH_BYTES, check_path
from dvtool.core.tree import EMPTY_DIRECTORY, EXECUTABLE, FILE
from dvtool.errors import UnsafePath, WouldLoseData
from dvtool.worktree.filestat import (
    NO_STAT,
    StatFields,
    StatKey,
    fields_of,
    key_of,
    letter_of,
)
from dvtool.worktree.folders import (
    OPEN_FOLDER,
    TEMPORARY_PREFIX,
    Folders,
    check_link,
    shown,
    split_dataset,
)
from dvtool.worktree.found import Found, FoundFiles
from dvtool.worktree.ignore import NOTHING_IGNORED, Ignore, IsIgnored
from dvtool.worktree.sections import EMPTY_SPAN, IndexSection, Span

__all__ = ["Found", "FoundFiles", "Scan", "scan"]

_PLAIN_NAMES: Final = re.compile(r"(?:[A-Za-z0-9_\-+=,@()][A-Za-z0-9_\-+=,@() .]{0,200}\0)*")
"""Many names that need no closer look; only a quick way past `check_path`, never another rule."""
_NO_ROW: Final = (-1, -1, -1, -1)
_EMPTY_FOLDER: Final = (0, 0, 0, 0)


@dataclass(slots=True)
class Scan:
    """What a scan found; empty for a data set that is as the index says.

    Attributes:
        kind: `file`, `directory`, or empty when nothing stands at the data set's path.
        unchanged: Number of rows whose file is as they say.
        changed: Files with a row that says otherwise.
        new: Files without a row.
        gone: Paths of rows without a file.
        ignored: Paths that a `.dvtignore` hides; a folder ends with a slash and hides all below.
    """

    kind: str = ""
    unchanged: int = 0
    changed: FoundFiles = field(default_factory=FoundFiles)
    new: FoundFiles = field(default_factory=FoundFiles)
    gone: list[bytes] = field(default_factory=list)
    ignored: list[bytes] = field(default_factory=list)


def scan(
    top: Path,
    dataset: str,
    section: IndexSection | None = None,
    *,
    ignore: Ignore = NOTHING_IGNORED,
    reread: Collection[bytes] = frozenset(),
) -> Scan:
    """Returns what stands at a data set's path, compared with what the index remembers.

    Args:
        top: The work tree's top; may be reached through links.
        dataset: Path of the data set relative to it; no link is followed below `top`.
        section: The index section; None means that every file is new.
        ignore: Hides new files only; what has a row stays visible.
        reread: Paths that count as changed however they look. An add passes `section.bases`,
            whose bytes were hashed but never stored.

    Raises:
        UnsafePath: The data set, or a folder above it, is a symlink; or it holds a symlink that
            could leave it, a socket, pipe or device, or a name that git or dvtool own.
        WouldLoseData: A folder cannot be read.
    """
    walk = _Walk(dataset, section, ignore, reread)
    above, name = split_dataset(dataset)
    with Folders(top) as folders:
        try:
            parent = folders.handle(above)
            result = os.stat(name, dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return walk.finish("")
        if stat.S_ISDIR(result.st_mode):
            try:
                handle = os.open(name, OPEN_FOLDER, dir_fd=parent)
            except OSError as error:
                raise _unreadable(dataset, error) from error
            try:
                walk.directory(handle)
            finally:
                os.close(handle)
            return walk.finish("directory")
        if not stat.S_ISREG(result.st_mode):
            raise _refused(dataset, result.st_mode)
        walk.single_file(result)
        return walk.finish("file")


class _Walk:
    """One scan: the rows not yet seen, and what was found so far."""

    def __init__(
        self,
        dataset: str,
        section: IndexSection | None,
        ignore: Ignore,
        reread: Collection[bytes],
    ) -> None:
        self.dataset = dataset
        self.section = section or IndexSection(dataset)
        self.spans = self.section.spans()
        self.ignore = ignore
        self.reread: dict[str, list[str]] = {}
        for path in reread:
            folder, _, name = os.fsdecode(path).rpartition("/")
            self.reread.setdefault(folder, []).append(name)
        self.result = Scan()
        self.pending: list[tuple[str, bool]] = []
        self.empty_rows: set[str] = set()
        self.were_files: set[str] = set()

    def finish(self, kind: str) -> Scan:
        """Returns the result, with the rows of folders that were never reached as gone."""
        self.result.kind = kind
        for folder, span in self.spans.items():
            self.gone(folder, map(os.fsdecode, self.section.names_in(span)))
        self.result.gone += map(os.fsencode, self.empty_rows | self.were_files)
        return self.result

    def gone(self, folder: str, names: Iterator[str]) -> None:
        prefix = f"{folder}/" if folder else ""
        self.result.gone += [os.fsencode(prefix + name) for name in names]

    def rows_of(self, folder: str) -> dict[str, StatFields]:
        """Returns the rows of a folder by name, and forgets where they were."""
        span = self.spans.pop(folder, EMPTY_SPAN)
        if span is EMPTY_SPAN:
            return {}
        return self._rows(folder, span)

    def _rows(self, folder: str, span: Span) -> dict[str, StatFields]:
        names_at = span.names_at
        text = os.fsdecode(bytes(self.section.names[names_at : names_at + span.names_size]))
        rows = dict(zip(text.split("\0"), self.section.stats_in(span), strict=False))
        for name in self.reread.get(folder, ()):
            if name in rows and rows[name] != _EMPTY_FOLDER:
                rows[name] = _NO_ROW
        return rows

    def has_rows_below(self, folder: str) -> bool:
        """Tells whether any row not yet seen stands below `folder`."""
        below = f"{folder}/"
        return folder in self.empty_rows or any(
            name == folder or name.startswith(below) for name in self.spans
        )

    def single_file(self, result: os.stat_result) -> None:
        rows = self.rows_of("")
        known = rows.pop("", None)
        self.gone("", iter(rows))  # it was a folder
        if known == fields_of(result):
            self.result.unchanged = 1
            return
        if known is None and self.ignore.is_file_ignored():
            self.result.ignored.append(b"")
            return
        found = self.result.new if known is None else self.result.changed
        found.add("", [""], [key_of(result)], [letter_of(result.st_mode)])

    def directory(self, root: int) -> None:
        """Walks everything below `root`."""
        self.pending.append(("", False))
        while self.pending:
            folder, is_hidden = self.pending.pop()
            try:
                handle = os.open(folder, OPEN_FOLDER, dir_fd=root) if folder else root
            except FileNotFoundError:
                continue  # its rows are reported as gone in the end
            except OSError as error:
                raise _unreadable(f"{self.dataset}/{folder}", error) from error
            try:
                self.folder(folder, handle, is_hidden)
            finally:
                if folder:
                    os.close(handle)

    def folder(self, folder: str, handle: int, is_hidden: bool) -> None:
        """Compares one folder with its rows. This is the hot loop of `status`."""
        rows = self.rows_of(folder)
        rest = _Rest(self, folder, handle, is_hidden)
        pop, fields, other = rows.pop, fields_of, rest.add
        unchanged = 0
        try:
            with os.scandir(handle) as listing:
                for item in listing:
                    name = item.name
                    try:
                        result = item.stat(follow_symlinks=False)
                    except FileNotFoundError:
                        continue
                    known = pop(name, None)
                    if known == fields(result):
                        unchanged += 1
                    else:
                        other(name, known, result)
        except OSError as error:
            raise _unreadable(f"{self.dataset}/{folder}", error) from error
        self.result.unchanged += unchanged
        self.gone(folder, iter(rows))
        rest.finish(is_empty=not unchanged)


class _Rest:
    """What one folder holds beside unchanged files."""

    def __init__(self, walk: _Walk, folder: str, handle: int, is_hidden: bool) -> None:
        self.walk = walk
        self.folder = folder
        self.handle = handle
        self.prefix = f"{folder}/" if folder else ""
        self.changed: tuple[list[str], list[StatKey], list[str]] = ([], [], [])
        self.new: tuple[list[str], list[StatKey], list[str]] = ([], [], [])
        self.is_hidden = is_hidden
        self.has_folders = False
        self.is_ignored: IsIgnored | None = walk.ignore.enter(folder, handle)

    def add(self, name: str, known: StatFields | None, result: os.stat_result) -> None:
        """Takes one name whose row is missing or says otherwise."""
        bits = result.st_mode
        if stat.S_ISREG(bits):
            mode = EXECUTABLE if bits & stat.S_IXUSR else FILE
        elif stat.S_ISDIR(bits):
            self.add_folder(name, known)
            return
        else:
            mode = letter_of(bits)
        if known is None and self.is_unseen(name):
            return
        if mode in (FILE, EXECUTABLE):
            key = key_of(result)
        else:
            key = self.check_special(name, result)
        names, stats, modes = self.new if known is None else self.changed
        names.append(name)
        stats.append(key)
        modes.append(mode)

    def is_unseen(self, name: str) -> bool:
        """Tells whether a file without a row is none of our business; notes ignored ones."""
        if self.is_ignored is None and name[0] != ".":
            return self.is_hidden
        if self.is_hidden or name.startswith(TEMPORARY_PREFIX):
            return True
        if self.is_ignored is None or not self.is_ignored(name, False):
            return False
        self.walk.result.ignored.append(os.fsencode(self.prefix + name))
        return True

    def check_special(self, name: str, result: os.stat_result) -> StatKey:
        """Returns the key of a symlink that stays inside; refuses everything else."""
        path = self.prefix + name
        if not stat.S_ISLNK(result.st_mode):
            raise _refused(f"{self.walk.dataset}/{path}", result.st_mode)
        check_link(os.fsencode(path), os.fsencode(os.readlink(name, dir_fd=self.handle)))
        return key_of(result)

    def add_folder(self, name: str, known: StatFields | None) -> None:
        if name.startswith(TEMPORARY_PREFIX):
            return
        path = self.prefix + name
        walk = self.walk
        if known == _EMPTY_FOLDER:
            walk.empty_rows.add(path)
        elif known is not None:
            walk.were_files.add(path)
        is_hidden = self.is_hidden
        if not is_hidden and self.is_ignored is not None and self.is_ignored(name, True):
            walk.result.ignored.append(os.fsencode(path) + b"/")
            is_hidden = True
        if is_hidden and not walk.has_rows_below(path):
            return
        if not is_hidden:
            self.has_folders = True
            _check_name(walk.dataset, path)
        walk.pending.append((path, is_hidden))

    def finish(self, *, is_empty: bool) -> None:
        """Hands over what was found, and the folder itself if it is empty."""
        result = self.walk.result
        self.check_names()
        result.changed.add(self.folder, *self.changed)
        result.new.add(self.folder, *self.new)
        if not self.folder:
            return
        is_empty = is_empty and not (self.has_folders or self.new[0] or self.changed[0])
        had_row = self.folder in self.walk.empty_rows
        if is_empty and had_row:
            self.walk.empty_rows.discard(self.folder)
            result.unchanged += 1
        elif is_empty and not self.is_hidden:
            above, _, name = self.folder.rpartition("/")
            was_file = self.folder in self.walk.were_files
            self.walk.were_files.discard(self.folder)
            found = result.changed if was_file else result.new
            found.add(above, [name], [NO_STAT], [EMPTY_DIRECTORY])

    def check_names(self) -> None:
        names = self.new[0]
        is_short = len(self.prefix) < MAX_PATH_BYTES // 2 and self.prefix.isascii()
        if not (is_short and _PLAIN_NAMES.fullmatch("\0".join([*names, ""]))):
            for name in names:
                _check_name(self.walk.dataset, self.prefix + name)


def _check_name(dataset: str, path: str) -> None:
    try:
        check_path(os.fsencode(path))
    except UnsafePath as error:
        where = shown(f"{dataset}/{path}")
        raise UnsafePath(
            f"{where}: {error.message}", hint="rename it, or list it in .dvtignore"
        ) from None


def _refused(path: str, mode: int) -> UnsafePath:
    kinds = {stat.S_IFSOCK: "a socket", stat.S_IFIFO: "a named pipe", stat.S_IFLNK: "a symlink"}
    kind = kinds.get(stat.S_IFMT(mode), "a device")
    return UnsafePath(
        f"{shown(path)} is {kind}, which no version can hold",
        hint="replace it by a file, or list it in .dvtignore",
    )


def _unreadable(path: str, error: OSError) -> WouldLoseData:
    return WouldLoseData(f"cannot read {shown(path.rstrip('/'))}: {error.strerror}")
