"""`import dvtool`: what it gives, what it costs, and what it says when something is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import dvtool
from dvtool.errors import InvalidText, NoRepository, UnknownRevision, UsageError
from tests.journeys.harness import Repo
from tests.reach.conftest import table


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys, dvtool; before = set(sys.modules); dvtool.open;"
        "assert not {m for m in before if m.startswith('dvtool.')}, before;"
        "heavy = {'pandas', 'pyarrow', 'duckdb', 's3fs', 'fsspec', 'numpy', 'click', 'jinja2'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there_and_documented() -> None:
    for name in dvtool.__all__:
        assert getattr(dvtool, name)
        assert name == "__version__" or getattr(dvtool, name).__doc__
    with pytest.raises(AttributeError, match="nothing"):
        dvtool.nothing  # noqa: B018


def test_files_are_opened_as_bytes_and_as_text(published: Repo) -> None:
    with dvtool.open("dvt://v1@t.csv") as raw, dvtool.open("dvt://v1@t.csv", "r") as text:
        assert raw.readline() == b"id,price,city\n"
        assert text.readline() == "id,price,city\n"
        assert raw.seek(0, 2) == len(table(100))
    with pytest.raises(UsageError, match="only read"):
        dvtool.open("dvt://v1@t.csv", "wb")


def test_a_local_path_has_the_files_own_name_and_bytes(published: Repo) -> None:
    path = dvtool.local_path("dvt://v1@t.csv")

    assert path.name == "t.csv"
    assert path.read_text() == table(100)
    assert dvtool.local_path("dvt://v1@t.csv") == path
    assert not path.stat().st_mode & 0o222
    assert dvtool.local_path("dvt://v2@t.csv").read_text() == table(120, 2)


def test_a_large_file_is_linked_not_copied(
    make_repo: Callable[..., Repo], at: Callable[[Path], None]
) -> None:
    repo = make_repo()
    at(repo.path)
    repo.write("big.bin", b"x" * (2 << 20))
    repo.run("add", "big.bin")
    repo.commit()

    path = dvtool.local_path("dvt://HEAD@big.bin")

    assert path.is_symlink()
    assert path.stat().st_size == 2 << 20
    assert dvtool.Repository(rev="HEAD").local_path("big.bin") == path


@pytest.mark.parametrize("as_", ["pandas", "arrow", "polars"])
def test_tables_are_read_with_kinds_fixed_once(published: Repo, as_: str) -> None:
    if as_ == "polars":
        pytest.importorskip("polars")

    found = dvtool.read_table("dvt://v1@t.csv", as_=as_, columns=["price", "id"])

    names = list(found.columns) if as_ != "arrow" else found.column_names
    assert names == ["price", "id"]
    assert len(found) == 100
    assert sum(found["id"].to_pylist() if as_ == "arrow" else found["id"]) == 4950


def test_a_table_is_read_as_the_checks_of_its_version_say(published: Repo) -> None:
    published.write("euro.csv", b"id;price\n1;NONE\n2;3,5\n")
    published.write("parts/a.csv", b"x\n1\nNONE\n")
    published.run("add", "euro.csv", "parts")
    reading = "{delimiter: ';', decimal: ',', nulls: [NONE]}"
    published.write("euro.csv.checks.yaml", f"read: {reading}\nrows: {{min: 1}}\n".encode())
    published.write(
        "parts.checks.yaml",
        b"tables: {'*.csv': {read: {nulls: [NONE]}, rows: {min: 1}}}\n",
    )
    published.commit("read so")
    published.git("tag", "told")
    published.write("euro.csv.checks.yaml", b"rows: {min: 1}\n")

    told = dvtool.read_table("dvt://told@euro.csv", as_="arrow")
    part = dvtool.read_table("dvt://told@parts/a.csv", as_="arrow")
    now = dvtool.read_table("dvt://euro.csv", as_="arrow")

    assert told.to_pydict() == {"id": [1, 2], "price": [None, 3.5]}
    assert part.to_pydict() == {"x": [1, None]}
    assert now["price"].to_pylist() == ["NONE", "3,5"]  # a text among numbers


def test_checks_that_cannot_be_read_are_named(published: Repo) -> None:
    published.write("t.csv.checks.yaml", b"colums: {}\n")

    with pytest.raises(InvalidText, match="colums"):
        dvtool.read_table("dvt://t.csv")


def test_mistakes_are_told_in_our_words(published: Repo, tmp_path: Path) -> None:
    published.write("notes.csv", b"")
    published.run("add", "notes.csv")
    published.commit()

    with pytest.raises(UnknownRevision, match="no column 'nope'"):
        dvtool.read_table("dvt://v1@t.csv", columns=["nope"])
    with pytest.raises(UsageError, match="no kind of table"):
        dvtool.read_table("dvt://v1@t.csv", as_="excel")  # type: ignore[arg-type]
    with pytest.raises(InvalidText, match="0 bytes"):
        dvtool.read_table("dvt://HEAD@notes.csv")
    with pytest.raises(UnknownRevision, match="is a folder"):
        dvtool.open("dvt://v1@d")
    with pytest.raises(NoRepository):
        dvtool.Repository(tmp_path)
    with pytest.raises(UnknownRevision):
        dvtool.Repository(rev="v9")


def test_a_repository_tells_its_data_sets_and_versions(published: Repo) -> None:
    repository = dvtool.Repository(rev="v1")

    assert repository.commit == published.git("rev-parse", "v1")
    assert [one.path for one in repository.datasets()] == ["d", "t.csv"]
    one = repository.dataset("d")
    assert one.files == ("d/more/part.csv", "d/part.parquet")
    assert one.size_bytes == sum(len(repository.open(path).read()) for path in one.files)
    assert [line.subject for line in dvtool.Repository(rev="v2").versions("t.csv")] == ["v2", "v1"]


def test_a_repository_profiles_diffs_checks_and_does_verbs(published: Repo) -> None:
    repository = dvtool.Repository(rev="v2")

    fetched = repository.fetch()
    profile = repository.profile("t.csv")
    changed = repository.diff("v1")
    report = repository.check("t.csv")

    assert fetched.fetched == 2  # the two CSV files hold the same bytes
    assert profile.rows == 120
    assert [one.dataset for one in changed.changes] == ["d", "t.csv"]
    assert "t.csv" in changed._repr_html_()
    dvtool.Repository(rev="v1").fetch("t.csv")
    deeper = repository.diff("v1", "t.csv", rows=1, statistics=True).report
    assert deeper.datasets[0].files[0].table.changed == 99  # 0 times anything is 0
    assert deeper.datasets[0].files[0].shifts[0].column == "price"
    assert not repository.diff("v2")
    assert report.judgements[0].name == "t.csv"
    assert report._repr_html_().startswith('<iframe sandbox srcdoc="')
    assert repository.read_table("t.csv")["price"].sum() == 2 * 120 * 119 / 2 + 60
    assert [one.dataset for one in repository.checkout()] == ["d", "t.csv"]
    assert dvtool.Repository().status().datasets
