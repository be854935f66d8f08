"""`.dvtignore`: which files `add` does not see, in gitignore's syntax.

Here live the rules, read from the top of the work tree down to the folder in question. They hold
for files that no version has yet; what is recorded stays recorded, as in git. Called by `scan`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dvtool.errors import InvalidText
from dvtool.worktree.folders import Folders, shown

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".dvtignore"
MAX_IGNORE_BYTES = 2**20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

IsIgnored = Callable[[str, bool], bool]
"""Tells whether a name in the folder is ignored; the second argument says that it is a folder."""


class Ignore:
    """The ignore rules of one data set; rules of a deeper folder win, as in git."""

    def __init__(
        self, above: tuple[tuple[str, GitIgnoreSpec], ...] = (), *, dataset: str = ""
    ) -> None:
        """Takes the rules above the data set: folder with a trailing slash, and its patterns."""
        self._dataset = dataset
        self._above = above
        self._chains: dict[str, tuple[tuple[str, GitIgnoreSpec], ...]] = {}

    @classmethod
    def for_dataset(cls, top: Path, dataset: str) -> Ignore:
        """Reads every `.dvtignore` from the top to the folder the data set stands in.

        Raises:
            InvalidText: One of them is too large or holds a broken pattern.
        """
        rules: list[tuple[str, GitIgnoreSpec]] = []
        folder = ""
        with Folders(top) as folders:
            for name in dataset.split("/"):
                try:
                    spec = _read_rules(folders.handle(folder), folder)
                except FileNotFoundError:
                    break
                if spec is not None:
                    rules.append((f"{folder}/" if folder else "", spec))
                folder = f"{folder}/{name}" if folder else name
        return cls(tuple(rules), dataset=dataset)

    def enter(self, folder: str, handle: int) -> IsIgnored | None:
        """Returns the rule for names in `folder`, None when nothing there can be ignored.

        Folders must be entered from above; each one's own `.dvtignore` is read then.

        Args:
            folder: Relative to the data set, empty for its top.
            handle: An open descriptor of it.
        """
        chain = self._above
        if folder:
            chain = self._chains.get(folder.rpartition("/")[0], chain)
        elif not self._dataset:
            return None
        whole = f"{self._dataset}/{folder}" if folder else self._dataset
        own = _read_rules(handle, whole)
        if own is not None:
            chain = (*chain, (f"{whole}/", own))
        if not chain:
            return None
        self._chains[folder] = chain
        prefix = f"{whole}/"

        def is_ignored(name: str, is_folder: bool) -> bool:
            path = f"{prefix}{name}/" if is_folder else prefix + name
            for base, spec in reversed(chain):
                verdict = spec.check_file(path[len(base) :]).include
                if verdict is not None:
                    return verdict
            return False

        return is_ignored

    def is_file_ignored(self) -> bool:
        """Tells whether the rules above a data set that is one file ignore that file."""
        for base, spec in reversed(self._above):
            verdict = spec.check_file(self._dataset[len(base) :]).include
            if verdict is not None:
                return verdict
        return False


NOTHING_IGNORED = Ignore()
"""Ignores nothing and reads no `.dvtignore`."""


def _read_rules(handle: int, folder: str) -> GitIgnoreSpec | None:
    try:
        descriptor = os.open(IGNORE_FILE, _OPEN, dir_fd=handle)
    except OSError:
        return None  # missing, a symlink, unreadable: no rules
    try:
        result = os.fstat(descriptor)
        if not stat.S_ISREG(result.st_mode):
            return None
        text = os.read(descriptor, MAX_IGNORE_BYTES + 1)
    finally:
        os.close(descriptor)
    source = f"{folder}/{IGNORE_FILE}" if folder else IGNORE_FILE
    if len(text) > MAX_IGNORE_BYTES:
        raise InvalidText(f"more than {MAX_IGNORE_BYTES} bytes", source=shown(source))
    from pathspec import GitIgnoreSpec  # a named door: most work trees have no .dvtignore

    try:
        return GitIgnoreSpec.from_lines(os.fsdecode(text).splitlines())
    except ValueError as error:
        raise InvalidText(f"not a gitignore pattern: {error}", source=shown(source)) from error
