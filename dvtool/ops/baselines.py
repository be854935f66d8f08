"""Baselines: the versions of a data set that others are compared with, and learn from.

One walk over first-parent history gives every version; what review accepted as an exception, and
what is known to have failed, is told apart here. Called by `check`, `suggest`, `profile` and the
gate that learns from history. Rules: docs/concepts.md#accepted-versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from dvtool.core.allow import EVERYTHING, Allowance
from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar, version_digest
from dvtool.errors import GitFailed, ObjectMissing, UnknownRevision
from dvtool.git.contents import read_blobs
from dvtool.git.history import Version, versions
from dvtool.git.replacing import coming_message, is_head_replaced
from dvtool.git.revisions import resolve_commit
from dvtool.git.sidecars import sidecars_at
from dvtool.ops import subjects
from dvtool.ops.records import Records, failing, text_digest
from dvtool.ops.takingback import says_revert, without_taken_back
from dvtool.ops.workspace import Workspace
from dvtool.quality.findings import Verdict
from dvtool.quality.judged import Baseline

EVERY_COLUMN: Final = "*"
"""Among resets: the history of the whole table starts anew."""
FIRST_LOOK: Final = 3
_ACCEPTED: Final = "the latest accepted version on first-parent history"


@dataclass(frozen=True, slots=True)
class BaselineVersion:
    """An earlier version of a data set.

    Attributes:
        baseline: What it is called, and why it was chosen.
        sidecar: Its data.
        commit: Object id of the commit that brought it.
        allowed: What review accepted of its data: of the whole version, and of files in it.
        says_revert: Whether the message of that commit is that of a revert.
        is_merge: Whether that commit is a merge.
    """

    baseline: Baseline
    sidecar: Sidecar
    commit: str = ""
    allowed: tuple[Allowance, ...] = ()
    says_revert: bool = False
    is_merge: bool = False

    @property
    def teaches(self) -> bool:
        """Whether later versions may be like it; False for a version allowed as an exception."""
        return self.teaches_from("")

    @property
    def resets(self) -> tuple[str, ...]:
        """Columns whose history starts anew with it; see `resets_in`."""
        return self.resets_in("")

    def teaches_from(self, table: str) -> bool:
        """Tells whether one table of it may be learned from.

        Args:
            table: Path inside a directory; empty for a data set that is one file.
        """
        return not any(one.kind == "exception" for one in self._about(table))

    def resets_in(self, table: str) -> tuple[str, ...]:
        """Returns the columns of a table whose history starts anew with it, sorted.

        `EVERY_COLUMN` stands for all of them, the empty text for what is about no column, such as
        the number of rows.
        """
        names = {
            EVERY_COLUMN if one.finding == EVERYTHING else one.column
            for one in self._about(table)
            if one.kind == "new-normal"
        }
        return tuple(sorted(names))

    def _about(self, table: str) -> list[Allowance]:
        return [one for one in self.allowed if one.table in ("", table)]


def at_revision(
    workspace: Workspace, dataset: str, rev: str, *, why: str = ""
) -> BaselineVersion | None:
    """Returns the version that a person named; None when the data set is not in it.

    Args:
        workspace: Where.
        dataset: Which data set.
        rev: As git knows it.
        why: How it was chosen, when nobody named it.

    Raises:
        UnknownRevision: git does not know the revision.
    """
    commit = resolve_commit(workspace.git, rev)
    path = dataset + SIDECAR_SUFFIX
    oid = sidecars_at(workspace.git, commit, [path]).get(path)
    if oid is None:
        return None
    text = read_blobs(workspace.git, [oid])[oid]
    sidecar = parse_sidecar(text, source=f"{commit[:12]}:{path}")
    baseline = Baseline(f"{dataset}@{commit[:12]}", why or f"given as {rev}")
    return BaselineVersion(baseline, sidecar, commit)


def teaching(
    workspace: Workspace,
    dataset: str,
    commit: str | None,
    *,
    first_look: int = FIRST_LOOK,
    coming: Sidecar | None = None,
    allowed: Sequence[Allowance] | None = None,
) -> Iterator[BaselineVersion]:
    """Yields the accepted versions that teach, newest first; what is judged is one once committed.

    Args:
        workspace: Where.
        dataset: Which data set.
        commit: As for `committed`.
        first_look: As for `committed`.
        coming: What the next commit will bring; while a revert is being made it takes back as the
            commit will.
        allowed: As for `committed`.
    """
    for one in _accepted(workspace, dataset, commit, first_look, coming=coming, allowed=allowed):
        if one.teaches:
            yield one


def chosen(workspace: Workspace, dataset: str, rev: str, *, why: str) -> Iterator[BaselineVersion]:
    """Yields what a program chose as the baseline: the version of a commit, then older ones.

    A version that review allowed as an exception, by the allow file of that commit, is left out.

    Args:
        workspace: Where.
        dataset: Which data set.
        rev: The commit.
        why: Why it was chosen, in words.

    Raises:
        UnknownRevision: git does not know the revision.
    """
    named = at_revision(workspace, dataset, rev, why=why)
    if named is None:
        return
    if subjects.allow_at(workspace, dataset, named.commit) is None:
        yield named
        return
    for one in teaching(workspace, dataset, named.commit):
        yield replace(one, baseline=named.baseline) if one.sidecar == named.sidecar else one


def accepted(
    workspace: Workspace, dataset: str, commit: str | None = None
) -> list[BaselineVersion]:
    """Returns the accepted versions on first-parent history, newest first; none before a commit.

    A version is accepted unless this clone judged it, found that it fails by the checks of its own
    commit, and nothing of that is allowed; or a later one took it back. Exceptions are accepted, and
    do not teach.

    Args:
        workspace: Where.
        dataset: Which data set.
        commit: Where history begins; None for what the next commit will stand on: HEAD, or its
            parent while HEAD is being amended.
    """
    return list(_accepted(workspace, dataset, commit))


def committed(
    workspace: Workspace,
    dataset: str,
    commit: str | None = None,
    *,
    first_look: int = FIRST_LOOK,
    allowed: Sequence[Allowance] | None = None,
) -> Iterator[BaselineVersion]:
    """Yields every version on first-parent history, accepted or not, newest first.

    Args:
        workspace: Where.
        dataset: Which data set.
        commit: Where history begins; None or `""` for what the next commit will stand on, with
            the allow file on disk or in the index.
        first_look: Versions that are asked for at once; git walks no further than it must for
            them, and is asked again for more.
        allowed: The entries of its allow file there, where they were read before.
    """
    try:
        start = resolve_commit(workspace.git, commit) if commit else _next_parent(workspace)
    except (UnknownRevision, GitFailed):
        return  # no commit yet
    texts = _texts(workspace, dataset + SIDECAR_SUFFIX, start, first_look)
    try:
        newest = list(islice(texts, 1))
    except UnknownRevision:
        return  # HEAD was not asked for before
    entries = allowed
    if entries is None:
        entries = subjects.allowances(subjects.allow_at(workspace, dataset, commit))
    for found, text in chain(newest, texts):
        sidecar = parse_sidecar(text, source=f"{found.commit[:12]}:{dataset}{SIDECAR_SUFFIX}")
        about = entries_about(workspace, entries, sidecar) if entries else ()
        yield BaselineVersion(
            Baseline(f"{dataset}@{found.commit[:12]}", _ACCEPTED),
            sidecar,
            found.commit,
            about,
            says_revert(f"{found.subject}\n{found.body}"),
            found.is_merge,
        )


def _accepted(
    workspace: Workspace,
    dataset: str,
    commit: str | None,
    first_look: int = FIRST_LOOK,
    *,
    coming: Sidecar | None = None,
    allowed: Sequence[Allowance] | None = None,
) -> Iterator[BaselineVersion]:
    records = Records(workspace.records_dir)
    every = committed(workspace, dataset, commit, first_look=first_look, allowed=allowed)
    kept = without_taken_back(workspace.git, every)
    if coming is not None and says_revert(coming_message(workspace.git)):
        pending = BaselineVersion(Baseline("", ""), coming, says_revert=True)
        kept = without_taken_back(workspace.git, chain([pending], every))
        next(kept)
    for one in kept:
        if not _is_refused(workspace, dataset, one, records):
            yield one


def _is_refused(workspace: Workspace, dataset: str, one: BaselineVersion, records: Records) -> bool:
    """Tells whether this clone knows that a version fails, and nobody allowed it."""
    known = records.about(dataset, version_digest(one.sidecar))
    if not any(record.verdict is Verdict.FAIL for record in known):
        return False
    checks = subjects.checks_at(workspace, dataset, one.commit)
    record = failing(known, text_digest(checks.text if checks else ""))
    if record is None:
        return False
    allowed = {entry.finding for entry in one.allowed}
    return EVERYTHING not in allowed and any(
        found.key not in allowed and found.key.rpartition(".")[2] not in allowed
        for found in record.findings
        if found.verdict is Verdict.FAIL
    )


def _next_parent(workspace: Workspace) -> str:
    """Returns the revision that the next commit stands on, which is not there before the first one.

    Raises:
        UnknownRevision: The first commit of all is being replaced.
    """
    if is_head_replaced(workspace.git, environ=workspace.environ):
        return resolve_commit(workspace.git, "HEAD^")
    return "HEAD"


def _texts(
    workspace: Workspace, path: str, start: str, first_look: int
) -> Iterator[tuple[Version, bytes]]:
    """Yields each version with its sidecar, newest first.

    git is asked for the newest few first: mostly they are all that is wanted, and sidecars can be
    large.
    """
    git = workspace.git
    count = 0
    for one in versions(git, path, start, limit=first_look, first_parent=True):
        count += 1
        if one.text is not None:
            yield one, one.text
    if count == first_look:
        for one in islice(versions(git, path, start, first_parent=True), count, None):
            if one.text is not None:
                yield one, one.text


def entries_about(
    workspace: Workspace, entries: Sequence[Allowance], sidecar: Sidecar
) -> tuple[Allowance, ...]:
    """Returns the entries about a version as a whole, or about a file that it has."""
    whole = version_digest(sidecar)
    files: dict[str, Digest] = {}
    if sidecar.kind == "directory" and any(one.table for one in entries):
        # Without its list of files nothing of it can be compared either.
        with suppress(ObjectMissing):
            files = subjects.digests_of(workspace.tree(sidecar))
    return tuple(one for one in entries if one.data in (whole, files.get(one.table)))
