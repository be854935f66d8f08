"""`dvtool allow`: failures accepted by a committed line, and what later versions make of them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from dvtool.ops.baselines import accepted
from dvtool.ops.workspace import Workspace
from tests.journeys.harness import Repo

CHECKS = """\
columns:
  id: {type: int, unique: true}
  age: {type: int, nulls: 0, mean: 40..50}
rows: {min: 100}
"""


def ages(*, rows: int = 200, missing: int = 0, shift: int = 0) -> str:
    """Returns a table whose ages are 35 to 54, shifted, the first ones missing."""
    cells = [("" if n < missing else str(35 + shift + n % 20)) for n in range(rows)]
    return "id,age\n" + "".join(f"{n},{age}\n" for n, age in enumerate(cells))


def commit(repo: Repo, text: str, message: str, path: str = "ages.csv") -> str:
    repo.write(path, text)
    repo.run("add", path.split("/", maxsplit=1)[0])
    return repo.commit(message)


@pytest.fixture
def gated(repo: Repo) -> Repo:
    """A repository whose data set has a good version committed."""
    repo.write("ages.csv.checks.yaml", CHECKS)
    commit(repo, ages(), "good")
    return repo


def names(repo: Repo, dataset: str = "ages.csv", commit: str | None = None) -> list[str]:
    """Returns the subject lines of the accepted versions, newest first."""
    workspace = Workspace.open(repo.path, environ={})
    found = accepted(workspace, dataset, commit)
    return [repo.git("log", "-1", "--format=%s", one.commit) for one in found]


def test_bad_data_are_accepted_by_a_line_that_git_keeps(gated: Repo) -> None:
    gated.write("ages.csv", ages(missing=5))
    gated.run("add", "ages.csv")
    gated.run("check", "--staged", code=1)

    allowed = gated.run("allow", "ages.csv", "--exception", "--reason", "sensor  was\tdown")

    assert "ages.csv age: 5 of 200 values missing, allowed 0 [nulls]" in allowed.out
    line = gated.read("ages.csv.allow.yaml").decode().splitlines()[2]
    assert line.startswith('- {finding: "age.nulls", kind: exception, reason: "sensor was down", ')
    assert gated.git("diff", "--cached", "--name-only").split() == [
        "ages.csv.allow.yaml",
        "ages.csv.dvt",
    ]
    shown = gated.run("check", "--staged").out
    assert "ages.csv: pass" in shown
    assert "waived    ages.csv:2 age: 5 of 200 values missing" in shown
    assert "allowed as an exception by" in shown
    gated.commit("exception")
    assert gated.run("check", "ages.csv", "--rev", "HEAD").out.startswith("ages.csv: pass")


def test_the_line_holds_for_exactly_these_bytes(gated: Repo) -> None:
    gated.write("ages.csv", ages(missing=5))
    gated.run("add", "ages.csv")
    gated.run("allow", "ages.csv", "--exception", "--reason", "sensor")

    gated.write("ages.csv", ages(missing=6))
    gated.run("check", "ages.csv", code=1)
    gated.run("add", "ages.csv")
    gated.run("check", "--staged", code=1)


def test_what_is_staged_is_judged_by_the_line_that_is_staged(gated: Repo) -> None:
    gated.write("ages.csv", ages(missing=5))
    gated.run("add", "ages.csv")
    gated.run("allow", "ages.csv", "--exception", "--reason", "sensor")

    gated.git("restore", "--staged", "ages.csv.allow.yaml")

    assert gated.run("check", "ages.csv").out.startswith("ages.csv: pass")
    gated.run("check", "--staged", code=1)


def test_an_exception_ends_on_its_day_also_for_a_remembered_verdict(gated: Repo) -> None:
    gated.write("ages.csv", ages(missing=5))
    gated.run("add", "ages.csv")
    today = dt.datetime.now(dt.UTC).date()
    gated.run("allow", "ages.csv", "--exception", "--reason", "sensor", "--until", str(today))
    assert (
        "as judged before"
        in (gated.run("check", "ages.csv"), gated.run("check", "ages.csv"))[1].out
    )

    old = today - dt.timedelta(days=2)
    text = gated.read("ages.csv.allow.yaml").decode().replace(f"until: {today}", f"until: {old}")
    gated.write("ages.csv.allow.yaml", text)

    assert f"was allowed until {old}, and counts again" in gated.run("check", code=1).out


def test_an_exception_is_no_baseline_and_does_not_teach(gated: Repo) -> None:
    gated.write("ages.csv", ages(rows=150, missing=5))
    gated.run("add", "ages.csv")
    gated.run("allow", "ages.csv", "--exception", "--reason", "half a day")
    gated.commit("exception")
    commit(gated, ages(rows=210), "good again")

    found = gated.run("check", "ages.csv", "--json").json["judgements"][0]["tables"][0]

    first = gated.git("rev-list", "--reverse", "HEAD", "--", "ages.csv.dvt").split()[0]
    assert found["baseline"]["name"] == f"ages.csv@{first[:12]}"
    versions = accepted(Workspace.open(gated.path, environ={}), "ages.csv")
    assert [one.teaches for one in versions] == [True, False, True]
    assert [one.resets for one in versions] == [(), (), ()]


def test_a_new_normal_is_a_baseline_and_starts_the_history_of_its_columns_anew(gated: Repo) -> None:
    gated.write("ages.csv", ages(shift=30))
    gated.run("add", "ages.csv")
    gated.run("check", "--staged", code=1)
    gated.run("allow", "ages.csv", "--new-normal", "--reason", "pensioners too")
    normal = gated.commit("normal")
    gated.write("ages.csv.checks.yaml", CHECKS.replace("40..50", "70..80"))
    commit(gated, ages(rows=201, shift=30), "as normal")

    found = gated.run("check", "ages.csv", "--json").json["judgements"][0]["tables"][0]

    assert found["baseline"]["name"] == f"ages.csv@{normal[:12]}"
    assert found["verdict"] == "pass"
    versions = accepted(Workspace.open(gated.path, environ={}), "ages.csv")
    assert [one.teaches for one in versions] == [True, True, True]
    assert [one.resets for one in versions] == [(), ("age",), ()]


def test_a_committed_failure_that_nobody_allowed_is_not_accepted(gated: Repo) -> None:
    commit(gated, ages(missing=5), "bad")
    assert names(gated) == ["bad", "good"]  # nobody looked at it here
    gated.run("check", "ages.csv", "--rev", "HEAD", code=1)

    assert names(gated) == ["good"]

    commit(gated, ages(rows=201), "mended")
    shown = gated.run("check", "ages.csv").out
    good = gated.git("rev-parse", "HEAD~2")
    assert f"compared with ages.csv@{good[:12]}, the latest accepted version" in shown
    gated.run("allow", "ages.csv", "--rev", "HEAD~1", "--exception", "--reason", "seen, harmless")
    assert names(gated) == ["mended", "bad", "good"]


def test_history_follows_first_parents_and_begins_where_it_is_told(gated: Repo) -> None:
    gated.git("switch", "-q", "-c", "side")
    commit(gated, ages(rows=300), "side one")
    commit(gated, ages(rows=301), "side two")
    gated.git("switch", "-q", "main")
    gated.run("checkout")
    gated.git("merge", "-q", "--no-ff", "-m", "merge", "side")

    assert names(gated) == ["merge", "good"]
    assert names(gated, commit="side") == ["side two", "side one", "good"]
    assert names(gated, commit="main~1") == ["good"]


def test_a_merge_is_judged_against_its_first_parent(gated: Repo) -> None:
    good = gated.git("rev-parse", "HEAD")
    gated.git("switch", "-q", "-c", "side")
    commit(gated, ages(rows=300), "side")
    gated.git("switch", "-q", "main")
    gated.run("checkout")
    gated.git("merge", "-q", "--no-ff", "-m", "merge", "side")

    found = gated.run("check", "ages.csv", "--rev", "HEAD", "--json").json["judgements"][0]

    assert found["tables"][0]["baseline"]["name"] == f"ages.csv@{good[:12]}"


def test_an_amended_commit_is_no_baseline_of_its_successor(gated: Repo, tmp_path: Path) -> None:
    commit(gated, ages(rows=180), "to be amended")
    hook = gated.path / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ndvtool check --staged ages.csv > '{tmp_path}/said'\n")
    hook.chmod(0o755)
    gated.write("ages.csv", ages(rows=190))
    gated.run("add", "ages.csv")

    gated.git("commit", "-q", "--amend", "--no-edit")

    good = gated.git("rev-parse", "HEAD~1")
    assert f"compared with ages.csv@{good[:12]}," in (tmp_path / "said").read_text()


# -- directories -----------------------------------------------------------------------------------


@pytest.fixture
def folder(repo: Repo) -> Repo:
    """A data set of two tables that are checked alike."""
    checks = CHECKS.replace("\n", "\n    ").rstrip()
    repo.write("days.checks.yaml", f"tables:\n  '*.csv':\n    {checks}\n")
    repo.write("days/mon.csv", ages())
    commit(repo, ages(rows=220), "good", "days/tue.csv")
    return repo


def test_in_a_directory_one_table_is_accepted_and_stays_so_while_its_bytes_do(folder: Repo) -> None:
    folder.write("days/tue.csv", ages(rows=220, missing=9))
    folder.run("add", "days")
    folder.run("allow", "days/tue.csv", "--exception", "--reason", "holiday")
    folder.commit("exception")

    commit(folder, ages(rows=230), "wednesday", "days/wed.csv")

    assert folder.run("check", "days").out.splitlines()[-1] == "3 tables: 3 pass"
    assert 'table: "tue.csv"' in folder.read("days.allow.yaml").decode()
    folder.write("days/mon.csv", ages(missing=9))
    folder.run("add", "days")
    assert "3 tables: 2 pass, 1 fail" in folder.run("check", "days", code=1).out


def test_a_table_that_was_an_exception_is_compared_with_the_version_before(folder: Repo) -> None:
    good = folder.git("rev-parse", "HEAD")
    folder.write("days/mon.csv", ages(rows=205))
    folder.write("days/tue.csv", ages(rows=150, missing=9))
    folder.run("add", "days")
    folder.run("allow", "days", "--exception", "--reason", "holiday")
    odd = folder.commit("exception")
    folder.write("days/mon.csv", ages(rows=206))
    folder.write("days/tue.csv", ages(rows=221))
    folder.run("add", "days")

    tables = folder.run("check", "days", "--json").json["judgements"][0]["tables"]

    assert {one["name"]: one["baseline"]["name"] for one in tables} == {
        "days/mon.csv": f"days@{odd[:12]}",
        "days/tue.csv": f"days@{good[:12]}",
    }


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--exception"], 2, "a reason is needed"),
        (["--exception", "--reason", " \t"], 2, "a reason is needed"),
        (["--reason", "x"], 2, "--exception or --new-normal"),
        (["--exception", "--reason", "x", "--until", "2020-01-01"], 2, "2020-01-01 has passed"),
        (["--exception", "--reason", "x", "--until", "soon"], 2, "--until takes a day"),
        (["--new-normal", "--reason", "x", "--until", "2999-01-01"], 2, "a new normal has no end"),
        (["--exception", "--reason", "x", "--finding", "age.nuls"], 2, "did you mean age.nulls?"),
        (["--exception", "--reason", "x\x1b[2J"], 2, "cannot be written"),
        (["--exception", "--reason", "x", "--rev", "nope"], 5, "unknown revision"),
        (["--exception", "--reason", "x", "--rev", "HEAD"], 2, "nothing to allow"),
        (["--exception", "--reason", "x", "--rev", "HEAD", "--staged"], 2, "exclude each other"),
    ],
)
def test_mistakes_are_said_and_write_nothing(
    gated: Repo, words: list[str], code: int, said: str
) -> None:
    gated.write("ages.csv", ages(missing=5))
    gated.run("add", "ages.csv")

    result = gated.run("allow", "ages.csv", *words, code=code)

    assert said in result.err
    assert "hint: " in result.err or said == "exclude each other" or "cannot be" in said
    assert not (gated.path / "ages.csv.allow.yaml").exists()


def test_data_that_were_not_added_are_no_version_to_allow(gated: Repo) -> None:
    gated.write("ages.csv", ages(missing=5))

    result = gated.run("allow", "ages.csv", "--exception", "--reason", "x", code=2)

    assert "was changed and not added" in result.err
    assert "hint: dvtool add ages.csv" in result.err


def test_a_broken_line_stops_every_judgement_with_its_place(gated: Repo) -> None:
    gated.write("ages.csv.allow.yaml", "allow: 1\nentries:\n- {findin: x}\n")

    result = gated.run("check", "ages.csv", code=4)

    assert "ages.csv.allow.yaml:3: unknown key findin" in result.err
    assert "did you mean finding?" in result.err


def test_a_link_in_the_place_of_the_file_is_not_followed(gated: Repo) -> None:
    (gated.path / "ages.csv.allow.yaml").symlink_to("/dev/zero")

    assert "ordinary file" in gated.run("check", "ages.csv", code=4).err


def test_accepting_again_replaces_the_line_and_dry_run_writes_none(gated: Repo) -> None:
    gated.write("ages.csv", ages(missing=5, shift=30))
    gated.run("add", "ages.csv")
    gated.run("allow", "ages.csv", "--exception", "--reason", "first", "--dry-run")
    assert not (gated.path / "ages.csv.allow.yaml").exists()
    gated.run("allow", "ages.csv", "--exception", "--reason", "first")

    gated.run(
        *("allow", "ages.csv", "--exception", "--finding", "age.nulls"),
        *("--reason", "second", "--until", "2999-12-31"),
    )

    lines = gated.read("ages.csv.allow.yaml").decode().splitlines()[2:]
    assert [line.split('"')[1] for line in lines] == ["age.mean", "age.nulls"]
    assert 'reason: "second", until: 2999-12-31' in lines[1]


def test_a_commit_that_the_hook_stops_passes_once_its_failure_is_allowed(gated: Repo) -> None:
    gated.run("install")
    gated.git("config", "dvtool.gate.commit-budget", "600")  # whatever else the machine does
    gated.write("ages.csv", ages(missing=5))
    gated.run("add", "ages.csv")

    refused = gated.try_git("commit", "-m", "sensor was down")
    advice = next(line for line in refused.err.splitlines() if "dvtool allow" in line)
    gated.run("allow", "ages.csv", "--exception", "--reason", "sensor was down")
    passed = gated.try_git("commit", "-m", "sensor was down")

    assert refused.code == 1
    assert "dvtool allow ages.csv --exception --reason" in advice
    assert passed.code == 0, passed.err
    assert gated.git("show", "--name-only", "--format=%s", "HEAD").split() == [
        *["sensor", "was", "down"],
        "ages.csv.allow.yaml",
        "ages.csv.dvt",
    ]
    recorded = gated.run("log", "--verdicts", "ages.csv").out
    assert "sensor was down" in recorded
