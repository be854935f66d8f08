"""`dvtool rm`."""

from __future__ import annotations

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output


@click.command("rm", epilog=example("dvtool rm --keep data"))
@click.argument("datasets", nargs=-1, required=True, type=PATH)
@click.option("--keep", is_flag=True, help="Leave the files where they are.")
@click.option("--force", is_flag=True, help="Also delete files with unsaved work.")
@reporting
def command(datasets: tuple[str, ...], keep: bool, force: bool, as_json: bool, quiet: bool) -> None:
    """Stop tracking a data set.

    Removes the sidecar and the files, and stages that. The bytes stay in the
    store and at remotes: older commits need them.
    """
    from dvtool.ops.moving import remove

    workspace = open_workspace(quiet=quiet or as_json)
    names = [path.removesuffix(".dvt") for path in in_repository(workspace, datasets)]
    removed = remove(workspace, names, keep=keep, force=force)
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"datasets": removed})
    for one in removed:
        output.text(f"no longer tracked: {one.dataset}{' (files kept)' if one.kept else ''}")
