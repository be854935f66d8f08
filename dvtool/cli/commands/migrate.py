"""`dvtool migrate dvc`, `dvtool migrate lfs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size

if TYPE_CHECKING:
    from dvtool.ops.migrate.report import MigrateReport

_SHOWN = 20
_STATES = {
    "new": "",
    "kept": ", has a sidecar already",
    "differs": ", has a sidecar that says something else: --force replaces it",
}


@click.group(
    "migrate", epilog=example("dvtool migrate dvc --history", "dvtool migrate dvc --history --yes")
)
def command() -> None:
    """Move here from DVC or git-lfs.

    The other tool's files stay and go on working until you remove them.
    """


@command.command(
    "dvc", epilog=example("dvtool migrate dvc --history", "dvtool migrate dvc --history --yes")
)
@click.option("--history", is_flag=True, help="Make all older commits restorable too, by a map.")
@click.option("--yes", "execute", is_flag=True, help="Do it; without this nothing is written.")
@click.option("--allow-missing", is_flag=True, help="Leave behind what is missing or damaged.")
@click.option("--force", is_flag=True, help="Replace sidecars that say something else.")
@click.option(
    "--dvc-remote",
    "remotes",
    metavar="NAME",
    multiple=True,
    help="Ask only this one of DVC's remotes; may be repeated.",
)
@reporting
def dvc(
    history: bool,
    execute: bool,
    allow_missing: bool,
    force: bool,
    remotes: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Make data sets of what DVC tracks.

    Says what it would do; --yes does it. Bytes come from DVC's cache, what is
    not there from its remotes; each file must match its md5. Nothing is
    written while anything is missing.
    """
    from dvtool.ops.migrate.dvc import migrate_dvc

    workspace = open_workspace(quiet=quiet or as_json)
    report = migrate_dvc(
        workspace,
        history=history,
        execute=execute,
        allow_missing=allow_missing,
        force=force,
        remote_names=remotes,
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    _show(output, report, again=f"dvtool migrate dvc {'--history ' * history}--yes")
    if report.written:
        output.text("git commit, then dvtool push, makes it so for everybody;")
        output.text("DVC goes on working until you git rm its files")


@command.command(
    "lfs", epilog=example("dvtool migrate lfs --history", "dvtool migrate lfs --history --yes")
)
@click.option("--history", is_flag=True, help="Make all older commits restorable too, by a map.")
@click.option("--yes", "execute", is_flag=True, help="Do it; without this nothing is written.")
@click.option("--allow-missing", is_flag=True, help="Leave behind what is missing or damaged.")
@click.option("--rehash", is_flag=True, help="Compute each sha256 again instead of trusting names.")
@reporting
def lfs(
    history: bool, execute: bool, allow_missing: bool, rehash: bool, as_json: bool, quiet: bool
) -> None:
    """Make data sets of what git-lfs keeps.

    Says what it would do; --yes does it. Each pointer becomes a data set of
    one file. Bytes come from .git/lfs as they lie there; their size is
    checked. Nothing is written while anything is missing.
    """
    from dvtool.ops.migrate.lfs import migrate_lfs

    workspace = open_workspace(quiet=quiet or as_json)
    report = migrate_lfs(
        workspace, history=history, execute=execute, allow_missing=allow_missing, rehash=rehash
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    _show(output, report, again=f"dvtool migrate lfs {'--history ' * history}--yes")
    if report.lost:
        output.text("git lfs fetch --all may bring what is missing")
    if report.written:
        output.text("git commit, then dvtool push, makes it so for everybody")


def _show(output: Output, report: MigrateReport, *, again: str) -> None:
    for one in report.datasets:
        size = count(one.files, "file") if one.kind == "directory" else "one file"
        output.text(f"{one.path}  {size}, from {one.source}{_STATES[one.state]}")
    if report.versions:
        output.text(
            f"{count(report.versions, 'version')} in"
            f" {count(report.commits, 'commit')} go into the map of old commits"
        )
    for place, number in report.by_place.items():
        output.text(f"{count(number, 'object')} from {place}")
    for lost in report.lost[:_SHOWN]:
        output.text(f"cannot be moved: {lost.what}: {lost.why}")
    if len(report.lost) > _SHOWN:
        output.text(f"and {len(report.lost) - _SHOWN} more that cannot be moved")
    if report.is_dry_run:
        output.text(f"nothing was changed; {again} does it")
    else:
        output.text(
            f"brought {count(report.objects, 'object')}, {human_size(report.brought_bytes)};"
            f" wrote and staged {count(len(report.written), 'file')}"
        )
