"""A report as GitLab's code quality artefact: an array of issues, each at a file and a line.

Format: GitLab documentation, "Code quality report format", a part of the Code Climate format.
"""

from __future__ import annotations

import json
from typing import Final

from dvtool.report.model import Report
from dvtool.report.told import Level, told

_SEVERITY: Final[dict[Level, str]] = {"error": "critical", "warning": "minor", "note": "info"}


def render(report: Report) -> str:
    """Returns the artefact; an empty array when nothing was found."""
    seen: dict[str, int] = {}
    issues = []
    for one in told(report):
        # GitLab drops issues with a fingerprint it has met already.
        count = seen[one.fingerprint] = seen.get(one.fingerprint, -1) + 1
        issues.append(
            {
                "description": one.text,
                "check_name": f"dvtool.{one.finding.code}",
                "fingerprint": one.fingerprint + (f"-{count}" if count else ""),
                "severity": _SEVERITY[one.level],
                "location": {"path": one.path, "lines": {"begin": one.line}},
            }
        )
    return json.dumps(issues, indent=1, ensure_ascii=True) + "\n"
