"""What a subject is compared with: a file that somebody named, a revision, or the default version.

Finds the baseline of each file of a subject and its bytes; which versions are accepted is
`dvtool.ops.baselines`. Called by `check`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dvtool.errors import UnknownRevision, UsageError
from dvtool.ops import baselines, subjects
from dvtool.ops.baselines import BaselineVersion
from dvtool.ops.subjects import BaselineFile, FileBytes, Reference, Subject
from dvtool.ops.uniting import united
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Baseline

if TYPE_CHECKING:
    from dvtool.ops.check import Wanted

LOOKED_BACK: Final = 60
"""Versions among which a table's baseline is looked for when it was an exception in the newest."""


def files_of(path: Path, name: str) -> dict[str, FileBytes]:
    """Returns a file, or the files below a folder, as they stand on disk."""
    if path.is_dir():
        return subjects.plain_folder(path, name=name.rstrip("/"))
    return {"": subjects.plain_file(path, name=name)}


def compared_with_file(subject: Subject, name: str) -> Subject:
    """Returns a subject with a file or folder on disk as its baseline.

    Raises:
        UsageError: There is none.
    """
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"no baseline at {name}",
            hint="outside of a repository the baseline is a file or a folder",
        )
    baseline = Baseline(name, "given as a file")
    given = files_of(path, name)
    files = united(given, subject.checks)
    if subject.inside:
        # What a person named is a part: a file for a file, a folder for a folder.
        placed = {f"{subject.inside}/{path}".rstrip("/"): one for path, one in given.items()}
        placed = united(placed, subject.checks)
        files = placed if set(placed) & set(subject.files) else files
    found = {inside: BaselineFile(baseline, file) for inside, file in files.items()}
    if not set(found) & (set(subject.files) - subject.settled):
        raise UsageError(
            f"{name} has nothing to compare {_called(subject)} with",
            hint="a file is compared with a file, a folder with a folder of the same names",
        )
    return replace(subject, baseline_files=found, inputs={})


def _called(subject: Subject) -> str:
    return f"{subject.name}/{subject.inside}" if subject.inside else subject.name


def compared_with_version(
    workspace: Workspace,
    subject: Subject,
    wanted: Wanted,
    teaching: Iterator[BaselineVersion],
) -> Subject:
    """Returns a subject with an earlier version of its data set as its baseline, if there is one.

    Args:
        workspace: Where.
        subject: What is judged.
        wanted: Its baseline is a revision or a file; empty for the default.
        teaching: The accepted versions before it that teach, newest first.

    Raises:
        UnknownRevision: git does not know the revision.
    """
    given = wanted.baseline
    if given and Path(given).exists():
        return compared_with_file(subject, given)
    versions: Iterator[BaselineVersion]
    if given and wanted.baseline_why:
        found = baselines.chosen(workspace, subject.name, given, why=wanted.baseline_why)
        versions = islice(found, LOOKED_BACK)
    elif given:
        try:
            named = baselines.at_revision(workspace, subject.name, given)
        except UnknownRevision as error:
            raise UnknownRevision(
                f"no file and no revision to compare with: {given}", hint=error.hint
            ) from None
        versions = iter([named] if named is not None else [])
        if named is None:
            why = f"a baseline that has it: {given} has no {subject.name}"
            inputs = subject.inputs and {**subject.inputs, "no baseline": why}
            subject = replace(subject, no_baseline=why, inputs=inputs)
    else:
        versions = islice(teaching, LOOKED_BACK)
    newest = next(versions, None)
    if newest is None:
        return subject
    files, untaught, missing = _files(workspace, subject, newest)
    inputs = {"baseline called": newest.baseline.name, "baseline files here": str(len(files))}
    inputs["baseline files missing"] = str(missing)
    if missing:
        inputs["baseline profiles here"] = _profiles_here(workspace, files)
    inputs |= subjects.version_inputs("baseline", newest.sidecar)
    for older in versions if untaught & set(subject.files) else ():
        # A table that was an exception is compared with the last version in which it was none.
        earlier, _, _ = _files(workspace, subject, older)
        filled = {path: file for path, file in earlier.items() if path in untaught}
        files |= filled
        untaught -= set(filled)
        inputs |= subjects.version_inputs(f"baseline {older.commit}", older.sidecar)
        if not untaught & set(subject.files):
            break
    return replace(
        subject, baseline_files=files, inputs=subject.inputs and {**subject.inputs, **inputs}
    )


def _profiles_here(workspace: Workspace, files: Mapping[str, BaselineFile]) -> str:
    """Returns what says which profiles stand in for bytes that are not here."""
    from dvtool.ops.profiler import folder_of

    folder = folder_of(workspace)
    away = (
        file.digest
        for one in files.values()
        if not one.is_here
        for file in (one.file.members.values() or [one.file])
    )
    names = sorted(name for digest in away if digest for name in folder.names_of(digest))
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def reference_version(
    workspace: Workspace, dataset: str, word: str, *, why: str = ""
) -> BaselineVersion | None:
    """Returns the version that a `reference:` names, None when it is no revision of the data set."""
    with suppress(UnknownRevision):
        return baselines.at_revision(workspace, dataset, word, why=why)
    return None


def with_references(workspace: Workspace | None, subject: Subject) -> Subject:
    """Returns a subject with what the `reference:` words of its checks stand for.

    A word is a revision that git knows, else a file beside the checks or below the top. What is
    neither stays without files, so that the table is undecided.

    Raises:
        InvalidText: The checks break their format.
    """
    if subject.checks is None or "reference" not in subject.checks.text:
        return subject
    from dvtool.quality.checks.parsing import parse_checks

    source = subject.checks.path
    found: dict[str, Reference] = {}
    inputs = dict(subject.inputs)
    for table in parse_checks(subject.checks.text, source=source).tables:
        word = table.reference
        if not word or word in found:
            continue
        why = f"reference: {word} in {table.at('reference', source)}"
        version = None
        if workspace is not None:
            version = reference_version(workspace, subject.name, word, why=why)
        if workspace is not None and version is not None:
            files = subjects.stored_files(
                workspace.store, subject.name, workspace.tree(version.sidecar)
            )
            files = united(files, subject.checks)
            missing = set(subjects.missing_files(workspace.store, files))
            here = {path: one for path, one in files.items() if one.name not in missing}
            hint = f": dvtool fetch --rev {word}" if missing else ""
            problem = f"its bytes are not here{hint}"
            found[word] = Reference(version.baseline, here, problem, version.commit)
            inputs |= subjects.version_inputs(f"reference {word}", version.sidecar)
            inputs |= {f"reference files here {word}": str(len(here))}
        else:
            found[word] = _reference_file(subject, word, why)
    # A file on disk has no digest here.
    is_named = bool(subject.inputs) and all(one.commit for one in found.values())
    return replace(subject, references=found, inputs=inputs if is_named else {})


def _reference_file(subject: Subject, word: str, why: str) -> Reference:
    if subject.root is not None:
        beside = subject.root / Path(subject.name).parent / word
        for path in (beside, subject.root / word):
            if path.is_file():
                return Reference(Baseline(word, why), {"": subjects.plain_file(path, name=word)})
    return Reference(Baseline(word, why), problem=f"{word} is no revision of it, and no file here")


def _files(
    workspace: Workspace, subject: Subject, version: BaselineVersion
) -> tuple[dict[str, BaselineFile], set[str], int]:
    """Returns the files that teach, the paths that do not, and how many files lack bytes."""
    files = subjects.stored_files(workspace.store, subject.name, workspace.tree(version.sidecar))
    files = united(files, subject.checks)
    # Of a file that is the same in both versions nothing is compared, so it need not be here.
    others = {path: one for path, one in files.items() if not _is_same(subject, path, one)}
    missing = set(subjects.missing_files(workspace.store, others))
    baseline = version.baseline
    if missing:
        why = f"{baseline.why}; {len(missing)} of its files are not here: dvtool fetch --rev {version.commit[:12]}"
        baseline = Baseline(baseline.name, why)
    untaught = {path for path in files if not version.teaches_from(path)}
    found = {
        path: BaselineFile(baseline, one, one.name not in missing)
        for path, one in files.items()
        if path not in untaught
    }
    return found, untaught, len(missing)


def _is_same(subject: Subject, path: str, file: FileBytes) -> bool:
    judged = subject.files.get(path)
    return judged is not None and judged.digest is not None and judged.digest == file.digest
