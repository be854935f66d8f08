"""The verb `ci`: from a change of git's to one answer, with everything it rests on.

Puts the steps of this package together; every step tells by findings what is wrong with the change,
and raises only for what keeps it from being judged at all. Called by the CLI.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dvtool.core.config import CONFIG_FILE, Settings
from dvtool.core.paths import CHECKS_SUFFIX, SIDECAR_SUFFIX
from dvtool.core.sidecar import parse_sidecar
from dvtool.errors import InvalidText, NoRepository
from dvtool.git.contents import iter_blobs
from dvtool.git.mergetree import MergedTree, merge_commits
from dvtool.git.sidecars import sidecars_at
from dvtool.ops.check import Wanted
from dvtool.ops.ci.changes import Changes, find_changes
from dvtool.ops.ci.judging import Trees, judge_changes
from dvtool.ops.ci.loosened import find_loosened
from dvtool.ops.ci.proving import prove
from dvtool.ops.ci.stretch import Hint, Span, find_span
from dvtool.ops.ci.trusting import check_has_remote, ruling_settings
from dvtool.ops.fetch import FetchReport, Seen, fetch_blobs
from dvtool.ops.gate import blocks, policy_of
from dvtool.ops.subjects import file_at
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Evidence, Finding, Place, Severity, Verdict, verdict
from dvtool.quality.judged import Judgement, worst

DATA_FILES = (SIDECAR_SUFFIX, CHECKS_SUFFIX, ".allow.yaml", CONFIG_FILE)


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be judged, as the caller knows it.

    Attributes:
        base: A revision that a person named; empty for what `hint` says.
        hint: What the environment says.
        merge: Judge what merging would make, not the branch as it is.
    """

    base: str = ""
    hint: Hint = field(default_factory=Hint)
    merge: bool = False


@dataclass(frozen=True, slots=True)
class CiResult:
    """The answer about a change.

    Attributes:
        span: Its commits.
        judgements: One a data set that it changes.
        extra: Findings that belong to no data set's bytes: restorability, loosenings, conflicts.
        unchanged: Data sets that were left alone.
        fetched: What had to come from the remote.
        settled: Files of changed data sets that nothing changed about, and that were left alone.
        stopped_by: The verdicts that stop it, under the gate of the base.
        ruling: The settings that hold, of the base.
    """

    span: Span
    judgements: tuple[Judgement, ...]
    extra: tuple[Finding, ...]
    unchanged: int
    fetched: FetchReport
    settled: int
    stopped_by: frozenset[Verdict]
    ruling: Settings

    @property
    def verdict(self) -> Verdict:
        """The worst of everything; not judged when there was nothing."""
        answers = [one.verdict for one in self.judgements]
        return worst([*answers, verdict(self.extra)] if self.extra else answers)


def judge_change(
    workspace: Workspace,
    change: Change,
    wanted: Wanted,
    *,
    remote_name: str | None = None,
    strict: bool = False,
) -> CiResult:
    """Judges the commits between a base and HEAD.

    Args:
        workspace: Where; need not be ready.
        change: Which.
        wanted: How.
        remote_name: Which remote; None for the default.
        strict: What could not be decided stops the change.

    Raises:
        UnknownRevision, UsageError, GitFailed: The range is not known whole.
        NoRepository: Neither side uses dvtool.
        RemoteFailed: The remote is unreachable, refused, or not to be trusted.
    """
    git = workspace.git
    span = find_span(git, base=change.base, hint=change.hint, merge=change.merge)
    _check_ready(workspace, span)
    before = span.base if change.merge else span.merge_base
    ruled = ruling_settings(workspace, law=span.law, before=before, after=span.head)
    workspace = replace(workspace, ruling=ruled.settings)
    seen = Seen()
    merged = None
    if change.merge and span.base is not None:
        check_has_remote(ruled)
        merged = _merge(workspace, span, remote_name, seen)
    after = merged.tree if merged else span.head
    changes = find_changes(workspace, before=before, after=after, law=span.law)
    extra = [*_broken(changes), *(_conflicts(merged) if merged else ())]
    if changes.datasets or sidecars_at(git, span.head):
        check_has_remote(ruled)
    extra += prove(workspace, span, remote_name=remote_name, seen=seen)
    trees = Trees(before, after, span.law, _called(span, merged), _why(change))
    judged = judge_changes(workspace, changes, trees, wanted, remote_name=remote_name, seen=seen)
    extra += find_loosened(workspace, changes, ruled, before=before, after=after)
    answers = {table.verdict for one in judged.judgements for table in one.tables}
    answers |= {verdict([one]) for one in extra}
    stopping = policy_of(ruled.settings).merge | ({Verdict.UNDECIDED} if strict else set())
    return CiResult(
        span,
        judged.judgements,
        tuple(extra),
        changes.unchanged,
        judged.fetched,
        judged.settled,
        frozenset(one for one in answers if blocks(one, stopping)),
        ruled.settings,
    )


def _check_ready(workspace: Workspace, span: Span) -> None:
    for commit in (span.head, span.law):
        if commit is not None and file_at(workspace.git, commit, CONFIG_FILE) is not None:
            return
    raise NoRepository(f"no {CONFIG_FILE} in commit {span.head[:12]}", hint="dvtool init")


def _called(span: Span, merged: MergedTree | None) -> str:
    if merged is None or span.base is None:
        return span.head[:12]
    return f"{span.head[:12]} merged into {span.base[:12]}"


def _why(change: Change) -> str:
    return "the version it is merged into" if change.merge else "the version at the merge base"


def _merge(workspace: Workspace, span: Span, remote_name: str | None, seen: Seen) -> MergedTree:
    """Merges head into base; lists of files that both changed are fetched for it first."""
    assert span.base is not None
    oids: set[str] = set()
    trees = [sidecars_at(workspace.git, one) for one in (span.base, span.head)]
    if span.merge_base is not None:
        trees.append(sidecars_at(workspace.git, span.merge_base))
    for path in {path for tree in trees for path in tree}:
        found = {tree.get(path) for tree in trees}
        if len(found) == 3:  # neither side left it as it was
            oids |= {oid for oid in found if oid is not None}
    shards = {
        shard.digest: shard.size
        for _, text in (iter_blobs(workspace.git, sorted(oids)) if oids else ())
        for shard in parse_sidecar(text, source="").shards
    }
    fetch_blobs(workspace, shards, remote_name=remote_name, seen=seen)
    return merge_commits(workspace.git, span.base, span.head)


def _broken(changes: Changes) -> list[Finding]:
    return [_of_text(error) for error in changes.broken]


def _of_text(error: InvalidText) -> Finding:
    place = Place(error.source, error.line)
    return Finding("invalid-text", error.message, place, Evidence.GATE, rule=place, hint=error.hint)


def _conflicts(merged: MergedTree) -> list[Finding]:
    """Returns a failure for each file of ours that does not merge, one warning for all others."""
    ours = [path for path in merged.conflicts if path.endswith(DATA_FILES)]
    found = [
        Finding(
            "merge-conflict",
            "does not merge with the base",
            Place(path),
            Evidence.GATE,
            rule=Place(path),
            hint="git merge the base here, dvtool resolve, and push again",
        )
        for path in ours
    ]
    others = len(merged.conflicts) - len(ours)
    if others:
        first = next(path for path in merged.conflicts if path not in ours)
        found.append(
            Finding(
                "merge-conflict",
                f"{others} other file{'s' * (others != 1)} do not merge with the base",
                Place(first),
                Evidence.GATE,
                severity=Severity.WARN,
            )
        )
    return found
