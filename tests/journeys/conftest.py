"""Fixtures for journeys: real repositories with a remote on this machine, and a real S3 server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.harness import Repo


@pytest.fixture(autouse=True)
def dvtool_on_path(hermetic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets git call the drivers by name, as it can for everyone who installed dvtool."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def make_repo(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Repo]:
    def make(name: str = "repo", *, remote: str | None = "file", hooks: bool = False) -> Repo:
        path = tmp_path / name
        subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
        repo = Repo(path, capfd)
        repo.run("init", *["--no-hooks"] * (not hooks))
        if remote == "file":
            repo.run("remote", "add", "origin", (tmp_path / f"{name}-remote").as_uri())
        repo.commit("ready")
        return repo

    return make


@pytest.fixture
def repo(make_repo: Callable[..., Repo]) -> Repo:
    return make_repo()


@pytest.fixture
def gated(make_repo: Callable[..., Repo], tmp_path: Path) -> Repo:
    """A repository with hooks, a data remote, and a bare git repository to push to."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / "host.git"], check=True)
    repo = make_repo(hooks=True)
    repo.git("remote", "add", "origin", str(tmp_path / "host.git"))
    # A busy machine must not run out of the time that judging may take at a commit.
    repo.git("config", "dvtool.gate.commit-budget", "600")
    return repo


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A real S3 protocol over a socket, in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> tuple[str, str]:
    """An empty bucket of its own and the credentials for it; returns endpoint and bucket."""
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret-value")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    bucket = f"bucket-{abs(hash(request.node.nodeid)):x}"
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    client.create_bucket(Bucket=bucket)
    client.close()
    return s3_endpoint, bucket
