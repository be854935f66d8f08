"""Answers said again without judging: only while nothing that they were made from has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dvtool.ops import answers
from dvtool.worktree import marks
from tests.journeys.harness import Repo

CHECK = ("check", "--all")
TABLE = "id,name\n1,ann\n2,bob\n3,cid\n"
AUDITED = """
import os, sys
from dvtool.cli.entry import run
seen = open(sys.argv[1], "w")
top = os.getcwd()
def watch(event, args):
    if event not in ("open", "os.listdir", "os.scandir") or args[0] is None:
        return
    one = args[0]
    path = os.readlink(f"/proc/self/fd/{one}") if isinstance(one, int) else os.fsdecode(one)
    path = path if isinstance(one, int) else os.path.join(top, path)
    # A folder that is opened is a handle; what is read of it are its entries.
    is_read = event != "open" or not (args[2] & (os.O_CREAT | os.O_DIRECTORY))
    if is_read and path.startswith(top):
        print(path, file=seen)
sys.addaudithook(watch)
code = run(sys.argv[2:])
seen.close()
sys.exit(code)
"""


@pytest.fixture
def data(repo: Repo) -> Repo:
    """Two data sets, a file and a folder, committed and judged."""
    repo.write("data/one.csv", TABLE)
    repo.write("many/a.csv", TABLE)
    repo.write("many/deep/b.csv", TABLE)
    repo.run("add", "data/one.csv", "many")
    repo.commit()
    return repo


def stands(repo: Repo, *args: str) -> tuple[str, int] | None:
    """Returns what would be said again."""
    before = Path.cwd()
    os.chdir(repo.path)
    try:
        question = answers.asked(args, os.environ)
        assert question is not None
        return answers.standing(question)
    finally:
        os.chdir(before)


def settle(repo: Repo, *args: str, code: int = 0) -> str:
    """Runs a command until its answer stands: what just changed is looked at once more."""
    for _ in range(100):
        said = repo.run(*args, code=code).out
        if stands(repo, *args) is not None:
            return said
    raise AssertionError(f"no answer is kept: {said}")


def test_an_answer_that_stands_is_what_was_said_and_its_exit_code(data: Repo) -> None:
    said = settle(data, *CHECK)
    data.write("data/one.csv", "id\n1\n2,3\n")  # ragged
    data.run("add", "data/one.csv")
    failing = settle(data, "check", "data/one.csv", code=1)

    assert "as judged before" in said
    assert stands(data, "check", "data/one.csv") == (failing, 1)
    assert data.run("check", "data/one.csv", code=1).out == failing


def test_neither_click_nor_a_library_is_imported_for_it(data: Repo) -> None:
    settle(data, *CHECK)
    settle(data, "status")
    asks = "import sys; from dvtool.cli.entry import run; run(sys.argv[1:]); print(*sys.modules)"

    for args in (CHECK, ("status",)):
        command = [sys.executable, "-c", asks, *args]
        out = subprocess.run(command, cwd=data.path, capture_output=True, check=True).stdout
        loaded = set(out.decode().splitlines()[-1].split())
        ours = {name for name in loaded if name.startswith("dvtool.")}

        assert not loaded & {"click", "dataclasses", "subprocess", "pathlib", "json", "duckdb"}
        assert ours - {"dvtool.cli", "dvtool.git", "dvtool.ops", "dvtool.worktree"} == {
            "dvtool.cli.entry",
            "dvtool.git.questions",
            "dvtool.ops.answers",
            "dvtool.worktree.marks",
        }


def _edited_in_secret(repo: Repo) -> None:
    path = repo.path / "data/one.csv"
    before = path.stat()
    path.write_text(TABLE.replace("bob", "bab"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _store_emptied(repo: Repo) -> None:
    for pack in (repo.path / ".git/dvtool/store/packs").iterdir():
        pack.unlink()


def _branch_tracks_data(repo: Repo) -> None:
    empty = repo.git("mktree")
    repo.git("branch", "other", repo.git("commit-tree", empty, "-m", "other"))


CHANGES: dict[str, Callable[[Repo], object]] = {
    "data edited, its old time put back": _edited_in_secret,
    "data gone": lambda repo: (repo.path / "data/one.csv").unlink(),
    "a file in a folder edited": lambda repo: repo.write("many/deep/b.csv", TABLE + "4,dan\n"),
    "a file more in a folder": lambda repo: repo.write("many/deep/c.csv", TABLE),
    "a file less in a folder": lambda repo: (repo.path / "many/deep/b.csv").unlink(),
    "checks": lambda repo: repo.write("data/one.csv.checks.yaml", "columns:\n  id: {max: 2}\n"),
    "an allow file": lambda repo: repo.write("many.allow.yaml", "[]\n"),
    "what is ignored": lambda repo: repo.write(".dvtignore", "*.tmp\n"),
    "what is ignored deeper": lambda repo: repo.write("data/.dvtignore", "*.tmp\n"),
    "a sidecar": lambda repo: repo.write("many.dvt", (repo.path / "many.dvt").read_bytes() + b" "),
    "a sidecar more": lambda repo: repo.write(
        "c.dvt", (repo.path / "data/one.csv.dvt").read_bytes()
    ),
    "a sidecar less": lambda repo: (repo.path / "many.dvt").unlink(),
    "a commit": lambda repo: repo.commit("more"),
    "git's settings": lambda repo: repo.git("config", "dvtool.jobs", "3"),
    "committed settings": lambda repo: repo.write(".dvtool", "[dvtool]\n\tjobs = 3\n"),
    "the store": _store_emptied,
    "an earlier version replaced": lambda repo: repo.git("replace", "--graft", "HEAD"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_makes_the_answer_a_new_question(data: Repo, what: str) -> None:
    settle(data, *CHECK)
    settle(data, "status")

    CHANGES[what](data)

    assert stands(data, *CHECK) is None
    assert stands(data, "status") is None


def test_another_branch_matters_to_status(data: Repo) -> None:
    settle(data, *CHECK)
    settle(data, "status")

    _branch_tracks_data(data)

    assert stands(data, *CHECK) is not None
    assert stands(data, "status") is None


def test_another_command_line_folder_or_variable_is_another_question(
    data: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(data, *CHECK)

    assert stands(data, *CHECK, "-v") is None
    assert stands(data.at(data.path / "data"), *CHECK) is None
    monkeypatch.setenv("DVTOOL_JOBS", "2")
    assert stands(data, *CHECK) is None


def test_a_hook_gets_no_answer_that_only_stands(
    data: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")

    assert answers.asked(CHECK, os.environ) is None


def test_what_needs_more_than_the_data_set_is_not_kept(data: Repo) -> None:
    data.write("users.csv", "id\n1\n2\n3\n")
    data.write("data/one.csv.checks.yaml", "columns:\n  id: {in_table: '../users.csv:id'}\n")
    for _ in range(3):
        data.run("check", "data/one.csv")

    assert stands(data, "check", "data/one.csv") is None


def test_an_answer_ends_with_its_time(data: Repo) -> None:
    settle(data, *CHECK)
    os.chdir(data.path)
    question = answers.asked(CHECK, os.environ)
    assert question is not None
    assert answers.begin(question)

    paths = [str(data.path / "many")]
    assert answers.keep(question, paths, output="old", code=0, until=1.0)
    assert answers.standing(question) is None
    assert answers.keep(question, paths, output="new", code=0, until=1e11)
    assert answers.standing(question) == ("new", 0)


@pytest.mark.parametrize("spoil", [lambda text: text[:-9], lambda _: b"", lambda t: t[9:]])
def test_a_damaged_answer_is_none(data: Repo, spoil: Callable[[bytes], bytes]) -> None:
    settle(data, *CHECK)
    (kept,) = (data.path / ".git/dvtool/answers").iterdir()
    kept.write_bytes(spoil(kept.read_bytes()))

    assert stands(data, *CHECK) is None
    assert "as judged before" in data.run(*CHECK).out


def test_what_changes_while_an_answer_is_made_is_not_marked(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("a\n")
    after = path.stat().st_ctime_ns + 1

    assert marks.marked([str(path)], before_ns=after) is not None
    assert marks.marked([str(path)], before_ns=after - 1) is None
    path.unlink()
    gone = tmp_path.stat().st_ctime_ns
    assert marks.marked([str(path)], before_ns=gone + 1) is not None
    assert marks.marked([str(path)], before_ns=gone) is None  # it may have been read before


def test_everything_that_is_read_has_a_mark(data: Repo, tmp_path: Path) -> None:
    data.write("data/one.csv.checks.yaml", "columns:\n  id: {max: 9}\n")
    data.write("many/.dvtignore", "*.tmp\n")
    data.run("add", "many")
    data.commit()
    settle(data, *CHECK)
    (kept,) = (data.path / ".git/dvtool/answers").iterdir()
    marked = os.fsdecode(answers._fields(kept.read_bytes())[4]).split("\0")[::2]
    kept.unlink()

    seen = tmp_path / "seen"
    command = [sys.executable, "-P", "-c", AUDITED, str(seen), *CHECK]
    subprocess.run(command, cwd=data.path, check=True, capture_output=True)
    read = [line for line in seen.read_text().splitlines() if "/answers" not in line]
    own = str(data.path / ".git" / "dvtool")

    assert str(data.path / "data/one.csv.checks.yaml") in read
    for path in read:
        folder = os.path.dirname(path)
        assert path in marked or (folder.startswith(own) and folder in marked), path
