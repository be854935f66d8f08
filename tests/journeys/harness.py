"""A real work tree in which dvtool is called as a person would, in this process."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from dvtool.cli.entry import run


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


class Repo:
    """A git work tree with dvtool called in it, in this process."""

    def __init__(self, path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.path = path
        self._capfd = capfd

    def at(self, path: Path) -> Repo:
        """Returns another folder to call dvtool in."""
        return Repo(path, self._capfd)

    def run(self, *args: str, code: int = 0) -> Result:
        self._capfd.readouterr()
        before = Path.cwd()
        os.chdir(self.path)
        try:
            found = run(list(args))
        finally:
            os.chdir(before)
        out, err = self._capfd.readouterr()
        assert "Traceback" not in err
        assert found == code, f"dvtool {' '.join(args)} gave {found}\n{out}\n{err}"
        return Result(found, out, err)

    def git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def try_git(self, *args: str, **variables: str) -> Result:
        """Runs git as a person does, whatever comes of it; hooks write to stderr."""
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env={**os.environ, **variables},
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        out, err = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        assert "Traceback" not in err
        return Result(done.returncode, out, err)

    def write(self, path: str, data: str | bytes) -> Path:
        target = self.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.encode() if isinstance(data, str) else data)
        return target

    def read(self, path: str) -> bytes:
        return (self.path / path).read_bytes()

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, name: str) -> Repo:
        """Clones with plain git and makes the clone ready; no data are pulled."""
        target = self.path.parent / name
        subprocess.run(["git", "clone", "--quiet", str(self.path), str(target)], check=True)
        clone = Repo(target, self._capfd)
        clone.run("init", "--no-hooks")
        return clone

    def snapshot(self, path: str) -> dict[str, bytes]:
        """Returns every file below `path` with its bytes."""
        root = self.path / path
        return {
            str(file.relative_to(root)): file.read_bytes()
            for file in sorted(root.rglob("*"))
            if file.is_file()
        }
