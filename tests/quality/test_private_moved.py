"""Values of private columns stay hidden where rows are shifted or columns swapped."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from dvtool.quality.judged import Judgement, to_json
from tests.quality.two_versions import judged

CHECKS = """\
columns:
  email: {private: true, matches: '.+@.+'}
  age: {type: int}
  city: {in: [rome, paris]}
"""


def people(first: int, change: Callable[[list[str]], list[str]] = list) -> str:
    draw = random.Random(first)
    lines = ["id,age,email,city,n"]
    for number in range(first, first + 300):
        row = [
            str(number),
            str(draw.randint(18, 80)),
            f"u{number}@canary",
            draw.choice(["rome", "paris"]),
            f"{draw.random():.3f}",
        ]
        lines.append(",".join(row if number % 10 else change(row)))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda row: [row[0], *row[2:], row[1]], "columns-shifted"),
        (lambda row: [row[0], row[2], row[1], *row[3:]], "columns-swapped"),
    ],
)
def test_no_value_is_shown_of_columns_that_private_ones_were_moved_into(
    tmp_path: Path, change: Callable[[list[str]], list[str]], code: str
) -> None:
    found = judged(tmp_path, people(0), people(300, change), CHECKS)

    codes = {one.key for one in found.findings}
    assert code in codes and "age.type" in codes
    (wrong,) = [one for one in found.findings if one.key == "age.type"]
    assert wrong.figures["found"] == 30 and wrong.examples[0].place.line > 1
    assert "canary" not in json.dumps(to_json(Judgement("new.csv", "", (found,))))
