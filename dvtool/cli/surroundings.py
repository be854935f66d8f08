"""Surroundings: what the environment of a CI job says about the change that is judged.

GitHub Actions and GitLab CI are known, with others by the name of the target branch alone. Pure in
the variables and the event file; nothing is asked of git here. Called by `dvtool.cli.commands.ci`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dvtool.ops.ci.stretch import Hint

TARGET_BRANCHES: Final = (
    "CHANGE_TARGET",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
    "DRONE_TARGET_BRANCH",
    "CI_COMMIT_TARGET_BRANCH",
)
"""Variables of Jenkins, Bitbucket, Azure, Buildkite, Drone and Woodpecker that name the target."""
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|CREDENTIAL|_KEY(_ID)?$|_AUTH|_JWT|CONNECTION_STRING|_SAS$"
)
_HARMLESS: Final = frozenset({"GIT_TERMINAL_PROMPT", "DVTOOL_TRUST_REMOTE"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where `ci` runs.

    Attributes:
        host: `github`, `gitlab`, `ci` for another service, or empty for a person's machine.
        hint: What the change is relative to, as far as the environment tells.
        summary: File that takes Markdown for the job's page, None for none.
        branch: The branch that is judged, empty when not known.
        secrets: Names of variables that may hold credentials, sorted.
    """

    host: str
    hint: Hint
    summary: Path | None = None
    branch: str = ""
    secrets: tuple[str, ...] = ()


def read_surroundings(environ: Mapping[str, str]) -> Surroundings:
    """Returns what the environment tells; an event file that cannot be read tells nothing."""
    found = tuple(
        sorted(
            name
            for name, value in environ.items()
            if value and name not in _HARMLESS and _SECRET.search(name.upper())
        )
    )
    if environ.get("GITHUB_ACTIONS") == "true":
        event = _event(environ.get("GITHUB_EVENT_PATH", ""))
        summary = environ.get("GITHUB_STEP_SUMMARY")
        if environ.get("GITHUB_EVENT_NAME") == "pull_request_target":
            found = (*found, "GITHUB_EVENT_NAME=pull_request_target")
        return Surroundings(
            "github",
            _github(environ, event),
            Path(summary) if summary else None,
            environ.get("GITHUB_HEAD_REF") or environ.get("GITHUB_REF_NAME", ""),
            found,
        )
    if environ.get("GITLAB_CI") == "true":
        branch = environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
        branch = branch or environ.get("CI_COMMIT_BRANCH", "")
        return Surroundings("gitlab", _gitlab(environ), None, branch, found)
    is_ci = environ.get("CI", "").lower() not in ("", "0", "false")
    target = next((environ[name] for name in TARGET_BRANCHES if environ.get(name)), "")
    hint = Hint(branch=target.removeprefix("refs/heads/"))
    return Surroundings("ci" if is_ci else "", hint, None, "", found if is_ci else ())


def _event(path: str) -> Mapping[str, Any]:
    try:
        value = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _github(environ: Mapping[str, str], event: Mapping[str, Any]) -> Hint:
    """Returns the base of a pull request, a merge queue's entry, or a push."""
    if environ.get("GITHUB_BASE_REF"):
        return Hint(
            commit=_text(event, "pull_request", "base", "sha"),
            branch=environ["GITHUB_BASE_REF"],
            head=_text(event, "pull_request", "head", "sha"),
        )
    if "merge_group" in event:
        branch = _text(event, "merge_group", "base_ref").removeprefix("refs/heads/")
        return Hint(commit=_text(event, "merge_group", "base_sha"), branch=branch)
    default = _text(event, "repository", "default_branch")
    return _push(environ.get("GITHUB_REF_NAME", ""), default, _text(event, "before"))


def _gitlab(environ: Mapping[str, str]) -> Hint:
    target = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "")
    if target:
        commit = environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA")  # of merged results only
        commit = commit or environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
        return Hint(commit=commit, branch=target)
    default = environ.get("CI_DEFAULT_BRANCH", "")
    before = environ.get("CI_COMMIT_BEFORE_SHA", "")
    # GitLab writes zeros whenever it does not know, not only for the first push.
    before = before if before.strip("0") else ""
    return _push(environ.get("CI_COMMIT_BRANCH", ""), default, before)


def _push(branch: str, default: str, before: str) -> Hint:
    """Returns the base of a push: the commit before on the default branch, else that branch."""
    if branch and branch == default:
        return Hint(commit=before, is_push=True)
    return Hint(branch=default)


def _text(event: Mapping[str, Any], *keys: str) -> str:
    value: object = event
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
