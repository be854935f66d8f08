"""`dvtool pull`."""

from __future__ import annotations

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import (
    PATH,
    example,
    force_option,
    jobs_option,
    limit_rate_option,
    remote_option,
    reporting,
)
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size


@click.command("pull", epilog=example("dvtool pull", "dvtool pull --rev v1.2 data/train.csv"))
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--rev", metavar="REV", help="The version of this commit.")
@click.option("--all-branches", "branches", is_flag=True, help="Also fetch all branches' tips.")
@click.option("--all-tags", "tags", is_flag=True, help="Also fetch all tags.")
@click.option("--all-commits", "commits", is_flag=True, help="Also fetch every commit there is.")
@force_option
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
    force: bool,
    remote: str | None,
    jobs: int | None,
    limit_rate: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Download bytes and write the files.

    With --rev the version of that commit is written, sidecar and data, as
    git checkout REV -- PATH does. Unsaved work is never overwritten.
    """
    from dvtool.ops.pull import pull

    workspace = open_workspace(quiet=quiet or as_json, limit_rate=limit_rate, past_ok=rev is None)
    report = pull(
        workspace,
        paths=in_repository(workspace, paths),
        rev=rev,
        remote_name=remote,
        jobs=jobs,
        branches=branches,
        tags=tags,
        commits=commits,
        force=force,
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    output.text(
        f"fetched {count(report.fetched, 'object')}, {human_size(report.fetched_bytes)};"
        f" {count(report.written, 'file')} written, {report.removed} removed"
    )
