"""`dvtool ci` in the surroundings of services: their variables, their check-outs, their secrets."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.journeys.cihost import CHECKS, Host, people
from tests.journeys.harness import Repo


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Host:
    """A host whose main has a data set with checks; the branch is `feature`."""
    (tmp_path / "storage").mkdir()
    made = Host(tmp_path, capfd, (tmp_path / "storage/data").as_uri())
    made.change({"people.csv": people(), "people.csv.checks.yaml": CHECKS})
    made.publish()
    made.switch("feature", start="main")
    return made


def checked_out(host: Host, ref: str, *, depth: int = 1) -> Repo:
    """Returns a check-out as actions/checkout makes it: one ref fetched, HEAD detached."""
    path = host.folder / "runner"
    job = Repo(path, host.dev._capfd)
    subprocess.run(["git", "init", "-q", str(path)], check=True)
    job.git("remote", "add", "origin", host.url)
    limit = [f"--depth={depth}"] if depth else []
    job.git("fetch", "-q", "--no-tags", *limit, "origin", f"+{ref}:refs/remotes/{ref[5:]}")
    job.git("checkout", "-q", "--force", f"refs/remotes/{ref[5:]}")
    return job


def pull_request(host: Host) -> tuple[str, str, str]:
    """Makes the merge that GitHub offers for the branch; returns base, head and merge commit."""
    base, head = (host.dev.git("rev-parse", name) for name in ("main", "feature"))
    tree = host.dev.git("merge-tree", "--write-tree", base, head)
    merge = host.dev.git("commit-tree", tree, "-p", base, "-p", head, "-m", "Merge")
    host.dev.git("push", "--quiet", "--no-verify", "origin", f"{merge}:refs/pull/1/merge")
    return base, head, merge


@pytest.fixture
def github(host: Host, monkeypatch: pytest.MonkeyPatch):
    """Sets the variables of a GitHub job."""

    def make(event: dict[str, object], **variables: str) -> None:
        path = host.folder / "event.json"
        path.write_text(json.dumps(event), encoding="utf-8")
        for name, value in {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(path),
            **variables,
        }.items():
            monkeypatch.setenv(name, value)

    return make


def test_a_pull_request_on_github_is_judged_as_merged_from_a_checkout_of_depth_1(
    host: Host, github
) -> None:
    host.change({"people.csv": people(seed=2, n4="110")})
    host.publish()
    host.switch("main")
    # After the branch left, main asks for more; the event still names the older commit.
    stale = host.dev.git("rev-parse", "HEAD")
    host.change({"people.csv.checks.yaml": CHECKS.replace("max: 120", "max: 100")})
    host.publish()
    base, head, merge = pull_request(host)
    github(
        {"pull_request": {"base": {"sha": stale}, "head": {"sha": head}}}, GITHUB_BASE_REF="main"
    )
    job = checked_out(host, "refs/pull/1/merge")

    found = job.run("ci", "--json", code=1).json

    assert (found["base"], found["head"]) == (base, merge)
    assert found["commits"] == [merge, head]
    (table,) = found["judgements"][0]["tables"]
    assert [one["code"] for one in table["findings"]] == ["max"]


def test_a_branch_is_judged_by_the_rules_its_target_has_today(host: Host, github) -> None:
    host.change({"people.csv": people(seed=2, n4="110")})
    host.publish()
    host.switch("main")
    stale = host.dev.git("rev-parse", "HEAD")
    host.change({"people.csv.checks.yaml": CHECKS.replace("max: 120", "max: 100")})
    host.publish()
    head = host.dev.git("rev-parse", "feature")
    github(
        {"pull_request": {"base": {"sha": stale}, "head": {"sha": head}}}, GITHUB_BASE_REF="main"
    )
    job = checked_out(host, "refs/heads/feature")

    found = job.run("ci", code=1).out

    assert "1 of 200 values above 100" in found
    assert "which holds at the base) [max]" in found


def test_a_push_to_the_default_branch_is_judged_against_what_was_there(host: Host, github) -> None:
    host.switch("main")
    before = host.dev.git("rev-parse", "HEAD")
    host.change({"people.csv": people(seed=2)})
    host.change({"people.csv": people(seed=3, n4="-1")})
    host.publish()
    github({"before": before, "repository": {"default_branch": "main"}}, GITHUB_REF_NAME="main")

    found = checked_out(host, "refs/heads/main").run("ci", "--json", code=1).json

    assert found["base"] == before
    assert len(found["commits"]) == 2


def test_the_first_push_of_all_is_judged_from_the_beginning(host: Host, github) -> None:
    github({"before": "0" * 40, "repository": {"default_branch": "main"}}, GITHUB_REF_NAME="main")

    found = checked_out(host, "refs/heads/main").run("ci").out

    assert "from the beginning; 1 data set changed" in found
    assert "note: nothing was there before: all is judged" in found


def test_a_push_whose_past_was_rewritten_away_is_not_judged_by_guess(host: Host, github) -> None:
    github({"before": "1" * 40, "repository": {"default_branch": "main"}}, GITHUB_REF_NAME="main")

    found = checked_out(host, "refs/heads/main").run("ci", code=5)

    assert "1111111, is not here, and the origin does not give it" in found.err
    assert "--base REV" in found.err


def test_a_merge_request_on_gitlab_is_judged_from_a_shallow_clone(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = host.dev.git("rev-parse", "main")
    host.change({"people.csv": people(seed=2)})
    host.change({"people.csv": people(seed=3)})
    host.publish()
    for name, value in {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_COMMIT_BEFORE_SHA": "0" * 40,
    }.items():
        monkeypatch.setenv(name, value)

    found = checked_out(host, "refs/heads/feature").run("ci", "--json").json

    assert (found["base"], found["merge_base"]) == (base, base)
    assert len(found["commits"]) == 2


def test_nothing_to_go_by_is_a_question(host: Host) -> None:
    job = checked_out(host, "refs/heads/main", depth=0)

    assert "hint: dvtool ci --base origin/main" in job.run("ci", code=2).err


def test_on_a_persons_machine_the_default_branch_of_the_origin_is_the_base(host: Host) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()

    assert "1 commit since" in host.clone("feature").run("ci").out


# -- code and credentials ------------------------------------------------------------------------

SCHEMA = """\
import pathlib
import pandera.pandas as pa

pathlib.Path({marker!r}).touch()
People = pa.DataFrameSchema({{"age": pa.Column(int, pa.Check.le({most}))}})
"""


@pytest.fixture
def with_schema(host: Host) -> Path:
    """Gives main checks in Python that leave a mark when they run; returns the mark's path."""
    marker = host.folder / "ran"
    host.switch("main")
    host.change(
        {
            "schemas.py": SCHEMA.format(marker=str(marker), most=130),
            "people.csv.checks.yaml": CHECKS + "schema: schemas.py:People\n",
        }
    )
    host.publish()
    host.switch("more", start="main")
    return marker


def test_schemas_in_python_run_where_no_credential_is_in_reach(host: Host, with_schema) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()

    found = host.clone("more").run("ci", "--strict").out

    assert with_schema.exists()
    assert "people.csv: pass" in found


def test_schemas_in_python_do_not_run_beside_credentials(
    host: Host, with_schema, monkeypatch
) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")

    found = host.clone("more").run("ci", "--base", "origin/main").out
    assert not with_schema.exists()
    assert "since secrets may be in reach: AWS_SECRET_ACCESS_KEY" in found
    assert "people.csv: undecided" in found
    host.clone("more", name="strict").run("ci", "--base", "origin/main", "--strict", code=11)

    host.clone("more", name="open").run("ci", "--base", "origin/main", "--python")
    assert with_schema.exists()


def test_a_token_that_the_checkout_left_in_gits_configuration_counts(
    host: Host, with_schema, monkeypatch
) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()
    monkeypatch.setenv("CI", "true")
    job = host.clone("more")
    job.git("config", "http.https://example.org/.extraheader", "AUTHORIZATION: basic secret")

    found = job.run("ci", "--base", "origin/main").out

    assert "git config http.https://example.org/.extraheader" in found
    assert "basic secret" not in found
    assert not with_schema.exists()


def test_a_schema_of_the_change_is_judged_beside_the_old_one(host: Host, with_schema) -> None:
    host.change(
        {
            "people.csv": people(seed=2, n4="115"),
            "schemas.py": SCHEMA.format(marker=str(with_schema), most=200),
        }
    )
    host.switch("main")
    host.change({"schemas.py": SCHEMA.format(marker=str(with_schema), most=100)})
    host.publish()
    host.switch("more")
    host.publish()

    found = host.clone("more").run("ci", "--base", "origin/main", code=1).out

    assert "the code of a schema changed, which nobody can compare: schemas.py" in found
    assert "fail      people.csv" in found


# -- what is written -----------------------------------------------------------------------------


def test_a_job_on_github_gets_annotations_and_a_summary(host: Host, github, monkeypatch) -> None:
    host.change({"people.csv": people(seed=2, n4="-7")})
    host.publish()
    base, head = (host.dev.git("rev-parse", name) for name in ("main", "feature"))
    github({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}, GITHUB_BASE_REF="main")
    summary = host.folder / "summary.md"
    summary.write_text("# From another step\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))

    lines = checked_out(host, "refs/heads/feature").run("ci", code=1).out.splitlines()

    # Between these two nothing is a command to GitHub, whatever a file is called.
    start, token = lines[0].rsplit("::", 1)
    assert start == "::stop-commands" and len(token) == 32
    end = lines.index(f"::{token}::")
    assert lines[end + 1 :] == [
        "::error file=people.csv.checks.yaml,line=3,title=dvtool%3A age.min"
        "::people.csv:6 age: 1 of 200 values below 0"
    ]
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("# From another step\n## ❌ Data of ")
    assert "people.csv" in text and "1 of 200 values below 0" in text


def test_a_summary_that_is_nearly_full_is_left_within_the_limit(
    host: Host, github, monkeypatch
) -> None:
    host.change({"people.csv": people(seed=2, n4="-7")})
    host.publish()
    base = host.dev.git("rev-parse", "main")
    github({"pull_request": {"base": {"sha": base}}}, GITHUB_BASE_REF="main")
    summary = host.folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    job = checked_out(host, "refs/heads/feature")
    for taken in (2**20 - 500, 2**20 - 1500):
        summary.write_bytes(b"x" * taken)

        job.run("ci", code=1)

        assert taken <= summary.stat().st_size <= 2**20


def test_what_keeps_a_change_from_being_judged_is_an_annotation_too(host: Host, github) -> None:
    github({"before": "1" * 40, "repository": {"default_branch": "main"}}, GITHUB_REF_NAME="main")

    found = checked_out(host, "refs/heads/main").run("ci", code=5).out

    assert found.startswith("::error title=dvtool::the base of this change, 1111")


def test_every_format_is_written_from_one_run(host: Host) -> None:
    host.change({"people.csv": people(seed=2, n4="-7"), "people.csv.checks.yaml": None})
    host.publish(data=False)
    names = ("html", "markdown", "junit", "sarif", "gitlab", "github", "jsonlines")
    out = host.folder / "out"

    host.clone("feature").run(
        *("ci", "--base", "origin/main", "--report", str(out)),
        *(word for name in names for word in ("--format", f"{name}={out}/{name}")),
        code=1,
    )

    texts = {name: (out / name).read_text(encoding="utf-8") for name in names}
    assert "not-restorable" in texts["sarif"] and "loosened" in texts["sarif"]
    assert {name for name, text in texts.items() if "nobody else can restore" not in text} == set()
    assert "nobody else can restore" in (out / "index.html").read_text(encoding="utf-8")
