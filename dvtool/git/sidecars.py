"""Sidecars as git holds them: on disk, in the index, in a commit. Their bytes: `contents`.

Paths are `str` with surrogate escapes, relative to the top of the work tree, and end in `.dvt`; a
file that is called just `.dvt` names nothing and is left out. What the bytes mean is
`dvtool.core.sidecar`'s business. Called by `dvtool.ops`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.git.contents import files_at
from dvtool.git.migrated import BEFORE, made_at, made_on_disk
from dvtool.git.plumbing import Git

ANY_SIDECAR: Final = ":(glob)**/*" + SIDECAR_SUFFIX


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
    on_disk = {path for path in paths if _is_on_disk(str(git.top), path, real_folders)}
    return sorted(on_disk.union(made_on_disk(git)))


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

    Of a commit from before a migration also those that `dvtool.git.migrated` makes for it.

    Args:
        git: The repository.
        rev: A commit's or tree's object id, as `resolve_commit` returns it.
        paths: Only these sidecars; empty for all.

    Raises:
        UnknownRevision: There is no such object.
    """
    if not paths:
        listed = files_at(git, rev, [ANY_SIDECAR, *BEFORE])
        found = _sidecars_among(listed)
        return {**made_at(git, rev, listed), **found}
    found = _sidecars_among(files_at(git, rev, literal(paths)))
    wanted = set(paths).difference(found)
    made = made_at(git, rev) if wanted else {}
    return {**{path: oid for path, oid in made.items() if path in wanted}, **found}


def _sidecars_among(listed: Mapping[str, tuple[str, bytes]]) -> dict[str, str]:
    return {path: oid for path, (oid, _) in listed.items() if is_sidecar(os.fsencode(path))}


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
