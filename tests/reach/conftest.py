"""Repositories whose versions are read from elsewhere: two revisions of tables at a real S3 server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import s3_bucket, s3_endpoint
from tests.journeys.harness import Repo

__all__ = ["s3_bucket", "s3_endpoint"]


@pytest.fixture(autouse=True)
def dvtool_on_path(hermetic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets git call the drivers by name."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def make_repo(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Repo]:
    def make(name: str = "repo") -> Repo:
        path = tmp_path / name
        subprocess.run(["git", "init", "-q", "-b", "main", str(path)], check=True)
        repo = Repo(path, capfd)
        repo.run("init")
        return repo

    return make


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Goes to a folder for the rest of the test."""
    return monkeypatch.chdir


def table(rows: int, factor: int = 1) -> str:
    return "id,price,city\n" + "".join(
        f"{n},{n * factor}.5,{('Bonn', 'Ulm')[n % 2]}\n" for n in range(rows)
    )


def parquet(rows: int, factor: int = 1) -> bytes:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    columns = {"id": list(range(rows)), "price": [n * factor + 0.5 for n in range(rows)]}
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.fixture
def published(
    make_repo: Callable[..., Repo], s3_bucket: tuple[str, str], at: Callable[[Path], None]
) -> Iterator[Repo]:
    """A fresh clone, without data, of a repository with two versions at an S3 server.

    v1 has 100 rows, v2 has 120 with other prices; the test stands in the clone.
    """
    endpoint, bucket = s3_bucket
    origin = make_repo("origin")
    origin.run("remote", "add", "origin", f"s3://{bucket}/data", "--endpoint-url", endpoint)
    for number, rows in ((1, 100), (2, 120)):
        origin.write("t.csv", table(rows, number))
        origin.write("d/part.parquet", parquet(rows, number))
        origin.write("d/more/part.csv", table(rows, number))
        origin.run("add", "t.csv", "d")
        origin.commit(f"v{number}")
        origin.git("tag", f"v{number}")
    origin.run("push")
    clone = origin.clone("clone")
    at(clone.path)
    return clone
