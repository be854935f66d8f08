"""`dvtool export dvc` and `dvtool export pandera`."""

from __future__ import annotations

from pathlib import Path

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, jobs_option, reporting
from dvtool.cli.output import Output, count
from dvtool.core.sizes import human_size
from dvtool.errors import NoRepository, UnknownRevision


@click.group("export", epilog=example("dvtool export dvc", "dvtool export pandera data/train.csv"))
def command() -> None:
    """Write data or checks as another tool keeps them.

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


@command.command(
    "pandera",
    epilog=example(
        "dvtool export pandera data/train.csv",
        "dvtool export pandera data/train.csv --to train_schema.py",
    ),
)
@click.argument("path", type=PATH)
@click.option(
    "--to",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this Python file, instead of printing the text.",
)
@click.option("--force", is_flag=True, help="Replace a file that is there.")
@reporting
def pandera(path: str, target: Path | None, force: bool, as_json: bool, quiet: bool) -> None:
    """Write the checks of a table as a pandera schema.

    The text is a Python module with a name schema, which needs pandas and
    pandera and not dvtool. It names what of the checks pandera has no word
    for. The other way: dvtool suggest --from.
    """
    from dvtool.ops.export_pandera import export_for_dataset, export_for_file, write_schema

    try:
        workspace = open_workspace(quiet=quiet or as_json)
        found = export_for_dataset(workspace, in_repository(workspace, [path])[0])
    except (NoRepository, UnknownRevision):
        found = export_for_file(Path(path), path)
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"text": found.text, "not_exported": found.lost, "to": target and str(target)})
    if target is None:
        for line in found.text.splitlines():
            output.text(line)
        return
    write_schema(target, found.text, force=force)
    output.text(f"wrote {target}")
    for key in found.lost:
        output.text(f"left out, for pandera has no word for it: {key}")
