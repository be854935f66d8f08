"""`dvtool doctor`."""

from __future__ import annotations

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output


@click.command("doctor", epilog=example("dvtool doctor"))
@reporting
@click.pass_context
def command(context: click.Context, as_json: bool, quiet: bool) -> None:
    """Look for what could go wrong.

    Checks git, drivers, ignore lines, sidecars, the store and what other
    branches still track. Changes nothing; exits 1 when something needs care.
    """
    from dvtool.ops.doctor import examine

    findings = examine(open_workspace())
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"findings": findings})
    for finding in findings:
        output.text(f"{finding.what}")
        if finding.hint:
            output.text(f"  hint: {finding.hint}")
    if findings:
        context.exit(1)
    output.text("all is well")
