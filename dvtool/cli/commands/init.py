"""`dvtool init`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dvtool.cli.opening import watcher
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output


@click.command("init", epilog=example("git init && dvtool init"))
@click.option("--no-hooks", is_flag=True, help="Leave git's hooks alone.")
@reporting
def command(no_hooks: bool, as_json: bool, quiet: bool) -> None:
    """Make a git repository ready for data.

    Writes .dvtool and .gitattributes, stages them, sets up git's diff and merge
    for sidecars in this clone, and installs hooks as dvtool install does.
    Running it again changes nothing.
    """
    from dvtool.cli.commands.install import say_hooks
    from dvtool.ops.init import init

    report = init(
        Path.cwd(), environ=dict(os.environ), hooks=not no_hooks, progress=watcher(quiet=quiet)
    )
    output = Output(as_json=as_json, quiet=quiet)
    hooks = report.hooks
    output.data(
        {
            "top": report.top,
            "written": report.written,
            "drivers": report.drivers,
            "hooks": hooks.changed if hooks else (),
        }
    )
    if report.written:
        output.text(f"ready: wrote and staged {' and '.join(report.written)}")
        output.text("next: dvtool remote add origin URL, dvtool add PATH, git commit")
    elif report.drivers:
        output.text("ready: git in this clone knows how to diff and merge sidecars")
    else:
        output.text("ready already")
    if hooks and (hooks.changed or hooks.refused):
        say_hooks(output, hooks)
