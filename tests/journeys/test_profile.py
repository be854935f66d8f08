"""`dvtool profile`, as a person meets it: any file, a data set, its history, its private columns."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from dvtool.core.digest import Digest
from dvtool.ops.check import Wanted, check_datasets
from dvtool.ops.profile_travel import erase_profiles, send_profiles
from dvtool.ops.profiler import pasts_of, portraits_of, unions_of
from dvtool.ops.workspace import Workspace
from tests.journeys.harness import Repo


def table(rows: int = 200, *, seed: int = 1, email: str = "u{}@x.org") -> str:
    """Returns a CSV of people; every 50th has no age."""
    draw = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "age", "state", "email", "born"])
    for number in range(rows):
        age = draw.randrange(18, 90) if number % 50 else ""
        born = f"{1950 + number % 60}-{1 + number % 12:02}-{1 + number % 28:02}"
        state = draw.choice(["KA", "MH", "TN"])
        writer.writerow([number, age, state, email.format(number), born])
    return out.getvalue()


def kept(repo: Repo) -> list[Path]:
    """Returns the profiles that the clone keeps."""
    return sorted((repo.path / ".git" / "dvtool" / "profiles").glob("*/*.json.zst"))


def columns(answer: dict, file: int = 0) -> dict[str, dict]:
    profile = answer["versions"][0]["files"][file]["profile"]
    return {one["name"]: one for one in profile["columns"]}


@pytest.fixture
def folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Repo:
    """A folder in no repository."""
    path = tmp_path / "plain"
    path.mkdir()
    return Repo(path, capfd)


@pytest.fixture
def tracked(repo: Repo) -> Repo:
    repo.write("people.csv", table())
    repo.run("add", "people.csv")
    repo.commit("people")
    return repo


# -- any file --------------------------------------------------------------------------------------


def test_any_file_is_profiled_without_git(folder: Repo) -> None:
    folder.write("new.csv", table())

    lines = folder.run("profile", "new.csv").out.splitlines()

    assert lines[0].startswith("new.csv: 200 rows, 5 columns, ")
    assert lines[1].split() == [
        "column",
        "kind",
        "nulls",
        "distinct",
        "min",
        "mean",
        "max",
        "values",
    ]
    assert lines[2].split() == ["id", "int", "0", "200", "0", "99.5", "199"]
    assert "4 (2.00%)" in lines[3]
    assert lines[6].split()[:5] == ["born", "date", "0", "200", "1950-01-01"]
    assert not list(folder.path.glob(".*"))


def test_figures_are_those_that_the_standard_library_computes(folder: Repo) -> None:
    folder.write("new.csv", table())
    rows = list(csv.DictReader(io.StringIO(table())))
    ages = [int(row["age"]) for row in rows if row["age"]]

    found = columns(folder.run("profile", "new.csv", "--json").json)

    assert found["age"]["nulls"] == len(rows) - len(ages)
    assert found["age"]["distinct"] == len(set(ages))
    assert (found["age"]["min"], found["age"]["max"]) == (min(ages), max(ages))
    assert found["age"]["mean"] == pytest.approx(statistics.mean(ages), rel=1e-9)
    assert found["age"]["std"] == pytest.approx(statistics.stdev(ages), rel=1e-9)
    share = sum(row["state"] == "KA" for row in rows) / len(rows)
    assert {"value": "KA", "share": pytest.approx(share)} in found["state"]["top"]
    assert found["born"]["max"] == max(row["born"] for row in rows)


def test_more_is_said_on_request(folder: Repo) -> None:
    folder.write("new.csv", table())

    out = folder.run("profile", "new.csv", "-v").out

    assert "quantiles: 1% " in out
    assert "length 8 to 10 characters" in out
    assert "shapes A 100.0%" in out


def test_a_folder_is_profiled_file_by_file_with_totals(folder: Repo) -> None:
    for number in range(3):
        folder.write(f"parts/{number}.csv", table(seed=number))
    folder.write("parts/other.csv", "x,y\n1,2\n2,3\n")

    out = folder.run("profile", "parts").out

    assert "parts/0.csv: 200 rows" in out
    assert "parts/other.csv: 2 rows" in out
    assert "parts: 3 files together, 600 rows" in out


def test_a_file_that_is_no_table_is_said_to_be_none(folder: Repo) -> None:
    folder.write("empty.csv", "")

    assert folder.run("profile", "empty.csv").out == "empty.csv: no table, the file has 0 bytes\n"


@pytest.mark.parametrize(
    ("words", "code"),
    [(["none.csv"], 2), ([], 5), (["a.csv", "--rev", "x"], 5), (["--all-history"], 5)],
)
def test_mistakes_are_answered_in_words(folder: Repo, words: list[str], code: int) -> None:
    folder.run("profile", *words, code=code)


# -- in a repository -------------------------------------------------------------------------------


def test_a_file_is_profiled_once_in_its_life(tracked: Repo) -> None:
    first = tracked.run("profile", "people.csv", "--json").json
    tracked.run("mv", "people.csv", "folk.csv")
    tracked.commit("renamed")
    second = tracked.run("profile", "--json").json

    assert first["versions"][0]["files"][0]["is_new"]
    assert not second["versions"][0]["files"][0]["is_new"]
    assert len(kept(tracked)) == 1


def test_check_keeps_the_profile_of_what_it_judges(tracked: Repo) -> None:
    tracked.run("check", "--all")

    (path,) = kept(tracked)
    result = tracked.run("profile", "people.csv", "--json").json
    assert kept(tracked) == [path]
    assert result["versions"][0]["files"][0]["is_new"] is False
    assert columns(result)["id"]["max"] == 199


def test_check_keeps_the_profile_of_a_commit_under_todays_privacy(tracked: Repo) -> None:
    tracked.write("people.csv.checks.yaml", "columns:\n  age: {private: true}\n")

    tracked.run("check", "people.csv", "--rev", "HEAD")

    (path,) = kept(tracked)
    result = tracked.run("profile", "people.csv", "--rev", "HEAD", "--json").json
    assert kept(tracked) == [path]
    assert "max" not in columns(result)["age"]


def test_check_keeps_nothing_where_todays_checks_cannot_be_read(tracked: Repo) -> None:
    tracked.write("people.csv.checks.yaml", "columns:\n  age: {privat: true}\n")

    tracked.run("check", "people.csv", "--rev", "HEAD")

    assert kept(tracked) == []


def test_judged_tables_come_with_their_profile(tracked: Repo) -> None:
    workspace = Workspace.open(tracked.path, environ=dict(os.environ))
    (judged,) = check_datasets(workspace, ["people.csv"], Wanted())
    tracked.write("people.csv", table(250, seed=2))
    (changed,) = check_datasets(workspace, ["people.csv"], Wanted())
    (asked,) = check_datasets(workspace, ["people.csv"], Wanted(profiles=True))

    found = [one.tables[0].profile for one in (judged, changed, asked)]
    assert [one and one.rows for one in found] == [200, None, 250]
    assert len(kept(tracked)) == 1


def test_a_known_profile_loads_no_engine(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    code = (
        "import sys; from dvtool.cli.entry import run; assert run(['profile', 'people.csv']) == 0;"
        "print(sorted({'duckdb', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tracked.path, capture_output=True, check=True, text=True
    )

    assert "as profiled before" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_one_changed_file_of_a_hundred_costs_one_file(repo: Repo) -> None:
    for number in range(100):
        repo.write(f"data/{number:03}.csv", f"a,b\n{number},1\n{number + 1},2\n")
    repo.run("add", "data")
    repo.commit("hundred")
    repo.run("profile", "data")
    before = set(kept(repo))
    repo.write("data/042.csv", "a,b\n7,8\n7,9\n")
    repo.run("add", "data")
    repo.commit("one changed")

    answer = repo.run("profile", "data", "--json").json

    files = answer["versions"][0]["files"]
    assert [one["name"] for one in files if one["is_new"]] == ["data/042.csv"]
    assert (len(before), len(set(kept(repo)) - before)) == (100, 1)
    (total,) = answer["versions"][0]["totals"]
    assert (total["files"], total["rows"]) == (100, 200)
    values = [n + k for n in range(100) for k in (0, 1) if n != 42] + [7, 7]
    assert total["columns"][0]["mean"] == pytest.approx(statistics.mean(values), rel=1e-9)


def test_what_is_not_added_is_profiled_as_it_is_and_not_kept(tracked: Repo) -> None:
    tracked.write("people.csv", table(50))

    out = tracked.run("profile", "people.csv").out

    assert out.startswith("people.csv: 50 rows, 5 columns")
    assert kept(tracked) == []


def test_the_profile_of_a_commit_needs_no_bytes_once_it_is_known(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    commit = tracked.git("rev-parse", "HEAD")
    for path in (tracked.path / ".git/dvtool/store").rglob("*"):
        if path.is_file():
            path.unlink()

    out = tracked.run("profile", "people.csv", "--rev", "HEAD").out

    assert f"people.csv: 200 rows, 5 columns, {len(table()) / 1024:.1f} KiB, {commit[:12]}" in out
    assert "as profiled before" in out


def test_history_is_filled_back_and_what_is_not_here_is_a_gap(tracked: Repo) -> None:
    tracked.run("push")
    clone = tracked.clone("elsewhere")
    clone.write("people.csv", table(70, seed=4))
    clone.run("add", "people.csv")
    clone.commit("shorter")

    lines = clone.run("profile", "--all-history").out.splitlines()

    assert len(lines) == 3
    assert lines[0].endswith(" people.csv: 70 rows, 1 file, 1 profiled now")
    assert "gap, the bytes of 1 of 1 file are not here (dvtool fetch --rev " in lines[1]
    assert lines[2] == "2 versions, 1 gap, 1 file profiled"


def test_a_clone_without_bytes_gets_the_figures_of_every_version_from_the_remote(
    tracked: Repo,
) -> None:
    for rows in (70, 80):
        tracked.write("people.csv", table(rows, seed=rows))
        tracked.run("add", "people.csv")
        tracked.commit(f"{rows} people")
    tracked.run("profile", "--all-history")
    tracked.run("push")
    clone = tracked.clone("elsewhere")

    lines = clone.run("profile", "--all-history").out.splitlines()

    assert [line.split(" people.csv: ")[1].split(",")[0] for line in lines[:3]] == [
        "80 rows",
        "70 rows",
        "200 rows",
    ]
    assert lines[3] == "3 versions, 0 gaps, 0 files profiled"
    assert not (clone.path / "people.csv").exists()


def test_a_gap_is_never_a_zero(tracked: Repo) -> None:
    tracked.run("push")
    clone = tracked.clone("elsewhere")

    answer = clone.run("profile", "--all-history", "--json").json

    (file,) = answer["versions"][0]["files"]
    assert file["is_missing"]
    assert file["profile"] is None
    assert answer["versions"][0]["totals"] == []


def test_a_damaged_profile_is_computed_again(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    (path,) = kept(tracked)
    path.chmod(0o644)
    path.write_bytes(b"not a profile")

    assert "as profiled before" not in tracked.run("profile", "people.csv").out
    assert "as profiled before" in tracked.run("profile", "people.csv").out


def test_other_read_options_are_another_profile(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    tracked.write(
        "people.csv.checks.yaml",
        "columns: {id: {type: int}}\nread: {format: csv, nulls: ['', KA]}\n",
    )

    found = columns(tracked.run("profile", "people.csv", "--json").json)

    assert found["state"]["nulls"] > 0
    assert len(kept(tracked)) == 2


# -- privacy ---------------------------------------------------------------------------------------

CANARY = "canary-7d1e"
CHECKS = "columns:\n  email: {type: text, private: true}\n  born: {type: date, private: true}\n"


def traces(repo: Repo) -> bytes:
    """Returns all that dvtool keeps besides the data, unpacked."""
    import zstandard

    return b"".join(zstandard.decompress(path.read_bytes()) for path in kept(repo))


def test_nothing_of_a_private_column_is_shown_or_kept(repo: Repo) -> None:
    repo.write("people.csv", table(email=CANARY))
    repo.write("people.csv.checks.yaml", CHECKS)
    repo.run("add", "people.csv")
    repo.commit("people")

    for words in (["-v"], ["--json"], ["--all-history"], ["--all-history", "--json"]):
        result = repo.run("profile", *words)
        assert CANARY not in result.out + result.err
        assert "1950-01-01" not in result.out
    assert b"canary" not in traces(repo)


def test_a_column_that_is_private_today_is_private_in_every_version(repo: Repo) -> None:
    repo.write("people.csv", table(email=CANARY))
    repo.run("add", "people.csv")
    repo.commit("people")
    assert CANARY in repo.run("profile", "people.csv").out
    repo.write("people.csv.checks.yaml", CHECKS)
    repo.commit("private from now on")

    for words in (["--rev", "HEAD~1", "-v"], ["--all-history", "--json"], ["--json"]):
        assert CANARY not in repo.run("profile", *words).out


def test_texts_that_occur_once_are_kept_as_tokens_only(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")

    text = traces(tracked)

    assert b"u17@x.org" not in text
    assert json.loads(text)["key_id"] != ""


def test_tokens_differ_between_repositories(make_repo) -> None:
    found = []
    for name in ("one", "two"):
        repo = make_repo(name)
        repo.write("people.csv", table())
        repo.run("add", "people.csv")
        repo.run("profile", "people.csv")
        column = next(one for one in json.loads(traces(repo))["columns"] if one["name"] == "email")
        found.append({key for key, _ in column["texts"]["tally"]["counts"]})

    assert not found[0] & found[1]


# -- travel ----------------------------------------------------------------------------------------


def send(repo: Repo) -> int:
    workspace = Workspace.open(repo.path, environ=dict(os.environ))
    remote = workspace.remote()
    return send_profiles(workspace, remote, remote.snapshot(leaning=True))


def at_remote(repo: Repo) -> list[Path]:
    remote = repo.path.parent / f"{repo.path.name}-remote"
    return sorted(remote.glob("profiles/*/*.json.zst"))


def test_a_commit_is_known_without_its_data(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    tracked.run("push")
    clone = tracked.clone("elsewhere")

    out = clone.run("profile", "people.csv", "--rev", "HEAD").out

    assert out == tracked.run("profile", "people.csv", "--rev", "HEAD").out
    assert "people.csv: 200 rows, 5 columns" in out
    assert len(kept(clone)) == 1


def test_profiles_are_sent_once_and_never_changed(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    tracked.run("push")
    (path,) = at_remote(tracked)
    before = path.read_bytes()

    assert send(tracked) == 0
    assert path.read_bytes() == before


def test_profiles_of_what_the_remote_does_not_have_stay_here(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")

    assert send(tracked) == 0
    assert at_remote(tracked) == []


def test_a_profile_from_before_a_column_was_private_is_not_sent(repo: Repo) -> None:
    import zstandard

    repo.write("people.csv", table(email=CANARY))
    repo.run("add", "people.csv")
    repo.commit("people")
    repo.run("profile", "people.csv")
    repo.write("people.csv.checks.yaml", CHECKS)
    repo.commit("private from now on")
    repo.run("push")
    assert send(repo) == 0
    repo.run("profile", "people.csv")

    assert send(repo) == 1
    (path,) = at_remote(repo)
    assert b"canary" not in zstandard.decompress(path.read_bytes())


def test_a_profile_that_is_damaged_at_the_remote_is_a_gap(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    tracked.run("push")
    send(tracked)
    (path,) = at_remote(tracked)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-5])
    clone = tracked.clone("elsewhere")

    result = clone.run("profile", "people.csv", "--rev", "HEAD")

    assert "people.csv: not here" in result.out
    assert kept(clone) == []


def test_without_a_remote_what_is_not_here_is_a_gap(make_repo) -> None:
    repo = make_repo(remote=None)
    repo.write("people.csv", table())
    repo.run("add", "people.csv")
    repo.commit("people")
    clone = repo.clone("elsewhere")

    assert "people.csv: not here" in clone.run("profile", "--rev", "HEAD").out


def test_profiles_at_a_remote_disturb_nobody(tracked: Repo) -> None:
    tracked.run("profile", "people.csv")
    tracked.run("push")
    send(tracked)
    clone = tracked.clone("elsewhere")

    clone.run("pull")
    clone.run("verify", "--remote", "origin")

    assert clone.read("people.csv") == tracked.read("people.csv")


def test_erasing_a_file_erases_its_profiles_and_what_was_learnt_of_it_here_and_there(
    tracked: Repo,
) -> None:
    tracked.write("other.csv", table(30))
    tracked.run("add", "other.csv")
    tracked.commit("other")
    tracked.run("profile")
    tracked.run("push")
    send(tracked)
    digest = hashlib.sha256(tracked.read("people.csv")).digest()
    workspace = Workspace.open(tracked.path, environ=dict(os.environ))
    remote = workspace.remote()
    other = hashlib.sha256(tracked.read("other.csv")).hexdigest()
    portraits, pasts = portraits_of(workspace), pasts_of(workspace)
    unions = unions_of(workspace)  # of several files, of which one may be erased
    where = ((portraits, digest.hex()), (portraits, other), (pasts, other), (unions, other))
    for folder, name in where:
        folder.put(f"{name}/{'ab' * 32}", b"learnt")

    assert erase_profiles(workspace, remote, remote.snapshot(), [Digest(digest)]) == 1

    assert [one.hex() for one in portraits.digests()] == [other]
    assert len(pasts) == len(unions) == 0
    assert [path.parent.name for path in kept(tracked)] == [other]
    assert [path.parent.name for path in at_remote(tracked)] == [other]


def test_add_profiles_what_it_stores_when_it_is_told_to(repo: Repo) -> None:
    repo.write("a.csv", "x\n1\n2\n")
    repo.run("add", "a.csv")
    before = list((repo.path / ".git/dvtool").glob("profiles/*/*"))
    repo.run("config", "profile.on-add", "true")
    repo.write("b.csv", "x\n1\n2\n3\n")

    repo.run("add", "b.csv")

    assert before == []
    assert len(list((repo.path / ".git/dvtool").glob("profiles/*/*"))) == 1
    assert "as profiled before" in repo.run("profile", "b.csv").out


def test_add_keeps_what_it_stored_when_profiling_fails(repo: Repo) -> None:
    repo.run("config", "profile.on-add", "true")
    repo.write("a.csv", "x\n1\n2\n")
    repo.write("a.csv.checks.yaml", "colums: {}\n")

    result = repo.run("add", "a.csv")

    assert "stored, and not profiled" in result.err
    assert (repo.path / "a.csv.dvt").is_file()
