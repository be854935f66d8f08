"""`suggest`: a draft of checks for a table, from one version of it or from many.

Reads versions, asks `dvtool.quality.suggesting`, and writes the checks file beside the data; what a
person wrote there is never changed. Called by the CLI.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from dvtool.core.events import SILENT, Progress
from dvtool.core.paths import CHECKS_SUFFIX
from dvtool.errors import UsageError, WouldLoseData
from dvtool.ops import baselines, subjects
from dvtool.ops.namesalike import alike_names
from dvtool.ops.selection import Selected
from dvtool.ops.subjects import FileBytes
from dvtool.ops.uniting import as_one
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.model import ChecksFile, TableSpec
from dvtool.quality.checks.parsing import matches_path, parse_checks
from dvtool.quality.checks.writing import dump
from dvtool.quality.facts import TableFacts, facts_of
from dvtool.quality.suggesting import Suggestion, suggest_table
from dvtool.quality.tables.endings import is_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.table import Table, Unreadable
from dvtool.worktree.sidecarfile import write_sidecar

HOW_READ = "as the newest version was read; the next one is read the same way, not guessed anew"
MOST_VERSIONS = 60
"""Versions looked at; older ones say little about the next."""


@dataclass(frozen=True, slots=True)
class Suggested:
    """What was suggested.

    Attributes:
        checks: The checks file, relative to where the person is.
        text: Its whole text, as it is or would be written.
        tables: The tables that got an entry.
        versions: How many versions each entry was made from, by table.
        gaps: Versions whose bytes are not here, so that they said nothing.
        lost: What a converted schema says and no word of ours does.
    """

    checks: str
    text: str
    tables: tuple[str, ...]
    versions: Mapping[str, int]
    gaps: int = 0
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    """One table in all its versions, oldest first; the last one is the newest.

    Attributes:
        path: Inside the data set, or the glob of several files.
        versions: Its files.
        gaps: Versions whose bytes are not here.
        apart: Of several files, each as a table of its own: what they are if they do not fit together.
    """

    path: str
    versions: tuple[FileBytes, ...]
    gaps: int = 0
    apart: tuple[_Table, ...] = ()


def suggest_for_file(
    path: Path, name: str, batches: Sequence[Path], *, progress: Progress = SILENT
) -> Suggested:
    """Returns suggestions for a file, taking other files as its earlier versions.

    Args:
        path: The file.
        name: What the person calls it.
        batches: Earlier versions, oldest first; the file itself is left out.
        progress: Whom to tell.

    Raises:
        UsageError: A file is not there or holds no table.
    """
    earlier = [one for one in batches if one.resolve() != path.resolve()]
    files = [subjects.plain_file(one, name=str(one)) for one in earlier]
    files.append(subjects.plain_file(path, name=name))
    return _suggest(name + CHECKS_SUFFIX, "", [_Table("", tuple(files))], progress)


def suggest_for_dataset(
    workspace: Workspace, one: Selected, sidecar: object, *, history: bool, extend: bool = True
) -> Suggested:
    """Returns suggestions for a data set, or for the tables in a part of one.

    Args:
        workspace: Where.
        one: What was named.
        sidecar: Of its version in the work tree.
        history: Look at its earlier versions too, as far as their bytes are here.
        extend: Add to the checks file that is there; else suggest a whole one.

    Raises:
        UsageError: There is no table in it.
        ObjectMissing: Its newest bytes are not in the store.
    """
    from dvtool.core.sidecar import Sidecar

    assert isinstance(sidecar, Sidecar)
    now = subjects.stored_files(workspace.store, one.dataset, workspace.tree(sidecar))
    inside = os.fsdecode(one.inside)
    chosen = {
        path: file
        for path, file in now.items()
        if is_table(file.name) and (not inside or path == inside or path.startswith(inside + "/"))
    }
    if not chosen:
        beside = workspace.abspath(one.path)
        hint = "name a CSV, JSON lines, Parquet … file"
        if beside.exists() and inside not in now:
            hint = f"{one} is not in the data set yet: dvtool add {one.dataset}"
        raise UsageError(f"no table at {one}", hint=hint)
    earlier = list(_earlier(workspace, one.dataset)) if history else []
    tables = []
    globs = alike_names(chosen, now)
    for glob, paths in globs.items():
        file = as_one(glob, {path: now[path] for path in paths})
        past = [_united(version, glob) for version in earlier]
        apart = tuple(
            _with_past(workspace, path, now[path], [version.get(path) for version in earlier])
            for path in paths
        )
        tables.append(replace(_with_past(workspace, glob, file, past), apart=apart))
    one_of = {path for paths in globs.values() for path in paths}
    tables += [
        _with_past(workspace, path, file, [version.get(path) for version in earlier])
        for path, file in chosen.items()
        if path not in one_of
    ]
    tables.sort(key=lambda table: table.path)
    checks = one.dataset + CHECKS_SUFFIX
    written = subjects.checks_at(workspace, one.dataset, None) if extend else None
    return _suggest(checks, written.text if written else "", tables, workspace.progress)


def _united(files: Mapping[str, FileBytes], glob: str) -> FileBytes | None:
    """Returns the files of a version that a glob matches, as one; None where there are none."""
    members = {path: file for path, file in files.items() if matches_path(glob, path)}
    return as_one(glob, dict(sorted(members.items()))) if members else None


def _with_past(
    workspace: Workspace, path: str, file: FileBytes, earlier: Sequence[FileBytes | None]
) -> _Table:
    """Returns a table with those of its earlier versions that are here and differ."""
    past: list[FileBytes] = []
    gaps, last = 0, None
    for found in earlier:
        if found is None or found.digest == last:
            continue
        last = found.digest
        if subjects.missing_files(workspace.store, {path: found}):
            gaps += 1
        elif found.digest != file.digest:
            past.append(found)
    return _Table(path, (*past[-MOST_VERSIONS:], file), gaps)


def write(target: Path, suggested: Suggested, *, force: bool) -> None:
    """Writes the checks file, in one step.

    Raises:
        WouldLoseData: One is there that the suggestion does not extend.
    """
    if target.exists() and not force:
        before = target.read_text("utf-8", "replace")
        if not suggested.text.startswith(before.rstrip("\n")):
            raise WouldLoseData(
                f"{suggested.checks} is there already",
                hint="--print shows the suggestion, --force replaces the file",
            )
    write_sidecar(target.parent, target.name, suggested.text.encode())


def selected(workspace: Workspace, path: str) -> tuple[Selected, object]:
    """Returns the one data set, or part of one, that a path names.

    Raises:
        UsageError: It names several data sets.
    """
    found = selected_sidecars(workspace, None, [path])
    if len(found) > 1:
        raise UsageError(f"{path or 'this'} names {len(found)} data sets", hint="name one of them")
    return found[0]


def _earlier(workspace: Workspace, dataset: str) -> Iterator[dict[str, FileBytes]]:
    """Yields the files of each accepted version, oldest first; exceptions teach nothing."""
    for version in reversed(baselines.accepted(workspace, dataset)):
        files = subjects.stored_files(workspace.store, dataset, workspace.tree(version.sidecar))
        yield {path: file for path, file in files.items() if version.teaches_from(path)}


def _suggest(checks: str, before: str, tables: Sequence[_Table], progress: Progress) -> Suggested:
    known = parse_checks(before, source=checks) if before.strip() else None
    specs: list[TableSpec] = []
    reasons: dict[tuple[str, ...], str] = {}
    left = list(reversed(tables))
    while left:
        table = left.pop()
        if known is not None and any(
            one.path == table.path or (one.path and matches_path(one.path, table.path))
            for one in known.tables
        ):
            continue
        try:
            made, read = _facts(table)
        except _NotOne:
            left += reversed(table.apart)
            continue
        suggestion = suggest_table(made, path=table.path)
        specs.append(replace(suggestion.spec, read=read, union=bool(table.apart)))
        reasons |= _placed(suggestion, table.path)
        if table.path:
            reasons[table.path,] = f"from {_versions(len(table.versions))} of this table"
        if table.apart:
            why = f"{len(table.apart)} files whose names differ in numbers only, with the same columns"
            reasons[table.path, "union"] = f"{why}; without this each is a table of its own"
    if known is not None and (known.is_single or not specs):
        raise WouldLoseData(
            f"{checks} has checks for {tables[0].path or 'this table'} already",
            hint="remove them first, or edit them",
        )
    versions = {one.path: len(one.versions) for one in tables}
    heading = (
        f"Suggested by dvtool from {_versions(max(versions.values()))}. "
        "Read it, loosen or tighten it, commit it:\n"
        "every line is a promise that the next version is held to."
    )
    text = whole_text(checks, before, specs, reasons, heading)
    return Suggested(
        checks, text, tuple(one.path for one in specs), versions, sum(one.gaps for one in tables)
    )


def whole_text(
    checks: str,
    before: str,
    specs: Sequence[TableSpec],
    reasons: Mapping[tuple[str, ...], str],
    heading: str,
) -> str:
    """Returns the whole checks file: what a person wrote, then the new tables."""
    is_new = not before.strip()
    text = dump(ChecksFile(tuple(specs)), comments=reasons, heading=heading if is_new else "")
    if not is_new:
        text = before.rstrip("\n") + "\n" + text.partition("\n")[2]
    parse_checks(text, source=checks)  # what is written must be readable
    return text


class _NotOne(Exception):
    """Files that look like one table have other columns, or are read in other ways."""


def _facts(table: _Table) -> tuple[list[TableFacts], ReadOptions]:
    """Returns the facts of each version, and how the newest is read.

    Raises:
        UsageError: The newest is no table.
        _NotOne: The newest are several.
    """
    found: list[TableFacts] = []
    options: ReadOptions | None = None
    for file in reversed(table.versions):
        with ExitStack() as files, Engine() as engine:
            path = files.enter_context(file.open())
            try:
                opened = open_table(engine, path, name=file.name)
                if options is None:
                    if table.apart and not _fits_together(opened):
                        raise _NotOne
                    options = replace(opened.options, types=(), dates=())
                found.append(facts_of(engine, opened))
            except Unreadable as error:
                if options is None:
                    raise UsageError(f"{file.name}: {error.findings[0].message}") from error
    assert options is not None
    return found[::-1], options


def _fits_together(table: Table) -> bool:
    """Tells whether several files are one table: with the same columns of the same kinds."""
    codes = {one.code for one in table.findings if one.place.path == table.name}
    ways = {replace(one.table.options, types=(), dates=()) for one in table.members}
    return not codes & {"columns-differ", "mixed-types"} and len(ways) == 1


def _placed(suggestion: Suggestion, path: str) -> dict[tuple[str, ...], str]:
    prefix = (path,) if path else ()
    reasons = {("read",): HOW_READ, **suggestion.reasons}
    return {(*prefix, *key): why for key, why in reasons.items()}


def _versions(count: int) -> str:
    return "1 version" if count == 1 else f"{count} versions"
