"""`allow`: accepting what was found in a version, by a line that review and git history keep.

Judges the version, shows what the lines will accept, writes them into `<path>.allow.yaml` and
stages it. The format is `dvtool.core.allow`, the effect `dvtool.quality.checks.policy`. Called by
the CLI.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from dvtool.core.allow import EVERYTHING, Allowance, Kind
from dvtool.core.allowtext import encode_allow
from dvtool.core.digest import Digest
from dvtool.core.paths import ALLOW_SUFFIX
from dvtool.errors import GitFailed, InvalidText, UsageError
from dvtool.git.staging import stage
from dvtool.ops import subjects
from dvtool.ops.check import Wanted, subjects_of
from dvtool.ops.judge_once import judge_subject_once
from dvtool.ops.subjects import Subject
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Finding, Severity, Verdict, verdict
from dvtool.quality.judged import Judgement
from dvtool.worktree.sidecarfile import write_sidecar

_COUNTING = (Verdict.FAIL, Verdict.UNDECIDED)


@dataclass(frozen=True, slots=True)
class Accepting:
    """How findings are accepted.

    Attributes:
        kind: An exception, or the new normal.
        reason: Why.
        findings: Keys; none means everything that fails or is undecided.
        until: Last day of an exception, None for no end.
    """

    kind: Kind
    reason: str
    findings: tuple[str, ...] = ()
    until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """One finding that a line accepts.

    Attributes:
        table: The file, as people know it.
        finding: It.
    """

    table: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class AllowReport:
    """What was written.

    Attributes:
        dataset: The data set.
        path: The allow file, relative to the top.
        entries: The lines that were added.
        accepted: What they accept now.
    """

    dataset: str
    path: str
    entries: tuple[Allowance, ...]
    accepted: tuple[Accepted, ...]


def allow(
    workspace: Workspace,
    path: str,
    wanted: Wanted,
    accepting: Accepting,
    *,
    staged: bool = False,
    rev: str = "",
    dry_run: bool = False,
) -> AllowReport:
    """Accepts findings of one data set, or of a part of it.

    Args:
        workspace: Where.
        path: Relative to the top.
        wanted: How to judge; its time is the day of the line.
        accepting: What to accept, and why.
        staged: The version that is staged; else the one in the work tree.
        rev: Or the one in this commit.
        dry_run: Write nothing.

    Raises:
        UsageError: There is nothing to allow, the data were not added, the reason is empty, the
            day has passed, or git does not know who is asking.
        UnknownRevision, ObjectMissing, InvalidText: As for `check`.
    """
    accepting = _checked(accepting, wanted.now.date())
    found = list(subjects_of(workspace, [path], wanted, staged=staged, rev=rev))
    if len(found) != 1:
        raise UsageError(f"{path or '.'} names {len(found)} data sets", hint="name one of them")
    (subject,) = found
    if subject.data is None:
        raise UsageError(
            f"{subject.name} was changed and not added, so there is no version to allow",
            hint=f"dvtool add {subject.name}",
        )
    judged = judge_subject_once(subject, wanted, workspace.progress, workspace)
    accepted = _accepted(judged, accepting)
    entries = _entries(workspace, subject, accepted, accepting, wanted.now.date())
    if not dry_run:
        _write(workspace, subject.name, entries)
    return AllowReport(subject.name, subject.name + ALLOW_SUFFIX, entries, accepted)


def _checked(accepting: Accepting, today: dt.date) -> Accepting:
    reason = " ".join(accepting.reason.split())
    if not reason:
        raise UsageError("a reason is needed", hint='--reason "why this is acceptable"')
    if accepting.until is not None and accepting.kind != "exception":
        raise UsageError("a new normal has no end", hint="--exception --until DATE")
    if accepting.until is not None and accepting.until < today:
        raise UsageError(
            f"{accepting.until.isoformat()} has passed", hint="--until names the last day"
        )
    return replace(accepting, reason=reason)


def _accepted(judged: Judgement, accepting: Accepting) -> tuple[Accepted, ...]:
    """Returns what the person wants to accept.

    Raises:
        UsageError: There is no such finding, or none that counts.
    """
    open_ones = [
        Accepted(table.name, one)
        for table in judged.tables
        for one in table.findings
        if one.waived or one.severity is not Severity.NOTE
    ]
    if accepting.findings and EVERYTHING not in accepting.findings:
        for name in accepting.findings:
            _check_is_found(judged, name, [one.finding for one in open_ones])
        names = set(accepting.findings)
        return tuple(one for one in open_ones if names & {one.finding.key, one.finding.code})
    counting = [one for one in open_ones if verdict([one.finding]) in _COUNTING]
    if not counting:
        warns = sorted({one.finding.key for one in open_ones if not one.finding.waived})
        hint = f"--finding {warns[0]} accepts a warning" if warns else ""
        raise UsageError(
            f"nothing to allow: {judged.name} ({judged.version}): {judged.verdict.value}",
            hint=hint or "only what fails or is undecided needs to be allowed",
        )
    return tuple(counting)


def _check_is_found(judged: Judgement, name: str, findings: Sequence[Finding]) -> None:
    known = sorted({one.key for one in findings} | {one.code for one in findings})
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    keys = ", ".join(sorted({one.key for one in findings})) or "nothing"
    raise UsageError(
        f"nothing to allow: {judged.name} ({judged.version}) has no finding {name}",
        hint=f"did you mean {near[0]}?" if near else f"found: {keys}",
    )


def _entries(
    workspace: Workspace,
    subject: Subject,
    accepted: Sequence[Accepted],
    accepting: Accepting,
    today: dt.date,
) -> tuple[Allowance, ...]:
    by = who(workspace)
    made: dict[tuple[str, str], Allowance] = {}
    for one in accepted:
        inside = one.table.removeprefix(subject.name).removeprefix("/")
        if EVERYTHING in accepting.findings:
            finding = EVERYTHING
        elif one.finding.key in accepting.findings or not accepting.findings:
            finding = one.finding.key
        else:
            finding = one.finding.code
        made[inside, finding] = Allowance(
            data=_digest(subject, inside),
            finding=finding,
            kind=accepting.kind,
            reason=accepting.reason,
            by=by,
            when=today,
            until=accepting.until,
            table=inside,
        )
    return tuple(made.values())


def _digest(subject: Subject, inside: str) -> Digest:
    """Returns the digest of a table's file; of the whole version where no file is the table."""
    file = subject.files.get(inside)
    # A table of several files is no file of the version, whose digest stands for it.
    digest = subject.data if file is None or file.members else file.digest
    assert digest is not None  # what has no version was refused
    return digest


def who(workspace: Workspace) -> str:
    """Returns name and address of the person, as git would write them into a commit.

    Raises:
        UsageError: git does not know.
    """
    try:
        ident = workspace.git.run("var", "GIT_AUTHOR_IDENT").decode("utf-8", "replace")
    except GitFailed as error:
        raise UsageError(
            "git does not know who you are, and the line has to say it",
            hint='git config user.name "Your Name" && git config user.email you@example.org',
        ) from error
    return ident.rpartition(">")[0] + ">"


def _write(workspace: Workspace, dataset: str, entries: Sequence[Allowance]) -> None:
    path = dataset + ALLOW_SUFFIX
    with workspace.changing():
        text = subjects.allow_at(workspace, dataset, None)
        kept = {_about(one): one for one in subjects.allowances(text)}
        for one in entries:
            kept.pop(_about(one), None)  # written anew, it stands at the end
            kept[_about(one)] = one
        try:
            encoded = encode_allow(list(kept.values()))
        except InvalidText as error:
            raise UsageError(f"this cannot be written: {error.message}") from error
        write_sidecar(workspace.top, path, encoded)
        stage(workspace.git, [path])


def _about(entry: Allowance) -> tuple[Digest, str, str]:
    return entry.data, entry.table, entry.finding
