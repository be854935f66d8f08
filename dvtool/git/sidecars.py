"""Sidecars as git holds them: on disk, in the index, in a commit, and the bytes behind them.

Paths are `str` with surrogate escapes, relative to the top of the work tree, and end in `.dvt`; a
file that is called just `.dvt` names nothing and is left out. What the bytes mean is
`dvtool.core.sidecar`'s business. Called by `dvtool.ops`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.sidecar import MAX_SIDECAR_BYTES
from dvtool.errors import GitFailed, InvalidText, ObjectMissing
from dvtool.git.plumbing import Git
from dvtool.git.process import GitProcess

ANY_SIDECAR: Final = ":(glob)**/*" + SIDECAR_SUFFIX
# Known to every git without being stored: the trees with nothing in them.
EMPTY_TREES: Final = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
_GITLINK = b"160000"
# Requests written before their answers are read; 60 lines of 65 bytes fit the smallest pipe.
_REQUESTS_AHEAD = 60


class IndexEntry(NamedTuple):
    """One row of git's index: `mode` as git writes it, `stage` 0, or 1 to 3 in a merge."""

    path: str
    stage: int
    oid: str
    mode: str


def sidecar_paths(git: Git) -> list[str]:
    """Returns the sidecars on disk, tracked or not, except ignored ones; sorted. One process.

    Left out: those a sparse checkout does not write out, those in other repositories below this
    one, and those that can only be reached through a symbolic link.
    """
    listed = git.run(
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--deduplicate",
        "--",
        ANY_SIDECAR,
    )
    real_folders: dict[str, bool] = {"": True}
    paths = {os.fsdecode(path) for path in listed.split(b"\0") if is_sidecar(path)}
    return sorted(path for path in paths if _is_on_disk(str(git.top), path, real_folders))


def is_sidecar(path: bytes) -> bool:
    """Tells whether `path` is named as a sidecar of something."""
    return path.endswith(b".dvt") and not path.endswith(b"/.dvt") and path != b".dvt"


def _is_on_disk(top: str, path: str, real_folders: dict[str, bool]) -> bool:
    """Tells whether `path` exists as no folder, with no symbolic link on the way."""
    if not _is_real_folder(top, path.rpartition("/")[0], real_folders):
        return False
    try:
        return not stat.S_ISDIR(os.lstat(f"{top}/{path}").st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_real_folder(top: str, folder: str, known: dict[str, bool]) -> bool:
    answer = known.get(folder)
    if answer is None:
        answer = _is_real_folder(top, folder.rpartition("/")[0], known)
        if answer:
            try:
                answer = stat.S_ISDIR(os.lstat(f"{top}/{folder}").st_mode)
            except (FileNotFoundError, NotADirectoryError):
                answer = False
        known[folder] = answer
    return answer


def sidecars_at(git: Git, rev: str, paths: Sequence[str] = ()) -> dict[str, str]:
    """Returns the sidecars of a revision, with the object ids of their text. One process.

    Args:
        git: The repository.
        rev: A commit's or tree's object id, as `resolve_commit` returns it.
        paths: Only these sidecars; empty for all.

    Raises:
        UnknownRevision: There is no such object.
    """
    empty = EMPTY_TREES[git.layout.object_format]
    # Comparing with nothing, unlike ls-tree, takes patterns and skips what they cannot match.
    fields = git.run(
        *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames"),
        *("--end-of-options", empty, rev, "--"),
        *(literal(paths) or [ANY_SIDECAR]),
    ).split(b"\0")
    found = {}
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, oid, _ = meta.split(b" ")
        if mode != _GITLINK and is_sidecar(path):
            found[os.fsdecode(path)] = oid.decode()
    return found


def literal(paths: Iterable[str]) -> list[str]:
    """Returns pathspecs that mean exactly these paths and what is below them."""
    return [f":(literal){path}" for path in paths]


def staged_sidecars(git: Git) -> list[IndexEntry]:
    """Returns the sidecars in git's index, in its order; stages 1 to 3 are a merge. One process."""
    return _index_entries(git, [ANY_SIDECAR])


def index_stages(git: Git, path: str) -> dict[int, str]:
    """Returns the object ids a sidecar has in the index, by stage. One process.

    Stage 0 is the ordinary one; in an unfinished merge 1 is the base, 2 ours and 3 theirs. Empty
    when git does not track the path.
    """
    return {entry.stage: entry.oid for entry in _index_entries(git, literal([path]))}


def unmerged_sidecars(git: Git) -> dict[str, dict[int, str]]:
    """Returns the sidecars that an unfinished merge left undecided, with `index_stages` of each."""
    found: dict[str, dict[int, str]] = {}
    for entry in _index_entries(git, [ANY_SIDECAR]):
        if entry.stage:
            found.setdefault(entry.path, {})[entry.stage] = entry.oid
    return found


def _index_entries(git: Git, pathspecs: Sequence[str]) -> list[IndexEntry]:
    entries = []
    for field in git.run("ls-files", "-z", "--stage", "--", *pathspecs).split(b"\0")[:-1]:
        meta, _, path = field.partition(b"\t")
        mode, oid, stage = meta.decode().split(" ")
        if is_sidecar(path) and mode != "160000":
            entries.append(IndexEntry(os.fsdecode(path), int(stage), oid, mode))
    return entries


def read_blobs(
    git: Git, oids: Iterable[str], *, size_limit: int = MAX_SIDECAR_BYTES
) -> dict[str, bytes]:
    """Returns the bytes of git blobs by object id; one process, none when nothing is asked.

    Raises:
        ObjectMissing, InvalidText: As for `iter_blobs`.
    """
    wanted = list(dict.fromkeys(oids))
    return dict(iter_blobs(git, wanted, size_limit=size_limit)) if wanted else {}


def iter_blobs(
    git: Git, oids: Iterable[str], *, size_limit: int = MAX_SIDECAR_BYTES
) -> Iterator[tuple[str, bytes]]:
    """Yields the bytes of git blobs in the order asked for; one process, one blob in memory.

    Args:
        git: The repository.
        oids: Object ids; also any other name git knows a blob by that holds no newline.
        size_limit: Largest blob to accept, in bytes.

    Raises:
        ObjectMissing: git has no such blob, as in a damaged or partial clone.
        InvalidText: One is larger than `size_limit`.
        GitFailed: It is no blob.
    """
    with git.open("cat-file", "--batch") as process:
        asked: list[str] = []
        for oid in oids:
            asked.append(oid)
            if len(asked) == _REQUESTS_AHEAD:
                yield from _answers(process, asked, size_limit)
                asked = []
        yield from _answers(process, asked, size_limit)
        process.finish()


def _answers(process: GitProcess, asked: list[str], size_limit: int) -> Iterator[tuple[str, bytes]]:
    process.feed("".join(f"{oid}\n" for oid in asked).encode("utf-8", "surrogateescape"))
    for oid in asked:
        header = process.read_line()
        if not header:
            process.finish()
            raise GitFailed("git cat-file ended before it answered")
        if header.endswith((b" missing\n", b" ambiguous\n")):
            raise ObjectMissing(
                f"git has no object {oid}, which a commit here needs",
                hint="git fetch --refetch, or git fsck to see what else is gone",
            )
        _, kind, size = header.split(b" ")
        if kind != b"blob":
            raise GitFailed(f"expected a file's bytes, found a {kind.decode()}: {oid}")
        if int(size) > size_limit:
            raise InvalidText(f"git object {oid} has {int(size)} bytes, allowed are {size_limit}")
        data = process.read_exactly(int(size) + 1)
        if len(data) != int(size) + 1:
            process.finish()
            raise GitFailed(f"git cat-file ended within object {oid}")
        yield oid, data[:-1]
