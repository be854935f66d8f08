"""`dvtool get`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dvtool.cli.opening import watcher
from dvtool.cli.options import example, jobs_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size


@click.command(
    "get", epilog=example("dvtool get https://host/team/data.git data/train.csv --rev v1.2")
)
@click.argument("repository")
@click.argument("path")
@click.option("--rev", metavar="REV", default="HEAD", help="Which version; HEAD by default.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Where to write it.")
@jobs_option
@reporting
def command(
    repository: str,
    path: str,
    rev: str,
    out: Path | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Copy data out of any repository.

    REPOSITORY is a git URL or a path. Nothing is tracked here, and nothing that
    stands at the target is overwritten.
    """
    from dvtool.ops.get import get

    target = out or Path.cwd() / Path(path).name
    report = get(
        repository,
        path,
        rev=rev,
        target=target,
        jobs=jobs,
        environ=dict(os.environ),
        progress=watcher(quiet=quiet or as_json),
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    output.text(f"wrote {count(report.files, 'file')}, {human_size(report.size_bytes)} to {target}")
