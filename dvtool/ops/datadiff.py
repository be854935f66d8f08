"""Rows of tables compared between two versions, or between two files on disk.

Which files changed is found by `compare`; only those are opened, read by the checks of their own
version. Matching rows is `dvtool.quality.datadiff`. Called by `diff`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dvtool.core.tree import Entry, Tree
from dvtool.errors import ExtraMissing, ObjectMissing
from dvtool.ops import subjects
from dvtool.ops.compare import DatasetDiff
from dvtool.ops.profiler import spec_for
from dvtool.ops.subjects import ChecksText, FileBytes
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.parsing import parse_checks, table_for
from dvtool.quality.datadiff.comparing import Asked, compare_tables
from dvtool.quality.datadiff.model import TableDiff
from dvtool.quality.tables.endings import is_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable

MEMORY_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class RowsWanted:
    """How rows are compared.

    Attributes:
        examples: Rows shown of each kind.
        key: Columns that name a row; none for those of the checks, or else to find them.
        tolerance: Largest difference of two floats that still counts as equal.
    """

    examples: int = 5
    key: tuple[str, ...] = ()
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One changed table: what differs, or why its rows were not compared."""

    name: str
    table: TableDiff | None
    why_not: str = ""


def diff_plain(old: str, new: str, wanted: RowsWanted) -> FileDiff:
    """Compares two tables on disk, without git; checks beside either are followed.

    Raises:
        UsageError: A file is not there, or a key names a column that one of them lacks.
        InvalidText: Checks beside one of them break their format.
    """
    files = [subjects.plain_file(Path(name), name=name, verb="compare") for name in (old, new)]
    checks = [_beside(name) for name in (old, new)]
    return _diff_files(files, checks, "", wanted)


def diff_changes(
    workspace: Workspace,
    one: DatasetDiff,
    texts: Sequence[ChecksText | None],
    wanted: RowsWanted,
) -> list[FileDiff]:
    """Compares the rows of every changed table of one data set, read from the store.

    Args:
        workspace: Where.
        one: What changed.
        texts: Checks of the version before and now, then others that say what is private.
        wanted: How.

    Raises:
        UsageError: A key names a column that a version lacks.
        InvalidText: Checks break their format.
    """
    diffs = []
    for change in one.changes:
        if change.old is None or change.new is None or change.old.digest == change.new.digest:
            continue
        files = [_stored(workspace, one.dataset, entry) for entry in (change.old, change.new)]
        if all(file is not None and is_table(file.name) for file in files):
            path = change.new.path.decode("utf-8", "surrogateescape")
            both = [file for file in files if file is not None]
            diffs.append(_diff_files(both, texts, path, wanted))
    return diffs


def _stored(workspace: Workspace, dataset: str, entry: Entry) -> FileBytes | None:
    found = subjects.stored_files(workspace.store, dataset, Tree((entry,)))
    return next(iter(found.values()), None)


def _beside(name: str) -> ChecksText | None:
    return subjects.checks_beside(Path(os.path.abspath(name)), name)


def _diff_files(
    files: Sequence[FileBytes], texts: Sequence[ChecksText | None], path: str, wanted: RowsWanted
) -> FileDiff:
    """Compares two files; the first two checks are their own, all of them say what is private."""
    name = files[1].name
    checks = [None if one is None else parse_checks(one.text, source=one.path) for one in texts]
    tables = [None if one is None else table_for(one, path) for one in checks]
    spec = spec_for(checks, path)
    key, why = wanted.key, "given by --key"
    if not key and tables[1] is not None:
        key, why = tables[1].key, "from the checks"
    asked = Asked(
        key=key,
        key_why=why,
        examples=wanted.examples,
        tolerance=wanted.tolerance,
        private=spec.private if spec is not None else frozenset(),
    )
    with ExitStack() as opened, Engine(memory_bytes=MEMORY_BYTES) as engine:
        try:
            old, new = (
                open_table(
                    engine,
                    opened.enter_context(file.open()),
                    name=file.name,
                    options=own.read if own is not None else None,
                )
                for file, own in zip(files, tables, strict=False)
            )
        except (Unreadable, ExtraMissing, ObjectMissing) as error:
            hint = f" ({error.hint})" if isinstance(error, ObjectMissing) and error.hint else ""
            return FileDiff(name, None, f"{error}{hint}")
        return FileDiff(name, compare_tables(engine, old, new, asked))
