"""`dvtool diff`."""

from __future__ import annotations

import click

from dvtool.cli.common import (
    PATH,
    Output,
    example,
    human_size,
    in_repository,
    open_workspace,
    reporting,
)
from dvtool.core.quote import display

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">", "mode": "m"}


@click.command("diff", epilog=example("dvtool diff main -- data", "dvtool diff v1 v2"))
@click.argument("revisions", nargs=-1, metavar="[A [B]]")
@click.argument("paths", nargs=-1, type=PATH, metavar="[-- PATHS]")
@reporting
@click.pass_context
def command(
    context: click.Context,
    revisions: tuple[str, ...],
    paths: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what changed between versions.

    Without B the work tree's sidecars are meant, without A the commit HEAD.
    Files are compared, not rows: + added, - removed, ~ changed, > renamed.
    """
    from dvtool.ops.compare import diff

    workspace = open_workspace()
    old, new = (*revisions, None, None)[:2]
    found = diff(workspace, old, new, in_repository(workspace, paths))
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"datasets": found})
    for one in found:
        size = f"{human_size(one.old_bytes)} -> {human_size(one.new_bytes)}"
        output.text(f"{one.dataset}: {one.kind}, {size}")
        for change in one.changes:
            name = display(change.path) if change.path else "(the file)"
            was = change.old
            if change.kind == "renamed" and was is not None:
                name = f"{display(was.path)} -> {name}"
            size_now = human_size((change.new or change.old).size)  # type: ignore[union-attr]
            output.text(f"  {SIGNS[change.kind]} {name}  {size_now}")
    if quiet and found:
        context.exit(1)
