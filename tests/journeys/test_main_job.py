"""The main job: track, commit, push, clone, pull any version, byte for byte."""

from __future__ import annotations

from collections.abc import Callable

from tests.journeys.harness import Repo


def three_versions(repo: Repo) -> list[tuple[str, dict[str, bytes]]]:
    """Commits three versions of a directory and a file; returns commits with what they held."""
    versions = []
    repo.write("data/a.csv", "x\n1\n")
    repo.write("data/sub/b.csv", "x\n2\n")
    repo.write("big.bin", bytes(range(256)) * 20_000)
    repo.run("add", "data", "big.bin")
    versions.append((repo.commit("one"), repo.snapshot("data")))
    repo.write("data/a.csv", "x\n1\n3\n")
    repo.write("data/c.csv", "")
    repo.run("add", "data")
    versions.append((repo.commit("two"), repo.snapshot("data")))
    (repo.path / "data/sub/b.csv").unlink()
    (repo.path / "data/sub").rmdir()
    repo.run("add", "data")
    versions.append((repo.commit("three"), repo.snapshot("data")))
    return versions


def test_every_version_comes_back_byte_for_byte_in_another_clone(repo: Repo) -> None:
    versions = three_versions(repo)
    repo.run("push")
    clone = repo.clone("clone")

    for commit, held in versions:
        clone.run("pull", "--rev", commit, "data")
        assert clone.snapshot("data") == held
        clone.git("reset", "--hard", "--quiet")
        clone.run("pull")

    clone.run("pull")
    assert clone.read("big.bin") == repo.read("big.bin")
    assert clone.run("status").out == "2 data sets, all clean\n"


def test_the_same_from_an_s3_server(
    make_repo: Callable[..., Repo], s3_bucket: tuple[str, str]
) -> None:
    endpoint, bucket = s3_bucket
    repo = make_repo(remote=None)
    repo.run("remote", "add", "origin", f"s3://{bucket}/prefix", "--endpoint-url", endpoint)
    versions = three_versions(repo)

    repo.run("push")
    clone = repo.clone("clone")
    for commit, held in versions:
        clone.run("pull", "--rev", commit, "data")
        assert clone.snapshot("data") == held
        clone.git("reset", "--hard", "--quiet")
        clone.run("pull")

    assert "very-secret-value" not in repo.read(".dvtool").decode()


def test_a_second_push_has_nothing_to_send(repo: Repo) -> None:
    three_versions(repo)
    repo.run("push")

    assert repo.run("push").out == "origin has everything already\n"


def test_clone_is_git_clone_init_and_pull(repo: Repo) -> None:
    versions = three_versions(repo)
    repo.run("push")

    outside = repo.at(repo.path.parent)
    outside.run("clone", str(repo.path), "fresh")

    assert repo.at(repo.path.parent / "fresh").snapshot("data") == versions[-1][1]


def test_get_copies_one_file_of_one_version_out(repo: Repo) -> None:
    versions = three_versions(repo)
    repo.run("push")
    outside = repo.at(repo.path.parent)

    outside.run("get", str(repo.path), "data/a.csv", "--rev", versions[0][0], "-o", "a.csv")

    assert outside.read("a.csv") == versions[0][1]["a.csv"]
    assert "stands" in outside.run("get", str(repo.path), "data", "-o", "a.csv", code=9).err


def test_pull_of_one_file_brings_only_that_file(repo: Repo) -> None:
    three_versions(repo)
    repo.run("push")
    clone = repo.clone("clone")

    clone.run("pull", "data/a.csv")

    assert clone.snapshot("data") == {"a.csv": b"x\n1\n3\n"}
    clone.write("data/new.csv", "n\n")
    clone.run("add", "data")
    assert clone.run("list", "--files", "data").out.count(".csv") == 3  # nothing was dropped


def test_log_and_diff_tell_what_changed(repo: Repo) -> None:
    versions = three_versions(repo)

    log = repo.run("log", "data", "--json").json["versions"]
    assert [line["change"] for line in log] == ["-1", "+1 ~1", "created"]
    diff = repo.run("diff", versions[0][0], versions[1][0]).out
    assert "~ a.csv" in diff
    assert "+ c.csv" in diff
    assert "a.csv" in repo.git("diff", versions[0][0], versions[1][0], "--", "data.dvt")


def test_add_again_without_a_change_writes_nothing(repo: Repo) -> None:
    three_versions(repo)
    before = repo.read("data.dvt")

    result = repo.run("add", "data")

    assert result.out.startswith("unchanged data")
    assert repo.read("data.dvt") == before
    assert repo.git("status", "--porcelain") == ""


def test_a_large_list_of_files_is_sharded_and_comes_back(repo: Repo) -> None:
    for number in range(1200):
        repo.write(f"many/{number:04}.txt", f"{number}\n")
    repo.run("add", "many")
    repo.commit()
    assert b"layout: sharded" in repo.read("many.dvt")
    before = repo.snapshot("many")
    repo.run("push")

    clone = repo.clone("clone")
    clone.run("pull")

    assert clone.snapshot("many") == before
    repo.write("many/0600.txt", "changed\n")
    old = repo.read("many.dvt").splitlines()
    repo.run("add", "many")
    new = repo.read("many.dvt").splitlines()
    assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
