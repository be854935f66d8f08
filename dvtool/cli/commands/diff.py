"""`dvtool diff`."""

from __future__ import annotations

import click

from dvtool.cli.common import (
    PATH,
    Output,
    example,
    human_size,
    in_repository,
    open_workspace,
    reporting,
)
from dvtool.core.quote import display

SIGNS = {"added": "+", "removed": "-", "changed": "~", "renamed": ">", "mode": "m"}


AFTER_DASHES = "dvtool.diff.after-dashes"


class _Command(click.Command):
    """Knows, unlike click, which words stood behind `--`: those are paths, whatever they spell."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[AFTER_DASHES] = args[at + 1 :]
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command(
    "diff", cls=_Command, epilog=example("dvtool diff main -- data", "dvtool diff v1 v2")
)
@click.argument("words", nargs=-1, type=PATH, metavar="[A [B]] [--] [PATHS]")
@reporting
@click.pass_context
def command(
    context: click.Context,
    words: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> None:
    """Show what changed between versions.

    Without B the work tree's sidecars are meant, without A the commit HEAD.
    Files are compared, not rows: + added, - removed, ~ changed, > renamed.
    """
    from dvtool.ops.compare import diff, split_words

    workspace = open_workspace()
    behind: list[str] | None = context.meta.get(AFTER_DASHES)
    (old, new), typed = split_words(workspace, words, behind)
    found = diff(workspace, old, new, in_repository(workspace, typed))
    output = Output(as_json=as_json, quiet=quiet)
    output.data({"datasets": found})
    for one in found:
        size = f"{human_size(one.old_bytes)} -> {human_size(one.new_bytes)}"
        output.text(f"{one.dataset}: {one.kind}, {size}")
        for change in one.changes:
            name = display(change.path) if change.path else "(the file)"
            was = change.old
            if change.kind == "renamed" and was is not None:
                name = f"{display(was.path)} -> {name}"
            size_now = human_size((change.new or change.old).size)  # type: ignore[union-attr]
            output.text(f"  {SIGNS[change.kind]} {name}  {size_now}")
    if quiet and found:
        context.exit(1)
