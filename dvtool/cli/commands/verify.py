"""`dvtool verify`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output, count
from dvtool.core.quote import display

if TYPE_CHECKING:
    from dvtool.ops.verify import VerifyReport

MISSING, CORRUPT = 6, 7


class Percent(click.ParamType[float]):
    """A share as people write it, `1%` or `0.5%`, as a number above 0 up to 1."""

    name = "percent"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)%", str(value))
        if match is None or not 0 < (share := float(match[1] + "e-2")) <= 1:
            self.fail(f"expected a share such as 1%, found {value!r}", param, ctx)
        return share


@click.command(
    "verify",
    epilog=example(
        "dvtool verify",
        "dvtool verify --remote main..HEAD",
        "dvtool verify --remote --read-data --sample 1%",
    ),
)
@click.argument("ranges", nargs=-1, metavar="[A..B]")
@click.option("--remote", "at_remote", is_flag=True, help="Look at the remote, not in the store.")
@click.option("--read-data", is_flag=True, help="Read every byte at the remote.")
@click.option("--sample", type=Percent(), help="With --read-data: read only so much, at random.")
@click.option("--seed", type=click.IntRange(min=0), help="Draw the sample of an earlier run again.")
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
    sample: float | None,
    seed: int | None,
    rebuild_index: bool,
    repair: bool,
    name: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Prove that bytes are there and whole.

    Alone: re-hashes everything in the store. With a range, or --remote: can
    every commit (of all branches and tags, or of A..B) be restored?

    Not this one: check judges what is in the data, status says what differs
    on disk.
    """
    from dvtool.ops.verify import (
        rebuild_remote_index,
        verify_range,
        verify_remote_data,
        verify_store,
    )

    if rebuild_index and not at_remote:
        raise click.UsageError("--rebuild-index goes with --remote")
    if sample is not None and not (at_remote and read_data):
        raise click.UsageError("--sample goes with --remote --read-data")
    if seed is not None and sample is None:
        raise click.UsageError("--seed goes with --sample")

    workspace = open_workspace(quiet=quiet or as_json, past_ok=True)
    reports: list[VerifyReport] = []
    if rebuild_index:
        reports.append(rebuild_remote_index(workspace, remote_name=name))
    if at_remote and read_data:
        reports.append(
            verify_remote_data(
                workspace, remote_name=name, repair=repair, share=sample or 1.0, seed=seed
            )
        )
    elif not at_remote and not ranges:
        reports.append(verify_store(workspace, repair=repair))
    if at_remote or ranges:
        reports.append(verify_range(workspace, ranges, remote_name=name, at_remote=at_remote))
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"reports": reports})
    for report in reports:
        for problem in report.problems:
            output.text(f"{'repaired' if problem.repaired else 'BAD'}: {problem}")
        for gap in report.incomplete:
            output.text(
                f"INCOMPLETE: commit {gap.commit[:12]}: {', '.join(display(os.fsencode(name)) for name in gap.datasets)}"
            )
        output.text(_summary(report))
    left = [problem for report in reports for problem in report.unrepaired]
    if left:
        missing = all("is not in" in problem.what for problem in left)
        context.exit(MISSING if missing else CORRUPT)


def _summary(report: VerifyReport) -> str:
    checked = count(report.checked, "object")
    if report.sample is not None:
        checked = (
            f"a sample of {report.checked} of {count(report.sample.records, 'record')}"
            f" ({100 * report.sample.share:.6g}%, --seed {report.sample.seed})"
        )
    line = f"{checked} checked, {count(len(report.unrepaired), 'problem')}"
    if report.commits is not None:
        whole = report.commits - len(report.incomplete)
        line += f"; {whole} of {count(report.commits, 'commit')} can be restored"
    return line
