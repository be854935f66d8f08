"""Cases `files` and `million`: the local verbs on a tree of many small files.

add, add again, status, a change of 1 %, checkout between versions that differ by it, and checkout
of everything into an empty tree, each beside the floors that do the same work without versioning.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import Bench, Entry, WrongResult, settle
from datasets import TreeSpec, change_share, digest, write_tree
from tools import Tool

ONE_IN = 100
FLOORS = str(Path(__file__).with_name("floors.py"))


def commit_all(bench: Bench, repo: Path, message: str) -> None:
    """Commits whatever the tool wants in git; unmeasured, it is git's work."""
    bench.runner.run((("git", "add", "-A"), ("git", "commit", "-qm", message)), repo)


def expect(path: Path, wanted: str) -> None:
    """Compares a tree or file with the digest it must have.

    Raises:
        WrongResult: It is missing or differs.
    """
    if not path.exists():
        raise WrongResult(f"{path.name} is missing")
    if (found := digest(path)) != wanted:
        raise WrongResult(f"{path.name} has digest {found}, expected {wanted}")


def run_files(bench: Bench) -> None:
    """Runs the case with as many files as the options say."""
    options = bench.options
    spec = TreeSpec(options.files, options.file_bytes, options.content)
    LocalCase(bench, "files", spec, list(bench.tools)).run(checkouts=True)


def run_million(bench: Bench) -> None:
    """Runs the local verbs, without checkouts, on far more and smaller files."""
    options = bench.options
    spec = TreeSpec(options.million_files, options.million_bytes, options.content)
    LocalCase(bench, "million", spec, list(bench.tools)).run(checkouts=False)


class LocalCase:
    """One tree, a repository of each tool with a copy of it, and the steps on them."""

    def __init__(self, bench: Bench, name: str, spec: TreeSpec, tools: list[Tool]) -> None:
        self.bench = bench
        self.name = name
        self.spec = spec
        self.tools = tools
        self.area = bench.area(name)
        self.pristine = self.area / "pristine"

    def run(self, *, checkouts: bool) -> None:
        """Runs all steps, and deletes everything at the end."""
        bench = self.bench
        write_tree(self.pristine / "data", self.spec)
        bench.prepare(self.name, self.tools, self._new_repo)
        settle()
        self._step("add", lambda tool: tool.add, floors=self._add_floors())
        bench.prepare(self.name, self.tools, lambda tool: commit_all(bench, self.repo(tool), "v0"))
        self._step("add-nothing", lambda tool: tool.add, repeats=bench.options.repeat)
        self._step(
            "status",
            lambda tool: tool.status,
            repeats=bench.options.repeat,
            floors=self._status_floors(),
        )
        for generation in range(1, bench.options.repeat + 1):
            self._change(generation)
        if checkouts:
            self._checkouts()
        bench.clear(self.area)

    def repo(self, tool: Tool) -> Path:
        """Returns the tool's repository."""
        return self.area / tool.name

    def _new_repo(self, tool: Tool) -> None:
        repo = self.repo(tool)
        repo.mkdir()
        self.bench.runner.run(tool.init, repo)
        self.bench.runner.run((("cp", "-r", str(self.pristine / "data"), "data"),), repo)

    def _step(
        self,
        step: str,
        commands: Callable[[Tool], tuple[tuple[str, ...], ...]],
        *,
        repeats: int = 1,
        floors: tuple[Entry, ...] = (),
    ) -> None:
        entries = [Entry(tool.name, commands(tool), self.repo(tool)) for tool in self.tools]
        self.bench.step(self.name, step, [*entries, *floors], repeats=repeats)

    def _add_floors(self) -> tuple[Entry, ...]:
        pack = self.area / "floor.pack"
        entries = [
            Entry(
                "floor: python",
                ((sys.executable, FLOORS, "store", "data", str(pack)),),
                self.pristine,
                before=partial(pack.unlink, missing_ok=True),
            )
        ]
        for program, call in (("xxh128sum", "xxh128sum"), ("openssl", "openssl dgst -sha256 -r")):
            if program in self.bench.programs:
                line = f"find data -type f -print0 | xargs -0 {call}"
                entries.append(Entry(f"floor: {program}", (("sh", "-c", line),), self.pristine))
        return tuple(entries)

    def _status_floors(self) -> tuple[Entry, ...]:
        return (
            Entry("floor: python", ((sys.executable, FLOORS, "stat", "data"),), self.pristine),
            Entry("floor: find", (("find", "data", "-printf", "%p %s %T@ %C@\\n"),), self.pristine),
        )

    def _change(self, generation: int) -> None:
        """Changes 1 % of the files, measures `add`, commits."""
        bench = self.bench
        bench.prepare(
            self.name,
            self.tools,
            lambda tool: change_share(
                self.repo(tool) / "data", self.spec, one_in=ONE_IN, generation=generation
            ),
        )
        settle()
        self._step("add-1pct", lambda tool: tool.add)
        bench.prepare(
            self.name,
            self.tools,
            lambda tool: commit_all(bench, self.repo(tool), f"v{generation}"),
        )

    def _checkouts(self) -> None:
        """Measures going back and forth between the last two versions, and from nothing."""
        bench = self.bench
        last = bench.options.repeat
        digests = self._expected_digests(last)
        tags = (("git", "tag", "older", "HEAD~1"), ("git", "tag", "newer", "HEAD"))
        bench.prepare(self.name, self.tools, lambda tool: bench.runner.run(tags, self.repo(tool)))
        for _ in range(bench.options.repeat):
            for tag in ("older", "newer"):
                entries = [self._checkout_entry(tool, tag, digests[tag]) for tool in self.tools]
                bench.step(self.name, "checkout-1pct", entries)
        entries = [self._restore_entry(tool, digests["newer"]) for tool in self.tools]
        bench.step(self.name, "checkout-all", [*entries, *self._copy_floors()])

    def _expected_digests(self, last: int) -> dict[str, str]:
        """Returns what the last two versions must look like, told by the data's own recipe."""
        digests = {}
        for generation in range(1, last + 1):
            if generation == last:
                digests["older"] = digest(self.pristine / "data")
            change_share(self.pristine / "data", self.spec, one_in=ONE_IN, generation=generation)
        digests["newer"] = digest(self.pristine / "data")
        return digests

    def _checkout_entry(self, tool: Tool, tag: str, wanted: str) -> Entry:
        commands = (("git", "checkout", "-q", tag), *tool.checkout)
        repo = self.repo(tool)
        return Entry(tool.name, commands, repo, after=lambda: expect(repo / "data", wanted))

    def _restore_entry(self, tool: Tool, wanted: str) -> Entry:
        repo = self.repo(tool)
        return Entry(
            tool.name,
            tool.restore,
            repo,
            before=lambda: self.bench.clear(repo / "data"),
            after=lambda: expect(repo / "data", wanted),
        )

    def _copy_floors(self) -> tuple[Entry, ...]:
        copy, created = self.area / "copy", self.area / "created"
        shape = (str(self.spec.files), str(self.spec.size_bytes))
        return (
            Entry("floor: cp -r", (("cp", "-r", "data", str(copy)),), self.pristine),
            Entry(
                "floor: python",
                ((sys.executable, FLOORS, "create", str(created), *shape),),
                self.pristine,
            ),
        )
