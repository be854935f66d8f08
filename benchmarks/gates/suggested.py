"""Gates for a gate benchmark: what dvtool decides about a batch, given the batches before it.

Each class has `fit(history_paths)` and `check(path)`, which returns whether it rejects, how
suspicious it is, and which columns it blames. `Suggested` knows only the checks that `dvtool
suggest` writes from the history; `Judged` also compares with the last batch, as `dvtool check` does.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dvtool.quality.facts import TableFacts, facts_of
from dvtool.quality.findings import Outcome, Severity, Verdict
from dvtool.quality.given import Given
from dvtool.quality.judged import Baseline
from dvtool.quality.judging import judge_table
from dvtool.quality.suggesting import suggest_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable

_WEIGHT = {Severity.FAIL: 10.0, Severity.WARN: 1.0, Severity.NOTE: 0.0}
_facts: dict[tuple[str, int, int], TableFacts | None] = {}


class Suggested:
    """The checks suggested from the history, nothing else."""

    with_baseline = False

    def fit(self, history_paths: list[str]) -> None:
        found = [one for one in map(_facts_of, history_paths) if one is not None]
        self.spec = suggest_table(found).spec if found else None
        self.last = Path(history_paths[-1])

    def check(self, path: str) -> dict[str, object]:
        given = Given(path, Path(path), spec=self.spec, source="suggested.checks.yaml")
        if self.with_baseline:
            baseline = Baseline("the batch before", "given")
            given = replace(given, baseline=baseline, baseline_path=self.last)
        with Engine() as engine:
            judged = judge_table(engine, given)
        violated = [one for one in judged.findings if one.outcome is Outcome.VIOLATED]
        blamed = [one.column for one in violated if one.severity is Severity.FAIL and one.column]
        return {
            "reject": judged.verdict is Verdict.FAIL,
            "score": sum(_WEIGHT[one.severity] for one in violated),
            "columns": list(dict.fromkeys(blamed)),
        }


class Judged(Suggested):
    """Suggested checks, structure, and what changed since the batch before."""

    with_baseline = True


def _facts_of(path: str) -> TableFacts | None:
    stat = Path(path).stat()
    key = (path, stat.st_mtime_ns, stat.st_size)
    if key not in _facts:
        with Engine() as engine:
            try:
                _facts[key] = facts_of(engine, open_table(engine, Path(path)))
            except Unreadable:
                _facts[key] = None
    return _facts[key]
