"""A git host of one's own: a bare repository, a work tree that pushes to it, fresh clones for CI."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

CHECKS = """\
columns:
  id: {type: int, unique: true}
  age: {type: int, min: 0, max: 120, nulls: 0}
rows: {min: 10}
"""


def people(rows: int = 200, *, seed: int = 1, **ages: str) -> str:
    """Returns a CSV of people; `n4="-7"` gives the row with id 4 that age."""
    draw = random.Random(seed)
    lines = [f"{n},{ages.get(f'n{n}', draw.randrange(18, 90))}" for n in range(rows)]
    return "\n".join(["id,age", *lines, ""])


class Host:
    """The host, and what people and services do with it."""

    def __init__(
        self, folder: Path, capfd: pytest.CaptureFixture[str], remote: str, *options: str
    ) -> None:
        """Takes where all of it stands, and the data remote with options of `remote add`."""
        self.folder = folder
        self._capfd = capfd
        subprocess.run(
            ["git", "init", "-q", "--bare", "-b", "main", folder / "host.git"], check=True
        )
        self.dev = Repo(folder / "dev", capfd)
        subprocess.run(["git", "init", "-q", "-b", "main", self.dev.path], check=True)
        self.dev.git("remote", "add", "origin", self.url)
        self.dev.run("init", "--no-hooks")
        self.dev.run("remote", "add", "origin", remote, *options)

    @property
    def url(self) -> str:
        return (self.folder / "host.git").as_uri()

    def change(self, files: dict[str, str | None], *, message: str = "change") -> str:
        """Writes files, None deletes one; those with a sidecar, or named *.csv, are added; commits."""
        for path, text in files.items():
            if text is None:
                (self.dev.path / path).unlink()
                continue
            self.dev.write(path, text)
            if path.endswith(".csv"):
                self.dev.run("add", path)
        return self.dev.commit(message)

    def switch(self, branch: str, *, start: str = "") -> None:
        """Goes to a branch, a new one from `start`; the data follow."""
        if start:
            self.dev.git("switch", "--quiet", "--create", branch, start)
        else:
            self.dev.git("switch", "--quiet", branch)
        self.dev.run("checkout")

    def publish(self, *, data: bool = True) -> None:
        """Pushes the current branch, its data first."""
        if data:
            self.dev.run("push")
        self.dev.git("push", "--quiet", "--force", "--no-verify", "origin", "HEAD")

    def clone(self, branch: str, *, depth: int = 0, name: str = "job") -> Repo:
        """Returns what a service checks out: a fresh clone without any set-up."""
        target = self.folder / name
        limit = [f"--depth={depth}"] if depth else []
        subprocess.run(
            ["git", "clone", "--quiet", *limit, "--branch", branch, self.url, str(target)],
            check=True,
        )
        return Repo(target, self._capfd)
