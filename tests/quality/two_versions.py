"""One table judged against another as a whole, for tests of what only the whole judgement shows."""

from __future__ import annotations

from pathlib import Path

from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.given import Given
from dvtool.quality.judged import Baseline, JudgedTable
from dvtool.quality.judging import judge_table
from dvtool.quality.tables.engine import Engine


def judged(folder: Path, before: str, after: str, checks: str) -> JudgedTable:
    """Returns the judgement of one text against another under checks."""
    old, new = folder / "old.csv", folder / "new.csv"
    old.write_text(before)
    new.write_text(after)
    (spec,) = parse_checks(checks, source="new.csv.checks.yaml").tables
    given = Given(
        "new.csv",
        new,
        spec=spec,
        source="new.csv.checks.yaml",
        baseline=Baseline("old.csv", "given"),
        baseline_path=old,
    )
    with Engine() as engine:
        return judge_table(engine, given)
