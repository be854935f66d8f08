"""A difference put together for people: which files, how tables moved, which rows, which lines.

Profiles are looked up where they are kept, here or at the remote, so statistics need no data where
somebody profiled the version; rows and lines need the bytes. Called by `diff` and the API.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from dvtool.core.quote import display
from dvtool.core.tree import Change, Entry, Tree
from dvtool.errors import DvtoolError
from dvtool.git.revisions import resolve_commit
from dvtool.ops import subjects
from dvtool.ops.compare import DatasetDiff
from dvtool.ops.datadiff import FileDiff, RowsWanted, diff_changes
from dvtool.ops.profiler import Profiler, Spec, spec_for
from dvtool.ops.subjects import ChecksText
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.model import ChecksFile
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.datadiff.shifts import shifts
from dvtool.quality.tables.endings import is_table
from dvtool.report.diff_model import DatasetPart, DiffReport, FilePart
from dvtool.report.model import TablePicture

TEXT_BYTES: Final = 64 << 10
"""Texts larger than this are compared by size and digest only."""
MOST_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class Depth:
    """How deep to look.

    Attributes:
        rows: How to compare rows of tables and lines of small texts; None for not at all.
        statistics: Whether to compare profiles.
    """

    rows: RowsWanted | None = None
    statistics: bool = False


def diff_report(
    workspace: Workspace,
    found: Sequence[DatasetDiff],
    old: str | None,
    new: str | None,
    depth: Depth,
) -> DiffReport:
    """Returns a difference for people, files that differ most first where that is known.

    Args:
        workspace: Where.
        found: What `compare.diff` gave.
        old: A revision; None for HEAD.
        new: A revision; None for the work tree's sidecars.
        depth: How deep to look.

    Raises:
        UsageError: A key names a column that a version lacks.
        InvalidText: Checks break their format.
    """
    commits = (
        resolve_commit(workspace.git, old or "HEAD"),
        resolve_commit(workspace.git, new) if new is not None else None,
    )
    profiler = Profiler.of(workspace, remote="" if workspace.settings.remotes else None)
    parts = []
    for one in found:
        texts = [subjects.checks_at(workspace, one.dataset, commit) for commit in commits]
        texts.append(subjects.checks_at(workspace, one.dataset, None))
        place = _Place(workspace, profiler, one.dataset, texts)
        parts.append(_dataset(place, one, depth))
    profiler.finish()
    return DiffReport(old or "HEAD", new or "work tree", tuple(parts))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one data set is looked at: its checks before, now, and on disk."""

    workspace: Workspace
    profiler: Profiler
    dataset: str
    texts: Sequence[ChecksText | None]
    parsed: list[ChecksFile | None] = field(default_factory=list)

    def checks(self) -> list[ChecksFile | None]:
        """Returns the checks, parsed once and not before a table needs them."""
        if not self.parsed:
            self.parsed.extend(
                None if one is None else parse_checks(one.text, source=one.path)
                for one in self.texts
            )
        return self.parsed


def _dataset(place: _Place, one: DatasetDiff, depth: Depth) -> DatasetPart:
    tables: dict[str, FileDiff] = {}
    if depth.rows is not None:
        tables = {
            each.name: each for each in diff_changes(place.workspace, one, place.texts, depth.rows)
        }
    files = []
    for change in one.changes:
        part = _plain(one.dataset, change)
        compared = tables.get(_raw_name(one.dataset, change.path))
        if compared is not None:
            part = replace(part, table=compared.table, why_not=compared.why_not)
        elif depth.rows is not None and not is_table(part.name):
            part = _with_lines(place.workspace, part, change)
        if depth.statistics and is_table(part.name):
            part = _with_profiles(place, change, part)
        files.append(part)
    ordered = sorted(files, key=lambda each: -each.weight)
    return DatasetPart(
        display(os.fsencode(one.dataset)), one.kind, one.old_bytes, one.new_bytes, tuple(ordered)
    )


def _plain(dataset: str, change: Change) -> FilePart:
    was = change.old
    old_name = _shown(dataset, was.path) if change.kind == "renamed" and was is not None else ""
    return FilePart(
        _shown(dataset, change.path),
        change.kind,
        None if change.old is None else change.old.size,
        None if change.new is None else change.new.size,
        old_name,
    )


def _raw_name(dataset: str, path: bytes) -> str:
    return f"{dataset}/{os.fsdecode(path)}" if path else dataset


def _shown(dataset: str, path: bytes) -> str:
    return display(os.fsencode(_raw_name(dataset, path)))


# -- statistics ------------------------------------------------------------------------------------


def _with_profiles(place: _Place, change: Change, part: FilePart) -> FilePart:
    """Adds what profiles tell of both versions; each is read by the checks of its own."""
    parsed = place.checks()
    own = (parsed, [parsed[1], parsed[0], *parsed[2:]])
    profiles, missing = [], []
    private: frozenset[str] = frozenset()
    for entry, checks in zip((change.old, change.new), own, strict=True):
        profile = None
        if entry is not None and entry.digest:
            path = os.fsdecode(entry.path)
            spec = spec_for(checks, path) or Spec()
            private |= spec.private
            (file,) = subjects.stored_files(
                place.workspace.store, place.dataset, Tree((entry,))
            ).values()
            known = place.profiler.file(file, spec)
            profile = known.profile
            if profile is None:
                missing.append(known.why)
        profiles.append(profile)
    before, now = profiles
    moved = shifts(before, now) if before is not None and now is not None else ()
    shown = tuple(one for one in moved if one.column not in private)
    why = part.why_not or (f"no statistics: {missing[0]}" if missing else "")
    return replace(part, picture=TablePicture(now, before, (), private), shifts=shown, why_not=why)


# -- texts -----------------------------------------------------------------------------------------


def _with_lines(workspace: Workspace, part: FilePart, change: Change) -> FilePart:
    """Adds a unified diff where both sides are small texts that are here."""
    if change.kind == "mode":
        return part
    try:
        sides = [_text(workspace, entry) for entry in (change.old, change.new)]
    except DvtoolError as error:
        return replace(part, why_not=f"lines not compared: {error}")
    old, new = sides
    if old is None or new is None or old == new:
        return part
    found = difflib.unified_diff(old, new, part.old_name or part.name, part.name, n=3, lineterm="")
    lines = list(found)
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"… and {len(lines) - MOST_LINES} more lines"]
    return replace(part, lines=tuple(lines))


def _text(workspace: Workspace, entry: Entry | None) -> list[str] | None:
    """Returns the lines of a small text, none for no file; None for anything else."""
    if entry is None:
        return []
    if entry.mode not in ("f", "x") or entry.size > TEXT_BYTES:
        return None
    try:
        text = workspace.store.read(entry.digest).decode("utf-8")
    except UnicodeDecodeError:
        return None
    lines = text.splitlines()
    return None if "\0" in text or len(lines) > MOST_LINES * 10 else lines
