"""A report as workflow commands of GitHub Actions, which become annotations beside the lines.

Format: GitHub documentation, "Workflow commands": properties escape `%`, line ends, `:` and `,`,
messages the first three. GitHub shows ten annotations of each level a step, so the eleventh and
those after it are counted in one more line of plain log.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from dvtool.report.harmless import harmless
from dvtool.report.model import Report
from dvtool.report.told import Level, Told, told

MOST: Final = 10
_COMMANDS: Final[dict[Level, str]] = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """Returns lines to print; empty when nothing was found."""
    shown: Counter[Level] = Counter()
    lines = []
    for one in told(report):
        shown[one.level] += 1
        if shown[one.level] <= MOST:
            lines.append(_line(one))
    left = sum(max(0, count - MOST) for count in shown.values())
    if left:
        lines.append(f"{left} more findings are in the log and in the report")
    return "".join(f"{line}\n" for line in lines)


def error_line(message: str, hint: str) -> str:
    """Returns a line about what kept the data from being judged at all."""
    text = f"{message}. {hint}" if hint else message
    return f"::error title=dvtool::{_message(harmless(text))}"


def _line(one: Told) -> str:
    properties = {"file": one.path, "line": str(one.line), "title": f"dvtool: {one.title}"}
    told_properties = ",".join(f"{name}={_property(text)}" for name, text in properties.items())
    return f"::{_COMMANDS[one.level]} {told_properties}::{_message(one.text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
