"""The tour of the Python API runs as it is written."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dvtool
from dvtool.cli.entry import run

PAGE = Path(__file__).parents[2] / "docs" / "python-api.md"


def test_the_page_runs_and_says_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)

    def git(*args: str) -> None:
        subprocess.run(["git", *args], check=True, capture_output=True)

    git("init", "-q", "-b", "main", "origin")
    monkeypatch.chdir("origin")
    assert run(["init", "-q"]) == 0
    assert run(["remote", "add", "origin", (tmp_path / "remote").as_uri()]) == 0
    Path("data").mkdir()
    versions = [("first", "apple,10\npear,20\n"), ("dearer", "apple,40\npear,60\n")]
    for number, (message, rows) in enumerate(versions, 1):
        Path("data/prices.csv").write_text(f"item,price\n{rows}")
        assert run(["add", "-q", "data"]) == 0
        git("add", "-A")
        git("commit", "-qm", message)
        git("tag", f"v{number}")
    assert run(["push", "-q"]) == 0
    monkeypatch.chdir(tmp_path)
    git("clone", "-q", "origin", "clone")
    monkeypatch.chdir("clone")

    found = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.ELLIPSIS)

    assert found.attempted > 20
    assert found.failed == 0


@pytest.mark.parametrize("name", [one for one in dvtool.__all__ if one != "__version__"])
def test_every_public_name_is_on_the_page(name: str) -> None:
    assert name in PAGE.read_text(encoding="utf-8")
