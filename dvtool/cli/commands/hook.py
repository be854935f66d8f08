"""`dvtool hook`, as people may type it; git's own calls do not come through here."""

from __future__ import annotations

import click

from dvtool.cli.hooking import run_hook


@click.command("hook", hidden=True)
@click.argument("name")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, name: str, arguments: tuple[str, ...]) -> None:
    """Look after data in a hook (called by git).

    NAME is pre-commit, pre-merge-commit, pre-push, post-checkout or post-merge
    with the arguments git gives; or, for the pre-commit program: check,
    large-files, push, checkout.
    """
    code = run_hook(name, arguments)
    if code:
        context.exit(code)
