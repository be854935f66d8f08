"""What checks make an input besides the data: code of a schema, other tables, parts of a split.

Their digests go into the name of a remembered verdict, so that a change of any of them is a new
question. A file that is a data set as its sidecar says need not be read for its digest. Called by
`dvtool.ops.judge_once`.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from dvtool.core.digest import format_digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.errors import DvtoolError, InvalidText
from dvtool.ops.disk import Disk
from dvtool.ops.subjects import ChecksText, Subject
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.parsing import matches_path, parse_checks
from dvtool.quality.outward import file_beside, places_of, table_within

NOT_THERE = "not there"


def reached_inputs(
    subject: Subject, checks: ChecksText, workspace: Workspace | None, *, python: bool
) -> dict[str, str]:
    """Returns names and digests of the files that the checks of a subject look at.

    A file that is not there, and a schema that leads outside, are answers, too: they are told apart
    from every file. Where no files are at hand (`subject.root`), nothing is looked at, and none is
    an input. What code reads while it runs, and packages that it imports, cannot be known.

    Args:
        subject: What is judged.
        checks: Its checks.
        workspace: Whose data sets need not be read for their digests; None for none.
        python: Whether code runs.
    """
    if subject.root is None:
        return {}
    try:
        tables = parse_checks(checks.text, source=checks.path).tables
    except InvalidText:
        return {}  # told by whoever judges by them, and never remembered
    known = _Digests(subject.root, workspace)
    found: dict[str, str] = {}
    for table in tables:
        if table.schema:
            found |= _schema(subject.root, table.schema, python=python)
        for path in _files(subject, table):
            found[f"file {os.path.relpath(path, subject.root)}"] = known.of(path)
    return found


def reached_places(subject: Subject, checks: ChecksText) -> list[Path]:
    """Returns where the checks of a subject look for other tables, there or not; none without a root.

    Raises:
        InvalidText: The checks break their format.
    """
    root = subject.root
    if root is None:
        return []
    tables = parse_checks(checks.text, source=checks.path).tables
    named = [one for table in tables for one in _named(subject, table)]
    return [place for name, path in named for place in places_of(root, name, path)]


def _files(subject: Subject, table: TableSpec) -> Iterator[Path]:
    assert subject.root is not None
    yield from dict.fromkeys(
        file_beside(subject.root, name, path) for name, path in _named(subject, table)
    )


def _named(subject: Subject, table: TableSpec) -> Iterator[tuple[str, str]]:
    """Yields which file names which other one that is no part of the data set."""
    files = subject.every_file
    judged = {
        path: file.name
        for path, file in subject.files.items()
        if not table.path or matches_path(table.path, path)
    }
    for column in table.columns:
        if column.in_table:
            other = column.in_table.rpartition(":")[0]
            for path, name in judged.items():
                if table_within(path, other, files) is None:
                    yield name, other
    for _, path in table.splits.parts if table.splits is not None else ():
        if path not in files:
            yield subject.name, path


def _schema(root: Path, reference: str, *, python: bool) -> dict[str, str]:
    from dvtool.quality.checks.pandera_loading import is_python, local_sources

    if is_python(reference) and not python:
        return {}
    try:
        sources = local_sources(root, reference)
    except (InvalidText, OSError, SyntaxError, ValueError) as error:
        return {f"schema {reference}": f"cannot be read: {error}"}
    top = root.resolve()
    found = {f"schema {os.path.relpath(one, top)}": _hashed(one) for one in sources}
    return found | {"interpreter": sys.version}


class _Digests:
    """Digests of files below the top; of clean data sets they are known."""

    def __init__(self, root: Path, workspace: Workspace | None) -> None:
        self._workspace = workspace if workspace is not None and workspace.top == root else None
        self._disk: Disk | None = None

    def of(self, path: Path) -> str:
        """Returns the digest of a file, or that it is not there."""
        if not path.is_file():
            return NOT_THERE
        return self._recorded(path) or _hashed(path)

    def _recorded(self, path: Path) -> str:
        """Returns what the sidecar says of a file that is a data set, empty where it was edited."""
        workspace = self._workspace
        if workspace is None or not path.with_name(path.name + SIDECAR_SUFFIX).is_file():
            return ""
        if not path.is_relative_to(workspace.top):
            return ""
        name = str(path.relative_to(workspace.top))
        try:
            sidecar = workspace.sidecar(name)
            self._disk = self._disk or Disk(workspace)
            if sidecar.kind != "file" or self._disk.states(name):
                return ""
        except (DvtoolError, OSError):
            return ""
        return format_digest(sidecar.entries[0].digest)


def _hashed(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
