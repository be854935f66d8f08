"""`dvtool log`."""

from __future__ import annotations

import click

from dvtool.cli.common import (
    PATH,
    Output,
    count,
    example,
    human_size,
    in_repository,
    open_workspace,
    reporting,
)


@click.command("log", epilog=example("dvtool log data/train.csv"))
@click.argument("path", type=PATH)
@click.option("--rev", metavar="REV", default="HEAD", help="Start there instead of HEAD.")
@click.option("-n", "--max-count", type=click.IntRange(min=1), help="Show at most so many.")
@reporting
def command(path: str, rev: str, max_count: int | None, as_json: bool, quiet: bool) -> None:
    """Show the versions of a data set.

    One line a commit that changed it, newest first: commit, date, author,
    files, bytes, and what changed (+ added, - removed, ~ changed, > renamed).
    """
    from itertools import islice

    from dvtool.ops.listing import log

    workspace = open_workspace()
    dataset = in_repository(workspace, [path])[0].removesuffix(".dvt")
    output = Output(as_json=as_json, quiet=quiet)
    lines = islice(log(workspace, dataset, rev), max_count)
    if as_json:
        output.data({"dataset": dataset, "versions": list(lines)})
        return
    for line in lines:
        size = "" if line.size_bytes is None else human_size(line.size_bytes)
        files = "" if line.files is None else count(line.files, "file")
        output.text(
            f"{line.commit[:12]}  {line.date[:10]}  {line.author}  {files}  {size}"
            f"  {line.change}  {line.subject}"
        )
