"""`union: true`: the files of a glob judged, compared, profiled and followed as one table."""

from __future__ import annotations

import random
import shutil

import pyarrow
import pyarrow.parquet
import pytest

from tests.journeys.cihost import Host
from tests.journeys.harness import Repo

CHECKS = """\
tables:
  'days/*.csv':
    union: true
    key: [id]
    rows: {min: 500}
    columns:
      id: {type: int}
      shop: {in: [A, B, C]}
      price: {min: 0, drift: {psi: 0.25}}
"""
ROWS = 150


def day(number: int, *, mean: float = 20, **cells: str) -> str:
    """Returns the file of a day; `n4="7,A,1.00"` replaces its fifth row."""
    draw = random.Random(number)
    lines = [
        cells.get(
            f"n{n}", f"{number * 1000 + n},{draw.choice('ABC')},{abs(draw.gauss(mean, 5)):.2f}"
        )
        for n in range(ROWS)
    ]
    return "\n".join(["id,shop,price", *lines, ""])


def name(number: int) -> str:
    return f"sales/days/{number:02}.csv"


def fill(repo: Repo, days: int = 6) -> str:
    for number in range(days):
        repo.write(name(number), day(number))
    repo.write("sales/readme.md", "the days\n")
    repo.write("sales.checks.yaml", CHECKS)
    repo.run("add", "sales")
    return repo.commit()


@pytest.fixture
def sales(repo: Repo) -> Repo:
    fill(repo)
    return repo


def table(found: dict) -> dict:
    """Returns the one table of a judgement in JSON."""
    (one,) = [one for one in found["judgements"][0]["tables"] if one["is_table"]]
    return one


def codes(found: dict) -> dict[str, dict]:
    return {one["code"]: one for one in table(found)["findings"]}


def test_all_files_are_one_table(sales: Repo) -> None:
    found = sales.run("check", "sales", "--json").json

    one = table(found)
    assert (one["name"], one["rows"], one["columns"]) == ("sales/days/*.csv", 6 * ROWS, 3)
    assert one["reading"] == "6 files of csv comma"


def test_a_key_that_comes_again_in_another_file_fails_with_both_places(sales: Repo) -> None:
    sales.write(name(6), day(6, n3="2007,A,19.00"))

    result = sales.run("check", "sales", code=1)

    assert "sales/days/02.csv:9 2 of 1050 rows share their key (id) [key]" in result.out
    assert "line 9: '2007', sales/days/06.csv:5: '2007'" in result.out


def test_a_bad_row_is_told_by_its_own_file_and_line(sales: Repo) -> None:
    sales.write(name(6), day(6, n0="6000,Z,3.00"))

    result = sales.run("check", "sales", code=1)

    assert "sales/days/06.csv:2 shop: 1 of 1050 values not one of A, B, C [in]" in result.out


def test_bounds_hold_for_all_files_together(sales: Repo) -> None:
    sales.write("sales.checks.yaml", CHECKS.replace("min: 500", "min: 901"))

    found = sales.run("check", "sales", "--json", code=1).json

    assert codes(found)["rows"]["message"] == "900 rows, allowed at least 901"


def test_a_new_file_is_compared_with_the_baseline_undiluted(sales: Repo) -> None:
    sales.write(name(6), day(6, mean=40))
    sales.run("add", "sales")

    found = sales.run("check", "sales", "--staged", "--json", code=1).json

    one = codes(found)["psi"]
    assert one["figures"]["rows"] == [6 * ROWS, ROWS]
    assert "what is new or changed, 1 of 7 files (sales/days/06.csv)" in one["hint"]


def test_a_changed_file_is_compared_with_what_it_was(sales: Repo) -> None:
    sales.write(name(2), day(2, mean=40))

    found = sales.run("check", "sales", "--json", code=1).json

    assert codes(found)["psi"]["figures"]["rows"] == [ROWS, ROWS]


def test_what_a_small_new_file_leaves_open_the_whole_table_decides(sales: Repo) -> None:
    sales.write(name(6), "\n".join(day(6).splitlines()[:31]) + "\n")
    sales.run("add", "sales")

    found = sales.run("check", "sales", "--staged", "--json").json

    (price,) = [one for one in table(found)["drift"] if one["column"] == "price"]
    assert price["rows"] == [6 * ROWS, 6 * ROWS + 30] and price["decision"] == "pass"


def test_files_that_are_as_they_were_drift_from_nothing(sales: Repo) -> None:
    sales.write("sales/readme.md", "another text\n")
    sales.run("add", "sales")

    found = sales.run("check", "sales", "--staged", "--json").json

    assert "this file is as it was" in table(found)["baseline"]["why"]
    assert not table(found)["drift"]


def test_a_file_that_is_gone_is_missed(sales: Repo) -> None:
    (sales.path / name(2)).unlink()
    sales.run("add", "sales")

    found = sales.run("check", "sales", "--staged", "--json").json

    assert codes(found)["files-removed"]["message"] == (
        "150 rows lost with 1 of 6 files (sales/days/02.csv), which "
        + table(found)["baseline"]["name"]
        + " has"
    )
    assert not {"truncated", "psi"} & set(codes(found))


def test_a_file_of_the_table_names_the_table(sales: Repo) -> None:
    sales.write(name(6), day(6, n0="6000,Z,3.00"))

    found = sales.run("check", name(1), "--json", code=1).json

    assert table(found)["name"] == "sales/days/*.csv" and "in" in codes(found)


def test_only_changed_files_are_profiled_anew(sales: Repo) -> None:
    def write(number: int) -> None:
        rows = [number * 100 + n for n in range(100)]
        path = sales.write(f"sales/parts/{number}.parquet", b"")
        pyarrow.parquet.write_table(pyarrow.table({"id": rows}), path)

    for number in range(6):
        write(number)
    sales.write("sales.checks.yaml", "tables: {'parts/*.parquet': {union: true, key: [id]}}\n")
    sales.run("add", "sales")
    sales.run("check", "sales", "--all")
    folder = sales.path / ".git/dvtool/profiles"
    before = {one for one in folder.rglob("*") if one.is_file()}
    write(6)
    sales.run("add", "sales")
    sales.run("check", "sales", "--staged")

    new = {one for one in folder.rglob("*") if one.is_file()} - before

    assert len(before) >= 6
    assert len(new) == 1


def test_the_whole_is_known_by_its_files_profiles_where_bytes_are_away(sales: Repo) -> None:
    sales.write(name(6), day(6, mean=40))
    sales.run("add", "sales")
    sales.commit()
    sales.run("profile", "--all-history", "sales")
    shutil.rmtree(sales.path / ".git/dvtool/store")
    text = "tables:\n  'days/*.csv': {union: true, columns: {price: {max: 30}}}\n"
    sales.write("sales.checks.yaml", text)

    found = sales.run("check", "--since", "HEAD~1", "sales", "--json", code=1).json

    assert [one["how"] for one in found["versions"]] == ["profiles", "profiles"]
    assert [one["name"] for one in found["began"]] == ["sales/days/*.csv: price.max"]


def test_since_unites_by_the_checks_of_today(sales: Repo) -> None:
    sales.write("sales.checks.yaml", "tables: {'days/*.csv': {rows: {min: 1}}}\n")
    sales.write(name(6), day(6, n3="2007,A,19.00"))
    sales.run("add", "sales")
    sales.commit()
    sales.write("sales.checks.yaml", CHECKS)

    found = sales.run("check", "--since", "HEAD~1", "sales", "--json", code=1).json

    assert [one["verdict"] for one in found["versions"]] == ["fail", "pass"]
    assert [one["name"] for one in found["began"]] == ["sales/days/*.csv: key"]


def test_an_appended_file_is_judged_by_the_files_before_it(repo: Repo) -> None:
    fill(repo, days=9)
    short = "\n".join(day(9).splitlines()[:20]) + "\n"
    repo.write(name(9), short)

    found = repo.run("check", "sales", "--json").json

    told = [one for one in table(found)["findings"] if one["evidence"] == "history"]
    assert told and {one["place"]["path"] for one in told} == {name(9)}
    assert any("number of rows is 19" in one["message"] for one in told)


def test_what_fails_can_be_accepted_for_the_version(sales: Repo) -> None:
    sales.write(name(6), day(6, n0="6000,Z,3.00"))
    sales.run("add", "sales")
    sales.run("check", "sales", "--staged", code=1)
    sales.run("allow", "sales", "--exception", "--reason", "a shop that closed")

    found = sales.run("check", "sales", "--json").json

    assert codes(found)["in"]["waived"] is True


def test_another_table_may_be_one_of_many_files(sales: Repo) -> None:
    sales.write("sales/returns.csv", "sale\n1005\n5149\n777\n")
    sales.write(
        "sales.checks.yaml",
        CHECKS + "  returns.csv: {columns: {sale: {in_table: 'days/*.csv:id'}}}\n",
    )
    sales.run("add", "sales")
    sales.git("add", "sales.checks.yaml")

    result = sales.run("check", "sales", "--staged", code=1)

    assert "sales/returns.csv:4 sale: 1 value does not occur in days/*.csv, column id" in result.out


def test_a_single_file_of_the_table_may_be_named_by_another(sales: Repo) -> None:
    sales.write("sales/returns.csv", "sale\n1005\n777\n")
    sales.write(
        "sales.checks.yaml",
        CHECKS + "  returns.csv: {columns: {sale: {in_table: 'days/01.csv:id'}}}\n",
    )
    sales.run("add", "sales")
    sales.git("add", "sales.checks.yaml")
    (sales.path / name(1)).unlink()  # what is staged is held against what is staged

    result = sales.run("check", "sales", "--staged", code=1)

    assert "1 value does not occur in days/01.csv, column id" in result.out


def test_a_folder_outside_of_any_repository_is_united_as_well(repo: Repo) -> None:
    outside = repo.at(repo.path.parent / "outside")
    outside.path.mkdir()
    for number in range(6):
        outside.write(name(number), day(number))
    outside.write("sales.checks.yaml", CHECKS)

    assert "sales/days/*.csv: pass (900 rows" in outside.run("check", "sales").out


def test_a_folder_is_compared_with_a_folder(sales: Repo) -> None:
    shutil.copytree(sales.path / "sales", sales.path / "old")
    sales.write(name(6), day(6, mean=40))

    found = sales.run("check", "sales", "--baseline", "old", "--json", code=1).json

    assert codes(found)["psi"]["figures"]["rows"] == [6 * ROWS, ROWS]


def test_union_without_a_glob_is_refused(sales: Repo) -> None:
    sales.write("sales.checks.yaml", "tables: {days/01.csv: {union: true, key: [id]}}\n")
    inside = sales.run("check", "sales", code=4)
    sales.write("one.csv", "id\n1\n")
    sales.write("one.csv.checks.yaml", "union: true\nkey: [id]\n")
    alone = sales.run("check", "one.csv", code=4)

    assert "days/01.csv is one file, so nothing is united" in inside.err
    assert "one.csv.checks.yaml:1" in alone.err and "below a glob" in alone.err


def test_a_report_shows_the_table_with_its_past(sales: Repo) -> None:
    sales.write(name(6), day(6))
    sales.run("add", "sales")
    sales.commit()
    sales.run("check", "sales", "--all", "--report", "page")

    page = (sales.path / "page/index.html").read_text()

    assert "sales/days/*.csv" in page and "1,050" in page


def test_ci_brings_and_judges_all_files_of_a_table_of_which_one_changed(
    tmp_path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "storage").mkdir()
    host = Host(tmp_path, capfd, (tmp_path / "storage/data").as_uri())
    fill(host.dev)
    host.publish()
    host.switch("more", start="main")
    host.dev.write(name(6), day(6, n3="2007,A,19.00"))
    host.dev.run("add", "sales")
    host.dev.commit()
    host.publish()

    result = host.clone("more").run("ci", "--base", "origin/main", code=1)

    assert "2 of 1050 rows share their key (id) [key]" in result.out
    assert "sales/days/06.csv:5: '2007'" in result.out


def test_ci_leaves_a_table_alone_of_which_no_file_changed(
    tmp_path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "storage").mkdir()
    host = Host(tmp_path, capfd, (tmp_path / "storage/data").as_uri())
    fill(host.dev)
    host.publish()
    host.switch("more", start="main")
    host.dev.write("sales/extra.csv", "a\n1\n")
    host.dev.run("add", "sales")
    host.dev.commit()
    host.publish()

    result = host.clone("more").run("ci", "--base", "origin/main", "--json")

    tables = [one["name"] for one in result.json["judgements"][0]["tables"]]
    assert tables == ["sales/extra.csv"] and result.json["settled"] == 7


def test_a_table_is_no_part_of_a_past_that_a_person_names(sales: Repo) -> None:
    result = sales.run("check", "sales", "--history", "sales/days/*.csv", code=2)

    assert "no table at sales/days/*.csv" in result.err
