"""`dvtool checkout`."""

from __future__ import annotations

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, dry_run_option, example, force_option, reporting
from dvtool.cli.output import Output, count


@click.command("checkout", epilog=example("dvtool checkout", "dvtool checkout --rev v1 data/a.csv"))
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--rev", metavar="REV", help="Write that commit's version, sidecar and data.")
@force_option
@dry_run_option
@reporting
def command(
    paths: tuple[str, ...],
    rev: str | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a version's files.

    Brings the files in line with their sidecars from the store; dvtool pull
    also downloads. Unsaved work is never overwritten without --force.
    """
    from dvtool.ops.checkout import checkout

    workspace = open_workspace(quiet=quiet or as_json, past_ok=rev is None)
    reports = checkout(
        workspace, in_repository(workspace, paths), rev=rev, force=force, dry_run=dry_run
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"datasets": reports, "dry_run": dry_run})
    if not any(report.written or report.removed or report.kept for report in reports):
        output.text("nothing to do: the files are as their sidecars say")
    for report in reports:
        if report.written or report.removed or report.kept:
            would = "would be " if dry_run else ""
            output.text(
                f"{report.dataset}: {count(report.written, 'file')} {would}written,"
                f" {report.removed} removed, {len(report.kept)} with unsaved work kept"
            )
