"""`check`: are the data any good? In the work tree, as staged, in any commit, or any file at all.

Chooses what is judged and what it is compared with, asks what is remembered, and has the rest
judged by `dvtool.quality`. Fetches nothing. Called by the CLI.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dvtool.core.events import SILENT, Progress
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import Sidecar, parse_sidecar
from dvtool.errors import UnknownRevision, UsageError
from dvtool.git.revisions import resolve_commit
from dvtool.git.sidecars import read_blobs, staged_sidecars
from dvtool.ops import baselines, subjects
from dvtool.ops.baselines import BaselineVersion
from dvtool.ops.selection import Selected, datasets_of, owner_of, select
from dvtool.ops.status import compare_dataset
from dvtool.ops.subjects import CHECKS_SUFFIX, ChecksText, FileBytes, Subject
from dvtool.ops.verdicts import Verdicts, judging_versions, key_of
from dvtool.ops.versions import selected_sidecars, sidecars_in
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Baseline, Judgement

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
        memory_bytes: What the engine may take.
        baseline_why: How the baseline was chosen, in words; empty when a person named it.
        checks_rev: A commit whose checks judge instead of the version's own; empty for the latter.
        root: Folder that holds the code and other tables of the judged version; None for the work
            tree, where that is what is judged.
        watch: Told of each subject and how it came out, for reports.
    """

    baseline: str = ""
    python: bool = True
    examples: int = 5
    now: dt.datetime = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    memory_bytes: int = 1 << 30
    baseline_why: str = ""
    checks_rev: str = ""
    root: Path | None = None
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
    return [judge_subject_once(one, wanted, None, progress) for one in found]


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
    where: str | None = STAGED if staged else resolve_commit(workspace.git, rev) if rev else None
    if staged:
        chosen = _staged(workspace, paths)
    else:
        chosen = selected_sidecars(workspace, where, list(paths))
    if not paths and not everything and not rev:
        chosen = _changed(workspace, chosen, where)
    verdicts = Verdicts(workspace.shared_dir / "verdicts")
    return [
        judge_subject_once(
            subject_of(workspace, one, sidecar, where, wanted),
            wanted,
            verdicts,
            workspace.progress,
        )
        for one, sidecar in chosen
    ]


def split_paths(workspace: Workspace, paths: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns which of several paths belong to data sets, and which are other files on disk."""
    known = set(sidecars_names(workspace))
    inside, outside = [], []
    for path in paths:
        bare = path.removesuffix(SIDECAR_SUFFIX).removesuffix(CHECKS_SUFFIX)
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


def _staged(workspace: Workspace, paths: Sequence[str]) -> list[tuple[Selected, Sidecar]]:
    oids = {entry.path: entry.oid for entry in staged_sidecars(workspace.git)}
    chosen = select(datasets_of(oids), list(paths), where="the index")
    texts = read_blobs(workspace.git, oids.values())
    found = []
    for one in chosen:
        path = one.dataset + SIDECAR_SUFFIX
        found.append((one, parse_sidecar(texts[oids[path]], source=f":{path}")))
    return found


def _changed(
    workspace: Workspace, chosen: list[tuple[Selected, Sidecar]], where: str | None
) -> list[tuple[Selected, Sidecar]]:
    """Returns the data sets whose data or checks differ from HEAD."""
    try:
        head = resolve_commit(workspace.git, "HEAD")
    except UnknownRevision:
        return chosen  # nothing is committed yet
    before = sidecars_in(workspace, head)
    index = workspace.load_index() if where is None else None
    found = []
    for one, sidecar in chosen:
        name = one.dataset
        if (
            before.get(name) != sidecar
            or subjects.checks_at(workspace, name, where)
            != subjects.checks_at(workspace, name, head)
            or (index is not None and compare_dataset(workspace, index, name).paths)
        ):
            found.append((one, sidecar))
    return found


def subject_of(
    workspace: Workspace, one: Selected, sidecar: Sidecar, where: str | None, wanted: Wanted
) -> Subject:
    """Returns what is judged of a data set, with its checks and its baseline.

    Args:
        workspace: Where.
        one: The data set, or a part of it.
        sidecar: What it says in the version that is judged.
        where: The version: a commit's or tree's id, `STAGED`, or None for the work tree.
        wanted: How.

    Raises:
        ObjectMissing: Its list of files is not in the store.
    """
    dataset = one.dataset
    checks = subjects.checks_at(workspace, dataset, wanted.checks_rev or where)
    inputs = {**judging_versions(), "checks": checks.text if checks else ""}
    on_disk = where is None and _differs_on_disk(workspace, dataset)
    if on_disk:
        files = _files_of(workspace.abspath(dataset), dataset)
    else:
        files = subjects.stored_files(workspace.store, dataset, workspace.tree(sidecar))
        inputs |= subjects.version_inputs("data", sidecar)
    subject = Subject(
        name=dataset,
        version="work tree" if where is None else "staged" if where == STAGED else where[:12],
        files=files,
        checks=checks,
        inputs={} if on_disk else inputs,
        root=wanted.root or (workspace.top if where in (None, STAGED) else None),
    )
    subject = _compared(workspace, subject, sidecar, where, wanted)
    if one.inside:
        subject = replace(subject, files=_part(subject.files, one), inputs={})
    return subject


def _part(files: Mapping[str, FileBytes], one: Selected) -> dict[str, FileBytes]:
    inside = os.fsdecode(one.inside)
    return {
        path: file
        for path, file in files.items()
        if path == inside or path.startswith(inside + "/")
    }


def _differs_on_disk(workspace: Workspace, dataset: str) -> bool:
    paths = compare_dataset(workspace, workspace.load_index(), dataset).paths
    return any(one.state in ("modified", "new", "deleted", "conflict") for one in paths)


def _compared(
    workspace: Workspace, subject: Subject, sidecar: Sidecar, where: str | None, wanted: Wanted
) -> Subject:
    if wanted.baseline and (file := Path(wanted.baseline)).exists():
        found = _files_of(file, wanted.baseline)
        return replace(
            subject,
            baseline=Baseline(wanted.baseline, "given as a file"),
            baseline_files=found,
            inputs={},
        )
    version: BaselineVersion | None
    if wanted.baseline:
        version = baselines.at_revision(
            workspace, subject.name, wanted.baseline, why=wanted.baseline_why
        )
    elif subject.inputs or where is not None:
        version = baselines.latest_accepted(workspace, subject.name, sidecar, where or None)
    else:
        # Changed on disk: the last commit that has the data set is what changed.
        version = baselines.latest_accepted(workspace, subject.name, Sidecar("file"), None)
    if version is None:
        return subject
    files = subjects.stored_files(workspace.store, subject.name, workspace.tree(version.sidecar))
    # Of a file that is the same in both versions, nothing is compared.
    same = {path for path, one in subject.files.items() if one.digest is not None}
    same = {
        path for path in same & files.keys() if files[path].digest == subject.files[path].digest
    }
    missing = subjects.missing_files(
        workspace.store, {path: one for path, one in files.items() if path not in same}
    )
    if missing:
        commit = version.baseline.name.rpartition("@")[2]
        why = f"{version.baseline.why}; {len(missing)} of its files are not here: dvtool fetch --rev {commit}"
        version = replace(version, baseline=Baseline(version.baseline.name, why))
        files = {path: one for path, one in files.items() if one.name not in missing}
    inputs = subject.inputs and {
        **subject.inputs,
        **subjects.version_inputs("baseline", version.sidecar),
        "baseline files here": str(len(files)),
    }
    return replace(subject, baseline=version.baseline, baseline_files=files, inputs=inputs)


def _plain_subject(path: Path, name: str, wanted: Wanted) -> Subject:
    files = _files_of(path, name)
    # `.` and `..` have no name to put the ending behind.
    whole = os.path.abspath(path)
    checks_path = Path(whole + CHECKS_SUFFIX)
    checks = None
    if checks_path.is_file():
        checks = ChecksText(
            name.rstrip("/") + CHECKS_SUFFIX, checks_path.read_text("utf-8", "replace")
        )
    subject = Subject(name, "", files, checks=checks, root=path.absolute().parent)
    if not wanted.baseline:
        return subject
    baseline = Path(wanted.baseline)
    if not baseline.exists():
        raise UsageError(
            f"no baseline at {wanted.baseline}",
            hint="outside of a repository the baseline is a file or a folder",
        )
    return replace(
        subject,
        baseline=Baseline(wanted.baseline, "given as a file"),
        baseline_files=_files_of(baseline, wanted.baseline),
    )


def _files_of(path: Path, name: str) -> dict[str, FileBytes]:
    if path.is_dir():
        return subjects.plain_folder(path, name=name.rstrip("/"))
    return {"": subjects.plain_file(path, name=name)}


# -- judging -------------------------------------------------------------------------------------


def judge_subject_once(
    subject: Subject, wanted: Wanted, verdicts: Verdicts | None, progress: Progress
) -> Judgement:
    """Returns the judgement of a subject, remembered or made and then remembered."""
    judged = _remembered_or_made(subject, wanted, verdicts, progress)
    wanted.watch(subject, judged)
    return judged


def _remembered_or_made(
    subject: Subject, wanted: Wanted, verdicts: Verdicts | None, progress: Progress
) -> Judgement:
    key = ""
    if subject.inputs and verdicts is not None and not _reaches_out(subject):
        options = {"python": str(wanted.python), "examples": str(wanted.examples)}
        options |= _clock(subject, wanted)
        key = key_of({**subject.inputs, **options, "name": subject.name})
        known = verdicts.get(key)
        if known is not None:
            return replace(known, version=subject.version)
    from dvtool.ops.judge import judge_subject

    judged = judge_subject(subject, wanted, progress)
    if key and verdicts is not None:
        verdicts.put(key, judged)
    return judged


OTHER_FILES = ("schema:", "in_table:", "splits:")
"""Words of checks that make other files an input, which have no digest here."""


def _reaches_out(subject: Subject) -> bool:
    return subject.checks is not None and any(one in subject.checks.text for one in OTHER_FILES)


def _clock(subject: Subject, wanted: Wanted) -> dict[str, str]:
    """Returns how much of the time a judgement depends on: a waiver's day, the hour for `fresh`."""
    text = subject.checks.text if subject.checks else ""
    if "fresh:" in text:
        return {"clock": wanted.now.strftime("%Y-%m-%dT%H")}
    return {"clock": wanted.now.strftime("%Y-%m-%d")} if "until:" in text else {}
