"""The fields of `check --json` are those that docs/howto/reports.md explains."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dvtool.quality.findings import Evidence, Example, Finding, Place
from dvtool.quality.judged import JudgedTable, Judgement, to_json

PAGE = Path(__file__).parents[2] / "docs/howto/reports.md"
FOUND = Finding(
    "min",
    "1 of 9 values below 0",
    Place("t.csv", 2, 1),
    Evidence.SCHEMA,
    column="age",
    examples=(Example(Place("t.csv", 2, 1), "-7"),),
)
JUDGEMENT = to_json(Judgement("t.csv", "staged", (JudgedTable("t.csv", (FOUND,)),)))
PARTS = {
    "judgement": JUDGEMENT,
    "table": JUDGEMENT["tables"][0],
    "finding": JUDGEMENT["tables"][0]["findings"][0],
}


@pytest.mark.parametrize("part", PARTS)
def test_every_field_of_check_as_json_is_explained_and_no_other(part: str) -> None:
    _, _, after = PAGE.read_text("utf-8").partition(
        f"| field of a {part} | what it is |\n|---|---|\n"
    )
    rows = after.partition("\n\n")[0].splitlines()
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}

    assert named == set(PARTS[part])
    assert all(len(row.split("|")[2].strip()) > 0 for row in rows)
