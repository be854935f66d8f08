from __future__ import annotations

import pytest

from dvtool.core.config import combine
from dvtool.errors import InvalidText, Locked, RemoteUntrusted, UnsafePath, UsageError
from dvtool.git.settings import (
    read_settings,
    remove_remote,
    set_committed,
    set_for_clone,
    unset_committed,
    unset_for_clone,
)
from dvtool.git.trust import approve, ensure_trusted
from dvtool.ops.gate import blocks, policy_of
from dvtool.quality.findings import Verdict

ORIGIN = """\
# where everyone's data is
[dvtool]
\tformat = 1
\trepository = 00112233445566778899aabbccddeeff
[remote "origin"]
\turl = s3://bucket/prefix
\tendpoint-url = http://127.0.0.1:9000
\toption = client_kwargs.region_name=eu-central-1
\toption = anon=no
\toption = config_kwargs.read_timeout=30
"""


def test_settings_are_read_with_two_processes_and_typed(repo, git_processes):
    repo.write(".dvtool", ORIGIN)
    git = repo.api

    with git_processes() as started:
        settings = read_settings(git)

    assert started.count == 2
    assert settings.repository == "00112233445566778899aabbccddeeff"
    remote = settings.pick_remote()
    assert (remote.name, remote.url) == ("origin", "s3://bucket/prefix")
    assert remote.storage_options() == {
        "endpoint_url": "http://127.0.0.1:9000",
        "client_kwargs": {"region_name": "eu-central-1"},
        "anon": False,
        "config_kwargs": {"read_timeout": 30},
    }


def test_without_a_file_one_process_and_the_defaults(repo, git_processes):
    git = repo.api

    with git_processes() as started:
        settings = read_settings(git)

    assert started.count == 1
    assert (settings.repository, settings.remotes, settings.jobs) == ("", {}, None)


def test_the_stronger_source_wins(repo):
    repo.write(".dvtool", "[dvtool]\njobs = 1\nremote = committed\n[lock]\ntimeout = 5\n")
    git = repo.api
    assert read_settings(git).jobs == 1
    set_for_clone(git, "jobs", "2")
    assert read_settings(git).jobs == 2
    assert read_settings(git, environ={"DVTOOL_JOBS": "3"}).jobs == 3
    last = read_settings(git, environ={"DVTOOL_JOBS": "3"}, options={"jobs": "4"})

    assert last.jobs == 4
    assert (last.remote, last.lock_timeout_s) == ("committed", 5.0)


def test_an_empty_variable_sets_nothing(repo):
    assert read_settings(repo.api, environ={"DVTOOL_JOBS": ""}).jobs is None


def test_the_users_own_configuration_counts_as_the_clones(repo, hermetic, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(hermetic / "gitconfig"))
    (hermetic / "gitconfig").write_text("[dvtool]\njobs = 7\n[dvtool.store]\npath = ~/data\n")

    settings = read_settings(repo.api)

    assert (settings.jobs, str(settings.store_path)) == (7, "~/data")


def test_a_list_comes_whole_from_the_strongest_source(repo):
    git = repo.api
    set_committed(git, "fetch.include", "a/*")
    set_committed(git, "fetch.include", "b/*", append=True)
    assert read_settings(git).fetch_include == ("a/*", "b/*")

    set_for_clone(git, "fetch.include", "c/*")

    assert read_settings(git).fetch_include == ("c/*",)


def test_another_revisions_settings_can_be_read(repo, git_processes):
    repo.write(".dvtool", ORIGIN)
    first = repo.commit()
    (repo.path / ".dvtool").unlink()
    second = repo.commit()
    git = repo.api

    with git_processes() as started:
        settings = read_settings(git, rev=first)

    assert settings.pick_remote().url == "s3://bucket/prefix"
    assert started.count == 2
    assert read_settings(git, rev=second).remotes == {}


def test_bad_syntax_names_the_line(repo):
    repo.write(".dvtool", "[dvtool]\njobs = 1\n[broken\n")

    with pytest.raises(InvalidText) as caught:
        read_settings(repo.api)
    assert str(caught.value).startswith(".dvtool:3: not in git-config syntax")


def test_bad_syntax_in_a_revision_names_the_revision(repo):
    repo.write(".dvtool", "[broken\n")
    commit = repo.commit()

    with pytest.raises(InvalidText, match=rf"{commit}:\.dvtool:1: "):
        read_settings(repo.api, rev=commit)


def test_a_committed_file_includes_no_other_file(repo, hermetic):
    (hermetic / "private").write_text("[dvtool]\njobs = 9\n")
    repo.write(".dvtool", f"[include]\npath = {hermetic}/private\n")

    settings = read_settings(repo.api)

    assert settings.jobs is None
    assert settings.unknown == ("include.path",)


def test_a_linked_settings_file_is_refused(repo, hermetic):
    (hermetic / "private").write_text("[dvtool]\njobs = 9\n")
    (repo.path / ".dvtool").symlink_to(hermetic / "private")

    with pytest.raises(UnsafePath, match=r"\.dvtool"):
        read_settings(repo.api)


def test_a_newer_format_asks_for_a_newer_dvtool(repo):
    repo.write(".dvtool", "[dvtool]\nformat = 2\n")

    with pytest.raises(InvalidText, match="this dvtool reads 1") as caught:
        read_settings(repo.api)
    assert "upgrade" in caught.value.hint


def test_unknown_keys_are_kept_and_told(repo):
    repo.write(".dvtool", "[gate]\nstrict = true\n[fetch]\ninclud = x\n")

    assert read_settings(repo.api).unknown == ("fetch.includ", "gate.strict")


@pytest.mark.parametrize(
    "line",
    [
        "password = hunter2",
        "secret = hunter2",
        "access-key-id = hunter2",
        "token = hunter2",
        "option = secret=hunter2",
        "option = key=hunter2",
        "option = client_kwargs.aws_secret_access_key=hunter2",
        "option = sas_token=hunter2",
        "option = account_key=hunter2",
        "option = connection_string=hunter2",
        "option = profile=AKIAABCDEFGHIJKLMNOP",
        "url = s3://hunter2:hunter2@bucket/x",
        "url = s3://hunter2@bucket/x",
        "url = ssh://me:hunter2@host/x",
        "url = s3://bucket/x?sig=hunter2",
        "endpoint-url = https://me:hunter2@host",
        "endpoint-url = https://host/?token=hunter2",
    ],
)
def test_a_committed_secret_is_refused_and_not_repeated(repo, line):
    repo.write(".dvtool", f'[remote "origin"]\nurl = s3://bucket\n{line}\n')

    with pytest.raises(InvalidText) as caught:
        read_settings(repo.api)
    told = f"{caught.value} {caught.value.hint}"
    assert told.startswith(".dvtool: remote.origin.")
    assert "hunter2" not in told
    assert "AKIA" not in told


@pytest.mark.parametrize(
    "url",
    [
        "s3::file:///etc",
        "simplecache::s3://bucket",
        "filecache://x",
        "http://host/x",
        "ext::sh -c x",
        "github://me:x@y",
        "reference://x",
        "s3://",
        "s3://-bucket",
        "s3://bucket/../other",
        "file://host/x",
        "file:///a/../b",
        "ssh://-oProxyCommand=x/y",
        "S3://bucket",
        "s3:bucket",
        "-x",
        "~/x",
        "",
        "s3://bucket/\x07",
    ],
)
def test_addresses_off_the_list_are_refused(repo, url):
    with pytest.raises(InvalidText):
        set_committed(repo.api, "remote.origin.url", url)
    assert not (repo.path / ".dvtool").exists()


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3://bucket/a prefix/ünï",
        "file:///srv/data",
        "memory://x",
        "memory:///x",
        "gs://bucket/x",
        "az://container/x",
        "abfs://container/x",
        "ssh://me@host:2222/srv",
        "sftp://host/srv",
        "/srv/data",
        "../beside",
        "./s3:odd",
    ],
)
def test_addresses_on_the_list_come_back(repo, url):
    set_committed(repo.api, "remote.origin.url", url)

    assert read_settings(repo.api).pick_remote().url == url


@pytest.mark.parametrize(
    ("text", "size_bytes"), [("0", 0), ("1000", 1000), ("500M", 500 << 20), ("2T", 2 << 40)]
)
def test_the_limit_of_the_store_is_bytes_or_a_number_with_a_unit(repo, text, size_bytes):
    set_for_clone(repo.api, "store.limit", text)

    assert read_settings(repo.api).store_limit_bytes == size_bytes


def test_a_limit_of_the_store_that_is_no_size_is_refused(repo):
    with pytest.raises(UsageError, match="expected bytes"):
        set_for_clone(repo.api, "store.limit", "plenty")


@pytest.mark.parametrize(
    "key", ["store.path", "store.link", "store.limit", "remote.origin.trusted"]
)
def test_a_commit_does_not_choose_where_this_machine_writes_or_whom_it_trusts(repo, key):
    section, _, name = key.rpartition(".")
    header = f"[{section}]" if "." not in section else '[remote "origin"]\nurl = s3://b'
    repo.write(".dvtool", f"{header}\n{name} = /x\n")

    with pytest.raises(InvalidText, match="cannot be set by a commit"):
        read_settings(repo.api)
    with pytest.raises(UsageError, match="no setting called"):
        set_committed(repo.api, key, "/x")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("jobs", "0"),
        ("jobs", "many"),
        ("jobs", "257"),
        ("lock.timeout", "-1"),
        ("remote", "-x"),
        ("repository", "XYZ"),
        ("format", "2"),
        ("remote.origin.option", "shell=x"),
        ("remote.origin.option", "anon=perhaps"),
        ("remote.origin.option", "config_kwargs.read_timeout=soon"),
        ("remote.origin.option", "anon"),
        ("remote.origin.endpoint-url", "file:///etc"),
    ],
)
def test_values_of_the_wrong_kind_are_never_written(repo, key, value):
    git = repo.api
    set_committed(git, "remote.origin.url", "s3://bucket")
    before = (repo.path / ".dvtool").read_bytes()

    with pytest.raises(InvalidText):
        set_committed(git, key, value)
    assert (repo.path / ".dvtool").read_bytes() == before


def test_an_option_without_a_remote_is_refused(repo):
    with pytest.raises(InvalidText, match="no URL"):
        set_committed(repo.api, "remote.origin.option", "anon=true")


@pytest.mark.parametrize(
    "key", ["nothing", "remote.-x.url", "remote.a b.url", "core.editor", "--file"]
)
def test_keys_that_do_not_exist_are_refused(repo, key):
    for change in (set_committed, set_for_clone):
        with pytest.raises(UsageError):
            change(repo.api, key, "s3://bucket")


def test_writing_keeps_comments_and_other_lines(repo):
    repo.write(".dvtool", ORIGIN)

    set_committed(repo.api, "remote.origin.url", "s3://other")

    expected = ORIGIN.replace("s3://bucket/prefix", "s3://other")
    assert (repo.path / ".dvtool").read_text() == expected


@pytest.mark.parametrize(
    "value", ["-x/*", "--file=x", 'quo"te\\', " spaces ", "a#b;c", "new\nline"]
)
def test_odd_values_come_back_as_they_were(repo, value):
    set_committed(repo.api, "fetch.include", value)

    assert read_settings(repo.api).fetch_include == (value,)


def test_a_secret_may_stand_in_the_clones_configuration(repo):
    git = repo.api
    set_committed(git, "remote.origin.url", "s3://bucket")
    set_for_clone(git, "remote.origin.option", "key=me")
    set_for_clone(git, "remote.origin.option", "secret=hunter2", append=True)

    remote = read_settings(git).pick_remote()

    assert remote.options == {"key": "me", "secret": "hunter2"}
    assert "hunter2" not in repr(remote)
    assert b"hunter2" not in (repo.path / ".dvtool").read_bytes()


def test_a_remote_can_be_taken_out_everywhere(repo):
    git = repo.api
    set_committed(git, "remote.origin.url", "s3://bucket")
    set_for_clone(git, "remote.origin.option", "key=me")
    approve(git, read_settings(git).pick_remote())

    remove_remote(git, "origin")
    remove_remote(git, "origin")

    assert read_settings(git).remotes == {}
    assert repo("config", "--list").find(b"origin") == -1


def test_unsetting_twice_is_fine(repo):
    git = repo.api
    unset_committed(git, "jobs")
    set_committed(git, "jobs", "3")
    set_for_clone(git, "jobs", "4")
    for _ in range(2):
        unset_committed(git, "jobs")
        unset_for_clone(git, "jobs")

    assert read_settings(git).jobs is None


def test_a_locked_settings_file_is_locked(repo):
    repo.write(".dvtool.lock")

    with pytest.raises(Locked, match=r"\.dvtool\.lock"):
        set_committed(repo.api, "jobs", "3")


def test_the_default_remote_must_be_clear():
    a, b = ("remote.a.url", "s3://a"), ("remote.b.url", "s3://b")

    assert combine([a]).pick_remote().name == "a"
    assert combine([a, b, ("dvtool.remote", "b")]).pick_remote().name == "b"
    for settings, name in [(combine(), None), (combine([a, b]), None), (combine([a]), "c")]:
        with pytest.raises(UsageError):
            settings.pick_remote(name)


def rewrite(repo, text):
    repo.write(".dvtool", text)
    return read_settings(repo.api)


def test_the_first_use_trusts_what_the_file_says_and_remembers(repo, git_processes):
    two = ORIGIN + '[remote "second"]\nurl = s3://second\n'
    settings = rewrite(repo, two)
    git = repo.api
    assert settings.remotes["origin"].trust == "first"

    ensure_trusted(git, settings, settings.remotes["origin"])
    again = read_settings(git)

    assert {remote.trust for remote in again.remotes.values()} == {"approved"}
    with git_processes() as started:
        ensure_trusted(git, again, again.remotes["second"])
    assert started.count == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("s3://bucket/prefix", "s3://evil/prefix"),
        ("http://127.0.0.1:9000", "http://evil"),
        ("anon=no", "profile=admin"),
        ("\tendpoint-url = http://127.0.0.1:9000\n", ""),
    ],
)
def test_a_changed_address_needs_approval(repo, old, new):
    settings = rewrite(repo, ORIGIN)
    ensure_trusted(repo.api, settings, settings.pick_remote())

    changed = rewrite(repo, ORIGIN.replace(old, new))

    with pytest.raises(RemoteUntrusted, match="a commit changed remote origin") as caught:
        ensure_trusted(repo.api, changed, changed.pick_remote())
    assert "dvtool remote check origin --trust" in caught.value.hint
    approve(repo.api, changed.pick_remote())
    approved = read_settings(repo.api)
    ensure_trusted(repo.api, approved, approved.pick_remote())


def test_a_new_remote_needs_approval_too_once_another_is_trusted(repo):
    settings = rewrite(repo, ORIGIN)
    ensure_trusted(repo.api, settings, settings.pick_remote())

    more = rewrite(repo, ORIGIN + '[remote "evil"]\nurl = s3://evil\n[dvtool]\nremote = evil\n')

    with pytest.raises(RemoteUntrusted, match="a commit added remote evil"):
        ensure_trusted(repo.api, more, more.pick_remote())
    ensure_trusted(repo.api, more, more.pick_remote("origin"))


def test_a_renamed_remote_is_still_trusted(repo):
    settings = rewrite(repo, ORIGIN)
    ensure_trusted(repo.api, settings, settings.pick_remote())

    renamed = rewrite(repo, ORIGIN.replace('"origin"', '"storage"'))

    ensure_trusted(repo.api, renamed, renamed.pick_remote())


def test_approval_for_one_run_names_the_address_or_all(repo):
    settings = rewrite(repo, ORIGIN)
    ensure_trusted(repo.api, settings, settings.pick_remote())
    changed = rewrite(repo, ORIGIN.replace("s3://bucket/prefix", "s3://new"))

    for approval in ["s3://new", "s3://other s3://new", "all"]:
        ensure_trusted(repo.api, changed, changed.pick_remote(), approval=approval)
    for approval in ["", "1", "s3://bucket/prefix", "s3://new/x"]:
        with pytest.raises(RemoteUntrusted):
            ensure_trusted(repo.api, changed, changed.pick_remote(), approval=approval)
    assert read_settings(repo.api).pick_remote().trust == "changed"


def test_a_remote_of_this_clone_alone_needs_no_approval(repo):
    settings = rewrite(repo, ORIGIN)
    ensure_trusted(repo.api, settings, settings.pick_remote())
    set_for_clone(repo.api, "remote.mine.url", "s3://mine")

    settings = read_settings(repo.api)

    assert settings.remotes["mine"].trust == "own"
    ensure_trusted(repo.api, settings, settings.remotes["mine"])


def test_trust_is_shared_by_the_worktrees_of_a_clone(repo, tmp_path):
    settings = rewrite(repo, ORIGIN)
    ensure_trusted(repo.api, settings, settings.pick_remote())
    repo.commit()
    repo("worktree", "add", "-q", tmp_path / "wt")

    other = type(repo)(tmp_path / "wt")

    assert read_settings(other.api).pick_remote().trust == "approved"


@pytest.mark.parametrize(
    ("values", "refused"),
    [
        ([], {Verdict.FAIL}),
        (["fail"], {Verdict.FAIL}),
        (["undecided"], {Verdict.FAIL, Verdict.UNDECIDED}),
        (["fail, warn"], {Verdict.FAIL, Verdict.WARN}),
        (["warn", "not-judged"], {Verdict.FAIL, Verdict.WARN, Verdict.NOT_JUDGED}),
        (["none"], set()),
    ],
)
def test_a_gate_refuses_failures_and_what_is_named_besides(repo, values, refused):
    for value in values:
        set_committed(repo.api, "gate.push", value, append=True)

    policy = policy_of(read_settings(repo.api))

    assert policy.push == refused
    assert [blocks(verdict, policy.push) for verdict in Verdict] == [
        verdict in refused for verdict in Verdict
    ]
    assert policy.commit == {Verdict.FAIL}


def test_the_gates_figures_have_units(repo):
    for key, value in (
        ("gate.commit-budget", "2.5"),
        ("gate.modified", "warn"),
        ("gate.large-file", "3M"),
    ):
        set_committed(repo.api, key, value)
    set_for_clone(repo.api, "checkout.auto", "hint")

    settings = read_settings(repo.api)

    policy = policy_of(settings)
    assert (policy.commit_budget_s, policy.modified) == (2.5, "warn")
    assert policy.large_file_bytes == 3_145_728
    assert settings.checkout_auto == "hint"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gate.commit", "fial"),
        ("gate.merge", "pass"),
        ("gate.merge", ""),
        ("gate.push", "none, fail"),
        ("gate.modified", "yes"),
        ("gate.commit-budget", "10s"),
        ("gate.large-file", "big"),
        ("checkout.auto", "always"),
        ("profile.on-add", "yes"),
    ],
)
def test_a_gate_that_cannot_be_understood_is_refused_with_its_place(repo, key, value):
    repo.write(".dvtool", "[dvtool]\n\tformat = 1\n")
    repo("config", "--file", ".dvtool", key, value)
    with pytest.raises(InvalidText, match=rf"^\.dvtool: {key}: expected ") as refused:
        read_settings(repo.api)
    assert refused.value.exit_code == 4

    repo.write(".dvtool", "[dvtool]\n\tformat = 1\n")
    repo("config", f"dvtool.{key}", value)
    with pytest.raises(UsageError, match=f"^git config dvtool {key}: expected "):
        read_settings(repo.api)
