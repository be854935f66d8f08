"""What every test runs in: an empty environment of its own, and real git repositories on demand.

No test sees the developer's home folder, configuration, credentials or surrounding repository.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dvtool.git.plumbing import Git

KEPT_VARIABLES = ("PATH", "TMPDIR", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")


@pytest.fixture(autouse=True)
def hermetic(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Replaces the environment; returns the empty home folder that the test has."""
    home = tmp_path_factory.mktemp("home")
    for name in set(os.environ).difference(KEPT_VARIABLES):
        monkeypatch.delenv(name)
    clean = {
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        # A repository above the temporary folder must not be found.
        "GIT_CEILING_DIRECTORIES": str(tmp_path_factory.getbasetemp()),
        "GIT_AUTHOR_NAME": "Ada Author",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_AUTHOR_DATE": "2024-02-29T12:00:00+01:00",
        "GIT_COMMITTER_NAME": "Carl Committer",
        "GIT_COMMITTER_EMAIL": "carl@example.org",
        "GIT_COMMITTER_DATE": "2024-02-29T12:00:00+01:00",
        # Anything that would reach a cloud finds no credentials and no metadata service.
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws-credentials"),
    }
    for name, value in clean.items():
        monkeypatch.setenv(name, value)
    return home


@dataclass(frozen=True)
class GitRepo:
    """A real repository that a test works in; `repo("add", ".")` runs git there."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(self, *args: str | bytes | Path, **variables: str) -> bytes:
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env={**os.environ, **self.environ, **variables},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"git {args}: {done.stderr.decode(errors='replace')}"
        return done.stdout

    def write(self, path: str, content: str | bytes = "") -> Path:
        """Writes a file and the folders on its way."""
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def commit(self, message: str = "change") -> str:
        """Commits everything, also if that is nothing; returns the object id."""
        self("add", "--all")
        self("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head()

    def head(self) -> str:
        return self("rev-parse", "HEAD").decode().strip()

    @property
    def api(self) -> Git:
        """The repository as dvtool sees it, discovered anew."""
        return Git.at(self.path)


@pytest.fixture
def git_repo(tmp_path: Path) -> Callable[..., GitRepo]:
    """Makes repositories: `git_repo()`, `git_repo("other", object_format="sha256")`."""

    def make(name: str = "repo", *, object_format: str = "sha1", bare: bool = False) -> GitRepo:
        path = tmp_path / name
        path.mkdir(parents=True)
        repo = GitRepo(path)
        repo("init", "-q", "-b", "main", f"--object-format={object_format}", *["--bare"] * bare)
        return repo

    return make


@pytest.fixture
def repo(git_repo: Callable[..., GitRepo]) -> GitRepo:
    """One empty repository."""
    return git_repo()


@dataclass
class Started:
    """How many git processes were started, those that git itself started not counted."""

    count: int = 0


@pytest.fixture
def git_processes(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], AbstractContextManager[Started]]:
    """Counts git processes within `with git_processes() as started:` by git's own trace."""
    folder = tmp_path_factory.mktemp("trace")
    monkeypatch.setenv("GIT_TRACE2_EVENT", str(folder))

    def is_ours(file: Path) -> bool:
        # The session id of a process that git started holds its parent's id and a slash.
        return "/" not in json.loads(file.read_text().splitlines()[0])["sid"]

    @contextmanager
    def counting() -> Iterator[Started]:
        started = Started()
        before = set(folder.iterdir())
        yield started
        started.count = sum(map(is_ours, set(folder.iterdir()) - before))

    return counting
