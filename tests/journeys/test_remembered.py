"""Which verdicts are remembered, and what makes them a new question: every declared input."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from dvtool.ops.check import Wanted, check_datasets
from dvtool.ops.workspace import Workspace
from tests.journeys.harness import Repo

AGAIN = "as judged before"
ORDERS = "id,user,at\n1,10,2026-03-01\n2,11,2026-03-02\n3,10,2026-03-03\n"
USERS = "id\n10\n11\n"


@pytest.fixture
def orders(repo: Repo) -> Repo:
    """Orders that are tracked, with users beside that are no data set."""
    repo.write("data/orders.csv", ORDERS)
    repo.write("data/users.csv", USERS)
    repo.run("add", "data/orders.csv")
    return repo


def checks(repo: Repo, text: str) -> None:
    repo.write("data/orders.csv.checks.yaml", text)


def judged(repo: Repo, code: int = 0) -> str:
    return repo.run("check", "data/orders.csv", code=code).out


def test_another_table_is_an_input(orders: Repo) -> None:
    checks(orders, "columns:\n  user: {type: int, in_table: 'users.csv:id'}\n")
    first = judged(orders)

    again = judged(orders)
    orders.write("data/users.csv", "id\n10\n")
    changed = judged(orders, code=1)

    assert AGAIN not in first
    assert AGAIN in again
    assert "[in-table]" in changed


def test_a_table_that_is_missing_is_another_input_than_one_that_is_there(orders: Repo) -> None:
    (orders.path / "data" / "users.csv").unlink()
    checks(orders, "columns:\n  user: {type: int, in_table: 'users.csv:id'}\n")
    judged(orders, code=11)
    assert AGAIN in judged(orders, code=11)

    orders.write("data/users.csv", USERS)

    assert AGAIN not in judged(orders)


def test_another_data_set_is_an_input_as_it_stands_on_disk(orders: Repo) -> None:
    orders.run("add", "data/users.csv")
    checks(orders, "columns:\n  user: {type: int, in_table: 'users.csv:id'}\n")
    judged(orders)
    assert AGAIN in judged(orders)

    orders.write("data/users.csv", "id\n10\n")  # not added

    assert "[in-table]" in judged(orders, code=1)


def test_another_table_outside_of_the_repository_is_an_input_whatever_lies_beside_it(
    orders: Repo, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere" / "users.csv"
    other.parent.mkdir()
    other.write_text(USERS)
    other.with_name("users.csv.dvt").write_text("another repository's sidecar")
    checks(orders, f"columns:\n  user: {{type: int, in_table: '{other}:id'}}\n")
    judged(orders)
    assert AGAIN in judged(orders)

    other.write_text("id\n10\n")

    assert "[in-table]" in judged(orders, code=1)


def test_the_parts_of_a_split_are_inputs(orders: Repo) -> None:
    orders.write("data/test.csv", "id,user,at\n7,12,2026-04-01\n")
    checks(orders, "splits: {train: orders.csv, test: test.csv}\n")
    judged(orders)
    assert AGAIN in judged(orders)

    orders.write("data/test.csv", "id,user,at\n3,10,2026-03-03\n")

    assert AGAIN not in judged(orders, code=1)


def test_the_code_of_a_schema_and_what_it_imports_are_inputs(orders: Repo) -> None:
    orders.write("limits.py", "MOST = 100\n")
    orders.write(
        "schemas.py",
        "import pandera.pandas as pa\nfrom limits import MOST\n"
        "Orders = pa.DataFrameSchema({'user': pa.Column(int, pa.Check.le(MOST))})\n",
    )
    checks(orders, "schema: schemas.py:Orders\n")
    judged(orders)
    assert AGAIN in judged(orders)

    orders.write("limits.py", "MOST = 10\n")

    assert AGAIN not in judged(orders, code=1)


def test_a_reference_that_is_a_file_is_no_input_that_is_known_whatever_others_are(
    repo: Repo,
) -> None:
    for name in ("a", "b"):
        repo.write(f"d/{name}.csv", USERS)
    repo.write("base.csv", USERS)
    by = {"a": "base.csv", "b": "v1"}
    tables = [f"  {one}.csv: {{reference: {word}, rows: {{min: 1}}}}\n" for one, word in by.items()]
    repo.write("d.checks.yaml", "tables:\n" + "".join(tables))
    repo.run("add", "d")
    repo.commit()
    repo.git("tag", "v1")

    said = [repo.run("check", "d").out for _ in range(2)]
    repo.write("base.csv", "name\nann\n")

    assert "d/a.csv: pass" in said[1]
    assert AGAIN not in said[1]
    assert "d/a.csv: fail" in repo.run("check", "d", code=1).out


def test_a_verdict_about_freshness_holds_until_the_data_are_too_old(orders: Repo) -> None:
    checks(orders, "columns:\n  at: {type: date}\ntime: {column: at, fresh: 2d}\n")
    inside = Workspace.open(orders.path, environ=dict(os.environ))

    def verdict(day: int, hour: int) -> tuple[str, bool]:
        now = dt.datetime(2026, 3, day, hour, tzinfo=dt.UTC)
        (found,) = check_datasets(inside, ["data/orders.csv"], Wanted(now=now))
        return found.verdict.value, found.remembered

    assert verdict(4, 12) == ("pass", False)
    assert verdict(4, 23) == ("pass", True)
    assert verdict(5, 1) == ("fail", False)
    assert verdict(5, 2) == ("fail", False)  # its message names the age


def test_the_newest_moment_of_a_private_column_stands_nowhere(orders: Repo) -> None:
    checks(orders, "columns:\n  at: {type: date, private: true}\ntime: {column: at, fresh: 30d}\n")
    said = orders.run("check", "data/orders.csv", "--json", code=1).out
    kept = [one.read_text() for one in Path(orders.path, ".git", "dvtool").rglob("*.json")]

    assert kept
    assert not any(day in text for text in [said, *kept] for day in ("2026-03-0", "2026-04-02"))
