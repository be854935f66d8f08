from __future__ import annotations

import os

import pytest

from dvtool.errors import GitFailed, InvalidText, ObjectMissing, UnknownRevision, WouldLoseData
from dvtool.git.contents import iter_blobs, read_blobs
from dvtool.git.plumbing import Git
from dvtool.git.sidecars import (
    index_stages,
    sidecar_paths,
    sidecars_at,
    staged_sidecars,
    unmerged_sidecars,
)
from dvtool.git.staging import other_refs_tracking, stage, tracked_files, unignored, untrack

ODD_NAMES = [
    "with space.csv.dvt",
    "new\nline.dvt",
    "tab\t.dvt",
    'quo"te\\.dvt',
    os.fsdecode(b"raw\xff.dvt"),
    "-dash.dvt",
    "--upload-pack=x.dvt",
    ":(glob)magic.dvt",
    "st*r[a].dvt",
    "ünï.dvt",
    "#hash.dvt",
    "!bang.dvt",
    "deep/er/-x.dvt",
]


def _plain(git_repo, tmp_path):
    return git_repo()


def _sha256(git_repo, tmp_path):
    return git_repo(object_format="sha256")


def _index_v4(git_repo, tmp_path):
    repo = git_repo()
    repo("config", "index.version", "4")
    return repo


def _split_index(git_repo, tmp_path):
    repo = git_repo()
    repo("config", "core.splitIndex", "true")
    repo("config", "splitIndex.maxPercentChange", "100")
    return repo


def _untracked_cache(git_repo, tmp_path):
    repo = git_repo()
    repo("config", "core.untrackedCache", "true")
    return repo


def _worktree(git_repo, tmp_path):
    main = git_repo("main")
    main.commit("first")
    main("worktree", "add", "-q", tmp_path / "wt")
    return type(main)(tmp_path / "wt")


def _submodule(git_repo, tmp_path):
    inner, outer = git_repo("inner"), git_repo("outer")
    inner.commit("first")
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, "sub")
    return type(inner)(outer.path / "sub")


@pytest.fixture(
    params=[_plain, _sha256, _index_v4, _split_index, _untracked_cache, _worktree, _submodule],
    ids=lambda make: make.__name__[1:],
)
def any_repo(request, git_repo, tmp_path):
    """A repository of each kind that git can make."""
    return request.param(git_repo, tmp_path)


def test_every_kind_of_repository_gives_back_its_sidecars(any_repo):
    any_repo.write("a.dvt", "one")
    any_repo.write("deep/b.dvt", "two")
    git = any_repo.api
    stage(git, ["a.dvt", "deep/b.dvt"])
    any_repo("commit", "-qm", "two sidecars")
    commit = any_repo.head()
    any_repo.write("c.dvt", "three")

    found = sidecars_at(git, commit)
    texts = read_blobs(git, found.values())

    assert {path: texts[oid] for path, oid in found.items()} == {
        "a.dvt": b"one",
        "deep/b.dvt": b"two",
    }
    assert sidecar_paths(git) == ["a.dvt", "c.dvt", "deep/b.dvt"]
    assert [(row.path, row.stage) for row in staged_sidecars(git)] == [
        ("a.dvt", 0),
        ("deep/b.dvt", 0),
    ]


def test_every_kind_of_repository_can_be_staged_and_untracked(any_repo):
    any_repo.write("data/x.csv", "1")
    any_repo.write("data/y.csv", "2")
    any_repo.commit("tracked by git")
    git = any_repo.api

    untrack(git, ["data"])
    any_repo.write("data.dvt", "x")
    stage(git, ["data.dvt"])

    assert any_repo("ls-files").split() == [b"data.dvt"]
    assert (any_repo.path / "data/x.csv").read_text() == "1"


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_sidecar_may_have_any_name(repo, name):
    repo.write(name, "text")
    git = repo.api
    stage(git, [name])
    repo("commit", "-qm", "odd")

    assert sidecar_paths(git) == [name]
    found = sidecars_at(git, repo.head(), [name])
    assert list(found) == [name]
    assert read_blobs(git, found.values()) == {found[name]: b"text"}
    assert index_stages(git, name) == {0: found[name]}


def test_listing_costs_one_process_each(repo, git_processes):
    repo.write(".dvtool", "[dvtool]\n")
    repo.write("a.dvt", "one")
    commit = repo.commit()
    git = repo.api

    with git_processes() as started:
        sidecar_paths(git)
        found = sidecars_at(git, commit)
        read_blobs(git, found.values())
        read_blobs(git, [])
        tracked_files(git, ["data"])

    assert started.count == 4


def test_a_file_called_just_dvt_is_no_sidecar(repo):
    repo.write(".dvt", "x")
    repo.write("sub/.dvt", "x")
    repo.write("upper.DVT", "x")
    commit = repo.commit()

    assert sidecar_paths(repo.api) == []
    assert sidecars_at(repo.api, commit) == {}


def test_ignored_and_deleted_sidecars_are_not_on_disk(repo):
    repo.write(".gitignore", "/ignored.dvt\n")
    repo.write("ignored.dvt", "x")
    repo.write("gone.dvt", "x")
    repo.commit()
    (repo.path / "gone.dvt").unlink()

    assert sidecar_paths(repo.api) == []


def test_a_tracked_sidecar_counts_although_ignored(repo):
    repo.write(".gitignore", "sub/\n")
    repo.write("sub/a.dvt", "x")
    stage(repo.api, ["sub/a.dvt"])

    assert sidecar_paths(repo.api) == ["sub/a.dvt"]


def test_sidecars_beyond_a_symbolic_link_are_left_out(repo, tmp_path):
    repo.write("sub/a.dvt", "x")
    repo.commit()
    elsewhere = tmp_path / "elsewhere"
    (repo.path / "sub").rename(elsewhere)
    (repo.path / "sub").symlink_to(elsewhere)

    assert sidecar_paths(repo.api) == []


def test_sidecars_of_repositories_below_are_left_out(git_repo):
    outer = git_repo("outer")
    inner = git_repo("outer/inner")
    inner.write("x.dvt", "x")
    outer.write("y.dvt", "y")

    assert sidecar_paths(outer.api) == ["y.dvt"]


def test_a_sparse_checkout_shows_what_is_on_disk_and_stages_all_the_same(repo):
    repo.write("in/a.dvt", "a")
    repo.write("out/b.dvt", "b")
    commit = repo.commit()
    repo("sparse-checkout", "set", "in")
    git = repo.api
    on_disk = sidecar_paths(git)

    repo.write("out/b.dvt", "changed")
    repo.write("out/c.dvt", "new")
    stage(git, ["out/b.dvt", "out/c.dvt"])

    assert on_disk == ["in/a.dvt"]
    assert list(sidecars_at(git, commit)) == ["in/a.dvt", "out/b.dvt"]
    assert repo("show", ":out/b.dvt") == b"changed"
    assert repo("show", ":out/c.dvt") == b"new"


def test_a_sidecar_gone_from_disk_is_staged_as_gone(repo):
    repo.write("a.dvt", "x")
    repo.commit()
    (repo.path / "a.dvt").unlink()

    stage(repo.api, ["a.dvt"])

    assert repo("ls-files") == b""


def test_line_endings_follow_the_attributes(repo):
    repo.write(".gitattributes", "*.dvt text eol=lf\n")
    repo.write("a.dvt", "one\r\n")

    stage(repo.api, ["a.dvt"])

    assert repo("show", ":a.dvt") == b"one\n"


def test_unknown_commits_are_unknown_revisions(repo):
    repo.commit()

    with pytest.raises(UnknownRevision):
        sidecars_at(repo.api, "12" * 20)


def test_an_option_in_place_of_a_commit_is_no_option(repo, tmp_path):
    repo.commit()

    with pytest.raises(UnknownRevision):
        sidecars_at(repo.api, f"--output={tmp_path}/written")
    assert not (tmp_path / "written").exists()


def test_missing_blobs_are_missing_objects(repo):
    with pytest.raises(ObjectMissing, match="12" * 20):
        read_blobs(repo.api, ["12" * 20])


def test_blobs_above_the_limit_are_refused_before_they_are_read(repo):
    repo.write("a.dvt", b"x" * 1001)
    repo.commit()

    with pytest.raises(InvalidText, match="1001 bytes, allowed are 1000"):
        read_blobs(repo.api, ["HEAD:a.dvt"], size_limit=1000)


def test_a_folder_is_no_sidecars_text(repo):
    repo.write("sub/a.dvt", "x")
    repo.commit()

    with pytest.raises(GitFailed, match="found a tree"):
        read_blobs(repo.api, ["HEAD:sub"])


def test_many_large_blobs_come_in_order_with_one_process(repo, git_processes):
    for number in range(200):
        repo.write(f"{number}.dvt", str(number).encode() * 10_000)
    commit = repo.commit()
    git = repo.api
    found = sidecars_at(git, commit)

    with git_processes() as started:
        texts = list(iter_blobs(git, found.values()))

    assert started.count == 1
    assert [oid for oid, _ in texts] == list(found.values())
    assert dict(texts)[found["199.dvt"]] == b"199" * 10_000


def test_a_merge_leaves_three_stages(repo):
    repo.write("data.dvt", "base")
    repo.commit()
    repo("checkout", "-qb", "side")
    repo.write("data.dvt", "theirs")
    repo.commit()
    repo("checkout", "-q", "main")
    repo.write("data.dvt", "ours")
    repo.commit()
    with pytest.raises(AssertionError):
        repo("merge", "side")
    git = repo.api

    stages = index_stages(git, "data.dvt")

    texts = read_blobs(git, stages.values())
    assert {stage: texts[oid] for stage, oid in stages.items()} == {
        1: b"base",
        2: b"ours",
        3: b"theirs",
    }
    assert unmerged_sidecars(git) == {"data.dvt": stages}


def test_untracking_what_only_the_index_has_would_lose_it(repo):
    repo.write("a.csv", "committed")
    repo.commit()
    repo.write("a.csv", "staged")
    repo("add", "a.csv")
    repo.write("a.csv", "on disk")

    with pytest.raises(WouldLoseData, match=r"a\.csv"):
        untrack(repo.api, ["a.csv"])
    assert repo("show", ":a.csv") == b"staged"


def test_tracked_files_are_those_at_or_below_the_paths(repo):
    for path in ["data/a", "data/b", "data.txt", "datax/c", "data.dvt", "data*", "other"]:
        repo.write(path, "x")
    repo.commit()

    assert tracked_files(repo.api, ["data"]) == ["data/a", "data/b"]
    assert tracked_files(repo.api, ["data*"]) == ["data*"]
    assert tracked_files(repo.api, []) == []


def test_tracked_files_of_many_paths_are_the_same(repo, git_processes):
    for path in ["data/a", "deep/er/b", "other/c", "x"]:
        repo.write(path, "x")
    repo.commit()
    git = repo.api

    with git_processes() as started:
        found = tracked_files(git, ["data", "deep/er", "x", *(f"no{n}" for n in range(500))])

    assert found == ["data/a", "deep/er/b", "x"]
    assert started.count == 1


def test_other_branches_that_track_a_path_are_named(repo, git_processes):
    repo.write("data/a.csv", "x")
    repo.write("one file", "x")
    repo.commit()
    repo("branch", "old")
    repo("branch", "older")
    repo("rm", "-rqf", "data", "one file")
    repo.commit()
    git = repo.api

    with git_processes() as started:
        found = other_refs_tracking(git, ["data", "one file", "nothing", "new\nline"])

    refs = ["refs/heads/old", "refs/heads/older"]
    assert found == {"data": refs, "one file": refs}
    assert started.count == 2


def test_the_current_branch_is_no_other_branch(repo):
    repo.write("data/a.csv", "x")
    repo.commit()

    assert other_refs_tracking(repo.api, ["data"]) == {}


def test_what_no_rule_ignores_is_named(repo):
    repo.write(".gitignore", "/data\n")

    assert unignored(repo.api, ["data", "data/x", "other", "-x"]) == ["other", "-x"]


def test_staging_nothing_starts_nothing(repo, git_processes):
    git = repo.api

    with git_processes() as started:
        stage(git, [])
        untrack(git, [])
        unignored(git, [])

    assert started.count == 0


def test_git_may_be_discovered_below_the_top_and_still_speak_of_the_top(repo):
    repo.write("sub/a.dvt", "x")

    assert sidecar_paths(Git.at(repo.path / "sub")) == ["sub/a.dvt"]
