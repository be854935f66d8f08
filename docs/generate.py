"""Writes the two reference pages that code already knows: `cli.md` and `exit-codes.md`.

Run as `python docs/generate.py` to write them, with `--check` to learn whether they are up to
date. Nothing here is part of the program; `tests/docs/test_reference.py` calls the same functions.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from dvtool import errors
from dvtool.cli.app import SECTIONS, app
from dvtool.cli.entry import EXIT_BUG, EXIT_CLOSED_PIPE, EXIT_INTERRUPTED
from dvtool.errors import DvtoolError

HERE = Path(__file__).parent
HELP_COLUMNS = 80
"""Help pages are rendered as on a terminal of this width, whatever the real one is."""

_CLI_HEAD = """\
# Commands

Every command with its complete help page, in the order of `dvtool --help`. Paths are relative to the
current directory; a path may name a data set, its sidecar, a file or folder inside a data set, or a
folder that holds several. Results go to stdout, everything else to stderr. What exit codes mean is
in [exit-codes.md](exit-codes.md).

With `--json` a command prints one JSON object instead of text. When it fails with one of the
[errors](exit-codes.md) that have a slug, the object has the keys `error` (the slug), `message`,
`hint` and `exit_code`; a mistake in the command line itself is told on stderr only.
"""
_CODES_HEAD = """\
# Exit codes

Each failure is one line `error: …` on stderr, mostly followed by `hint: …` with the next step. The
exit code tells a script what kind of failure it was; `--json` adds the slug.

| code | slug | meaning |
|---|---|---|
"""
_CODES_FOOT = """
`dvtool check` ends with 11 when something could not be decided and nothing failed; `dvtool ci` only with
`--strict`, or where `gate.merge` names `undecided`.

`dvtool verify` ends with 6 when objects are missing and with 7 when some are damaged. Where several
failures of one kind are met, all work that does not depend on them is done first, and one error
lists them.
"""
_PLAIN_CODES = (
    (0, "", "Done, or: the answer is yes."),
    (
        1,
        "",
        "The answer is no: `status -q` or `diff -q` found a difference, `doctor` found something"
        " that needs care, `resolve` left a conflict, `check` found a failure, `ci` lets no merge"
        " through.",
    ),
    (EXIT_BUG, "", "dvtool has a bug. `DVTOOL_DEBUG=1` shows where; please report it."),
    (EXIT_INTERRUPTED, "", "Interrupted (Ctrl-C). The same command goes on where it stopped."),
    (EXIT_CLOSED_PIPE, "", "The reader of a pipe went away, as `head` does."),
)


def pages() -> dict[str, str]:
    """Returns the generated pages: file name to text."""
    return {"cli.md": cli_page(), "exit-codes.md": exit_codes_page()}


def cli_page() -> str:
    """Returns the command reference: one help page a command."""
    parts = [_CLI_HEAD, _section(2, "dvtool", _root_context())]
    for title, verbs in SECTIONS.items():
        parts.append(f"## {title}\n")
        if title == "Internal":
            parts.append("Called by git, set up by `dvtool init`; not for people.\n")
        for name in verbs:
            parts += [_section(3, context.command_path, context) for context in contexts(name)]
    return "\n".join(parts)


def contexts(name: str) -> Iterator[click.Context]:
    """Yields the context of a command, and those of its own commands if it has some."""
    root = _root_context()
    command = app.get_command(root, name)
    assert command is not None, name
    context = click.Context(command, info_name=name, parent=root)
    yield context
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None, inner
            yield click.Context(found, info_name=inner, parent=context)


def _root_context() -> click.Context:
    settings = {"terminal_width": HELP_COLUMNS, "max_content_width": HELP_COLUMNS}
    return click.Context(app, info_name="dvtool", **{**app.context_settings, **settings})


def _section(level: int, title: str, context: click.Context) -> str:
    help_page = context.command.get_help(context)
    text = "\n".join(line.rstrip() for line in help_page.splitlines()).strip()
    return f"{'#' * level} {title}\n\n```text\n{text}\n```\n"


def exit_codes_page() -> str:
    """Returns the table of exit codes, errors in the order of the tree in `dvtool/errors.py`."""
    rows = [*_PLAIN_CODES, *_error_codes()]
    rows.sort(key=lambda row: row[0])
    lines = [f"| {code} | {f'`{slug}`' if slug else ''} | {text} |" for code, slug, text in rows]
    return _CODES_HEAD + "\n".join(lines) + "\n" + _CODES_FOOT


def _error_codes() -> Iterator[tuple[int, str, str]]:
    for value in vars(errors).values():
        if inspect.isclass(value) and issubclass(value, DvtoolError) and value is not DvtoolError:
            text = (inspect.getdoc(value) or "").splitlines()[0]
            hint = f" Hint: {value.default_hint}." if value.default_hint else ""
            yield value.exit_code, value.slug, text + hint


def main(argv: list[str] | None = None) -> int:
    """Writes the pages; with `--check` returns 1 when one of them is out of date."""
    parser = argparse.ArgumentParser(description="Write docs/cli.md and docs/exit-codes.md")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when outdated")
    only_check = parser.parse_args(argv).check
    outdated = []
    for name, text in pages().items():
        path = HERE / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            outdated.append(name)
            if not only_check:
                path.write_text(text, encoding="utf-8")
    for name in outdated:
        sys.stdout.write(f"{'outdated' if only_check else 'wrote'}: docs/{name}\n")
    return 1 if only_check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
