"""Things that people really try: folders, pipes, binaries, wrong baselines, misplaced checks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

PEOPLE = "id,age\n" + "".join(f"{number},{20 + number % 50}\n" for number in range(60))
CHECKS = "columns: {age: {type: int, max: 120}}\n"


@pytest.fixture
def folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Repo:
    """A folder in no repository, with one good file."""
    path = tmp_path / "plain"
    path.mkdir()
    made = Repo(path, capfd)
    made.write("people.csv", PEOPLE)
    return made


def test_pipes_and_devices_are_refused_by_what_they_are(folder: Repo) -> None:
    os.mkfifo(folder.path / "pipe")

    for name in ("pipe", "/dev/null"):
        said = folder.run("check", name, code=2).err
        assert said.startswith(f"error: cannot judge {name}: no regular file, but a pipe")
        assert "hint: " in said


def test_a_pipe_in_a_folder_does_not_stop_its_neighbours(folder: Repo) -> None:
    os.mkfifo(folder.path / "pipe")

    assert folder.run("check", ".").out.startswith("./people.csv: pass (60 rows")


@pytest.mark.parametrize("name", ["noise.dat", "noise.csv"])
def test_binary_data_are_no_table_whatever_they_are_called(folder: Repo, name: str) -> None:
    folder.write(name, bytes(range(256)) * 50)

    assert "this is binary data, not text [not-a-table]" in folder.run("check", name, code=1).out


@pytest.mark.parametrize("depth", [1_000, 50_000])
@pytest.mark.parametrize("name", ["deep.jsonl", "deep.json"])
def test_json_nested_without_end_is_an_answer_and_no_crash(
    folder: Repo, name: str, depth: int
) -> None:
    folder.write(name, '{"a":' + "[" * depth + "1" + "]" * depth + "}\n")

    assert f"{name}: fail" in folder.run("check", name, code=1).out


def test_a_baseline_that_is_no_table_is_said_and_never_taken_for_a_comparison(
    folder: Repo,
) -> None:
    folder.write("noise.dat", bytes(range(256)) * 50)

    out = folder.run("check", "people.csv", "--baseline", "noise.dat").out

    assert "a baseline that is a table: noise.dat is none (this is binary data, not text)" in out


def test_a_folder_without_a_file_of_that_name_is_no_baseline(folder: Repo) -> None:
    (folder.path / "old").mkdir()

    said = folder.run("check", "people.csv", "--baseline", "old", code=2).err

    assert said.startswith("error: old has nothing to compare people.csv with\nhint: ")


def test_what_looks_like_checks_and_is_not_read_is_an_error(folder: Repo) -> None:
    checks = folder.path / "people.csv.checks.yaml"

    folder.write("people.csv.checks.yml", CHECKS)
    said = folder.run("check", "people.csv", code=4).err
    assert "people.csv.checks.yml: checks under this name are not read" in said
    assert "hint: call the file people.csv.checks.yaml" in said
    (folder.path / "people.csv.checks.yml").unlink()

    checks.symlink_to("nowhere")
    assert "a link to nothing" in folder.run("check", "people.csv", code=4).err
    checks.unlink()

    checks.mkdir()
    assert "a folder where checks would be" in folder.run("check", "people.csv", code=4).err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"columns:\n\tage: {type: int}\n", "hint: indent with spaces, not with tabs"),
        (b"columns: {age: {in: [caf\xe9]}}\n", "checks.yaml:1: not UTF-8"),
        (b"\xff\xfec\x00o\x00", "checks.yaml:1: not UTF-8"),
        (b"columns: {age: {nulls: '<= 200%'}}\n", "a share above 100% makes no sense here"),
        (b"columns: {age: {matches: '(a'}}\n", "no pattern: missing )"),
        (b"schema: gone.py:Train\n", "people.csv.checks.yaml:1: schema: gone.py is not there"),
    ],
)
def test_checks_that_cannot_be_meant_are_refused_with_their_line(
    folder: Repo, text: bytes, said: str
) -> None:
    folder.write("people.csv.checks.yaml", text)

    assert said in folder.run("check", "people.csv", code=4).err


def test_another_table_that_is_not_here_is_said_in_words(folder: Repo) -> None:
    folder.write("people.csv.checks.yaml", "columns: {id: {in_table: 'users.csv:id'}}\n")

    out = folder.run("check", "people.csv", code=11).out

    assert "could not run: users.csv is not here, neither beside the table nor at the top" in out


def test_one_table_of_a_directory_is_judged_without_its_neighbours(repo: Repo) -> None:
    repo.write("data/people.csv", PEOPLE)
    repo.write("data/other.csv", PEOPLE)
    repo.write(
        "data.checks.yaml",
        "tables:\n  people.csv: {rows: {min: 1}, splits: {train: people.csv, test: other.csv}}\n"
        "  other.csv: {rows: {min: 1}}\n",
    )
    repo.run("add", "data")

    out = repo.run("check", "data/people.csv", code=1).out

    assert "table-missing" not in out
    assert "[overlap]" in out  # the other part of the split is at hand


def test_files_of_a_directory_that_did_not_change_are_no_news(repo: Repo) -> None:
    repo.write("data/people.csv", PEOPLE)
    repo.write("data/other.csv", PEOPLE.replace("id", "nr"))
    repo.run("add", "data")
    repo.git("add", "-A")
    repo.commit()

    repo.write("data/people.csv", PEOPLE + "60,33\n")

    out = repo.run("check", "data").out
    assert "data/other.csv: pass" in out
    assert "this file is as it was" in out
    assert "same-data" not in out


def test_checks_inside_a_data_set_are_not_hashed_as_data(repo: Repo) -> None:
    repo.write("d/people.csv", PEOPLE)
    repo.write("d/people.csv.checks.yaml", CHECKS)

    said = repo.run("add", "d", code=2).err

    assert "error: d/people.csv.checks.yaml would be data, and check nothing" in said
    assert "tables: people.csv: in d.checks.yaml" in said
    assert not (repo.path / "d.dvt").exists()
    (repo.path / "d/people.csv.checks.yaml").unlink()
    repo.run("add", "d")
    repo.write("d/more.csv.checks.yaml", CHECKS)
    repo.write("d/other.csv", PEOPLE)
    assert "more.csv.checks.yaml" in repo.run("add", "d", code=2).err
    repo.run("add", "d/other.csv")  # a part of it has none


@pytest.mark.parametrize("name", ["people.csv.checks.yaml", "people.csv.allow.yaml"])
def test_what_belongs_in_git_is_no_data_set(repo: Repo, name: str) -> None:
    repo.write(name, CHECKS)

    assert f"error: {name} belongs in git itself" in repo.run("add", name, code=2).err


def test_a_file_outside_of_the_repository_is_a_file_like_any(repo: Repo, tmp_path: Path) -> None:
    repo.write("d/people.csv", PEOPLE)
    repo.run("add", "d")
    (tmp_path / "new.csv").write_text(PEOPLE + "1,2,3\n")

    judged = repo.run("check", "../new.csv", "d", code=1)

    assert "fail      ../new.csv:62 1 row without 2 fields" in judged.out
    assert "d/people.csv: pass" in judged.out
    assert repo.run("profile", "../new.csv").out.startswith("../new.csv: 60 rows")
    assert "outside the work tree" in repo.run("check", "--staged", "../new.csv", code=2).err
