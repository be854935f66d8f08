"""git commit with dvtool's hooks: what is staged is judged, as it is staged."""

from __future__ import annotations

import pytest

from dvtool.git.hooktext import QUICK_FOLDER
from dvtool.ops.workspace import Workspace
from dvtool.worktree import settled
from tests.journeys.harness import Repo

GOOD = "id,age\n1,20\n2,30\n3,44\n"
BAD = "id,age\n1,20\n2,300\n3,44\n"
CHECKS = "columns:\n  age: {type: int, min: 0, max: 120}\nkey: [id]\n"


def stage(repo: Repo, data: str, path: str = "ages.csv") -> None:
    repo.write(path, data)
    repo.run("add", path)


@pytest.fixture
def checked(gated: Repo) -> Repo:
    """A repository with hooks and a data set with checks, not judged yet."""
    gated.write("ages.csv.checks.yaml", CHECKS)
    stage(gated, GOOD)
    gated.git("add", ".")
    gated.git("commit", "-q", "--no-verify", "-m", "first")
    return gated


def test_bad_data_are_blocked_with_their_line_and_fixed_data_are_accepted(checked: Repo) -> None:
    before = checked.git("rev-parse", "HEAD")
    stage(checked, BAD)

    refused = checked.try_git("commit", "-m", "bad")

    assert refused.code == 1
    assert checked.git("rev-parse", "HEAD") == before
    assert "ages.csv:3 age: 1 of 3 values above 120 [max] (ages.csv.checks.yaml:2)" in refused.err
    assert "error: ages.csv: fail" in refused.err
    assert "git commit --no-verify" in refused.err
    stage(checked, GOOD + "4,50\n")
    assert checked.try_git("commit", "-m", "fixed").code == 0


def test_a_warning_lets_a_commit_through_and_is_told_in_one_line(checked: Repo) -> None:
    checked.write("ages.csv.checks.yaml", CHECKS + "severity: {age: warn}\n")
    checked.git("add", ".")
    stage(checked, BAD)

    passed = checked.try_git("commit", "-m", "warned")
    again = checked.try_git("commit", "--allow-empty", "-m", "nothing of it")

    assert passed.code == again.code == 0
    line = "dvtool: ages.csv: warn: age.max (dvtool check ages.csv tells)"
    assert [one for one in passed.err.splitlines() if "ages.csv" in one] == [line]
    assert "ages.csv" not in again.err


def test_what_is_staged_is_judged_and_not_the_work_tree(checked: Repo) -> None:
    checked.run("config", "gate.modified", "off")
    stage(checked, GOOD + "5,51\n")
    checked.write("ages.csv", BAD)

    assert checked.try_git("commit", "-m", "good is staged, bad on disk").code == 0
    stage(checked, BAD)
    checked.write("ages.csv", GOOD)
    refused = checked.try_git("commit", "-m", "bad is staged, good on disk")

    assert refused.code == 1
    assert "ages.csv: fail" in refused.err


def test_the_staged_checks_judge_and_not_those_on_disk(checked: Repo) -> None:
    checked.write("ages.csv.checks.yaml", CHECKS.replace("120", "40"))
    checked.git("add", "ages.csv.checks.yaml")
    checked.write("ages.csv.checks.yaml", CHECKS)

    refused = checked.try_git("commit", "-m", "stricter")

    assert refused.code == 1
    assert "1 of 3 values above 40" in refused.err


def test_a_verdict_that_is_known_needs_no_second_judging(checked: Repo) -> None:
    stage(checked, GOOD + "6,52\n")
    checked.run("check", "--staged")

    # A budget of nothing: only what is remembered can be judged at all.
    checked.git("config", "dvtool.gate.commit-budget", "0")
    known = checked.try_git("commit", "-m", "judged before")
    stage(checked, GOOD + "7,53\n")
    unknown = checked.try_git("commit", "-m", "not judged yet")

    assert (known.code, unknown.code) == (0, 0)
    assert "not judged" not in known.err
    assert "not judged within 0 s: ages.csv; the push decides" in unknown.err


def test_a_partial_commit_is_judged_by_what_it_commits(checked: Repo) -> None:
    checked.write("notes.md", "1\n")
    checked.git("add", "notes.md")
    stage(checked, BAD)

    assert checked.try_git("commit", "-m", "only the notes", "notes.md").code == 0
    assert checked.git("show", "--stat", "--format=", "HEAD").split()[0] == "notes.md"
    assert checked.try_git("commit", "-m", "only the data", "ages.csv.dvt").code == 1


def test_commit_all_takes_sidecars_that_were_not_staged(checked: Repo) -> None:
    stage(checked, BAD)
    checked.git("reset", "-q")

    assert checked.try_git("commit", "-a", "-m", "all").code == 1


def test_the_first_commit_a_detached_head_and_an_amended_commit_are_judged(
    gated: Repo, checked: Repo
) -> None:
    checked.git("checkout", "-q", "--detach")
    stage(checked, BAD)
    assert checked.try_git("commit", "-m", "detached").code == 1
    assert checked.try_git("commit", "--amend", "--no-edit").code == 1
    checked.git("checkout", "-q", "--orphan", "fresh")

    refused = checked.try_git("commit", "-m", "first")

    assert refused.code == 1
    assert "ages.csv: fail" in refused.err


@pytest.mark.parametrize("kind", ["version 4", "split"])
def test_other_forms_of_gits_index_are_read(checked: Repo, kind: str) -> None:
    command = ["--index-version", "4"] if kind == "version 4" else ["--split-index"]
    checked.git("update-index", *command)
    stage(checked, BAD)

    assert checked.try_git("commit", "-m", kind).code == 1


def test_a_clean_merge_is_judged_when_it_makes_something_new(gated: Repo) -> None:
    gated.write("data.checks.yaml", "tables:\n  '*.csv': {rows: {max: 3}}\n")
    gated.write("data/a.csv", "x\n1\n")
    gated.write("unique.checks.yaml", "")
    gated.run("add", "data")
    gated.git("add", "data.checks.yaml")
    gated.git("commit", "-q", "--no-verify", "-m", "base")
    gated.git("checkout", "-q", "-b", "theirs")
    gated.write("data/b.csv", "x\n1\n2\n3\n4\n")
    gated.run("add", "data")
    gated.git("commit", "-q", "--no-verify", "-m", "too many rows")
    gated.git("checkout", "-q", "main")
    gated.write("data/c.csv", "x\n1\n")
    gated.run("add", "data")
    gated.git("commit", "-q", "--no-verify", "-m", "fine")

    refused = gated.try_git("merge", "-m", "both", "theirs")

    assert refused.code != 0
    assert "data: fail" in refused.err
    assert gated.git("log", "-1", "--format=%s") == "fine"


def test_large_files_for_git_itself_are_stopped_and_dvtool_add_is_the_way(gated: Repo) -> None:
    gated.git("config", "dvtool.gate.large-file", "10k")
    gated.write("model.bin", bytes(10 * 1024))
    gated.write("small.bin", bytes(10 * 1024 - 1))
    gated.git("add", ".")

    refused = gated.try_git("commit", "-m", "model")

    assert refused.code == 1
    assert "git itself would get 1 large file: model.bin (0.0 MiB)" in refused.err
    assert "hint: dvtool add model.bin keeps it out of git" in refused.err
    gated.run("add", "model.bin")
    assert gated.try_git("commit", "-m", "model").code == 0
    assert gated.git("ls-files") == ".dvtool\n.gitattributes\n.gitignore\nmodel.bin.dvt\nsmall.bin"


def test_large_files_are_also_seen_by_the_shell_that_starts_no_python(gated: Repo) -> None:
    gated.git("config", "dvtool.gate.large-file", "10k")
    for number in range(2):  # the first look is noted, and the shell trusts it from then on
        gated.write("notes.md", f"{number}\n")
        gated.commit()
    gated.write("model.bin", bytes(10 * 1024))
    gated.git("add", ".")

    assert gated.try_git("commit", "-m", "model").code == 1


def test_large_files_that_a_merge_brings_are_in_git_already(gated: Repo) -> None:
    gated.git("checkout", "-q", "-b", "theirs")
    gated.write("model.bin", bytes(9000))
    gated.commit("large, before there was a limit")
    gated.git("checkout", "-q", "main")
    gated.write("notes.md", "1\n")
    gated.commit("ours")
    gated.git("config", "dvtool.gate.large-file", "8k")

    assert gated.try_git("merge", "-q", "-m", "both", "theirs").code == 0
    gated.write("more.bin", bytes(9000))
    gated.git("add", ".")
    assert gated.try_git("commit", "-m", "more").code == 1


def test_a_sidecar_whose_bytes_are_nowhere_cannot_be_committed(gated: Repo) -> None:
    stage(gated, GOOD)
    sidecar = gated.read("ages.csv.dvt").decode()
    start = sidecar.index("sha256:") + len("sha256:")
    gated.write("ages.csv.dvt", sidecar[:start] + "0" * 64 + sidecar[start + 64 :])
    gated.git("add", "ages.csv.dvt")
    gated.git("config", "dvtool.gate.modified", "off")

    refused = gated.try_git("commit", "-m", "made up")

    assert refused.code == 1
    assert "ages.csv.dvt names 1 objects that are not in the store" in refused.err
    assert "hint: dvtool fetch ages.csv" in refused.err


def test_a_sidecar_that_breaks_its_format_cannot_be_committed(gated: Repo) -> None:
    gated.write("ages.csv.dvt", "<<<<<<< ours\n")
    gated.git("add", "ages.csv.dvt")

    refused = gated.try_git("commit", "-m", "conflict")

    assert refused.code == 1
    assert "error: :ages.csv.dvt" in refused.err


def test_a_merge_of_data_that_were_never_fetched_goes_through(gated: Repo, tmp_path) -> None:
    gated.commit("start")
    gated.git("push", "-q", "origin", "main")
    other = gated.clone("other")
    other.write("theirs.csv", GOOD)
    other.run("add", "theirs.csv")
    other.commit("theirs")
    other.run("push")
    gated.write("notes.md", "1\n")
    gated.commit("ours")

    merged = gated.try_git("pull", "-q", "--no-rebase", "--no-edit", str(other.path), "main")

    assert merged.code == 0
    assert "theirs.csv was not judged" in merged.err
    assert "dvtool pull" in merged.err  # what the hook after the merge says


def test_settings_that_look_like_a_secret_cannot_be_committed(gated: Repo) -> None:
    settings = gated.read(".dvtool").decode()
    gated.write(".dvtool", settings + "\toption = secret=hunter2\n")
    gated.git("add", ".dvtool")
    gated.write(".dvtool", settings)

    refused = gated.try_git("commit", "-m", "oops")

    assert refused.code == 1
    assert "error: :.dvtool" in refused.err
    assert "hunter2" not in refused.err


@pytest.mark.parametrize(("modified", "code"), [("block", 1), ("warn", 0), ("off", 0)])
def test_what_happens_to_data_changed_and_not_added_is_a_setting(
    gated: Repo, modified: str, code: int
) -> None:
    gated.git("config", "dvtool.gate.modified", modified)
    stage(gated, GOOD, "data.bin")
    gated.commit("data")
    gated.write("data.bin", GOOD + "x")

    answer = gated.try_git("commit", "--allow-empty", "-m", "anything")

    assert answer.code == code
    assert ("changed on disk and not added: data.bin (1 file)" in answer.err) == (modified != "off")


@pytest.mark.parametrize("change", ["edit", "same size and time", "new", "remove"])
def test_the_shell_sees_what_changed_since_the_last_look(gated: Repo, change: str) -> None:
    gated.write("data/a.bin", b"1")
    gated.write("data/b.bin", b"2")
    gated.run("add", "data")
    gated.commit("data")
    for number in range(2):
        gated.write("notes.md", f"{number}\n")
        gated.commit()
    assert (gated.path / ".git/dvtool/hook-quick/note").exists()
    target = gated.path / "data/a.bin"
    if change == "edit":
        target.write_bytes(b"11")
    elif change == "same size and time":
        import os

        found = target.stat()
        target.write_bytes(b"3")
        os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    elif change == "new":
        gated.write("data/c.bin", b"3")
    else:
        target.unlink()

    answer = gated.try_git("commit", "--allow-empty", "-m", "anything")

    assert answer.code == 1
    assert "changed on disk and not added: data (1 file)" in answer.err


def test_a_data_set_removed_to_make_room_stops_nobody(gated: Repo) -> None:
    stage(gated, GOOD, "data.bin")
    gated.commit("data")
    (gated.path / "data.bin").unlink()

    assert gated.try_git("commit", "--allow-empty", "-m", "code").code == 0


def test_a_commit_of_code_starts_no_python(gated: Repo, tmp_path, monkeypatch) -> None:
    stage(gated, GOOD, "data.bin")
    gated.commit("data")
    gated.write("notes.md", "1\n")
    gated.commit("the first look is noted")
    noted = gated.path / ".git/dvtool/python"
    # From now on the interpreter that would be started is one that fails.
    noted.write_text(f"/bin/false\n{gated.path}\n")
    gated.write("notes.md", "2\n")
    gated.git("add", "notes.md")

    assert gated.try_git("commit", "-m", "code").code == 0
    stage(gated, GOOD + "8,1\n", "data.bin")
    assert gated.try_git("commit", "-m", "data").code == 1


def test_settings_for_one_command_reach_the_hook_and_are_not_remembered(gated: Repo) -> None:
    stage(gated, GOOD, "data.bin")
    gated.commit("data")
    gated.write("data.bin", "changed")

    off = gated.try_git("-c", "dvtool.gate.modified=off", "commit", "--allow-empty", "-m", "1")
    on = gated.try_git("commit", "--allow-empty", "-m", "2")

    assert (off.code, on.code) == (0, 1)


def test_a_commit_in_a_linked_work_tree_looks_at_that_work_tree(gated: Repo, tmp_path) -> None:
    stage(gated, GOOD, "data.bin")
    gated.commit("data")
    gated.git("worktree", "add", "-q", str(tmp_path / "linked tree"), "-b", "linked")
    linked = gated.at(tmp_path / "linked tree")
    assert linked.read("data.bin") == GOOD.encode()  # the hook after the checkout wrote it
    linked.write("data.bin", "changed here")

    assert gated.try_git("commit", "--allow-empty", "-m", "there").code == 0
    assert linked.try_git("commit", "--allow-empty", "-m", "here").code == 1


def test_a_broken_checks_file_is_told_with_its_line(checked: Repo) -> None:
    checked.write("ages.csv.checks.yaml", "colums:\n  age: {max: 3}\n")
    checked.git("add", "ages.csv.checks.yaml")

    refused = checked.try_git("commit", "-m", "typo")

    assert refused.code == 1
    assert "ages.csv.checks.yaml:1" in refused.err


def test_judging_stops_when_the_budget_is_spent(checked: Repo) -> None:
    checked.git("config", "dvtool.gate.commit-budget", "0.001")
    stage(checked, BAD)

    answer = checked.try_git("commit", "-m", "too slow to judge")

    assert answer.code == 0
    assert "not judged within 0.001 s: ages.csv; the push decides" in answer.err
    assert "interrupted" not in answer.err  # it was not the person who stopped it


def test_while_one_data_set_is_unsaved_the_others_are_looked_at_only_when_they_change(
    checked: Repo,
) -> None:
    checked.run("config", "gate.modified", "warn")
    stage(checked, GOOD, path="other.csv")
    checked.git("add", "-A")
    checked.git("commit", "-q", "-m", "two")
    checked.write("ages.csv", GOOD + "8,54\n")
    first = checked.try_git("commit", "--allow-empty", "-m", "one is unsaved")

    workspace = Workspace.open(checked.path, environ={})
    looked_at = settled.unsettled(
        workspace.private_dir / QUICK_FOLDER,
        workspace.load_index(),
        top=workspace.top,
        datasets=["ages.csv", "other.csv"],
    )
    checked.write("other.csv", GOOD + "9,55\n")
    second = checked.try_git("commit", "--allow-empty", "-m", "both are unsaved")

    assert "changed on disk and not added: ages.csv (1 file)" in first.err
    assert looked_at == ["ages.csv"]
    assert "changed on disk and not added: ages.csv (1 file), other.csv (1 file)" in second.err
