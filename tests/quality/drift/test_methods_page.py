"""The page about the methods says what the program computes."""

from __future__ import annotations

import doctest
from pathlib import Path

from dvtool.quality.drift.decisions import LEAST_BLOCKS, LEAST_ROWS
from dvtool.quality.drift.methods import ALIASES, METHODS

PAGE = Path(__file__).parents[3] / "docs" / "quality-methods.md"


def test_every_worked_number_is_what_the_program_computes() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")

    assert result.failed == 0
    assert result.attempted > 20


def test_every_method_and_every_foreign_name_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [name for name in (*METHODS, *ALIASES) if f"`{name}`" not in text] == []


def test_the_power_floor_is_the_one_in_the_page() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())

    assert f"Fewer than {LEAST_ROWS} rows with a value on either side" in text
    assert f"fewer than {LEAST_BLOCKS} blocks" in text
