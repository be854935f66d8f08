"""Real version histories, replayed commit by commit, come back byte for byte.

The histories are not shipped with the project: these tests are skipped, visibly, where the folder
`shared/data/git` does not stand beside the checkout. `test_a_made_history_…` needs nothing.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

BUNDLES = Path(__file__).parents[3] / "shared" / "data" / "git"
needs_histories = pytest.mark.skipif(
    not BUNDLES.is_dir(), reason="the real histories are not beside this checkout"
)

Version = tuple[str, dict[str, str]]


def replay(source: Path, repo: Repo, *, limit: int | None = None) -> list[Version]:
    """Commits every version of a git history as data; returns commits with sha256 by path."""

    def git(*args: str) -> bytes:
        return subprocess.run(["git", *args], cwd=source, capture_output=True, check=True).stdout

    commits = git("rev-list", "--reverse", "HEAD").decode().split()[:limit]
    versions = []
    for number, commit in enumerate(commits):
        listed = git("ls-tree", "-r", "-z", "--name-only", commit).decode().split("\0")[:-1]
        names = [name for name in listed if name.endswith(".csv")]
        for old in (repo.path / "history").glob("**/*"):
            if old.is_file() and str(old.relative_to(repo.path / "history")) not in names:
                old.unlink()
        held = {}
        for name in names:
            data = git("cat-file", "blob", f"{commit}:{name}")
            repo.write(f"history/{name}", data)
            held[name] = hashlib.sha256(data).hexdigest()
        repo.run("add", "-q", "history")
        repo.git("commit", "-q", "--allow-empty", "-m", f"version {number}")
        versions.append((repo.git("rev-parse", "HEAD"), held))
    return versions


def prove_restorable(clone: Repo, versions: list[Version]) -> None:
    """Checks out every version in a clone that holds all bytes, and compares digests."""
    for commit, held in versions:
        clone.git("checkout", "-q", commit)
        clone.run("checkout", "-q")
        found = {
            path: hashlib.sha256(data).hexdigest()
            for path, data in clone.snapshot("history").items()
        }
        assert found == held, commit


def push_and_restore(repo: Repo, versions: list[Version]) -> None:
    repo.run("push", "-q")
    (proof,) = repo.run("verify", "--remote", "--json").json["reports"]
    assert (proof["problems"], proof["incomplete"]) == ([], [])
    clone = repo.clone("clone")
    clone.run("fetch", "-q", "--all-commits")
    prove_restorable(clone, versions)


def test_a_made_history_of_forty_versions_comes_back(repo: Repo) -> None:
    versions = []
    for number in range(40):
        repo.write("history/rows.csv", "".join(f"{n},{n * number}\n" for n in range(number * 3)))
        repo.write(f"history/{number % 7}.csv", f"{number}\n")
        repo.run("add", "-q", "history")
        held = {
            path: hashlib.sha256(data).hexdigest()
            for path, data in repo.snapshot("history").items()
        }
        versions.append((repo.commit(str(number)), held))

    push_and_restore(repo, versions)


@needs_histories
@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", ["gold-prices", "ourairports-regions-countries", "vix-daily"])
def test_a_real_history_comes_back_from_a_folder(name: str, repo: Repo, tmp_path: Path) -> None:
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(BUNDLES / f"{name}.bundle"), str(source)], check=True)

    push_and_restore(repo, replay(source, repo))


@needs_histories
@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize("name", ["gold-prices", "ourairports-regions-countries", "vix-daily"])
def test_a_real_history_comes_back_from_s3(
    name: str,
    make_repo: Callable[..., Repo],
    tmp_path: Path,
    s3_bucket: tuple[str, str],
) -> None:
    endpoint, bucket = s3_bucket
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(BUNDLES / f"{name}.bundle"), str(source)], check=True)
    repo = make_repo(remote=None)
    repo.run("remote", "add", "origin", f"s3://{bucket}/history", "--endpoint-url", endpoint)

    push_and_restore(repo, replay(source, repo))
