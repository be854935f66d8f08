"""Commits from before a migration: sidecars for what they keep with DVC or git-lfs.

Such a commit has `.dvc` files or pointers instead of sidecars; the map that a later commit holds
says what they stand for. The sidecars are made of both, in memory, under the object ids that git
would give them, so that whoever reads the sidecars of a commit need not know. A commit that holds
the map itself speaks for itself. Called by `dvtool.git.sidecars`, `history` and `holders`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from dvtool.core.config import CONFIG_FILE
from dvtool.core.dvcfiles import MAX_DVC_BYTES, is_dvc_text
from dvtool.core.migrated import MAP_FILE, MAX_MAP_BYTES, NOTHING, Migrated, parse_map
from dvtool.core.paths import SIDECAR_SUFFIX
from dvtool.core.tree import EXECUTABLE, FILE
from dvtool.errors import InvalidText, ObjectMissing
from dvtool.git.contents import EXECUTABLE_MODE, files_at, read_blobs
from dvtool.git.past import object_id, sidecars_of_dvc
from dvtool.git.plumbing import Git

MAP_SPEC: Final = f":(top,literal){MAP_FILE}"
DVC_TEXTS: Final = (":(glob)**/*.dvc", ":(glob)**/dvc.lock")
BEFORE: Final = (MAP_SPEC, *DVC_TEXTS)
"""Pathspecs of what tells, in a commit, whether it is from before a migration."""


def known_map(git: Git, *, everywhere: bool = False) -> Migrated:
    """Returns what the maps of a repository say, all together; nothing where there is none.

    Of two that know a name the first counts: the one on disk, HEAD's, those of local branches, then
    those of other refs.

    Args:
        git: The repository.
        everywhere: Look at the tips of all refs. Without it that is done only where the work tree
            does not use dvtool, for else its own map is the one: no process then.

    Raises:
        InvalidText: The map on disk breaks its format.
    """
    known = _map_on_disk(git)
    if not everywhere and os.path.lexists(git.top / CONFIG_FILE):
        return known
    for found in _maps_at_tips(git):
        # A branch that nobody reviewed may add names, and must not change what others mean.
        known = found.joined(known)
    return known


def commit_after(git: Git) -> str | None:
    """Returns the first commit at the tip of a ref that has both a map and settings, if any.

    Local branches come first, the newest of them before others.

    Its settings are those of a work tree where a commit from before the migration is checked out.
    """
    tips = _tips(git)
    names = [f"{tip}:{name}" for tip in tips for name in (MAP_FILE, CONFIG_FILE)]
    asked = "".join(f"{name}\n" for name in names).encode()
    kinds = git.run("cat-file", "--batch-check=%(objecttype)", stdin=asked).split(b"\n")
    for number, tip in enumerate(tips):
        if kinds[2 * number] == kinds[2 * number + 1] == b"blob":
            return tip
    return None


def _tips(git: Git) -> list[str]:
    """Returns what all refs lead to, local branches first and the newest of a kind before others."""
    form = "--format=%(refname) %(objectname)"
    lines = git.run("for-each-ref", "--sort=-committerdate", form).decode("utf-8", "replace")
    pairs = [line.rsplit(" ", 1) for line in lines.splitlines()]
    pairs.sort(
        key=lambda pair: (not pair[0].startswith("refs/heads/"), not pair[0].endswith("/HEAD"))
    )
    return list(dict.fromkeys(oid for _, oid in pairs))


def _map_on_disk(git: Git) -> Migrated:
    if git.layout.bare:
        return NOTHING
    try:
        found = os.lstat(git.top / MAP_FILE)
    except OSError:
        return NOTHING
    if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_MAP_BYTES:
        raise InvalidText("expected an ordinary file of lines", source=MAP_FILE)
    text = (git.top / MAP_FILE).read_bytes()
    known = git.past.map_of(object_id(text, git.layout.object_format), text)
    if known is None:
        return _refused(text)
    return known


def _refused(text: bytes) -> Migrated:
    """Raises what is wrong with a map; a merge is the likeliest cause."""
    try:
        return parse_map(text)
    except InvalidText as error:
        error.hint = f"git checkout --ours {MAP_FILE}, or --theirs, then dvtool migrate once more adds the rest"
        raise


def _maps_at_tips(git: Git) -> Iterator[Migrated]:
    """Yields the distinct maps at HEAD and at all refs; two processes, one more to read any."""
    listed = _tips(git)
    asked = "".join(f"{tip}:{MAP_FILE}\n" for tip in dict.fromkeys(["HEAD", *listed]))
    answers = git.run("cat-file", "--batch-check=%(objecttype) %(objectname)", stdin=asked.encode())
    lines = answers.decode("utf-8", "replace").split("\n")
    oids = dict.fromkeys(line[5:] for line in lines if line.startswith("blob "))
    yield from _maps(git, oids)


def _maps(git: Git, oids: Iterable[str]) -> Iterator[Migrated]:
    wanted = list(oids)
    unread = [oid for oid in wanted if oid not in git.past.maps]
    for oid, text in read_blobs(git, unread, size_limit=MAX_MAP_BYTES).items():
        git.past.map_of(oid, text)
    for oid in wanted:
        if found := git.past.maps[oid]:
            yield found


def made_at(
    git: Git, rev: str, listed: Mapping[str, tuple[str, bytes]] | None = None
) -> dict[str, str]:
    """Returns the sidecars made for a commit from before a migration: paths with object ids.

    Args:
        git: The repository.
        rev: A commit's or tree's object id.
        listed: Its files that `BEFORE` matches, at least; None when that is not known yet.
    """
    if listed is not None and MAP_FILE in listed:
        return {}
    known = known_map(git)
    if not known:
        return {}
    if listed is None:
        listed = files_at(git, rev, BEFORE)
        if MAP_FILE in listed:
            return {}
    if known.has_pointers:
        listed = files_at(git, rev)
    texts = [(path, oid, mode) for path, (oid, mode) in listed.items()]
    return {path: oid for _, path, oid in made_of(git, known, texts)}


def made_of(
    git: Git, known: Migrated, files: Iterable[tuple[str, str, bytes]]
) -> Iterator[tuple[int, str, str]]:
    """Yields the sidecars that files stand for: the file's number, sidecar's path, object id.

    Args:
        git: The repository.
        known: What names stand for.
        files: Path, object id and mode of any files; most stand for nothing. At most one process.
    """
    listed = list(files)
    form = git.layout.object_format
    dvc = {oid for path, oid, _ in listed if oid and is_dvc_text(path)} if known.has_dvc else set()
    try:
        texts = read_blobs(git, dvc, size_limit=MAX_DVC_BYTES)
    except (InvalidText, ObjectMissing):
        texts = {}
        for oid in dvc:
            try:
                texts.update(read_blobs(git, [oid], size_limit=MAX_DVC_BYTES))
            except (InvalidText, ObjectMissing):  # a folder's worth of text is none of DVC's
                continue
    for number, (path, oid, mode) in enumerate(listed):
        if is_dvc_text(path) and oid in texts:
            for sidecar, text in sidecars_of_dvc(path, texts[oid], known).items():
                yield number, sidecar, git.past.keep(text, form)
        elif (name := f"pointer:{oid}") in known.files:
            made = known.sidecar(name, EXECUTABLE if mode == EXECUTABLE_MODE else FILE)
            assert made is not None
            yield number, path + SIDECAR_SUFFIX, git.past.keep(made, form)


def made_of_map(git: Git, oid: str) -> dict[str, str]:
    """Returns a sidecar for all that a map names, by a path below the map's that nothing has.

    Whoever has the map must have the bytes: old commits need them.
    """
    form = git.layout.object_format
    found = {}
    for known in _maps(git, [oid]):
        for name in (*known.files, *known.directories):
            text = known.sidecar(name)
            assert text is not None
            found[f"{MAP_FILE}/{name}"] = git.past.keep(text, form)
    return found


def made_on_disk(git: Git) -> dict[str, bytes]:
    """Returns the sidecars made for what a checked-out commit from before a migration has.

    Empty, at the price of one look, wherever the work tree uses dvtool. Pointers are left out: git
    itself tracks their paths.
    """
    if git.layout.bare or os.path.lexists(git.top / CONFIG_FILE):
        return {}
    known = known_map(git)
    if not known.has_dvc or os.path.lexists(git.top / MAP_FILE):
        return {}
    command = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    found: dict[str, bytes] = {}
    for raw in git.run(*command, "--", *DVC_TEXTS).split(b"\0"):
        path = os.fsdecode(raw)
        if not is_dvc_text(path):
            continue
        try:
            place = git.top / path
            is_plain = stat.S_ISREG(os.lstat(place).st_mode)
            text = place.read_bytes() if is_plain else b""
        except OSError:
            continue
        found.update(sidecars_of_dvc(path, text, known))
    return found
