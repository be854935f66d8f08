"""`dvtool list`."""

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
from dvtool.core.quote import display


@click.command("list", epilog=example("dvtool list", "dvtool list --rev v1.2 --files data"))
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--rev", metavar="REV", help="Of this commit instead of the work tree.")
@click.option("--files", is_flag=True, help="Show the files in each data set.")
@reporting
def command(
    paths: tuple[str, ...], rev: str | None, files: bool, as_json: bool, quiet: bool
) -> None:
    """List data sets, or the files in one."""
    from dvtool.ops.listing import list_datasets

    workspace = open_workspace(past_ok=True)
    found = list_datasets(workspace, rev, in_repository(workspace, paths), files=files)
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"datasets": found})
    for one in found:
        if one.files is None or one.size_bytes is None:
            output.text(f"{one.dataset}  (its list of files is not here: dvtool fetch)")
            continue
        output.text(f"{one.dataset}  {count(one.files, 'file')}  {human_size(one.size_bytes)}")
        for entry in one.entries:
            if entry.path:
                output.text(f"  {entry.mode} {entry.size:>12} {display(entry.path)}")
