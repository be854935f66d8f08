"""`dvtool export dvc`."""

from __future__ import annotations

from pathlib import Path

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, jobs_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size


@click.group("export", epilog=example("dvtool export dvc"))
def command() -> None:
    """Write data as another tool keeps them.

    What is dvtool's stays as it is.
    """


@command.command("dvc", epilog=example("dvtool export dvc", "dvtool export dvc data --to /mnt/dvc"))
@click.argument("paths", nargs=-1, type=PATH)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A cache or remote of DVC; DVC's own cache by default.",
)
@click.option("--force", is_flag=True, help="Replace .dvc files that say something else.")
@jobs_option
@reporting
def dvc(
    paths: tuple[str, ...],
    folder: Path | None,
    force: bool,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write data sets as DVC 3 keeps them.

    Writes a .dvc file beside each data set and its objects into DVC's cache,
    from where dvc checkout and dvc push go on. Sidecars and store stay.
    """
    from dvtool.ops.migrate.export import export_dvc

    workspace = open_workspace(quiet=quiet or as_json)
    report = export_dvc(
        workspace,
        in_repository(workspace, paths),
        folder=None if folder is None else Path.cwd() / folder,
        force=force,
        jobs=jobs,
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    for name in report.datasets:
        output.text(f"{name}.dvc")
    for name in report.left_out:
        output.text(f"left out, for DVC does not keep its kind: {name}")
    if report.modes:
        output.text(f"{count(report.modes, 'file')} in directories will not be executable with DVC")
    output.text(
        f"wrote {count(report.objects, 'object')}, {human_size(report.size_bytes)}, to {report.cache}"
    )
