"""The real pre-commit program with the hooks of `.pre-commit-hooks.yaml`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.journeys.harness import Repo, Result
from tests.journeys.test_push_hook import commit_data, fresh_clone

TOP = Path(__file__).parents[2]
HOOKS_FILE = TOP / ".pre-commit-hooks.yaml"
STAGES = ("pre-commit", "pre-merge-commit", "pre-push", "post-checkout", "post-merge")
SYSTEM = (
    "dvtool-check-system",
    "dvtool-no-large-files-system",
    "dvtool-push-system",
    "dvtool-checkout-system",
)


def hooks_repository(folder: Path) -> str:
    """Returns a git repository that holds our hooks, as a release of dvtool does."""
    folder.mkdir()
    shutil.copy(HOOKS_FILE, folder)
    repo = ["git", "-C", str(folder)]
    subprocess.run([*repo, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*repo, "add", "."], check=True)
    subprocess.run([*repo, "commit", "-q", "-m", "hooks"], check=True)
    done = subprocess.run([*repo, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def pre_commit(repo: Repo, *args: str) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", *args],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def governed(gated: Repo, tmp_path: Path) -> Repo:
    """A repository whose hooks are run by the pre-commit program instead of by git."""
    gated.run("install", "--uninstall")
    rev = hooks_repository(tmp_path / "hooks of dvtool")
    config = {
        "default_install_hook_types": list(STAGES),
        "repos": [
            {
                "repo": str(tmp_path / "hooks of dvtool"),
                "rev": rev,
                "hooks": [{"id": one} for one in SYSTEM],
            }
        ],
    }
    gated.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    assert pre_commit(gated, "install").code == 0
    gated.commit("hooks")
    return gated


def test_every_hook_comes_in_both_languages_and_pre_commit_reads_them(tmp_path: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-manifest", str(HOOKS_FILE)], check=False
    )

    assert checked.returncode == 0
    hooks = {one["id"]: one for one in yaml.safe_load(HOOKS_FILE.read_text())}
    own = {name for name, hook in hooks.items() if hook["language"] == "python"}
    assert own == {"dvtool-check", "dvtool-no-large-files", "dvtool-push", "dvtool-checkout"}
    for name in own:
        twin = hooks[f"{name}-system"]
        assert twin == {**hooks[name], "id": f"{name}-system", "language": "system"}


def test_bad_data_and_large_files_are_blocked_and_good_data_accepted(governed: Repo) -> None:
    governed.write("ages.csv", "id,age\n1,20\n1,30\n")
    governed.write("ages.csv.checks.yaml", "key: [id]\n")
    governed.write("model.bin", bytes(6 << 20))
    governed.run("add", "ages.csv")
    governed.git("add", ".")

    refused = governed.try_git("commit", "-m", "bad")

    assert refused.code == 1
    assert "ages.csv: fail" in refused.err
    assert "git itself would get 1 large file: model.bin" in refused.err
    governed.git("rm", "-q", "--cached", "model.bin")
    (governed.path / "model.bin").unlink()
    governed.write("ages.csv", "id,age\n1,20\n2,30\n")
    governed.run("add", "ages.csv")
    governed.write("notes.md", "not staged: pre-commit puts it aside and back\n")
    accepted = governed.try_git("commit", "-m", "good")
    assert accepted.code == 0, accepted.err
    assert governed.run("status", "-q").code == 0


@pytest.mark.slow
def test_a_push_of_several_refs_covers_all_of_them(governed: Repo) -> None:
    commit_data(governed, b"one", "v1")
    governed.git("switch", "-q", "-c", "side")
    commit_data(governed, b"side", "side")
    governed.git("tag", "v9")

    pushed = governed.try_git("push", "origin", "main", "side", "v9")

    assert pushed.code == 0, pushed.err
    clone = fresh_clone(governed)
    for rev, data in (("origin/main", b"one"), ("v9", b"side")):
        clone.run("pull", "--force", "--rev", rev, "data.bin")
        assert clone.read("data.bin") == data


@pytest.mark.slow
def test_data_follow_a_switch_and_a_merge(governed: Repo) -> None:
    commit_data(governed, b"one", "v1")
    governed.git("switch", "-q", "-c", "side")
    commit_data(governed, b"side", "side")

    governed.git("switch", "-q", "main")
    assert governed.read("data.bin") == b"one"
    governed.git("merge", "-q", "side")
    assert governed.read("data.bin") == b"side"


@pytest.mark.slow
def test_our_hooks_beside_those_of_pre_commit_run_once_in_any_order(governed: Repo) -> None:
    for _ in range(2):
        assert governed.run("install").code == 0
        assert pre_commit(governed, "install").code == 0
    governed.write("model.bin", bytes(6 << 20))
    governed.git("add", ".")

    refused = governed.try_git("commit", "-m", "model")

    assert refused.code == 1
    assert "git itself would get 1 large file: model.bin" in refused.err
    governed.git("rm", "-q", "--cached", "model.bin")
    assert governed.try_git("commit", "--allow-empty", "-m", "without").code == 0
    governed.run("install", "--uninstall")
    assert governed.try_git("commit", "--allow-empty", "-m", "pre-commit alone").code == 0


def test_try_repo_runs_the_hooks(gated: Repo, tmp_path: Path) -> None:
    hooks_repository(tmp_path / "hooks")
    gated.write("model.bin", bytes(6 << 20))
    gated.git("add", ".")

    tried = pre_commit(gated, "try-repo", str(tmp_path / "hooks"), "dvtool-no-large-files-system")

    assert tried.code == 1
    assert "git itself would get 1 large file: model.bin" in tried.out


@pytest.mark.slow
def test_the_environment_of_its_own_is_built_from_the_package(gated: Repo, tmp_path: Path) -> None:
    source = tmp_path / "dvtool"
    shutil.copytree(TOP / "dvtool", source / "dvtool", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(TOP / name, source)
    repo = ["git", "-C", str(source)]
    subprocess.run([*repo, "init", "-q", "-b", "main"], check=True)
    subprocess.run([*repo, "add", "."], check=True)
    subprocess.run([*repo, "commit", "-q", "-m", "a release"], check=True)
    gated.write("model.bin", bytes(6 << 20))
    gated.git("add", ".")

    tried = pre_commit(gated, "try-repo", str(source), "dvtool-no-large-files")

    assert tried.code == 1, tried.out + tried.err
    assert "git itself would get 1 large file: model.bin" in tried.out
