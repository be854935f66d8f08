"""The tutorial is true: its console blocks are run in order, with real bash, git and dvtool.

In a ```console block a line that starts with `$ ` is a command, `> ` goes on with it, and what
follows is its output, as a terminal shows it. `…` stands for what differs each time: for some text
inside a line, for any number of lines when it is alone on one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
MARK = "\x1e"


@dataclass
class Step:
    """One command of the tutorial, where it stands, and the output that is shown for it."""

    line: int
    command: str
    shown: list[str] = field(default_factory=list)


def steps_of(text: str) -> list[Step]:
    steps: list[Step] = []
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            inside = line == "```console"
        elif not inside:
            continue
        elif line.startswith("$ "):
            steps.append(Step(number, line[2:]))
        elif line.startswith("> ") or line == ">":
            steps[-1].command += "\n" + line[2:]
        else:
            steps[-1].shown.append(line)
    return steps


def matches(shown: list[str], output: str) -> bool:
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else r".+?".join(map(re.escape, line.split("…"))) + "\n"
        for line in shown
    )
    return re.fullmatch(pattern, output) is not None


def run_all(steps: list[Step], folder: Path) -> list[tuple[int, str]]:
    """Returns exit code and output of each step; all are run by one shell, as a person would."""
    # The code is kept for a step that asks for `$?`.
    script = "".join(
        f"{step.command}\ncode=$?; printf '{MARK}%s{MARK}' $code; (exit $code)\n" for step in steps
    )
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = done.stdout.split(MARK)
    assert len(found) == 2 * len(steps) + 1, f"the shell gave up: {done.stdout[-2000:]}"
    return [(int(code), output) for output, code in zip(found[::2], found[1::2], strict=False)]


@pytest.mark.parametrize(
    ("page", "least"), [("tutorial.md", 40), ("tutorial-judge.md", 20), ("howto/any-ci.md", 15)]
)
def test_every_command_of_a_tutorial_gives_the_output_that_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str, least: int
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    # As on a terminal, where results and warnings come in the order they are printed.
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    # A busy machine must not run out of the time that judging may take at a commit.
    settings = tmp_path.with_name(f"{tmp_path.name}.gitconfig")
    settings.write_text('[dvtool "gate"]\n\tcommit-budget = 600\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    steps = steps_of((DOCS / page).read_text(encoding="utf-8"))
    assert len(steps) > least

    wrong = [
        f"docs/{page}:{step.line}: $ {step.command}\n(exit {code})\n{output}"
        for step, (code, output) in zip(steps, run_all(steps, tmp_path), strict=True)
        if not matches(step.shown, output) or (code and not step.shown)
    ]

    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize(
    ("shown", "output", "expected"),
    [
        (["a … c"], "a b c\n", True),
        (["a … c"], "a b\n", False),
        (["a", "…", "z"], "a\nb\nc\nz\n", True),
        (["a"], "a\nb\n", False),
        ([], "", True),
        ([], "unexpected\n", False),
        (["1.5"], "1x5\n", False),
    ],
)
def test_an_ellipsis_stands_for_what_varies_and_nothing_else_does(
    shown: list[str], output: str, expected: bool
) -> None:
    assert matches(shown, output) is expected
