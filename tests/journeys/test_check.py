"""`dvtool check`, as a person meets it: any file, the work tree, what is staged, any commit."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.harness import Repo, Result

GOOD_CHECKS = """\
columns:
  id: {type: int, unique: true}
  age: {type: int, min: 0, max: 120, nulls: 0}
  state: {type: text, in: [KA, MH, TN]}
key: [id]
rows: {min: 10}
"""


def table(rows: int = 300, *, seed: int = 1, **changes: dict[int, str]) -> str:
    """Returns a CSV of people; `age={3: "x"}` puts a value into the fourth row."""
    draw = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["id", "age", "state"])
    for number in range(rows):
        row = {
            "id": str(number),
            "age": str(draw.randrange(18, 90)),
            "state": draw.choice(["KA", "MH", "TN"]),
        }
        for column, values in changes.items():
            row[column] = values.get(number, row[column])
        writer.writerow(row.values())
    return out.getvalue()


# -- any file, without git -----------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Repo:
    """A folder in no repository."""
    path = tmp_path / "plain"
    path.mkdir()
    return Repo(path, capfd)


def test_any_file_is_judged_without_git_or_configuration(folder: Repo) -> None:
    folder.write("new.csv", table())

    result = folder.run("check", "new.csv")

    assert result.out.startswith("new.csv: pass (300 rows, 3 columns, csv comma)\n")
    assert "would decide more: checks of your own (dvtool suggest new.csv" in result.out


def test_a_broken_file_fails_with_the_line(folder: Repo) -> None:
    folder.write("new.csv", table() + "300,20,KA,extra\n")

    result = folder.run("check", "new.csv", code=1)

    assert "fail      new.csv:302 " in result.out
    assert "[ragged-rows]" in result.out


def test_a_cut_file_is_one_finding_that_tells_the_rows_it_lost(folder: Repo) -> None:
    whole = table(1000)
    folder.write("old.csv", whole)
    folder.write("new.csv.gz", gzip.compress(whole[: len(whole) // 4].encode())[:-8])

    found = folder.run("check", "new.csv.gz", "--baseline", "old.csv", "--json", code=1).json

    findings = found["judgements"][0]["tables"][0]["findings"]
    (told,) = [one for one in findings if one["verdict"] != "pass"]
    assert told["code"] == "truncated"
    assert "the gzip data ends in the middle" in told["message"]
    assert "fewer than old.csv" in told["message"]


def test_a_file_cut_at_a_line_end_is_told_by_the_baseline_it_is_the_beginning_of(
    folder: Repo,
) -> None:
    lines = table(1000).splitlines(keepends=True)
    folder.write("old.csv", "".join(lines))
    folder.write("new.csv", "".join(lines[:901]))
    folder.write("less.csv", "".join([*lines[:400], *lines[401:901]]))

    cut = folder.run("check", "new.csv", "--baseline", "old.csv").out
    less = folder.run("check", "less.csv", "--baseline", "old.csv").out

    assert (
        "warn      new.csv:901 these are exactly the first 900 rows of old.csv, as of a file cut off at a "
        "line end: the 100 rows after them lost [truncated]"
    ) in cut
    assert "truncated" not in less


def test_a_file_cut_to_less_than_half_at_a_line_end_is_one_finding(folder: Repo) -> None:
    lines = table(1000).splitlines(keepends=True)
    folder.write("old.csv", "".join(lines))
    folder.write("new.csv", "".join(lines[:301]))

    found = folder.run("check", "new.csv", "--baseline", "old.csv", "--json").json

    findings = found["judgements"][0]["tables"][0]["findings"]
    (told,) = [
        one for one in findings if one["evidence"] == "structure" and one["verdict"] != "pass"
    ]
    assert told["code"] == "truncated"
    assert told["message"].endswith(
        "the 700 rows after them lost; 300 rows, 700 (70%) fewer than old.csv"
    )


def test_a_baseline_shows_what_changed_in_plain_words(folder: Repo) -> None:
    folder.write("old.csv", table(2000))
    ages = {number: str(10 * (20 + number % 60)) for number in range(0, 2000, 4)}
    folder.write("new.csv", table(2000, seed=2, age=ages))

    result = folder.run("check", "new.csv", "--baseline", "old.csv")

    assert "new.csv: warn" in result.out
    assert "compared with old.csv, given as a file" in result.out
    assert "multiplied by 10" in result.out
    assert "retrain" not in result.out


def test_a_removed_column_fails_and_an_added_one_warns(folder: Repo) -> None:
    folder.write("old.csv", "a,b\n1,2\n3,4\n")
    folder.write("less.csv", "a\n1\n3\n")
    folder.write("more.csv", "a,b,c\n1,2,x\n3,4,y\n")

    assert (
        "[column-removed]" in folder.run("check", "less.csv", "--baseline", "old.csv", code=1).out
    )
    assert "warn" in folder.run("check", "more.csv", "--baseline", "old.csv").out


def test_whole_numbers_written_as_floats_fail_and_first_decimals_warn(folder: Repo) -> None:
    folder.write("old.csv", "size\n12\n16\n8\n")
    folder.write("writer.csv", "size\n12.0\n16.0\n9.0\n")
    folder.write("prices.csv", "size\n12\n16.5\n9\n")

    found = folder.run("check", "writer.csv", "--baseline", "old.csv", code=1).out
    assert "size: int became float [column-retyped]" in found
    found = folder.run("check", "prices.csv", "--baseline", "old.csv").out
    assert "size: int became float: 1 of 3 values have decimals [column-retyped]" in found


def test_the_same_bytes_again_are_told(folder: Repo) -> None:
    folder.write("old.csv", table())
    folder.write("new.csv", table())

    assert "[same-data]" in folder.run("check", "new.csv", "--baseline", "old.csv").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["none.csv"], 2, "cannot judge none.csv: no such file"),
        (["a.csv", "--baseline", "none.csv"], 2, "no baseline at none.csv"),
        ([], 5, "git"),
        (["a.csv", "--staged"], 5, "git"),
    ],
)
def test_mistakes_are_answered_in_words(folder: Repo, words, code, said) -> None:
    folder.write("a.csv", table())

    assert said in folder.run("check", *words, code=code).err


def test_a_folder_is_judged_file_by_file_also_as_a_dot(folder: Repo) -> None:
    folder.write("a.csv", table())
    folder.write("b.csv", "x\n1\n")

    found = folder.run("check", ".").out

    assert "./a.csv: pass (300 rows, 3 columns" in found
    assert "./b.csv: pass (1 row, 1 column" in found
    assert found.endswith("2 tables: 2 pass\n")


def test_an_empty_file_fails(folder: Repo) -> None:
    folder.write("a.csv", "")

    assert "[empty-file]" in folder.run("check", "a.csv", code=1).out


def test_checks_beside_the_file_are_used_and_name_their_line(folder: Repo) -> None:
    folder.write("a.csv", table(age={1: "", 7: "200"}))
    folder.write("a.csv.checks.yaml", GOOD_CHECKS)

    result = folder.run("check", "a.csv", code=1)

    assert "a.csv:3 age: 1 of 300 values missing, allowed 0" in result.out
    assert "(a.csv.checks.yaml:3)" in result.out
    assert "a.csv:9 age:" in result.out


def test_a_typo_in_checks_is_exit_4_with_file_line_and_a_proposal(folder: Repo) -> None:
    folder.write("a.csv", table())
    folder.write("a.csv.checks.yaml", "columns:\n  age: {type: int, mni: 0}\n")

    result = folder.run("check", "a.csv", code=4)

    assert "a.csv.checks.yaml:2" in result.err
    assert "min" in result.err


def test_a_check_that_cannot_run_is_undecided(folder: Repo) -> None:
    folder.write("a.csv", table())
    folder.write("a.csv.checks.yaml", "schema: schemas.py:Train\n")

    result = folder.run("check", "a.csv", "--no-python", code=11)

    assert "undecided" in result.out


def test_json_has_verdict_findings_and_figures(folder: Repo) -> None:
    folder.write("a.csv", table(age={1: ""}))
    folder.write("a.csv.checks.yaml", GOOD_CHECKS)

    answer = folder.run("check", "a.csv", "--json", code=1).json

    assert answer["verdict"] == "fail"
    (judged,) = answer["judgements"]
    (found,) = judged["tables"][0]["findings"]
    assert found["code"] == "nulls"
    assert found["place"] == {"path": "a.csv", "line": 3, "row": 2}
    assert found["rule"] == {"path": "a.csv.checks.yaml", "line": 3, "row": 0}


def test_nothing_of_a_private_column_is_ever_shown(folder: Repo) -> None:
    canary = "canary-5f2c"
    folder.write("old.csv", table(state=dict.fromkeys(range(0, 300, 2), f"{canary}-old")))
    folder.write(
        "a.csv",
        table(state={5: canary, 6: f"{canary}-x", **dict.fromkeys(range(9, 250), f"{canary}-new")}),
    )
    folder.write(
        "a.csv.checks.yaml",
        "columns:\n  state: {type: text, private: true, in: [KA], matches: '[A-Z]+', unique: true}\n",
    )

    for options in ([], ["-v"], ["--json"]):
        result = folder.run("check", "a.csv", "--baseline", "old.csv", *options, code=1)

        assert canary not in result.out + result.err
        assert "state" in result.out


# -- in a repository -----------------------------------------------------------------------------


@pytest.fixture
def tracked(repo: Repo) -> Repo:
    repo.write("people.csv", table())
    repo.write("people.csv.checks.yaml", GOOD_CHECKS)
    repo.run("add", "people.csv")
    repo.commit("people")
    return repo


def test_what_is_as_in_head_is_judged_only_on_request(tracked: Repo) -> None:
    assert "no data set differs from HEAD" in tracked.run("check").out
    assert "people.csv: pass" in tracked.run("check", "--all").out
    assert "people.csv: pass" in tracked.run("check", "people.csv").out


def test_a_change_on_disk_is_judged_against_the_committed_version(tracked: Repo) -> None:
    head = tracked.git("rev-parse", "HEAD")[:12]
    tracked.write("people.csv", table(age={4: "-3"}))

    result = tracked.run("check", code=1)

    assert "work tree" in result.out
    assert f"compared with people.csv@{head}" in result.out
    assert "people.csv:6 age:" in result.out


def test_good_data_staged_and_the_work_tree_spoilt(tracked: Repo) -> None:
    tracked.write("people.csv", table(seed=3))
    tracked.run("add", "people.csv")
    tracked.write("people.csv", table(age={4: "-3"}))

    assert "people.csv: pass" in tracked.run("check", "--staged").out
    tracked.run("check", code=1)


def test_bad_data_staged_and_the_work_tree_good(tracked: Repo) -> None:
    tracked.write("people.csv", table(age={4: "-3"}))
    tracked.run("add", "people.csv")
    tracked.write("people.csv", table(seed=3))

    assert "staged" in tracked.run("check", "--staged", code=1).out
    tracked.run("check", "people.csv")


def test_checks_are_those_of_the_judged_version(tracked: Repo) -> None:
    tracked.write("people.csv.checks.yaml", GOOD_CHECKS.replace("max: 120", "max: 20"))

    tracked.run("check", "--staged", "people.csv")
    tracked.run("check", "people.csv", code=1)
    tracked.run("check", "people.csv", "--rev", "HEAD")


def test_any_commit_can_be_judged(tracked: Repo) -> None:
    tracked.write("people.csv", table(age={4: "-3"}))
    tracked.run("add", "people.csv")
    bad = tracked.commit("bad")
    tracked.write("people.csv", table(seed=5))
    tracked.run("add", "people.csv")
    tracked.commit("good again")

    assert bad[:12] in tracked.run("check", "--rev", bad, code=1).out
    tracked.run("check", "--rev", "HEAD")


def test_bytes_that_are_not_here_are_asked_for(tracked: Repo) -> None:
    tracked.run("push")
    clone = tracked.clone("elsewhere")

    assert "dvtool fetch" in clone.run("check", "--rev", "HEAD", code=6).err


def test_a_directory_is_judged_file_by_file_and_other_files_are_not_tables(repo: Repo) -> None:
    repo.write("data/a.csv", table())
    repo.write("data/b.csv", table(seed=2, age={3: "x"}))
    repo.write("data/notes.md", "# notes\n")
    repo.write("data.checks.yaml", "tables:\n  '*.csv':\n    columns: {age: {type: int, min: 0}}\n")
    repo.run("add", "data")
    repo.git("add", "data.checks.yaml")

    result = repo.run("check", "--staged", code=1)

    assert "data/a.csv: pass" in result.out
    assert "data/b.csv: fail" in result.out
    assert "2 tables" in result.out or "1 fail" in result.out


def test_a_table_that_the_checks_name_and_nobody_added_fails(repo: Repo) -> None:
    repo.write("data/a.csv", table())
    repo.write("data.checks.yaml", "tables:\n  gone.csv:\n    rows: {min: 1}\n")
    repo.run("add", "data")
    repo.git("add", "data.checks.yaml")

    assert "[table-missing]" in repo.run("check", "--staged", code=1).out


def test_a_known_verdict_loads_no_engine(tracked: Repo) -> None:
    tracked.run("check", "people.csv")
    code = (
        "import sys; from dvtool.cli.entry import run; assert run(['check', 'people.csv']) == 0;"
        "print(sorted({'duckdb', 'pandas', 'pyarrow', 'numpy'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tracked.path, capture_output=True, check=True, text=True
    )

    assert "as judged before" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_other_checks_are_another_verdict(tracked: Repo) -> None:
    tracked.run("check", "people.csv")
    tracked.write("people.csv.checks.yaml", GOOD_CHECKS.replace("max: 120", "max: 20"))

    assert "as judged before" not in tracked.run("check", "people.csv", code=1).out


def test_suggested_checks_accept_what_they_came_from(tracked: Repo) -> None:
    (tracked.path / "people.csv.checks.yaml").unlink()

    wrote = tracked.run("suggest", "people.csv").out

    assert "wrote " in wrote
    text = tracked.read("people.csv.checks.yaml").decode()
    assert "age: {type: int" in text
    assert "# int in one version" in text
    assert "people.csv: pass" in tracked.run("check", "people.csv").out
    assert "has checks for this table already" in tracked.run("suggest", "people.csv", code=9).err


def test_the_words_in_lists_of_records_are_suggested(folder: Repo) -> None:
    turns = [["system", "user"], ["user"], [], ["user", "system", "user"]]
    records = [
        {"id": n, "messages": [{"role": role, "text": f"{role} {n}"} for role in turns[n % 4]]}
        for n in range(200)
    ]
    folder.write("chats.jsonl", "".join(json.dumps(one) + "\n" for one in records))

    folder.run("suggest", "chats.jsonl")

    text = folder.read("chats.jsonl.checks.yaml").decode()
    assert "'messages[].role': {type: list, in: [system, user], nulls: " in text
    assert "'messages[].text': {type: list, nulls: " in text
    records[5]["messages"][0]["role"] = "usr"
    folder.write("chats.jsonl", "".join(json.dumps(one) + "\n" for one in records))
    assert "[in]" in folder.run("check", "chats.jsonl", code=1).out


def unexplained(text: str) -> list[str]:
    """Returns the lines of a checks file that say something and have no comment above."""
    lines = [line.strip() for line in text.splitlines()]
    return [
        line
        for above, line in itertools.pairwise(["", *lines])
        if not line.startswith("#")
        and line not in ("", "tables:", "columns:", "rules:")
        and not above.startswith("#")
    ]


SCHEMA = """\
import pandera.pandas as pa

People = pa.DataFrameSchema(
    {"id": pa.Column(int, unique=True), "age": pa.Column(int, pa.Check.gt(0), nullable=True)},
    strict=True,
)
"""


def test_every_suggested_line_says_why(repo: Repo) -> None:
    for seed in range(6):
        repo.write("data/people.csv", table(300, seed=seed))
        repo.write("data/visits.jsonl", '{"day": "2026-01-02", "n": 1}\n' * 20)
        repo.run("add", "data")
        repo.commit()
    repo.write("plain.csv", table())
    repo.write("schemas.py", SCHEMA)

    folder = repo.run("suggest", "data", "--history", "--print").out
    plain = repo.run("suggest", "plain.csv", "--print").out
    converted = repo.run("suggest", "--from", "schemas.py:People", "plain.csv", "--print").out

    assert "people.csv:\n" in folder and "visits.jsonl:\n" in folder and "read: {" in plain
    assert "rules:\n" in converted and "other_columns: fail\n" in converted
    assert [unexplained(text) for text in (folder, plain, converted)] == [[], [], []]
    assert unexplained("# why\nkey: [id]\nread: {format: csv}\n") == ["read: {format: csv}"]


def test_checks_leave_as_a_pandera_schema_and_what_does_not_fit_is_said(
    tracked: Repo, tmp_path: Path
) -> None:
    tracked.write("people.csv.checks.yaml", GOOD_CHECKS + "rules: [{sql: age > 0}]\n")
    tracked.write("data/a.csv", table())
    tracked.write("data.checks.yaml", "tables: {'*.csv': {columns: {id: {unique: true}}}}\n")
    tracked.run("add", "data")

    wrote = tracked.run("export", "pandera", "people.csv", "--to", "schema.py").out
    again = tracked.run("export", "pandera", "people.csv", "--to", "schema.py", code=9).err
    inside = tracked.run("export", "pandera", "data/a.csv").out
    folder = tracked.run("export", "pandera", "data", code=2).err
    none = tracked.run("export", "pandera", "plain.csv", code=2).err

    assert "left out, for pandera has no word for it: rules" in wrote
    assert "--force replaces it" in again
    assert "values.dropna().is_unique" in inside
    assert "data.checks.yaml has no checks of data alone" in folder
    assert "plain.csv has no checks: no plain.csv.checks.yaml" in none
    script = "import pandas as pd, schema; schema.schema.validate(pd.read_csv('people.csv'))"
    done = [sys.executable, "-W", "ignore", "-c", script]
    assert subprocess.run(done, cwd=tracked.path, check=False).returncode == 0
    (tracked.path / "people.csv").write_text(table(age={3: "200"}))
    refused = subprocess.run(done, cwd=tracked.path, capture_output=True, text=True, check=False)
    assert "less_than_or_equal_to(120)" in refused.stderr


def test_suggestions_from_history_have_bounds_that_every_version_keeps(repo: Repo) -> None:
    for seed in range(8):
        repo.write("people.csv", table(300 + seed, seed=seed))
        repo.run("add", "people.csv")
        repo.commit(f"version {seed}")

    repo.run("suggest", "people.csv", "--history")

    text = repo.read("people.csv.checks.yaml").decode()
    assert "from 8 versions" in text
    assert "min:" in text and "max:" in text
    repo.commit("checks")
    repo.write("people.csv", table(305, seed=99))
    repo.run("check", "people.csv")
    repo.write("people.csv", table(305, seed=99, age={9: "900"}))
    repo.run("check", "people.csv", code=1)


# -- the reference ---------------------------------------------------------------------------------

DRIFTING = """\
columns:
  age: {drift: {wasserstein: 0.4}}
reference: v1
"""


def shifted(by: int, rows: int = 3000) -> str:
    draw = random.Random(by)
    return "age\n" + "".join(f"{draw.gauss(40 + by, 10):.3f}\n" for _ in range(rows))


@pytest.fixture
def creeping(repo: Repo) -> Repo:
    """Three versions, each three years older than the one before: 0.3 of a standard deviation."""
    for number in range(3):
        repo.write("ages.csv", shifted(3 * number))
        repo.run("add", "ages.csv")
        repo.commit(f"version {number}")
        if not number:
            repo.git("tag", "v1")
    return repo


def test_small_steps_add_up_against_the_reference(creeping: Repo) -> None:
    creeping.write("ages.csv.checks.yaml", DRIFTING.replace("reference: v1\n", ""))
    assert creeping.run("check", "ages.csv").out.startswith("ages.csv: pass")
    creeping.write("ages.csv.checks.yaml", DRIFTING)

    result = creeping.run("check", "ages.csv", code=1)

    first, second = (creeping.git("rev-parse", rev)[:12] for rev in ("v1", "HEAD~1"))
    assert f"  compared with ages.csv@{second}, the latest accepted" in result.out
    assert f"  and with ages.csv@{first}, reference: v1 in ages.csv.checks.yaml:3" in result.out
    assert f"age: against the reference ages.csv@{first}: drifted: normed " in result.out
    assert result.out.count("[wasserstein]") == 1
    assert "as judged before" in creeping.run("check", "ages.csv", code=1).out


def test_one_comparison_answers_when_the_version_before_is_the_reference(creeping: Repo) -> None:
    creeping.write("ages.csv.checks.yaml", DRIFTING.replace("v1", "HEAD~1"))

    result = creeping.run("check", "ages.csv")

    assert "first-parent history, and reference: HEAD~1 in ages.csv.checks.yaml:3" in result.out
    assert "against the reference" not in result.out


def test_a_file_can_be_the_reference_also_without_git(folder: Repo) -> None:
    folder.write("golden.csv", shifted(0))
    folder.write("ages.csv", shifted(6))
    folder.write("ages.csv.checks.yaml", DRIFTING.replace("v1", "golden.csv"))

    assert "age: against the reference golden.csv: " in folder.run("check", "ages.csv", code=1).out


def test_a_reference_that_is_nowhere_is_undecided(creeping: Repo) -> None:
    creeping.write("ages.csv.checks.yaml", DRIFTING.replace("v1", "v9"))

    result = creeping.run("check", "ages.csv", code=11)

    assert "v9 is no revision of it, and no file here [reference] (ages.csv.checks.yaml:3)" in (
        result.out
    )


# -- one file of a data set ------------------------------------------------------------------------


@pytest.fixture
def parts(repo: Repo) -> Repo:
    """A data set of two files and a folder, committed twice, as it is on disk."""
    for version in (1, 2):
        for number, name in enumerate(("a", "b", "sub/c")):
            repo.write(f"data/{name}.csv", table(100 + version, seed=10 * version + number))
        repo.run("add", "data")
        repo.commit()
    return repo


def names(result: Result) -> list[str]:
    return [one["name"] for one in result.json["judgements"][0]["tables"]]


@pytest.mark.parametrize(
    "options",
    [[], ["--rev", "HEAD"], ["--staged"], ["--all"], ["--baseline", "HEAD~1"]],
    ids=" ".join,
)
def test_whatever_is_asked_only_the_named_file_is_judged(parts: Repo, options: list[str]) -> None:
    assert names(parts.run("check", "data/a.csv", "--json", *options)) == ["data/a.csv"]
    assert names(parts.run("check", "data/sub", "--json", *options)) == ["data/sub/c.csv"]
    assert "nothing at data/none.csv" in parts.run("check", "data/none.csv", *options, code=5).err


def test_a_file_of_a_data_set_is_compared_with_a_file_and_a_folder_with_a_folder(
    parts: Repo,
) -> None:
    parts.write("old.csv", table(400, seed=3))
    parts.write("old/c.csv", table(400, seed=3))

    file = parts.run("check", "data/a.csv", "--baseline", "old.csv", "--json").json
    folder = parts.run("check", "data/sub", "--baseline", "old", "--json").json
    wrong = parts.run("check", "data/a.csv", "--baseline", "old", code=2).err

    for found in (file, folder):
        (one,) = found["judgements"][0]["tables"]
        assert one["baseline"]["name"] in ("old.csv", "old")
        assert "rows-lost" in {finding["code"] for finding in one["findings"]}
    assert "error: old has nothing to compare data/a.csv with" in wrong


def test_a_missing_file_that_checks_name_is_a_failure_and_no_mistake(parts: Repo) -> None:
    parts.write("data.checks.yaml", "tables: {none.csv: {rows: {min: 1}}}\n")

    found = parts.run("check", "data/none.csv", code=1).out

    assert "[table-missing] (data.checks.yaml:1)" in found
