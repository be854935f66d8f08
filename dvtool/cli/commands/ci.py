"""`dvtool ci`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dvtool.cli.github import no_commands_within, tell_github, told_on_github
from dvtool.cli.judging import exit_code, judging_options, wanted_option
from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output, count
from dvtool.cli.recording import recorder_of, send
from dvtool.cli.reports import command_line, now_text, report_options, shows_pictures, write_reports

if TYPE_CHECKING:
    from dvtool.cli.surroundings import Surroundings
    from dvtool.git.plumbing import Git
    from dvtool.ops.album import Album
    from dvtool.ops.ci.run import CiResult
    from dvtool.ops.record_travel import Recorder
    from dvtool.report.model import Report


@click.command(
    "ci",
    epilog=example(
        "dvtool ci --base origin/main",
        "dvtool ci --merge --strict",
        "dvtool ci --report out --format sarif=dvtool.sarif",
    ),
)
@click.option("--base", metavar="REV", default="", help="What the change is relative to.")
@click.option("--merge", is_flag=True, help="Judge what merging would make.")
@click.option("--strict", is_flag=True, help="What could not be decided stops the change.")
@judging_options
@report_options
@reporting
@click.pass_context
def command(
    context: click.Context,
    base: str,
    merge: bool,
    strict: bool,
    python: bool | None,
    examples: int,
    memory_mib: int | None,
    record: bool,
    remote: str | None,
    verbose: bool,
    report_dir: Path | None,
    formats: tuple[tuple[str, str], ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Judge a change before it is merged.

    Finds the commits since the base (a pull request's target, the commit
    before a push, or --base), proves that each can be restored from the
    remote, and judges every data set that they change, against its version
    at the merge base. The gate's settings are those of the base. Exits with
    0 when the change may be merged, 1 when not, 11 when --strict stops what
    could not be decided.

    On GitHub Actions it also writes the step's summary and annotations.

    Not this one: check judges data sets as they stand, without a base and
    without a remote.
    """
    from dvtool.cli.surroundings import read_surroundings
    from dvtool.ops.album import Album

    surroundings = read_surroundings(os.environ)
    output = Output(as_json=as_json, quiet=quiet)
    album = Album()
    with told_on_github(surroundings, output):
        result, recorder, unrun = _judge(
            surroundings,
            album,
            base=base,
            merge=merge,
            strict=strict,
            python=python,
            examples=examples,
            memory_mib=memory_mib,
            remote=remote,
            record=record,
            quiet=quiet or as_json,
        )
    output.data(_data(result))
    with no_commands_within(surroundings, output):
        for line in (*_lines(result, verbose=verbose), *unrun):
            output.text(line)
    with_pictures = shows_pictures(report_dir, formats)
    report = _report(result, album, surroundings, with_pictures=with_pictures)
    write_reports(report, report_dir, formats, output)
    tell_github(report, surroundings, output)
    if recorder is not None and album.workspace is not None:
        # Not with the settings of the work tree, which the change itself may have moved elsewhere.
        send(recorder, remote, output, replace(album.workspace, ruling=result.ruling))
    context.exit(exit_code(result.stopped_by))


def _judge(
    surroundings: Surroundings,
    album: Album,
    *,
    base: str,
    merge: bool,
    strict: bool,
    python: bool | None,
    examples: int,
    memory_mib: int | None,
    remote: str | None,
    record: bool,
    quiet: bool,
) -> tuple[CiResult, Recorder | None, list[str]]:
    """Returns the result, what is to be recorded, and a line about schemas that did not run."""
    from dvtool.ops.ci.run import Change, judge_change

    workspace = open_workspace(quiet=quiet, must_be_ready=False)
    album.workspace, album.progress = workspace, workspace.progress
    album.past_from = remote or ""
    in_reach = _secrets(surroundings, workspace.git)
    runs = python if python is not None else not in_reach
    wanted = wanted_option(python=runs, examples=examples, memory_mib=memory_mib)
    wanted = replace(wanted, watch=album.see, past_from=album.past_from)
    recorder = recorder_of(wanted) if record else None
    if recorder is not None:
        wanted = replace(wanted, watch=recorder.see)
    result = judge_change(
        workspace,
        Change(base, surroundings.hint, merge),
        wanted,
        remote_name=remote,
        strict=strict,
    )
    if python is not None or not in_reach or not _asks_for_python(result):
        return result, recorder, []
    shown = ", ".join(in_reach[:5]) + (" …" if len(in_reach) > 5 else "")
    return (
        result,
        recorder,
        [f"schemas in Python did not run, since secrets may be in reach: {shown}"],
    )


def _data(result: CiResult) -> dict[str, object]:
    from dvtool.quality.judged import finding_json, to_json

    return {
        "verdict": result.verdict.value,
        "stopped_by": sorted(one.value for one in result.stopped_by),
        "head": result.span.head,
        "base": result.span.base,
        "merge_base": result.span.merge_base,
        "commits": result.span.commits,
        "judgements": [to_json(one) for one in result.judgements],
        "findings": [finding_json(one) for one in result.extra],
        "unchanged": result.unchanged,
        "fetched": result.fetched,
        "settled": result.settled,
    }


def _secrets(surroundings: Surroundings, git: Git) -> list[str]:
    """Returns what code of the judged commit could steal; on a person's machine it is their own."""
    if not surroundings.host:
        return []
    from dvtool.git.inreach import credentials_in_config

    return [*surroundings.secrets, *credentials_in_config(git)]


def _asks_for_python(result: CiResult) -> bool:
    return any(
        finding.code == "schema" and "switched off" in finding.message
        for judgement in result.judgements
        for table in judgement.tables
        for finding in table.findings
    )


def _lines(result: CiResult, *, verbose: bool) -> Iterator[str]:
    """Yields the result for a terminal: what was looked at, what was found, the answer last."""
    from dvtool.report.terminal import finding_lines, lines

    span = result.span
    since = f"since {span.merge_base[:12]}" if span.merge_base else "from the beginning"
    judged = count(len(result.judgements), "data set")
    yield (
        f"{span.head[:12]}: {count(len(span.commits), 'commit')} {since};"
        f" {judged} changed, {result.unchanged} unchanged;"
        f" {count(result.fetched.fetched, 'blob')} fetched to judge ({result.fetched.fetched_bytes:,} bytes)"
    )
    if result.settled:
        yield f"{count(result.settled, 'file')} in them as before, and not judged again"
    for note in span.notes:
        yield f"note: {note}"
    for finding in result.extra:
        yield from finding_lines(finding)
    if result.judgements:
        yield from lines(result.judgements, verbose=verbose)
    stopped = " and ".join(sorted(one.value for one in result.stopped_by))
    yield f"may not be merged: {stopped}" if stopped else "may be merged"


def _report(
    result: CiResult, album: Album, surroundings: Surroundings, *, with_pictures: bool
) -> Report:
    from dvtool.ops.report import provenance_of, report_of

    span = result.span
    where = provenance_of(
        album.workspace,
        time=now_text(),
        command=command_line(),
        commit=span.head,
        base=span.base or "",
        branch=surroundings.branch,
    )
    return report_of(
        f"Data of {surroundings.branch or span.head[:12]}",
        result.judgements,
        where,
        extra=result.extra,
        pictures=album.pictures() if with_pictures else None,
    )
