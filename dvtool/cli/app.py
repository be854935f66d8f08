"""The command group: which verbs there are, loaded one at a time.

`COMMANDS` is the table of contents; the help page and the generated reference follow its order.
Importing a verb's module is what costs, so nothing is imported before its verb is called.
"""

from __future__ import annotations

import importlib
import keyword
import os

import click

from dvtool import __version__
from dvtool.cli.opening import check_folder

SECTIONS: dict[str, dict[str, str]] = {
    "Track": {
        "init": "Make a git repository ready for data",
        "clone": "Clone a git repository and pull its data",
        "add": "Store files and write their sidecar",
        "rm": "Stop tracking a data set",
        "mv": "Move or rename a data set",
        "status": "Show what differs from the sidecars",
        "checkout": "Write a version's files",
        "list": "List data sets, or the files in one",
        "diff": "Show what changed between versions",
        "log": "Show the versions of a data set",
    },
    "Share": {
        "remote": "Manage remotes",
        "push": "Upload what commits need",
        "fetch": "Download bytes into the store",
        "pull": "Download bytes and write the files",
        "get": "Copy data out of any repository",
        "import": "Track data of another repository or a URL",
        "update": "Bring what is new where data were imported from",
        "migrate": "Move here from DVC or git-lfs",
        "export": "Write data or checks as another tool keeps them",
    },
    "Judge": {
        "allow": "Accept what was found in a version of a data set",
        "check": "Judge data by structure, checks and change",
        "drift": "Show how far columns moved",
        "profile": "Show what the columns of a table hold",
        "suggest": "Write a draft of checks for a table",
    },
    "Gate": {
        "install": "Add hooks to git, so that bad data stay out",
        "ci": "Judge a change before it is merged",
    },
    "Care": {
        "verify": "Prove that bytes are there and whole",
        "gc": "Remove what nobody needs",
        "purge": "Remove data from a remote on purpose",
        "doctor": "Look for what could go wrong",
        "debug": "Look under the hood",
        "config": "Show or change settings",
        "resolve": "Finish a merge of a data set",
        "demo": "Try everything in a scratch directory",
    },
    "Internal": {
        "hook": "Look after data in a hook (called by git)",
        "merge-driver": "Merge two sidecars (called by git)",
        "textconv": "Print a sidecar for git diff (called by git)",
    },
}
COMMANDS: dict[str, str] = {
    name: summary for verbs in SECTIONS.values() for name, summary in verbs.items()
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and first lines without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # No module can be called `import`.
        name = cmd_name.replace("-", "_") + "_" * keyword.iskeyword(cmd_name)
        module = importlib.import_module(f"dvtool.cli.commands.{name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"no command {args[0]!r}{hint}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, verbs in SECTIONS.items():
            if title != "Internal":
                with formatter.section(title):
                    formatter.write_dl(list(verbs.items()))


def _change_directory(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None and not ctx.resilient_parsing:
        os.chdir(value)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="dvtool %(version)s")
@click.option(
    "-C",
    "directory",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    expose_value=False,
    is_eager=True,
    callback=_change_directory,
    help="Run as if started in DIR.",
)
def app() -> None:
    """Version large data with git.

    Git keeps small sidecar files; the bytes live in a store on this machine
    and in an object-storage remote. Start with: dvtool demo
    """
    check_folder()
