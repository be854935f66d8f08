"""`dvtool verify`."""

from __future__ import annotations

import click

from dvtool.cli.common import Output, count, example, open_workspace, reporting

MISSING, CORRUPT = 6, 7


@click.command(
    "verify", epilog=example("dvtool verify", "dvtool verify --remote origin main..HEAD")
)
@click.argument("ranges", nargs=-1, metavar="[A..B]")
@click.option("--remote", "at_remote", is_flag=True, help="Look at the remote, not in the store.")
@click.option("--read-data", is_flag=True, help="Read every byte at the remote.")
@click.option("--rebuild-index", is_flag=True, help="First index packs at the remote anew.")
@click.option("--repair", is_flag=True, help="Replace what is damaged by a good copy.")
@click.option("-r", "--remote-name", "name", metavar="NAME", help="Which remote.")
@reporting
@click.pass_context
def command(
    context: click.Context,
    ranges: tuple[str, ...],
    at_remote: bool,
    read_data: bool,
    rebuild_index: bool,
    repair: bool,
    name: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Prove that bytes are there and whole.

    Alone: re-hashes everything in the store. With a range, or --remote: can
    every commit (of all branches and tags, or of A..B) be restored?
    """
    from dvtool.ops.verify import (
        VerifyReport,
        rebuild_remote_index,
        verify_range,
        verify_remote_data,
        verify_store,
    )

    if rebuild_index and not at_remote:
        raise click.UsageError("--rebuild-index goes with --remote")

    workspace = open_workspace(quiet=quiet or as_json)
    reports: list[VerifyReport] = []
    if rebuild_index:
        reports.append(rebuild_remote_index(workspace, remote_name=name))
    if at_remote and read_data:
        reports.append(verify_remote_data(workspace, remote_name=name, repair=repair))
    elif not at_remote and not ranges:
        reports.append(verify_store(workspace, repair=repair))
    if at_remote or ranges:
        reports.append(verify_range(workspace, ranges, remote_name=name, at_remote=at_remote))
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"reports": reports})
    for report in reports:
        for problem in report.problems:
            output.text(f"{'repaired' if problem.repaired else 'BAD'}: {problem}")
        output.text(
            f"{count(report.checked, 'object')} checked, {count(len(report.unrepaired), 'problem')}"
        )
    left = [problem for report in reports for problem in report.unrepaired]
    if left:
        missing = all("is not in" in problem.what for problem in left)
        context.exit(MISSING if missing else CORRUPT)
