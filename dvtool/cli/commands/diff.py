"""`dvtool diff`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from dvtool.cli.common import (
    PATH,
    Output,
    example,
    human_size,
    in_repository,
    open_workspace,
    reporting,
)
from dvtool.core.quote import display
from dvtool.errors import UsageError

if TYPE_CHECKING:
    from dvtool.ops.compare import DatasetDiff
    from dvtool.ops.datadiff import FileDiff, RowsWanted

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
@click.option("--no-index", is_flag=True, help="Compare the rows of two files on disk.")
@reporting
@click.pass_context
def command(
    context: click.Context,
    words: tuple[str, ...],
    rows: int | None,
    key: str,
    tolerance: float,
    no_index: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what changed between versions.

    Without B the work tree's sidecars are meant, without A the commit HEAD.
    Files are compared, not rows: + added, - removed, ~ changed, > renamed.

    With --rows the rows of changed tables are compared as well, by the key of
    the checks, or one that is found. --no-index does so for two files on disk,
    in a repository or not.
    """
    if no_index:
        _diff_plain(context, words, rows, key, tolerance, Output(as_json=as_json, quiet=quiet))
        return
    if rows is None and (key or tolerance):
        raise UsageError("--key and --tolerance are for rows", hint="dvtool diff --rows 5 ...")
    from dvtool.ops.compare import diff, split_words

    workspace = open_workspace(past_ok=True)
    behind: list[str] | None = context.meta.get(AFTER_DASHES)
    (old, new), typed = split_words(workspace, words, behind)
    found = diff(workspace, old, new, in_repository(workspace, typed))
    output = Output(as_json=as_json, quiet=quiet)
    tables: list[FileDiff] = []
    if rows is not None:
        from dvtool.ops.datadiff import diff_rows

        tables = diff_rows(workspace, found, old, new, _wanted(rows, key, tolerance))
    output.data({"datasets": found} | ({"tables": tables} if rows is not None else {}))
    for one in found:
        print_files(one, output)
    print_tables(tables, output)
    if quiet and found:
        context.exit(1)


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
