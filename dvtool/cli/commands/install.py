"""`dvtool install`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output

if TYPE_CHECKING:
    from dvtool.ops.install import InstallReport


@click.command(
    "install",
    epilog=example("dvtool install", "dvtool install --uninstall", "dvtool init --no-hooks"),
)
@click.option("--uninstall", is_flag=True, help="Take the hooks out again.")
@click.option("--force", is_flag=True, help="Replace hooks of dvtool that were edited.")
@reporting
@click.pass_context
def command(
    context: click.Context, uninstall: bool, force: bool, as_json: bool, quiet: bool
) -> None:
    """Add hooks to git, so that bad data stay out.

    pre-commit and pre-merge-commit judge what is staged, pre-push judges and
    uploads what the pushed commits need, post-checkout and post-merge bring
    data in line with the sidecars. Hooks that are there already are kept and
    run first; --uninstall puts them back. dvtool init does the same.

    Hooks catch accidents, and anybody can go round them with --no-verify. What
    enforces is a required check in CI: dvtool ci.
    """
    from dvtool.ops import install as verb

    git = open_workspace(must_be_ready=False).git
    report = (verb.uninstall if uninstall else verb.install)(git, force=force)
    output = Output(as_json=as_json, quiet=quiet)
    output.data({**_facts(report), "refused": {name: str(why) for name, why in report.refused}})
    say_hooks(output, report, removing=uninstall)
    if report.refused:
        context.exit(report.refused[0][1].exit_code)


def _facts(report: InstallReport) -> dict[str, object]:
    return {
        "folder": report.folder,
        "changed": report.changed,
        "kept": report.kept,
        "shared": report.shared,
    }


def say_hooks(output: Output, report: InstallReport, *, removing: bool = False) -> None:
    """Prints what was done to hooks; refusals go to stderr, also with `-q`."""
    verb = "removed from" if removing else "installed in"
    here = Path.cwd()
    folder = report.folder.relative_to(here) if here in report.folder.parents else report.folder
    if report.changed:
        output.text(f"hooks {verb} {folder}: {', '.join(report.changed)}")
    elif not report.refused:
        output.text("no hooks to remove" if removing else f"hooks are in {folder} already")
    if report.kept:
        done = "put back" if removing else "kept, and run first"
        output.text(f"hooks that were there before are {done}: {', '.join(report.kept)}")
    if report.shared and report.changed:
        output.text(
            "core.hooksPath leads there for other repositories too; in those without .dvtool"
            " the hooks do nothing"
        )
    for name, error in report.refused:
        click.echo(f"error: {name}: {error}", err=True)
        click.echo(f"hint: {error.hint}", err=True)
