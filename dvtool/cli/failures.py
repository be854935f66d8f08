"""How failures look: one line what, one line hint, and the exit code from the error tree.

`--json` turns the same facts into one object on stdout. Called by `dvtool.cli.entry` only.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

import click

from dvtool.errors import DvtoolError

EXIT_USAGE = 2
EXIT_BUG = 3


def report_error(error: DvtoolError, *, as_json: bool) -> int:
    """Prints one of our errors and returns its exit code."""
    if as_json:
        facts = {
            "error": error.slug,
            "message": str(error),
            "hint": error.hint,
            "exit_code": error.exit_code,
        }
        print(json.dumps(facts))
    print(printable(f"error: {error}"), file=sys.stderr)
    if error.hint:
        print(printable(f"hint: {error.hint}"), file=sys.stderr)
    return error.exit_code


def report_usage(error: click.ClickException) -> int:
    """Prints a mistake on the command line, with the way to the help page."""
    print(f"error: {error.format_message()}", file=sys.stderr)
    context = getattr(error, "ctx", None)
    if context is not None:
        print(f"hint: {context.command_path} --help", file=sys.stderr)
    return EXIT_USAGE


def report_bug(error: Exception) -> int:
    """Prints that this is our mistake; the traceback only for who asks with DVTOOL_DEBUG=1."""
    if os.environ.get("DVTOOL_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    print(printable(f"error: dvtool has a bug: {type(error).__name__}: {error}"), file=sys.stderr)
    print("hint: DVTOOL_DEBUG=1 shows where; please report it with that output", file=sys.stderr)
    return EXIT_BUG


def printable(text: str) -> str:
    """Returns `text` without lone surrogates, which no terminal encoding can print."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
