"""Replays real series and incidents through the history gate; one JSON line a case.

    python benchmarks/gates/replay.py --gatebench DIR --series DIR ... [--incidents DIR] --out OUT.jsonl
    python benchmarks/gates/replay.py --gatebench DIR --series DIR ... --windows 5 8 15 30 --out OUT.jsonl

With `--windows`, the same good and spoilt versions are judged by the last N versions before them, for
each N: the spoilt ones at the end of each series, the good ones spread over what has 30 versions
before it. `--profiles FOLDER` keeps profiles between runs; they follow from the bytes alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from history import HistoryGate

LONGEST = 30


class KeepingGate(HistoryGate):
    """A gate whose profiles outlive the process."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self._folder = folder

    def _profile(self, path: Path) -> Any:
        if self._folder is None:
            return super()._profile(path)
        kept = self._folder / hashlib.sha256(path.read_bytes()).hexdigest()
        if kept.name not in self._known and kept.exists():
            self._known[kept.name] = pickle.loads(kept.read_bytes())  # our own, of a run before
        found = super()._profile(path)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(found))
        return found


def judged(gate: HistoryGate, cases: Iterable[Any], name: str) -> Iterator[dict[str, Any]]:
    """Returns one record a case, as the benchmark's reports want it."""
    fitted: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder) / "candidate.csv"
        for t, past, label, data, target in cases:
            before = [str(one) for one in past]
            if before != fitted:
                gate.fit(before)
                fitted = before
            candidate.write_bytes(data)
            started = time.process_time()
            answer = gate.check(str(candidate))
            yield {
                "gate": "history",
                "series": name,
                "t": t,
                "case": label,
                "reject": answer["reject"],
                "score": answer["score"],
                "columns": list(answer["columns"])[:8],
                "target": list(target)[:8],
                "error": False,
                "s": round(time.process_time() - started, 4),
                "h": len(before),
            }


def windowed(series: Path, run: Any, window: int, clean: int) -> Iterator[Any]:
    """Returns the cases of a series of more than 30 versions, with the last `window` as the past."""
    meta, files, _ = run.load_series(series)
    end = meta.get("drift_from") or len(files)
    if end <= LONGEST + 2:
        return
    yield from (
        one
        for one in run.cases(series, warmup=LONGEST, window=window, points=0, clean_points=clean)
        if one[2] == "clean"
    )
    spoilt = run.cases(series, warmup=end - 1, window=window, points=1, clean_points=0)
    yield from (one for one in spoilt if ":" in one[2])


def incidents(gate: HistoryGate, root: Path) -> Iterator[dict[str, Any]]:
    """Returns two records an incident: the bad version and its repair."""
    for folder in sorted(one.parent for one in root.glob("*/incident.json")):
        meta = json.loads((folder / "incident.json").read_text())
        gate.fit([str(one) for one in sorted((folder / "history").glob("*.csv"))])
        for which in ("bad", "fixed"):
            answer = gate.check(str(folder / f"{which}.csv"))
            columns = list(answer["columns"])[:8]
            record = {"gate": "history", "series": meta["id"], "kind": meta["kind"]}
            yield {**record, "case": which, **answer, "columns": columns, "error": False}


def main() -> None:
    """Writes one line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gatebench", type=Path, required=True)
    parser.add_argument("--series", type=Path, nargs="*", default=[])
    parser.add_argument("--incidents", type=Path)
    parser.add_argument("--windows", type=int, nargs="*", default=[])
    parser.add_argument("--points", type=int, default=2)
    parser.add_argument("--clean-points", type=int, default=15)
    parser.add_argument("--profiles", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    sys.path.insert(0, str(given.gatebench))
    from gatebench import run  # type: ignore[import-not-found]

    with given.out.open("w") as out:
        for series in given.series:
            started = time.process_time()
            gate = KeepingGate(given.profiles)
            cases = [
                ({"window": window}, windowed(series, run, window, given.clean_points))
                for window in given.windows
            ] or [({}, run.cases(series, points=given.points, clean_points=given.clean_points))]
            for more, some in cases:
                for record in judged(gate, some, series.name):
                    out.write(json.dumps({**record, **more}) + "\n")
                    out.flush()
            print(f"{series.name}: {time.process_time() - started:.0f} s CPU", flush=True)
        if given.incidents:
            for record in incidents(KeepingGate(given.profiles), given.incidents):
                out.write(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
