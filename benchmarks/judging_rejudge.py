"""Measures judging unchanged data again in a repository, and looks at what is loaded for it.

The verdict is remembered under the digests of all inputs, so no data should be read and no heavy
library loaded. Called by `judging.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from judging_questions import checks_text
from judging_report import Run
from measure import CommandFailed, Runner

ROWS = 100_000
REPEATS = 10
VERSIONS = 3
HEAVY = ("pandas", "duckdb", "pyarrow", "numpy", "pandera", "scipy")
FORM = "parquet"


def measure_again(run: Run, runner: Runner, scratch: Path, repeats: int) -> None:
    """Judges a committed table once, then again and again; notes which heavy modules were loaded."""
    top = scratch / "again"
    top.mkdir()
    dvtool = (str(Path(sys.executable).with_name("dvtool")),)
    make = str(Path(__file__).with_name("judging_table.py"))
    check = (*dvtool, "check", "--all")
    try:
        runner.run([("git", "init", "-q"), (*dvtool, "init")], top)
        (top / "data.parquet.checks.yaml").write_text(checks_text())
        for seed in range(VERSIONS):
            table = (sys.executable, make, str(ROWS), str(seed), str(top / "data.parquet"))
            runner.run([table, (*dvtool, "add", "data.parquet"), ("git", "add", "-A")], top)
            runner.run([("git", "commit", "-q", "--no-verify", "-m", str(seed))], top)
        run.add(ROWS, FORM, "again", "dvtool: first time", runner.measure([check], top))
        text = runner.text((sys.executable, "-X", "importtime", *check), top)
        loaded = {line.rpartition("|")[2].strip() for line in text.splitlines() if "|" in line}
        run.notes["heavy modules loaded when nothing changed"] = (
            ", ".join(name for name in HEAVY if name in loaded) or "none"
        )
        for _ in range(repeats * REPEATS):
            bare = (sys.executable, "-c", "pass")
            run.add(ROWS, FORM, "again", "floor: python -c pass", runner.measure([bare], top))
            usage = runner.measure([(*dvtool, "--version")], top)
            run.add(ROWS, FORM, "again", "dvtool --version", usage)
            run.add(ROWS, FORM, "again", "dvtool", runner.measure([check], top))
        least = [
            run.least(ROWS, FORM, "again", tool) for tool in ("dvtool", "floor: python -c pass")
        ]
        if least[0] and least[1]:
            ratio = least[0].cpu_s / least[1].cpu_s
            run.notes["unchanged data judged again, in starts of bare Python"] = f"{ratio:.1f}"
    except CommandFailed as error:
        run.skip(ROWS, FORM, "again", "dvtool", str(error))
