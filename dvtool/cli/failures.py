"""How failures look: one line what, one line hint, and the exit code from the error tree.

`--json` turns the same facts into one object on stdout. Called by `dvtool.cli.entry` only.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from dvtool.cli.entry import EXIT_BUG
from dvtool.errors import DvtoolError

if TYPE_CHECKING:
    import click

EXIT_USAGE = 2


def report_error(error: DvtoolError, *, as_json: bool) -> int:
    """Prints one of our errors and returns its exit code."""
    if as_json:
        _print_facts(error.slug, str(error), error.hint, error.exit_code)
    print(printable(f"error: {error}"), file=sys.stderr)
    if error.hint:
        print(printable(f"hint: {error.hint}"), file=sys.stderr)
    return error.exit_code


def report_usage(error: click.ClickException, *, as_json: bool) -> int:
    """Prints a mistake on the command line, with the way to the help page."""
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context is not None else ""
    message = printable(error.format_message())
    if as_json:
        _print_facts("usage", message, hint, EXIT_USAGE)
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"hint: {hint}", file=sys.stderr)
    return EXIT_USAGE


def report_bug(error: Exception, *, as_json: bool) -> int:
    """Prints that this is our mistake; the traceback only for who asks with DVTOOL_DEBUG=1."""
    if as_json:
        _print_facts("bug", f"{type(error).__name__}: {error}", "", EXIT_BUG)
    if os.environ.get("DVTOOL_DEBUG"):
        import traceback

        traceback.print_exception(error, file=sys.stderr)
    print(printable(f"error: dvtool has a bug: {type(error).__name__}: {error}"), file=sys.stderr)
    print("hint: DVTOOL_DEBUG=1 shows where; please report it with that output", file=sys.stderr)
    return EXIT_BUG


def _print_facts(slug: str, message: str, hint: str, exit_code: int) -> None:
    facts = {"error": slug, "message": message, "hint": hint, "exit_code": exit_code}
    print(json.dumps(facts))


def printable(text: str) -> str:
    """Returns `text` without lone surrogates, which no terminal encoding can print."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
