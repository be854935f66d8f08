"""What the next version of a large file costs: bytes uploaded and CPU, after typical changes.

    python benchmarks/chunks.py [--mib 256] [--tools dvtool,restic,borg] [--scratch DIR]

Each change is made to the file, then taken in and sent. For dvtool the benchmark's own S3 server
counts what arrives; for restic and borg it is what their repository on disk grows by. What a tool
that knows only whole files would send (DVC, git-lfs) is the size of the file.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import tools
from datasets import csv_bytes, digest, write_big
from measure import Runner
from serverprocess import ServerProcess

MIB = 1 << 20
NAMES = ("dvtool", "restic", "borg")


@dataclass(frozen=True, slots=True)
class Change:
    """A step of a case: what it is called and what it does to the file."""

    name: str
    apply: Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Cost:
    """What taking in and sending one version cost.

    Args:
        sent_bytes: Bytes that left for the remote, or that the repository grew by.
        cpu_s: User and system seconds of all commands.
        peak_bytes: Largest resident memory.
        requests: How many, where they are counted.
    """

    sent_bytes: int
    cpu_s: float
    peak_bytes: int
    requests: int | None = None


class Keeper(Protocol):
    """A tool with a repository of its own for one case."""

    name: str

    def keep(self, path: Path) -> Cost:
        """Takes in the present bytes of a file and sends them."""

    def check(self, path: Path) -> None:
        """Fails unless the last version comes back as it is."""


class Dvtool:
    """dvtool, with a bucket on the benchmark's server."""

    name = "dvtool"

    def __init__(self, runner: Runner, area: Path, server: ServerProcess) -> None:
        self._runner, self._server = runner, server
        self._repo = area / "repo"
        self._repo.mkdir(parents=True)
        bucket = area.name
        server.create_bucket(bucket)
        tool = next(tool for tool in tools.TOOLS if tool.name == "dvtool")
        assert tool.remote is not None
        runner.run((*tool.init, *tool.remote(bucket, server.url)), self._repo)

    def keep(self, path: Path) -> Cost:
        (self._repo / "data").unlink(missing_ok=True)
        shutil.copyfile(path, self._repo / "data")
        self._server.traffic()
        add = self._runner.measure((("dvtool", "add", "data"),), self._repo)
        self._runner.run((("git", "commit", "-qam", "next", "--allow-empty"),), self._repo)
        push = self._runner.measure((("dvtool", "push"),), self._repo)
        traffic = self._server.traffic()
        print(f"      add {add.cpu_s:.2f} s, push {push.cpu_s:.2f} s CPU", flush=True)
        return Cost(
            traffic.bytes_in,
            add.cpu_s + push.cpu_s,
            max(add.peak_bytes, push.peak_bytes),
            traffic.requests,
        )

    def check(self, path: Path) -> None:
        clone = self._repo.with_name("clone")
        self._runner.run((("git", "clone", "-q", "repo", "clone"),), self._repo.parent)
        pull = self._runner.measure((("dvtool", "pull"),), clone)
        print(f"      pull {pull.cpu_s:.2f} s CPU, {pull.peak_bytes / 1e6:.0f} MB", flush=True)
        _expect(clone / "data", path)


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
        return Cost(_size(self._area / "repo") - before, usage.cpu_s, usage.peak_bytes)

    def check(self, path: Path) -> None:
        self._runner.run(self._restore(str(path)), self._area)
        _expect(self._area / str(path).lstrip("/"), path)


def _expect(found: Path, wanted: Path) -> None:
    if digest(found) != digest(wanted):
        raise SystemExit(f"{found} is not what went in")


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())


def _restic(runner: Runner, area: Path) -> Backup:
    restic = ("restic", "-q", "-r", "repo")
    return Backup(
        "restic", runner, area,
        init=((*restic, "init"),),
        keep=lambda path: ((*restic, "backup", path),),
        restore=lambda _: ((*restic, "restore", "latest", "--target", "."),),
    )  # fmt: skip


def _borg(runner: Runner, area: Path) -> Backup:
    return Backup(
        "borg", runner, area,
        init=(("borg", "init", "-e", "none", "repo"),),
        keep=lambda path: (("borg", "create", "-C", "zstd,1", "repo::{now:%s%f}", path),),
        restore=lambda _: (("sh", "-c", "borg extract repo::$(borg list --last 1 --short repo)"),),
    )  # fmt: skip


def csv_case(size_bytes: int) -> Iterator[Change]:
    """Yields the versions of a table that grows."""

    def write(path: Path) -> None:
        write_big(path, size_bytes=size_bytes, content=csv_bytes)

    def append(path: Path) -> None:
        with open(path, "ab") as file:
            file.write(csv_bytes("append", size_bytes // 100))

    def insert(path: Path) -> None:
        old = path.with_name("old")
        path.rename(old)
        with open(old, "rb") as source, open(path, "wb") as target:
            left = size_bytes // 2
            while left:
                left -= target.write(source.read(min(left, MIB)))
            target.write(source.readline() + csv_bytes("insert", 64 << 10) + b"\n")
            shutil.copyfileobj(source, target, MIB)
        old.unlink()

    yield Change("first version", write)
    yield Change("append 1 %", append)
    yield Change("insert 1,500 rows in the middle", insert)
    yield Change("nothing", os.utime)


def parquet_case(size_bytes: int, *, by_content: bool) -> Iterator[Change]:
    """Yields the versions of a Parquet file of ten columns, written with pages cut by content or not."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = size_bytes // 60
    rng = np.random.default_rng(1)
    columns = {f"f{n}": rng.normal(size=rows) for n in range(5)}
    columns |= {f"i{n}": rng.integers(0, 10**6, rows) for n in range(4)}
    columns["city"] = rng.choice([f"city {n}" for n in range(100)], rows)

    def save(path: Path) -> None:
        table = pa.table(columns)
        pq.write_table(table, path, use_content_defined_chunking=by_content)

    def change(path: Path) -> None:
        columns["f2"] = columns["f2"] * 1.5
        save(path)

    def insert(path: Path) -> None:
        at = rows // 2
        for name, values in columns.items():
            columns[name] = np.insert(values, at, values[:1000])
        save(path)

    def append(path: Path) -> None:
        for name, values in columns.items():
            columns[name] = np.append(values, values[: rows // 100])
        save(path)

    yield Change("first version", save)
    yield Change("one column of ten changed", change)
    yield Change("insert 1,000 rows in the middle", insert)
    yield Change("append 1 %", append)


def run_case(title: str, changes: Iterator[Change], keepers: list[Keeper], path: Path) -> None:
    """Applies each change once and lets every tool keep the result; prints a Markdown table."""
    print(f"\n## {title}\n", flush=True)
    lines = ["| change | file MB | tool | sent MB | share | CPU s | memory MB | requests |"]
    lines.append("|---|--:|---|--:|--:|--:|--:|--:|")
    for change in changes:
        change.apply(path)
        size = path.stat().st_size
        for keeper in keepers:
            cost = keeper.keep(path)
            lines.append(
                f"| {change.name} | {size / 1e6:.1f} | {keeper.name} | {cost.sent_bytes / 1e6:.2f} "
                f"| {100 * cost.sent_bytes / size:.2f} % | {cost.cpu_s:.2f} "
                f"| {cost.peak_bytes / 1e6:.0f} | {'' if cost.requests is None else cost.requests} |"
            )
            print(lines[-1], flush=True)
    for keeper in keepers:
        keeper.check(path)
    print("\n" + "\n".join(lines), flush=True)


@contextmanager
def _scratch(parent: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="dvtool-chunks-", dir=parent) as name:
        yield Path(name)


def main(argv: list[str]) -> None:
    """Runs all cases with all tools that are there."""
    parser = argparse.ArgumentParser(description="Measure what a change of a large file costs")
    parser.add_argument("--mib", type=int, default=256, help="size of the file (default: 256)")
    parser.add_argument("--tools", default=",".join(NAMES), help="who takes part")
    parser.add_argument("--only", default="csv,parquet", help="cases: csv, parquet")
    parser.add_argument("--scratch", type=Path, help="where to work")
    asked = parser.parse_args(argv)
    names = [name for name in asked.tools.split(",") if shutil.which(name)]
    size = asked.mib * MIB
    with (
        _scratch(asked.scratch) as scratch,
        ServerProcess(arena_mib=asked.mib * 3 + 256) as server,
    ):
        (scratch / "bin").mkdir()
        given = tools.environment(scratch)
        given |= {"RESTIC_PASSWORD": "benchmark", "BORG_BASE_DIR": str(scratch / "borg-base")}
        runner = Runner(given, scratch, timeout_s=3600)
        make: dict[str, Callable[[Path], Keeper]] = {
            "dvtool": lambda area: Dvtool(runner, area, server),
            "restic": lambda area: _restic(runner, area),
            "borg": lambda area: _borg(runner, area),
        }
        cases = {
            "csv": ("CSV", lambda: csv_case(size)),
            "parquet": ("Parquet", lambda: parquet_case(size, by_content=False)),
            "parquet-cdc": (
                "Parquet with use_content_defined_chunking",
                lambda: parquet_case(size, by_content=True),
            ),
        }
        for key, (title, changes) in cases.items():
            if key.partition("-")[0] not in asked.only.split(","):
                continue
            keepers = [make[name](scratch / name / f"{name}-{key}") for name in names]
            run_case(title, changes(), keepers, scratch / "subject")
            server.drop_bucket(f"dvtool-{key}")
            (scratch / "subject").unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
