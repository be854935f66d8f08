"""Judging a change: each data set under its own checks, and under those that held before it.

What only the checks of the base find counts as much as the rest, so that a change which loosens
checks cannot pass by that. Called by `run`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.errors import InvalidText, ObjectMissing
from dvtool.ops.check import Wanted, subject_of
from dvtool.ops.ci.bringing import bring
from dvtool.ops.ci.changes import Change, Changes
from dvtool.ops.ci.rooms import Rooms
from dvtool.ops.fetch import FetchReport, Seen
from dvtool.ops.judge_once import judge_subject_once
from dvtool.ops.selection import Selected
from dvtool.ops.verdicts import key_of
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Evidence, Finding, Outcome, Place, Verdict, verdict
from dvtool.quality.judged import JudgedTable, Judgement, sorted_findings

HINT = (
    "mend the data, or change the checks in a change of their own first,"
    " or accept it: dvtool allow --help"
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging came to.

    Attributes:
        judgements: One a changed data set that is still there.
        fetched: What had to come from the remote.
        settled: Files of them that nothing changed about, and that were not judged again.
    """

    judgements: tuple[Judgement, ...]
    fetched: FetchReport
    settled: int


@dataclass(frozen=True, slots=True)
class Trees:
    """The versions that are compared.

    Attributes:
        before: Commit that the change is relative to; None for none.
        after: Commit or tree that is judged.
        law: Commit whose checks hold as well; None for none.
        called: What to call `after`.
        why: Why `before` is the baseline, in words.
    """

    before: str | None
    after: str
    law: str | None
    called: str
    why: str


def judge_changes(
    workspace: Workspace,
    changes: Changes,
    trees: Trees,
    wanted: Wanted,
    *,
    remote_name: str | None,
    seen: Seen,
) -> Judged:
    """Fetches what is needed and judges every changed data set.

    Args:
        workspace: Where.
        changes: From `find_changes`.
        trees: The versions.
        wanted: How; baseline, checks and root are chosen here.
        remote_name: Where bytes come from.
        seen: What was seen of it before.

    Raises:
        RemoteFailed: The remote is unreachable or refused.
    """
    brought = bring(workspace, changes.datasets, remote_name=remote_name, seen=seen)
    wanted = replace(wanted, baseline=trees.before or "", baseline_why=trees.why)
    with ExitStack() as stack:
        rooms = Rooms(workspace, stack, remote_name=remote_name, seen=seen)
        judgements = tuple(
            replace(
                _judge(
                    workspace,
                    one,
                    trees,
                    wanted,
                    rooms=rooms,
                    settled=brought.settled.get(one.dataset),
                ),
                version=trees.called,
            )
            for one in changes.datasets
            if one.after.sidecar is not None
        )
    return Judged(judgements, brought.fetched, sum(map(len, brought.settled.values())))


def _judge(
    workspace: Workspace,
    change: Change,
    trees: Trees,
    wanted: Wanted,
    *,
    rooms: Rooms,
    settled: frozenset[str] | None,
) -> Judgement:
    own = _attempt(
        workspace,
        change,
        trees.after,
        replace(wanted, root=rooms.of(trees.after, change.dataset, change.after.checks)),
        settled,
    )
    law = change.law
    if law is None or trees.law is None:
        return own
    room = rooms.of(trees.law, change.dataset, law)
    other = replace(wanted, checks_rev=trees.law, root=room, watch=lambda _, __: None)
    by_law = _attempt(workspace, change, trees.after, other)
    return _under_both(own, by_law, change, trees.law)


def _attempt(
    workspace: Workspace,
    change: Change,
    after: str,
    wanted: Wanted,
    settled: frozenset[str] | None = None,
) -> Judgement:
    """Returns a judgement, or one that says why there is none."""
    assert change.after.sidecar is not None
    dataset = change.dataset
    try:
        one = Selected(dataset)
        subject = subject_of(workspace, one, change.after.sidecar, after, wanted)
        if settled:
            settled |= {
                path
                for path, file in subject.files.items()
                if file.members and settled.issuperset(file.members)
            }
            # Another judgement than the whole data set's: it is remembered under another name.
            inputs = subject.inputs and {
                **subject.inputs,
                "but": key_of(dict.fromkeys(settled, "")),
            }
            subject = replace(subject, settled=settled, inputs=inputs)
        return judge_subject_once(subject, wanted, workspace.progress, workspace)
    except InvalidText as error:
        place = Place(error.source or dataset + SIDECAR_SUFFIX, error.line)
        finding = Finding(
            "invalid-text",
            error.message,
            place,
            Evidence.SCHEMA,
            rule=place,
            hint=error.hint,
        )
    except ObjectMissing:
        finding = Finding(
            "bytes-missing",
            "could not be judged: bytes that it needs are not at the remote",
            Place(dataset),
            Evidence.GATE,
            outcome=Outcome.UNDECIDED,
            hint="dvtool push, where the data are",
        )
    return Judgement(dataset, "", (JudgedTable(dataset, (finding,)),))


def _under_both(own: Judgement, by_law: Judgement, change: Change, law: str) -> Judgement:
    """Returns one judgement: what the own checks find, and what only those of the base find."""
    others = {table.name: table for table in by_law.tables}
    tables = []
    for table in own.tables:
        other = others.pop(table.name, None)
        more = tuple(_only_by_law(table.findings, other, change, law)) if other else ()
        tables.append(replace(table, findings=sorted_findings((*table.findings, *more))))
    for table in others.values():  # tables that the base asks for, and nobody else
        more = tuple(_only_by_law((), table, change, law))
        if more:
            tables.append(replace(table, findings=more))
    return replace(own, tables=tuple(tables))


_RANK = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.UNDECIDED: 2, Verdict.FAIL: 3}


def _only_by_law(
    own: Iterable[Finding], table: JudgedTable, change: Change, law: str
) -> Iterator[Finding]:
    known: dict[tuple[str, str, str], int] = {}
    for one in own:
        key = _key(one)
        known[key] = max(known.get(key, 0), _RANK[verdict([one])])
    for one in table.findings:
        if _RANK[verdict([one])] > known.get(_key(one), 0):
            yield _marked(one, change, law)


def _key(finding: Finding) -> tuple[str, str, str]:
    return finding.code, finding.column, str(finding.place)


def _marked(finding: Finding, change: Change, law: str) -> Finding:
    """Returns a finding that says whose checks it comes from; lines of those are not here."""
    here = change.after.checks.path if change.after.checks else change.dataset + SIDECAR_SUFFIX
    source = f"{law[:12]}:{finding.rule}" if finding.rule else f"the checks of {law[:12]}"
    return replace(
        finding,
        message=f"{finding.message} (by {source}, which holds at the base)",
        rule=Place(here),
        hint=HINT,
    )
