"""Options of commands that write reports, and what becomes of them.

Called by `check`, `ci` and `profile`.
"""

from __future__ import annotations

import datetime as dt
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dvtool.cli.output import Output
from dvtool.errors import UsageError

if TYPE_CHECKING:
    from dvtool.report.model import Report

F = TypeVar("F", bound=Callable[..., Any])
STDOUT = "-"


class FormatFile(click.ParamType[tuple[str, str]]):
    """`NAME=FILE`, such as `sarif=out/dvtool.sarif`; `-` for stdout."""

    name = "name=file"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        from dvtool.ops.report import FORMATS

        name, sign, target = str(value).partition("=")
        if name not in FORMATS:
            self.fail(f"no report format {name!r}: one of {', '.join(FORMATS)}", param, ctx)
        if not sign or not target:
            self.fail(f"{value!r} names no file: write {name}=FILE, or {name}=- for stdout")
        return name, target


report_option = click.option(
    "--report",
    "report_dir",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write an HTML page into this folder.",
)
format_option = click.option(
    "--format",
    "formats",
    metavar="NAME=FILE",
    type=FormatFile(),
    multiple=True,
    help="Write html, markdown, junit, sarif, gitlab, github or jsonlines; FILE may be -.",
)


def report_options(function: F) -> F:
    """Adds `--report` and `--format`."""
    return report_option(format_option(function))


def command_line() -> str:
    """Returns the command as it was typed, for a report's provenance."""
    return shlex.join(["dvtool", *sys.argv[1:]])


def now_text() -> str:
    """Returns the time of a report: UTC, ISO 8601, to the second."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shows_pictures(directory: Path | None, formats: Sequence[tuple[str, str]]) -> bool:
    """Tells whether any form that was asked for draws: then pictures are worth gathering."""
    return directory is not None or any(name == "html" for name, _ in formats)


def write_reports(
    report: Report, directory: Path | None, formats: Sequence[tuple[str, str]], output: Output
) -> None:
    """Writes a report as the options say, and tells where.

    Raises:
        UsageError: Something else stands where a report should go.
        StoreFailed: A file cannot be written.
    """
    from dvtool.ops.report import rendered, write_page, write_text

    if output.as_json and any(target == STDOUT for _, target in formats):
        raise UsageError("--json and a report on stdout exclude each other")
    if directory is not None:
        output.text(f"report: {write_page(report, directory)}")
    for name, target in formats:
        text = rendered(report, name)
        if target == STDOUT:
            sys.stdout.write(text)
        else:
            write_text(text, Path(target))
            output.text(f"report: {target}")
