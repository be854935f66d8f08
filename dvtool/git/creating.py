"""Making a new git repository. Called by `dvtool.ops.demo`; users run `git init` themselves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dvtool.git.process import failure, git_environment, run_git


def create_repository(folder: Path, *, environ: Mapping[str, str]) -> None:
    """Makes `folder`, which exists, a git repository with a work tree and the branch `main`.

    Raises:
        GitFailed: git could not, or is not installed.
    """
    env = git_environment(environ, foreign=True)
    done = run_git(["git", "init", "--quiet", "--initial-branch=main"], cwd=folder, env=env)
    if done.returncode:
        raise failure(["init"], done.returncode, done.stderr, folder)
