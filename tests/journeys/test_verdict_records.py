"""Verdict records: sent on request, shown by `log --verdicts`, and no more than advice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dvtool.ops.baselines import accepted
from dvtool.ops.workspace import Workspace
from tests.journeys.harness import Repo

CHECKS = "columns:\n  email: {type: text, nulls: 0, in: [ann@x.org, bob@x.org]}\n"
BAD = "id,email\n1,ann@x.org\n2,\n3,canary-4711@x.org\n"
GOOD = "id,email\n1,ann@x.org\n2,bob@x.org\n"


@pytest.fixture
def judged(repo: Repo) -> Repo:
    """A good and a bad version, both judged and pushed."""
    repo.write("mail.csv.checks.yaml", CHECKS)
    for text in (GOOD, BAD):
        repo.write("mail.csv", text)
        repo.run("add", "mail.csv")
        repo.commit("good" if text is GOOD else "bad")
    repo.run("push")
    repo.run("check", "mail.csv", "--rev", "HEAD~1")
    repo.run("check", "mail.csv", "--rev", "HEAD", code=1)
    return repo


def records(repo: Repo) -> list[Path]:
    return sorted((repo.path.parent / "repo-remote" / "verdicts").rglob("*.json"))


def test_the_log_says_how_each_version_was_judged_and_what_was_allowed(judged: Repo) -> None:
    judged.run(
        *("allow", "mail.csv", "--new-normal", "--finding", "email.in"), *("--reason", "new people")
    )

    lines = judged.run("log", "--verdicts", "mail.csv").out.splitlines()

    assert lines[0].split("  ")[3].startswith("fail")
    assert lines[0].endswith(", here)  bad")
    assert "    fail      mail.csv email.nulls: 1 of 3 values missing, allowed 0" in lines
    assert any(line.startswith("    allowed   email.in as the new normal, ") for line in lines)
    assert lines[-1].split("  ")[3].startswith("pass")


def test_a_version_that_nobody_judged_is_not_known(repo: Repo) -> None:
    repo.write("mail.csv", GOOD)
    repo.run("add", "mail.csv")
    commit = repo.commit("first")

    out = repo.run("log", "--verdicts", "mail.csv").out

    assert "  not-known  first" in out
    assert f"dvtool check --rev {commit[:12]} mail.csv judges a version" in out
    found = repo.run("log", "--verdicts", "mail.csv", "--json").json
    assert found["versions"][0]["verdict"] is None


def test_a_verdict_by_other_checks_than_the_versions_own_is_marked(judged: Repo) -> None:
    judged.write("mail.csv.checks.yaml", CHECKS.replace("nulls: 0, ", ""))
    judged.git("commit", "-qam", "looser")
    judged.write("mail.csv", GOOD + "3,ann@x.org\n")
    judged.run("add", "mail.csv")
    judged.run("check", "mail.csv")
    judged.write("mail.csv.checks.yaml", CHECKS)
    judged.commit("strict again")

    out = judged.run("log", "--verdicts", "-n", "1", "mail.csv").out

    assert "by other checks than its own" in out


def test_records_travel_on_request_and_are_shown_to_others(judged: Repo) -> None:
    assert records(judged) == []

    said = judged.run("check", "mail.csv", "--rev", "HEAD", "--record", code=1).out
    again = judged.run("check", "mail.csv", "--rev", "HEAD", "--record", code=1).out

    assert "1 verdict recorded, 1 new at the remote" in said
    assert "1 verdict recorded, 0 new at the remote" in again
    clone = judged.clone("clone")
    assert clone.run("log", "--verdicts", "-n", "1", "mail.csv").out.split("  ")[3] == "not-known"
    found = clone.run("log", "--verdicts", "-n", "1", "-r", "origin", "mail.csv").out
    assert ", remote origin)  bad" in found
    assert "email.nulls: 1 of 3 values missing" in found


def test_a_record_is_json_with_digests_versions_and_time(judged: Repo) -> None:
    judged.run("check", "mail.csv", "--rev", "HEAD", "--record", code=1)

    (path,) = records(judged)
    value = json.loads(path.read_text())

    assert value["data"] == judged.read("mail.csv.dvt").decode().split("\n")[2][8:]
    assert value["data"][7:] == path.parent.name
    assert value["verdict"] == "fail"
    assert value["checks"].startswith("sha256:") and value["allow"] == ""
    assert {one["finding"] for one in value["findings"]} >= {"email.nulls", "email.in"}
    assert {"dvtool", "duckdb"} <= set(value["versions"])
    assert value["time"].endswith("Z") and len(value["time"]) == 20
    assert value["baselines"][0]["name"].startswith("mail.csv@")


def test_columns_that_are_private_today_leave_no_words_in_what_is_sent(judged: Repo) -> None:
    judged.write("mail.csv.checks.yaml", CHECKS.replace("{type", "{private: true, type"))

    judged.run("check", "mail.csv", "--rev", "HEAD", "--record", code=1)

    text = "".join(one.read_text() for one in records(judged))
    assert "canary" not in text and "ann@x.org" not in text
    assert {one["message"] for one in json.loads(text)["findings"]} == {""}


def test_what_a_remote_says_is_shown_and_not_obeyed(judged: Repo) -> None:
    judged.run("check", "mail.csv", "--rev", "HEAD~1", "--record")
    clone = judged.clone("clone")
    (path,) = records(judged)
    path.write_text(path.read_text().replace('"verdict": "pass"', '"verdict": "fail"'))

    result = clone.run("log", "--verdicts", "-r", "origin", "mail.csv")

    assert "is not what its name says" in result.err
    assert " fail " not in result.out
    workspace = Workspace.open(clone.path, environ={})
    assert len(accepted(workspace, "mail.csv")) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"record": 2}', '{"record": 1}', "x" * 2_000_000])
def test_a_spoilt_record_is_told_and_left_out(judged: Repo, text: str) -> None:
    judged.run("check", "mail.csv", "--rev", "HEAD", "--record", code=1)
    (path,) = records(judged)
    path.write_text(text)
    clone = judged.clone("clone")

    result = clone.run("log", "--verdicts", "-r", "origin", "mail.csv")

    assert result.out.count("not-known") == 2


def test_garbage_collection_and_push_leave_records_alone_and_purge_takes_them(judged: Repo) -> None:
    judged.run("check", "mail.csv", "--rev", "HEAD", "--record", code=1)
    judged.run("check", "mail.csv", "--rev", "HEAD~1", "--record")
    assert len(records(judged)) == 2

    judged.run("gc", "--remote", "--delete")
    judged.run("push")
    judged.run("verify", "--remote")
    assert len(records(judged)) == 2

    judged.run("purge", "mail.csv@HEAD", "--reason", "consent withdrawn")
    (left,) = records(judged)
    assert json.loads(left.read_text())["verdict"] == "pass"
    assert "not-known" in judged.run("log", "--verdicts", "-n", "1", "mail.csv").out


def test_data_that_were_not_added_are_not_recorded(judged: Repo) -> None:
    judged.write("mail.csv", GOOD + "3,bob@x.org\n")

    out = judged.run("check", "mail.csv", "--record").out

    assert "not recorded: mail.csv" in out
    assert records(judged) == []
