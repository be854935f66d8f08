from __future__ import annotations

import pytest

from dvtool.errors import GitFailed, NoRepository, UsageError, WouldLoseData
from dvtool.git.cloning import check_clone_url, clone_repository


def test_a_clone_has_the_files_and_is_ready_to_use(repo, tmp_path):
    repo.write("a.dvt", "x")
    commit = repo.commit()

    git = clone_repository(str(repo.path), tmp_path / "copy")

    assert git.top == tmp_path / "copy"
    assert git.run("rev-parse", "HEAD").decode().strip() == commit
    assert (git.top / "a.dvt").read_text() == "x"


def test_a_clone_made_in_a_hook_is_not_the_hooks_repository(git_repo, tmp_path, monkeypatch):
    hooked, other = git_repo("hooked"), git_repo("other")
    other.write("a.dvt", "x")
    other.commit()
    monkeypatch.setenv("GIT_DIR", str(hooked.path / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(hooked.path / ".git" / "index"))

    git = clone_repository(str(other.path), tmp_path / "copy")

    assert git.run("ls-files") == b"a.dvt\n"
    assert not (hooked.path / ".git" / "index").exists()


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_a_bare_clone_has_no_files(git_repo, tmp_path, object_format):
    repo = git_repo(object_format=object_format)
    repo.write("a.dvt", "x")
    repo.commit()

    git = clone_repository(f"file://{repo.path}", tmp_path / "bare", bare=True, blobless=True)

    assert git.layout.bare
    assert git.layout.object_format == object_format
    assert git.run("ls-tree", "--name-only", "HEAD") == b"a.dvt\n"


def test_a_branch_can_be_chosen_even_with_an_odd_name(repo, tmp_path):
    repo.commit("main")
    repo("branch", "topic/x")

    git = clone_repository(str(repo.path), tmp_path / "copy", branch="topic/x")

    assert git.run("symbolic-ref", "--short", "HEAD") == b"topic/x\n"


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% pwned",
        "ext::sh",
        "fd::17",
        "::x",
        "git-remote-x::y",
        "s3::bucket",
        "--upload-pack=touch pwned",
        "-u",
        "ftp://host/x",
        "sftp://host/x",
        "persistent-https://host/x",
        "ssh://-oProxyCommand=x/y",
        "git+ssh://host/x",
        "",
        "a\nb",
    ],
)
def test_addresses_that_run_programs_or_look_like_options_are_refused(url, tmp_path):
    with pytest.raises(UsageError):
        clone_repository(url, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "/srv/x",
        "./x",
        "../x",
        "x",
        "host:x",
        "me@host:x/y.git",
        "https://host/x",
        "http://host/x",
        "ssh://me@host:22/x",
        "git://host/x",
        "file:///x",
    ],
)
def test_ordinary_addresses_are_fine(url):
    check_clone_url(url)


def test_a_configuration_that_rewrites_to_a_helper_does_not_help(
    repo, tmp_path, hermetic, monkeypatch
):
    config = hermetic / "gitconfig"
    config.write_text(
        '[protocol "ext"]\nallow = always\n'
        f"[url \"ext::sh -c 'touch {tmp_path}/pwned' \"]\ninsteadOf = https://innocent/\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))

    with pytest.raises(GitFailed, match="transport 'ext' not allowed"):
        clone_repository("https://innocent/x", tmp_path / "copy")
    assert not (tmp_path / "pwned").exists()


def test_a_users_own_tighter_list_of_transports_stays(repo, tmp_path, monkeypatch):
    repo.commit()
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "https:ext")

    with pytest.raises(GitFailed, match="transport 'file' not allowed"):
        clone_repository(f"file://{repo.path}", tmp_path / "copy")


def test_a_folder_with_something_in_it_is_not_cloned_over(repo, tmp_path):
    repo.commit()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")

    with pytest.raises(WouldLoseData, match="not empty"):
        clone_repository(str(repo.path), tmp_path / "full")
    assert (tmp_path / "full" / "mine").read_text() == "x"


def test_an_address_with_no_repository_fails_without_credentials(tmp_path):
    with pytest.raises((GitFailed, NoRepository)) as caught:
        clone_repository("http://me:hunter2@127.0.0.1:1/x", tmp_path / "copy")
    assert "hunter2" not in str(caught.value)


def test_a_folder_beginning_with_a_dash_is_a_folder(repo, tmp_path, monkeypatch):
    repo.commit()
    monkeypatch.chdir(tmp_path)

    git = clone_repository(str(repo.path), tmp_path / "-copy")

    assert git.top == tmp_path / "-copy"
