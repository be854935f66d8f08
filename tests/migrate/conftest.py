"""Repositories made by real DVC and real git-lfs, built once and copied for each test.

What every commit holds is known from what was written, not from reading it back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.journeys.conftest import make_repo, s3_endpoint
from tests.journeys.harness import Repo

__all__ = ["make_repo", "s3_endpoint"]

DVC = Path(__file__).parent / ".env" / "bin" / "dvc"
DVC2 = Path(__file__).parent / ".env2" / "bin" / "dvc"
BUCKET = "old-data"
LARGE = bytes(range(256)) * 8192  # 2 MiB: not a small blob
CRLF = b"x\r\ny\r\n"

Files = dict[str, bytes]


@dataclass
class Old:
    """A repository of another tool.

    Attributes:
        path: Its work tree.
        commits: For each commit, by object id, every file that the other tool keeps.
    """

    path: Path
    commits: dict[str, Files] = field(default_factory=dict)


def environment(home: Path) -> dict[str, str]:
    """Returns what programs outside of this process run in."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_SYSTEM": "/dev/null",
        "GIT_AUTHOR_NAME": "Ada Author",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Carl Committer",
        "GIT_COMMITTER_EMAIL": "carl@example.org",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "dvc-site"),
        "DVC_GLOBAL_CONFIG_DIR": str(home / "dvc-global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc-system"),
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "very-secret-value",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


class Builder:
    """Makes one repository, step by step, with programs that are not ours."""

    def __init__(self, path: Path, home: Path) -> None:
        self.old = Old(path)
        self._environ = environment(home)
        path.mkdir(parents=True)
        self.run("git", "init", "-q", "-b", "main", ".")

    def run(self, *command: str | Path) -> str:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.old.path,
            env=self._environ,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout.decode()}\n{done.stderr.decode()}"
        return done.stdout.decode().strip()

    def write(self, path: str, data: bytes) -> None:
        target = self.old.path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def commit(self, message: str, files: Files) -> str:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-q", "-m", message)
        oid = self.run("git", "rev-parse", "HEAD")
        self.old.commits[oid] = dict(files)
        return oid


@pytest.fixture(scope="session")
def dvc_made(tmp_path_factory: pytest.TempPathFactory, s3_endpoint: str) -> Old:
    """Five commits on two branches by DVC 3: files, directories, a stage's output, an S3 remote."""
    if not DVC.exists():
        pytest.skip("DVC is not installed: tests/migrate/install")
    build = Builder(tmp_path_factory.mktemp("dvc") / "repo", tmp_path_factory.mktemp("dvc-home"))
    build.run(DVC, "init", "-q")
    build.run(DVC, "remote", "add", "-d", "store", f"s3://{BUCKET}/dvc")
    build.run(DVC, "remote", "modify", "store", "endpointurl", s3_endpoint)
    files = {"data/a.csv": b"1\n", "data/sub/é b.csv": CRLF, "raw/model.bin": LARGE}
    for path, data in files.items():
        build.write(path, data)
    (build.old.path / "raw/model.bin").chmod(0o755)
    build.run(DVC, "add", "-q", "data", "raw/model.bin")
    build.commit("first", files)

    build.run("git", "switch", "-q", "-c", "side")
    side = files | {"data/a.csv": b"side\n"}
    build.write("data/a.csv", b"side\n")
    build.run(DVC, "add", "-q", "data")
    build.commit("side", side)
    build.run("git", "switch", "-q", "main")
    build.run(DVC, "checkout", "-q")

    files = files | {"data/a.csv": b"2\n", "data/new.csv": b"n\n"}
    build.write("data/a.csv", b"2\n")
    build.write("data/new.csv", b"n\n")
    build.run(DVC, "add", "-q", "data")
    build.commit("second", files)

    stage = "mkdir -p out && cp data/a.csv out/fit.bin && echo 7 > metrics.txt"
    build.run(DVC, "stage", "add", "-q", "-n", "fit", "-o", "out", "-M", "metrics.txt", stage)
    build.run(DVC, "repro", "-q")
    files = files | {"out/fit.bin": b"2\n"}
    build.commit("stage", files)

    build.run("git", "rm", "-q", "raw/model.bin.dvc")
    (build.old.path / "raw/model.bin").unlink()
    del files["raw/model.bin"]
    build.commit("no model", files)
    _make_bucket(s3_endpoint)
    build.run(DVC, "push", "-q", "--all-commits")
    return build.old


@pytest.fixture(scope="session")
def dvc2_made(tmp_path_factory: pytest.TempPathFactory) -> Old:
    """Three commits: two by DVC 2, with a stage and a remote in a folder, the last by DVC 3."""
    if not DVC2.exists() or not DVC.exists():
        pytest.skip("DVC is not installed: tests/migrate/install")
    folder = tmp_path_factory.mktemp("dvc2")
    build = Builder(folder / "repo", tmp_path_factory.mktemp("dvc2-home"))
    build.run(DVC2, "init", "-q")
    build.run(DVC2, "remote", "add", "-q", "-d", "disk", str(folder / "disk"))
    files = {"data/a.csv": CRLF, "data/sub/b.bin": b"\0\r\n", "notes.txt": b"one\r\n" * 300_000}
    for path, data in files.items():
        build.write(path, data)
    build.run(DVC2, "add", "-q", "data", "notes.txt")
    build.commit("first", files)

    stage = "mkdir -p out && cp data/a.csv out/fit.csv"
    build.run(DVC2, "stage", "add", "-q", "-n", "fit", "-o", "out", stage)
    build.run(DVC2, "repro", "-q")
    files = files | {"out/fit.csv": CRLF}
    build.commit("stage", files)
    build.run(DVC2, "push", "-q")

    files = files | {"data/a.csv": CRLF * 2}
    build.write("data/a.csv", CRLF * 2)
    build.run(DVC, "add", "-q", "data")
    build.commit("by DVC 3", files)
    return build.old


def _make_bucket(endpoint: str) -> None:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="very-secret-value",
    )
    client.create_bucket(Bucket=BUCKET)
    client.close()


@pytest.fixture
def dvc_program(tmp_path: Path) -> Callable[..., str]:
    """Runs DVC in a folder, in an environment of its own."""
    environ = environment(tmp_path / "home-of-dvc")

    def run(folder: Path, *args: str) -> str:
        done = subprocess.run(
            [DVC, *args], cwd=folder, env=environ, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    return run


@pytest.fixture
def dvc_repo(
    dvc_made: Old,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Repo, dict[str, Files]]]:
    """A copy of the repository that DVC made, ready for dvtool, with a remote of dvtool's."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-value")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    shutil.copytree(dvc_made.path, tmp_path / "repo", symlinks=True)
    repo = Repo(tmp_path / "repo", capfd)
    repo.run("init", "--no-hooks")
    repo.run("remote", "add", "origin", (tmp_path / "remote").as_uri())
    repo.commit("dvtool")
    return repo, dvc_made.commits


@pytest.fixture(scope="session")
def lfs_made(tmp_path_factory: pytest.TempPathFactory) -> Old:
    """Three commits on two branches by git-lfs: small and large files, in folders, one executable."""
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed: tests/migrate/install")
    build = Builder(tmp_path_factory.mktemp("lfs") / "repo", tmp_path_factory.mktemp("lfs-home"))
    build.run("git", "lfs", "install", "--local")
    build.run("git", "lfs", "track", "*.bin", "data/**")
    build.write("readme.txt", b"git has this\n")
    files = {"a.bin": b"one", "data/sub/t.csv": CRLF, "data/large.dat": LARGE}
    for path, data in files.items():
        build.write(path, data)
    (build.old.path / "a.bin").chmod(0o755)
    build.commit("first", files)

    build.run("git", "switch", "-q", "-c", "side")
    build.write("a.bin", b"side")
    build.commit("side", files | {"a.bin": b"side"})
    build.run("git", "switch", "-q", "main")

    build.write("a.bin", b"two")
    build.run("git", "rm", "-q", "data/large.dat")
    del files["data/large.dat"]
    build.commit("second", files | {"a.bin": b"two"})
    return build.old


@pytest.fixture
def lfs_repo(
    lfs_made: Old,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Repo, dict[str, Files]]:
    """A copy of the repository that git-lfs made, ready for dvtool, with a remote of dvtool's."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    shutil.copytree(lfs_made.path, tmp_path / "repo", symlinks=True)
    repo = Repo(tmp_path / "repo", capfd)
    repo.run("init", "--no-hooks")
    repo.run("remote", "add", "origin", (tmp_path / "remote").as_uri())
    repo.commit("dvtool")
    return repo, lfs_made.commits


def files_of(repo: Repo, rev: str, scratch: Path) -> Files:
    """Returns every file of every data set of a revision, copied out by dvtool."""
    found: Files = {}
    for one in repo.run("list", "--rev", rev, "--json").json["datasets"]:
        target = scratch / rev / one["dataset"]
        repo.run("get", str(repo.path), one["dataset"], "--rev", rev, "--out", str(target))
        paths = [target] if target.is_file() else sorted(target.rglob("*"))
        found |= {
            str(path.relative_to(scratch / rev)): path.read_bytes()
            for path in paths
            if path.is_file()
        }
    return found
