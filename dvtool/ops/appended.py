"""Files that came behind the others of one table: each is judged by those before it.

A table of which a file is delivered every day has its history in itself: the days before are what the
next one is held against, as the versions of a single file are. How history judges is `history` beside
this module. Called by `judge`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dvtool.ops.causes import Held
from dvtool.ops.history import MOST_VERSIONS, judged_by_history
from dvtool.ops.profiler import Profiler, Spec
from dvtool.ops.subjects import FileBytes, PastFile
from dvtool.quality.checks.model import HistoryRule
from dvtool.quality.findings import Evidence, Finding
from dvtool.quality.judged import JudgedTable, sorted_findings
from dvtool.quality.judging import Opened
from dvtool.quality.tables.members import Members, size_of
from dvtool.quality.tables.union_findings import folded

MOST_FILES: Final = 12
"""New files that are judged by those before them, the last ones."""


def appended(file: FileBytes, before: FileBytes | None) -> list[str]:
    """Returns the files that are new behind all others of a table, by their paths in the data set."""
    if before is None or not before.members:
        return []
    old = [inside for inside in file.members if inside in before.members]
    last = max(old, default="")
    new = [inside for inside in file.members if inside not in before.members]
    return new if old and all(inside > last for inside in new) else []


def judged_by_files_before(
    judged: JudgedTable,
    file: FileBytes,
    new: list[str],
    *,
    source: Members,
    profiler: Profiler,
    spec: Spec,
    rule: HistoryRule,
    policy: str,
    opened: Opened,
) -> JudgedTable:
    """Returns a judged table with what the files before its new ones say about those.

    Args:
        judged: By everything else.
        file: The table.
        new: From `appended`.
        source: The files, opened.
        profiler: Gives their profiles.
        spec: How they are profiled.
        rule: `history:` of the checks.
        policy: `schema_change:` of the checks, empty for none.
        opened: What is open still.
    """
    tables = {one.inside: one for one in (opened.table.members if opened.table else ())}
    sizes = {one.inside: size_of(one.path) for one in source.files}
    findings = judged.findings
    for inside in new[-MOST_FILES:]:
        member = file.members[inside]
        profile = profiler.file(member, spec).profile
        if profile is None or inside not in tables:
            continue
        past = [
            PastFile(one.name, one, sizes[path])
            for path, one in file.members.items()
            if path < inside and path in tables
        ]
        told = judged_by_history(
            JudgedTable(member.name, findings, profile=profile),
            member,
            past[-MOST_VERSIONS:],
            profiler,
            spec,
            asked=False,
            rule=rule,
            policy=policy,
            held=Held(Opened(opened.engine, tables[inside].table, None), sizes[inside]),
        )
        findings = told.findings
    told_by_files = [_explained(one) for one in findings if _is_new(one, judged)]
    others = [one for one in findings if not _is_new(one, judged)]
    return replace(judged, findings=sorted_findings([*others, *folded(told_by_files)]))


def _is_new(finding: Finding, judged: JudgedTable) -> bool:
    return finding.evidence is Evidence.HISTORY and finding not in judged.findings


def _explained(finding: Finding) -> Finding:
    return finding.explained("the versions are the files before it")
