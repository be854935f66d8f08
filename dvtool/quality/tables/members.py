"""Members: the files that are one table together, as whoever opens them found them.

Values only; reading them is `union`. The operations make them from the files of a version, and
everything that opens a table takes a path or members alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeAlias


class Member(NamedTuple):
    """One file of several that are one table.

    Attributes:
        inside: Its path inside the data set: members of two versions are the same file by it.
        name: As the user knows it.
        path: Where its bytes are.
        mark: What only the same bytes have: their sha256 in hex.
    """

    inside: str
    name: str
    path: Path
    mark: str


@dataclass(frozen=True, slots=True)
class Members:
    """Files that are one table together, in the order of their paths inside the data set."""

    files: tuple[Member, ...]

    @property
    def size_bytes(self) -> int:
        """Of all of them."""
        return sum(one.path.stat().st_size for one in self.files)


Source: TypeAlias = Path | Members
"""Where the bytes of a table are."""


def size_of(source: Source) -> int:
    """Returns the bytes of a table, however many files it has."""
    return source.size_bytes if isinstance(source, Members) else source.stat().st_size


def mark_of(source: Source) -> str:
    """Returns what only the same bytes have, under the same names where there are several files."""
    if isinstance(source, Members):
        return marks_together((one.inside, one.mark) for one in source.files)
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def marks_together(marks: Iterable[tuple[str, str]]) -> str:
    """Returns the mark of several files, from the path inside the data set and the mark of each."""
    told = "".join(f"{mark} {inside}\n" for inside, mark in sorted(marks))
    return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()
