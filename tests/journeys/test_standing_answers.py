"""Answers said again without judging: only while nothing that they were made from has changed."""

from __future__ import annotations

import datetime as dt
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


STAGED = ("check", "--staged")
OF_TAG = ("check", "--rev", "old", "data/one.csv")
AGAINST_TAG = ("check", "data/one.csv", "--baseline", "old")
ONE = ("check", "data/one.csv")
BY_TAG = "reference: old\ncolumns:\n  id: {type: int}\n"
BY_USERS = "columns:\n  id: {in_table: 'users.csv:id'}\n"
BY_PARTS = "splits: {train: one.csv, test: users.csv}\n"
CHECKS = "data/one.csv.checks.yaml"


@pytest.fixture
def versions(data: Repo) -> Repo:
    """The same in two versions, the first one tagged, and a third one staged."""
    data.git("tag", "old")
    data.write("data/one.csv", TABLE + "4,dan\n")
    data.run("add", "data/one.csv")
    data.commit()
    data.write("data/one.csv", TABLE + "4,dan\n5,eve\n")
    data.run("add", "data/one.csv")
    data.git("add", "-A")
    return data


def _staged(path: str, text: str) -> Callable[[Repo], object]:
    def change(repo: Repo) -> None:
        before = (repo.path / path).read_bytes() if (repo.path / path).exists() else None
        repo.write(path, text)
        repo.git("add", path)
        # Only the index is to differ.
        (repo.path / path).unlink() if before is None else repo.write(path, before)

    return change


def _tag_moves(repo: Repo) -> None:
    repo.git("tag", "--force", "old", "HEAD")


ALWAYS: dict[str, Callable[[Repo], object]] = {
    "today's checks, which tell what is private": lambda repo: repo.write(
        CHECKS, "columns:\n  name: {private: true}\n"
    ),
    "checks under a name that is refused": lambda repo: repo.write(
        "data/one.csv.checks.yml", "columns:\n  id: {max: 2}\n"
    ),
    "a commit": lambda repo: repo.git("commit", "--no-verify", "--allow-empty", "-m", "more"),
    "git's settings": lambda repo: repo.git("config", "dvtool.jobs", "3"),
    "committed settings": lambda repo: repo.write(".dvtool", "[dvtool]\n\tjobs = 3\n"),
    "the map of another tool's names": lambda repo: repo.write(".dvtool-migrated", "migrated: 1\n"),
    "the store": _store_emptied,
    "an earlier version replaced": lambda repo: repo.git("replace", "--graft", "HEAD"),
    "a history cut short": lambda repo: repo.write(
        ".git/shallow", repo.git("rev-parse", "HEAD").strip() + "\n"
    ),
    "a stop of a rebase": lambda repo: repo.write(
        ".git/rebase-merge/amend", repo.git("rev-parse", "HEAD")
    ),
    "a revert on its way": lambda repo: repo.write(".git/MERGE_MSG", 'Revert "it"\n'),
    "a judgement in the clone": lambda repo: repo.write(".git/dvtool/records/of.json", "{}"),
}
FORMS: dict[tuple[str, ...], dict[str, Callable[[Repo], object]]] = {
    STAGED: {
        "a sidecar staged": lambda repo: repo.git("add", "--force", "--chmod=+x", "many.dvt"),
        "a data set unstaged": lambda repo: repo.git("reset", "-q", "data/one.csv.dvt"),
        "checks staged": _staged(CHECKS, "columns:\n  id: {max: 2}\n"),
        "an allow file staged": _staged("data/one.csv.allow.yaml", "[]\n"),
        "checks of another data set staged": _staged("many.checks.yaml", "tables: {}\n"),
    },
    OF_TAG: {
        "the tag moves": _tag_moves,
        "the tag goes": lambda repo: repo.git("tag", "-d", "old"),
    },
    AGAINST_TAG: {
        "the tag moves": _tag_moves,
        "data": _edited_in_secret,
        "a file of that name": lambda repo: repo.write("old", TABLE),
        "a branch of that name and a tag less": lambda repo: (
            repo.git("branch", "old"),
            repo.git("tag", "-d", "old"),
        ),
    },
}


@pytest.mark.parametrize(
    ("args", "what"),
    [(args, what) for args in (STAGED, OF_TAG) for what in ALWAYS]
    + [(args, what) for args, more in FORMS.items() for what in more],
)
def test_any_change_makes_the_answer_about_a_version_a_new_question(
    versions: Repo, args: tuple[str, ...], what: str
) -> None:
    settle(versions, *args)

    (ALWAYS | FORMS[args])[what](versions)

    assert stands(versions, *args) is None


@pytest.mark.parametrize("args", [STAGED, OF_TAG])
def test_what_is_on_disk_does_not_matter_to_another_version(
    versions: Repo, args: tuple[str, ...]
) -> None:
    said = settle(versions, *args)

    versions.write("data/one.csv", "id,id\n")
    versions.write("many/new.csv", TABLE)

    assert "as judged before" in said
    assert stands(versions, *args) == (said, 0)


def test_a_tag_that_is_spelled_with_others_is_the_one_that_moved(versions: Repo) -> None:
    relative = ("check", "--rev", "old~0", "data/one.csv")
    first = settle(versions, *relative)
    _tag_moves(versions)

    assert stands(versions, *relative) is None
    assert versions.run(*relative).out != first


def test_an_answer_by_a_reference_stands_until_the_reference_moves(versions: Repo) -> None:
    versions.write(CHECKS, BY_TAG)
    first = settle(versions, *ONE)
    assert "as judged before" in first

    _tag_moves(versions)

    assert stands(versions, *ONE) is None
    versions.git("tag", "--force", "old", "HEAD~1")
    assert stands(versions, *ONE) == (first, 0)


def test_a_reference_that_moves_while_it_is_judged_by_is_not_what_stands(data: Repo) -> None:
    os.chdir(data.path)
    first, second = (data.git("commit-tree", "HEAD^{tree}", "-m", m).strip() for m in "ab")
    data.git("tag", "old", first)
    question = answers.asked(CHECK, os.environ)
    assert question is not None
    assert answers.begin(question)
    settle(data, *CHECK)  # so that nothing else is too new
    assert answers.begin(question)

    question.depend("old", second)  # what a reader found before somebody moved it
    assert not answers.keep(question, [], output="made from the second", code=0)
    question.commits.clear()
    question.depend("old")
    assert answers.keep(question, [], output="made from the first", code=0)
    question.depend("old", second)  # read twice, and not the same
    assert not answers.keep(question, [], output="made from both", code=0)
    question.commits.clear()
    question.depend("unknown")
    assert not answers.keep(question, [], output="made from nothing", code=0)


@pytest.mark.parametrize("text", [BY_USERS, BY_PARTS])
@pytest.mark.parametrize("args", [ONE, STAGED])
def test_an_answer_by_another_table_stands_until_that_changes(
    versions: Repo, args: tuple[str, ...], text: str
) -> None:
    versions.write(
        "users.csv", "id\n6\n7\n1\n2\n3\n4\n5\n" if text == BY_USERS else "id,name\n9,zoe\n"
    )
    versions.write(CHECKS, text)
    versions.git("add", CHECKS)
    code = 0
    said = settle(versions, *args, code=code)
    assert "as judged before" in said

    versions.write("data/users.csv", "id,name\n1,ann\n")  # looked for there first

    assert stands(versions, *args) is None
    (versions.path / "data/users.csv").unlink()
    settle(versions, *args, code=code)
    versions.write("users.csv", "id,name\n1,ann\n")
    assert stands(versions, *args) is None
    assert "fail" in versions.run(*args, code=1).out


def test_another_table_that_is_a_data_set_is_one_as_its_sidecar_and_files_say(data: Repo) -> None:
    data.write("users.csv", "id\n1\n2\n3\n")
    data.run("add", "users.csv")
    data.write(CHECKS, BY_USERS)
    settle(data, *ONE)

    data.write("users.csv.dvt", (data.path / "users.csv.dvt").read_bytes() + b" ")

    assert stands(data, *ONE) is None


def test_what_code_reads_nobody_knows(data: Repo) -> None:
    code = "import pandera.pandas as pa\nOne = pa.DataFrameSchema({'id': pa.Column(int)})\n"
    data.write("schemas.py", code)
    data.write(CHECKS, "schema: schemas.py:One\n")
    for _ in range(3):
        data.run(*ONE)

    assert stands(data, *ONE) is None


def test_a_folder_that_becomes_a_link_is_another_one(data: Repo, tmp_path: Path) -> None:
    settle(data, *ONE)

    (data.path / "data").rename(tmp_path / "moved")
    (data.path / "data").symlink_to(tmp_path / "moved")

    assert stands(data, *ONE) is None


def test_an_answer_about_freshness_ends_when_the_data_are_too_old(data: Repo) -> None:
    soon = dt.datetime.now(dt.UTC) - dt.timedelta(days=1, seconds=-60)
    data.write("at.csv", f"id,at\n1,{soon:%Y-%m-%d %H:%M:%S}\n")
    fresh = "columns:\n  at: {type: datetime}\ntime: {column: at, fresh: 1d}\n"
    data.write("at.csv.checks.yaml", fresh)
    data.run("add", "at.csv")
    settle(data, "check", "at.csv")

    (kept,) = (data.path / ".git/dvtool/answers").iterdir()
    until = float(answers._fields(kept.read_bytes())[3])

    assert until == pytest.approx(soon.timestamp() + 86_400, abs=1.1)


def test_another_dvtool_gets_no_answer(data: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(data, *CHECK)
    assert stands(data, *CHECK) is not None

    monkeypatch.setattr(answers, "__version__", "0.0.0")

    assert stands(data, *CHECK) is None


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


@pytest.mark.parametrize("args", [CHECK, STAGED, OF_TAG, AGAINST_TAG, ONE], ids=" ".join)
def test_everything_that_is_read_has_a_mark(
    versions: Repo, tmp_path: Path, args: tuple[str, ...]
) -> None:
    versions.write("users.csv", "id\n1\n2\n3\n4\n5\n")
    versions.run("add", "users.csv")
    versions.write(CHECKS, "reference: old\ncolumns:\n  id: {max: 9, in_table: 'users.csv:id'}\n")
    versions.write("many/.dvtignore", "*.tmp\n")
    versions.run("add", "many")
    versions.git("add", "-A")
    settle(versions, *args)
    (kept,) = (versions.path / ".git/dvtool/answers").iterdir()
    marked = os.fsdecode(answers._fields(kept.read_bytes())[4]).split("\0")[::2]
    kept.unlink()

    seen = tmp_path / "seen"
    command = [sys.executable, "-P", "-c", AUDITED, str(seen), *args]
    subprocess.run(command, cwd=versions.path, check=True, capture_output=True)
    read = [line for line in seen.read_text().splitlines() if "/answers" not in line]
    own = str(versions.path / ".git" / "dvtool")

    assert str(versions.path / CHECKS) in read
    for path in read:
        folder = os.path.dirname(path)
        assert path in marked or (folder.startswith(own) and folder in marked), path
