"""Subjects: what a judgement is about, in any version, with its checks and its baseline.

A subject is a data set, or a file outside of any. Its bytes are opened only when they are needed,
since a verdict that is known already needs none. Judging is `dvtool.quality`; called by `check`
and its relatives.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from dvtool.core.allow import Allowance
from dvtool.core.digest import Digest, digest_of, format_digest
from dvtool.core.paths import ALLOW_SUFFIX, CHECKS_SUFFIX
from dvtool.core.quote import display
from dvtool.core.sidecar import Sidecar, encode_sidecar
from dvtool.core.tree import Tree
from dvtool.errors import InvalidText, ObjectMissing, UsageError
from dvtool.git.contents import read_files
from dvtool.git.plumbing import Git
from dvtool.ops.workspace import Workspace
from dvtool.quality.judged import Baseline
from dvtool.quality.tables.members import Source, mark_of
from dvtool.store.local import LocalStore
from dvtool.worktree.sidecarfile import read_sidecar

MISNAMED_SUFFIX = ".checks.yml"
"""What people call checks by mistake, who then believe that their data are judged by them."""


_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


class FileBytes(NamedTuple):
    """One file of a version.

    Attributes:
        name: As the user knows it; its ending tells the format.
        digest: Of its bytes; None for a file on disk that nobody hashed.
        open: Gives where to read it from, for the time of a `with` block: a path, or members.
        members: Of a table of several files, each of them by its path inside the data set.
    """

    name: str
    digest: Digest | None
    open: Callable[[], AbstractContextManager[Source]]
    members: Mapping[str, FileBytes] = _NONE


class BaselineFile(NamedTuple):
    """One file that another is compared with; whether its bytes are here."""

    baseline: Baseline
    file: FileBytes
    is_here: bool = True


@dataclass(frozen=True, slots=True)
class Reference:
    """What a `reference:` of checks stands for.

    Attributes:
        baseline: What it is called, and why.
        files: Its files by path inside the data set; one file of its own has path "".
        problem: Why there are none, empty normally.
        commit: What it names, where it is a revision.
    """

    baseline: Baseline
    files: Mapping[str, FileBytes] = field(default_factory=dict)
    problem: str = ""
    commit: str = ""


class ChecksText(NamedTuple):
    """A checks file, or an allow file, as it stood in the judged version."""

    path: str
    text: str


class Beside(NamedTuple):
    """What stood beside a data set in a version."""

    checks: ChecksText | None
    allow: ChecksText | None


class PastFile(NamedTuple):
    """One earlier version of a table.

    Attributes:
        name: As the user knows the version.
        file: Its bytes.
        size_bytes: Of it.
        resets: Columns whose history starts anew with it; `*` for all.
    """

    name: str
    file: FileBytes
    size_bytes: int = 0
    resets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged.

    Attributes:
        name: The data set, or the file as typed.
        version: `work tree`, `staged`, a commit's first 12 digits, or empty for a plain file.
        files: By path inside the data set; the single file of a file data set has path "".
        checks: Its checks, None when it has none.
        baseline_files: What its files are compared with, by the same paths.
        references: By what checks call them.
        allowed: Failures that were accepted by review, of this version and of others.
        data: Digest of the version; None when it is none yet.
        inputs: Names and digests of everything that was settled here; empty when something on
            disk has no digest, so that nothing can be remembered.
        inside: The folder or file of the data set that was asked for; empty for all of it.
        settled: Paths of files that are not judged, since nothing about them changed; the caller knows.
        root: Folder that `schema:` and other tables are looked up in; None where code of the
            version is not at hand.
        todays_checks: The data set's checks on disk: what they call private is so in every version.
        past: Earlier versions of its files, oldest first, by the same paths.
        history_asked: Whether a person named that past.
        no_baseline: Why the version that a person named is none, in words; empty for no reason.
        repeats: Names of earlier versions that files are byte for byte, by the same paths.
    """

    name: str
    version: str
    files: Mapping[str, FileBytes]
    checks: ChecksText | None = None
    baseline_files: Mapping[str, BaselineFile] = field(default_factory=dict)
    references: Mapping[str, Reference] = field(default_factory=dict)
    allowed: tuple[Allowance, ...] = ()
    data: Digest | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    inside: str = ""
    settled: frozenset[str] = frozenset()
    root: Path | None = None
    todays_checks: ChecksText | None = None
    past: Mapping[str, tuple[PastFile, ...]] = field(default_factory=dict)
    history_asked: bool = False
    no_baseline: str = ""
    repeats: Mapping[str, str] = field(default_factory=dict)

    @property
    def every_file(self) -> dict[str, FileBytes]:
        """Returns its files by path, those of tables of several among them, one by one and together."""
        members = {path: one for file in self.files.values() for path, one in file.members.items()}
        return {**members, **self.files}

    @property
    def file_count(self) -> int:
        """How many files it has, those of tables of several counted one by one."""
        return sum(len(one.members) or 1 for one in self.files.values())


def digest_now(file: FileBytes) -> Digest:
    """Returns the digest of a file's bytes, read for it where nobody hashed them yet."""
    if file.digest is not None:
        return file.digest
    with file.open() as source:
        return Digest(bytes.fromhex(mark_of(source)))


def plain_file(path: Path, *, name: str, verb: str = "judge") -> FileBytes:
    """Returns a file on disk, for what `verb` says.

    Raises:
        UsageError: It is not there, or is no file.
    """
    if not path.is_file():
        kind, hint = _what_instead(path)
        raise UsageError(f"cannot {verb} {display(os.fsencode(name))}: {kind}", hint=hint)
    return FileBytes(name, None, partial(_standing, path))


def _what_instead(path: Path) -> tuple[str, str]:
    """Returns what stands where a file should be, and what to do about it."""
    if path.is_dir():
        return "a folder", "name one file in it"
    if path.is_symlink() and not path.exists():
        return "a link to nothing", f"it points to {os.readlink(path)}"
    if path.exists():
        return "no regular file, but a pipe, a socket or a device", "write its data to a file first"
    return "no such file", ""


def plain_folder(path: Path, *, name: str) -> dict[str, FileBytes]:
    """Returns the files below a folder on disk, sorted; hidden ones, pipes and devices left out."""
    found = {}
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for file in sorted(files):
            if not file.startswith(".") and os.path.isfile(os.path.join(folder, file)):
                inside = os.path.relpath(os.path.join(folder, file), path)
                found[inside] = plain_file(Path(folder, file), name=f"{name}/{inside}")
    return found


def stored_files(store: LocalStore, dataset: str, tree: Tree) -> dict[str, FileBytes]:
    """Returns the files of a version, to be read from the store."""
    found = {}
    for raw, entry in sorted(tree.items()):
        if entry.mode in ("f", "x"):
            inside = os.fsdecode(raw)
            name = f"{dataset}/{inside}" if inside else dataset
            opening = partial(_from_store, store, entry.digest, name)
            found[inside] = FileBytes(name, entry.digest, opening)
    return found


def missing_files(store: LocalStore, files: Mapping[str, FileBytes]) -> list[str]:
    """Returns the names of files whose bytes the store does not have, or not all of them."""
    return [
        one.name
        for one in files.values()
        if any(
            member.digest is not None and not store.has(member.digest)
            for member in (one.members.values() or [one])
        )
    ]


def version_inputs(what: str, sidecar: Sidecar) -> dict[str, str]:
    """Returns what a version adds to the inputs of a judgement: all its bytes, by one digest."""
    return {what: format_digest(digest_of(encode_sidecar(sidecar)))}


def beside_at(
    workspace: Workspace, datasets: Sequence[str], commit: str | None
) -> dict[str, Beside]:
    """Returns checks and allow files of data sets in a commit, in the index (`""`), or on disk (None).

    At most two processes, however many data sets.

    Raises:
        InvalidText, UnsafePath: Something on disk is no ordinary file, or has another name.
    """
    if commit is None:
        return {
            one: Beside(checks_at(workspace, one, None), allow_at(workspace, one, None))
            for one in datasets
        }
    paths = [one + suffix for one in datasets for suffix in (CHECKS_SUFFIX, ALLOW_SUFFIX)]
    texts = read_files(workspace.git, commit, paths)
    return {
        one: Beside(
            _text(texts, one + CHECKS_SUFFIX, "replace"),
            _text(texts, one + ALLOW_SUFFIX, "surrogateescape"),
        )
        for one in datasets
    }


def _text(texts: Mapping[str, bytes], path: str, errors: str) -> ChecksText | None:
    return ChecksText(path, texts[path].decode("utf-8", errors)) if path in texts else None


def checks_at(workspace: Workspace, dataset: str, commit: str | None) -> ChecksText | None:
    """Returns a data set's checks in a commit, in the index (`""`), or on disk (None)."""
    if commit is None:
        return checks_beside(workspace.abspath(dataset), dataset)
    return beside_at(workspace, [dataset], commit)[dataset].checks


def checks_beside(path: Path, name: str) -> ChecksText | None:
    """Returns the checks beside a file or folder on disk, None when it has none.

    Args:
        path: The file or folder; not `.` or `..`, which have no name to put the ending behind.
        name: As the user knows it.

    Raises:
        InvalidText: Something stands there that would be taken for checks and is not read.
    """
    checks = path.with_name(path.name + CHECKS_SUFFIX)
    source = name + CHECKS_SUFFIX
    try:
        raw = checks.read_bytes()
        return ChecksText(source, raw.decode())
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        hint = "save the file as UTF-8"
        raise InvalidText("not UTF-8", source=source, line=line, hint=hint) from None
    except IsADirectoryError:
        raise InvalidText("a folder where checks would be", source=source) from None
    except (FileNotFoundError, NotADirectoryError):
        pass
    if checks.is_symlink():
        raise InvalidText("a link to nothing where checks would be", source=source)
    if path.with_name(path.name + MISNAMED_SUFFIX).is_file():
        raise InvalidText(
            "checks under this name are not read",
            source=name + MISNAMED_SUFFIX,
            hint=f"call the file {os.path.basename(source)}",
        )
    return None


def allow_at(workspace: Workspace, dataset: str, commit: str | None) -> ChecksText | None:
    """Returns a data set's allow file in a commit, in the index (`""`), or on disk (None).

    Raises:
        UnsafePath: On disk it is no ordinary file.
    """
    if commit is not None:
        return beside_at(workspace, [dataset], commit)[dataset].allow
    path = dataset + ALLOW_SUFFIX
    raw = read_sidecar(workspace.top, path)
    return None if raw is None else ChecksText(path, raw.decode("utf-8", "surrogateescape"))


def allowances(text: ChecksText | None) -> tuple[Allowance, ...]:
    """Returns the entries of an allow file, none when there is no file.

    Raises:
        InvalidText: It breaks its format.
    """
    if text is None:
        return ()
    from dvtool.core.allowtext import parse_allow

    return parse_allow(text.text.encode("utf-8", "surrogateescape"), source=text.path)


def digests_of(tree: Tree) -> dict[str, Digest]:
    """Returns the digest of each file of a version, by path inside the data set."""
    return {os.fsdecode(path): one.digest for path, one in tree.items() if one.mode in ("f", "x")}


def file_at(git: Git, commit: str, path: str) -> str | None:
    """Returns the text of a small file in a commit, a tree or the index (`""`); None without it."""
    raw = read_files(git, commit, [path]).get(path)
    return None if raw is None else raw.decode("utf-8", "replace")


@contextmanager
def _standing(path: Path) -> Iterator[Path]:
    yield path


@contextmanager
def _from_store(store: LocalStore, digest: Digest, name: str) -> Iterator[Path]:
    import tempfile  # not for verdicts that are known

    # Readers tell formats by endings, which the store does not keep.
    with tempfile.TemporaryDirectory(prefix="dvtool-check-") as folder:
        path = Path(folder, os.path.basename(name))
        large = store.path_of(digest)
        if large is not None:
            path.symlink_to(large.absolute())
        else:
            try:
                path.write_bytes(store.read(digest))
            except ObjectMissing as error:
                message = f"{error.message}: the bytes of {display(os.fsencode(name))}"
                raise ObjectMissing(message, hint="dvtool fetch") from error
        yield path
