"""The past of a table: which earlier versions it is judged by, and their profiles.

Here files become versions: those of a folder or pattern, by name, or those of first-parent history.
Figures and findings are `dvtool.quality.history`. Called by `judge` and `backtest`.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dvtool.errors import InvalidText, ObjectMissing, UsageError
from dvtool.ops import baselines, subjects
from dvtool.ops.subjects import FileBytes, PastFile, Subject
from dvtool.ops.uniting import united
from dvtool.ops.versions import selected_sidecars
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Finding, Severity
from dvtool.quality.judged import JudgedTable, sorted_findings
from dvtool.quality.tables.endings import is_table

if TYPE_CHECKING:
    from dvtool.ops.baselines import BaselineVersion
    from dvtool.ops.causes import Held
    from dvtool.ops.profiler import Profiler, Spec
    from dvtool.quality.checks.model import HistoryRule
    from dvtool.quality.history.judging import History, HistorySpec
    from dvtool.quality.history.portrait import Portrait
    from dvtool.quality.history.version import Remembered, Version
    from dvtool.quality.profile.model import Profile

MOST_VERSIONS: Final = 30
"""Versions a table is judged by, the newest ones."""
COMPUTED_BYTES: Final = 32 << 20
"""Larger old versions are judged by only where their profile is kept; nobody waits for the past."""
MOST_REPLAYED: Final = 60
"""Versions a back-test replays, the newest ones."""
MOST_FILES: Final = 200
"""Data sets of more files are not judged file by file against their history."""


def files_in_order(pattern: str, *, but: Collection[Path] = ()) -> tuple[PastFile, ...]:
    """Returns the files of a folder or a glob pattern, by name: the first is the oldest version.

    Args:
        pattern: As typed.
        but: The judged files, which are never part of their own past.

    Raises:
        UsageError: No table is there.
    """
    folder = Path(pattern)
    found = sorted(folder.iterdir()) if folder.is_dir() else sorted(map(Path, glob.glob(pattern)))
    judged = {one.resolve() for one in but}
    tables = [
        one for one in found if one.is_file() and is_table(one.name) and one.resolve() not in judged
    ]
    if not tables:
        raise UsageError(
            f"no table at {pattern}",
            hint="--history takes a folder or a pattern of earlier files: 'batches/*.csv'",
        )
    return tuple(PastFile(one.name, subjects.plain_file(one, name=str(one))) for one in tables)


def with_past(
    workspace: Workspace, subject: Subject, teaching: Iterator[BaselineVersion]
) -> Subject:
    """Returns a subject with the accepted versions that its tables are judged by.

    Args:
        workspace: Where.
        subject: What is judged.
        teaching: The accepted versions before it that teach, newest first.
    """
    if not has_past(subject):
        return subject
    past: dict[str, list[PastFile]] = {}
    told: list[str] = []
    for version in islice(teaching, MOST_VERSIONS):
        with suppress(ObjectMissing):
            tree = workspace.tree(version.sidecar)
            files = subjects.stored_files(workspace.store, subject.name, tree)
            files = united(files, subject.checks)
            missing = set(subjects.missing_files(workspace.store, files))
            told.append(f"{version.baseline.name} {sorted(version.resets)} {len(missing)}")
            for path in subject.files:
                if path not in subject.settled and path in files and version.teaches_from(path):
                    resets = version.resets_in(path)
                    paths = files[path].members or [path]
                    size = sum(tree[os.fsencode(inside)].size for inside in paths)
                    one = PastFile(version.baseline.name, files[path], size, resets)
                    past.setdefault(path, []).insert(0, one)
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()
    inputs = subject.inputs and {**subject.inputs, "history": digest}
    return replace(subject, past={path: tuple(one) for path, one in past.items()}, inputs=inputs)


def committed_past(
    workspace: Workspace, path: str
) -> tuple[tuple[PastFile, ...], Spec, HistoryRule]:
    """Returns the accepted versions of a data set of one file, or of one file in a data set.

    Oldest first; with them: how to profile them, and `history:` of the checks.

    Args:
        workspace: Where.
        path: The file, relative to the top.

    Raises:
        UsageError: It is a directory, whose files have a past each.
        UnknownRevision: No data set is there.
    """
    from dvtool.ops.profiler import Spec, spec_for
    from dvtool.quality.checks.model import HistoryRule
    from dvtool.quality.checks.parsing import parse_checks, table_for

    one, now = selected_sidecars(workspace, None, [path])[0]
    dataset, inside = one.dataset, os.fsdecode(one.inside)
    if one.path != path or (now.kind == "directory" and one.inside not in workspace.tree(now)):
        raise UsageError(
            f"{path} is a directory",
            hint="a back-test takes one file, tracked alone or in a data set, a folder of batches or"
            " a pattern",
        )
    found: list[PastFile] = []
    for version in baselines.teaching(workspace, dataset, None):
        if len(found) >= MOST_REPLAYED:
            break
        tree = workspace.tree(version.sidecar)
        if one.inside in tree and version.teaches_from(inside):
            file = subjects.stored_files(workspace.store, dataset, tree)[inside]
            size, resets = tree[one.inside].size, version.resets_in(inside)
            found.insert(0, PastFile(version.baseline.name, file, size, resets))
    checks = subjects.checks_at(workspace, dataset, None)
    parsed = None if checks is None else parse_checks(checks.text, source=checks.path)
    spec = None if parsed is None else table_for(parsed, inside)
    rule = HistoryRule() if spec is None else spec.history
    return tuple(found), spec_for([parsed], inside) or Spec(), rule


def has_past(subject: Subject) -> bool:
    """Tells whether any table of a subject is to be judged by its history."""
    if subject.file_count > MOST_FILES:
        return False
    if subject.checks is None or "history" not in subject.checks.text:
        return True  # parsing takes longer than all else that unchanged data need
    from dvtool.quality.checks.parsing import parse_checks

    try:
        parsed = parse_checks(subject.checks.text, source=subject.checks.path)
    except InvalidText:
        return True  # told by whoever judges by them
    return any(not one.history.off for one in parsed.tables) or not parsed.tables


def spec_of(rule: HistoryRule | None) -> HistorySpec:
    """Returns how to judge by history, as the checks say."""
    from dvtool.quality.history.judging import HistorySpec

    return HistorySpec() if rule is None else HistorySpec(rule.false_alarms, rule.min_versions)


def versions_of(
    past: Sequence[PastFile], profiler: Profiler, spec: Spec
) -> tuple[list[Version], list[str]]:
    """Returns the past with profiles, oldest first, and the names of versions that have none."""
    from dvtool.quality.history.version import Version

    found, gaps = [], []
    for one in past:
        profile = _profile(one, profiler, spec)
        if profile is None:
            gaps.append(one.name)
        else:
            found.append(Version(one.name, profile, frozenset(one.resets)))
    return found, gaps


def _profile(one: PastFile, profiler: Profiler, spec: Spec) -> Profile | None:
    profile = profiler.known(one.file, spec)
    if profile is None and one.size_bytes <= COMPUTED_BYTES:
        profile = profiler.file(one.file, spec).profile
    return profile


def past_of(
    past: Sequence[PastFile], profiler: Profiler, spec: Spec, rule: HistoryRule
) -> tuple[History, list[str]]:
    """Returns what is remembered of a past, and the names of versions without a profile.

    It follows from the profiles alone, so a clone keeps it: the next judgement reads none of them. Of
    another past that has versions in common with it, their portraits are read.
    """
    from dvtool.ops.profiler import LEARNT_BYTES
    from dvtool.quality.history.judging import History
    from dvtool.quality.history.keeping import recalled, remembered

    name = _name_of(past, profiler, spec, rule)
    folder = profiler.pasts if name else None
    kept = folder.get(name) if folder is not None else None
    known = recalled(kept) if kept is not None else None
    if known is not None:
        return known, []
    versions, gaps = _remembered(past, profiler, spec)
    made = History(versions, spec_of(rule))
    if folder is not None and made.is_decided and not gaps:
        folder.put(name, remembered(made))
        folder.trim(most_bytes=LEARNT_BYTES)
    return made, gaps


def _remembered(
    past: Sequence[PastFile], profiler: Profiler, spec: Spec
) -> tuple[list[Remembered], list[str]]:
    """Returns the past as portraits, oldest first, and the names of versions without a profile.

    Each profile is read once in the life of a clone, or never where its version was judged here.
    """
    from dvtool.quality.history.keeping import known_portrait
    from dvtool.quality.history.portrait import portrait_of
    from dvtool.quality.history.version import Remembered

    found, gaps = [], []
    folder = profiler.portraits
    for one in past:
        name = _portrait_name(one.file, profiler, spec)
        kept = folder.get(name) if folder is not None and name else None
        portrait = known_portrait(kept, one.name) if kept is not None else None
        if portrait is None:
            profile = _profile(one, profiler, spec)
            if profile is None:
                gaps.append(one.name)
                continue
            portrait = portrait_of(one.name, profile)
            _keep_portrait(portrait, name, profiler)
        found.append(Remembered(portrait, frozenset(one.resets)))
    return found, gaps


def _keep_portrait(portrait: Portrait, name: str, profiler: Profiler) -> None:
    from dvtool.quality.history.keeping import kept_portrait

    if profiler.portraits is not None and name:
        profiler.portraits.put(name, kept_portrait(portrait))


def _portrait_name(file: FileBytes, profiler: Profiler, spec: Spec) -> str:
    """Returns what a portrait is kept by; empty for a file without a digest.

    Nothing is kept of several files together: whoever erases one could not find it.
    """
    from dvtool.quality.history.keeping import MEANING

    if file.members:
        return ""

    digest, _, address = profiler.name(file, spec).partition("/")
    return digest and f"{digest}/{hashlib.sha256(f'{MEANING} {address}'.encode()).hexdigest()}"


def _name_of(past: Sequence[PastFile], profiler: Profiler, spec: Spec, rule: HistoryRule) -> str:
    """Returns what a remembered past is kept by; empty where a file has no digest."""
    from dvtool.quality.history.keeping import MEANING

    names = [profiler.name(one.file, spec) for one in past]
    if not past or not all(names):
        return ""
    told = {
        "meaning": MEANING,
        "rule": [rule.false_alarms, rule.min_versions],
        "versions": [
            [name, one.name, sorted(one.resets)] for name, one in zip(names, past, strict=True)
        ],
    }
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
    return f"{names[-1].partition('/')[0]}/{digest}"


def judged_by_history(
    judged: JudgedTable,
    file: FileBytes,
    past: Sequence[PastFile],
    profiler: Profiler,
    spec: Spec,
    *,
    asked: bool,
    rule: HistoryRule,
    policy: str,
    held: Held,
) -> JudgedTable:
    """Returns a judged table with what its history says.

    Args:
        judged: By everything else, with its profile.
        file: What was judged; its portrait is kept, since the next version is judged by it.
        past: Earlier versions, oldest first.
        profiler: Gives their profiles.
        spec: How they are profiled.
        asked: Whether a person named the past: then an alarm is a failure. Otherwise it is a
            warning until the past's own alarms are within the budget.
        rule: `history:` of the checks.
        policy: `schema_change:` of the checks, which settles changes of columns; empty for none.
        held: What is open still, of the judged file and of its baseline.
    """
    from dvtool.quality.folding import folded, of_old_data
    from dvtool.quality.history.usual import as_usual, told_once
    from dvtool.quality.history.version import Version

    assert judged.profile is not None
    history, gaps = past_of(past[-MOST_VERSIONS:], profiler, spec, rule)
    version = Version(judged.name, judged.profile)
    answer = history.judge(version, name=judged.name)
    name = _portrait_name(file, profiler, spec)
    if name and profiler.portraits is not None and name not in profiler.portraits:
        _keep_portrait(version.portrait, name, profiler)
    found = [one for one in answer.findings if _is_news(one, judged, policy)]
    others: Sequence[Finding] = judged.findings
    if any(one.column for one in found):
        from dvtool.ops.causes import causes_beside

        causes = causes_beside(
            held,
            past[-1].file,
            spec,
            [*judged.findings, *found],
            policy=policy,
            is_compared=judged.baseline is not None,
        )
        found, others = folded(found, [*others, *causes.findings], causes.faults, spec.private)
    if history.is_proven:
        others = as_usual(others, {one.column for one in answer.findings}, answer.versions)
    elif not asked:
        found = [_milder(one) for one in found]
    others, found = told_once(others, found)
    found, others = of_old_data(found, others)
    more = list(judged.would_decide_more)
    if not answer.is_decided:
        more.append(_too_short(history.spec.min_versions, answer.versions, gaps))
    return replace(
        judged,
        findings=sorted_findings([*others, *found]),
        would_decide_more=tuple(more),
    )


def _too_short(least: int, here: int, gaps: Sequence[str]) -> str:
    gone = f" ({len(gaps)} have no profile here: dvtool profile --all-history)" if gaps else ""
    return f"{least} earlier versions, {here} {'is' if here == 1 else 'are'} known{gone}: then its own history judges this table"


def _is_news(finding: Finding, judged: JudgedTable, policy: str) -> bool:
    """Tells whether nothing else said the same: one cause is said once."""
    bare = finding.code.removeprefix("history-")
    said = {(one.code, one.column) for one in judged.findings}
    if bare == "same-rows" and {("same-rows", ""), ("same-data", "")} & said:
        return False
    settled = policy and bare.startswith("column")
    return not settled and (bare, finding.column) not in said


def _milder(finding: Finding) -> Finding:
    is_fail = finding.severity is Severity.FAIL
    return replace(finding, severity=Severity.WARN) if is_fail else finding
