"""`dvtool demo`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output


@click.command("demo", epilog=example("dvtool demo", "cd dvtool-demo/team && dvtool status"))
@click.argument("directory", default="dvtool-demo", type=click.Path(path_type=Path))
@reporting
def command(directory: Path, as_json: bool, quiet: bool) -> None:
    """Try everything in a scratch directory.

    Tracks two versions of a small real data set, pushes them to a file://
    remote, clones elsewhere and pulls the older version by commit.
    """
    from dvtool.ops.demo import demo

    output = Output(as_json=as_json, quiet=quiet)
    steps = []
    for step in demo(Path(os.path.abspath(directory)), environ=dict(os.environ)):
        steps.append(step)
        output.text(f"$ {step.command}")
        output.text(f"  {step.result}")
    output.data({"directory": directory, "steps": steps})
    output.text(f"all of it is in {directory}; delete it whenever you like")
