"""The one error tree of dvtool.

Here live all errors that a user can cause or meet, each with a slug, an exit code and a hint.
What does not live here: rendering them (`dvtool.cli`), and errors of our own making, which are
bugs and stay ordinary Python exceptions. Every layer raises these; only the CLI catches them all.

    DvtoolError                     exit
    ├── UsageError                    2   the command line or an argument makes no sense
    ├── InvalidText                   4   committed text (sidecar, .dvtool, …) breaks its format
    │   └── UnsafePath                4   a path that could escape, overwrite or clash
    ├── NoRepository                  5   not inside a git work tree
    ├── UnknownRevision               5   git does not know this revision or path
    ├── GitFailed                     5   a git command failed
    ├── ObjectMissing                 6   bytes that a version needs are nowhere to be found
    ├── CorruptObject                 7   bytes that do not match their name
    ├── RemoteFailed                  8   the remote is unreachable or refused
    │   ├── RemoteTemporary           8   … and trying again may help
    │   └── RemoteUntrusted           8   the committed address changed and nobody approved it
    ├── WouldLoseData                 9   unsaved work would be overwritten or deleted
    │   └── ChangedWhileReading       9   a file changed under our hands
    ├── StoreFailed                   9   the store on this machine cannot be read or written
    │   └── StorageFull               9   … because the disk, or a quota, is full
    ├── Locked                       10   another process holds the lock
    ├── Undecided                    11   the evidence does not allow a verdict
    └── ExtraMissing                 12   an optional dependency is not installed
"""

from __future__ import annotations

from typing import ClassVar


class DvtoolError(Exception):
    """Base of every error a user can meet.

    Args:
        message: What happened, where, what was expected and what was found; no full stop at the end.
        hint: The next step, as a command where there is one.
    """

    slug: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint

    def __str__(self) -> str:
        return self.message


class UsageError(DvtoolError):
    """The command line, or an argument of the API, makes no sense."""

    slug = "usage"
    exit_code = 2


class InvalidText(DvtoolError):
    """Committed text breaks its format.

    Args:
        message: What is wrong.
        source: The file, as the user knows it; empty where the caller adds it later.
        line: 1-based line number, 0 when the whole file is meant.
    """

    slug = "invalid-text"
    exit_code = 4

    def __init__(self, message: str, *, source: str = "", line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.line = line

    def __str__(self) -> str:
        where = f"{self.source}:{self.line}" if self.line else self.source
        return f"{where}: {self.message}" if where else self.message

    def located(self, source: str) -> InvalidText:
        """Returns the same error, naming the file it was found in."""
        return type(self)(self.message, source=source, line=self.line, hint=self.hint)


class UnsafePath(InvalidText):
    """A path that could leave its place, overwrite what is not ours, or clash with another."""

    slug = "unsafe-path"


class NoRepository(DvtoolError):
    """The command needs a git work tree and there is none here."""

    slug = "no-repository"
    exit_code = 5
    default_hint = "git init && dvtool init"


class UnknownRevision(DvtoolError):
    """git does not know this revision, or the path does not exist in it."""

    slug = "unknown-revision"
    exit_code = 5


class GitFailed(DvtoolError):
    """A git command failed for a reason we do not recognise; carries git's own words."""

    slug = "git-failed"
    exit_code = 5


class ObjectMissing(DvtoolError):
    """Bytes that a version needs are not where they should be; the message says where we looked."""

    slug = "object-missing"
    exit_code = 6


class CorruptObject(DvtoolError):
    """Bytes that do not match the name they were stored under."""

    slug = "corrupt-object"
    exit_code = 7
    default_hint = "dvtool verify --repair replaces it where a good copy exists"


class RemoteFailed(DvtoolError):
    """The remote cannot be reached, or refused; trying again unchanged will not help."""

    slug = "remote-failed"
    exit_code = 8


class RemoteTemporary(RemoteFailed):
    """The remote failed in a way that may pass: a time-out, a closed connection, a busy server."""

    slug = "remote-temporary"


class RemoteUntrusted(RemoteFailed):
    """A commit changed the remote's address and nobody here has approved the new one."""

    slug = "remote-untrusted"


class WouldLoseData(DvtoolError):
    """Going on would overwrite or delete bytes that exist nowhere else."""

    slug = "would-lose-data"
    exit_code = 9


class ChangedWhileReading(WouldLoseData):
    """A file changed while it was read; nothing of it was stored."""

    slug = "changed-while-reading"
    default_hint = "run the same command again when nothing writes to the file"


class StoreFailed(DvtoolError):
    """The store on this machine cannot be read or written; what it holds already is safe."""

    slug = "store-failed"
    exit_code = 9


class StorageFull(StoreFailed):
    """The disk or a quota is full; what was stored before stays, and a second run goes on from it."""

    slug = "storage-full"
    default_hint = "free some space and run the same command again; it goes on where it stopped"


class Locked(DvtoolError):
    """Another process holds the lock and did not let go in time."""

    slug = "locked"
    exit_code = 10


class Undecided(DvtoolError):
    """The evidence does not allow a verdict."""

    slug = "undecided"
    exit_code = 11


class ExtraMissing(DvtoolError):
    """An optional dependency is not installed; the hint is the pip line."""

    slug = "extra-missing"
    exit_code = 12
