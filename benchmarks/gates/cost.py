"""What judging by history costs, from stored profiles alone: CPU seconds by versions and columns.

    python benchmarks/gates/cost.py [--versions 60] [--columns 200] [--rows 2000]

Tables are made up: a key, a day, then numbers, categories and codes in turn. Told are the first judgement
of a clone that knows nothing but profiles, the one after one new version, and any other. A loop of plain
additions beside each figure shows how busy the machine was meanwhile.
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
from dvtool.quality.history.keeping import kept_portrait, known_portrait, recalled, remembered
from dvtool.quality.history.portrait import Portrait
from dvtool.quality.history.version import Remembered, Version
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.encode import decode, encode
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.store.profiles import packed, unpacked


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


def additions() -> float:
    """Returns the CPU time of a million additions."""
    started = time.process_time()
    sum(number for number in range(1_000_000))
    return time.process_time() - started


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Returns what `work` gives, and tells the CPU time that it took."""
    gc.collect()
    before = additions()
    started = time.process_time()
    result = work()
    took = time.process_time() - started
    pace = 500 * (before + additions())
    print(f"{what:44} {took:7.2f} s CPU, at {pace:3.0f} ms a million additions", flush=True)
    return result


def portrait_bytes(profile: bytes) -> bytes:
    """Returns what a clone keeps of one version."""
    return packed(kept_portrait(Version("", decode(profile)).portrait))


def read(portrait: bytes) -> Portrait:
    """Returns what a clone has kept of one version."""
    known = known_portrait(unpacked(portrait), "")
    assert known is not None
    return known


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", type=int, default=60)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--rows", type=int, default=2000)
    given = parser.parse_args()
    kept = stored(given.versions + 1, given.columns, given.rows)
    print(f"{given.versions} versions of {given.columns} columns, {sum(map(len, kept)):,} bytes")
    *past, latest = kept
    print("once in the life of a clone")
    portraits = timed("profiles read, portraits made", lambda: [*map(portrait_bytes, past)])
    print(f"portraits take {sum(map(len, portraits)):,} bytes")
    print("after one new version")
    known = timed("portraits read", lambda: [Remembered(read(one)) for one in portraits])
    history = timed("past measured", lambda: History(known))
    data = timed("past written", lambda: remembered(history))
    print(f"a remembered past takes {len(data):,} bytes")
    print("every judgement")
    again = timed("past read", lambda: recalled(data))
    candidate = timed("profile read", lambda: Version("next", decode(latest)))
    timed("version judged", lambda: again.judge(candidate))
    timed("its portrait kept", lambda: packed(kept_portrait(candidate.portrait)))


if __name__ == "__main__":
    main()
