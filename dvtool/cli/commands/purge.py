"""`dvtool purge`."""

from __future__ import annotations

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import dry_run_option, example, remote_option, reporting
from dvtool.cli.output import Output, count


@click.command(
    "purge",
    epilog=example('dvtool purge data/people.csv@v1.2 --reason "consent withdrawn, ticket 512"'),
)
@click.argument("what", metavar="DIGEST|PATH@REV")
@click.option("--reason", required=True, metavar="TEXT", help="What a later pull will say.")
@remote_option
@dry_run_option
@reporting
def command(
    what: str, reason: str, remote: str | None, dry_run: bool, as_json: bool, quiet: bool
) -> None:
    """Remove data from a remote on purpose.

    Rewrites the packs that hold them at once, drops them from this machine's
    store, and leaves word: a later pull of a version that had them says that
    they were erased, and why. Nothing brings them back.
    """
    from dvtool.ops.purge import purge

    workspace = open_workspace(quiet=quiet or as_json)
    report = purge(workspace, what, reason=reason, remote_name=remote, dry_run=dry_run)
    output = Output(as_json=as_json, quiet=quiet)
    output.data(report)
    did = "would erase" if dry_run else "erased"
    output.text(
        f"{did} {count(report.remote.erased, 'object')} from"
        f" {count(report.remote.packs, 'pack')}; {report.dropped_here} dropped from this store"
    )
