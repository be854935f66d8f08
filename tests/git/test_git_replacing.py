"""Whether HEAD is about to be replaced, asked from inside real hooks of real git."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """\
import os, pathlib
from dvtool.git.plumbing import Git
from dvtool.git.replacing import is_head_replaced

git = Git.at(pathlib.Path.cwd())
answer = is_head_replaced(git, environ=os.environ)
pathlib.Path(git.layout.git_dir, "answer").write_text(str(answer))
"""


@pytest.fixture
def repo(tmp_path: Path, hermetic: Path) -> Path:
    top = tmp_path / "repo"
    subprocess.run(["git", "init", "-q", "-b", "main", str(top)], check=True)
    _git(top, "commit", "-q", "--allow-empty", "-m", "one")
    (tmp_path / "ask.py").write_text(ASK)
    hook = top / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{tmp_path / 'ask.py'}'\n")
    hook.chmod(0o755)
    return top


def _git(top: Path, *args: str) -> None:
    path = os.fspath(Path(__file__).parents[2])
    env = {**os.environ, "GIT_EDITOR": "true", "PYTHONPATH": path}
    subprocess.run(["git", *args], cwd=top, check=True, env=env, capture_output=True)


def _answer(top: Path) -> str:
    return (top / ".git" / "answer").read_text()


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        (["--amend", "-m", "x"], "True"),
        (["-q", "--am", "--no-edit"], "True"),
        (["-m", "two"], "False"),
        (["-m", "two", "--all"], "False"),
    ],
)
def test_a_hook_knows_an_amend_from_a_commit(repo: Path, options: list[str], answer: str) -> None:
    _git(repo, "commit", "--allow-empty", *options)

    assert _answer(repo) == answer


def test_a_stop_of_a_rebase_is_recognised_without_any_hook(repo: Path) -> None:
    _git(repo, "commit", "--allow-empty", "-m", "two")
    _git(
        repo, "-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-i", "--keep-empty", "HEAD~1"
    )

    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=repo, check=True, env={**os.environ}, capture_output=True
    )

    assert asked.stderr == b""
    assert _answer(repo) == "True"
