"""`dvtool init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dvtool.cli.common import Output, example, reporting


@click.command("init", epilog=example("git init && dvtool init"))
@reporting
def command(as_json: bool, quiet: bool) -> None:
    """Make a git repository ready for data.

    Writes .dvtool and .gitattributes, stages them, and sets up git's diff and
    merge for sidecars in this clone. Running it again changes nothing.
    """
    from dvtool.ops.init import init

    report = init(Path.cwd(), environ=dict(os.environ))
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    if report.written:
        output.text(f"ready: wrote and staged {' and '.join(report.written)}")
        output.text("next: dvtool remote add origin URL, dvtool add PATH, git commit")
    elif report.drivers:
        output.text("ready: git in this clone knows how to diff and merge sidecars")
    else:
        output.text("ready already")
