"""Contents: the files of a commit, and the bytes behind object ids, many in one process.

What the bytes mean is others' business; those that no git object holds were made by
`dvtool.git.migrated` and are answered here as well. Called by `dvtool.git` and the verbs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dvtool.core.sidecar import MAX_SIDECAR_BYTES
from dvtool.errors import GitFailed, InvalidText, ObjectMissing
from dvtool.git.plumbing import Git
from dvtool.git.process import GitProcess

# Known to every git without being stored: the trees with nothing in them.
EMPTY_TREES: Final = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
EXECUTABLE_MODE: Final = b"100755"
_GITLINK = b"160000"
# Requests written before their answers are read; 60 lines of 65 bytes fit the smallest pipe.
_REQUESTS_AHEAD = 60
_MOST_SPECS: Final = 50
"""git compares every path with every pathspec; of more paths it is asked by their endings."""


def files_at(git: Git, rev: str, specs: Sequence[str] = ()) -> dict[str, tuple[str, bytes]]:
    """Returns the files of a revision with object id and mode, submodules left out. One process.

    Args:
        git: The repository.
        rev: A commit's or tree's object id.
        specs: Only what these pathspecs match; empty for all.

    Raises:
        UnknownRevision: There is no such object.
    """
    empty = EMPTY_TREES[git.layout.object_format]
    # Comparing with nothing, unlike ls-tree, takes patterns and skips what they cannot match.
    fields = git.run(
        *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames"),
        *("--end-of-options", empty, rev, "--", *specs),
    ).split(b"\0")
    found = {}
    for meta, path in zip(fields[::2], fields[1::2], strict=False):
        _, mode, _, oid, _ = meta.split(b" ")
        if mode != _GITLINK:
            found[os.fsdecode(path)] = (oid.decode(), mode)
    return found


def files_staged(git: Git, specs: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """Returns the files in the index as `files_at` does, those that a merge left undecided left out.

    One process.
    """
    found = {}
    for field in git.run("ls-files", "-z", "--stage", "--", *specs).split(b"\0")[:-1]:
        meta, _, path = field.partition(b"\t")
        mode, oid, stage = meta.split(b" ")
        if stage == b"0" and mode != _GITLINK:
            found[os.fsdecode(path)] = (oid.decode(), mode)
    return found


def read_files(git: Git, rev: str, paths: Sequence[str]) -> dict[str, bytes]:
    """Returns the bytes of files of a revision, those of `paths` that it has. At most two processes.

    Args:
        git: The repository.
        rev: A commit's or tree's object id; empty for the index.
        paths: Relative to the top.

    Raises:
        ObjectMissing, InvalidText: As for `iter_blobs`.
        GitFailed: One is a folder there.
    """
    if not paths:
        return {}
    wanted = set(paths)
    specs = [f":(literal){path}" for path in wanted]
    if len(specs) > _MOST_SPECS:
        endings = {os.path.splitext(path)[1] for path in wanted}
        specs = [f":(glob)**/*{one}{below}" for one in sorted(endings) for below in ("", "/**")]
    listed = files_at(git, rev, specs) if rev else files_staged(git, specs)
    for path in listed:
        folder = path.rpartition("/")[0]
        while folder:
            if folder in wanted:
                raise GitFailed(f"expected a file's bytes, found a folder: {folder}")
            folder = folder.rpartition("/")[0]
    oids = {path: oid for path, (oid, _) in listed.items() if path in wanted}
    texts = read_blobs(git, oids.values())
    return {path: texts[oid] for path, oid in oids.items()}


def read_blobs(
    git: Git, oids: Iterable[str], *, size_limit: int = MAX_SIDECAR_BYTES
) -> dict[str, bytes]:
    """Returns the bytes of blobs by object id; one process, none when nothing is asked.

    Raises:
        ObjectMissing, InvalidText: As for `iter_blobs`.
    """
    wanted = list(dict.fromkeys(oids))
    return dict(iter_blobs(git, wanted, size_limit=size_limit)) if wanted else {}


def iter_blobs(
    git: Git, oids: Iterable[str], *, size_limit: int = MAX_SIDECAR_BYTES
) -> Iterator[tuple[str, bytes]]:
    """Yields the bytes of blobs in the order asked for; one process, one blob in memory.

    Blobs are git's, and sidecars that were made for old commits and that no git object holds.

    Args:
        git: The repository.
        oids: Object ids; also any other name git knows a blob by that holds no newline.
        size_limit: Largest blob to accept, in bytes.

    Raises:
        ObjectMissing: git has no such blob, as in a damaged or partial clone.
        InvalidText: One is larger than `size_limit`.
        GitFailed: It is no blob.
    """
    made = git.past.texts
    with git.open("cat-file", "--batch") as process:
        asked: list[tuple[str, bytes | None]] = []
        for oid in oids:
            asked.append((oid, made.get(oid)))
            if len(asked) == _REQUESTS_AHEAD:
                yield from _answers(process, asked, size_limit)
                asked = []
        yield from _answers(process, asked, size_limit)
        process.finish()


def _answers(
    process: GitProcess, asked: list[tuple[str, bytes | None]], size_limit: int
) -> Iterator[tuple[str, bytes]]:
    lines = "".join(f"{oid}\n" for oid, text in asked if text is None)
    process.feed(lines.encode("utf-8", "surrogateescape"))
    for oid, text in asked:
        yield oid, _answer(process, oid, size_limit) if text is None else text


def _answer(process: GitProcess, oid: str, size_limit: int) -> bytes:
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
    return data[:-1]
