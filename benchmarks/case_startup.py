"""Case `startup`: what it costs to say hello, in a repository with one file.

Where data are few, the start of the program is all that a user waits for, and hooks pay it at
every commit. Repeated more often than the other cases, because these commands are short.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bench import Bench, Entry, settle
from case_files import commit_all
from tools import Commands, Tool

TIMES = 5  # as often as other steps


def run_startup(bench: Bench) -> None:
    """Runs the case."""
    area = bench.area("startup")
    bench.prepare("startup", bench.tools, lambda tool: _new_repo(bench, area / tool.name, tool))
    settle()
    tools = bench.alive("startup", bench.tools)
    repeats = bench.options.repeat * TIMES
    versions = [
        Entry(tool.name, (("git-lfs" if tool.name == "git-lfs" else tool.name, "--version"),), area)
        for tool in tools
    ]
    bare = Entry("floor: python", ((dvtool_python(bench), "-c", "pass"),), area)
    bench.step("startup", "version", [bare, *versions], repeats=repeats)
    status = [Entry(tool.name, tool.status, area / tool.name) for tool in tools]
    bench.step("startup", "status", status, repeats=repeats)
    bench.clear(area)


def dvtool_python(bench: Bench) -> str:
    """Returns the interpreter that dvtool runs under, so that only dvtool makes the difference."""
    program = bench.programs.get("dvtool")
    if program is not None:
        first = program.read_bytes().split(b"\n", 1)[0]
        if first.startswith(b"#!/") and b"python" in first and b" " not in first:
            return first[2:].decode()
    return sys.executable


def _new_repo(bench: Bench, repo: Path, tool: Tool) -> None:
    repo.mkdir()
    bench.runner.run(tool.init, repo)
    (repo / "data").mkdir()
    (repo / "data" / "one.txt").write_text("one\n")
    warm_up: Commands = (*tool.add, *tool.status)
    bench.runner.run(warm_up, repo)
    commit_all(bench, repo, "one file")
