"""`dvtool clone`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from dvtool.cli.opening import watcher
from dvtool.cli.options import example, jobs_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size


@click.command("clone", epilog=example("dvtool clone https://host/team/data.git"))
@click.argument("url")
@click.argument("directory", required=False)
@click.option("-b", "--branch", metavar="NAME", help="Check out this branch.")
@click.option("--no-hooks", is_flag=True, help="Leave git's hooks alone.")
@click.option("--no-pull", is_flag=True, help="Do not bring the data.")
@jobs_option
@reporting
def command(
    url: str,
    directory: str | None,
    branch: str | None,
    no_hooks: bool,
    no_pull: bool,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Clone a git repository and pull its data.

    The same as git clone, dvtool init and dvtool pull.
    """
    from dvtool.ops.init import clone
    from dvtool.ops.pull import pull

    name = directory or url.rstrip("/").rpartition("/")[2].removesuffix(".git") or "clone"
    target = Path.cwd() / name
    workspace = clone(
        url,
        target,
        environ=dict(os.environ),
        branch=branch,
        hooks=not no_hooks,
        progress=watcher(quiet=quiet),
    )
    output = Output(as_json=as_json, quiet=quiet)
    if no_pull or not workspace.is_ready:
        output.data({"directory": target})
        output.text(f"cloned into {name}")
        return
    report = pull(workspace, jobs=jobs)
    output.data({"directory": target, **asdict(report)})
    output.text(
        f"cloned into {name}: {count(report.written, 'file')} written,"
        f" {human_size(report.fetched_bytes)} fetched"
    )
