"""A subject judged: its checks parsed, its files opened, its tables judged one by one.

This is the door behind which the engine and its libraries are imported; `check` goes through it
only for what is not remembered. Profiles are computed while a table is open and kept.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dvtool.core.events import Progress
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.errors import InvalidText
from dvtool.ops.appended import appended, judged_by_files_before
from dvtool.ops.profiler import Profiler, Spec, checks_of, spec_for
from dvtool.ops.selection import is_within
from dvtool.ops.subjects import BaselineFile, FileBytes, Subject, digest_now
from dvtool.ops.uniting import hashed
from dvtool.quality.checks.model import ChecksFile, HistoryRule, TableSpec
from dvtool.quality.checks.parsing import matches_path, parse_checks, table_for
from dvtool.quality.checks.policy import apply_allowances
from dvtool.quality.file_causes import beside_each_other
from dvtool.quality.findings import Evidence, Finding, Place, Verdict
from dvtool.quality.given import Given, Other, Profiling
from dvtool.quality.judged import Baseline, JudgedTable, Judgement, sorted_findings
from dvtool.quality.judging import judge_opened
from dvtool.quality.outward import file_beside, table_within
from dvtool.quality.tables.endings import is_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Members, Source, size_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from dvtool.ops.check import Wanted

NOT_TABLES = (".md", ".txt", SIDECAR_SUFFIX)


@dataclass(frozen=True, slots=True)
class _Profiles:
    """Whether and how the files of one subject are profiled.

    Attributes:
        profiler: Knows and keeps profiles; None for a subject of which none is wanted.
        checks: Of the version, then of today: what either calls private is private.
        everything: Whether files that nothing can be kept of are profiled, too.
    """

    profiler: Profiler | None = None
    checks: tuple[ChecksFile | None, ...] = ()
    everything: bool = False

    def spec(self, path: str, file: FileBytes) -> Spec | None:
        """Returns how to profile a file, None for not at all."""
        if self.profiler is None or (file.digest is None and not self.everything):
            return None
        return spec_for(self.checks, path) or Spec()


def judge_subject(
    subject: Subject, wanted: Wanted, progress: Progress, profiler: Profiler | None = None
) -> Judgement:
    """Returns the judgement of all tables of a subject, with their profiles.

    Args:
        subject: What is judged.
        wanted: How.
        progress: Whom to tell.
        profiler: Where profiles are looked up and kept; None for no profile at all.

    Raises:
        InvalidText: Its checks break their format.
        ObjectMissing: Bytes that must be read are not in the store.
    """
    checks = None
    if subject.checks is not None:
        checks = parse_checks(subject.checks.text, source=subject.checks.path)
    profiles = _profiles(subject, wanted, profiler)
    tables = [
        (path, _judge_file(subject, path, file, checks, wanted=wanted, profiles=profiles))
        for path, file in subject.files.items()
        if path not in subject.settled
    ]
    if profiler is not None:
        profiler.finish()
    tables = beside_each_other(tables, checks)
    tables += absent(subject.name, subject.files, checks, inside=subject.inside)
    if subject.allowed:
        tables = [_with_allowances(subject, one, wanted) for one in tables]
    judged = [table for _, table in tables]
    return Judgement(subject.name, subject.version, tuple(judged), inputs=subject.inputs)


def _with_allowances(
    subject: Subject, judged: tuple[str, JudgedTable], wanted: Wanted
) -> tuple[str, JudgedTable]:
    """Returns a table whose accepted findings are notes, if its very bytes were accepted."""
    path, table = judged
    if table.verdict in (Verdict.PASS, Verdict.NOT_JUDGED):
        return judged
    file = subject.files.get(path)
    digests = {one for one in (subject.data, file and digest_now(file)) if one}
    entries = [one for one in subject.allowed if one.covers(digests, path)]
    found = apply_allowances(table.findings, entries, wanted.now.date())
    return path, replace(table, findings=sorted_findings(found))


def is_judged(path: str, name: str, spec: TableSpec | None, *, named: bool = False) -> bool:
    """Tells whether a file is opened as a table.

    Args:
        path: Inside the data set; empty for the single file of one.
        name: As the user knows it; its ending tells the format.
        spec: Its checks, None for none.
        named: A plain file that somebody named, not a version of a data set.
    """
    if spec is not None or is_table(name):
        return True
    # A plain file that somebody names is meant to be a table whatever it is called. A version of a
    # data set may be anything, such as a model.
    return named and not (path or name.endswith(NOT_TABLES))


def _profiles(subject: Subject, wanted: Wanted, profiler: Profiler | None) -> _Profiles:
    try:
        return _Profiles(profiler, checks_of(subject), wanted.profiles)
    except InvalidText:
        return _Profiles()  # what is private today cannot be known: nothing is kept


def _judge_file(
    subject: Subject,
    path: str,
    file: FileBytes,
    checks: ChecksFile | None,
    *,
    wanted: Wanted,
    profiles: _Profiles,
) -> JudgedTable:
    spec = table_for(checks, path) if checks is not None else None
    file = hashed(file)
    if not is_judged(path, file.name, spec, named=not subject.version):
        return JudgedTable(file.name, is_table=False)
    earlier, pinned, its = _compared(subject, path, file, spec)
    is_unchanged = earlier is not None and _is_unchanged(path, file, earlier)
    if earlier is not None and is_unchanged:
        why = f"{earlier.baseline.why}; this file is as it was"
        earlier = earlier._replace(baseline=replace(earlier.baseline, why=why))
    rule = spec.history if spec is not None else HistoryRule()
    past = () if rule.off else subject.past.get(path, ())
    new = [] if rule.off else appended(file, earlier.file if earlier else None)
    if len(file.members) - len(new) >= rule.min_versions and new:
        past = ()  # the files before them tell more of the new ones than all of them together
    else:
        new = []
    is_away = earlier is not None and not earlier.is_here
    # What nothing can be kept of is profiled only where a past of some length waits for it.
    is_past = subject.history_asked or len(past) >= rule.min_versions or is_away or bool(new)
    how = profiles.spec(path, file) or (
        spec_for(profiles.checks, path) or Spec() if is_past and profiles.profiler else None
    )
    known = profiles.profiler.known(file, how) if profiles.profiler and how else None
    with ExitStack() as open_files, Engine(memory_bytes=wanted.memory_bytes) as engine:
        given = Given(
            name=file.name,
            path=open_files.enter_context(file.open()),
            spec=spec,
            source=checks.source if checks is not None else "",
            baseline=earlier.baseline if earlier else None,
            is_unchanged=is_unchanged,
            no_baseline=subject.no_baseline,
            same_as=subject.repeats.get(path, ""),
            baseline_path=(
                open_files.enter_context(earlier.file.open())
                if earlier and not is_away and not is_unchanged
                else None
            ),
            baseline_profile=(
                profiles.profiler.known(earlier.file, how)
                if earlier and is_away and profiles.profiler and how
                else None
            ),
            profile=known,
            reference=pinned,
            reference_path=open_files.enter_context(its.open()) if pinned and its else None,
            parts=_parts(subject, spec, open_files),
            others=_others(subject, path, spec, checks, open_files),
            root=subject.root,
            python=wanted.python,
            now=wanted.now,
            examples=wanted.examples,
            profiling=_profiling(profiles, how) if known is None else None,
            known=(
                profiles.profiler.members(file, how)
                if file.members and known is None and profiles.profiler and how
                else {}
            ),
        )
        judged, opened = judge_opened(engine, given)
        if profiles.profiler is None or how is None:
            return judged
        if known is None and judged.profile is not None:
            profiles.profiler.keep(file, how, judged.profile)
            profiles.profiler.keep_members(file, how, opened.profiles)
        if new and isinstance(given.path, Members):
            return judged_by_files_before(
                judged,
                file,
                new,
                source=given.path,
                profiler=profiles.profiler,
                spec=how,
                rule=rule,
                policy=spec.schema_change if spec is not None else "",
                opened=opened,
            )
        if not past or judged.profile is None:
            return judged
        from dvtool.ops.causes import Held
        from dvtool.ops.history import judged_by_history

        held = Held(opened, size_of(given.path), earlier.file if earlier else None)
        return judged_by_history(
            judged,
            file,
            past,
            profiles.profiler,
            how,
            asked=subject.history_asked,
            rule=rule,
            policy=spec.schema_change if spec is not None else "",
            held=held,
        )


def _compared(
    subject: Subject, path: str, file: FileBytes, spec: TableSpec | None
) -> tuple[BaselineFile | None, Baseline | None, FileBytes | None]:
    """Returns the baseline of a file, and its reference with its file; no comparison twice."""
    earlier = subject.baseline_files.get(path)
    pinned, its = _reference(subject, path, spec)
    if pinned is not None and its is not None and its.digest is not None:
        if earlier is not None and its.digest == earlier.file.digest:
            why = f"{earlier.baseline.why}, and {pinned.why}"
            return earlier._replace(baseline=replace(earlier.baseline, why=why)), None, None
        if its.digest == file.digest:
            return earlier, None, None
    return earlier, pinned, its


def _is_unchanged(path: str, file: FileBytes, earlier: BaselineFile) -> bool:
    """Tells whether a file is known to be as it was, as most files of a larger data set are.

    A file on disk that is judged alone is compared byte for byte later, and the answer is a finding.
    """
    if not earlier.is_here or (file.digest is None and not path):
        return False
    return digest_now(file) == digest_now(earlier.file)


def _profiling(profiles: _Profiles, how: Spec | None) -> Profiling | None:
    if profiles.profiler is None or how is None:
        return None
    return Profiling(how.privacy, how.label, profiles.profiler.key)


def _reference(
    subject: Subject, path: str, spec: TableSpec | None
) -> tuple[Baseline | None, FileBytes | None]:
    """Returns the reference that a table's checks name, and its file; why it has none is in words."""
    if spec is None or not spec.reference:
        return None, None
    found = subject.references[spec.reference]
    file = found.files.get(path) or (found.files.get("") if path else None)
    if file is None:
        why = found.problem or f"it has no file {path}"
        return replace(found.baseline, why=f"{found.baseline.why}; {why}"), None
    return found.baseline, file


def _parts(subject: Subject, spec: TableSpec | None, open_files: ExitStack) -> dict[str, Source]:
    """Opens the parts of a split: files of the same data set, or files beside the judged one."""
    if spec is None or spec.splits is None:
        return {}
    found: dict[str, Source] = {}
    files = subject.every_file
    for name, path in spec.splits.parts:
        if path in files:
            found[name] = open_files.enter_context(files[path].open())
        elif subject.root is not None:
            beside = file_beside(subject.root, subject.name, path)
            if beside.is_file():
                found[name] = beside
    return found


def _others(
    subject: Subject,
    path: str,
    spec: TableSpec | None,
    checks: ChecksFile | None,
    open_files: ExitStack,
) -> dict[str, Other]:
    """Opens the tables that `in_table:` names where the version itself has them."""
    found = {}
    files = subject.every_file
    for column in spec.columns if spec is not None and checks is not None else ():
        called = column.in_table.rpartition(":")[0]
        inside = table_within(path, called, files) if called else None
        if inside is not None and checks is not None:
            own = table_for(checks, inside)
            file = open_files.enter_context(files[inside].open())
            found[called] = Other(file, own.read if own is not None else None)
    return found


def absent(
    name: str, files: Collection[str], checks: ChecksFile | None, *, inside: str = ""
) -> list[tuple[str, JudgedTable]]:
    """Returns a failure for each table that the checks name and no file is.

    Args:
        name: The data set.
        files: Its files by path inside it.
        checks: Its checks; None for none.
        inside: The part of it that is judged; empty for all.
    """
    if checks is None or checks.is_single:
        return []
    return [
        (
            spec.path,
            JudgedTable(
                f"{name}/{spec.path}",
                (
                    Finding(
                        "table-missing",
                        "the checks name this table, and no file of the data set matches",
                        Place(f"{name}/{spec.path}"),
                        Evidence.SCHEMA,
                        rule=Place(checks.source, spec.line),
                        hint=(
                            f"paths are relative to {name}: {spec.path.removeprefix(name + '/')}"
                            if spec.path.startswith(name + "/")
                            else ""
                        ),
                    ),
                ),
            ),
        )
        for spec in checks.tables
        if not any(matches_path(spec.path, path) for path in files) and is_within(spec.path, inside)
    ]
