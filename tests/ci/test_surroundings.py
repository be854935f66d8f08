"""What CI services say about a change, by their variables and event files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dvtool.cli.surroundings import read_surroundings
from dvtool.ops.ci.stretch import Hint

BASE, HEAD, BEFORE = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def github(tmp_path: Path):
    """Makes the variables of a GitHub job from its event."""

    def make(event: object, **variables: str) -> dict[str, str]:
        path = tmp_path / "event.json"
        path.write_text(event if isinstance(event, str) else json.dumps(event), encoding="utf-8")
        return {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_PATH": str(path),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            **variables,
        }

    return make


def test_a_pull_request_on_github_names_base_branch_and_head(github) -> None:
    event = {"pull_request": {"base": {"sha": BASE}, "head": {"sha": HEAD}}}

    found = read_surroundings(github(event, GITHUB_BASE_REF="main", GITHUB_HEAD_REF="mine"))

    assert found.host == "github"
    assert found.hint == Hint(commit=BASE, branch="main", head=HEAD)
    assert found.branch == "mine"
    assert found.summary is not None and found.summary.name == "summary.md"


def test_a_push_to_the_default_branch_is_relative_to_what_was_there(github) -> None:
    event = {"before": BEFORE, "repository": {"default_branch": "main"}}

    on_main = read_surroundings(github(event, GITHUB_REF_NAME="main"))
    elsewhere = read_surroundings(github(event, GITHUB_REF_NAME="mine"))

    assert on_main.hint == Hint(commit=BEFORE, is_push=True)
    assert elsewhere.hint == Hint(branch="main")


def test_a_merge_queue_names_its_base(github) -> None:
    event = {"merge_group": {"base_sha": BASE, "base_ref": "refs/heads/main"}}

    assert read_surroundings(github(event)).hint == Hint(commit=BASE, branch="main")


@pytest.mark.parametrize("event", ["", "[]", "{", '{"pull_request": 3, "before": 4}'])
def test_an_event_that_makes_no_sense_says_nothing(github, event) -> None:
    assert read_surroundings(github(event)).hint == Hint()


@pytest.mark.parametrize(
    ("variables", "hint"),
    [
        (
            {
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
                "CI_COMMIT_BEFORE_SHA": "0" * 40,
            },
            Hint(commit=BASE, branch="main"),
        ),
        (
            {
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": BEFORE,
                "CI_MERGE_REQUEST_DIFF_BASE_SHA": BASE,
            },
            Hint(commit=BEFORE, branch="main"),
        ),
        (
            {
                "CI_DEFAULT_BRANCH": "main",
                "CI_COMMIT_BRANCH": "main",
                "CI_COMMIT_BEFORE_SHA": BEFORE,
            },
            Hint(commit=BEFORE, is_push=True),
        ),
        (
            {
                "CI_DEFAULT_BRANCH": "main",
                "CI_COMMIT_BRANCH": "main",
                "CI_COMMIT_BEFORE_SHA": "0" * 40,
            },
            Hint(is_push=True),
        ),
        (
            {
                "CI_DEFAULT_BRANCH": "main",
                "CI_COMMIT_BRANCH": "mine",
                "CI_COMMIT_BEFORE_SHA": BEFORE,
            },
            Hint(branch="main"),
        ),
    ],
)
def test_gitlab_names_the_base(variables, hint) -> None:
    found = read_surroundings({"GITLAB_CI": "true", "CI": "true", **variables})

    assert (found.host, found.hint) == ("gitlab", hint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHANGE_TARGET", "main"),
        ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
        ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
        ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
        ("DRONE_TARGET_BRANCH", "main"),
        ("CI_COMMIT_TARGET_BRANCH", "main"),
    ],
)
def test_other_services_name_the_branch(name, value) -> None:
    assert read_surroundings({"CI": "1", name: value}).hint == Hint(branch="main")


def test_variables_that_may_hold_credentials_are_named_where_a_service_runs_and_nowhere_else() -> (
    None
):
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_ACCESS_KEY_ID": "x",
        "GITHUB_TOKEN": "x",
        "DEPLOY_PASSWORD": "x",
        "GOOGLE_APPLICATION_CREDENTIALS": "x",
        "AZURE_STORAGE_CONNECTION_STRING": "x",
        "EMPTY_TOKEN": "",
        "HOME": "/root",
        "DVTOOL_TRUST_REMOTE": "all",
    }

    assert read_surroundings({"CI": "true", **secrets}).secrets == (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AZURE_STORAGE_CONNECTION_STRING",
        "DEPLOY_PASSWORD",
        "GITHUB_TOKEN",
        "GOOGLE_APPLICATION_CREDENTIALS",
    )
    assert read_surroundings(secrets).secrets == ()


def test_pull_request_target_counts_as_a_secret_of_its_own(github) -> None:
    found = read_surroundings(github({}, GITHUB_EVENT_NAME="pull_request_target"))

    assert found.secrets == ("GITHUB_EVENT_NAME=pull_request_target",)
