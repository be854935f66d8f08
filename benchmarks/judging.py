"""Compares judging: `dvtool check` and profiles beside pandera, Great Expectations, Evidently and more.

    python benchmarks/judging.py --setup
    python benchmarks/judging.py [--rows 1000000] [--formats csv,parquet] [--tools dvtool,pandera]

Here is the command line and the order of things; README.md says how to read the results. It must
run under the Python that dvtool is installed in; every step is a process of its own.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import judging_report
import machine
import tools
from judging_questions import checks_text
from judging_rejudge import measure_again
from judging_report import Run
from judging_steps import QUIET, STEPS, Step, install, python_of, versions
from measure import Command, CommandFailed, Runner

HERE = Path(__file__).parent
ALL_TOOLS = tuple(dict.fromkeys(step.tool for step in STEPS))
BYTES_A_ROW = {"csv": 210, "parquet": 85}


def parse(argv: list[str]) -> argparse.Namespace:
    """Returns the command line's options; ends the program on mistakes."""
    parser = argparse.ArgumentParser(
        description="Compare judging with others",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--rows", default="1000000,10000000", help="sizes of the table")
    add("--formats", default="parquet,csv", help="of parquet and csv")
    add("--steps", default="profile,check,both,drift,again", help="what is done")
    add("--tools", default=",".join(ALL_TOOLS), help="who takes part; floors by their whole name")
    add("--repeat", type=int, default=2, help="repetitions; the least CPU counts")
    add("--timeout-s", type=float, default=900.0, help="longest time of one command")
    add("--scratch", type=Path, help="where to work (default: the temporary directory)")
    add("--envs", type=Path, help="folder of environments qenv-NAME, instead of benchmarks/.env")
    add("--out", type=Path, help="where results go, without extension (default: results/judging-…)")
    add("--into", action="store_true", help="add to the results in --out instead of replacing them")
    add("--setup", action="store_true", help="first install the compared tools in benchmarks/.env")
    options = parser.parse_args(argv)
    options.rows = [int(rows) for rows in options.rows.split(",")]
    for name in ("formats", "steps", "tools"):
        setattr(options, name, getattr(options, name).split(","))
    if unknown := set(options.tools) - set(ALL_TOOLS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(ALL_TOOLS)}")
    return options


def command_of(step: Step, python: Path, table: Path, before: Path) -> Command:
    """Returns the command line of a step."""
    baseline = [str(before)] * step.two
    if step.task:
        return (str(python), str(HERE / "judging_tasks.py"), step.task, str(table), *baseline)
    checks = table if not step.two else table.with_name(f"bare.{table.name}")
    return (
        str(python),
        "-m",
        "dvtool",
        "check",
        str(checks),
        *(["--baseline", *baseline] * step.two),
    )


def make_tables(
    runner: Runner, scratch: Path, rows: int, form: str, *, two: bool
) -> tuple[Path, Path]:
    """Writes a table with checks beside it, and an earlier version if wanted; returns where."""
    table, before = (scratch / f"{name}.{form}" for name in ("table", "before"))
    for seed, path in enumerate((table, before)[: 1 + two]):
        make = str(HERE / "judging_table.py")
        runner.run([(sys.executable, make, str(rows), str(seed), str(path))], scratch)
    table.with_name(f"{table.name}.checks.yaml").write_text(checks_text())
    bare = table.with_name(f"bare.{table.name}")  # without checks: drift alone
    bare.unlink(missing_ok=True)
    bare.hardlink_to(table)
    return table, before


def measure_case(run: Run, runner: Runner, asked: argparse.Namespace, rows: int, form: str) -> None:
    """Measures all steps on one table, tools taking turns."""
    with tempfile.TemporaryDirectory(prefix="judging-", dir=asked.scratch) as folder:
        need = rows * (BYTES_A_ROW[form] * 2 + 400)  # two tables, and what is spilled
        if shutil.disk_usage(folder).free < need + (1 << 30):
            run.skip(rows, form, "all", "all", f"needs {need / 2**30:.0f} GiB of disk")
            return
        table, before = make_tables(runner, Path(folder), rows, form, two="drift" in asked.steps)
        run.sizes[f"{rows} {form}"] = table.stat().st_size
        out: set[Step] = set()
        for _ in range(asked.repeat):
            for step in STEPS:
                if step.name not in asked.steps or step.tool not in asked.tools or step in out:
                    continue
                python = python_of(step.env, Path(sys.executable), asked.envs)
                if python is None or rows > step.most_rows:
                    run.skip(rows, form, step.name, step.tool, step.why or "not installed")
                    out.add(step)
                    continue
                try:
                    command = command_of(step, python, table, before)
                    run.add(
                        rows, form, step.name, step.tool, runner.measure([command], Path(folder))
                    )
                except CommandFailed as error:
                    run.skip(rows, form, step.name, step.tool, str(error))
                    out.add(step)


def interrupt(signum: int, frame: FrameType | None) -> None:
    """Turns a signal into an exception, so that results are kept and everything is cleaned up."""
    raise KeyboardInterrupt


def main(argv: list[str]) -> None:
    """Measures everything asked for and writes the results after each table."""
    asked = parse(argv)
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)  # a shell lets its background jobs ignore it
    started = datetime.now(UTC)
    out = asked.out or HERE / "results" / f"judging-{started:%Y-%m-%d}"
    run = Run.read(out.with_suffix(".json")) if asked.into else Run()
    if asked.setup:
        for env, reason in install().items():
            print(f"{env}: not installed: {reason}", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="dvtool-judging-", dir=asked.scratch) as folder:
        scratch = Path(folder)
        env = tools.environment(scratch) | QUIET
        runner = Runner(env, scratch, timeout_s=asked.timeout_s)
        run.date = run.date or started.isoformat(timespec="seconds")
        run.machine = run.machine or machine.describe(scratch)
        for name in dict.fromkeys(step.env for step in STEPS):
            python = python_of(name, Path(sys.executable), asked.envs)
            run.programs[name] = versions(name, python) if python else "not installed"
        if "again" in asked.steps:
            measure_again(run, runner, scratch, max(asked.repeat, 2))
            run.write(out)
        if set(asked.steps) != {"again"}:
            for rows in asked.rows:
                for form in asked.formats:
                    try:
                        measure_case(run, runner, asked, rows, form)
                    finally:
                        run.write(out)  # what is measured is kept, also after Ctrl-C
    print(judging_report.as_markdown(run))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
