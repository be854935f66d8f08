"""What needs a package that is not installed is undecided, until it is installed."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest

from dvtool.ops.verdicts import JUDGING_LIBRARIES
from dvtool.quality.findings import Outcome
from dvtool.quality.given import Given
from dvtool.quality.judging import judge_table
from dvtool.quality.tables.engine import Engine
from tests.journeys.harness import Repo


def test_a_worksheet_without_its_extra_is_undecided_and_its_neighbours_are_judged(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    repo.write("data/book.xlsx", b"PK\x03\x04")
    repo.write("data/rows.csv", "a,b\n1,2\n")
    repo.run("add", "data")

    found = repo.run("check", "data", code=11).out

    assert "undecided data/book.xlsx could not run: reading .xlsx needs openpyxl" in found
    assert "hint: pip install 'dvtool[xlsx]'" in found
    assert "data/rows.csv: pass" in found and "2 tables: 1 pass, 1 undecided" in found


def test_every_package_that_decides_what_can_be_judged_is_an_input_of_what_is_remembered() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    names = {one.partition(">=")[0].replace("-", "_") for one in extras["xlsx"] + extras["ml"]}

    assert names == {"openpyxl", "scikit_learn"}
    assert names <= set(JUDGING_LIBRARIES)


def test_a_file_that_cannot_be_opened_is_undecided(tmp_path: Path) -> None:
    with Engine() as engine:
        judged = judge_table(engine, Given("gone.csv", tmp_path / "gone.csv"))

    (finding,) = judged.findings
    assert finding.outcome is Outcome.UNDECIDED
    assert finding.message == "could not run: cannot be opened: No such file or directory"


def test_an_empty_path_is_refused(repo: Repo) -> None:
    assert "an empty path names nothing" in repo.run("check", "", code=2).err
