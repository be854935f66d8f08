"""Replays real series as one table of many files: each next batch is a new file behind the others.

    python benchmarks/gates/union_replay.py --gatebench DIR --series DIR ... --out OUT.jsonl

The batches before are committed as a data set whose checks say only `union: true`; the next one, good or
spoilt in one of the benchmark's ways, is staged and judged by the command. One JSON line a case: what
was found, by evidence and severity.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CHECKS = "tables:\n  '*.csv': {union: true, rows: {min: 1}}\n"
GIT = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def called(folder: Path, *command: str) -> str:
    """Returns what a command prints, whatever its exit code."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **GIT}, capture_output=True, check=False
    )
    return done.stdout.decode()


def standing(folder: Path, past: list[Path]) -> None:
    """Makes a repository whose only commit has the past as one table."""
    called(folder, "git", "init", "-q", "-b", "main", ".")
    called(folder, "dvtool", "init", "--no-hooks")
    (folder / "data").mkdir()
    for one in past:
        shutil.copy(one, folder / "data" / one.name)
    (folder / "data.checks.yaml").write_text(CHECKS)
    called(folder, "dvtool", "add", "data")
    called(folder, "git", "add", "-A")
    called(folder, "git", "commit", "-qm", "past")


def judged(folder: Path, name: str, data: bytes) -> list[dict[str, Any]]:
    """Returns the findings that count once a file is staged behind the others."""
    (folder / "data" / name).write_bytes(data)
    called(folder, "dvtool", "add", "data")
    found = json.loads(called(folder, "dvtool", "check", "--staged", "--json", "data"))
    called(folder, "dvtool", "checkout", "--force", "--rev", "HEAD", "data")
    (table,) = found["judgements"][0]["tables"]
    return [one for one in table["findings"] if one["severity"] != "note"]


def main() -> None:
    """Writes one line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gatebench", type=Path, required=True)
    parser.add_argument("--series", type=Path, nargs="+", required=True)
    parser.add_argument("--clean-points", type=int, default=8)
    parser.add_argument("--faults", nargs="*", help="Names of faults; all without.")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    sys.path.insert(0, str(given.gatebench))
    from gatebench import run  # type: ignore[import-not-found]

    with given.out.open("w") as out:
        for series in given.series:
            before: list[str] = []
            folder = None
            for t, past, label, data, _ in run.cases(
                series,
                warmup=12,
                points=1,
                clean_points=given.clean_points,
                only=given.faults,
            ):
                if [str(one) for one in past] != before:
                    before = [str(one) for one in past]
                    if folder is not None:
                        folder.cleanup()
                    folder = tempfile.TemporaryDirectory()
                    standing(Path(folder.name), [Path(one) for one in past])
                name = f"{int(Path(before[-1]).stem) + 1:04}.csv"
                found = judged(Path(folder.name), name, data)
                used = resource.getrusage(resource.RUSAGE_CHILDREN)
                record = {
                    "series": series.name,
                    "t": t,
                    "case": label,
                    "verdicts": sorted({one["verdict"] for one in found}),
                    "evidence": sorted({one["evidence"] for one in found}),
                    "codes": sorted({f"{one['column']}.{one['code']}" for one in found}),
                    "cpu_s": round(used.ru_utime + used.ru_stime, 1),
                }
                out.write(json.dumps(record) + "\n")
                out.flush()
            print(series.name, flush=True)


if __name__ == "__main__":
    main()
