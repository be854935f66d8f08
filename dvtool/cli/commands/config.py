"""`dvtool config`."""

from __future__ import annotations

import click

from dvtool.cli.opening import open_workspace
from dvtool.cli.options import example, reporting
from dvtool.cli.output import Output, plain


@click.command("config", epilog=example("dvtool config", "dvtool config --local jobs 16"))
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--local", is_flag=True, help="Only in this clone, not in .dvtool.")
@click.option("--unset", is_flag=True, help="Remove the key.")
@reporting
def command(
    key: str | None, value: str | None, local: bool, unset: bool, as_json: bool, quiet: bool
) -> None:
    """Show or change settings.

    Without VALUE shows what holds, all sources together. Committed settings
    stand in .dvtool, those of one clone in git's own configuration.
    """
    from dvtool.ops.configure import change_setting, settings_shown

    workspace = open_workspace()
    if key is not None and (value is not None or unset):
        change_setting(workspace, key, None if unset else value, local=local)
        return
    shown = settings_shown(workspace, key)
    output = Output(as_json=as_json, quiet=quiet)
    output.data(shown)
    for name, item in shown.items():
        output.text(f"{name} = {plain(item)}")
