"""What comparing the rows of two tables costs: dvtool, DuckDB's EXCEPT, datacompy.

    python benchmarks/datadiff.py [--rows 1000000] [--tools dvtool,except,datacompy] [--out PATH]
                                  [--datacompy PYTHON]

Two CSV files of ten columns; in the second 1 % of the rows have another value, 1 % are gone and 1 %
are new, and the rows stand in another order. Each tool runs in a process of its own.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXCEPT = """
import duckdb, sys
c = duckdb.connect(config={"memory_limit": "1GB", "threads": "2"})
a, b = (f"read_csv('{p}')" for p in sys.argv[1:3])
print([c.sql(f"SELECT count(*) FROM (SELECT * FROM {x} EXCEPT ALL SELECT * FROM {y})").fetchall() for x, y in ((a, b), (b, a))])
"""
DATACOMPY = """
import pandas as pd, datacompy, sys
a, b = (pd.read_csv(p) for p in sys.argv[1:3])
found = datacompy.PandasCompare(a, b, join_columns="id") if hasattr(datacompy, "PandasCompare") \\
    else datacompy.Compare(a, b, join_columns="id")
print(len(found.df1_unq_rows), len(found.df2_unq_rows), found.intersect_rows.shape)
"""


def make(folder: Path, rows: int) -> tuple[Path, Path]:
    """Writes the two files by DuckDB, the same for the same number of rows."""
    import duckdb

    c = duckdb.connect()
    columns = ", ".join(f"hash(i * {n}) % 100000 AS n{n}" for n in range(2, 8))
    base = (
        f"SELECT i AS id, hash(i) % 1000 / 8.0 AS price, 'city ' || hash(i * 11) % 500 AS city,"
        f" {columns} FROM range({{}}, {{}}) t(i)"
    )
    old, new = folder / "old.csv", folder / "new.csv"
    c.execute(f"COPY ({base.format(0, rows)}) TO '{old}' (HEADER)")
    changed = (
        f"SELECT * REPLACE (CASE WHEN hash(id * 5) % 100 = 0 THEN price + 1 ELSE price END AS price)"
        f" FROM ({base.format(0, rows + rows // 100)}) WHERE hash(id * 7) % 100 <> 0 ORDER BY hash(id)"
    )
    c.execute(f"COPY ({changed}) TO '{new}' (HEADER)")
    return old, new


def commands(old: Path, new: Path, datacompy: str) -> dict[str, list[str]]:
    dvtool = os.fspath(Path(sys.executable).with_name("dvtool"))
    files = [os.fspath(old), os.fspath(new)]
    return {
        "dvtool": [dvtool, "diff", "--no-index", "--key", "id", "--rows", "5", *files],
        "dvtool, key found": [dvtool, "diff", "--no-index", "--rows", "5", *files],
        "except": [sys.executable, "-c", EXCEPT, *files],
        "datacompy": [datacompy, "-c", DATACOMPY, *files],
    }


def measured(command: list[str]) -> tuple[float, float, float, int]:
    """Returns CPU seconds, wall seconds, peak MiB and exit code of a command."""
    started = time.monotonic()
    done = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(done.pid, 0)
    wall = time.monotonic() - started
    return (
        used.ru_utime + used.ru_stime,
        wall,
        used.ru_maxrss / 1024,
        os.waitstatus_to_exitcode(status),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--tools", default="dvtool,except,datacompy")
    parser.add_argument("--out", type=Path)
    parser.add_argument(
        "--datacompy", default=sys.executable, help="Python of an environment that has it."
    )
    given = parser.parse_args()
    out = ["| tool | rows | CPU s | wall s | peak MiB | exit |", "|---|--:|--:|--:|--:|--:|"]
    with tempfile.TemporaryDirectory() as scratch:
        old, new = make(Path(scratch), given.rows)
        for name, command in commands(old, new, given.datacompy).items():
            if name.split(",")[0] in given.tools.split(","):
                cpu, wall, peak, code = measured(command)
                out.append(
                    f"| {name} | {given.rows:,} | {cpu:.1f} | {wall:.1f} | {peak:.0f} | {code} |"
                )
                print(out[-1], flush=True)
    if given.out is not None:
        given.out.write_text("\n".join(out) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
