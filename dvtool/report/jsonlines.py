"""A report as JSON lines: one object about the run, one a table, one a finding.

For logs and for programs that read as they go. The whole judgement in one object is what `--json`
prints.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dvtool.quality.judged import finding_json
from dvtool.report.harmless import harmless
from dvtool.report.model import Report
from dvtool.report.told import told


def render(report: Report) -> str:
    """Returns one JSON object a line; keys `type` and `verdict` are in each."""
    lines = (json.dumps(one, ensure_ascii=True, allow_nan=False) for one in _objects(report))
    return "".join(f"{line}\n" for line in lines)


def _objects(report: Report) -> Iterator[dict[str, Any]]:
    where = report.provenance
    yield {
        "type": "report",
        "verdict": report.verdict.value,
        "title": harmless(report.title),
        "commit": where.commit,
        "base": where.base,
        "branch": harmless(where.branch),
        "time": where.time,
        "versions": dict(where.versions),
    }
    for judgement in report.judgements:
        for table in judgement.tables:
            yield {
                "type": "table",
                "verdict": table.verdict.value,
                "dataset": harmless(judgement.name),
                "version": judgement.version,
                "table": harmless(table.name),
                "rows": table.rows,
                "columns": table.columns,
                "baseline": table.baseline and harmless(table.baseline.name),
            }
    for one in told(report):
        facts = finding_json(one.finding)
        yield {
            "type": "finding",
            "verdict": facts["verdict"],
            "dataset": one.dataset,
            "table": one.table,
            "level": one.level,
            "path": one.path,
            "line": one.line,
            "fingerprint": one.fingerprint,
            "finding": facts,
        }
