"""`dvtool allow`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from dvtool.cli.opening import in_repository, open_workspace
from dvtool.cli.options import PATH, dry_run_option, example, reporting
from dvtool.cli.output import Output
from dvtool.core.digest import format_digest
from dvtool.errors import UsageError

if TYPE_CHECKING:
    from dvtool.core.allow import Allowance, Kind


@click.command(
    "allow",
    epilog=example(
        'dvtool allow data/train.csv --exception --reason "sensor was down on 12 May"',
        'dvtool allow data/train.csv --new-normal --finding price.drift --reason "new tariff"',
    ),
)
@click.argument("path", type=PATH)
@click.option(
    "--finding", "findings", metavar="KEY", multiple=True, help="Accept this one; or all."
)
@click.option("--exception", "kind", flag_value="exception", help="For this once.")
@click.option(
    "--new-normal", "kind", flag_value="new-normal", help="The next ones will be like it."
)
@click.option("--reason", metavar="TEXT", default="", help="Why; needed.")
@click.option("--until", metavar="DATE", default="", help="Last day of an exception.")
@click.option("--staged", is_flag=True, help="The staged version, not the one in the work tree.")
@click.option("--rev", metavar="R", default="", help="The version in this commit.")
@click.option("--no-python", is_flag=True, help="Do not run schemas written in Python.")
@dry_run_option
@reporting
def command(
    path: str,
    findings: tuple[str, ...],
    kind: Kind | None,
    reason: str,
    until: str,
    staged: bool,
    rev: str,
    no_python: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Accept what was found in a version of a data set.

    Judges the version, writes a line for each finding that fails or is
    undecided into PATH.allow.yaml, and stages that file. The line holds for
    exactly these bytes. Commit it with the data: review decides about it.

    An exception is accepted for this once: later versions are neither compared
    with it nor learn from it. After a new normal they are.
    """
    from dvtool.cli.judging import wanted_option
    from dvtool.ops.allow import Accepting, allow

    if kind is None:
        raise UsageError(
            "say how it is accepted: --exception or --new-normal",
            hint="an exception is for this once, a new normal for all that follows",
        )
    if staged and rev:
        raise UsageError("--staged and --rev exclude each other")
    workspace = open_workspace(quiet=quiet or as_json)
    report = allow(
        workspace,
        in_repository(workspace, [path])[0],
        wanted_option(python=not no_python),
        Accepting(kind, reason, findings, _day(until)),
        staged=staged,
        rev=rev,
        dry_run=dry_run,
    )
    output = Output(as_json=as_json, quiet=quiet)
    output.data(
        {
            "dataset": report.dataset,
            "path": report.path,
            "entries": list(map(entry_json, report.entries)),
            "dry_run": dry_run,
        }
    )
    for one in report.accepted:
        column = f" {one.finding.column}:" if one.finding.column else ""
        output.text(f"{one.table}{column} {one.finding.message} [{one.finding.code}]")
    lines = f"{len(report.entries)} line{'s' * (len(report.entries) != 1)}"
    if dry_run:
        output.text(f"would write {lines} to {report.path}")
    else:
        output.text(f"{lines} written to {report.path} and staged; commit them with the data")


def entry_json(entry: Allowance) -> dict[str, object]:
    """Returns an entry as JSON values."""
    return {
        "finding": entry.finding,
        "kind": entry.kind,
        "reason": entry.reason,
        "until": entry.until and entry.until.isoformat(),
        "by": entry.by,
        "when": entry.when.isoformat(),
        "table": entry.table,
        "data": format_digest(entry.data),
    }


def _day(text: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise UsageError(
            f"--until takes a day, found {text!r}", hint="--until 2026-12-31"
        ) from error
