"""`dvtool diff`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dvtool.cli.failures import printable
from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output
from dvtool.core.quote import display
from dvtool.core.sizes import human_size
from dvtool.errors import UsageError

if TYPE_CHECKING:
    from dvtool.ops.compare import DatasetDiff
    from dvtool.ops.datadiff import FileDiff, RowsWanted
    from dvtool.ops.diffreport import Depth
    from dvtool.report.diff_model import DiffReport

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">", "mode": "m"}


AFTER_DASHES = "dvtool.diff.after-dashes"


class _Command(click.Command):
    """Knows, unlike click, which words stood behind `--`: those are paths, whatever they spell."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[AFTER_DASHES] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command(
    "diff",
    cls=_Command,
    epilog=example(
        "dvtool diff main -- data",
        "dvtool diff v1 v2",
        "dvtool diff v1 v2 --rows 5 -- data.csv",
        "dvtool diff main --stat -- data",
        "dvtool diff v1 v2 --html > diff.html",
        "dvtool diff --no-index old.csv new.csv",
    ),
)
@click.argument("words", nargs=-1, type=PATH, metavar="[A [B]] [--] [PATHS]")
@click.option(
    "--rows", type=click.IntRange(0, 10_000), metavar="N", help="Compare rows, show N of each kind."
)
@click.option("--key", metavar="COLUMNS", default="", help="Columns that name a row, as id,day.")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1e300),
    metavar="X",
    default=0.0,
    help="Floats this close are equal.",
)
@click.option("--stat", is_flag=True, help="Compare statistics of tables, from profiles.")
@click.option("--md", "form", flag_value="md", help="Print Markdown, with statistics and rows.")
@click.option("--html", "form", flag_value="html", help="Print an HTML page likewise.")
@click.option("--no-index", is_flag=True, help="Compare the rows of two files on disk.")
@reporting
@click.pass_context
def command(
    context: click.Context,
    words: tuple[str, ...],
    rows: int | None,
    key: str,
    tolerance: float,
    stat: bool,
    form: str | None,
    no_index: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what changed between versions.

    Without B the work tree's sidecars are meant, without A the commit HEAD.
    Files are compared, not rows: + added, - removed, ~ changed, > renamed.

    With --rows the rows of changed tables are compared as well, by the key of
    the checks, or one that is found, and the lines of small texts. --stat needs
    no data where the profiles of both versions are known. --no-index compares
    two files on disk, in a repository or not.

    Not this one: check judges, drift says how far columns moved and whether
    that matters, verify proves that bytes are whole.
    """
    if form is not None and (as_json or no_index):
        raise UsageError(f"--{form} goes with neither --json nor --no-index")
    if no_index:
        _diff_plain(context, words, rows, key, tolerance, Output(as_json=as_json, quiet=quiet))
        return
    if rows is None and form is None and (key or tolerance):
        raise UsageError("--key and --tolerance are for rows", hint="dvtool diff --rows 5 ...")
    from dvtool.ops.compare import diff, edited_on_disk, split_words
    from dvtool.ops.diffreport import Depth, diff_report

    workspace = open_workspace(past_ok=True)
    behind: list[str] | None = context.meta.get(AFTER_DASHES)
    (old, new), typed = split_words(workspace, words, behind)
    paths = in_repository(workspace, typed)
    found = diff(workspace, old, new, paths)
    output = Output(as_json=as_json, quiet=quiet)
    if not found and new is None and not (quiet or as_json):
        for name in edited_on_disk(workspace, paths):
            shown = printable(
                f"note: {name} was edited and not added; check and drift look at the disk"
            )
            click.echo(shown, err=True)
    if rows is None and not stat and form is None:
        output.data({"datasets": found})
        for one in found:
            print_files(one, output)
    else:
        wanted = _wanted(5 if rows is None else rows, key, tolerance)
        depth = Depth(wanted if rows is not None or form else None, stat or form is not None)
        _show(diff_report(workspace, found, old, new, depth), found, depth, form, output)
    if quiet and found:
        context.exit(1)


def _show(
    report: DiffReport,
    found: Sequence[DatasetDiff],
    depth: Depth,
    form: str | None,
    output: Output,
) -> None:
    if form is not None:
        from dvtool.report import diff_html, diff_markdown

        render = diff_html.render if form == "html" else diff_markdown.render
        sys.stdout.write("" if output.quiet else render(report))
        return
    from dvtool.report.diff_text import report_lines, statistics_json

    files = [part for one in report.datasets for part in one.files]
    data: dict[str, object] = {"datasets": found}
    if depth.rows is not None:
        compared = [one for one in files if one.table is not None or one.why_not]
        data["tables"] = [
            {"name": one.name, "table": one.table, "why_not": one.why_not} for one in compared
        ]
        data["texts"] = [{"name": one.name, "lines": one.lines} for one in files if one.lines]
    if depth.statistics:
        data["statistics"] = [statistics_json(one) for one in files if one.picture is not None]
    output.data(data)
    for line in report_lines(report):
        output.text(line)


def print_files(one: DatasetDiff, output: Output) -> None:
    """Prints what changed in one data set, file by file."""
    size = f"{human_size(one.old_bytes)} -> {human_size(one.new_bytes)}"
    output.text(f"{display(os.fsencode(one.dataset))}: {one.kind}, {size}")
    for change in one.changes:
        name = display(change.path) if change.path else "(the file)"
        was = change.old
        if change.kind == "renamed" and was is not None:
            name = f"{display(was.path)} -> {name}"
        size_now = human_size((change.new or change.old).size)  # type: ignore[union-attr]
        output.text(f"  {SIGNS[change.kind]} {name}  {size_now}")


def _diff_plain(
    context: click.Context,
    words: tuple[str, ...],
    rows: int | None,
    key: str,
    tolerance: float,
    output: Output,
) -> None:
    from dvtool.ops.datadiff import diff_plain

    typed = [*words, *context.meta.get(AFTER_DASHES, [])]
    if len(typed) != 2:
        raise UsageError(
            f"--no-index compares two files, found {len(typed)}",
            hint="dvtool diff --no-index OLD NEW",
        )
    found = diff_plain(typed[0], typed[1], _wanted(5 if rows is None else rows, key, tolerance))
    output.data({"tables": [found]})
    print_tables([found], output)
    if output.quiet and (found.table is None or not found.table.is_same):
        context.exit(1)


def _wanted(rows: int, key: str, tolerance: float) -> RowsWanted:
    from dvtool.ops.datadiff import RowsWanted

    columns = tuple(one for one in key.split(",") if one)
    return RowsWanted(rows, columns, tolerance)


def print_tables(tables: Sequence[FileDiff], output: Output) -> None:
    """Prints how the rows of tables differ."""
    from dvtool.report.diff_text import diff_lines

    for one in tables:
        if one.table is None:
            output.text(f"{display(one.name.encode())}: rows not compared, {one.why_not}")
        else:
            for line in diff_lines(one.table):
                output.text(line)
