"""`suggest --from`: where the checks go, and what happens when the schema's code does not run."""

from __future__ import annotations

import pytest

from tests.journeys.harness import Repo

SCHEMA = """import pandera.pandas as pa

Train = pa.DataFrameSchema({"n": pa.Column(int, pa.Check.ge(0))})
"""


@pytest.fixture
def folder(repo: Repo) -> Repo:
    """A repository with a tracked directory of one table, and a schema."""
    repo.write("data/train.csv", "n\n1\n2\n")
    repo.write("data/test.csv", "n\n3\n")
    repo.write("code/schemas.py", SCHEMA)
    repo.run("add", "data")
    repo.commit()
    return repo


def test_the_checks_of_a_directorys_table_go_beside_the_directory(folder: Repo) -> None:
    folder.run("suggest", "--from", "code/schemas.py:Train", "data/train.csv")
    folder.at(folder.path / "code").run("suggest", "--from", "schemas.py:Train", "../data/test.csv")

    assert not list((folder.path / "data").glob("*.yaml"))
    text = folder.read("data.checks.yaml").decode()
    assert text.index("  train.csv:\n") < text.index("  test.csv:\n")
    assert text.count("{type: int, min: 0, nulls: '<= 0'}") == 2
    folder.run("add", "data")
    folder.run("check", "data")
    again = folder.run("suggest", "--from", "code/schemas.py:Train", "data/train.csv", code=9)
    assert "data.checks.yaml has checks for train.csv already" in again.err
    whole = folder.run("suggest", "--from", "code/schemas.py:Train", "data", code=2)
    assert "name a table, as data/FILE" in whole.err


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
        ("import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'"),
        ("raise KeyError('x')\n", "KeyError: 'x'"),
    ],
)
def test_a_schema_whose_code_does_not_run_is_the_users_error(
    repo: Repo, code: str, words: str
) -> None:
    repo.write("bad.py", code)
    repo.write("t.csv", "n\n1\n")

    failed = repo.run("suggest", "--from", "bad.py:Train", "t.csv", code=4).err

    assert failed.startswith("error: bad.py:Train cannot be loaded: ") and words in failed
    assert not (repo.path / "t.csv.checks.yaml").exists()


def test_a_schema_without_a_name_is_told_how_to_name_one(repo: Repo) -> None:
    repo.write("schemas.py", SCHEMA)
    repo.write("t.csv", "n\n1\n")

    failed = repo.run("suggest", "--from", "schemas.py", "t.csv", code=4).err

    assert "hint: schemas.py:Name, or a pandera YAML file" in failed


def test_what_has_no_word_is_said_and_a_unique_column_without_an_entry_is_kept(repo: Repo) -> None:
    repo.write("t.csv", "n,m\n1,2\n")
    repo.write(
        "s.py",
        "import pandera.pandas as pa\n"
        "S = pa.DataFrameSchema({'n': pa.Column(int, pa.Check(lambda s: s > 0))}, unique=['m'])\n",
    )

    said = repo.run("suggest", "--from", "s.py:S", "t.csv").out

    assert "left out, for there is no word for it: n: check <lambda>" in said
    assert "  m: {unique: true}\n" in repo.read("t.csv.checks.yaml").decode()
