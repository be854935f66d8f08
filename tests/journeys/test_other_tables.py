"""Foreign keys between the tables of one data set: the version's own tables answer."""

from __future__ import annotations

import pytest

from tests.journeys.cihost import Host
from tests.journeys.harness import Repo

CHECKS = """\
tables:
  'logs/**/*.csv': {columns: {user: {in_table: 'users.csv:id'}}}
  users.csv: {rows: {min: 1}, read: {delimiter: ';'}}
"""
USERS = "id;name\n1;ann\n2;bob\n"
LOG = "user,n\n1,5\n2,6\n"


def fill(repo: Repo) -> None:
    repo.write("data/users.csv", USERS)
    repo.write("data/logs/may/a.csv", LOG)
    repo.write("data/logs/b.csv", LOG)
    repo.write("data.checks.yaml", CHECKS)
    repo.run("add", "data")
    repo.commit()


@pytest.fixture
def data(repo: Repo) -> Repo:
    fill(repo)
    return repo


def test_tables_of_a_glob_find_the_other_table_at_the_top_and_read_it_by_its_own_checks(
    data: Repo,
) -> None:
    found = data.run("check", "data", "--all").out

    assert found.count("pass") == 4 and "3 tables: 3 pass" in found


def test_what_is_staged_or_committed_is_held_against_its_own_tables(data: Repo) -> None:
    data.write("data/users.csv", "id;name\n1;ann\n")
    data.run("add", "data")
    bad = data.commit()
    data.write("data/users.csv", USERS)

    on_disk = data.run("check", "data", "--all").out
    staged = data.run("check", "data", "--all", "--staged", code=1).out
    committed = data.run("check", "data", "--rev", bad, code=1).out
    before = data.run("check", "data", "--rev", f"{bad}~1").out

    assert "in-table" not in on_disk + before and "3 tables: 3 pass" in before
    said = "1 value does not occur in users.csv, column id [in-table] (data.checks.yaml:2)"
    assert said in staged and said in committed


def test_a_table_beside_the_judged_one_comes_first(data: Repo) -> None:
    data.write("data/logs/users.csv", "id\n1\n")
    data.run("add", "data")

    found = data.run("check", "data/logs/b.csv", code=1).out

    assert "data/logs/b.csv:3 user: 1 value does not occur in users.csv" in found


def test_a_path_from_the_top_of_the_repository_is_told_to_be_too_long(data: Repo) -> None:
    data.write("data.checks.yaml", "tables: {data/users.csv: {rows: {min: 1}}}\n")

    found = data.run("check", "data", code=1).out

    assert "[table-missing]" in found and "hint: paths are relative to data: users.csv" in found


def test_ci_judges_the_unchanged_table_whose_other_table_changed(
    tmp_path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "storage").mkdir()
    host = Host(tmp_path, capfd, (tmp_path / "storage/data").as_uri())
    fill(host.dev)
    host.publish()
    host.switch("feature", start="main")
    host.dev.write("data/users.csv", "id;name\n1;ann\n")
    host.dev.run("add", "data")
    host.dev.commit()
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out

    assert "data/logs/b.csv:3 user: 1 value does not occur in users.csv, column id" in found
