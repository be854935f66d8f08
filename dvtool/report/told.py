"""Findings one by one, each with the place in git where a reader is sent, and a lasting name.

All formats for machines go through `told`, so they agree on place, level, words and order. Texts
that come from data are made harmless for any format here; each format still escapes for itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.quality.findings import Finding, Outcome, Severity, Verdict, verdict
from dvtool.quality.judged import JudgedTable, Judgement
from dvtool.report.harmless import harmless
from dvtool.report.model import Report

Level = Literal["error", "warning", "note"]
LONGEST: Final = 2_000
"""Characters of a message; data can make one as long as they like."""
_LEVELS: Final[dict[Verdict, Level]] = {
    Verdict.FAIL: "error",
    Verdict.UNDECIDED: "warning",
    Verdict.WARN: "warning",
    Verdict.PASS: "note",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One finding, ready to be told.

    Attributes:
        dataset: Data set or file; empty for what belongs to none.
        table: The table in it; likewise.
        finding: As it was found.
        level: What it does: `error` fails, `warning` warns or leaves undecided, `note` says.
        path: The file to point at: the checks file that was violated, else the sidecar, which git
            has, else the data.
        line: 1-based.
        title: `age.nulls`.
        text: One line: place in the data, column, what was found and what was allowed.
        fingerprint: 64 hex digits; the same for the same cause in the same place, in any run.
    """

    dataset: str
    table: str
    finding: Finding
    level: Level
    path: str
    line: int
    title: str
    text: str
    fingerprint: str


def told(report: Report) -> Iterator[Told]:
    """Yields every finding: those beside the data sets first, then by table, worst first."""
    for finding in report.extra:
        yield _told(finding, "", "", finding.place.path)
    for judgement in report.judgements:
        for table in judgement.tables:
            for finding in table.findings:
                yield _of_table(judgement, table, finding)


def level_of(finding: Finding) -> Level:
    """Returns what a finding does, in the words that machines' formats share."""
    return _LEVELS[verdict([finding])]


def word_of(finding: Finding) -> str:
    """Returns what a finding does, in our own words: fail, undecided, warn, waived or note."""
    if finding.severity is Severity.NOTE:
        return "waived" if finding.waived else "note"
    if finding.outcome is Outcome.UNDECIDED:
        return "undecided"
    return verdict([finding]).value


def _of_table(judgement: Judgement, table: JudgedTable, finding: Finding) -> Told:
    # A file outside of git has no version; then there is no sidecar either.
    home = judgement.name + SIDECAR_SUFFIX if judgement.version else finding.place.path
    return _told(finding, judgement.name, table.name, home)


def _told(finding: Finding, dataset: str, table: str, home: str) -> Told:
    path, line = home, finding.place.line if home == finding.place.path else 1
    if finding.rule is not None:
        path, line = finding.rule.path, finding.rule.line
    column = f" {finding.column}:" if finding.column else ""
    text = f"{finding.place}{column} {finding.message}"
    if finding.outcome is Outcome.UNDECIDED and finding.severity is not Severity.NOTE:
        text = f"undecided: {text}"
    return Told(
        dataset=harmless(dataset),
        table=harmless(table),
        finding=finding,
        level=level_of(finding),
        path=harmless(path),
        line=max(line, 1),
        title=harmless(finding.key),
        text=_cut(harmless(text)),
        fingerprint=_fingerprint(finding, dataset, table),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _fingerprint(finding: Finding, dataset: str, table: str) -> str:
    """Returns a name that does not change with the figures, so that services know it again."""
    parts = (dataset, table or finding.place.path, finding.code, finding.column)
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()
