"""Tools that keep the versions of one large file, each with a repository and a remote of its own.

`chunks` makes the changes and compares; here is only how each tool takes a version in and sends it,
and how what arrived is counted: by the benchmark's S3 server for dvtool and DVC, and as the growth
of a folder for git-lfs, restic and borg.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import tools
from datasets import digest
from measure import Runner, Usage
from serverprocess import ServerProcess

_COMMIT = ("git", "commit", "-q", "-m", "next", "--allow-empty")


@dataclass(frozen=True, slots=True)
class Cost:
    """What taking in and sending one version cost.

    Args:
        sent_bytes: Bytes that left for the remote, or that the repository grew by.
        add_cpu_s: User and system seconds of taking in; all of it where that sends as well.
        send_cpu_s: User and system seconds of sending.
        peak_bytes: Largest resident memory of any process.
        requests: How many, where they are counted.
    """

    sent_bytes: int
    add_cpu_s: float
    send_cpu_s: float
    peak_bytes: int
    requests: int | None = None

    @property
    def cpu_s(self) -> float:
        """Returns the CPU seconds of both."""
        return self.add_cpu_s + self.send_cpu_s


class Keeper(Protocol):
    """A tool with a repository of its own for one case."""

    name: str

    def keep(self, path: Path) -> Cost:
        """Takes in the present bytes of a file and sends them."""

    def check(self, path: Path) -> Usage:
        """Brings the last version back into an empty place; fails unless it is as it was."""


class Versioned:
    """dvtool or DVC: a git repository, and a bucket on the benchmark's server."""

    def __init__(self, name: str, runner: Runner, area: Path, server: ServerProcess) -> None:
        self.name = name
        self._runner, self._server = runner, server
        self._repo = area / "repo"
        self._repo.mkdir(parents=True)
        server.create_bucket(area.name)
        self._tool = next(tool for tool in tools.TOOLS if tool.name == name)
        assert self._tool.remote is not None
        runner.run((*self._tool.init, *self._tool.remote(area.name, server.url)), self._repo)

    def keep(self, path: Path) -> Cost:
        _replace(self._repo / "data", path)
        self._server.traffic()
        add = self._runner.measure(self._tool.add, self._repo)
        self._runner.run((("git", "add", "-A"), _COMMIT), self._repo)
        push = self._runner.measure(self._tool.push, self._repo)
        traffic = self._server.traffic()
        peak = max(add.peak_bytes, push.peak_bytes)
        return Cost(traffic.bytes_in, add.cpu_s, push.cpu_s, peak, traffic.requests)

    def check(self, path: Path) -> Usage:
        clone = self._repo.with_name("clone")
        self._runner.run((("git", "clone", "-q", "repo", "clone"),), self._repo.parent)
        usage = self._runner.measure(self._tool.pull, clone)
        _expect(clone / "data", path)
        return usage


class GitLfs:
    """git-lfs, with a bare repository in a folder, to which it copies by its own `file` transfer."""

    name = "git-lfs"

    def __init__(self, runner: Runner, area: Path) -> None:
        self._runner, self._area = runner, area
        self._repo, self._bare = area / "repo", area / "bare"
        self._repo.mkdir(parents=True)
        tool = next(tool for tool in tools.TOOLS if tool.name == self.name)
        self._add = tool.add
        runner.run((("git", "init", "-q", "--bare", "bare"),), area)
        origin = ("git", "remote", "add", "origin", f"file://{self._bare}")
        runner.run((*tool.init, origin, ("git", "add", ".gitattributes"), _COMMIT), self._repo)

    def keep(self, path: Path) -> Cost:
        _replace(self._repo / "data", path)
        before = _size(self._bare)
        add = self._runner.measure(self._add, self._repo)
        self._runner.run((_COMMIT,), self._repo)
        push = self._runner.measure((("git", "push", "-q", "origin", "HEAD"),), self._repo)
        peak = max(add.peak_bytes, push.peak_bytes)
        return Cost(_size(self._bare) - before, add.cpu_s, push.cpu_s, peak)

    def check(self, path: Path) -> Usage:
        clone = self._area / "clone"
        self._runner.run((("git", "clone", "-q", f"file://{self._bare}", "clone"),), self._area)
        install, pull = ("git", "lfs", "install", "--local"), ("git", "lfs", "pull")
        usage = self._runner.measure((install, pull), clone)
        _expect(clone / "data", path)
        return usage


class Backup:
    """restic or borg, with a repository on this disk.

    Args:
        name: How the results call it.
        runner: Its environment must have what the tool needs to find its repository.
        area: Where the repository lies.
        init: Makes the repository.
        keep: From a file to the command that takes it in.
        restore: From a file to the commands that put the last version below the current directory.
    """

    def __init__(
        self,
        name: str,
        runner: Runner,
        area: Path,
        *,
        init: tools.Commands,
        keep: Callable[[str], tools.Commands],
        restore: Callable[[str], tools.Commands],
    ) -> None:
        self.name = name
        self._runner, self._area = runner, area
        self._keep, self._restore = keep, restore
        area.mkdir(parents=True)
        runner.run(init, area)

    def keep(self, path: Path) -> Cost:
        before = _size(self._area / "repo")
        usage = self._runner.measure(self._keep(str(path)), self._area)
        return Cost(_size(self._area / "repo") - before, usage.cpu_s, 0.0, usage.peak_bytes)

    def check(self, path: Path) -> Usage:
        usage = self._runner.measure(self._restore(str(path)), self._area)
        _expect(self._area / str(path).lstrip("/"), path)
        return usage


def _replace(target: Path, source: Path) -> None:
    target.unlink(missing_ok=True)
    shutil.copyfile(source, target)


def _expect(found: Path, wanted: Path) -> None:
    if digest(found) != digest(wanted):
        raise SystemExit(f"{found} is not what went in")


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def restic(runner: Runner, area: Path) -> Backup:
    """Returns restic with its defaults, a folder for its repository."""
    restic = ("restic", "-q", "-r", "repo")
    return Backup(
        "restic", runner, area,
        init=((*restic, "init"),),
        keep=lambda path: ((*restic, "backup", path),),
        restore=lambda _: ((*restic, "restore", "latest", "--target", "."),),
    )  # fmt: skip


def borg(runner: Runner, area: Path) -> Backup:
    """Returns borg with zstd's fastest level, as dvtool's, a folder for its repository."""
    return Backup(
        "borg", runner, area,
        init=(("borg", "init", "-e", "none", "repo"),),
        keep=lambda path: (("borg", "create", "-C", "zstd,1", "repo::{now:%s%f}", path),),
        restore=lambda _: (("sh", "-c", "borg extract repo::$(borg list --last 1 --short repo)"),),
    )  # fmt: skip
