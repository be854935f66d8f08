"""Git processes: their environment, talking with them, and what their failures mean.

Here lives everything that starts `git`, but for `dvtool.git.questions`, and nothing that knows a
repository; that is `dvtool.git.plumbing`, which with `dvtool.git.cloning` is the only caller.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from dvtool.errors import (
    DvtoolError,
    GitFailed,
    Locked,
    NoRepository,
    UnknownRevision,
    UsageError,
)
from dvtool.git.questions import NEVER_HANDED_ON, ONE_REPOSITORY_ONLY

_MAX_MESSAGE_BYTES = 1 << 20
_MAX_TOLD = 1000
# Patterns are compiled when they are first needed: after a failure.
_CREDENTIALS = r"(?i)([a-z][a-z0-9+.-]*://)[^/@\s']*@"
_LOCK = (
    r"[Uu]nable to create '(.+\.lock)': File exists|could not lock config file (.+?): File exists"
)
_NO_REVISION = (
    r"unknown revision|bad revision|bad object|[Nn]ot a valid object name|ambiguous argument"
)


def git_environment(environ: Mapping[str, str], *, foreign: bool = False) -> dict[str, str]:
    """Returns the environment to run git in.

    Args:
        environ: The environment dvtool itself runs in.
        foreign: The repository is not the one a surrounding hook speaks of, so `GIT_DIR`,
            `GIT_INDEX_FILE` and their like are dropped instead of handed on.
    """
    dropped = NEVER_HANDED_ON | ONE_REPOSITORY_ONLY if foreign else NEVER_HANDED_ON
    handed_on = {name: value for name, value in environ.items() if name not in dropped}
    # Messages are told apart by their English words; nobody is there to answer a prompt.
    return handed_on | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


class GitProcess:
    """A running git command with both its ends in our hands."""

    __slots__ = ("_args", "_cwd", "_errors", "_popen")

    def __init__(self, args: tuple[str, ...], cwd: Path, env: dict[str, str]) -> None:
        self._args = args
        self._cwd = cwd
        self._errors = _nameless_file()
        try:
            self._popen = subprocess.Popen(
                ["git", *args],
                cwd=cwd,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
            )
        except (OSError, ValueError) as error:
            self._errors.close()
            raise _cannot_start(error, args, cwd) from error

    def __enter__(self) -> GitProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_input()
        assert self._popen.stdout is not None
        self._popen.stdout.close()
        if self._popen.poll() is None:
            self._popen.kill()
        self._popen.wait()
        self._errors.close()

    def feed(self, data: bytes) -> None:
        """Writes to git's standard input; a git that has already failed is noticed by `finish`."""
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.write(data)
            self._popen.stdin.flush()

    def close_input(self) -> None:
        """Tells git that nothing more comes."""
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.close()

    def read(self, size_bytes: int) -> bytes:
        """Returns what there is, at most `size_bytes`; empty at the end."""
        assert self._popen.stdout is not None
        return self._popen.stdout.read1(size_bytes)  # type: ignore[attr-defined,no-any-return]

    def read_line(self) -> bytes:
        """Returns one line with its newline; empty at the end."""
        assert self._popen.stdout is not None
        return self._popen.stdout.readline()

    def read_exactly(self, size_bytes: int) -> bytes:
        """Returns `size_bytes` bytes, fewer only at the end."""
        assert self._popen.stdout is not None
        return self._popen.stdout.read(size_bytes)

    def finish(self) -> None:
        """Waits for the end.

        Raises:
            UnknownRevision, Locked, GitFailed: git ended with an exit code other than 0.
        """
        self.close_input()
        code = self._popen.wait()
        if code:
            self._errors.seek(0)
            raise failure(self._args, code, self._errors.read(_MAX_MESSAGE_BYTES), self._cwd)


def _nameless_file() -> BinaryIO:
    """Returns a file for complaints; unlike with a pipe, git never waits for us to read them."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("git-stderr"), "w+b")
    import tempfile  # where the system is not Linux; it takes as long to import as git to answer

    return tempfile.TemporaryFile()


def run_git(
    command: list[str], *, cwd: Path, env: dict[str, str], stdin: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Runs `command`, which begins with `git`, to its end, whatever its exit code.

    Raises:
        NoRepository: `cwd` is no folder.
        GitFailed: git is not installed.
    """
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=env,
            # A hook's own standard input carries refs for dvtool: git must not eat it.
            stdin=subprocess.DEVNULL if stdin is None else None,
            input=stdin,
            capture_output=True,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise _cannot_start(error, command[1:], cwd) from error


def _cannot_start(error: OSError | ValueError, args: Sequence[str], cwd: Path) -> DvtoolError:
    if isinstance(error, ValueError):
        return UsageError(f"git cannot be given a NUL byte: git {args[0]}")
    if not os.path.isdir(cwd):
        return NoRepository(f"no such folder: {cwd}", hint="cd to a git repository")
    if isinstance(error, FileNotFoundError):
        return GitFailed("git is not installed, or not on PATH", hint="install git 2.34 or newer")
    return GitFailed(f"git cannot be started: {error.strerror}")


def failure(args: Collection[str], code: int, stderr: bytes, cwd: Path) -> DvtoolError:
    """Returns the error that git's exit stands for, with its own words but no credentials."""
    text = hide_credentials(os.fsdecode(stderr).strip())
    if "not a git repository" in text:
        return NoRepository(f"not in a git repository: {cwd}")
    if "dubious ownership" in text:
        return GitFailed(
            f"git does not trust the owner of {cwd}",
            hint=f"git config --global --add safe.directory {cwd}",
        )
    if lock := re.search(_LOCK, text):
        return Locked(
            f"another git process holds {lock[1] or lock[2] + '.lock'}",
            hint="wait for it to end; if it crashed, remove that file",
        )
    if re.search(_NO_REVISION, text):
        return UnknownRevision(_first_words(text))
    words = iter(args)
    # What follows -c is a setting, not the command.
    command = next(
        (w for w in words if not w.startswith("-") or (w == "-c" and not next(words))), ""
    )
    return GitFailed(f"git {command} failed (exit {code}): {_first_words(text) or 'no message'}")


def _first_words(text: str) -> str:
    """Returns git's message from its first complaint on, without advice, in one bounded line."""
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if not line.startswith(("hint:", "warning:", "(use "))]
    complaints = [at for at, line in enumerate(lines) if line.startswith(("fatal:", "error:"))]
    told = lines[complaints[0] :] if complaints else lines
    words = (line.removeprefix("fatal: ").removeprefix("error: ") for line in told)
    return " ".join(words)[:_MAX_TOLD]


def hide_credentials(text: str) -> str:
    """Returns `text` with `user:password@` taken out of every URL in it."""
    return re.sub(_CREDENTIALS, r"\1", text)
