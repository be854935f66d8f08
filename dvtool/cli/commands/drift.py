"""`dvtool drift`."""

from __future__ import annotations

import click

from dvtool.cli.commands.check import judge
from dvtool.cli.judging import wanted_option
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output


@click.command(
    "drift",
    epilog=example("dvtool drift new.csv --baseline old.csv", "dvtool drift data --baseline v1.2"),
)
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option(
    "--rev", metavar="R", default="", help="The version to compare, instead of the files."
)
@click.option(
    "--baseline",
    metavar="REV|FILE",
    default="",
    help="Compare with this instead of the last version.",
)
@reporting
def command(paths: tuple[str, ...], rev: str, baseline: str, as_json: bool, quiet: bool) -> None:
    """Show how far columns moved.

    One line an effect, with its interval and the threshold; decides nothing
    and exits with 0.

    Not this one: check judges, diff --stat shows statistics side by side,
    profile those of one version, verify proves that bytes are whole.
    """
    from dvtool.report.drift_table import drift_lines

    judged = judge(paths, wanted_option(baseline=baseline), rev=rev, quiet=quiet or as_json)
    output = Output(as_json=as_json, quiet=quiet)
    tables = [table for one in judged for table in one.tables if table.is_table]
    output.data(
        {
            "tables": [
                {
                    "name": table.name,
                    "baseline": table.baseline and table.baseline.name,
                    "columns": list(table.drift),
                }
                for table in tables
            ]
        }
    )
    for table in tables:
        for line in drift_lines(table):
            output.text(line)
