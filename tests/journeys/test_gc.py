"""Collecting garbage, erasing and copying, as a person does it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dvtool.core.digest import digest_of, format_digest
from dvtool.core.pack import scan_pack
from tests.journeys.harness import Repo

DAY_S = 24 * 3600
ROWS = "".join(f"{number},{number * 7919 % 10007}\n" for number in range(20_000))


def objects(folder: Path, kind: str) -> set[str]:
    return {path.name for path in (folder / kind).rglob("*") if path.is_file()}


def age(folder: Path, days: float) -> None:
    """Makes everything at a remote older, as its own clock sees it."""
    for path in folder.rglob("*"):
        if path.is_file():
            before = path.stat().st_mtime
            os.utime(path, (before - days * DAY_S, before - days * DAY_S))


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "repo-remote"


def versions(repo: Repo) -> None:
    """Commits one version on main and one on a branch, both pushed."""
    repo.write("a.csv", "x\n1\n" + ROWS)
    repo.run("add", "a.csv")
    repo.commit("first")
    repo.run("push")
    repo.git("switch", "-q", "-c", "side")
    repo.write("a.csv", "x\n2\n" + ROWS[::-1])
    repo.run("add", "a.csv")
    repo.commit("aside")
    repo.run("push")
    repo.git("switch", "-q", "main")
    repo.run("checkout")


def test_what_a_deleted_branch_had_goes_after_the_grace_period(repo: Repo, remote: Path) -> None:
    versions(repo)
    repo.git("branch", "-D", "side")
    before = objects(remote, "packs")
    age(remote, 30)

    dry = repo.run("gc", "--remote", "--json").json
    assert dry["retired"] == 1
    assert dry["deleted"] == 0
    assert objects(remote, "packs") == before
    first = repo.run("gc", "--remote", "--delete", "--json").json
    assert first["retired"] == 1
    assert first["deleted"] == 0
    assert first["waiting"] > 0
    assert before <= objects(remote, "packs")
    age(remote, 15)
    second = repo.run("gc", "--remote", "--delete", "--json").json

    assert second["deleted"] > 0
    assert not before <= objects(remote, "packs")
    repo.run("verify", "--remote")
    clone = repo.clone("clone")
    clone.run("pull")
    assert clone.read("a.csv") == repo.read("a.csv")


def test_a_branch_that_came_back_is_pushed_again(repo: Repo, remote: Path) -> None:
    versions(repo)
    side = repo.git("rev-parse", "side")
    repo.git("branch", "-D", "side")
    age(remote, 30)
    repo.run("gc", "--remote", "--delete")
    repo.git("branch", "side", side)

    repo.run("push", "--all-branches")
    age(remote, 30)
    repo.run("gc", "--remote", "--delete")

    repo.run("verify", "--remote")
    clone = repo.clone("clone")
    clone.run("fetch", "--rev", side)


def test_a_young_branch_is_left_alone(repo: Repo, remote: Path) -> None:
    versions(repo)
    repo.git("branch", "-D", "side")

    assert repo.run("gc", "--remote", "--delete", "--json").json["retired"] == 0


def test_a_clone_that_does_not_hold_a_branch_refuses(repo: Repo, remote: Path) -> None:
    versions(repo)
    stale = repo.clone("stale")
    repo.write("a.csv", "x\n3\n")
    repo.run("add", "a.csv")
    repo.commit("later")
    repo.run("push")

    refused = stale.run("gc", "--remote", "--delete", code=9)

    assert "does not hold" in refused.err
    assert "git fetch" in refused.err
    stale.run("gc", "--remote", "--delete", "--keep-roots")


def test_a_shallow_clone_refuses(repo: Repo, tmp_path: Path) -> None:
    versions(repo)
    repo.git("clone", "-q", "--depth=1", repo.path.as_uri(), str(tmp_path / "shallow"))

    refused = repo.at(tmp_path / "shallow").run("gc", "--remote", code=9)

    assert "shallow" in refused.err


def test_history_that_no_root_covers_stops_it(repo: Repo, remote: Path) -> None:
    versions(repo)
    repo.write("b.csv", "only,here\n")
    repo.run("add", "b.csv")
    repo.commit("not pushed")

    refused = repo.run("gc", "--remote", code=9)

    assert "b.csv" in refused.err
    assert "dvtool push" in refused.err


def test_two_repositories_share_a_remote_and_neither_loses(
    make_repo: Callable[..., Repo], remote: Path
) -> None:
    one, two = make_repo("repo"), make_repo("two", remote=None)
    two.run("remote", "add", "origin", remote.as_uri())
    versions(one)
    two.write("t.csv", "t\n" + ROWS)
    two.run("add", "t.csv")
    two.commit("theirs")
    two.run("push")
    for _ in range(3):
        age(remote, 30)
        one.run("gc", "--remote", "--delete")

    two.run("verify", "--remote")
    one.run("verify", "--remote")


def test_local_drops_old_versions_and_keeps_the_current_one(repo: Repo) -> None:
    repo.write("a.bin", os.urandom(3 * 2**20))
    repo.write("small.csv", "x\n1\n")
    repo.run("add", "a.bin", "small.csv")
    first = repo.commit("first")
    repo.write("a.bin", os.urandom(3 * 2**20))
    repo.write("small.csv", "x\n2\n")
    repo.run("add", "a.bin", "small.csv")
    repo.commit("second")
    old = repo.git("show", f"{first}:a.bin.dvt")
    assert repo.run("gc", "--local", "--delete", "--json").json["dropped"] == 0  # not pushed
    repo.run("push")

    dry = repo.run("gc", "--local", "--json").json
    done = repo.run("gc", "--local", "--delete", "--json").json

    assert dry["dropped"] == done["dropped"] == 2
    assert done["dropped_bytes"] > 3 * 2**20
    assert repo.run("gc", "--local", "--json").json["dropped"] == 0
    repo.run("verify")
    repo.run("fetch", "--rev", first)
    repo.run("checkout", "--rev", first)
    assert format_digest(digest_of(repo.read("a.bin"))) in old


def test_local_does_not_drop_what_is_damaged_at_the_remote(repo: Repo, remote: Path) -> None:
    repo.write("a.csv", "x\n1\n")
    repo.run("add", "a.csv")
    repo.commit("first")
    repo.run("push")
    repo.write("a.csv", "x\n2\n")
    repo.run("add", "a.csv")
    repo.commit("second")
    repo.run("push")
    for pack in (remote / "packs").rglob("*.pack"):
        data = bytearray(pack.read_bytes())
        data[97] ^= 0xFF  # the first byte of the first record
        pack.chmod(0o644)
        pack.write_bytes(data)

    assert repo.run("gc", "--local", "--delete", "--json").json["dropped"] == 0


def test_a_clone_that_shares_the_store_keeps_its_version(repo: Repo, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    repo.git("config", "dvtool.store.path", str(shared))
    repo.write("a.csv", "x\n1\n")
    repo.run("add", "a.csv")
    repo.commit("first")
    repo.run("push")
    clone = repo.clone("clone")
    clone.git("config", "dvtool.store.path", str(shared))
    clone.run("pull")
    repo.write("a.csv", "x\n2\n")
    repo.run("add", "a.csv")
    repo.commit("second")
    repo.run("push")

    kept = repo.run("gc", "--local", "--delete", "--json").json
    shutil.rmtree(clone.path)
    dropped = repo.run("gc", "--local", "--delete", "--json").json

    assert (kept["clones"], kept["dropped"]) == (2, 0)
    assert (dropped["clones"], dropped["dropped"]) == (1, 1)


def test_a_limit_drops_no_more_than_it_must(repo: Repo) -> None:
    for number in range(4):
        repo.write("a.bin", bytes([number]) * (2 * 2**20))
        repo.run("add", "a.bin")
        repo.commit(str(number))
    repo.run("push")

    done = repo.run("gc", "--local", "--delete", "--limit", "5M", "--json").json

    assert done["dropped"] == 2


def test_purged_data_are_gone_and_a_pull_says_why(repo: Repo, remote: Path) -> None:
    secret = "name,illness\nAda,none\n" + ROWS
    repo.write("data/people.csv", secret)
    repo.write("data/other.csv", "y\n1\n")
    repo.run("add", "data")
    first = repo.commit("first")
    repo.run("push")
    (repo.path / "data/people.csv").unlink()
    repo.run("add", "data")
    repo.commit("without")
    repo.run("push")

    repo.run("purge", f"data/people.csv@{first}", "--reason", "consent withdrawn, ticket 512")

    clone = repo.clone("clone")
    clone.run("pull")
    lost = clone.run("fetch", "--rev", first, code=6)
    assert "erased on purpose: consent withdrawn, ticket 512" in lost.err
    repo.run("push", "--all-branches")  # from a clone that still had them
    assert clone.run("verify", "--remote", code=6).out.count("erased on purpose") == 1
    assert repo.run("verify").code == 0
    for pack in (remote / "packs").rglob("*.pack"):
        heads = [record.digest for record, _ in scan_pack(pack.read_bytes())]
        assert digest_of(secret.encode()) not in heads


def test_a_lost_index_is_built_again_from_the_packs(repo: Repo, remote: Path) -> None:
    repo.write("large.bin", os.urandom(5 * 2**20))
    repo.write("small.csv", "x\n1\n")
    repo.run("add", "large.bin", "small.csv")
    repo.commit("first")
    repo.run("push")
    for path in (remote / "index").iterdir():
        path.unlink()
    clone = repo.clone("clone")
    assert "is not in the remote" in repo.run("verify", "--remote", code=6).out

    clone.run("verify", "--remote", "--rebuild-index")

    clone.run("pull")
    assert clone.read("large.bin") == repo.read("large.bin")
    assert clone.read("small.csv") == repo.read("small.csv")
    clone.run("verify", "--remote", "--read-data")


def test_a_damaged_index_is_condemned_and_replaced(repo: Repo, remote: Path) -> None:
    versions(repo)
    for path in (remote / "index").iterdir():
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-10])
    clone = repo.clone("clone")
    clone.git("fetch", "-q", "origin", "side:side")
    assert "rebuild-index" in clone.run("gc", "--remote", "--keep-roots", code=7).err

    clone.run("verify", "--remote", "--rebuild-index", "main", "side")

    clone.run("gc", "--remote", "--keep-roots")
    clone.run("pull")
    assert clone.read("a.csv") == repo.read("a.csv")


def test_a_copy_holds_all_and_a_second_run_sends_nothing(repo: Repo, tmp_path: Path) -> None:
    versions(repo)
    repo.run("remote", "add", "backup", (tmp_path / "backup").as_uri())

    first = repo.run("remote", "copy", "origin", "backup", "--json").json
    second = repo.run("remote", "copy", "origin", "backup", "--json").json

    assert first["objects"] > 0
    assert second["objects"] == 0
    assert second["there_already"] == first["objects"]
    repo.run("verify", "--remote", "-r", "backup")
    repo.run("verify", "--remote", "--read-data", "-r", "backup")


def test_the_same_on_an_s3_server(
    make_repo: Callable[..., Repo], s3_bucket: tuple[str, str]
) -> None:
    endpoint, bucket = s3_bucket
    repo = make_repo(remote=None)
    repo.run("remote", "add", "origin", f"s3://{bucket}/team", "--endpoint-url", endpoint)
    repo.write("a.csv", "x\n1\n" + ROWS)
    repo.write("b.csv", "y\n1\n" + ROWS)
    repo.run("add", "a.csv", "b.csv")
    first = repo.commit("first")
    repo.run("push")
    repo.run("gc", "--remote", "--delete", "--grace-days", "0")

    repo.run("purge", f"b.csv@{first}", "--reason", "by mistake")

    clone = repo.clone("clone")
    clone.run("fetch", "a.csv")
    assert "by mistake" in clone.run("fetch", "b.csv", code=6).err
    again = repo.run("gc", "--remote", "--delete", "--grace-days", "0", "--json").json
    assert (again["waiting"], again["dead_packs"]) == (0, 0)
    clone.run("fetch", "a.csv")


def test_a_tiny_pack_that_is_all_alive_is_left_alone(repo: Repo, remote: Path) -> None:
    repo.write("a.csv", "1\n")
    repo.run("add", "a.csv")
    repo.commit("tiny")
    repo.run("push")
    age(remote, 30)
    before = objects(remote, "packs")

    for _ in range(2):
        repo.run("gc", "--remote", "--delete", "--grace-days", "0")

    assert objects(remote, "packs") == before
