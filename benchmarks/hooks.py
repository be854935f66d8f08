"""What hooks cost at a commit: nothing, dvtool's, the pre-commit program's, DVC's.

    python benchmarks/hooks.py [--dvc PATH] [--pre-commit PATH] [--datasets 10000] [--out PATH]

Two repositories: one with a single data set, one with ten thousand. In each the same commits are
made over and over, with each set of hooks. README.md says how to read the results.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import machine
from measure import CommandFailed, Runner, Usage
from tools import GIT_CONFIG

PER_FOLDER = 100
EMPTY_CONFIG = """\
repos:
- repo: local
  hooks:
  - {id: nothing, name: nothing, language: system, entry: "true", pass_filenames: false,
     always_run: true}
"""
CHECK_CONFIG = EMPTY_CONFIG.replace("id: nothing, name: nothing", "id: check, name: check").replace(
    'entry: "true"', "entry: dvtool hook check"
)


@dataclass(frozen=True)
class Programs:
    """Where the programs are; None for one that does not take part."""

    dvtool: Path
    dvc: Path | None
    pre_commit: Path | None


@dataclass(frozen=True)
class Kind:
    """A set of hooks: how it is installed, and what versions the data."""

    name: str
    install: Callable[[Path], None]
    dvc: bool = False


def main() -> None:
    options = parse()
    scratch = Path(tempfile.mkdtemp(prefix="dvtool-hooks-", dir=options.scratch))
    try:
        rows = list(measure_all(options, scratch))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    text = page(rows, machine.describe(Path(tempfile.gettempdir())), options)
    print(text)
    if options.out:
        Path(f"{options.out}.json").write_text(json.dumps([vars(row) for row in rows], indent=1))
        Path(f"{options.out}.md").write_text(text)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What hooks cost at a commit")
    add = parser.add_argument
    add("--dvtool", type=Path, default=found("dvtool"))
    add("--dvc", type=Path, default=found("dvc"), help="skipped when there is none")
    add("--pre-commit", type=Path, default=found("pre-commit"), help="likewise")
    add("--datasets", type=int, default=10_000)
    add("--repeat", type=int, default=5)
    add("--scratch", help="where to work; choose the file system that you want to know about")
    add("--out", help="PATH.json and PATH.md are written")
    return parser.parse_args()


def found(name: str) -> Path | None:
    beside = Path(sys.executable).with_name(name)
    where = str(beside) if beside.exists() else shutil.which(name)
    return Path(where) if where else None


@dataclass
class Row:
    """One measured commit: the least CPU seconds, and the median of wall seconds."""

    datasets: int
    hooks: str
    commit: str
    cpu_s: float
    wall_s: float
    why: str = ""


def measure_all(options: argparse.Namespace, scratch: Path) -> Iterator[Row]:
    dvc, pre_commit = (
        one if one and one.exists() else None for one in (options.dvc, options.pre_commit)
    )
    programs = Programs(options.dvtool, dvc, pre_commit)
    runner = Runner(environment(programs, scratch), scratch, timeout_s=1800)
    for datasets in (1, options.datasets):
        for kind in kinds(programs, runner):
            repo = scratch / f"{datasets}-{kind.name.replace(' ', '-')}"
            try:
                prepare(runner, repo, datasets, dvc=kind.dvc)
                kind.install(repo)
                yield from commits(runner, repo, kind, datasets, options.repeat)
            except CommandFailed as error:
                yield Row(datasets, kind.name, "all", 0, 0, str(error).splitlines()[0])
            shutil.rmtree(repo, ignore_errors=True)


def environment(programs: Programs, scratch: Path) -> dict[str, str]:
    home = scratch / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(GIT_CONFIG)
    folders = [one.parent for one in (programs.dvtool, programs.dvc, programs.pre_commit) if one]
    return {
        "HOME": str(home),
        "PATH": ":".join([*map(str, dict.fromkeys(folders)), "/usr/bin", "/bin"]),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(scratch / "dvc-site"),
    }


def kinds(programs: Programs, runner: Runner) -> Iterator[Kind]:
    def nothing(repo: Path) -> None:
        shutil.rmtree(repo / ".git/hooks", ignore_errors=True)

    def empty(repo: Path) -> None:
        hook = repo / ".git/hooks/pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 0\n")
        hook.chmod(0o755)

    def ours(repo: Path) -> None:
        runner.run([("dvtool", "install")], repo)

    def dvc(repo: Path) -> None:
        runner.run([("dvc", "install")], repo)

    def pre_commit(config: str) -> Callable[[Path], None]:
        def install(repo: Path) -> None:
            (repo / ".pre-commit-config.yaml").write_text(config)
            runner.run([("git", "add", "."), ("pre-commit", "install")], repo)

        return install

    yield Kind("none", nothing)
    yield Kind("an empty script", empty)
    yield Kind("dvtool", ours)
    if programs.pre_commit:
        yield Kind("pre-commit, nothing to do", pre_commit(EMPTY_CONFIG))
        yield Kind("pre-commit, dvtool-check", pre_commit(CHECK_CONFIG))
    if programs.dvc:
        yield Kind("dvc", dvc, dvc=True)


# -- repositories --------------------------------------------------------------------------------


def prepare(runner: Runner, repo: Path, datasets: int, *, dvc: bool) -> None:
    """Makes a repository with data sets of one small table each, committed and all clean."""
    repo.mkdir()
    (repo / "notes.md").write_text("0\n")
    init = [("dvc", "init", "-q")] if dvc else [("dvtool", "init", "-q", "--no-hooks")]
    runner.run([("git", "init", "-q"), *init], repo)
    names = [f"d{n // PER_FOLDER:03}/t{n % PER_FOLDER:02}.csv" for n in range(datasets)]
    store(runner, repo, names, dvc=dvc)
    runner.run([("git", "add", "-A"), ("git", "commit", "-q", "-m", "data")], repo)
    # Both programs look at everything once, as they would have long before.
    runner.run([("dvc", "status", "-q") if dvc else ("dvtool", "status", "-q")], repo)


def store(runner: Runner, repo: Path, names: list[str], *, dvc: bool) -> None:
    """Puts the bytes into the tool's store as one folder, then writes a sidecar for each file.

    Adding ten thousand data sets one by one would take longer than all that is measured.
    """
    for folder in {name.partition("/")[0] for name in names}:
        (repo / folder).mkdir()
    (repo / "all").mkdir()
    for number, name in enumerate(names):
        (repo / "all" / name.replace("/", "-")).write_text(table(number))
    runner.run([("dvc" if dvc else "dvtool", "add", "-q", "all")], repo)
    for number, name in enumerate(names):
        data = table(number).encode()
        (repo / name).write_bytes(data)
        (repo / f"{name}.{'dvc' if dvc else 'dvt'}").write_text(sidecar(name, data, dvc=dvc))
    for folder in {name.partition("/")[0] for name in names}:
        (repo / folder / ".gitignore").write_text("*.csv\n")
    shutil.rmtree(repo / "all")
    for extra in ("all.dvt", "all.dvc", ".gitignore"):
        (repo / extra).unlink(missing_ok=True)
    runner.run([("git", "add", "-A")], repo)


def table(number: int) -> str:
    return f"id,value\n1,{number}\n2,{number + 7}\n3,{number * 3}\n"


def sidecar(name: str, data: bytes, *, dvc: bool) -> str:
    if dvc:
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        leaf = name.rpartition("/")[2]
        return f"outs:\n- md5: {md5}\n  size: {len(data)}\n  hash: md5\n  path: {leaf}\n"
    digest = hashlib.sha256(data).hexdigest()
    return f"dvt: 1\nkind: file\ndigest: sha256:{digest}\nsize: {len(data)}\nmode: f\n"


# -- commits -------------------------------------------------------------------------------------


def commits(runner: Runner, repo: Path, kind: Kind, datasets: int, repeat: int) -> Iterator[Row]:
    add = "dvc" if kind.dvc else "dvtool"

    def code(number: int) -> None:
        (repo / "notes.md").write_text(f"{number}\n")
        runner.run([("git", "add", "notes.md")], repo)

    def data(number: int) -> None:
        (repo / "d000/t00.csv").write_text(table(-1 - number))
        runner.run([(add, "add", "-q", "d000/t00.csv"), ("git", "add", "-A")], repo)

    code(-1)  # the first look of a new hook at everything is not a usual commit
    runner.run([("git", "commit", "-q", "-m", "warm")], repo)
    for what, change in (("code", code), ("one data set", data)):
        found: list[Usage] = []
        for number in range(repeat):
            change(number)
            found.append(runner.measure([("git", "commit", "-q", "-m", what)], repo))
            if what == "one data set":
                # As people do: other commits come between two versions of a data set.
                code(100 + number)
                runner.run([("git", "commit", "-q", "-m", "between")], repo)
        yield Row(
            datasets,
            kind.name,
            what,
            min(one.cpu_s for one in found),
            statistics.median(one.wall_s for one in found),
        )


# -- the page ------------------------------------------------------------------------------------


def page(rows: list[Row], facts: dict[str, str], options: argparse.Namespace) -> str:
    plain = {(row.datasets, row.commit): row for row in rows if row.hooks == "none"}
    lines = [
        f"# What hooks cost at a commit, {datetime.now(UTC):%Y-%m-%d}",
        "",
        *(f"- {name}: {value}" for name, value in facts.items()),
        f"- repetitions: {options.repeat}; CPU is the least of them, wall the median",
        "",
        "| data sets | hooks | commit of | CPU s | times git alone | wall s |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row.why:
            lines.append(f"| {row.datasets:,} | {row.hooks} | failed: {row.why} | | | |")
            continue
        base = plain[row.datasets, row.commit].cpu_s
        lines.append(
            f"| {row.datasets:,} | {row.hooks} | {row.commit} | {row.cpu_s:.3f}"
            f" | {row.cpu_s / base:.1f} | {row.wall_s:.3f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
