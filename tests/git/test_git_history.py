from __future__ import annotations

import pytest

from dvtool.errors import UnknownRevision, UsageError
from dvtool.git.ancestry import commits_known, is_covered, resolve_range
from dvtool.git.contents import read_blobs
from dvtool.git.history import needed, versions
from dvtool.git.revisions import current_refs, head, resolve_commit, resolve_commits

HOSTILE_CONFIGURATION = {
    "log.follow": "true",
    "log.showSignature": "true",
    "log.diffMerges": "combined",
    "log.showRoot": "false",
    "log.decorate": "full",
    "log.abbrevCommit": "true",
    "diff.renames": "copies",
    "diff.noprefix": "true",
    "diff.external": "false",
    "diff.orderFile": "/nowhere",
    "diff.relative": "true",
    "color.ui": "always",
    "core.quotePath": "true",
    "format.pretty": "fuller",
    "format.notes": "*",
    "i18n.logOutputEncoding": "UTF-16",
    "core.abbrev": "4",
}


@pytest.fixture(params=["sha1", "sha256"])
def merged(request, git_repo):
    """main: r(one) - m(two) ---- M(both); side: r - s(three); s2 is thrown away by M."""
    repo = git_repo(object_format=request.param)
    repo.write("a.dvt", "one")
    repo.commit("root")
    repo("checkout", "-qb", "side")
    repo.write("b.dvt", "three")
    repo.commit("side")
    repo.write("a.dvt", "thrown away")
    repo.commit("side 2")
    repo("checkout", "-q", "main")
    repo.write("a.dvt", "two")
    repo.commit("main")
    repo("merge", "-q", "-X", "ours", "-m", "merge", "side")
    return repo


def texts_of(repo, tips, exclude=()):
    found = list(needed(repo.api, tips, exclude))
    texts = read_blobs(repo.api, {item.oid for item in found})
    return {(item.path, texts[item.oid]) for item in found}


def test_needed_is_every_sidecar_that_any_commit_ever_held(merged):
    assert texts_of(merged, [merged.head()]) == {
        ("a.dvt", b"one"),
        ("a.dvt", b"two"),
        ("a.dvt", b"thrown away"),
        ("b.dvt", b"three"),
    }


def test_needed_is_the_same_under_any_configuration(merged):
    before = list(needed(merged.api, [merged.head()]))
    for key, value in HOSTILE_CONFIGURATION.items():
        merged("config", key, value)

    assert list(needed(merged.api, [merged.head()])) == before
    assert [v.subject for v in versions(merged.api, "a.dvt")][-1] == "root"


def test_needed_leaves_out_what_excluded_commits_brought(merged):
    root, main, side = resolve_commits(merged.api, ["main~2", "main^1", "side"])

    assert texts_of(merged, [merged.head()], [merged.head()]) == set()
    assert texts_of(merged, [main], [root]) == {("a.dvt", b"two")}
    assert texts_of(merged, [main, side], [root]) == {
        ("a.dvt", b"two"),
        ("a.dvt", b"thrown away"),
        ("b.dvt", b"three"),
    }


def test_needed_costs_three_processes_two_of_them_to_look_for_maps_and_nothing_for_nothing(
    merged, git_processes
):
    git, tip = merged.api, merged.head()

    with git_processes() as started:
        assert list(needed(git, [])) == []
        list(needed(git, [tip]))

    assert started.count == 3


def test_needed_agrees_with_looking_into_every_commit(merged):
    git = merged.api
    commits = merged("rev-list", "--all").decode().split()
    expected = set()
    for commit in commits:
        listed = merged("ls-tree", "-r", "-z", commit).decode().split("\0")[:-1]
        for row in listed:
            meta, _, path = row.partition("\t")
            expected.add((path, meta.split(" ")[2]))

    found = {(item.path, item.oid) for item in needed(git, list(current_refs(git).values()))}

    assert found == expected


def test_removed_and_renamed_sidecars_are_needed_where_they_were(repo):
    repo.write("a.dvt", "text")
    repo.commit()
    repo("mv", "a.dvt", "b.dvt")
    tip = repo.commit()

    assert texts_of(repo, [tip]) == {("a.dvt", b"text"), ("b.dvt", b"text")}


def test_odd_names_are_needed_too(repo):
    names = ["-x.dvt", "new\nline.dvt", "raw\udcff.dvt", ":100644 x.dvt", "a\tb.dvt"]
    for name in names:
        repo.write(name, name.encode("utf-8", "surrogateescape"))
    tip = repo.commit(":000000 a subject that looks like a change")

    assert {item.path for item in needed(repo.api, [tip])} == set(names)
    assert [v.path for v in versions(repo.api, "new\nline.dvt")] == ["new\nline.dvt"]
    assert next(versions(repo.api, "-x.dvt")).subject.startswith(":000000 a subject")


def test_a_shallow_clone_needs_all_of_its_oldest_commit(merged, tmp_path):
    merged("clone", "-q", "--depth=1", f"file://{merged.path}", tmp_path / "shallow")
    shallow = type(merged)(tmp_path / "shallow")

    assert texts_of(shallow, [shallow.head()]) == {("a.dvt", b"two"), ("b.dvt", b"three")}


def test_needed_takes_object_ids_only(repo):
    repo.commit()

    for tip in ["HEAD", "--all", "--output=x", "^main", ""]:
        with pytest.raises(UnknownRevision):
            list(needed(repo.api, [tip]))


def test_needed_of_an_unknown_commit_is_an_unknown_revision(repo):
    repo.commit()

    with pytest.raises(UnknownRevision):
        list(needed(repo.api, ["12" * 20]))


def test_versions_tell_who_when_why_and_what(repo):
    repo.write("a.dvt", "one")
    first = repo.commit("first\n\nbody")
    repo.write("other", "x")
    repo.commit("not about a")
    (repo.path / "a.dvt").unlink()
    second = repo.commit("gone")

    found = list(versions(repo.api, "a.dvt"))

    assert [(v.commit, v.subject, v.text) for v in found] == [
        (second, "gone", None),
        (first, "first", b"one"),
    ]
    assert (found[0].author, found[0].email) == ("Ada Author", "ada@example.org")
    assert found[0].date == "2024-02-29T12:00:00+01:00"
    assert found[0].path == "a.dvt"


def test_versions_cost_two_processes_however_many(repo, git_processes):
    repo.write(".dvtool", "[dvtool]\n")
    for number in range(70):
        repo.write("a.dvt", str(number))
        repo.commit()
    git = repo.api

    with git_processes() as started:
        found = list(versions(git, "a.dvt"))

    assert [v.text for v in found] == [str(n).encode() for n in reversed(range(70))]
    assert started.count == 2


def test_versions_can_be_limited_and_begin_elsewhere(repo):
    for number in range(5):
        repo.write("a.dvt", str(number))
        repo.commit()

    assert [v.text for v in versions(repo.api, "a.dvt", "HEAD~1", limit=2)] == [b"3", b"2"]


def test_versions_take_no_options(repo, tmp_path):
    repo.commit()

    with pytest.raises(UnknownRevision):
        list(versions(repo.api, "a.dvt", f"--output={tmp_path}/written"))
    assert not (tmp_path / "written").exists()


def test_a_branch_without_commits_has_no_versions(repo):
    with pytest.raises(UnknownRevision):
        list(versions(repo.api, "a.dvt"))


def test_a_submodule_named_like_a_sidecar_is_none(git_repo):
    inner, outer = git_repo("inner"), git_repo("outer")
    inner.commit()
    outer("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.path, "sub.dvt")
    tip = outer.commit()

    assert list(needed(outer.api, [tip])) == []


@pytest.mark.parametrize(
    "rev",
    [
        "nowhere",
        "--upload-pack=touch x",
        "-h",
        "--all",
        "",
        "a\nb",
        "HEAD..HEAD",
        "^HEAD",
        "HEAD:a.dvt",
        "HEAD^{tree}",
        "-",
    ],
)
def test_what_is_no_single_commit_is_an_unknown_revision(repo, rev):
    repo.write("a.dvt", "x")
    repo.commit()

    with pytest.raises(UnknownRevision):
        resolve_commit(repo.api, rev)


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_every_way_to_name_a_commit_leads_to_it(git_repo, object_format):
    repo = git_repo(object_format=object_format)
    first = repo.commit("first")
    repo("tag", "light")
    repo("tag", "-m", "annotated", "v1.0")
    repo.commit("second")
    revs = ["HEAD~1", "light", "v1.0", "refs/tags/v1.0", first, first[:12], "main^", "@{1}"]

    assert set(resolve_commits(repo.api, revs)) == {first}
    assert resolve_commits(repo.api, []) == []


def test_an_unknown_revision_is_named(repo):
    with pytest.raises(UnknownRevision, match='unknown revision: "a\\\\\\\\b'):
        resolve_commit(repo.api, "a\\b")


def test_refs_lead_to_commits(repo):
    commit = repo.commit()
    repo("tag", "light")
    repo("tag", "-m", "x", "annotated")
    repo("tag", "-m", "x", "nested", "annotated")
    repo("tag", "tree", "HEAD^{tree}")
    repo("branch", "topic/ünï")

    assert current_refs(repo.api) == {
        "refs/heads/main": commit,
        "refs/heads/topic/ünï": commit,
        "refs/tags/annotated": commit,
        "refs/tags/light": commit,
        "refs/tags/nested": commit,
    }
    assert list(current_refs(repo.api, ["refs/heads"])) == [
        "refs/heads/main",
        "refs/heads/topic/ünï",
    ]


def test_head_may_be_unborn_on_a_branch_or_detached(repo):
    assert (head(repo.api).ref, head(repo.api).commit) == ("refs/heads/main", None)
    commit = repo.commit()
    assert (head(repo.api).ref, head(repo.api).commit) == ("refs/heads/main", commit)
    repo("checkout", "-q", "--detach")
    assert (head(repo.api).ref, head(repo.api).commit) == (None, commit)


def test_a_commit_is_covered_by_itself_and_its_descendants(repo, git_processes):
    first, second = repo.commit("first"), repo.commit("second")
    git = repo.api

    with git_processes() as started:
        assert is_covered(git, first, [second])
        assert is_covered(git, first, [first])
        assert not is_covered(git, second, [first])
        assert not is_covered(git, second, [])
    assert started.count == 2


def test_only_full_ids_of_commits_are_known(repo):
    repo.write("a.dvt", "x")
    commit = repo.commit()
    blob = repo("rev-parse", "HEAD:a.dvt").decode().strip()

    asked = [commit, commit[:10], blob, "12" * 20, "HEAD", "--all", commit]
    assert commits_known(repo.api, asked) == {commit}


def test_a_range_has_two_ends(repo):
    first, second = repo.commit("first"), repo.commit("second")
    git = repo.api

    assert resolve_range(git, "HEAD~1..main") == (first, second)
    assert resolve_range(git, "HEAD~1..") == (first, second)
    assert resolve_range(git, "..HEAD~1") == (second, first)
    for text in ["HEAD", "a...b", "a..b..c", "HEAD...HEAD~1"]:
        with pytest.raises(UsageError):
            resolve_range(git, text)
