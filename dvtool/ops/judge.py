"""A subject judged: its checks parsed, its files opened, its tables judged one by one.

This is the door behind which the engine and its libraries are imported; `check` goes through it
only for what is not remembered.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dvtool.core.events import Progress
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.ops.subjects import FileBytes, Subject
from dvtool.quality.checks.model import ChecksFile, TableSpec
from dvtool.quality.checks.parsing import matches_path, parse_checks, table_for
from dvtool.quality.findings import Evidence, Finding, Place
from dvtool.quality.judged import JudgedTable, Judgement
from dvtool.quality.judging import Given, judge_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import is_table

if TYPE_CHECKING:
    from dvtool.ops.check import Wanted

NOT_TABLES = (".md", ".txt", SIDECAR_SUFFIX)


def judge_subject(subject: Subject, wanted: Wanted, progress: Progress) -> Judgement:
    """Returns the judgement of all tables of a subject.

    Raises:
        InvalidText: Its checks break their format.
        ObjectMissing: Bytes that must be read are not in the store.
        ExtraMissing: A table's format needs a package that is not installed.
    """
    checks = None
    if subject.checks is not None:
        checks = parse_checks(subject.checks.text, source=subject.checks.path)
    tables = [
        _judge_file(subject, path, file, checks, wanted)
        for path, file in subject.files.items()
        if path not in subject.settled
    ]
    tables += _absent(subject, checks)
    return Judgement(subject.name, subject.version, tuple(tables), inputs=subject.inputs)


def is_judged(path: str, name: str, spec: TableSpec | None) -> bool:
    """Tells whether a file is opened as a table.

    Args:
        path: Inside the data set; empty for the single file of one.
        name: As the user knows it; its ending tells the format.
        spec: Its checks, None for none.
    """
    # A file that somebody names, or has checks for, is meant to be a table whatever it is called.
    return spec is not None or is_table(name) or not (path or name.endswith(NOT_TABLES))


def _judge_file(
    subject: Subject, path: str, file: FileBytes, checks: ChecksFile | None, wanted: Wanted
) -> JudgedTable:
    spec = table_for(checks, path) if checks is not None else None
    if not is_judged(path, file.name, spec):
        return JudgedTable(file.name, is_table=False)
    earlier = subject.baseline_files.get(path)
    if earlier is not None and earlier.digest is not None and earlier.digest == file.digest:
        earlier = None  # this file of the data set did not change
    with ExitStack() as open_files, Engine(memory_bytes=wanted.memory_bytes) as engine:
        given = Given(
            name=file.name,
            path=open_files.enter_context(file.open()),
            spec=spec,
            source=checks.source if checks is not None else "",
            baseline=subject.baseline if earlier is not None else None,
            baseline_path=open_files.enter_context(earlier.open()) if earlier else None,
            parts=_parts(subject, spec, open_files),
            root=subject.root,
            python=wanted.python,
            now=wanted.now,
            examples=wanted.examples,
        )
        return judge_table(engine, given)


def _parts(subject: Subject, spec: TableSpec | None, open_files: ExitStack) -> dict[str, Path]:
    """Opens the parts of a split: files of the same data set, or files beside the judged one."""
    if spec is None or spec.splits is None:
        return {}
    found = {}
    for name, path in spec.splits.parts:
        if path in subject.files:
            found[name] = open_files.enter_context(subject.files[path].open())
        elif subject.root is not None:
            beside = subject.root / Path(subject.name).parent / path
            beside = beside if beside.is_file() else subject.root / path
            if beside.is_file():
                found[name] = beside
    return found


def _absent(subject: Subject, checks: ChecksFile | None) -> list[JudgedTable]:
    """Returns a failure for each table that the checks name and no file is."""
    if checks is None or checks.is_single:
        return []
    return [
        JudgedTable(
            f"{subject.name}/{spec.path}",
            (
                Finding(
                    "table-missing",
                    "the checks name this table, and no file of the data set matches",
                    Place(f"{subject.name}/{spec.path}"),
                    Evidence.SCHEMA,
                    rule=Place(checks.source, spec.line),
                ),
            ),
        )
        for spec in checks.tables
        if not any(matches_path(spec.path, path) for path in subject.files)
    ]
