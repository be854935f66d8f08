"""A report as Markdown, for step summaries and comments on pull requests.

Verdict first, then a table of data sets, then findings, worst first. Kept below a limit in bytes:
what does not fit is counted. Text from data is escaped so that it can neither end a cell nor make
a link, an image, a mention or HTML.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from dvtool.quality.findings import Verdict, verdict
from dvtool.report.bounded import bounded
from dvtool.report.harmless import harmless
from dvtool.report.model import Report
from dvtool.report.told import Told, told, word_of

SUMMARY_BYTES: Final = 1 << 20
"""What GitHub takes as a step summary."""
COMMENT_BYTES: Final = 65_536
"""What GitHub takes as a comment, which it counts in characters."""
MARKS: Final = {
    Verdict.PASS: "✅",
    Verdict.WARN: "⚠️",
    Verdict.UNDECIDED: "❔",
    Verdict.FAIL: "❌",
    Verdict.NOT_JUDGED: "⚪",
}
_SHOWN_EXAMPLES: Final = 3
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@$:])")


def render(report: Report, *, limit_bytes: int = SUMMARY_BYTES) -> str:
    """Returns the text, at most `limit_bytes` long in UTF-8.

    Args:
        report: What to tell.
        limit_bytes: At least 1,000.
    """
    return bounded(_pieces(report), limit_bytes, _rest)


def _rest(left_out: Sequence[str]) -> str:
    count = sum(one.startswith("- ") for one in left_out)
    return f"\n… and {count} more findings, which the whole report has.\n"


def _pieces(report: Report) -> Iterator[str]:
    answer = report.verdict
    yield f"## {MARKS[answer]} {escaped(report.title)}: {answer.value}\n\n"
    rows = [(judgement, table) for judgement in report.judgements for table in judgement.tables]
    if rows:
        yield "| | table | verdict | rows | columns | compared with |\n|---|---|---|--:|--:|---|\n"
    for _, table in rows:
        baseline = escaped(table.baseline.name) if table.baseline else ""
        yield (
            f"| {MARKS[table.verdict]} | {escaped(table.name)} | {table.verdict.value} |"
            f" {table.rows:,} | {table.columns} | {baseline} |\n"
        )
    found = sorted(told(report), key=lambda one: _RANK[verdict([one.finding])])
    counts = Counter(word_of(one.finding) for one in found)
    if found:
        words = ", ".join(f"{counts[one]} {one}" for one in _WORDS if counts[one])
        yield f"\n### Findings ({words})\n\n"
    for one in found:
        yield _item(one)
    where = report.provenance
    if where.commit:
        base = f" relative to `{where.base[:12]}`" if where.base else ""
        yield f"\nCommit `{where.commit[:12]}`{base}, judged by dvtool {where.versions.get('dvtool', '')}\n"


_RANK: Final = {Verdict.FAIL: 0, Verdict.UNDECIDED: 1, Verdict.WARN: 2, Verdict.PASS: 3}
_WORDS: Final = ("fail", "undecided", "warn", "waived", "note")


def _item(one: Told) -> str:
    rule = f" ({escaped(f'{one.finding.rule}')})" if one.finding.rule else ""
    lines = [f"- **{word_of(one.finding)}** {escaped(one.text)} [{one.finding.code}]{rule}\n"]
    values = [each for each in one.finding.examples if each.value is not None]
    lines += [
        f"  - {escaped(str(each.place))}: {escaped(str(each.value)[:80])}\n"
        for each in values[:_SHOWN_EXAMPLES]
    ]
    if one.finding.hint:
        label = "" if one.finding.waived else "hint: "
        lines.append(f"  - {label}{escaped(one.finding.hint)}\n")
    return "".join(lines)


def escaped(text: str) -> str:
    """Returns a text that Markdown shows as it is, on one line."""
    plain = _SPECIAL.sub(r"\\\1", harmless(text))
    # A backslash does not stop GitHub from linking a mention or an issue; an entity does.
    return plain.replace("\\@", "&#64;").replace("\\#", "&#35;").replace("\\<", "&lt;")
