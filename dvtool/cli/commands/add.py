"""`dvtool add`."""

from __future__ import annotations

import glob
import os
from pathlib import Path

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, dry_run_option, example, reporting
from dvtool.cli.output import Output, count
from dvtool.core.quote import display
from dvtool.core.sizes import human_size
from dvtool.errors import UsageError


@click.command("add", epilog=example("dvtool add data/", "dvtool add 'raw/*.parquet'"))
@click.argument("paths", nargs=-1, required=True, type=PATH)
@click.option("--into", metavar="FOLDER", help="Put files into a data set that need not be here.")
@click.option("--sharded", "layout", flag_value="sharded", help="Keep the list of files in shards.")
@click.option("--inline", "layout", flag_value="inline", help="Keep it in the sidecar itself.")
@click.option("--force", is_flag=True, help="Also undo newer versions not checked out.")
@click.option("-v", "--verbose", is_flag=True, help="List what .dvtignore skipped.")
@dry_run_option
@reporting
def command(
    paths: tuple[str, ...],
    into: str | None,
    layout: str | None,
    force: bool,
    verbose: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Store files and write their sidecar.

    PATHS are files, folders or patterns; each becomes a data set, or, inside
    one, a new state of that part of it. The sidecar is staged for git commit.
    """
    from dvtool.git.sidecars import sidecar_paths
    from dvtool.ops.add import AddReport, add
    from dvtool.ops.add_into import add_into
    from dvtool.ops.selection import datasets_of, select

    workspace = open_workspace(quiet=quiet or as_json)
    reports: list[AddReport] = []
    if into is not None:
        if layout is not None or dry_run:
            raise UsageError("--into goes with no --sharded, --inline or --dry-run")
        (one,) = select(
            datasets_of(sidecar_paths(workspace.git)), in_repository(workspace, [into])
        )[:1]
        files = [Path(os.path.abspath(path)) for path in _expanded(paths)]
        reports.append(add_into(workspace, one.dataset, one.inside, files))
    else:
        reports = add(
            workspace,
            in_repository(workspace, _expanded(paths)),
            layout=layout,  # type: ignore[arg-type]
            force=force,
            dry_run=dry_run,
        )
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"datasets": reports, "dry_run": dry_run})
    for report in reports:
        changes = f"{report.new} new, {report.changed} changed, {report.removed} removed"
        verb = "would add" if dry_run else "added" if report.written else "unchanged"
        output.text(
            f"{verb} {report.dataset}: {changes}, {count(report.unchanged, 'file')} as before,"
            f" {human_size(report.size_bytes)} read"
        )
        if report.untracked:
            output.text(
                f"  git tracked {count(len(report.untracked), 'file')} of it until now;"
                " the bytes are in the store, git forgets them with the next commit"
            )
        if verbose:
            for path in report.ignored:
                output.text(f"  skipped by .dvtignore: {display(path)}")
        elif report.ignored:
            output.text(f"  {len(report.ignored)} skipped by .dvtignore (-v lists them)")


def _expanded(typed: tuple[str, ...]) -> list[str]:
    """Returns paths with patterns replaced by what they match; a path that exists is no pattern."""
    found: list[str] = []
    for path in typed:
        matches = [] if os.path.lexists(path) else sorted(glob.glob(path, recursive=True))
        found += [m for m in matches if not m.endswith(".dvt")] or [path]
    return found
