"""`dvtool mv`."""

from __future__ import annotations

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output


@click.command("mv", epilog=example("dvtool mv data raw/data"))
@click.argument("source", type=PATH)
@click.argument("target", type=PATH)
@reporting
def command(source: str, target: str, as_json: bool, quiet: bool) -> None:
    """Move or rename a data set.

    Moves the files, the sidecar and the ignore line, and stages that.
    """
    from dvtool.ops.moving import move

    workspace = open_workspace(quiet=quiet or as_json)
    old, new = in_repository(workspace, [source, target])
    new = move(workspace, old.removesuffix(".dvt"), new)
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"source": old, "target": new})
    output.text(f"moved {old} to {new}")
