"""Names no one would choose, and repositories of every kind that git has.

What git can hold, dvtool can hold: each case goes through add, commit, losing the files, checkout.
"""

from __future__ import annotations

import os
import stat
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

ODD_NAMES = {
    "spaces": b" a  b ",
    "newline": b"a\nb",
    "carriage return": b"a\r",
    "tab": b"a\tb",
    "quotes": b"\"a\" 'b' `c`",
    "leading dash": b"--force",
    "only a dash": b"-",
    "not UTF-8": b"caf\xe9 \xff\xfe",
    "composed": unicodedata.normalize("NFC", "é").encode(),
    "decomposed": unicodedata.normalize("NFD", "é").encode(),
    "emoji": "🦆 utilisé".encode(),
    "a pattern": b"*.[ch]?",
    "an exclamation mark": b"!important",
    "a hash": b"# heading",
    "a variable": b"$HOME $(id) %d {0}",
    "a colon": b"a:b",
    "a dot": b".hidden",
    "an at sign": b"@{u}",
    "as long as it gets": b"n" * 251,
    "YAML": b"- {a: *b, &c !!d",
    "control characters": b"a\x01\x1b[31mb\x7f",
    "like a temporary file": b"a.dvt-tmp-b",
    "like a sidecar inside": b"x.y.dvt.csv",
}


def bytes_below(folder: Path) -> dict[bytes, bytes]:
    """Returns every file below a folder by its raw path."""
    root = os.fsencode(folder)
    return {
        os.path.relpath(os.path.join(base, name), root): Path(
            os.fsdecode(base), os.fsdecode(name)
        ).read_bytes()
        for base, _, names in os.walk(root)
        for name in names
    }


def put(folder: Path, name: bytes, data: bytes) -> Path:
    path = folder / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def lose(path: Path) -> None:
    subprocess.run(["rm", "-rf", "--", path], check=True)


@pytest.mark.parametrize("case", ODD_NAMES)
def test_a_file_with_an_odd_name_comes_back(repo: Repo, case: str) -> None:
    name = ODD_NAMES[case]
    put(repo.path / "data", name, b"1\n")
    put(repo.path / "data/sub", b"x " + name[:200], b"2\n")
    held = bytes_below(repo.path / "data")
    repo.run("add", "data")
    repo.commit("odd")

    lose(repo.path / "data")
    repo.run("checkout")
    assert bytes_below(repo.path / "data") == held
    assert repo.run("status", "-q").code == 0

    put(repo.path / "data", name, b"11\n")
    assert repo.run("status", "--json").json["datasets"][0]["paths"][0]["state"] == "modified"
    repo.run("checkout", "--force", "--", f"data/{os.fsdecode(name)}")
    assert bytes_below(repo.path / "data") == held


@pytest.mark.parametrize("case", ODD_NAMES)
def test_a_data_set_with_an_odd_name_comes_back(repo: Repo, case: str) -> None:
    name = os.fsdecode(ODD_NAMES[case])
    target = repo.path / "sub" / name
    target.parent.mkdir()
    target.write_bytes(b"1\n")

    repo.run("add", "--", f"sub/{name}")
    repo.commit("odd")
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("ls-files", "-z", "--others", "--exclude-standard") == ""
    target.unlink()
    repo.run("checkout")

    assert target.read_bytes() == b"1\n"
    assert repo.run("status", "-q").code == 0
    repo.run("log", "--", f"sub/{name}")
    repo.run("mv", "--", f"sub/{name}", "plain")
    repo.commit("moved")
    repo.run("rm", "plain")
    assert not (repo.path / "plain").exists()
    assert not target.exists()


def test_odd_names_travel_to_a_remote_and_back(repo: Repo) -> None:
    clashing = {"decomposed"}  # with "composed", on some file systems
    for case, name in ODD_NAMES.items():
        if case not in clashing:
            put(repo.path / "data", name, case.encode())
    repo.run("add", "data")
    repo.commit("odd")
    repo.run("push")

    clone = repo.clone("clone")
    clone.run("pull")

    assert bytes_below(clone.path / "data") == bytes_below(repo.path / "data")
    assert repo.run("list", "--files", "--json").json["datasets"][0]["files"] == len(ODD_NAMES) - 1


def test_names_that_another_system_takes_for_one_are_refused_before_they_are_stored(
    repo: Repo,
) -> None:
    put(repo.path / "data", ODD_NAMES["composed"], b"1\n")
    put(repo.path / "data", ODD_NAMES["decomposed"], b"2\n")

    result = repo.run("add", "data", code=4)

    assert "cannot stand side by side" in result.err
    assert not (repo.path / "data.dvt").exists()


def test_data_sets_that_another_system_takes_for_one_are_refused(repo: Repo) -> None:
    repo.write("Data/a.csv", "1\n")
    repo.write("data/a.csv", "1\n")

    assert "side by side" in repo.run("add", "Data", "data", code=4).err
    repo.run("add", "Data")
    assert "side by side" in repo.run("add", "data", code=4).err


def test_what_a_folder_can_hold_besides_files_comes_back(repo: Repo) -> None:
    data = repo.path / "data"
    repo.write("data/zero", b"")
    repo.write("data/run.sh", "#!/bin/sh\n").chmod(0o755)
    (data / "empty/inner").mkdir(parents=True)
    (data / "also empty").mkdir()
    (data / "link").symlink_to("run.sh")
    (data / "empty link").symlink_to("nowhere")
    (data / "up").mkdir()
    (data / "up/link").symlink_to("../run.sh")
    repo.run("add", "data")
    repo.commit("all kinds")

    lose(data)
    repo.run("checkout")

    assert (data / "zero").read_bytes() == b""
    assert (data / "run.sh").stat().st_mode & stat.S_IXUSR
    assert not (data / "zero").stat().st_mode & stat.S_IXUSR
    assert list((data / "empty/inner").iterdir()) == list((data / "also empty").iterdir()) == []
    links = [os.readlink(data / name) for name in ("link", "empty link", "up/link")]
    assert links == ["run.sh", "nowhere", "../run.sh"]
    assert repo.run("status", "-q").code == 0


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "..", "sub/../../x"])
def test_a_link_that_leaves_is_refused_and_named(repo: Repo, target: str) -> None:
    repo.write("data/a.csv", "1\n")
    (repo.path / "data/bad link").symlink_to(target)

    assert "bad link" in repo.run("add", "data", code=4).err
    assert not (repo.path / "data.dvt").exists()


def test_an_executable_bit_is_a_change(repo: Repo) -> None:
    file = repo.write("data/tool", "x\n")
    repo.run("add", "data")
    repo.commit("plain")

    file.chmod(0o755)
    assert repo.run("status", "-q", code=1).out == ""
    repo.run("add", "data")
    repo.commit("executable")
    repo.git("checkout", "-q", "HEAD~1")
    repo.run("checkout")

    assert not file.stat().st_mode & stat.S_IXUSR


def test_a_sparse_file_stays_sparse_and_exact(repo: Repo) -> None:
    (repo.path / "data").mkdir()
    with open(repo.path / "data/sparse.bin", "wb") as file:
        file.seek(20 * 2**20 + 17)
        file.write(b"island")
        file.truncate(50 * 2**20)
    held = repo.read("data/sparse.bin")
    repo.run("add", "data")
    repo.commit("sparse")

    lose(repo.path / "data")
    repo.run("checkout")

    assert repo.read("data/sparse.bin") == held
    assert (repo.path / "data/sparse.bin").stat().st_blocks * 512 < 10 * 2**20


def test_a_file_becomes_a_folder_and_a_file_again(repo: Repo) -> None:
    repo.write("data/x", "file\n")
    repo.write("whole", "file\n")
    repo.run("add", "data", "whole")
    one = repo.commit("files")
    lose(repo.path / "data/x")
    lose(repo.path / "whole")
    repo.write("data/x/inner", "folder\n")
    repo.write("whole/inner", "folder\n")
    repo.run("add", "data", "whole")
    two = repo.commit("folders")

    for commit, path in ((one, "x"), (two, "x/inner"), (one, "x"), (two, "x/inner")):
        repo.git("checkout", "-q", commit)
        repo.run("checkout")
        assert list(repo.snapshot("data")) == [path]
        assert (repo.path / "whole").is_file() == (commit == one)
        assert repo.run("status", "-q").code == 0


def test_data_sets_deep_in_folders_do_not_disturb_each_other(repo: Repo) -> None:
    for path in ("a/b/c/d.csv", "a/b/e/x.csv", "a/f.csv"):
        repo.write(path, f"{path}\n")
    repo.run("add", "a/b/c/d.csv", "a/b/e", "a/f.csv")
    repo.commit("deep")
    inner = repo.at(repo.path / "a/b")

    lose(repo.path / "a/b/e")
    assert inner.run("status", "e", "-q", code=1)
    inner.run("checkout", "e/x.csv", "../f.csv")
    inner.run("list", ".")

    assert repo.read("a/b/e/x.csv") == b"a/b/e/x.csv\n"
    assert repo.run("status", "-q").code == 0
    assert repo.git("status", "--porcelain") == ""


# -- repositories --------------------------------------------------------------------------------


def work_a_day(repo: Repo) -> None:
    """The main job in any repository: two versions, back and forth, one file lost and found."""
    repo.write("data/a.csv", "1\n")
    repo.write("data/b.csv", "b\n")
    repo.run("add", "data")
    repo.git("commit", "-q", "-m", "one")
    repo.write("data/a.csv", "22\n")
    repo.run("add", "data")
    repo.git("commit", "-q", "-m", "two")
    assert repo.run("status", "-q").code == 0

    repo.git("checkout", "-q", "HEAD~1")
    repo.run("checkout")
    assert repo.read("data/a.csv") == b"1\n"
    repo.git("checkout", "-q", "-")
    repo.run("checkout")
    assert repo.read("data/a.csv") == b"22\n"
    (repo.path / "data/b.csv").unlink()
    repo.run("checkout", "data/b.csv")
    repo.run("mv", "data", "moved")
    repo.git("commit", "-q", "-m", "three")
    repo.run("checkout", "--rev", "HEAD~1", "data")
    repo.run("rm", "--force", "data")
    assert [
        line["change"]
        for line in repo.run("log", "data", "--json", "--rev", "HEAD~1").json["versions"]
    ]
    repo.run("diff", "HEAD~2", "HEAD")
    assert repo.snapshot("moved") == {"a.csv": b"22\n", "b.csv": b"b\n"}
    assert repo.run("status", "-q").code == 0
    repo.git("diff", "--quiet", "HEAD")
    repo.git("fsck", "--strict")


KINDS = {
    "index version 4": ["update-index", "--index-version", "4"],
    "split index": ["update-index", "--split-index"],
    "untracked cache": ["update-index", "--force-untracked-cache"],
    "many files": ["config", "feature.manyFiles", "true"],
    "case ignored": ["config", "core.ignoreCase", "true"],
    "quoted paths": ["config", "core.quotePath", "true"],
    "crlf": ["config", "core.autocrlf", "true"],
    "reversed options": ["config", "diff.noprefix", "true"],
    "colours": ["config", "color.ui", "always"],
    "aliases for statuses": ["config", "status.relativePaths", "false"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_day_in_a_repository_with(repo: Repo, kind: str) -> None:
    repo.git(*KINDS[kind])

    work_a_day(repo)
    assert repo.run("doctor").out == "all is well\n"


def test_a_day_in_a_sha256_repository(repo: Repo, tmp_path: Path) -> None:
    path = tmp_path / "sha256"
    subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256", path], check=True)
    other = repo.at(path)
    other.run("init", "--no-hooks")
    other.commit("ready")

    work_a_day(other)


def test_a_day_in_a_second_work_tree_beside_the_first(repo: Repo, tmp_path: Path) -> None:
    repo.write("data/a.csv", "main\n")
    repo.run("add", "data")
    repo.commit("on main")
    repo.git("worktree", "add", "-q", str(tmp_path / "second"), "-b", "second", "HEAD~1")
    second = repo.at(tmp_path / "second")

    work_a_day(second)

    # One store, an index each: what the one did the other can check out, and has not.
    assert repo.read("data/a.csv") == b"main\n"
    assert repo.run("status", "-q").code == 0
    repo.git("checkout", "-q", "--detach", "second")
    repo.run("checkout")
    assert repo.snapshot("moved") == {"a.csv": b"22\n", "b.csv": b"b\n"}
    assert not (tmp_path / "second/.git/dvtool").exists()
    assert (repo.path / ".git/worktrees/second/dvtool/index").exists()


def test_a_day_in_a_submodule(make_repo: Callable[..., Repo]) -> None:
    inner = make_repo("inner")
    inner.write("data/a.csv", "inner\n")
    inner.run("add", "data")
    inner.commit("data")
    outer = make_repo("outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.path), "sub")
    outer.commit("submodule")
    module = outer.at(outer.path / "sub")
    module.git("checkout", "-q", "-b", "work", "HEAD~1")

    work_a_day(module)

    assert outer.run("status").out == "0 data sets, all clean\n"
    assert "outside" not in outer.run("list").out
    outer.run("add", "sub/data", code=2)


def test_a_sparse_checkout_hides_data_sets_and_keeps_them(repo: Repo) -> None:
    for name in ("near/data", "far/data"):
        repo.write(f"{name}/a.csv", f"{name}\n")
    repo.run("add", "near/data", "far/data")
    repo.commit("two")
    clone = repo.at(repo.path.parent / "sparse")
    subprocess.run(["git", "clone", "-q", "--sparse", str(repo.path), str(clone.path)], check=True)
    clone.run("init", "--no-hooks")
    clone.git("sparse-checkout", "set", "near")
    clone.git("config", "dvtool.store.path", str(repo.path / ".git/dvtool/store"))

    clone.run("checkout")
    assert clone.read("near/data/a.csv") == b"near/data\n"
    assert not (clone.path / "far").exists()
    clone.write("near/data/a.csv", "changed\n")
    clone.run("add", "near/data")
    clone.git("commit", "-q", "-m", "changed")
    clone.git("sparse-checkout", "disable")
    clone.run("checkout")

    assert clone.read("far/data/a.csv") == b"far/data\n"
    assert clone.run("status", "-q").code == 0


def test_what_git_takes_away_for_a_sparse_checkout_comes_back(repo: Repo) -> None:
    """git deletes ignored files, and so data, in folders that a sparse checkout leaves out."""
    repo.write("far/data/a.csv", "1\n")
    repo.write("near/x", "1\n")
    repo.run("add", "far/data")
    before = repo.commit("far")

    repo.git("sparse-checkout", "set", "near")
    repo.run("checkout")
    assert repo.run("status", "-q").code == 0
    repo.git("sparse-checkout", "disable")
    repo.run("checkout")

    assert repo.read("far/data/a.csv") == b"1\n"
    assert repo.git("diff", "--name-only", before) == ""


def test_a_subdirectory_minus_c_and_a_link_lead_to_the_same_place(repo: Repo) -> None:
    repo.write("sub/data/a.csv", "1\n")
    outside = repo.at(repo.path.parent)
    (outside.path / "way").symlink_to(repo.path / "sub")

    outside.at(outside.path / "way").run("add", "data")
    repo.commit("data")
    listed = {
        repo.run("list", "--json").out,
        repo.at(repo.path / "sub").run("list", "data", "--json").out,
        outside.run("-C", "repo", "list", "sub/data", "--json").out,
        outside.run("-C", "way", "list", "data", "--json").out,
        outside.run("-C", "repo", "list", "--json", str(outside.path / "way/data")).out,
        repo.at(repo.path / "sub/data").run("list", ".", "--json").out,
        repo.at(repo.path / "sub/data").run("list", "a.csv", "--json").out,
    }

    assert len(listed) == 1


def test_a_work_tree_reached_through_a_link_is_the_same_work_tree(repo: Repo) -> None:
    repo.write("data/a.csv", "1\n")
    link = repo.path.parent / "link"
    link.symlink_to(repo.path)

    repo.at(link).run("add", "data")
    repo.commit("data")
    lose(repo.path / "data")
    repo.at(link).run("checkout", str(link / "data"))

    assert repo.read("data/a.csv") == b"1\n"
    assert repo.run("status", "-q").code == 0


def test_a_detached_head_and_an_unborn_branch_are_places_to_work(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach")
    work_a_day(repo)
    repo.git("checkout", "-q", "--orphan", "fresh")

    repo.write("moved/a.csv", "333\n")
    repo.run("add", "moved")
    assert repo.run("status", "-q").code == 0
    repo.run("list")
    assert "no commit yet" in repo.run("log", "moved", code=5).err
    assert "no commit yet" in repo.run("diff", code=5).err
    assert "committed" in repo.run("push", code=5).err
    assert "not committed" in repo.run("rm", "moved", code=9).err


OUTSIDE = [
    "status", "add x", "checkout", "list", "log x", "diff", "rm x", "mv x y", "push", "fetch", "pull",
    "verify", "doctor", "config", "resolve", "remote list", "remote add o file:///x",
    "remote check", "init",
]  # fmt: skip


@pytest.mark.parametrize("line", OUTSIDE)
def test_outside_of_a_repository_every_verb_says_so(repo: Repo, tmp_path: Path, line: str) -> None:
    result = repo.at(tmp_path).run(*line.split(), code=5)

    assert "not in a git repository" in result.err
    assert "hint: git init" in result.err


@pytest.mark.parametrize("line", OUTSIDE)
def test_in_a_bare_repository_every_verb_says_so(repo: Repo, tmp_path: Path, line: str) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare"], check=True)

    result = repo.at(tmp_path / "bare").run(*line.split(), code=5)

    assert "is bare" in result.err
    assert "hint: git clone" in result.err


@pytest.mark.parametrize("line", OUTSIDE[:-1])
def test_before_init_every_verb_says_so(repo: Repo, tmp_path: Path, line: str) -> None:
    subprocess.run(["git", "init", "-q", tmp_path / "fresh"], check=True)

    result = repo.at(tmp_path / "fresh").run(*line.split(), code=5)

    assert "hint: dvtool init" in result.err


def test_inside_gits_own_folder_and_in_one_that_is_gone(repo: Repo, tmp_path: Path) -> None:
    assert "hint: cd .." in repo.at(repo.path / ".git").run("status", code=5).err
    gone = repo.at(tmp_path / "gone")
    gone.path.mkdir()
    command = f"rmdir '{gone.path}' && exec python -m dvtool status"

    done = subprocess.run(
        ["sh", "-c", command], cwd=gone.path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 5
    assert "Traceback" not in done.stderr
