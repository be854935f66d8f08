"""What judging by history costs, from stored profiles alone: CPU seconds by versions and columns.

    python benchmarks/gates/cost.py [--versions 60] [--columns 200] [--rows 2000]

Tables are made up: a key, a day, then numbers, categories and codes in turn. Three figures: a past
remembered from its profiles, a version judged by a remembered past, and both.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dvtool.quality.history.judging import History
from dvtool.quality.history.keeping import recalled, remembered
from dvtool.quality.history.version import Version
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.encode import decode, encode
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table


def table(at: int, columns: int, rows: int) -> pa.Table:
    """Returns one made-up version."""
    rng = np.random.default_rng(at)
    made: dict[str, Any] = {
        "id": np.arange(at * rows, (at + 1) * rows),
        "day": np.full(rows, np.datetime64("2026-01-01") + at),
    }
    for number in range(columns - 2):
        if number % 3 == 0:
            made[f"n{number}"] = np.round(rng.normal(number, 3, rows), 2)
        elif number % 3 == 1:
            made[f"c{number}"] = rng.choice(["red", "green", "blue", "none"], rows).tolist()
        else:
            made[f"k{number}"] = rng.integers(0, 500, rows)
    return pa.table(made)


def stored(versions: int, columns: int, rows: int) -> list[bytes]:
    """Returns the profiles of all versions, as they are kept."""
    found = []
    with tempfile.TemporaryDirectory() as folder, Engine(threads=1) as engine:
        for at in range(versions):
            path = Path(folder) / f"{at}.parquet"
            pq.write_table(table(at, columns, rows), path)
            found.append(encode(profile_table(engine, open_table(engine, path, name=path.name))))
            path.unlink()
    return found


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Returns what `work` gives, and tells the CPU time that it took."""
    gc.collect()
    started = time.process_time()
    result = work()
    print(f"{what}: {time.process_time() - started:.2f} s CPU", flush=True)
    return result


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", type=int, default=60)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2000)
    given = parser.parse_args()
    kept = stored(given.versions + 1, given.columns, given.rows)
    print(f"{given.versions} versions of {given.columns} columns, {sum(map(len, kept)):,} bytes")
    profiles = timed("profiles read", lambda: [decode(one) for one in kept])
    versions = [Version(f"v{at}", one) for at, one in enumerate(profiles)]
    history = timed("past remembered", lambda: History(versions[:-1]))
    data = timed("past written", lambda: remembered(history))
    print(f"a remembered past takes {len(data):,} bytes")
    again = timed("past recalled", lambda: recalled(data))
    candidate = Version("next", profiles[-1])
    timed("version judged", lambda: again.judge(candidate))


if __name__ == "__main__":
    main()
