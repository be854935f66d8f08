"""`dvtool textconv`, called by git."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dvtool.cli.opening import open_workspace
from dvtool.errors import DvtoolError


@click.command("textconv", hidden=True)
@click.argument("file", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Print a sidecar for git diff (called by git)."""
    from dvtool.ops.textconv import textconv

    try:
        store = open_workspace(must_be_ready=False).store
    except DvtoolError:
        store = None
    sys.stdout.writelines(textconv(file, store))
