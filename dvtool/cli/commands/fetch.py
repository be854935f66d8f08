"""`dvtool fetch`."""

from __future__ import annotations

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import (
    PATH,
    example,
    jobs_option,
    limit_rate_option,
    remote_option,
    reporting,
)
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size


@click.command(
    "fetch", epilog=example("dvtool fetch --all-branches", "dvtool fetch --rev v1.2 data")
)
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--rev", metavar="REV", help="The version of this commit.")
@click.option("--all-branches", "branches", is_flag=True, help="The tips of all branches.")
@click.option("--all-tags", "tags", is_flag=True, help="All tags.")
@click.option("--all-commits", "commits", is_flag=True, help="Every commit there is.")
@remote_option
@jobs_option
@limit_rate_option
@reporting
def command(
    paths: tuple[str, ...],
    rev: str | None,
    branches: bool,
    tags: bool,
    commits: bool,
    remote: str | None,
    jobs: int | None,
    limit_rate: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Download bytes into the store.

    No file of the work tree is touched; dvtool pull also writes the files.
    """
    from dvtool.ops.fetch import fetch

    workspace = open_workspace(quiet=quiet or as_json, limit_rate=limit_rate, past_ok=True)
    report = fetch(
        workspace,
        remote_name=remote,
        paths=in_repository(workspace, paths),
        rev=rev,
        branches=branches,
        tags=tags,
        commits=commits,
        jobs=jobs,
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    output.text(
        f"fetched {count(report.fetched, 'object')}, {human_size(report.fetched_bytes)};"
        f" {report.needed - report.fetched} were here"
    )
