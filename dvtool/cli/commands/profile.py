"""`dvtool profile`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dvtool.cli.opening import data_and_files, in_repository, open_workspace, watcher
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output, count
from dvtool.cli.reports import command_line, now_text, report_option, write_reports
from dvtool.core.sizes import human_size
from dvtool.errors import NoRepository, UsageError
from dvtool.report.harmless import one_line

if TYPE_CHECKING:
    from dvtool.ops.profiler import FileProfile, Profiled
    from dvtool.report.model import Report

SHOWN_FILES = 20


@click.command(
    "profile",
    epilog=example(
        "dvtool profile new.csv",
        "dvtool profile data/train.csv --rev v1.2",
        "dvtool profile data --all-history",
    ),
)
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--rev", metavar="R", default="", help="Profile the version in this commit.")
@click.option("--all-history", is_flag=True, help="Profile every version.")
@click.option("-v", "--verbose", is_flag=True, help="Show quantiles, lengths and every file.")
@report_option
@reporting
def command(
    paths: tuple[str, ...],
    rev: str,
    all_history: bool,
    verbose: bool,
    report_dir: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what the columns of a table hold.

    Works on any file, without git. In a repository it shows the PATHS, or
    every data set, and keeps each file's profile, so that one changed file of
    a hundred costs one file. With --all-history a version of which neither
    bytes nor profile are here or at the remote is listed as a gap. --report
    draws every column; with --all-history its past as well.

    Not this one: check judges, diff --stat compares two versions, drift says
    how far columns moved, verify proves that bytes are whole.
    """
    if rev and all_history:
        raise UsageError("--rev and --all-history exclude each other")
    found = _profile(paths, rev, all_history=all_history, quiet=quiet or as_json)
    output = Output(as_json=as_json, quiet=quiet)
    if as_json:
        output.data({"versions": [_facts(one) for one in found]})
    for one in found:
        for line in _history_lines(one) if all_history else _lines(one, verbose=verbose):
            output.text(one_line(line))
    if all_history:
        output.text(_summary(found))
    if report_dir is not None:
        write_reports(_report(found), report_dir, (), output)


def _report(found: Sequence[Profiled]) -> Report:
    from dvtool.ops.album import of_profiles
    from dvtool.ops.report import provenance_of, report_of, title_of

    shown, pictures = of_profiles(found)
    where = provenance_of(None, time=now_text(), command=command_line())
    return report_of(title_of(shown), shown, where, pictures=pictures, is_judged=False)


def _profile(paths: tuple[str, ...], rev: str, *, all_history: bool, quiet: bool) -> list[Profiled]:
    from dvtool.ops.profile import profile_datasets, profile_history, profile_paths

    try:
        workspace = open_workspace(quiet=quiet)
    except NoRepository:
        if rev or all_history or not paths:
            raise
        return profile_paths([(Path(path), path) for path in paths], progress=watcher(quiet=quiet))
    if all_history:
        return profile_history(workspace, in_repository(workspace, paths))
    if rev:
        return profile_datasets(workspace, in_repository(workspace, paths), rev=rev)
    inside, plain = data_and_files(workspace, paths)
    found = profile_paths(plain, progress=workspace.progress)
    if inside or not paths:
        found += profile_datasets(workspace, inside)
    return found


def _lines(found: Profiled, *, verbose: bool) -> list[str]:
    from dvtool.report.profile_table import profile_lines

    if found.gap:
        return [f"{found.name}: not here, {found.gap}"]
    if not found.files:
        return [f"{found.name}: no file in it is a table"]
    lines = []
    every = verbose or len(found.files) == 1 or not found.totals
    for file in found.files if verbose else found.files[:SHOWN_FILES]:
        lines.append(_headline(file, found.version))
        if file.profile is not None and every:
            lines += profile_lines(file.profile, private=file.private, verbose=verbose)
    if not verbose and len(found.files) > SHOWN_FILES:
        lines.append(f"and {count(len(found.files) - SHOWN_FILES, 'more file')} (-v shows them)")
    for total in found.totals:
        facts = f"{total.profile.rows:,} rows, {human_size(total.profile.size_bytes)}"
        lines.append(f"{found.name}: {count(total.files, 'file')} together, {facts}")
        lines += profile_lines(total.profile, private=found.private, verbose=verbose)
    return lines


def _headline(file: FileProfile, version: str) -> str:
    if file.profile is None:
        return f"{file.name}: {'not here' if file.is_missing else 'no table'}, {file.why}"
    facts = [
        f"{file.profile.rows:,} rows",
        count(len(file.profile.columns), "column"),
        human_size(file.profile.size_bytes),
        version,
        "" if file.is_new else "as profiled before",
    ]
    return f"{file.name}: {', '.join(one for one in facts if one)}"


def _history_lines(found: Profiled) -> list[str]:
    where = f"{found.version} {found.name}"
    if found.gap:
        return [f"{where}: gap, {found.gap}"]
    missing = [one for one in found.files if one.is_missing]
    known = [one for one in found.files if one.profile is not None]
    new = sum(one.is_new for one in known)
    rows = sum(one.profile.rows for one in known if one.profile is not None)
    if missing:
        what = f"gap, the bytes of {len(missing)} of {count(len(found.files), 'file')} are not here"
        return [f"{where}: {what} (dvtool fetch --rev {found.version})"]
    unread = len(found.files) - len(known)
    also = f", {count(unread, 'file')} no table" if unread else ""
    return [f"{where}: {rows:,} rows, {count(len(known), 'file')}, {new} profiled now{also}"]


def _summary(found: list[Profiled]) -> str:
    gaps = sum(bool(one.gap) or any(file.is_missing for file in one.files) for one in found)
    new = sum(file.is_new for one in found for file in one.files)
    return f"{count(len(found), 'version')}, {count(gaps, 'gap')}, {count(new, 'file')} profiled"


def _facts(found: Profiled) -> dict[str, object]:
    from dvtool.report.profile_table import profile_facts

    return {
        "name": found.name,
        "version": found.version,
        "gap": found.gap,
        "files": [_file_facts(file) for file in found.files],
        "totals": [
            {"files": total.files, **profile_facts(total.profile, private=found.private)}
            for total in found.totals
        ],
    }


def _file_facts(file: FileProfile) -> dict[str, object]:
    from dvtool.report.profile_table import profile_facts

    facts: dict[str, object] = {
        "name": file.name,
        "is_new": file.is_new,
        "is_missing": file.is_missing,
        "why": file.why,
        "address": file.address,
        "profile": None,
    }
    if file.profile is not None:
        facts["profile"] = profile_facts(file.profile, private=file.private)
    return facts
