"""Repositories: finding one, and running git in it.

What git is asked lives in the neighbours (`sidecars`, `revisions`, `staging`, `history`,
`settings`); how a process is started and its failures told apart in `dvtool.git.process`. Called
by those neighbours and by `dvtool.ops`, which makes one `Git` for each repository it works on.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from dvtool.errors import DvtoolError, NoRepository
from dvtool.git.past import Past
from dvtool.git.process import GitProcess, failure, git_environment, run_git

_READ_BYTES = 1 << 20
_FACTS = (
    "--show-object-format",
    "--is-bare-repository",
    "--is-shallow-repository",
    "--absolute-git-dir",
    "--git-common-dir",
    # Last, because it fails in a bare repository, after the others have been answered.
    "--show-prefix",
    "--show-toplevel",
)


class Layout(NamedTuple):
    """Where a repository keeps its parts.

    Attributes:
        top: Absolute path of the work tree's top; of the repository itself when it is bare.
        git_dir: What belongs to this work tree alone: `HEAD`, the index.
        common_dir: What all work trees of the clone share: objects, refs, config.
        prefix: Where the search began, relative to `top`: empty, or ending in `/`.
        object_format: `sha1` or `sha256`, the hash git names its own objects with.
        bare: There is no work tree.
        shallow: The history was cut off when cloning.
    """

    top: Path
    git_dir: Path
    common_dir: Path
    prefix: str
    object_format: str
    bare: bool
    shallow: bool


def discover(
    cwd: Path,
    *,
    environ: Mapping[str, str] | None = None,
    foreign: bool = False,
    bare_ok: bool = False,
) -> Layout:
    """Finds the repository that `cwd` is in, with one git process.

    Args:
        cwd: A folder, absolute or relative to the process's own.
        environ: The environment to hand on to git; None hands on the process's own.
        foreign: See `git_environment`.
        bare_ok: Accept a repository without a work tree.

    Raises:
        NoRepository: There is none, or it has no work tree here.
        GitFailed: git refuses the repository, or is not installed.
    """
    env = git_environment(os.environ if environ is None else environ, foreign=foreign)
    cwd = Path(os.path.abspath(cwd))
    done = run_git(["git", "rev-parse", *_FACTS], cwd=cwd, env=env)
    lines = os.fsdecode(done.stdout).split("\n")[:-1]
    # The first three answers are single words; only a path can hold the newline that makes more.
    if done.returncode == 0 and len(lines) != len(_FACTS):
        lines = [_ask_alone(fact, cwd, env) for fact in _FACTS]
    if done.returncode != 0 and not (bare_ok and lines[1:2] == ["true"]):
        raise _no_work_tree(cwd, done.stderr, bare=lines[1:2] == ["true"])
    git_dir = Path(lines[3])
    return Layout(
        top=git_dir if done.returncode else Path(lines[6]),
        git_dir=git_dir,
        common_dir=Path(os.path.normpath(cwd / lines[4])),
        prefix="" if done.returncode else lines[5],
        object_format=lines[0],
        bare=lines[1] == "true",
        shallow=lines[2] == "true",
    )


def _ask_alone(fact: str, cwd: Path, env: dict[str, str]) -> str:
    return os.fsdecode(
        run_git(["git", "rev-parse", fact], cwd=cwd, env=env).stdout.removesuffix(b"\n")
    )


def _no_work_tree(cwd: Path, stderr: bytes, *, bare: bool) -> DvtoolError:
    if bare:
        return NoRepository(
            f"the repository at {cwd} is bare: it has no work tree", hint="git clone it"
        )
    if b"must be run in a work tree" in stderr:
        return NoRepository(f"inside git's own folder, not in a work tree: {cwd}", hint="cd ..")
    return failure(["rev-parse"], 128, stderr, cwd)


class Git:
    """One repository, and git run in it.

    Every call runs at the top of the work tree, so paths on its command line are relative to that.
    Safe to use from several threads.

    Args:
        layout: From `discover`.
        environ: The environment to hand on to git; None hands on the process's own.
        foreign: See `git_environment`.

    Attributes:
        layout: Where its parts are.
        past: What was made for commits from before a migration.
    """

    __slots__ = ("_env", "layout", "past")

    def __init__(
        self, layout: Layout, *, environ: Mapping[str, str] | None = None, foreign: bool = False
    ) -> None:
        self.layout = layout
        self.past = Past()
        self._env = git_environment(os.environ if environ is None else environ, foreign=foreign)
        if "GIT_DIR" in self._env or "GIT_WORK_TREE" in self._env:
            # A hook's GIT_DIR may be relative to where the search began; we run at the top.
            self._env["GIT_DIR"] = str(layout.git_dir)
            if not layout.bare:
                self._env["GIT_WORK_TREE"] = str(layout.top)

    @classmethod
    def at(
        cls,
        cwd: Path,
        *,
        environ: Mapping[str, str] | None = None,
        foreign: bool = False,
        bare_ok: bool = False,
    ) -> Git:
        """Returns the repository that `cwd` is in; arguments and errors as for `discover`."""
        layout = discover(cwd, environ=environ, foreign=foreign, bare_ok=bare_ok)
        return cls(layout, environ=environ, foreign=foreign)

    @property
    def top(self) -> Path:
        """Absolute path of the work tree's top."""
        return self.layout.top

    def run(self, *args: str, stdin: bytes | None = None, ok: Collection[int] = (0,)) -> bytes:
        """Runs one git command to its end and returns its standard output.

        Args:
            args: The command and its arguments; paths may hold surrogate escapes.
            stdin: Bytes to feed it; None gives it nothing to read.
            ok: Exit codes that are answers, not failures.

        Raises:
            NoRepository, UnknownRevision, Locked, GitFailed: It ended with another code.
        """
        done = run_git(["git", *args], cwd=self.top, env=self._env, stdin=stdin)
        if done.returncode not in ok:
            raise failure(args, done.returncode, done.stderr, self.top)
        return done.stdout

    def stream(self, *args: str, stdin: bytes = b"") -> Iterator[bytes]:
        """Runs one git command and yields its NUL-terminated fields as they come.

        Memory does not grow with the length of the output. Leaving the iterator early ends git.

        Args:
            args: The command, with `-z`.
            stdin: Bytes git reads to their end before it writes much.

        Raises:
            UnknownRevision, Locked, GitFailed: It failed; raised after what it wrote before.
        """
        with self.open(*args) as process:
            process.feed(stdin)
            process.close_input()
            rest = b""
            while block := process.read(_READ_BYTES):
                *fields, rest = (rest + block).split(b"\0")
                yield from fields
            if rest:
                yield rest
            process.finish()

    def open(self, *args: str) -> GitProcess:
        """Starts one git command to talk with; a context manager that ends it on the way out."""
        return GitProcess(args, self.top, self._env)
