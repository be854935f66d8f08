"""A report as SARIF 2.1.0, which GitHub code scanning and other services read.

Format: OASIS, Static Analysis Results Interchange Format 2.1.0. Each code of a finding is a rule;
places are files of the repository, the examples' places in the data stand in the message.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from dvtool import __version__
from dvtool.quality.findings import Verdict
from dvtool.report.model import Report
from dvtool.report.told import Told, told

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
HOME: Final = "https://github.com/dvtool/dvtool"


def render(report: Report) -> str:
    """Returns one run with a result a finding."""
    found = list(told(report))
    codes = sorted({one.finding.code for one in found})
    places = {code: number for number, code in enumerate(codes)}
    driver = {
        "name": "dvtool",
        "semanticVersion": __version__,
        "informationUri": HOME,
        "rules": [_rule(code) for code in codes],
    }
    run: dict[str, Any] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": report.verdict is not Verdict.NOT_JUDGED}],
        "results": [_result(one, places[one.finding.code]) for one in found],
    }
    if report.provenance.commit:
        run["properties"] = {"commit": report.provenance.commit, "base": report.provenance.base}
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


def _rule(code: str) -> dict[str, Any]:
    words = code.replace("-", " ")
    return {
        "id": code,
        "name": "".join(part.capitalize() for part in code.split("-")),
        "shortDescription": {"text": f"{words[:1].upper()}{words[1:]}."},
        "helpUri": f"{HOME}/blob/main/docs/checks.md",
    }


def _result(one: Told, number: int) -> dict[str, Any]:
    text = f"{one.text}. {one.finding.hint}." if one.finding.hint else f"{one.text}."
    return {
        "ruleId": one.finding.code,
        "ruleIndex": number,
        "level": one.level,
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(one.path), "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": one.line},
                }
            }
        ],
        "partialFingerprints": {"dvtoolFinding/v1": one.fingerprint},
    }
