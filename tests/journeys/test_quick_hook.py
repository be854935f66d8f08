"""`dvtool hook check` as the pre-commit program calls it: over at once where there is nothing to find."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dvtool.git import quick
from tests.journeys.harness import Repo

HOOKS = ("check", "large-files")
ASKS = "import sys; from dvtool.cli.entry import run; code = run(sys.argv[1:]); print(*sys.modules)"
TABLE = "id,name\n1,ann\n2,bob\n"


@pytest.fixture
def settled(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A repository in which a hook found all data in order."""
    repo.write("data/one.csv", TABLE)
    repo.run("add", "data/one.csv")
    repo.commit()
    monkeypatch.chdir(repo.path)
    for _ in range(100):  # what just changed is looked at once more
        repo.run("hook", "check")
        if quick.is_settled(["hook", "check"]):
            return repo
    raise AssertionError("nothing was noted")


@pytest.mark.parametrize("hook", HOOKS)
def test_neither_click_nor_a_verb_is_imported_where_all_is_settled(
    settled: Repo, hook: str
) -> None:
    settled.write("code.py", "print()\n")
    settled.git("add", "code.py")

    command = [sys.executable, "-c", ASKS, "hook", hook]
    done = subprocess.run(command, cwd=settled.path, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())

    assert "dvtool.git.quick" in loaded
    assert not loaded & {"click", "dataclasses", "pathlib", "json", "dvtool.ops.workspace"}


def _staged(path: str, text: str) -> Callable[[Repo], object]:
    def change(repo: Repo) -> None:
        repo.write(path, text)
        repo.git("add", path)

    return change


CHANGES: dict[str, Callable[[Repo], object]] = {
    "data edited": lambda repo: repo.write("data/one.csv", TABLE + "3,cid\n"),
    "data gone": lambda repo: (repo.path / "data/one.csv").unlink(),
    "checks staged": _staged("data/one.csv.checks.yaml", "columns:\n  id: {max: 9}\n"),
    "an allow file staged": _staged("data/one.csv.allow.yaml", "[]\n"),
    "a sidecar unstaged": lambda repo: repo.git("rm", "-q", "--cached", "data/one.csv.dvt"),
    "settings staged": _staged(".dvtool", "[dvtool]\n\tjobs = 3\n"),
    "settings on disk": lambda repo: repo.write(".dvtool", "[dvtool]\n\tjobs = 3\n"),
    "settings of the clone": lambda repo: repo.git("config", "dvtool.gate.modified", "warn"),
    "a large file": _staged("large.bin", "x" * (11 << 20)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_the_hook_would_look_at_is_looked_at(settled: Repo, what: str) -> None:
    CHANGES[what](settled)

    assert not any(quick.is_settled(["hook", hook]) for hook in HOOKS)


def test_it_still_stops_what_it_stopped(settled: Repo) -> None:
    settled.write("data/one.csv", TABLE + "3,cid\n")
    assert "changed on disk and not added" in settled.run("hook", "check", code=1).err

    settled.write("data/one.csv", TABLE)
    settled.write("large.bin", "x" * (11 << 20))
    settled.git("add", "large.bin")
    assert "large" in settled.run("hook", "large-files", code=1).err


@pytest.mark.parametrize("where", ["data", "elsewhere"])
def test_the_test_is_made_only_at_the_top_of_a_work_tree(
    settled: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    place = settled.path / "data" if where == "data" else tmp_path / "elsewhere"
    place.mkdir(exist_ok=True)
    monkeypatch.chdir(place)

    assert not quick.is_settled(["hook", "check"])


@pytest.mark.parametrize("args", [["hook", "pre-push"], ["hook", "check", "more"], ["check"], []])
def test_no_other_command_is_taken_for_it(settled: Repo, args: list[str]) -> None:
    assert not quick.is_settled(args)
