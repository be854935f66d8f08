"""`check --since`: today's checks on every version from a revision on, to find where it began.

Here versions are chosen and what was found in them is put in order; they are judged, from stored
profiles or bytes, in `since_versions`. Fetches nothing. Called by the CLI.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dvtool.errors import UnknownRevision, UsageError
from dvtool.git.revisions import resolve_commit
from dvtool.ops import baselines, subjects
from dvtool.ops.baselines import BaselineVersion
from dvtool.ops.check import Wanted
from dvtool.ops.profiler import Profiler
from dvtool.ops.selection import nothing_at, select
from dvtool.ops.since_versions import JudgedVersion, Judging, Seen
from dvtool.ops.versions import sidecars_in
from dvtool.ops.workspace import Workspace
from dvtool.quality.checks.parsing import parse_checks


@dataclass(frozen=True, slots=True)
class Began:
    """Where a failing finding appears.

    Attributes:
        name: Table and key.
        first: The oldest of the versions in which it fails.
        message: As it is there.
        before: The newest version before it that is known not to have it; empty when none is.
        unknown: Versions in between of which it is not known.
        failing: In how many versions it fails.
        still: Whether it fails in the newest version.
        hint: Where in that first version it comes from, and what to look at; how its bytes come
            where only they tell.
    """

    name: str
    first: str
    message: str
    before: str
    unknown: int
    failing: int
    still: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Since:
    """The answer about one data set: its versions newest first, and where each failure began."""

    dataset: str
    versions: tuple[JudgedVersion, ...]
    began: tuple[Began, ...]


def check_since(workspace: Workspace, path: str, rev: str, wanted: Wanted) -> Since:
    """Judges the committed versions of a data set from a revision on by the checks on disk.

    Args:
        workspace: Where.
        path: The data set or a part of one, relative to the top.
        rev: The oldest version is the one that this revision has.
        wanted: How to judge; its baseline is not used.

    Raises:
        UnknownRevision: The path or the revision is not known.
        UsageError: Several data sets are at the path.
        InvalidText: The checks, the allow file or a sidecar breaks its format.
    """
    head = resolve_commit(workspace.git, "HEAD")
    start = resolve_commit(workspace.git, rev)
    one, *others = select(sidecars_in(workspace, head), [path], where="HEAD")
    if others:
        raise UsageError(
            f"{len(others) + 1} data sets are at {path}",
            hint=f"--since looks at one: {one}, {others[0]}{' …' if others[1:] else ''}",
        )
    checks = subjects.checks_at(workspace, one.dataset, None)
    allow = subjects.allow_at(workspace, one.dataset, None)
    judging = Judging(
        workspace,
        one,
        checks,
        None if checks is None else parse_checks(checks.text, source=checks.path),
        allow,
        subjects.allowances(allow),
        wanted,
        Profiler.of(workspace),
    )
    chosen, older = _range(workspace, one.dataset, head, start)
    if one.inside and not judging.files(chosen[0]):
        raise nothing_at(one, "in HEAD")
    versions = judging.all(chosen, older)
    return Since(one.dataset, versions, tuple(began(versions)))


def _range(
    workspace: Workspace, dataset: str, head: str, start: str
) -> tuple[list[BaselineVersion], BaselineVersion | None]:
    """Returns the versions after a commit, newest first, then the one that it has; and the one before."""
    listed = workspace.git.run("rev-list", "--first-parent", head, f"^{start}").decode()
    newer = set(listed.split())
    committed = baselines.committed(workspace, dataset, head)
    found = []
    for version in committed:
        found.append(version)
        if version.commit not in newer:
            break
    if not found:
        raise UnknownRevision(
            f"no commit has the data set {dataset}", hint="dvtool list shows what there is"
        )
    return found, next(committed, None)


def began(versions: Sequence[JudgedVersion]) -> Iterator[Began]:
    """Yields where each failing finding appears first, what still fails before what does not.

    Args:
        versions: Newest first.
    """
    names = {seen.name: seen for one in versions for seen in one.failing}
    found = [_began(versions, seen) for seen in names.values()]
    yield from sorted(found, key=lambda one: not one.still)


def _began(versions: Sequence[JudgedVersion], seen: Seen) -> Began:
    """Returns where one failure began; `seen` is it as it stands in the oldest version."""
    failing = [at for at, one in enumerate(versions) if seen.name in {s.name for s in one.failing}]
    oldest = failing[-1]
    unknown, before = 0, ""
    for one in versions[oldest + 1 :]:
        if one.knows(seen):
            before = one.commit
            break
        unknown += 1
    first = versions[oldest].commit
    message = seen.finding.message
    still = failing[0] == 0
    hint = seen.finding.hint
    return Began(seen.name, first, message, before, unknown, len(failing), still, hint)
