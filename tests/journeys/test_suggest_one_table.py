"""`suggest` on a folder of part files: one entry, if they are one table."""

from __future__ import annotations

import pytest

from dvtool.ops.namesalike import alike_names
from tests.journeys.harness import Repo


@pytest.mark.parametrize(
    ("paths", "glob"),
    [
        (["d/01.csv", "d/02.csv", "d/11.csv"], "d/*.csv"),
        (["2026-01-01.csv", "2026-01-02.csv", "2026-02-01.csv"], "*.csv"),
        (["o/part-00000.parquet", "o/part-00001.parquet", "o/part-00002.parquet"], "o/part-*.parquet"),
        (["year=2025/x.csv", "year=2026/x.csv", "year=2027/x.csv"], "year=*/x.csv"),
        (
            [f"part-{n}-5f1c2a90-11aa-4bcd-9e77-0a1b2c3d4e5f-c000.csv" for n in range(3)],
            "part-*-c*.csv",
        ),
    ],
)  # fmt: skip
def test_names_that_differ_in_numbers_have_a_glob(paths: list[str], glob: str) -> None:
    assert alike_names(paths, [*paths, "readme.md"]) == {glob: sorted(paths)}


@pytest.mark.parametrize(
    "paths",
    [
        ["train.csv", "test.csv", "valid.csv"],
        ["a1.csv", "a2.csv"],
        ["1.csv", "2.csv", "3.csv", "other.csv"],  # the glob would take it in
    ],
)
def test_other_names_have_none(paths: list[str]) -> None:
    assert alike_names(paths, paths) == {}


def fill(repo: Repo, odd: str = "") -> None:
    for n in range(4):
        rows = "".join(f"{n * 50 + at},{at % 3}\n" for at in range(50))
        repo.write(f"sales/days/{n}.csv", f"id,shop\n{rows}")
    if odd:
        repo.write("sales/days/2.csv", odd)
    repo.write("sales/shops.csv", "shop,name\n0,north\n1,south\n2,west\n")
    repo.run("add", "sales")
    repo.commit()


def test_part_files_get_one_entry_that_passes_and_finds_a_key_that_comes_again(repo: Repo) -> None:
    fill(repo)
    wrote = repo.run("suggest", "sales").out
    text = (repo.path / "sales.checks.yaml").read_text()
    passes = repo.run("check", "sales").out
    repo.write("sales/days/4.csv", "id,shop\n7,1\n")
    again = repo.run("check", "sales", code=1).out

    assert "2 tables" in wrote
    assert "  'days/*.csv':\n    # 4 files whose names differ in numbers only" in text
    assert "    union: true\n" in text and "    key: [id]\n" in text
    assert "sales/days/*.csv: pass (200 rows" in passes
    assert "share their key (id) [key]" in again


@pytest.mark.parametrize("odd", ["id,shop,price\n900,1,5\n", "id;shop\n900;1\n901;2\n"])
def test_part_files_that_differ_get_an_entry_each(repo: Repo, odd: str) -> None:
    fill(repo, odd)

    text = repo.run("suggest", "sales", "--print").out

    assert "union" not in text and "days/0.csv:" in text and "days/2.csv:" in text


def test_bounds_come_from_all_files_in_every_version(repo: Repo) -> None:
    fill(repo)
    for n in range(4, 7):
        rows = "".join(f"{n * 50 + at},{at % 3}\n" for at in range(50))
        repo.write(f"sales/days/{n}.csv", f"id,shop\n{rows}")
        repo.run("add", "sales")
        repo.commit()

    text = repo.run("suggest", "sales", "--history", "--print").out

    assert "# from 4 versions of this table\n  'days/*.csv':" in text
    assert "7 files whose names" in text
