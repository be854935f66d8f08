"""`dvtool list`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dvtool.cli.opening import in_repository, open_workspace, watcher
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output, count
from dvtool.core.quote import display
from dvtool.core.sizes import human_size


@click.command(
    "list",
    epilog=example(
        "dvtool list",
        "dvtool list --rev v1.2 --files data",
        "dvtool list https://host/team/data.git --rev v1.2",
    ),
)
@click.argument("paths", nargs=-1, type=PATH, metavar="[REPOSITORY] [PATHS]...")
@click.option("--rev", metavar="REV", help="Of this commit instead of the work tree.")
@click.option("--files", is_flag=True, help="Show the files in each data set.")
@reporting
def command(
    paths: tuple[str, ...], rev: str | None, files: bool, as_json: bool, quiet: bool
) -> None:
    """List data sets, or the files in one.

    A git URL, or a folder that is the top of another repository, lists that
    repository's data sets, of its HEAD where no --rev is given.
    """
    from dvtool.ops.listing import list_datasets, list_elsewhere

    output = Output(as_json=as_json, quiet=quiet)
    if paths and _is_repository(paths[0]):
        inner = [path.strip("/") for path in paths[1:]]
        environ, watch = dict(os.environ), watcher(quiet=quiet or as_json)
        found = list_elsewhere(paths[0], rev or "HEAD", inner, environ, files=files, progress=watch)
    else:
        workspace = open_workspace(past_ok=True)
        found = list_datasets(workspace, rev, in_repository(workspace, paths), files=files)
    output.data({"datasets": found})
    for one in found:
        if one.files is None or one.size_bytes is None:
            output.text(f"{one.dataset}  (its list of files is not here: dvtool fetch)")
            continue
        output.text(f"{one.dataset}  {count(one.files, 'file')}  {human_size(one.size_bytes)}")
        for entry in one.entries:
            if entry.path:
                output.text(f"  {entry.mode} {entry.size:>12} {display(entry.path)}")


def _is_repository(word: str) -> bool:
    """Tells whether a word is the address of a repository rather than a path of this one."""
    if not os.path.isdir(word):
        # What stands here, or could be brought back, is a path; nobody's file is called `a:b/c`.
        return "://" in word or (":" in word.partition("/")[0] and not os.path.lexists(word))
    folder = Path(word).resolve()
    is_top = (folder / ".git").exists()
    is_bare = all((folder / name).exists() for name in ("HEAD", "objects", "refs"))
    here = any(folder == parent for parent in (Path.cwd(), *Path.cwd().parents))
    return (is_top and not here) or is_bare
