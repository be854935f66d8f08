"""The history gate as a stand-alone gate: earlier files in a folder, one candidate, an answer.

Used to measure the gate on benchmarks of gates, as a command (`history.py HISTORY_DIR CANDIDATE`: exit
0 accepts, 1 rejects; the last line of output is JSON with score and columns) or as a class with
`fit` and `check`. A file that the structural findings already fail is rejected without history.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dvtool.quality.findings import Finding, Severity
from dvtool.quality.history.judging import History
from dvtool.quality.history.version import Version
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.model import Profile
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable


class HistoryGate:
    """Accepts or rejects a file by the files before it; profiles are computed once a content."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Profile | None, tuple[Finding, ...]]] = {}
        self._history = History([])

    def fit(self, history_paths: Sequence[str]) -> None:
        """Remembers a past, oldest first."""
        versions = []
        for path in history_paths:
            profile, _ = self._profile(Path(path))
            if profile is not None:
                versions.append(Version(Path(path).name, profile))
        self._history = History(versions)

    def check(self, path: str) -> dict[str, object]:
        """Returns whether a file is rejected, how suspicious it is, and which columns are to blame."""
        profile, findings = self._profile(Path(path))
        failed = [one for one in findings if one.severity is Severity.FAIL]
        if profile is None:
            return {"reject": True, "score": 1e3, "columns": []}
        answer = self._history.judge(Version(Path(path).name, profile))
        found = [one for one in answer.findings if one.severity is Severity.FAIL]
        columns = dict.fromkeys([*(one.column for one in failed if one.column), *answer.columns])
        return {
            "reject": bool(failed or found),
            "score": answer.score + 100.0 * bool(failed),
            "columns": list(columns),
        }

    def _profile(self, path: Path) -> tuple[Profile | None, tuple[Finding, ...]]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest not in self._known:
            self._known[digest] = _profiled(path)
        return self._known[digest]


def _profiled(path: Path) -> tuple[Profile | None, tuple[Finding, ...]]:
    with Engine(threads=1) as engine:
        try:
            table = open_table(engine, path, name=path.name)
        except Unreadable as error:
            return None, error.findings
        return profile_table(engine, table), table.findings


def main() -> int:
    """Judges one file and returns the exit code."""
    folder, candidate = sys.argv[1:]
    gate = HistoryGate()
    gate.fit([str(one) for one in sorted(Path(folder).iterdir())])
    answer = gate.check(candidate)
    print(json.dumps(answer))
    return int(bool(answer["reject"]))


if __name__ == "__main__":
    sys.exit(main())
