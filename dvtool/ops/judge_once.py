"""A subject judged once: remembered where the same was judged before, else made and remembered.

What a judgement depends on is settled here, and so when it may be taken from memory; judging is
`dvtool.ops.judge`, which is imported only when it is needed. Called by `check` and its relatives.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dvtool.core.events import Progress
from dvtool.ops.records import Record, record_of
from dvtool.ops.subjects import ChecksText, Subject
from dvtool.ops.verdicts import Verdicts, judging_versions, key_of
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import UNOPENED, Judgement

if TYPE_CHECKING:
    from dvtool.ops.check import Wanted
    from dvtool.ops.profiler import Profiler

CODE = "schema"
"""The word of checks that makes code an input."""
OTHER_TABLES = ("in_table", "splits")
"""Words of checks that make other tables an input."""
OTHER_FILES = (CODE, *OTHER_TABLES)


def judge_subject_once(
    subject: Subject, wanted: Wanted, progress: Progress, workspace: Workspace | None = None
) -> Judgement:
    """Returns the judgement of a subject, remembered or made and then remembered.

    Args:
        subject: What is judged.
        wanted: How.
        progress: Whom to tell.
        workspace: Where verdicts and profiles are kept; None for nowhere.
    """
    judged = _remembered_or_made(subject, wanted, progress, workspace)
    wanted.watch(subject, judged)
    return judged


def _remembered_or_made(
    subject: Subject, wanted: Wanted, progress: Progress, workspace: Workspace | None
) -> Judgement:
    verdicts = Verdicts(workspace.shared_dir / "verdicts") if workspace is not None else None
    key = _key(subject, wanted, workspace) if verdicts is not None else ""
    known = _known(subject, wanted, verdicts, key) if verdicts is not None else None
    if known is not None:
        return known
    from dvtool.ops.judge import judge_subject

    judged = judge_subject(subject, wanted, progress, _profiler(wanted, progress, workspace))
    # A file beside that was written meanwhile may have been judged as it was, or as it is.
    is_same = verdicts is not None and key and key == _key(subject, wanted, workspace)
    if verdicts is not None and is_same and not _is_momentary(judged):
        verdicts.put(key, judged)
    is_default = (not wanted.baseline or wanted.baseline_why) and not wanted.checks_rev
    record = record_of_subject(subject, judged, wanted.now)
    if record is not None and verdicts is not None and is_default:
        verdicts.records.put(record)
    return judged


def remembered(subject: Subject, wanted: Wanted, workspace: Workspace) -> Judgement | None:
    """Returns the judgement of the same inputs, None when it must be made."""
    verdicts = Verdicts(workspace.shared_dir / "verdicts")
    return _known(subject, wanted, verdicts, _key(subject, wanted, workspace))


def _known(subject: Subject, wanted: Wanted, verdicts: Verdicts, key: str) -> Judgement | None:
    known = verdicts.get(key, wanted.now) if key else None
    return replace(known, version=subject.version) if known is not None else None


def _key(subject: Subject, wanted: Wanted, workspace: Workspace | None) -> str:
    """Returns the name of a judgement; empty when nothing names all it would be made from."""
    if not subject.inputs:
        return ""
    options = {"python": str(wanted.python), "examples": str(wanted.examples)}
    options |= _clock(subject, wanted)
    if subject.checks is not None and _says(subject.checks, *OTHER_FILES):
        from dvtool.ops.reach import reached_inputs

        options |= reached_inputs(subject, subject.checks, workspace, python=wanted.python)
    return key_of({**subject.inputs, **options, "name": subject.name})


def _profiler(wanted: Wanted, progress: Progress, workspace: Workspace | None) -> Profiler | None:
    from dvtool.ops.profiler import Profiler

    if workspace is not None:
        return Profiler.of(workspace, remote=wanted.past_from)
    return Profiler(None, b"", progress) if wanted.profiles or wanted.history else None


def record_of_subject(subject: Subject, judged: Judgement, now: dt.datetime) -> Record | None:
    """Returns what is kept of a judgement; None for what is no version of a data set, or a part."""
    if not subject.inputs or subject.data is None or subject.settled:
        return None
    return record_of(
        judged,
        subject.data,
        checks=subject.inputs["checks"],
        allow=subject.inputs["allow"],
        versions=judging_versions(),
        now=now,
    )


def runs_code(checks: ChecksText) -> bool:
    """Tells whether checks may make code an input."""
    return _says(checks, CODE)


def reads_other_tables(checks: ChecksText) -> bool:
    """Tells whether checks may make tables an input that are not the data set's own."""
    return _says(checks, *OTHER_TABLES)


def _says(checks: ChecksText, *words: str) -> bool:
    """Tells whether checks have a key, in whatever way of YAML; sometimes also when they do not."""
    return re.search(rf"\b(?:{'|'.join(words)})[\"']?\s*:", checks.text) is not None


def _clock(subject: Subject, wanted: Wanted) -> dict[str, str]:
    """Returns how much of the time a judgement depends on: the day, where a waiver has a last one.

    Until when `fresh` holds stands in the judgement itself.
    """
    checks = subject.checks
    if (checks is not None and _says(checks, "until")) or any(one.until for one in subject.allowed):
        return {"clock": wanted.now.strftime("%Y-%m-%d")}
    return {}


def _is_momentary(judged: Judgement) -> bool:
    """Tells whether a file could not be opened, which is no property of its bytes."""
    return any(one.code == UNOPENED for table in judged.tables for one in table.findings)
