"""`dvtool log`."""

from __future__ import annotations

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output, count
from dvtool.cli.verdictlines import show_verdicts
from dvtool.core.sizes import human_size
from dvtool.errors import UsageError


@click.command(
    "log", epilog=example("dvtool log data/train.csv", "dvtool log --verdicts data/train.csv")
)
@click.argument("path", type=PATH)
@click.option("--rev", metavar="REV", default="HEAD", help="Start there instead of HEAD.")
@click.option("-n", "--max-count", type=click.IntRange(min=1), help="Show at most so many.")
@click.option("--verdicts", is_flag=True, help="Show what is known of each, and what was allowed.")
@click.option("-r", "--remote", metavar="NAME", help="With --verdicts, ask this remote as well.")
@reporting
def command(
    path: str,
    rev: str,
    max_count: int | None,
    verdicts: bool,
    remote: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show the versions of a data set.

    One line a commit that changed it, newest first: commit, date, author,
    files, bytes, and what changed (+ added, - removed, ~ changed, > renamed).

    With --verdicts: how each version was judged by the checks of its own
    commit, as this clone remembers or a remote has it on record, and what
    was allowed, by whom and why. Records are not signed and prove nothing.
    """
    from itertools import islice

    from dvtool.ops.listing import log

    workspace = open_workspace(quiet=quiet or as_json or not verdicts, past_ok=True)
    dataset = in_repository(workspace, [path])[0].removesuffix(".dvt")
    output = Output(as_json=as_json, quiet=quiet)
    if remote is not None and not verdicts:
        raise UsageError("--remote is for --verdicts")
    if verdicts:
        show_verdicts(workspace, dataset, rev, max_count, remote, output)
        return
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
