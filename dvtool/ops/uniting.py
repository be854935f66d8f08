"""Tables of several files: which files of a version its checks unite, as one file among the others.

Such a file is called as the glob that unites it, and everything that asks for bytes, digests or
profiles of a table takes it like any other; opened, it is its members. Reading those as one table is
`dvtool.quality.tables.union`. Called wherever the files of a version are gathered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from dvtool.core.digest import Digest
from dvtool.errors import InvalidText
from dvtool.ops.selection import is_within
from dvtool.ops.subjects import ChecksText, FileBytes, digest_now
from dvtool.quality.tables.members import Member, Members, mark_of, marks_together


def united(files: Mapping[str, FileBytes], checks: ChecksText | None) -> dict[str, FileBytes]:
    """Returns the files of a version with those that checks unite as one, by the glob's name.

    Args:
        files: By path inside the data set.
        checks: What says which of them are one table; None for none.
    """
    if checks is None or "union" not in checks.text:
        return dict(files)
    from dvtool.quality.checks.parsing import parse_checks, unions_in

    try:
        unions = unions_in(parse_checks(checks.text, source=checks.path), files)
    except InvalidText:
        return dict(files)  # told by whoever judges by them
    found = {path: {inside: files[inside] for inside in paths} for path, paths in unions.items()}
    one_of = {inside for members in found.values() for inside in members}
    kept = {path: file for path, file in files.items() if path not in one_of}
    kept |= {path: as_one(path, members) for path, members in found.items()}
    return dict(sorted(kept.items()))


def is_asked(path: str, file: FileBytes, part: str) -> bool:
    """Tells whether a file is in a part of a data set, or has a member in it."""
    return any(is_within(one, part) for one in (path, *file.members))


def hashed(file: FileBytes) -> FileBytes:
    """Returns a table of several files with the digest of each, read for it where nobody hashed it.

    What is known of files by their digests is then known of those on disk, too.
    """
    if not file.members or file.digest is not None:
        return file
    members = {inside: one._replace(digest=digest_now(one)) for inside, one in file.members.items()}
    digest = _digest(members)
    return FileBytes(file.name, digest, partial(_opened_together, members), members)


def _digest(members: Mapping[str, FileBytes]) -> Digest | None:
    """Returns what stands for the digest of several files; None where one has none."""
    marks = [(path, one.digest.hex()) for path, one in members.items() if one.digest is not None]
    return Digest(bytes.fromhex(marks_together(marks))) if len(marks) == len(members) else None


def as_one(glob: str, members: Mapping[str, FileBytes]) -> FileBytes:
    """Returns some files of a version as one, called as the glob that unites them."""
    inside, first = next(iter(members.items()))
    name = first.name.removesuffix(inside) + glob
    return FileBytes(name, _digest(members), partial(_opened_together, members), members)


@contextmanager
def _opened_together(members: Mapping[str, FileBytes]) -> Iterator[Members]:
    with ExitStack() as stack:
        found = []
        for inside, file in members.items():
            path = stack.enter_context(file.open())
            assert isinstance(path, Path)
            mark = file.digest.hex() if file.digest is not None else mark_of(path)
            found.append(Member(inside, file.name, path, mark))
        yield Members(tuple(found))
