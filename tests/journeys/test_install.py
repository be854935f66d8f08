"""dvtool install: hooks go where git looks for them, beside those that are there already."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dvtool.git.hooktext import HOOKS, hook_text
from tests.journeys.harness import Repo

TOP = Path(__file__).parents[2]
MINE = '#!/bin/sh\necho "mine $0 $*" >>"$OUT"\ncat >>"$OUT"\n'


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the hooks of these tests write what they were given."""
    path = tmp_path / "out.txt"
    monkeypatch.setenv("OUT", str(path))
    return path


def script(path: Path, text: str = MINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".sample")}


@pytest.mark.parametrize("name", HOOKS)
def test_the_scripts_in_the_hooks_folder_are_the_ones_installed(repo: Repo, name: str) -> None:
    repo.run("install")

    installed = repo.path / ".git/hooks" / name
    assert installed.read_bytes() == (TOP / "hooks" / name).read_bytes()
    assert os.access(installed, os.X_OK)
    assert os.access(TOP / "hooks" / name, os.X_OK)


@pytest.mark.parametrize("name", HOOKS)
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_the_scripts_are_plain_shell(name: str, shell: str) -> None:
    done = subprocess.run(
        [shell, "-n"], input=hook_text(name).encode(), capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_init_installs_and_can_leave_it(make_repo) -> None:
    assert files(make_repo("with", hooks=True).path / ".git/hooks") == set(HOOKS)
    assert files(make_repo("without").path / ".git/hooks") == set()


def test_installing_twice_changes_nothing(repo: Repo) -> None:
    repo.run("install")

    assert "hooks are in" in repo.run("install").out
    assert repo.run("install", "--json").json["changed"] == []


def test_hooks_that_were_there_run_first_with_the_same_arguments_and_input(
    gated: Repo, out: Path
) -> None:
    gated.run("install", "--uninstall")
    for name in ("pre-push", "pre-commit", "post-checkout"):
        script(gated.path / ".git/hooks" / name)
    result = gated.run("install")
    assert "kept, and run first: pre-commit, pre-push, post-checkout" in result.out
    gated.write("data.bin", b"1")
    gated.run("add", "data.bin")

    gated.commit("data")
    gated.git("push", "-q", "origin", "main")
    head = gated.git("rev-parse", "HEAD")
    gated.git("checkout", "-q", "-b", "side")

    said = out.read_text().splitlines()
    url = gated.git("remote", "get-url", "origin")
    assert said == [
        "mine .git/hooks/pre-commit.before-dvtool ",
        f"mine .git/hooks/pre-push.before-dvtool origin {url}",
        f"refs/heads/main {head} refs/heads/main {'0' * 40}",
        f"mine .git/hooks/post-checkout.before-dvtool {head} {head} 1",
    ]
    assert list((gated.path.parent / "repo-remote").rglob("*.pack")) != []


def test_a_hook_from_before_that_refuses_still_refuses(repo: Repo, out: Path) -> None:
    for name in ("pre-commit", "post-checkout"):
        script(repo.path / ".git/hooks" / name, "#!/bin/sh\nexit 7\n")
    repo.run("install")

    assert repo.try_git("commit", "--allow-empty", "-m", "x").code == 1
    # git gives 1 whatever its hook gave.
    assert repo.try_git("checkout", "-b", "new").code == 1


def test_uninstall_puts_back_what_was_there(repo: Repo) -> None:
    folder = repo.path / ".git/hooks"
    kept = script(folder / "pre-push")
    (folder / "pre-commit").symlink_to(kept)
    script(folder / "commit-msg")
    repo.run("install")

    repo.run("install", "--uninstall")

    assert files(folder) == {"pre-push", "pre-commit", "commit-msg"}
    assert kept.read_text() == MINE
    assert (folder / "pre-commit").is_symlink()
    assert "no hooks to remove" in repo.run("install", "--uninstall").out


def test_an_edited_hook_is_not_replaced_without_force(repo: Repo) -> None:
    repo.run("install")
    hook = repo.path / ".git/hooks/pre-commit"
    hook.write_text(hook.read_text() + "echo more\n")

    refused = repo.run("install", code=9)

    assert "somebody edited it" in refused.err
    assert hook.read_text().endswith("echo more\n")
    repo.run("install", "--force")
    assert hook.read_text() == hook_text("pre-commit")


def test_a_hook_of_an_older_version_is_replaced(repo: Repo) -> None:
    script(repo.path / ".git/hooks/pre-push", "#!/bin/sh\n# dvtool hook 0: pre-push.\nold\n")

    repo.run("install")

    assert files(repo.path / ".git/hooks") == set(HOOKS)


@pytest.mark.parametrize("kind", ["relative", "absolute", "home"])
def test_the_folder_that_core_hooks_path_names_is_used(
    repo: Repo, kind: str, hermetic: Path, tmp_path: Path
) -> None:
    value = {"relative": ".git hooks", "absolute": str(tmp_path / "my hooks"), "home": "~/hooks"}
    folder = {"relative": repo.path / ".git hooks", "home": hermetic / "hooks"}
    repo.git("config", "core.hooksPath", value[kind])

    result = repo.run("install")

    assert files(folder.get(kind, tmp_path / "my hooks")) == set(HOOKS)
    assert ("for other repositories too" in result.out) == (kind != "relative")
    repo.write("model.bin", bytes(6 << 20))
    repo.git("add", "model.bin")
    assert repo.try_git("commit", "-m", "model").code == 1


def test_hooks_in_a_shared_folder_leave_other_repositories_alone(
    repo: Repo, make_repo, tmp_path: Path
) -> None:
    repo.git("config", "core.hooksPath", str(tmp_path / "shared"))
    repo.run("install")
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path / "plain"], check=True)
    plain = repo.at(tmp_path / "plain")
    plain.git("config", "core.hooksPath", str(tmp_path / "shared"))
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "to.git"], check=True)
    plain.write("model.bin", bytes(6 << 20))
    plain.git("add", ".")

    assert plain.try_git("commit", "-m", "x").code == 0
    assert plain.try_git("push", str(tmp_path / "to.git"), "main").code == 0
    assert plain.try_git("checkout", "-b", "new").err == "Switched to a new branch 'new'\n"


def test_a_hooks_path_that_is_no_folder_is_told_and_stops_nothing_else(repo: Repo) -> None:
    repo.git("config", "core.hooksPath", "/dev/null")

    refused = repo.run("install", code=2)

    assert "core.hooksPath leads to /dev/null, which is no folder" in refused.err
    assert "no hooks installed" in repo.run("init").err


def test_a_hook_that_the_repository_commits_is_not_moved(repo: Repo) -> None:
    script(repo.path / ".githooks/pre-commit")
    repo.commit("hooks of the team")
    repo.git("config", "core.hooksPath", ".githooks")

    refused = repo.run("install", code=9)

    assert ".githooks/pre-commit is committed in this repository" in refused.err
    assert 'hint: add this line to it: dvtool hook pre-commit "$@" || exit $?' in refused.err
    assert (repo.path / ".githooks/pre-commit").read_text() == MINE
    assert (repo.path / ".githooks/pre-push").exists()


def test_a_hook_that_looks_at_its_own_name_is_not_moved(repo: Repo) -> None:
    script(repo.path / ".git/hooks/pre-push", '#!/bin/sh\nname=$(basename "$0")\n')

    assert "looks at its own name" in repo.run("install", code=9).err


def test_the_hook_runs_without_a_terminal_and_without_dvtool_on_path(
    gated: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    gated.write("model.bin", bytes(6 << 20))
    gated.git("add", "model.bin")

    refused = gated.try_git("commit", "-m", "model")

    assert refused.code == 1
    assert "git itself would get 1 large file" in refused.err


def test_a_virtual_environment_that_is_gone_is_replaced_by_path_or_told(
    gated: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = gated.path / ".git/dvtool/python"
    assert noted.read_text().splitlines()[0] == sys.executable
    noted.write_text("/gone/bin/python\n/gone/dvtool\n")
    gated.write("model.bin", bytes(6 << 20))
    gated.git("add", "model.bin")

    assert "git itself would get" in gated.try_git("commit", "-m", "by PATH").err
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    told = gated.try_git("commit", "-m", "by nothing")
    assert told.code != 0
    assert "error: the pre-commit hook cannot find dvtool: /gone/bin/python" in told.err
    assert "hint: pip install dvtool, then dvtool install" in told.err
    assert gated.try_git("checkout", "-b", "new").code == 0


def test_a_folder_called_dvtool_in_the_repository_is_not_imported(gated: Repo) -> None:
    gated.write("dvtool/__init__.py", "raise SystemExit('imported from the repository')\n")
    gated.write("click.py", "raise SystemExit('imported from the repository')\n")
    gated.git("add", ".")

    committed = gated.try_git("commit", "-m", "names")

    assert committed.code == 0
    assert "imported from the repository" not in committed.err


def test_submodules_have_hooks_of_their_own(gated: Repo, tmp_path: Path) -> None:
    gated.git("push", "-q", "origin", "main")
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path / "outer"], check=True)
    outer = gated.at(tmp_path / "outer")
    host = str(tmp_path / "host.git")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", host, "in ner")
    inner = gated.at(outer.path / "in ner")

    inner.run("init")

    assert files(outer.path / ".git/modules/in ner/hooks") == set(HOOKS)
    inner.write("model.bin", bytes(6 << 20))
    inner.git("add", "model.bin")
    assert inner.try_git("commit", "-m", "model").code == 1
    assert outer.try_git("commit", "-m", "outer").code == 0
