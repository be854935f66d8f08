"""`dvtool update`."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dvtool.cli.commands.diff import print_files, print_tables
from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, jobs_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.quote import display

if TYPE_CHECKING:
    from dvtool.ops.imports.updating import News


@click.command("update", epilog=example("dvtool update", "dvtool update --rev v2 --yes data"))
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--rev", metavar="REV", help="Follow another revision of the repository.")
@click.option("--yes", is_flag=True, help="Take what is new without asking.")
@click.option("--force", is_flag=True, help="Take it also over changes made here, or a fail.")
@click.option(
    "--rows", type=click.IntRange(0, 10_000), metavar="N", default=3, help="Show N rows of a kind."
)
@click.option("--no-python", is_flag=True, help="Run no schema that is written in Python.")
@jobs_option
@reporting
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    rev: str | None,
    yes: bool,
    force: bool,
    rows: int,
    no_python: bool,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Bring what is new where data were imported from.

    Shows what would change and how it is judged before anything is replaced,
    then asks; where nobody can answer, --yes takes it. Unsaved work is never
    overwritten. Exit code 1 says that something new was not taken.
    """
    from dvtool.ops.check import Wanted
    from dvtool.ops.datadiff import RowsWanted
    from dvtool.ops.imports.updating import look, take

    workspace = open_workspace(quiet=quiet or as_json)
    wanted = Wanted(python=not no_python, now=dt.datetime.now(dt.UTC))
    names = [path.removesuffix(".dvt") for path in in_repository(workspace, paths)]
    news = look(workspace, names, rev=rev, wanted=wanted, rows=RowsWanted(rows), jobs=jobs)
    output = Output(as_json=as_json, quiet=quiet)
    for one in news:
        _show(one, output)
    if not news:
        output.text("no data set here was imported")
    fresh = [one for one in news if one.diff is not None]
    same = [one for one in news if one.diff is None and one.sidecar is not None]
    refused = [] if force else [one for one in fresh if _fails(one)]
    agreed = [one for one in fresh if one not in refused]
    if agreed and not yes and not _agrees(agreed, output):
        agreed = []
    take(workspace, [*same, *agreed], force=force)
    output.data({"datasets": [_json(one, taken=one in agreed) for one in news]})
    if agreed:
        names = [display(os.fsencode(one.dataset)) for one in agreed]
        output.text(f"updated {', '.join(names)}; next: git commit")
    for one in refused:
        output.text(f"not replaced: {one.dataset} fails; --force takes it all the same")
    if len(agreed) < len(fresh):
        context.exit(1)


def _show(one: News, output: Output) -> None:
    from dvtool.report.terminal import lines

    name = display(os.fsencode(one.dataset))
    if one.diff is None:
        output.text(f"{name}: unchanged at {one.now}")
        return
    output.text(f"{name}: new at {one.now}")
    if one.changed_here:
        output.text("  it was changed here since it was imported")
    print_files(one.diff, output)
    print_tables(one.tables, output)
    if one.judgement is not None:
        for line in lines([one.judgement]):
            output.text(line)


def _fails(one: News) -> bool:
    return one.judgement is not None and one.judgement.verdict.value == "fail"


def _agrees(fresh: Sequence[News], output: Output) -> bool:
    if output.as_json or output.quiet or not (sys.stdin.isatty() and sys.stdout.isatty()):
        output.text(f"nothing was replaced: {count(len(fresh), 'data set')} to take with --yes")
        return False
    return click.confirm(f"replace {count(len(fresh), 'data set')} here?")


def _json(one: News, *, taken: bool) -> dict[str, object]:
    from dvtool.quality.judged import to_json

    return {
        "dataset": one.dataset,
        "before": one.before,
        "now": one.now,
        "is_new": one.diff is not None,
        "changed_here": one.changed_here,
        "diff": one.diff,
        "tables": one.tables,
        "judgement": to_json(one.judgement) if one.judgement is not None else None,
        "taken": taken,
    }
