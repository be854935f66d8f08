"""Cases `transfer` and `big`: push to and pull from an S3 server on loopback, requests counted.

`transfer` moves many small files, `big` one large file, and adds to it what `add` costs. The
floors are programs that only copy, and a program that only creates the files.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench import Bench, Entry, settle
from case_files import FLOORS, commit_all, expect
from datasets import TreeSpec, digest, write_big, write_tree
from measure import Command
from serverprocess import ServerProcess
from tools import Copier, Tool


class TransferCase:
    """A data set `data`, a repository with it for each tool, and a server with a bucket for each."""

    def __init__(
        self, bench: Bench, name: str, area: Path, server: ServerProcess, tools: Sequence[Tool]
    ) -> None:
        self.bench = bench
        self.name = name
        self.area = area
        self.server = server
        self.tools = tools
        self.pristine = area / "pristine" / "data"
        self.repeat = bench.options.repeat

    def add(self) -> None:
        """Makes the repositories and measures `add`, which is a case of its own for a large file."""
        self.bench.prepare(self.name, self.tools, self._new_repo)
        settle()
        entries = [Entry(tool.name, tool.add, self._repo(tool)) for tool in self.tools]
        self.bench.step(self.name, "add", entries)
        self.bench.prepare(self.name, self.tools, self._publish)

    def push(self, copiers: Sequence[Copier]) -> None:
        """Measures the first push, and another one with nothing to do."""
        for copier in copiers:
            self.server.create_bucket(copier.name)
        path = str(self.pristine)
        first = [Entry(tool.name, tool.push, self._repo(tool)) for tool in self.tools]
        again = list(first)
        for copier in copiers:
            commands = [
                call(self.server.url, copier.name, path)
                for call in (copier.push, copier.push_again)
            ]
            first.append(self._copy_entry(copier, commands[0]))
            again.append(self._copy_entry(copier, commands[1]))
        self.bench.step(self.name, "push", first, server=self.server)
        self.bench.step(self.name, "push-nothing", again, repeats=self.repeat, server=self.server)

    def pull(self, copiers: Sequence[Copier], floors: Sequence[Entry]) -> None:
        """Measures pull into a fresh clone, and another one with nothing to do."""
        wanted = digest(self.pristine)
        self.bench.prepare(self.name, self.tools, self._clone)
        first = [
            Entry(
                tool.name,
                tool.pull,
                self._repo(tool, "clone"),
                after=partial(expect, self._repo(tool, "clone") / "data", wanted),
            )
            for tool in self.tools
        ]
        again = [Entry(tool.name, tool.pull, self._repo(tool, "clone")) for tool in self.tools]
        for copier in copiers:
            target = self.area / copier.name / "data"
            target.mkdir(parents=True)
            check = target if self.pristine.is_dir() else target / "data"
            commands = [
                call(self.server.url, copier.name, str(target))
                for call in (copier.pull, copier.pull_again)
            ]
            first.append(self._copy_entry(copier, commands[0], check, wanted))
            again.append(self._copy_entry(copier, commands[1]))
        self.bench.step(self.name, "pull", [*first, *floors], server=self.server)
        self.bench.step(self.name, "pull-nothing", again, repeats=self.repeat, server=self.server)

    def _repo(self, tool: Tool, kind: str = "repo") -> Path:
        return self.area / tool.name / kind

    def _new_repo(self, tool: Tool) -> None:
        repo = self._repo(tool)
        repo.mkdir(parents=True)
        run = self.bench.runner.run
        run(tool.init, repo)
        if tool.remote is not None:
            self.server.create_bucket(tool.name)
            run(tool.remote(tool.name, self.server.url), repo)
        run((("cp", "-r", str(self.pristine), "data"),), repo)

    def _publish(self, tool: Tool) -> None:
        """Commits and copies the git history, without data, to where clones come from."""
        repo = self._repo(tool)
        commit_all(self.bench, repo, "v1")
        bare = str(self._repo(tool, "bare"))
        # A bare clone, not a push: a push would start the tools' hooks, unmeasured.
        self.bench.runner.run((("git", "clone", "-q", "--bare", ".", bare),), repo)

    def _clone(self, tool: Tool) -> None:
        clone = ("git", "clone", "-q", "bare", "clone")
        self.bench.runner.run((clone,), self._repo(tool).parent)

    def _copy_entry(
        self, copier: Copier, command: Command, target: Path | None = None, wanted: str = ""
    ) -> Entry:
        check = partial(expect, target, wanted) if target is not None else lambda: None
        return Entry(f"floor: {copier.name}", (command,), self.area, after=check)


def run_transfer(bench: Bench) -> None:
    """Runs the case of many small files, all tools side by side."""
    options = bench.options
    area = bench.area("transfer")
    spec = TreeSpec(options.transfer_files, options.file_bytes, options.content)
    write_tree(area / "pristine" / "data", spec)
    tools = _with_remote(bench, "transfer")
    create = (sys.executable, FLOORS, "create", "created", str(spec.files), str(spec.size_bytes))
    with ServerProcess(latency_ms=options.latency_ms) as server:
        case = TransferCase(bench, "transfer", area, server, tools)
        case.add()
        case.push(bench.copiers)
        case.pull(bench.copiers, [Entry("floor: python", (create,), area)])
    bench.clear(area)


def run_big(bench: Bench) -> None:
    """Runs the case of one large file, tool after tool: side by side they would fill the disk."""
    options = bench.options
    area = bench.area("big")
    pristine = area / "pristine" / "data"
    write_big(pristine, size_bytes=options.big_mib << 20, content=options.content)
    _big_floors(bench, area)
    remote = _with_remote(bench, "big")
    arena_mib = options.big_mib + options.big_mib // 8 + 64
    with ServerProcess(latency_ms=options.latency_ms, arena_mib=arena_mib) as server:
        for tool in bench.tools:
            case = TransferCase(bench, "big", area, server, [tool])
            case.add()
            if tool in remote:
                case.push([])
                case.pull([], [])
            server.drop_bucket(tool.name)
            bench.clear(area / tool.name)
        for copier in bench.copiers:
            case = TransferCase(bench, "big", area, server, [])
            case.push([copier])
            case.pull([copier], [])
            server.drop_bucket(copier.name)
            bench.clear(area / copier.name)
    bench.clear(area)


def _with_remote(bench: Bench, case: str) -> list[Tool]:
    """Returns the tools that have an S3 remote, and says which have none."""
    for tool in bench.tools:
        if tool.remote is None:
            bench.skip(case, tool.name, "push and pull need a server of its own, not S3")
    return [tool for tool in bench.tools if tool.remote is not None]


def _big_floors(bench: Bench, area: Path) -> None:
    """Measures what `add` of a large file cannot do without: a digest and a copy."""
    cwd = area / "pristine"
    copy = area / "copy"
    remove = partial(copy.unlink, missing_ok=True)
    cp = ("cp", "--reflink=never", "data", str(copy))
    entries = [Entry("floor: cp", (cp,), cwd, before=remove)]
    if "openssl" in bench.programs:
        sha256 = ("openssl", "dgst", "-sha256", "data")
        entries.append(Entry("floor: openssl sha256", (sha256,), cwd))
        entries.append(Entry("floor: sha256 + cp", (sha256, cp), cwd, before=remove))
    if "xxh128sum" in bench.programs:
        entries.append(Entry("floor: xxh128sum", (("xxh128sum", "data"),), cwd))
    bench.step("big", "add", entries, repeats=bench.options.repeat)
    remove()
