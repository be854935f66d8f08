"""Files of a revision and of the index by their paths: those that are there, and no others."""

from __future__ import annotations

import pytest

from dvtool.errors import GitFailed, ObjectMissing
from dvtool.git.contents import read_files
from dvtool.git.plumbing import Git
from dvtool.git.revisions import resolve_commit

FEW = ["a.checks.yaml", "deep/b.allow.yaml", "new\nline.checks.yaml", "*.checks.yaml", "gone.yaml"]
MANY = [*FEW, *(f"none/{number}.allow.yaml" for number in range(100))]


@pytest.mark.parametrize("asked", [FEW, MANY])
def test_files_are_read_from_the_commit_or_the_index_that_was_asked(
    repo, git_processes, asked
) -> None:
    for path, text in zip(FEW[:4], "abcd", strict=True):
        repo.write(path, text)
    repo.write("other.checks.yaml", "not asked for")
    repo("add", "-A")
    repo("commit", "-qm", "1")
    repo.write("a.checks.yaml", "staged")
    repo("add", "-A")
    repo.write("a.checks.yaml", "on disk")
    git = Git.at(repo.path)
    commit = resolve_commit(git, "HEAD")

    with git_processes() as started:
        committed = read_files(git, commit, asked)
        staged = read_files(git, "", asked)

    assert committed == dict(zip(FEW[:4], [b"a", b"b", b"c", b"d"], strict=True))
    assert staged == committed | {"a.checks.yaml": b"staged"}
    assert started.count == 4


@pytest.mark.parametrize("more", [[], MANY[5:]])
@pytest.mark.parametrize("rev", ["HEAD", ""])
def test_a_folder_where_a_file_is_asked_for_is_no_missing_file(repo, rev, more) -> None:
    repo.write("a.checks.yaml/inside/b.txt", "x")
    repo("add", "-A")
    repo("commit", "-qm", "1")
    git = Git.at(repo.path)

    with pytest.raises(GitFailed, match=r"folder: a\.checks\.yaml"):
        read_files(git, resolve_commit(git, rev) if rev else "", ["a.checks.yaml", *more])


def test_a_file_whose_bytes_are_lost_is_no_missing_file(repo) -> None:
    repo.write("a.checks.yaml", "x")
    repo("add", "-A")
    repo("commit", "-qm", "1")
    oid = repo("rev-parse", ":a.checks.yaml").decode().strip()
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    git = Git.at(repo.path)

    for rev in (resolve_commit(git, "HEAD"), ""):
        with pytest.raises(ObjectMissing):
            read_files(git, rev, ["a.checks.yaml"])
