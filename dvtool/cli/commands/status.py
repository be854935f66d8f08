"""`dvtool status`."""

from __future__ import annotations

import sys

import click

from dvtool.cli.failures import printable
from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, example, reporting
from dvtool.cli.output import Output, count
from dvtool.core.quote import display

HINTS = {
    "modified": "dvtool add keeps it, dvtool checkout --force undoes it",
    "deleted": "dvtool add records it, dvtool checkout brings it back",
    "new": "dvtool add records it",
    "stale": "dvtool checkout writes the newer version",
    "conflict": "changed here and in the sidecar: dvtool add --force or dvtool checkout --force",
    "not-checked-out": "dvtool pull brings it",
}
SHOWN = 20


@click.command("status", epilog=example("dvtool status", "dvtool status -q || echo dirty"))
@click.argument("paths", nargs=-1, type=PATH)
@click.option("--remote", "at_remote", is_flag=True, help="Ask the remote what it has.")
@click.option("-r", "--remote-name", "name", metavar="NAME", help="Which remote.")
@click.option("-v", "--verbose", is_flag=True, help="List every file.")
@reporting
@click.pass_context
def command(
    context: click.Context,
    paths: tuple[str, ...],
    at_remote: bool,
    name: str | None,
    verbose: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what differs from the sidecars.

    Three-way: modified here, stale (the sidecar moved on), or both; deleted,
    new, not checked out. With -q prints nothing and exits 1 when dirty.
    """
    from dvtool.ops.status import status

    workspace = open_workspace(quiet=quiet or as_json, past_ok=True)
    report = status(
        workspace,
        in_repository(workspace, paths),
        remote_name=name,
        remote=at_remote or name is not None,
    )
    output = Output(as_json=as_json, quiet=quiet, remembers=bool(context.obj))
    output.data(
        {"clean": report.is_clean, "datasets": report.datasets, "warnings": report.warnings}
    )
    for one in report.datasets:
        if one.problem:
            output.text(f"{one.dataset}: {one.problem}")
            continue
        by_state: dict[str, list[bytes]] = {}
        for path in one.paths:
            by_state.setdefault(path.state, []).append(path.path)
        for state, found in by_state.items():
            output.text(f"{one.dataset}: {count(len(found), 'file')} {state} ({HINTS[state]})")
            for name_inside in found if verbose else found[:SHOWN]:
                if name_inside:
                    output.text(f"  {state}: {display(name_inside)}")
            if not verbose and len(found) > SHOWN:
                output.text(f"  and {len(found) - SHOWN} more (-v lists them)")
        if one.not_in_store:
            output.text(
                f"{one.dataset}: {count(one.not_in_store, 'object')} not in the store (dvtool fetch)"
            )
        if one.not_at_remote:
            output.text(
                f"{one.dataset}: {count(one.not_at_remote, 'object')} not at the remote (dvtool push)"
            )
    if not quiet:
        for warning in report.warnings:
            print(printable(f"warning: {warning}"), file=sys.stderr)
    code = 0
    if report.is_clean:
        output.text(f"{count(len(report.datasets), 'data set')}, all clean")
    elif quiet:
        code = 1
    if context.obj and not (at_remote or name or report.warnings):
        from dvtool.ops.standing import keep_status

        looked_at = [one.dataset for one in report.datasets] if paths else None
        keep_status(context.obj, workspace, looked_at, output.said, code)
    context.exit(code)
