from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dvtool.errors import GitFailed, Locked, NoRepository, UnknownRevision, UsageError
from dvtool.git.plumbing import Git, discover
from dvtool.git.process import git_environment, hide_credentials
from dvtool.git.staging import stage


def test_discovery_costs_one_process(repo, git_processes):
    (repo.path / "a" / "b").mkdir(parents=True)

    with git_processes() as started:
        layout = discover(repo.path / "a" / "b")

    assert started.count == 1
    assert (layout.top, layout.git_dir, layout.common_dir) == (
        repo.path,
        repo.path / ".git",
        repo.path / ".git",
    )
    assert layout.prefix == "a/b/"
    assert (layout.object_format, layout.bare, layout.shallow) == ("sha1", False, False)


@pytest.mark.parametrize("name", ["with space", "new\nline", "\udcff raw", "-dash", "ünï"])
def test_a_repository_may_have_any_name(git_repo, name):
    repo = git_repo(name)
    (repo.path / "sub").mkdir()

    layout = discover(repo.path / "sub")

    assert layout.top == repo.path
    assert layout.common_dir == repo.path / ".git"
    assert layout.prefix == "sub/"


def test_a_sha256_repository_is_named_so(git_repo):
    assert discover(git_repo(object_format="sha256").path).object_format == "sha256"


def test_a_worktree_has_its_own_git_dir_and_the_shared_common_dir(repo, tmp_path):
    repo.commit()
    repo("worktree", "add", "-q", tmp_path / "wt")

    layout = discover(tmp_path / "wt")

    assert layout.top == tmp_path / "wt"
    assert layout.git_dir == repo.path / ".git" / "worktrees" / "wt"
    assert layout.common_dir == repo.path / ".git"


def test_a_submodule_is_a_repository_of_its_own(git_repo):
    inner, outer = git_repo("inner"), git_repo("outer")
    inner.commit()
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, "sub")

    layout = discover(outer.path / "sub")

    assert layout.top == outer.path / "sub"
    assert layout.git_dir == layout.common_dir == outer.path / ".git" / "modules" / "sub"


def test_a_shallow_clone_says_so(repo, tmp_path):
    repo.commit()
    repo.commit()
    repo("clone", "-q", "--depth=1", f"file://{repo.path}", tmp_path / "shallow")

    assert discover(tmp_path / "shallow").shallow


def test_outside_of_any_repository_there_is_none(tmp_path):
    with pytest.raises(NoRepository, match="not in a git repository"):
        discover(tmp_path)


def test_a_folder_that_is_not_there_is_no_repository(tmp_path):
    with pytest.raises(NoRepository, match="no such folder"):
        discover(tmp_path / "gone")


def test_inside_of_gits_own_folder_there_is_no_work_tree(repo):
    with pytest.raises(NoRepository, match="git's own folder"):
        discover(repo.path / ".git")


def test_a_bare_repository_has_no_work_tree_unless_that_is_fine(git_repo):
    bare = git_repo(bare=True)

    with pytest.raises(NoRepository, match="bare"):
        discover(bare.path)
    layout = discover(bare.path, bare_ok=True)
    assert layout.bare
    assert layout.top == layout.git_dir == bare.path


def test_a_missing_git_is_named(repo, tmp_path):
    with pytest.raises(GitFailed, match="not installed"):
        discover(repo.path, environ={"PATH": str(tmp_path)})


def test_an_interrupted_hook_environment_still_finds_its_repository(repo, monkeypatch):
    # Exactly what git exports to a pre-commit hook: relative to the top.
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    repo.write("a.dvt", "x")

    git = Git.at(repo.path)
    stage(git, ["a.dvt"])

    assert git.run("ls-files") == b"a.dvt\n"


def test_a_foreign_repository_is_not_confused_by_a_hooks_environment(git_repo, monkeypatch):
    hooked, other = git_repo("hooked"), git_repo("other")
    monkeypatch.setenv("GIT_DIR", str(hooked.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(hooked.path / ".git" / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(hooked.path))
    other.write("a.dvt", "x")

    git = Git.at(other.path, foreign=True)
    stage(git, ["a.dvt"])

    assert git.top == other.path
    assert git.run("ls-files") == b"a.dvt\n"
    assert Git.at(hooked.path).run("ls-files") == b""


def test_a_real_pre_commit_hook_sees_the_index_of_a_partial_commit(repo):
    repo.write("a.dvt", "one")
    repo.write("b.dvt", "two")
    repo.commit()
    repo.write("a.dvt", "one more")
    repo.write("b.dvt", "two more")
    program = (
        "from pathlib import Path; from dvtool.git.plumbing import Git;"
        "from dvtool.git.contents import read_blobs;"
        "from dvtool.git.sidecars import staged_sidecars;"
        "git = Git.at(Path('.')); rows = staged_sidecars(git);"
        "texts = read_blobs(git, [row.oid for row in rows]);"
        "Path('seen').write_text(repr([texts[row.oid] for row in rows]))"
    )
    hook = repo.write(
        ".git/hooks/pre-commit", f'#!/bin/sh\nexec "{sys.executable}" -c "{program}"\n'
    )
    hook.chmod(0o755)

    repo(
        "commit", "-qm", "only a", "--", "a.dvt", PYTHONPATH=os.pathsep.join(filter(None, sys.path))
    )

    assert (repo.path / "seen").read_text() == "[b'one more', b'two']"


def test_variables_that_change_what_paths_mean_are_not_handed_on():
    given = {"GIT_LITERAL_PATHSPECS": "1", "GIT_EXTERNAL_DIFF": "rm", "GIT_DIR": "x", "A": "b"}

    assert git_environment(given) == {
        "GIT_DIR": "x",
        "A": "b",
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
    }
    assert "GIT_DIR" not in git_environment(given, foreign=True)


def test_everything_git_calls_local_to_a_repository_is_dropped_for_another(repo):
    names = repo("rev-parse", "--local-env-vars").decode().split()
    users_own = {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}

    left = git_environment(dict.fromkeys(names, "x"), foreign=True)

    assert set(left) - {"LC_ALL", "GIT_TERMINAL_PROMPT"} == users_own


def test_a_held_index_lock_is_reported_as_such(repo):
    repo.write("a.dvt", "x")
    repo.write(".git/index.lock")

    with pytest.raises(Locked, match=r"index\.lock"):
        stage(repo.api, ["a.dvt"])


def test_an_unknown_failure_carries_gits_words(repo):
    with pytest.raises(GitFailed, match=r"git mktree failed \(exit 128\): .*bad"):
        repo.api.run("mktree", stdin=b"bad\n")


def test_a_bad_revision_is_an_unknown_revision(repo):
    with pytest.raises(UnknownRevision):
        repo.api.run("log", "nowhere", "--")


def test_a_nul_byte_in_an_argument_is_refused(repo):
    with pytest.raises(UsageError, match="NUL"):
        repo.api.run("ls-files", "--", "a\0b")


def test_credentials_never_reach_a_message():
    told = "fatal: unable to access 'https://me:hunter2@host/x': 403; ssh://git@host/y"

    assert hide_credentials(told) == "fatal: unable to access 'https://host/x': 403; ssh://host/y"


def test_a_stream_can_be_left_early(repo):
    for number in range(50):
        repo.write(f"{number}.txt", "x")
    repo.commit()

    stream = repo.api.stream("ls-files", "-z")
    first = next(stream)
    stream.close()

    assert first == b"0.txt"


def test_a_stream_that_fails_says_why(repo):
    with pytest.raises(UnknownRevision):
        list(repo.api.stream("log", "-z", "nowhere", "--"))


def test_git_reads_nothing_of_a_hooks_standard_input(repo):
    program = (
        "from pathlib import Path; import sys; from dvtool.git.plumbing import Git;"
        "Git.at(Path('.')).run('hash-object', '--stdin'); sys.stdout.write(sys.stdin.read())"
    )

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=repo.path,
        input=b"refs/heads/main",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        check=True,
    )

    assert done.stdout == b"refs/heads/main"


def test_importing_these_modules_loads_neither_gitpython_nor_asyncio():
    program = (
        "import sys, dvtool.git.plumbing, dvtool.git.history, dvtool.git.settings, dvtool.git.trust;"
        "import dvtool.git.attributes, dvtool.git.staging, dvtool.git.cloning;"
        "heavy = {'git', 'asyncio', 'tempfile', 'fsspec'} & set(sys.modules); assert not heavy, heavy"
    )

    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
