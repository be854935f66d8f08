"""A report as JUnit XML, which nearly every CI service shows.

A suite a table, a case a finding: a failure when it fails, skipped when it is undecided, passed with
the words in the output when it only warns. A table without findings is one case that passed, so
that no table is missing from the count. Valid by the schema that Jenkins publishes (junit-10.xsd)
and by the stricter one of Ant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from dvtool.quality.findings import Outcome
from dvtool.report.model import Report
from dvtool.report.told import Told, told

_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def render(report: Report) -> str:
    """Returns the document."""
    by_table: dict[str, list[Told]] = {}
    for judgement in report.judgements:
        for table in judgement.tables:
            by_table.setdefault(table.name, [])
    for one in told(report):
        by_table.setdefault(one.finding.place.path if not one.table else one.table, []).append(one)
    suites = [
        _suite(report, number, name, found) for number, (name, found) in enumerate(by_table.items())
    ]
    body = "".join(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{body}</testsuites>\n'


def _suite(report: Report, number: int, name: str, found: Sequence[Told]) -> str:
    failures = sum(one.level == "error" for one in found)
    skipped = sum(_is_open(one) for one in found)
    cases = list(_cases(name, found))
    facts = {
        "id": str(number),
        "name": name,
        "package": "dvtool",
        "hostname": "localhost",
        "timestamp": report.provenance.time[:19] or "1970-01-01T00:00:00",
        "tests": str(len(cases)),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(skipped),
        "time": "0",
    }
    out = "\n".join(f"{one.level}: {one.text}" for one in found)
    return (
        f"<testsuite {_attributes(facts)}>\n<properties/>\n{''.join(cases)}"
        f"<system-out>{_text(out)}</system-out>\n<system-err/>\n</testsuite>\n"
    )


def _cases(name: str, found: Sequence[Told]) -> Iterator[str]:
    if not found:
        yield f"<testcase {_attributes({'name': 'verdict', 'classname': name, 'time': '0'})}/>\n"
    for one in found:
        facts = _attributes({"name": one.title, "classname": name, "time": "0"})
        if one.level == "error":
            about = _attributes({"message": one.text, "type": one.finding.code})
            body = f"<failure {about}>{_text(_more(one))}</failure>"
        elif _is_open(one):
            body = "<skipped/>"
        else:
            body = ""
        yield f"<testcase {facts}>{body}</testcase>\n"


def _more(one: Told) -> str:
    """Returns the words of a failure: rule and hint, and the places of examples."""
    lines = [one.text, f"rule: {one.path}:{one.line}"]
    lines += [
        f"{example.place}: {example.value}"
        for example in one.finding.examples
        if example.value is not None
    ]
    if one.finding.hint:
        lines.append(f"hint: {one.finding.hint}")
    return "\n".join(lines)


def _is_open(one: Told) -> bool:
    return one.finding.outcome is Outcome.UNDECIDED and one.level != "error"


def _attributes(facts: dict[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(_legal(text))}" for name, text in facts.items())


def _text(text: str) -> str:
    return escape(_legal(text))


def _legal(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)
