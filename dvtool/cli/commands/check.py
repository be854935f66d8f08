"""`dvtool check`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dvtool.cli.judging import exit_code, judging_options, wanted_option
from dvtool.cli.opening import data_and_files, in_repository, open_workspace, watcher
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output
from dvtool.cli.recording import recorder_of, send
from dvtool.cli.reports import command_line, now_text, report_options, shows_pictures, write_reports
from dvtool.errors import NoRepository, UsageError

if TYPE_CHECKING:
    from dvtool.ops.album import Album
    from dvtool.ops.check import Wanted
    from dvtool.ops.standing import Witness
    from dvtool.quality.judged import Judgement
    from dvtool.report.model import Report

BACKTEST_HINT = "dvtool check --backtest data/train.csv, or --backtest 'batches/*.csv'"
SINCE_HINT = "dvtool check --since v1.0 data/train.csv"


@click.command(
    "check",
    epilog=example(
        "dvtool check new.csv",
        "dvtool check new.csv --baseline old.csv",
        "dvtool check new.csv --history 'batches/*.csv'",
        "dvtool check --staged",
        "dvtool check data/train.csv --rev v1.2",
    ),
)
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--staged", is_flag=True, help="Judge what is staged, not the files on disk.")
@click.option("--rev", metavar="R", default="", help="Judge the version in this commit.")
@click.option("--all", "everything", is_flag=True, help="Judge also what is as in HEAD.")
@click.option(
    "--baseline",
    metavar="REV|FILE",
    default="",
    help="Compare with this instead of the last version.",
)
@click.option(
    "--history",
    metavar="FOLDER|GLOB",
    default="",
    help="Judge files by these earlier ones, in the order of their names.",
)
@click.option(
    "--since", metavar="REV", default="", help="Find where failures began, from there on."
)
@click.option(
    "--backtest", metavar="DATASET|FOLDER|GLOB", default="", help="Replay the past of this instead."
)
@judging_options
@report_options
@reporting
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    staged: bool,
    rev: str,
    everything: bool,
    baseline: str,
    history: str,
    since: str,
    backtest: str,
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
    """Judge data by structure, checks and change.

    Works on any file, without git and without configuration. In a repository
    it judges data sets: those that differ from HEAD, or the PATHS, or --all.
    Exits with 0 when all is well or only warnings were found, 1 when something
    failed, 11 when something could not be decided.

    --since judges every version from REV on by the checks of today, and says
    where each failure began.

    --history judges files by how earlier ones varied, with no configuration;
    data sets are judged so by their own versions. --backtest says which past
    versions would have alarmed, and which faults would be caught.

    --report writes a page that anyone can open, --format what machines read.

    Not this one: verify proves that bytes are whole, diff shows what changed,
    drift how far columns moved, ci judges a change before it is merged.
    """
    from dvtool.quality.findings import Verdict
    from dvtool.quality.judged import to_json, worst
    from dvtool.report.terminal import lines

    if sum((staged, bool(rev))) > 1:
        raise UsageError("--staged and --rev exclude each other")
    if remote is not None and not record:
        raise UsageError("--remote is for --record")
    wanted = wanted_option(
        baseline=baseline, python=python is not False, examples=examples, memory_mib=memory_mib
    )
    wanted = replace(wanted, history=history)
    if backtest:
        if paths or any((staged, rev, everything, baseline, history, since, record)):
            raise UsageError("--backtest goes alone", hint=BACKTEST_HINT)
        from dvtool.cli.backtest import show_backtest

        quietly = quiet or as_json
        context.exit(show_backtest(backtest, Output(as_json=as_json, quiet=quiet), quiet=quietly))
    if since:
        others = (staged, rev, everything, baseline, record, report_dir, formats)
        if len(paths) != 1 or any(others):
            raise UsageError("--since goes with one PATH and no other version", hint=SINCE_HINT)
        from dvtool.cli.since import show_since

        context.exit(show_since(paths[0], since, wanted, Output(as_json=as_json, quiet=quiet)))
    album = None
    if report_dir is not None or formats:
        from dvtool.ops.album import Album

        album = Album(progress=watcher(quiet=quiet or as_json))
        wanted = replace(wanted, watch=album.see)
    witness = None
    if context.obj and not (history or album or record):
        from dvtool.ops.standing import Witness

        witness = Witness(context.obj, wanted.now, revs=[one for one in (rev, baseline) if one])
        wanted = replace(wanted, watch=witness.see)
    recorder = recorder_of(wanted) if record else None
    if recorder is not None:
        wanted = replace(wanted, watch=recorder.see)
    judged = judge(
        paths,
        wanted,
        staged=staged,
        rev=rev,
        everything=everything,
        quiet=quiet or as_json,
        onlooker=witness or album,
    )
    answer = worst(one.verdict for one in judged)
    output = Output(as_json=as_json, quiet=quiet, remembers=bool(context.obj))
    output.data({"verdict": answer.value, "judgements": [to_json(one) for one in judged]})
    if judged:
        for line in lines(judged, verbose=verbose):
            output.text(line)
    else:
        output.text("no data set differs from HEAD (dvtool check --all judges every one)")
    if album is not None:
        report = _report(judged, album, needs_pictures=shows_pictures(report_dir, formats))
        write_reports(report, report_dir, formats, output)
    if recorder is not None:
        send(recorder, remote, output)
    code = exit_code({answer} & {Verdict.FAIL, Verdict.UNDECIDED})
    if witness is not None:
        on_disk = not (staged or rev)
        witness.keep(output.said, code, on_disk=on_disk, everything_seen=not paths)
    context.exit(code)


def _report(judged: Sequence[Judgement], album: Album, *, needs_pictures: bool) -> Report:
    from dvtool.ops.report import provenance_of, report_of, title_of

    where = provenance_of(
        album.workspace,
        time=now_text(),
        command=command_line(),
    )
    pictures = album.pictures() if needs_pictures else {}
    return report_of(title_of(judged), judged, where, pictures=pictures)


def judge(
    paths: tuple[str, ...],
    wanted: Wanted,
    *,
    staged: bool = False,
    rev: str = "",
    everything: bool = False,
    quiet: bool = True,
    onlooker: Album | Witness | None = None,
) -> list[Judgement]:
    """Judges data sets of the repository around, and files that belong to none."""
    from dvtool.ops.check import check_datasets, check_files

    try:
        workspace = open_workspace(quiet=quiet)
    except NoRepository:
        if staged or rev or not paths:
            raise
        files = [(Path(path), path) for path in paths]
        return check_files(files, wanted, progress=watcher(quiet=quiet))
    if onlooker is not None:
        onlooker.workspace = workspace
    if staged or rev:
        chosen = in_repository(workspace, paths)
        return check_datasets(workspace, chosen, wanted, staged=staged, rev=rev)
    inside, plain = data_and_files(workspace, paths)
    judged = check_files(plain, wanted, progress=workspace.progress)
    if inside or not paths:
        judged += check_datasets(workspace, inside, wanted, everything=everything)
    return judged
