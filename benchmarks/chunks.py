"""What the next version of a large file costs: bytes uploaded and CPU, after typical changes.

    python benchmarks/chunks.py [--mib 256] [--tools dvtool,dvc,git-lfs,restic,borg] [--out PATH]

Each change is made to the file, then taken in and sent by each tool; at the end each brings the
last version back. Here are the changes and the order of things; `keepers` knows the tools.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import keepers
import machine
import tools
from datasets import csv_bytes, write_big
from keepers import Keeper
from measure import CommandFailed, Runner
from report import shown_command, table
from serverprocess import ServerProcess

MIB = 1 << 20
NAMES = ("dvtool", "dvc", "git-lfs", "restic", "borg")
TITLES = {
    "csv": "CSV",
    "parquet": "Parquet",
    "parquet-cdc": "Parquet with use_content_defined_chunking",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A step of a case: what it is called and what it does to the file."""

    name: str
    apply: Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What one tool did with one version: a `keepers.Cost`, and whose; or why it failed."""

    case: str
    change: str
    file_bytes: int
    tool: str
    sent_bytes: int | None = None
    add_cpu_s: float = 0.0
    send_cpu_s: float = 0.0
    peak_bytes: int = 0
    requests: int | None = None
    failure: str = ""


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


def run_case(
    case: str, changes: Iterator[Change], keepers: list[Keeper], path: Path
) -> Iterator[Row]:
    """Applies each change once, lets every tool keep the result, then bring it back.

    A tool that fails is out for the rest of the case, and its row says why.
    """
    for change in changes:
        change.apply(path)
        size = path.stat().st_size
        time.sleep(1.1)  # a file younger than a tool's clock tick would have to be read twice
        for keeper in list(keepers):
            try:
                cost = keeper.keep(path)
            except CommandFailed as error:
                keepers.remove(keeper)
                yield Row(case, change.name, size, keeper.name, failure=str(error))
                continue
            yield Row(
                *(case, change.name, size, keeper.name, cost.sent_bytes),
                *(cost.add_cpu_s, cost.send_cpu_s, cost.peak_bytes, cost.requests),
            )
    for keeper in keepers:
        usage = keeper.check(path)
        yield Row(
            *(case, "bring it back", path.stat().st_size, keeper.name, None),
            *(0.0, usage.cpu_s, usage.peak_bytes),
        )


def as_markdown(rows: Sequence[Row]) -> str:
    """Returns one table for each case."""
    names = ("change", "file MB", "tool", "sent MB", "share", "add CPU s", "send CPU s", "CPU s")
    parts = []
    for case in dict.fromkeys(row.case for row in rows):
        cells = [_cells(row) for row in rows if row.case == case]
        parts += [f"### {TITLES[case]}", table((*names, "peak MiB", "requests"), cells)]
    return "\n\n".join(parts) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    head = (row.change, f"{row.file_bytes / 1e6:.1f}", row.tool)
    if row.failure:
        return (*head, f"failed: {row.failure.splitlines()[0]}", *[""] * 6)
    sent = share = ""
    if row.sent_bytes is not None:
        sent = f"{row.sent_bytes / 1e6:.2f}"
        share = f"{100 * row.sent_bytes / row.file_bytes:.2f} %"
    return (
        *(*head, sent, share, f"{row.add_cpu_s:.2f}", f"{row.send_cpu_s:.2f}"),
        *(f"{row.add_cpu_s + row.send_cpu_s:.2f}", f"{row.peak_bytes / MIB:.0f}"),
        "" if row.requests is None else str(row.requests),
    )


def _write(out: Path | None, command: str, facts: dict[str, str], rows: Sequence[Row]) -> None:
    """Writes what is known so far as OUT.json and OUT.md; prints it where no OUT is given."""
    if out is None:
        return
    document = {"command": command, "machine": facts, "rows": [asdict(row) for row in rows]}
    out.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")
    out.with_suffix(".md").write_text(as_markdown(rows))


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
    parser.add_argument("--out", type=Path, help="where results go as well, without extension")
    parser.add_argument("--dvtool", type=Path, help="the dvtool program, when it is not on PATH")
    parser.add_argument("--dvc", type=Path, help="the dvc program, when it is not on PATH")
    asked = parser.parse_args(argv)
    programs = tools.find_programs({"dvtool": asked.dvtool, "dvc": asked.dvc})
    names = [name for name in asked.tools.split(",") if name in programs or shutil.which(name)]
    size = asked.mib * MIB
    whole = 5 if "dvc" in names else 2  # how many times the file the server has to hold at most
    with (
        _scratch(asked.scratch) as scratch,
        ServerProcess(arena_mib=asked.mib * whole) as server,
    ):
        tools.link_programs(programs, scratch / "bin")
        given = tools.environment(scratch)
        given |= {"RESTIC_PASSWORD": "benchmark", "BORG_BASE_DIR": str(scratch / "borg-base")}
        given |= {"RESTIC_CACHE_DIR": str(scratch / "restic-cache")}
        runner = Runner(given, scratch, timeout_s=3600)
        facts = machine.describe(scratch) | machine.versions(runner, programs, scratch)
        make: dict[str, Callable[[Path], Keeper]] = {
            "dvtool": lambda area: keepers.Versioned("dvtool", runner, area, server),
            "dvc": lambda area: keepers.Versioned("dvc", runner, area, server),
            "git-lfs": lambda area: keepers.GitLfs(runner, area),
            "restic": lambda area: keepers.restic(runner, area),
            "borg": lambda area: keepers.borg(runner, area),
        }
        cases = {
            "csv": lambda: csv_case(size),
            "parquet": lambda: parquet_case(size, by_content=False),
            "parquet-cdc": lambda: parquet_case(size, by_content=True),
        }
        rows: list[Row] = []
        for case, changes in cases.items():
            if case.partition("-")[0] not in asked.only.split(","):
                continue
            places = [scratch / name / f"{name}-{case}" for name in names]
            tried = [make[name](place) for name, place in zip(names, places, strict=True)]
            for row in run_case(case, changes(), tried, scratch / "subject"):
                rows.append(row)
                print(" | ".join(_cells(row)), flush=True)
                _write(asked.out, shown_command("chunks.py", argv), facts, rows)
            for place in places:
                server.drop_bucket(place.name)
                shutil.rmtree(place)
            (scratch / "subject").unlink()
    print("\n" + as_markdown(rows), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
