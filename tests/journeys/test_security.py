"""Whoever sends a commit sends text, not orders: hostile commits change nothing outside their data.

Each test is a repository as an attacker would prepare it, and a victim who works in it as always.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journeys.harness import Repo

# sha256 and size of "1\n", which every repository here has in its store.
BLOB = "sha256:4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865 2"
ONE_FILE = f"dvt: 1\nkind: file\ndigest: {BLOB.split(maxsplit=1)[0]}\nsize: 2\nmode: f\n"


def folder_of(path: str, mode: str = "f") -> str:
    """Returns a sidecar with one entry, spelt as it is."""
    return f"dvt: 1\nkind: directory\nlayout: inline\nfiles: |\n  {BLOB} {mode} {path}\n"


def everything_outside(repo: Repo) -> dict[str, bytes]:
    """Returns what an attacker would want to change: git's own files and the neighbours."""
    outside = repo.path.parent
    found = {}
    for folder in (outside / "outside", repo.path / ".git/hooks", outside / "home"):
        for file in sorted(folder.rglob("*")) if folder.exists() else []:
            if file.is_file():
                found[str(file)] = file.read_bytes()
    return found | {"config": repo.read(".git/config")}


@pytest.fixture
def victim(repo: Repo) -> Repo:
    repo.write("good/a.csv", "1\n")
    repo.run("add", "good")
    repo.commit("good")
    outside = repo.path.parent / "outside"
    outside.mkdir()
    (outside / "a.csv").write_text("theirs\n")
    return repo


def test_a_sidecar_called_git_is_refused_and_named(victim: Repo) -> None:
    before = everything_outside(victim)
    victim.write(".git.dvt", folder_of("hooks/post-checkout"))
    victim.commit("attack")

    for words in (["checkout"], ["checkout", "--force"], ["list"]):
        assert ".git.dvt: path names something that git" in victim.run(*words, code=4).err
    assert ".git.dvt" in victim.run("status").out
    assert ".git.dvt" in victim.run("doctor", code=1).out
    victim.run("rm", ".git", code=4)
    assert everything_outside(victim) == before
    victim.git("rm", "-q", ".git.dvt")
    assert victim.run("status", "-q").code == 0


@pytest.mark.parametrize(
    "place", [".GIT", "git~1", ".git /x", ".git\u200c", ".dvtool", ".gitattributes"]
)
def test_a_sidecar_for_what_some_system_takes_for_gits_own_is_refused(
    victim: Repo, place: str
) -> None:
    # git itself refuses to add some of these, so the attacker goes past it.
    before = everything_outside(victim)
    (victim.path / place).parent.mkdir(parents=True, exist_ok=True)
    victim.write(f"{place}.dvt", ONE_FILE)

    result = victim.run("checkout", code=4)

    assert "git or dvtool own" in result.err
    assert everything_outside(victim) == before


@pytest.mark.parametrize(
    "path",
    [
        "../outside/a.csv",
        "x/../../outside/a.csv",
        "/tmp/absolute",
        "..",
        ".",
        "a//b",
        "a/",
        ".git/hooks/post-checkout",
        "sub/.GIT/hooks/x",
        ".git\\\\hooks",
        "..\\\\x",
        ".dvtool",
        "sub/.gitattributes",
        '"a\\000b"',
        '"\\056\\056/x"',
        '".\\056/x"',
        "x" * 300,
    ],
)
def test_no_spelling_of_a_path_leads_out(victim: Repo, path: str) -> None:
    before = everything_outside(victim)
    victim.write("evil.dvt", folder_of(path))
    victim.commit("attack")

    for words in (["checkout", "--force"], ["checkout", "--rev", "HEAD"]):
        assert "evil.dvt:5: " in victim.run(*words, code=4).err
    assert "evil.dvt:5: " in victim.run("status").out
    assert everything_outside(victim) == before
    assert not (victim.path / "evil").exists()


@pytest.mark.parametrize("mode", ["x", "l", "d"])
def test_nothing_of_any_kind_is_written_outside(victim: Repo, mode: str) -> None:
    victim.write("evil.dvt", folder_of("../outside/b.csv", mode))

    assert "evil.dvt:5: " in victim.run("checkout", "--force", code=4).err
    assert not os.path.lexists(victim.path.parent / "outside/b.csv")


def test_checkout_does_not_write_through_a_committed_link(victim: Repo) -> None:
    before = everything_outside(victim)
    (victim.path / "data").symlink_to(victim.path.parent / "outside")
    victim.write("data.dvt", folder_of("a.csv"))
    victim.commit("attack")

    for words in (
        ["checkout"],
        ["checkout", "--force"],
        ["add", "data"],
        ["rm", "--force", "data"],
    ):
        assert "symlink" in victim.run(*words, code=4).err
    assert "symlink" in victim.run("status").out
    assert everything_outside(victim) == before
    assert victim.git("status", "--porcelain") == ""


def test_a_link_on_the_way_to_a_data_set_is_no_way(victim: Repo) -> None:
    """The sidecar comes from another commit than the link, so that both can be committed."""
    victim.write("sub/data.dvt", folder_of("a.csv"))
    attack = victim.commit("attack, first half")
    victim.git("rm", "-q", "sub/data.dvt")
    (victim.path / "sub").symlink_to(victim.path.parent / "outside")
    victim.commit("attack, second half")
    before = everything_outside(victim)

    assert "symlink" in victim.run("checkout", "--rev", attack, "sub/data", code=4).err
    assert "symlink" in victim.run("checkout", "--force", "--rev", attack, code=4).err

    assert everything_outside(victim) == before
    assert sorted(p.name for p in (victim.path.parent / "outside").iterdir()) == ["a.csv"]


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "../outside/a.csv", "nowhere"])
def test_a_sidecar_that_is_a_link_is_not_followed(victim: Repo, target: str) -> None:
    (victim.path / "evil.dvt").symlink_to(target)
    victim.commit("attack")

    for words in (["checkout"], ["list"]):
        result = victim.run(*words, code=4)
        assert "evil.dvt: a sidecar is an ordinary file" in result.err
    assert "evil.dvt: a sidecar is an ordinary file" in victim.run("status").out
    assert "root:" not in victim.run("doctor", code=1).out


@pytest.mark.parametrize("link", ["/etc/passwd", "../../x", "sub/../../x", ".."])
def test_link_entries_that_leave_are_refused_when_they_are_written(victim: Repo, link: str) -> None:
    # The target of a link is a blob: the attacker stores it as any file, then calls it a link.
    victim.write("carrier", link)
    victim.run("add", "carrier")
    fields = dict(line.split(": ") for line in victim.read("carrier.dvt").decode().splitlines())
    entry = f"{fields['digest']} {fields['size']} l"
    victim.write(
        "evil.dvt", f"dvt: 1\nkind: directory\nlayout: inline\nfiles: |\n  {entry} passwd\n"
    )
    victim.commit("attack")

    assert "could leave the data set" in victim.run("checkout", code=4).err
    assert not os.path.lexists(victim.path / "evil/passwd")


def test_a_link_in_a_version_does_not_lead_the_files_after_it_astray(victim: Repo) -> None:
    """An entry below a link of the same version is a clash, whatever the link points to."""
    text = folder_of("way", "l") + f"  {BLOB} f way/a.csv\n"
    victim.write("evil.dvt", text)

    assert "evil.dvt" in victim.run("checkout", code=4).err


def test_a_link_put_on_the_way_by_hand_is_not_followed(victim: Repo) -> None:
    victim.write("data/sub/b.csv", "1\n")
    victim.run("add", "data")
    victim.commit("data")
    (victim.path / "data/sub/b.csv").unlink()
    (victim.path / "data/sub").rmdir()
    (victim.path / "data/sub").symlink_to("../../outside")
    before = everything_outside(victim)

    victim.run("checkout", code=4)
    victim.run("checkout", "--force", code=4)

    assert everything_outside(victim) == before


def test_a_data_set_over_files_that_git_tracks_leaves_them_alone(victim: Repo) -> None:
    victim.write("src/main.py", "print()\n")
    victim.write("tool.py", "print()\n")
    victim.write("src.dvt", folder_of("main.py"))
    victim.write("tool.py.dvt", ONE_FILE)
    victim.commit("attack")

    for words in (["checkout"], ["checkout", "--force"], ["checkout", "--force", "tool.py"]):
        victim.run(*words, code=9)
    assert victim.read("src/main.py") == b"print()\n"
    assert victim.read("tool.py") == b"print()\n"
    assert "git itself tracks" in victim.run("status").err


def test_a_data_set_inside_another_is_refused_until_one_goes(victim: Repo) -> None:
    victim.write("good/inner.dvt", folder_of("b.csv"))
    victim.git("add", "-f", "good/inner.dvt")
    victim.commit("attack")

    for words in (["checkout"], ["list"], ["add", "good"], ["checkout", "good/inner"]):
        assert "lies inside" in victim.run(*words, code=4).err
    assert "good/inner lies inside data set good" in victim.run("status").out
    assert not (victim.path / "good/inner").exists()
    victim.run("rm", "--keep", "good/inner")
    assert victim.run("status", "-q").code == 0


def test_adding_a_data_set_inside_or_around_another_is_refused(victim: Repo) -> None:
    victim.write("outer/inner/a.csv", "1\n")

    assert "lies inside" in victim.run("add", "outer", "outer/inner", code=4).err
    victim.run("add", "outer/inner")
    result = victim.run("add", "outer", code=2)

    assert "outer/inner" in result.err
    assert victim.run("status", "-q").code == 0


def test_one_bad_sidecar_does_not_stop_work_on_the_others(victim: Repo) -> None:
    victim.write("bad.dvt", "dvt: 1\nkind: nonsense\n")
    victim.write("good/a.csv", "22\n")

    victim.run("add", "good")
    (victim.path / "good/a.csv").unlink()
    victim.run("checkout", "good")

    assert victim.read("good/a.csv") == b"22\n"
    assert "bad.dvt:2: " in victim.run("checkout", code=4).err


# -- remotes ---------------------------------------------------------------------------------


def test_a_remote_that_a_commit_changed_is_refused_until_somebody_trusts_it(victim: Repo) -> None:
    victim.run("push")
    attacker = victim.path.parent / "attacker"
    victim.git("config", "--file", ".dvtool", "remote.origin.url", attacker.as_uri())
    victim.write("good/secret.csv", "secret\n")
    victim.run("add", "good")
    victim.commit("attack")

    for words in (["push"], ["status", "--remote"], ["remote", "check"]):
        result = victim.run(*words, code=8)
        assert attacker.as_uri() in result.err
        assert "hint: if the address is right: dvtool remote check origin --trust" in result.err
    assert not attacker.exists()
    victim.run("remote", "check", "origin", "--trust")
    victim.run("push")
    assert list(attacker.rglob("*.pack"))


@pytest.mark.parametrize("approval", ["all", "the url"])
def test_ci_can_trust_a_changed_remote_by_its_environment(
    victim: Repo, monkeypatch: pytest.MonkeyPatch, approval: str
) -> None:
    victim.run("push")
    other = (victim.path.parent / "other").as_uri()
    victim.git("config", "--file", ".dvtool", "remote.origin.url", other)

    monkeypatch.setenv("DVTOOL_TRUST_REMOTE", other + "x")
    victim.run("push", code=8)
    monkeypatch.setenv("DVTOOL_TRUST_REMOTE", other if approval == "the url" else "all")
    victim.run("push")


def test_a_remote_that_a_commit_adds_and_makes_the_default_is_refused_too(victim: Repo) -> None:
    victim.run("push")
    attacker = victim.path.parent / "attacker"
    victim.git("config", "--file", ".dvtool", "remote.backup.url", attacker.as_uri())
    victim.git("config", "--file", ".dvtool", "dvtool.remote", "backup")
    victim.commit("attack")

    assert "nobody approved" in victim.run("push", code=8).err
    assert not attacker.exists()


# -- .dvtool -----------------------------------------------------------------------------------

HOSTILE = {
    "bad syntax": ("[dvtool]\n\tjobs = 3\nnonsense!\n", ".dvtool:3: "),
    "a binary": ("\x01\x02\x03", ".dvtool:1: "),
    "unknown protocol": ('[remote "o"]\n\turl = gopher://x/y\n', ".dvtool: remote.o.url: "),
    "a program": ('[remote "o"]\n\turl = ext::sh -c id\n', ".dvtool: remote.o.url: "),
    "chained": ('[remote "o"]\n\turl = simplecache::s3://b/p\n', ".dvtool: remote.o.url: "),
    "a password": ('[remote "o"]\n\turl = s3://AKIA:hunter2@b/p\n', ".dvtool: remote.o.url: "),
    "climbing": ('[remote "o"]\n\turl = file:///data/../../etc\n', ".dvtool: remote.o.url: "),
    "a secret": (
        '[remote "o"]\n\turl = s3://b/p\n\toption = secret=hunter2\n',
        ".dvtool: remote.o.option: ",
    ),
    "a secret elsewhere": ("[dvtool]\n\taccess-key = hunter2\n", ".dvtool: "),
    "a store": ("[dvtool]\n\tjobs = 3\n[store]\n\tpath = /etc\n", ".dvtool: store.path"),
    "too many jobs": ("[dvtool]\n\tjobs = 1000000\n", ".dvtool: jobs: "),
    "the future": ("[dvtool]\n\tformat = 2\n", ".dvtool: format"),
    "its own trust": (
        '[remote "o"]\n\turl = file:///x\n\ttrusted = 00\n',
        ".dvtool: remote.o.trusted",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_dvtool_file_is_an_error_with_its_place(victim: Repo, name: str) -> None:
    text, place = HOSTILE[name]
    victim.write(".dvtool", text)

    for words in (["push"], ["remote", "list"], ["add", "good"]):
        result = victim.run(*words, code=4)
        assert place in result.err
        assert "hunter2" not in result.err + result.out
    assert place in victim.run("doctor", code=1).out


def test_a_dvtool_file_cannot_pull_in_others(victim: Repo) -> None:
    victim.write("other", '[remote "evil"]\n\turl = file:///x\n')
    victim.write(".dvtool", victim.read(".dvtool") + b"[include]\n\tpath = other\n")

    assert "evil" not in victim.run("remote", "list").out


def test_a_dvtool_file_that_is_a_link_is_not_followed(victim: Repo) -> None:
    victim.path.joinpath(".dvtool").rename(victim.path.parent / "outside/config")
    (victim.path / ".dvtool").symlink_to("../outside/config")

    assert "ordinary file" in victim.run("push", code=4).err


@pytest.mark.parametrize(
    "words",
    [
        ("remote", "add", "o", "s3://user:hunter2@bucket/p"),
        ("remote", "add", "o", "s3://bucket/p", "--option", "secret=hunter2"),
        ("remote", "add", "o", "s3://bucket/p", "--option", "key=hunter2"),
        ("remote", "add", "o", "gs://bucket/p", "--option", "token=hunter2"),
        ("remote", "add", "o", "s3://bucket/p", "--endpoint-url", "https://u:hunter2@host"),
        ("config", "remote.origin.option", "secret=hunter2"),
    ],
)
def test_secrets_do_not_get_into_the_committed_file(victim: Repo, words: tuple[str, ...]) -> None:
    result = victim.run(*words, code=4)

    assert "hunter2" not in result.err
    assert b"hunter2" not in victim.read(".dvtool")


def test_a_secret_of_one_clone_stays_in_that_clone(victim: Repo) -> None:
    victim.run("remote", "add", "--local", "o", "s3://bucket/p", "--option", "secret=hunter2")

    assert b"hunter2" not in victim.read(".dvtool")
    for words in (
        ["config"],
        ["remote", "list"],
        ["config", "--json"],
        ["remote", "list", "--json"],
    ):
        result = victim.run(*words)
        assert "hunter2" not in result.out + result.err


# -- the command line --------------------------------------------------------------------------

ADDRESSES = [
    "--upload-pack=touch pwned",
    "-utouch pwned",
    "ext::sh -c touch% pwned",
    "EXT::sh",
    "fd::17",
    "ssh://-oProxyCommand=touch pwned/x",
    "",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_never_an_option_or_a_program(victim: Repo, address: str) -> None:
    outside = victim.at(victim.path.parent)

    for words in (["clone", "--", address, "here"], ["get", "-o", "here", "--", address, "data"]):
        outside.run(*words, code=2)
    assert not list(victim.path.parent.rglob("pwned"))
    assert not (outside.path / "here").exists()


@pytest.mark.parametrize("rev", ["--output=pwned", "-p", "--all", "HEAD..main", "", "HEAD\n"])
def test_a_revision_is_never_an_option(victim: Repo, rev: str) -> None:
    for words in (["list"], ["checkout"], ["log", "good"]):
        victim.run(*words, f"--rev={rev}", code=5)
    victim.run("get", ".", "good", f"--rev={rev}", "-o", "out", code=5)
    assert not (victim.path / "pwned").exists()
    assert not (victim.path / "out").exists()


def test_a_path_is_never_an_option(victim: Repo) -> None:
    victim.write("--force", "1\n")

    victim.run("add", "--", "--force")
    victim.git("commit", "-q", "-m", "odd")
    (victim.path / "--force").unlink()
    victim.run("checkout", "--", "--force")

    assert victim.read("--force") == b"1\n"


def test_get_from_a_hostile_repository_writes_only_its_target(
    make_repo: Callable[..., Repo], tmp_path: Path
) -> None:
    hostile = make_repo("hostile")
    hostile.write("evil.dvt", folder_of("../../pwned"))
    hostile.write(".git.dvt", ONE_FILE)
    hostile.commit("attack")
    here = tmp_path / "here"
    here.mkdir()
    me = hostile.at(here)

    me.run("get", hostile.path.as_uri(), "evil", code=4)
    me.run("get", hostile.path.as_uri(), ".git", code=4)
    me.run("get", hostile.path.as_uri(), "evil/../../x", code=4)

    assert list(here.iterdir()) == []
    assert not list(tmp_path.rglob("pwned"))


def test_a_clone_of_a_hostile_repository_does_not_run_its_programs(
    make_repo: Callable[..., Repo], tmp_path: Path
) -> None:
    hostile = make_repo("hostile", remote=None)
    hostile.write("a", "1\n")
    hostile.run("add", "a")
    hostile.write(".gitattributes", "*.dvt diff=evil merge=evil filter=evil\n")
    text = hostile.read(".dvtool") + b'[merge "evil"]\n\tdriver = touch /tmp/pwned %A\n'
    hostile.write(".dvtool", text)
    hostile.commit("attack")
    subprocess.run(["git", "-C", hostile.path, "gc", "-q"], check=True)

    hostile.at(tmp_path).run("clone", str(hostile.path), "copy", "--no-pull")

    config = (tmp_path / "copy/.git/config").read_text()
    assert "evil" not in config
