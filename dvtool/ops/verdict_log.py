"""`log --verdicts`: what is known of each version of a data set, and what was accepted in it.

Shows records of this clone, on request those of a remote, and the lines of the allow file. Judges
nothing. Called by the CLI.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from dvtool.core.allow import Allowance
from dvtool.core.digest import Digest
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar, version_digest
from dvtool.errors import InvalidText, UnknownRevision
from dvtool.git.history import Version, versions
from dvtool.git.revisions import resolve_commit
from dvtool.ops import subjects
from dvtool.ops.baselines import entries_about
from dvtool.ops.record_travel import fetch_records
from dvtool.ops.records import Record, Records, text_digest
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class VersionVerdict:
    """One version and what is known of it.

    Attributes:
        commit: Object id.
        author: Name.
        date: ISO 8601 with the author's offset.
        subject: First line of the message.
        data: Digest of the version; None when it was removed, or its sidecar is broken.
        record: The newest record by the version's own checks; else by any; None for none.
        own_checks: Whether the record was made by the checks of the version's own commit.
        source: `here`, or the remote that says so; empty without a record.
        allowed: Lines of the allow file about the version.
    """

    commit: str
    author: str
    date: str
    subject: str
    data: Digest | None = None
    record: Record | None = None
    own_checks: bool = False
    source: str = ""
    allowed: tuple[Allowance, ...] = ()


def verdict_log(
    workspace: Workspace,
    dataset: str,
    rev: str = "HEAD",
    *,
    limit: int | None = None,
    remote: str | None = None,
    network: bool = False,
) -> list[VersionVerdict]:
    """Returns the versions of a data set, newest first, with what is known of each.

    Args:
        workspace: Where.
        dataset: Which.
        rev: Where to begin. From HEAD the allow file on disk counts, else the one in the commit.
        limit: At most so many versions.
        remote: Which remote to ask; None for the default one.
        network: Ask a remote as well; what it says is shown, and not kept.

    Raises:
        UnknownRevision: No commit has this data set.
        InvalidText: The allow file breaks its format.
        RemoteFailed: From the remote.
    """
    commit = resolve_commit(workspace.git, rev)
    found = list(islice(versions(workspace.git, dataset + SIDECAR_SUFFIX, commit), limit))
    if not found:
        raise UnknownRevision(
            f"no commit of {rev} has the data set {dataset}", hint="dvtool list shows what there is"
        )
    where = None if rev == "HEAD" else commit
    entries = subjects.allowances(subjects.allow_at(workspace, dataset, where))
    parsed = [(one, _sidecar(one)) for one in found]
    digests = {version_digest(sidecar) for _, sidecar in parsed if sidecar is not None}
    here = Records(workspace.records_dir)
    known = {data: [(one, "here") for one in here.about(dataset, data)] for data in digests}
    if network:
        called = f"remote {remote or workspace.settings.remote or ''}".strip()
        fetched = fetch_records(workspace, remote, dataset, digests)
        for record in sorted(fetched, key=lambda one: one.time, reverse=True):
            known[record.data].append((record, called))
    return [_known(workspace, one, sidecar, entries, known) for one, sidecar in parsed]


def _sidecar(version: Version) -> Sidecar | None:
    if version.text is None:
        return None
    try:
        return parse_sidecar(version.text, source=f"{version.commit[:12]}:{version.path}")
    except InvalidText:
        return None


def _known(
    workspace: Workspace,
    version: Version,
    sidecar: Sidecar | None,
    entries: Sequence[Allowance],
    known: Mapping[Digest, Sequence[tuple[Record, str]]],
) -> VersionVerdict:
    line = (version.commit, version.author, version.date, version.subject)
    if sidecar is None:
        return VersionVerdict(*line)
    data = version_digest(sidecar)
    dataset = version.path.removesuffix(SIDECAR_SUFFIX)
    checks = subjects.checks_at(workspace, dataset, version.commit)
    own = text_digest(checks.text if checks is not None else "")
    about = entries_about(workspace, entries, sidecar) if entries else ()
    # The version's own checks first; within them what this clone knows itself, newest first.
    ranked = sorted(known[data], key=lambda one: one[0].checks != own)
    if not ranked:
        return VersionVerdict(*line, data=data, allowed=about)
    record, source = ranked[0]
    is_own = record.checks == own
    return VersionVerdict(
        *line, data=data, record=record, own_checks=is_own, source=source, allowed=about
    )
