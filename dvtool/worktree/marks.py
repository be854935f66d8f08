"""Marks: what `lstat` says of files and folders, so that one can see that none of them changed.

A mark is text and means nothing beyond being equal. Nothing is opened here, and next to nothing
imported: see `dvtool.git.questions`. Called by `dvtool.ops.answers`.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ABSENT = "-"
ONLY_WHICH = "/"
"""A folder's path that ends so is marked only by which folder it is, not by what is in it."""


def mark(path: str) -> str:
    """Returns the mark of a file, a folder, a link and what it leads to, or nothing at all."""
    try:
        if path.endswith(ONLY_WHICH):
            found = os.lstat(path.rstrip(ONLY_WHICH))
            return f"{found.st_ino} {found.st_mode}"
        found = os.lstat(path)
        text = _text(found)
        # Only reached through the link: what it leads to may change where it stands.
        return text if not stat.S_ISLNK(found.st_mode) else f"{text} {_text(os.stat(path))}"
    except OSError:
        return ABSENT


def _text(found: os.stat_result) -> str:
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino} {found.st_mode}"


def are_unchanged(marked: Sequence[str]) -> bool:
    """Tells whether paths still have their marks; a path and its mark take turns."""
    return all(mark(path) == known for path, known in zip(marked[::2], marked[1::2], strict=True))


def marked(paths: Iterable[str], *, before_ns: int) -> list[str] | None:
    """Returns paths and their marks, if all of them have been as they are since a moment.

    Args:
        paths: Absolute ones.
        before_ns: The moment, by the file system's clock. What changed later, or at that moment,
            or went away later, gives None: nobody knows which of the two was read.
    """
    found: list[str] = []
    for path in paths:
        known = mark(path)
        if _changed_ns(path) >= before_ns:
            return None
        found += (path, known)
    return found


def _changed_ns(path: str) -> int:
    """Returns when a path changed last; of what is not there, when its folder did."""
    path = path.rstrip(ONLY_WHICH)
    while True:
        try:
            here = os.lstat(path).st_ctime_ns
            return max(here, os.stat(path).st_ctime_ns)
        except OSError:
            if os.path.islink(path):
                return 1 << 63
            path = os.path.dirname(path)


def below(folder: str, *, most: int) -> list[str] | None:
    """Returns a folder and all files and folders in it; None if there are more than `most`.

    Of a file it returns the file. What cannot be looked into gives None, too.
    """
    found = [folder]
    if not os.path.isdir(folder) or os.path.islink(folder):
        return found
    try:
        waiting = [folder]
        while waiting:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    found.append(entry.path)
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
            if len(found) > most:
                return None
    except OSError:
        return None
    return found
