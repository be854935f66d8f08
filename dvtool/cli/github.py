"""What a job on GitHub Actions is told: annotations, the summary of its step, and nothing by accident.

GitHub reads commands out of the log, so text that comes from a repository is printed where it reads
none. Elsewhere all of this does nothing. Called by `dvtool.cli.commands.ci`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from dvtool.cli.output import Output
from dvtool.errors import DvtoolError

if TYPE_CHECKING:
    from dvtool.cli.surroundings import Surroundings
    from dvtool.report.model import Report

LEAST_ROOM = 1000
"""Bytes below which a summary is not worth beginning."""


@contextmanager
def no_commands_within(surroundings: Surroundings, output: Output) -> Iterator[None]:
    """Has GitHub take what is printed for text: a file could be called like a command."""
    if surroundings.host != "github":
        yield
        return
    token = secrets.token_hex(16)
    output.text(f"::stop-commands::{token}")
    yield
    output.text(f"::{token}::")


@contextmanager
def told_on_github(surroundings: Surroundings, output: Output) -> Iterator[None]:
    """Makes an error that keeps a change from being judged an annotation as well."""
    try:
        yield
    except DvtoolError as error:
        if surroundings.host == "github":
            from dvtool.report.github import error_line

            output.text(error_line(str(error), error.hint))
        raise


def tell_github(report: Report, surroundings: Surroundings, output: Output) -> None:
    """Prints annotations, and appends to the summary of the step as much as there is room for."""
    if surroundings.host != "github":
        return
    from dvtool.ops.report import rendered
    from dvtool.report.markdown import SUMMARY_BYTES, render

    for line in rendered(report, "github").splitlines():
        output.text(line)
    if surroundings.summary is None:
        return
    # The exit code tells as well; a summary is a convenience.
    with suppress(OSError), surroundings.summary.open("ab") as file:
        room = SUMMARY_BYTES - file.tell()
        if room > LEAST_ROOM:
            file.write(render(report, limit_bytes=room).encode("utf-8", "backslashreplace"))
