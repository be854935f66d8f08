"""`dvtool push`."""

from __future__ import annotations

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import (
    PATH,
    dry_run_option,
    example,
    jobs_option,
    limit_rate_option,
    remote_option,
    reporting,
)
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size


@click.command("push", epilog=example("dvtool push", "dvtool push --all-branches --all-tags"))
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--rev", metavar="REV", help="Instead of HEAD.")
@click.option("--all-branches", "branches", is_flag=True, help="What all branches need.")
@click.option("--all-tags", "tags", is_flag=True, help="What all tags need.")
@click.option("--all-commits", "commits", is_flag=True, help="All branches and all tags.")
@remote_option
@jobs_option
@limit_rate_option
@dry_run_option
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
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Upload what commits need.

    Every commit in the history of HEAD that the remote does not provably have
    is made restorable. With PATHS only those data sets of one commit.
    """
    from dvtool.ops.push import push

    workspace = open_workspace(quiet=quiet or as_json, limit_rate=limit_rate)
    report = push(
        workspace,
        remote_name=remote,
        paths=in_repository(workspace, paths),
        rev=rev,
        branches=branches or commits,
        tags=tags or commits,
        jobs=jobs,
        dry_run=dry_run,
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    if not report.refs and not paths:
        output.text(f"{report.remote} has everything already")
    elif dry_run:
        output.text(f"would upload {count(report.uploaded, 'object')} to {report.remote}")
    else:
        output.text(
            f"pushed to {report.remote}: {count(report.uploaded, 'object')},"
            f" {human_size(report.uploaded_bytes)} in {count(report.packs, 'pack')}"
        )
