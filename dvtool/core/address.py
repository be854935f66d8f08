"""Addresses of versions: `dvt://[REPO:]REV@PATH`, taken apart and put together.

Pure text. The first `@` ends the revision, so an `@` in a repository or a revision is written
`%40` (and `%` itself `%25`); a path is taken as it is. Without an `@` the address means the
versions that the work tree's sidecars speak of. Used by `dvtool.fs` and `dvtool.api`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from dvtool.errors import UsageError

PROTOCOL: Final = "dvt"
_HINT: Final = "dvt://REV@PATH, dvt://REPO:REV@PATH, or dvt://PATH for the work tree's versions"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a version's file or folder is.

    Attributes:
        repository: Path or git URL; empty for the repository around the current folder.
        rev: A revision as git takes it; empty for the work tree's versions.
        path: Relative to the repository's top, `/` between parts; empty for the top.
    """

    repository: str
    rev: str
    path: str

    @property
    def prefix(self) -> str:
        """What stands before the path, the `@` included; empty for the work tree's versions."""
        if not self.repository and not self.rev:
            return "@" if "@" in self.path else ""
        repository = f"{_quoted(self.repository)}:" if self.repository else ""
        return f"{repository}{_quoted(self.rev)}@"

    def __str__(self) -> str:
        return f"{self.prefix}{self.path}"


def parse_address(text: str) -> Address:
    """Returns the parts of an address, with or without `dvt://`.

    Raises:
        UsageError: It has no path rules can make sense of: `..`, or a repository without revision.
    """
    bare = text.removeprefix(f"{PROTOCOL}://")
    before, sign, path = bare.partition("@")
    if not sign:
        before, path = "", bare
    repository, colon, rev = before.rpartition(":")
    repository, rev = unquote(repository), unquote(rev)
    path = path.strip("/")
    if any(part in ("..", ".") for part in path.split("/")):
        raise UsageError(f"no version has a path {path!r}", hint="paths begin at the top")
    if colon and not rev:
        raise UsageError(f"no revision in {text!r}", hint=_HINT)
    return Address(repository, rev, path)


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace("@", "%40")
