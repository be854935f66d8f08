"""Opening folders of the work tree by descriptor, without ever following a link.

Here live the handles through which files are read and written, and the rule which symlinks may be
recorded. What is read or written lives in `reading`, `scan` and `materialise`, which call this.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from dvtool.core.paths import check_path
from dvtool.core.quote import display
from dvtool.errors import UnsafePath, WouldLoseData

TEMPORARY_PREFIX: Final = ".dvt-tmp-"
"""Names that start so are dvtool's own unfinished files; never data."""

OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_MAX_OPEN = 64


def shown(path: str) -> str:
    """Returns a path of the work tree for messages."""
    return display(os.fsencode(path)) if path else "."


def check_link(path: bytes, target: bytes) -> None:
    """Checks that a symlink stays inside its data set, whatever else stands there.

    `..` is allowed only at the start, where it counts from the link's real folder; behind another
    link it could lead anywhere.

    Args:
        path: The link's own path, relative to the data set.
        target: What it points to.

    Raises:
        UnsafePath: It is absolute, empty, or could leave the data set.
    """
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    ups = 0
    while ups < len(parts) and parts[ups] == b"..":
        ups += 1
    if (
        not target
        or target[:1] == b"/"
        or ups > path.count(b"/")
        or b".." in parts[ups:]
        or not path
    ):
        raise UnsafePath(
            f"symlink {display(path)} -> {display(target) if target else '(nothing)'} could leave the data set",
            hint="replace it by a file, let it point inside, or list it in .dvtignore",
        )


class Folders:
    """Open handles on folders below the top of a work tree; a context manager.

    A handle keeps meaning the same real folder, even if somebody swaps a parent for a link.
    """

    def __init__(self, top: Path) -> None:
        self._handles: dict[str, int] = {"": os.open(top, os.O_RDONLY | os.O_DIRECTORY)}

    def __enter__(self) -> Folders:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes every handle; the object is of no use afterwards."""
        while self._handles:
            os.close(self._handles.popitem()[1])

    def handle(self, folder: str, *, create: bool = False) -> int:
        """Returns a descriptor of `folder`, valid until the next call.

        Args:
            folder: Relative to the top; empty for the top itself.
            create: Make it, and its parents, when missing.

        Raises:
            FileNotFoundError: It is missing and `create` is false.
            UnsafePath: It, or a parent, is a symlink.
            WouldLoseData: A file stands where a folder should be.
        """
        known = self._handles.get(folder)
        if known is not None:
            return known
        if len(self._handles) > _MAX_OPEN:
            for name in [*self._handles][1 : _MAX_OPEN // 2]:
                os.close(self._handles.pop(name))
        return self._open(folder, create)

    def forget(self, folder: str) -> None:
        """Closes the handle of a folder that is about to go."""
        known = self._handles.pop(folder, None)
        if known is not None:
            os.close(known)

    def _open(self, folder: str, create: bool) -> int:
        known = self._handles.get(folder)
        if known is not None:
            return known
        above, _, name = folder.rpartition("/")
        parent = self._open(above, create)
        try:
            opened = os.open(name, OPEN_FOLDER, dir_fd=parent)
        except FileNotFoundError:
            if not create:
                raise
            make_folder(parent, name)
            opened = os.open(name, OPEN_FOLDER, dir_fd=parent)
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            raise _not_a_folder(folder, parent, name) from None
        self._handles[folder] = opened
        return opened


def make_folder(parent: int, name: str) -> None:
    """Makes a folder; one that stands there already is fine."""
    try:
        os.mkdir(name, dir_fd=parent)
    except FileExistsError:
        if not stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            raise


def split_dataset(dataset: str) -> tuple[str, str]:
    """Returns parent folder and name of a data set.

    Raises:
        UnsafePath: The path leaves the work tree or names what git or dvtool own.
    """
    check_path(os.fsencode(dataset))
    above, _, name = dataset.rpartition("/")
    return above, name


def _not_a_folder(folder: str, parent: int, name: str) -> UnsafePath | WouldLoseData:
    try:
        is_link = stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        is_link = False
    if is_link:
        return UnsafePath(
            f"{shown(folder)} is a symlink; data is never read or written through one",
            hint="replace the link by a real folder",
        )
    return WouldLoseData(f"{shown(folder)} is a file, expected a folder")
