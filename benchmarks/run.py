"""Compares dvtool with DVC, git-lfs, plain git and with floors; the one command of this directory.

    python benchmarks/run.py [--only files,transfer,big,startup] [--files N] [--tools dvtool,dvc]

Here is only the command line and the order of things; README.md says how to read the results.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import aims
import machine
import report
import tools
from bench import Bench, Options, Results
from case_files import run_files, run_million
from case_gc import run_gc
from case_startup import run_startup
from case_transfer import run_big, run_transfer
from datasets import CONTENTS, TreeSpec
from measure import Runner

CASES: dict[str, Callable[[Bench], None]] = {
    "startup": run_startup,
    "files": run_files,
    "transfer": run_transfer,
    "big": run_big,
    "million": run_million,
    "gc": run_gc,
}
NAMES = tuple(tool.name for tool in tools.TOOLS) + tuple(tool.name for tool in tools.COPIERS)
SPARE_BYTES = 1 << 30


def parse(argv: list[str]) -> argparse.Namespace:
    """Returns the command line's options; ends the program on mistakes."""
    formatter = argparse.ArgumentDefaultsHelpFormatter
    parser = argparse.ArgumentParser(
        description="Compare dvtool with others", formatter_class=formatter
    )
    add = parser.add_argument
    add("--only", default="startup,files,transfer,big", help=f"cases, of {', '.join(CASES)}")
    add("--tools", default=",".join(NAMES), help="tools that take part")
    add("--files", type=int, default=100_000, help="files of the case `files`")
    add("--file-bytes", type=int, default=10 * 1024, help="size of each of them")
    add(
        "--transfer-files",
        type=int,
        help="files of the case `transfer` (default: a tenth of --files)",
    )
    add("--big-mib", type=int, default=2048, help="size of the large file")
    add("--million", action="store_true", help="run the case `million`, too")
    add("--million-files", type=int, default=1_000_000, help="files of that case")
    add("--million-bytes", type=int, default=128, help="size of each of them")
    add("--gc-records", type=int, default=1_000_000, help="records at the remote of the case `gc`")
    add("--content", choices=CONTENTS, default="random", help="what the files hold")
    add("--repeat", type=int, default=3, help="repetitions of the steps that can be repeated")
    add("--rounds", type=int, default=1, help="repetitions of whole cases, with new data sets")
    add("--latency-ms", type=float, default=0.0, help="let the S3 server wait before each answer")
    add("--timeout-s", type=float, default=3600.0, help="longest time of one command")
    add("--scratch", type=Path, help="where to work (default: the temporary directory)")
    add("--out", type=Path, help="where results go, without extension (default: results/DATE)")
    add("--dvtool", type=Path, help="the dvtool program, when it is not on PATH")
    add("--dvc", type=Path, help="the dvc program, when it is not on PATH")
    add(
        "--setup", action="store_true", help="first install dvc, s5cmd, rclone into benchmarks/.env"
    )
    options = parser.parse_args(argv)
    options.cases = options.only.split(",") + ["million"] * options.million
    options.names = options.tools.split(",")
    for given, known in ((options.cases, CASES), (options.names, NAMES)):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
    if min(options.files, options.repeat, options.rounds, options.big_mib) < 1:
        parser.error("counts and sizes must be at least 1")
    if options.transfer_files is None:
        options.transfer_files = max(options.files // 10, 1)
    return options


def needed_bytes(case: str, options: Options, tool_count: int) -> int:
    """Returns an upper estimate of the disk that a case occupies at its peak."""
    big = options.big_mib << 20
    trees = {
        "files": TreeSpec(options.files, options.file_bytes, options.content).disk_bytes,
        "transfer": TreeSpec(
            options.transfer_files, options.file_bytes, options.content
        ).disk_bytes,
        "million": TreeSpec(
            options.million_files, options.million_bytes, options.content
        ).disk_bytes,
    }
    if case == "big":  # one tool at a time: work tree and store, in the repository and its clone
        return 6 * big
    if case == "transfer":
        return trees[case] * (4 * tool_count + 4)
    return trees.get(case, 0) * (2 * tool_count + 4)


def check_room(cases: list[str], options: Options, scratch: Path, tool_count: int) -> None:
    """Ends the program when disk or memory would not do."""
    need = max(needed_bytes(case, options, tool_count) for case in cases) + SPARE_BYTES
    free = shutil.disk_usage(scratch).free
    if need > free:
        sys.exit(
            f"error: {scratch} has {free / 2**30:.1f} GiB free, this run may need {need / 2**30:.1f}\n"
            "hint: fewer --files, a smaller --big-mib, fewer --tools, or another --scratch"
        )
    if "big" in cases and options.big_mib << 20 > machine.free_memory_bytes() * 0.6:
        sys.exit("error: the S3 server would not fit into memory\nhint: a smaller --big-mib")


def interrupt(signum: int, frame: FrameType | None) -> None:
    """Turns a termination signal into an exception, so that everything is cleaned up."""
    raise KeyboardInterrupt


def write(out: Path, head: report.Head, results: Results) -> None:
    """Writes what is known so far as OUT.json and OUT.md."""
    judged = aims.judge(results)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".json").write_text(report.as_json(head, results, judged))
    out.with_suffix(".md").write_text(report.as_markdown(head, results, judged))


def main(argv: list[str]) -> None:
    """Runs the cases and writes the results."""
    asked = parse(argv)
    signal.signal(signal.SIGTERM, interrupt)
    if asked.setup:
        tools.install_programs()
    started = datetime.now(UTC)
    options = Options(
        files=asked.files,
        file_bytes=asked.file_bytes,
        transfer_files=asked.transfer_files,
        big_mib=asked.big_mib,
        million_files=asked.million_files,
        million_bytes=asked.million_bytes,
        gc_records=asked.gc_records,
        repeat=asked.repeat,
        latency_ms=asked.latency_ms,
        content=CONTENTS[asked.content],
    )
    programs = tools.find_programs({"dvtool": asked.dvtool, "dvc": asked.dvc})
    out = asked.out or Path(__file__).with_name("results") / started.strftime("%Y-%m-%d-%H%M%S")
    with tempfile.TemporaryDirectory(prefix="dvtool-bench-", dir=asked.scratch) as name:
        scratch = Path(name)
        tools.link_programs(programs, scratch / "bin")
        runner = Runner(tools.environment(scratch), scratch, timeout_s=asked.timeout_s)
        usable = [name for name in asked.names if name in programs]
        bench = Bench(
            runner=runner,
            options=options,
            scratch=scratch,
            tools=[tool for tool in tools.TOOLS if tool.name in usable],
            copiers=[copier for copier in tools.COPIERS if copier.name in usable],
            programs=programs,
        )
        check_room(asked.cases, options, scratch, len(bench.tools))
        for missing in (name for name in asked.names if name not in programs):
            bench.skip("all", missing, "not installed; `--setup` installs dvc, s5cmd and rclone")
        head = report.Head(
            date=started.isoformat(timespec="seconds"),
            command=report.shown_command("run.py", argv),
            machine=machine.describe(scratch),
            programs=machine.versions(runner, programs, scratch),
        )
        for _ in range(asked.rounds):
            for case in dict.fromkeys(asked.cases):
                CASES[case](bench)
                write(out, head, bench.results)  # what is measured is kept if a later case breaks
    print(out.with_suffix(".md").read_text())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
