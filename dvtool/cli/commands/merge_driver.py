"""`dvtool merge-driver`, called by git."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dvtool.cli.opening import open_workspace
from dvtool.core.quote import display


@click.command("merge-driver", hidden=True)
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("ours", type=click.Path(path_type=Path))
@click.argument("theirs", type=click.Path(path_type=Path))
@click.argument("path")
@click.pass_context
def command(context: click.Context, base: Path, ours: Path, theirs: Path, path: str) -> None:
    """Merge two sidecars (called by git).

    Leaves the result in OURS and exits 0, or exits 1 and leaves a conflict.
    """
    from dvtool.ops.merge import run_driver

    workspace = open_workspace(must_be_ready=False)
    merged = run_driver(workspace.store, base, ours, theirs, dataset=path.removesuffix(".dvt"))
    if merged.reason or merged.conflicts:
        print(f"conflict in {path}: {merged.reason or 'dvtool resolve shows it'}", file=sys.stderr)
        for conflict in merged.conflicts[:20]:
            print(
                f"  {display(conflict.path) if conflict.path else '(the file)'}: {conflict.reason}",
                file=sys.stderr,
            )
        context.exit(1)
