"""`check`: are the data any good? In the work tree, as staged, in any commit, or any file at all.

Chooses what is judged and what it is compared with, asks what is remembered, and has the rest
judged by `dvtool.quality`. Fetches nothing. Called by the CLI.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from pathlib import Path

from dvtool.core.events import SILENT, Progress
from dvtool.core.paths import ALLOW_SUFFIX, CHECKS_SUFFIX, SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, version_digest
from dvtool.errors import UnknownRevision
from dvtool.git.revisions import resolve_commit
from dvtool.ops import baselines, subjects
from dvtool.ops.comparing import (
    compared_with_file,
    compared_with_version,
    files_of,
    with_references,
)
from dvtool.ops.disk import Disk
from dvtool.ops.history import MOST_VERSIONS, files_in_order, has_past, with_past
from dvtool.ops.judge_once import judge_subject_once, remembered
from dvtool.ops.repeats import with_repeats
from dvtool.ops.selection import Selected, datasets_of, is_within, nothing_at, owner_of
from dvtool.ops.staged import Staged
from dvtool.ops.subjects import ChecksText, Subject
from dvtool.ops.uniting import is_asked, united
from dvtool.ops.verdicts import judging_versions
from dvtool.ops.versions import selected_sidecars, sidecars_in
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Judgement

STAGED = ""
"""The index, as git spells it before the colon of `:PATH`."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to judge.

    Attributes:
        baseline: A revision or a file; empty for the default.
        python: Whether code of the repository may run (`schema:`).
        examples: Offending rows to show, per finding.
        now: The time by which waivers run out and freshness is judged.
        memory_bytes: What the engine may take; None for as much as tables usually need.
        profiles: Whether files whose profile cannot be kept are profiled, too.
        baseline_why: How the baseline was chosen, in words; empty when a person named it.
        checks_rev: A commit whose checks judge instead of the version's own; empty for the latter.
        root: Folder that holds the code and other tables of the judged version; None for the work
            tree, where that is what is judged.
        history: Folder or pattern of earlier files that a plain file is judged by; empty for none.
        past_from: Remote that is asked for profiles of earlier versions that are not here, empty
            for the default one; None for no network.
        watch: Told of each subject and how it came out, for reports.
    """

    baseline: str = ""
    python: bool = True
    examples: int = 5
    now: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    memory_bytes: int | None = None
    profiles: bool = False
    baseline_why: str = ""
    checks_rev: str = ""
    root: Path | None = None
    history: str = ""
    past_from: str | None = None
    watch: Callable[[Subject, Judgement], None] = lambda _, __: None


def check_files(
    paths: Sequence[tuple[Path, str]], wanted: Wanted, *, progress: Progress = SILENT
) -> list[Judgement]:
    """Judges files and folders as they stand on disk, without git.

    Args:
        paths: Where each is, and what the person called it.
        wanted: How; its baseline is a file or a folder.
        progress: Whom to tell.

    Raises:
        UsageError: A path is not there.
        InvalidText: A checks file beside it breaks its format.
    """
    found = [_plain_subject(path, name, wanted) for path, name in paths]
    return [judge_subject_once(one, wanted, progress) for one in found]


def check_datasets(
    workspace: Workspace,
    paths: Sequence[str],
    wanted: Wanted,
    *,
    staged: bool = False,
    rev: str = "",
    everything: bool = False,
) -> list[Judgement]:
    """Judges data sets of a version.

    Args:
        workspace: Where.
        paths: Relative to the top; none means those that differ from HEAD.
        wanted: How.
        staged: Judge what is staged, from the store, not the files on disk.
        rev: Judge this commit's version instead.
        everything: Without paths, judge also what is as in HEAD.

    Raises:
        UnknownRevision: A path or revision is not known.
        ObjectMissing: Bytes that must be read are not in the store.
        InvalidText: A sidecar or a checks file breaks its format.
    """
    found = subjects_of(workspace, paths, wanted, staged=staged, rev=rev, everything=everything)
    return [judge_subject_once(one, wanted, workspace.progress, workspace) for one in found]


def subjects_of(
    workspace: Workspace,
    paths: Sequence[str],
    wanted: Wanted,
    *,
    staged: bool = False,
    rev: str = "",
    everything: bool = False,
) -> Iterator[Subject]:
    """Yields what `check_datasets` judges; arguments and errors are the same."""
    where: str | None = STAGED if staged else resolve_commit(workspace.git, rev) if rev else None
    if staged:
        chosen = Staged(workspace).chosen(paths)
    else:
        chosen = selected_sidecars(workspace, where, list(paths))
    disk = Disk(workspace) if where is None else None
    if not paths and not everything and not rev:
        chosen = _changed(workspace, chosen, where, disk)
    for one, sidecar in chosen:
        yield subject_of(workspace, one, sidecar, where, wanted, disk=disk)


def staged_verdict(
    workspace: Workspace, staged: Staged, dataset: str, wanted: Wanted
) -> Judgement | None:
    """Returns what is remembered of a data set as it is staged; None when it must be judged.

    Raises:
        As `check_datasets`.
    """
    ((one, sidecar),) = staged.chosen([dataset])
    subject = subject_of(workspace, one, sidecar, STAGED, wanted)
    return remembered(subject, wanted, workspace)


def split_paths(workspace: Workspace, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns which of several paths belong to data sets, and which are other files on disk."""
    known = set(sidecars_names(workspace))
    inside, outside = [], []
    for path in paths:
        bare = path.removesuffix(SIDECAR_SUFFIX).removesuffix(CHECKS_SUFFIX)
        bare = bare.removesuffix(ALLOW_SUFFIX)
        is_known = (
            bare in known
            or owner_of(known, path) is not None
            or any(name.startswith(path + "/") for name in known)
            or path == ""
        )
        if is_known:
            inside.append(bare if bare in known else path)
        else:
            outside.append(path)
    return inside, outside


def sidecars_names(workspace: Workspace) -> list[str]:
    """Returns the data sets of the work tree."""
    from dvtool.git.sidecars import sidecar_paths

    return datasets_of(sidecar_paths(workspace.git))


# -- what is judged ------------------------------------------------------------------------------


def _changed(
    workspace: Workspace,
    chosen: list[tuple[Selected, Sidecar]],
    where: str | None,
    disk: Disk | None,
) -> list[tuple[Selected, Sidecar]]:
    """Returns the data sets whose data, checks or allowances differ from HEAD."""
    try:
        head = resolve_commit(workspace.git, "HEAD")
    except UnknownRevision:
        return chosen  # nothing is committed yet
    before = sidecars_in(workspace, head)
    same = [one.dataset for one, sidecar in chosen if before.get(one.dataset) == sidecar]
    now, then = (subjects.beside_at(workspace, same, commit) for commit in (where, head))
    return [
        (one, sidecar)
        for one, sidecar in chosen
        if one.dataset not in now
        or now[one.dataset] != then[one.dataset]
        or (disk is not None and disk.states(one.dataset))
    ]


def subject_of(
    workspace: Workspace,
    one: Selected,
    sidecar: Sidecar,
    where: str | None,
    wanted: Wanted,
    *,
    disk: Disk | None = None,
    stored: bool = False,
    checks_by: Callable[[], ChecksText | None] | None = None,
) -> Subject:
    """Returns what is judged of a data set, with its checks and its baseline.

    Args:
        workspace: Where.
        one: The data set, or a part of it.
        sidecar: What it says in the version that is judged.
        where: The version: a commit's or tree's id, `STAGED`, or None for the work tree.
        wanted: How.
        disk: What differs on disk, where several are judged in the work tree.
        stored: Judge the bytes that the sidecar names, whatever stands on disk.
        checks_by: Gives the checks to judge by instead of the version's own.

    Raises:
        ObjectMissing: Its list of files is not in the store.
        UnknownRevision: A part was named that neither it nor its checks have.
    """
    dataset = one.dataset
    if checks_by is None and not wanted.checks_rev:
        checks, allow = subjects.beside_at(workspace, [dataset], where)[dataset]
    else:
        rev = wanted.checks_rev
        checks = checks_by() if checks_by else subjects.checks_at(workspace, dataset, rev)
        allow = subjects.allow_at(workspace, dataset, where)
    inputs = {
        **judging_versions(),
        "checks": checks.text if checks else "",
        "allow": allow.text if allow else "",
    }
    on_disk = where is None and not stored and (disk or Disk(workspace)).is_edited(dataset)
    if on_disk:
        files = files_of(workspace.abspath(dataset), dataset)
    else:
        files = subjects.stored_files(workspace.store, dataset, workspace.tree(sidecar))
        inputs |= subjects.version_inputs("data", sidecar)
    part = os.fsdecode(one.inside)
    files = united(files, checks)
    others = frozenset(path for path, file in files.items() if not is_asked(path, file, part))
    if part and len(others) == len(files) and not _is_in_checks(checks, part):
        raise nothing_at(one)
    allowed = subjects.allowances(allow)
    subject = Subject(
        name=dataset,
        version="work tree" if where is None else "staged" if where == STAGED else where[:12],
        files=files,
        checks=checks,
        allowed=allowed,
        data=None if on_disk else version_digest(sidecar),
        inputs={} if on_disk or part or wanted.history else inputs,
        inside=part,
        settled=others,
        root=wanted.root or (workspace.top if where in (None, STAGED) else None),
        todays_checks=checks if where is None else subjects.checks_at(workspace, dataset, None),
    )
    # Changed on disk: the last commit that has the data set is what changed.
    look = MOST_VERSIONS + 1 if has_past(subject) else baselines.FIRST_LOOK
    coming = sidecar if where in (None, STAGED) else None
    every = baselines.teaching(
        workspace, dataset, where, first_look=look, coming=coming, allowed=allowed
    )
    every, found = tee(every)  # git is asked once
    before = (one for one in found if version_digest(one.sidecar) != subject.data)
    versions, again = tee(before)
    subject = compared_with_version(workspace, subject, wanted, versions)
    subject = with_repeats(workspace, subject, every)
    subject = with_references(workspace, subject)
    if wanted.history:
        return _with_asked_past(subject, wanted.history, workspace.abspath(dataset))
    return with_past(workspace, subject, again)


def _is_in_checks(checks: ChecksText | None, part: str) -> bool:
    """Tells whether checks name a table in a part of a data set, which then is missing."""
    if checks is None:
        return False
    from dvtool.quality.checks.parsing import parse_checks

    parsed = parse_checks(checks.text, source=checks.path)
    return any(is_within(spec.path, part) for spec in parsed.tables)


def _with_asked_past(subject: Subject, history: str, place: Path) -> Subject:
    """Returns a subject whose files are judged by earlier ones that a person named.

    Args:
        subject: What is judged.
        history: A folder or a pattern.
        place: Where the subject stands on disk: no file is part of its own past.
    """
    past = {
        path: files_in_order(history, but=[place / one for one in (file.members or [path])])
        for path, file in subject.files.items()
        if path not in subject.settled
    }
    return replace(subject, past=past, history_asked=True)


def _plain_subject(path: Path, name: str, wanted: Wanted) -> Subject:
    # `.` and `..` have no name to put the ending behind.
    checks = subjects.checks_beside(Path(os.path.abspath(path)), name.rstrip("/"))
    files = united(files_of(path, name), checks)
    subject = Subject(name, "", files, checks=checks, root=path.absolute().parent)
    subject = with_references(None, subject)
    if wanted.history:
        subject = _with_asked_past(subject, wanted.history, path)
    return compared_with_file(subject, wanted.baseline) if wanted.baseline else subject
