"""`dvtool resolve`."""

from __future__ import annotations

import os

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output
from dvtool.core.quote import display


@click.command("resolve", epilog=example("dvtool resolve", "dvtool resolve --theirs data a.csv"))
@click.argument("dataset", required=False, type=PATH)
@click.argument("files", nargs=-1, type=PATH)
@click.option("--ours", "side", flag_value="ours", help="Settle conflicts with our side.")
@click.option("--theirs", "side", flag_value="theirs", help="Settle conflicts with their side.")
@reporting
@click.pass_context
def command(
    context: click.Context,
    dataset: str | None,
    files: tuple[str, ...],
    side: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Finish a merge of a data set.

    Merges the unmerged sidecars file by file and stages what has no conflict.
    Conflicts are shown; --ours or --theirs settles them, all or only FILES.
    """
    from dvtool.ops.merge import resolve

    workspace = open_workspace()
    chosen = [
        p.removesuffix(".dvt") for p in in_repository(workspace, [dataset] if dataset else [])
    ]
    outcomes = resolve(
        workspace,
        chosen,
        side=side,  # type: ignore[arg-type]
        inside=[os.fsencode(file) for file in files],
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"datasets": outcomes})
    open_conflicts = False
    if not outcomes:
        output.text("nothing to resolve")
    for one in outcomes:
        if one.text is not None and not one.conflicts:
            output.text(f"{one.dataset}: merged and staged")
            continue
        open_conflicts = True
        output.text(f"{one.dataset}: {one.reason or f'{len(one.conflicts)} conflicts'}")
        for conflict in one.conflicts:
            name = display(conflict.path) if conflict.path else "(the file)"
            output.text(f"  {name}: {conflict.reason}")
    if open_conflicts:
        output.text("choose: dvtool resolve --ours DATASET [FILES], or --theirs")
        context.exit(1)
    if outcomes:
        output.text("next: git commit, then dvtool checkout")
