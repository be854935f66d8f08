"""`dvtool ci` as a service runs it: a git host, a remote, and a fresh clone without any set-up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.journeys.cihost import CHECKS, Host, people


@pytest.fixture
def host(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Host:
    """A host whose main has two data sets, one of them with checks; the branch is `feature`."""
    (tmp_path / "storage").mkdir()
    made = Host(tmp_path, capfd, (tmp_path / "storage/data").as_uri())
    made.change({"people.csv": people(), "people.csv.checks.yaml": CHECKS, "other.csv": people(50)})
    made.publish()
    made.switch("feature", start="main")
    return made


BAD = people(seed=2, n4="-7")


def test_bad_data_may_not_be_merged_and_mended_data_may(host: Host) -> None:
    host.change({"people.csv": BAD})
    host.publish()
    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out
    assert "people.csv:6 age: 1 of 200 values below 0 [min] (people.csv.checks.yaml:3)" in found
    assert found.endswith("may not be merged: fail\n")

    host.change({"people.csv": people(seed=3)})
    host.publish()
    found = host.clone("feature", name="again").run("ci", "--base", "origin/main").out

    assert "2 commits since" in found
    assert "people.csv: pass" in found
    assert found.endswith("may be merged\n")


def test_a_commit_whose_data_were_never_pushed_is_named(host: Host) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()
    lost = host.change({"people.csv": people(seed=3)})
    host.publish(data=False)

    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out

    said = (
        f"people.csv.dvt nobody else can restore commit {lost[:12]}: not at the remote: object sha"
    )
    assert said in found
    assert "hint: whoever made these commits: dvtool push" in found
    assert "undecided people.csv could not be judged: " in found


def test_data_lost_in_the_middle_of_a_branch_are_named_though_the_last_version_is_fine(
    host: Host,
) -> None:
    packs = set((host.folder / "storage").rglob("*.pack"))
    lost = host.change({"people.csv": people(seed=2)})
    host.publish()
    for pack in set((host.folder / "storage").rglob("*.pack")) - packs:
        pack.unlink()
    host.switch("later", start="main")
    host.change({"people.csv": people(seed=3)})
    host.publish()
    host.dev.git("merge", "--quiet", "--strategy=ours", "feature", "-m", "both")
    host.dev.git("push", "--quiet", "--no-verify", "origin", "HEAD")

    found = host.clone("later").run("ci", "--base", "origin/main", code=1).out

    assert f"nobody else can restore commit {lost[:12]}: " in found
    assert "people.csv: pass" in found


def test_a_shallow_clone_is_deepened_as_far_as_needed(host: Host) -> None:
    for number in range(3):
        host.change({"people.csv": people(seed=10 + number)})
    host.publish()
    job = host.clone("feature", depth=1)
    assert job.git("rev-list", "--count", "HEAD") == "1"

    found = job.run("ci", "--base", "origin/main").out

    assert "3 commits since" in found
    assert "the version at the merge base" in found


def test_a_shallow_clone_that_cannot_be_deepened_is_refused_with_the_way_out(host: Host) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()
    job = host.clone("feature", depth=1)
    base = host.dev.git("rev-parse", "main")
    job.git("remote", "set-url", "origin", str(host.folder / "gone.git"))

    found = job.run("ci", "--base", base, code=5)

    assert "fetch-depth: 0" in found.err
    assert found.out == ""


def test_only_what_changed_is_fetched(host: Host) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main", "--json").json

    # The version at the merge base and the new one; the other data set stays at the remote.
    size = len(people().encode()) + len(people(seed=2).encode())
    assert found["fetched"] == {"needed": 2, "fetched": 2, "fetched_bytes": size}
    assert [one["name"] for one in found["judgements"]] == ["people.csv"]
    assert found["unchanged"] == 1


def test_a_fresh_clone_judges_by_the_profiles_of_the_past_that_the_remote_has(host: Host) -> None:
    host.switch("main")
    for number in range(6):
        host.change({"people.csv": people(seed=20 + number)}, message=f"version {number}")
        host.dev.run("check", "people.csv")
    host.publish()
    host.switch("later", start="main")
    host.change({"people.csv": people(seed=40)})
    host.publish()

    job = host.clone("later")
    found = job.run("ci", "--base", "origin/main", "--report", "out", "--json").json

    (judged,) = found["judgements"]
    assert " known" not in " ".join(judged["tables"][0]["would_decide_more"])
    assert found["fetched"]["needed"] == 2  # of the past only profiles came
    page = job.read("out/index.html").decode()
    drawn = re.search(r'aria-label="mean over (\d+) versions[^>]*>\s*<path d="([^"]*)"', page)
    assert drawn is not None
    # The version on the branch and all before it, without a gap.
    assert (drawn[1], drawn[2].count("M"), drawn[2].count("L")) == ("8", 1, 7)


# -- a change does not loosen its own gate -------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "said"),
    [
        (None, "people.csv.dvt every check was there, is gone [loosened]"),
        (CHECKS.replace("min: 0, ", ""), "people.csv.checks.yaml age: min was 0, is gone [loosened]"),
        (CHECKS.replace("min: 0", "min: -9"), "people.csv.checks.yaml:3 age: min was 0, is -9 [loosened]"),
        (CHECKS.replace("nulls: 0", "nulls: 0, severity: warn"), "age: severity was not given, is warn [loosened]"),
        (CHECKS + "ignore: [{finding: age.min, until: 2999-01-01, reason: no}]\n", "ignore was not given, is [age.min until 2999-01-01] [loosened]"),
    ],
)  # fmt: skip
def test_a_change_that_loosens_its_checks_is_judged_by_the_old_ones_too(host, checks, said) -> None:
    host.change({"people.csv": BAD, "people.csv.checks.yaml": checks})
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out

    assert said in found
    assert "fail      people.csv:6 age:" in found
    assert "which holds at the base) [min]" in found


def test_a_history_that_is_switched_off_is_told(host: Host) -> None:
    host.change({"people.csv.checks.yaml": CHECKS + "history: false\n"})
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main").out

    assert "warn      people.csv.checks.yaml:5 history was true, is false [loosened]" in found


def test_checks_may_be_loosened_by_a_change_of_their_own(host: Host) -> None:
    host.change({"people.csv.checks.yaml": CHECKS.replace("min: 0", "min: -9")})
    host.publish()
    found = host.clone("feature").run("ci", "--base", "origin/main").out
    assert "min was 0, is -9 [loosened]" in found
    assert found.endswith("may be merged\n")

    host.switch("main")
    host.dev.git("merge", "--quiet", "feature")
    host.publish()
    host.switch("data", start="main")
    host.change({"people.csv": BAD})
    host.publish()

    found = host.clone("data", name="again").run("ci", "--base", "origin/main").out

    assert "people.csv: pass" in found


def test_a_failure_accepted_by_a_line_of_the_change_passes_and_is_told(host: Host) -> None:
    host.change({"people.csv": BAD})
    host.dev.run("allow", "people.csv", "--exception", "--reason", "one test person")
    host.dev.commit("accept it")
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main").out

    said = "this change accepts age.min as exception: one test person [exception-added]"
    assert f"warn      people.csv.allow.yaml:3 {said}" in found
    assert found.endswith("may be merged\n")


def test_the_gate_of_the_base_decides_and_a_looser_one_is_told(host: Host) -> None:
    host.change({"people.csv": BAD})
    host.dev.run("config", "gate.merge", "none")
    host.dev.commit("let me in")
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out

    assert ".dvtool gate.merge was fail, would be nothing; for this change" in found
    assert "[gate-loosened]" in found


def test_a_gate_may_refuse_every_loosening(host: Host) -> None:
    host.switch("main")
    host.dev.run("config", "gate.loosened", "fail")
    host.dev.commit("strict")
    host.publish()
    host.switch("looser", start="main")
    host.dev.run("config", "gate.loosened", "warn")
    host.dev.commit("less strict")
    host.publish()

    found = host.clone("looser").run("ci", "--base", "origin/main", code=1).out

    assert "fail      .dvtool gate.loosened was fail, would be warn;" in found


def test_a_remote_that_a_change_moves_is_not_asked_without_approval(host: Host) -> None:
    elsewhere = (host.folder / "elsewhere/data").as_uri()
    (host.folder / "elsewhere").mkdir()
    host.dev.run("remote", "set", "origin", elsewhere)
    host.change({"people.csv": people(seed=2)})
    host.publish()
    reading = sorted(path for path in (host.folder / "elsewhere").rglob("*"))

    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out

    assert f"remote origin would be {elsewhere}; nothing was asked or sent there" in found
    assert "[not-restorable]" in found  # at the remote that the base names
    assert sorted(path for path in (host.folder / "elsewhere").rglob("*")) == reading


def test_a_moved_remote_is_used_once_the_job_approves_it(host: Host, monkeypatch) -> None:
    elsewhere = (host.folder / "elsewhere/data").as_uri()
    (host.folder / "elsewhere").mkdir()
    host.dev.run("remote", "set", "origin", elsewhere)
    host.change({"people.csv": people(seed=2)})
    host.publish()
    monkeypatch.setenv("DVTOOL_TRUST_REMOTE", elsewhere)

    found = host.clone("feature").run("ci", "--base", "origin/main").out

    assert "remote-moved" not in found
    assert "people.csv: pass" in found


# -- the merge -----------------------------------------------------------------------------------


def test_a_merge_can_be_bad_though_both_sides_are_fine(host: Host) -> None:
    host.change({"people.csv": people(seed=2, n4="110")})
    host.publish()
    host.switch("main")
    host.change({"people.csv.checks.yaml": CHECKS.replace("max: 120", "max: 100")})
    host.publish()
    job = host.clone("feature")
    at_parting = host.dev.git("merge-base", "main", "feature")
    job.run("ci", "--base", at_parting)

    found = job.run("ci", "--base", "origin/main", "--merge", code=1).out

    assert "merged into" in found
    assert "age: 1 of 200 values above 100 [max] (people.csv.checks.yaml:3)" in found
    assert job.git("status", "--porcelain") == ""


def test_both_sides_may_add_files_to_one_data_set(host: Host) -> None:
    host.switch("main")
    host.dev.write("data/a.csv", people(20))
    host.dev.run("add", "data")
    host.dev.commit("a folder")
    host.publish()
    host.switch("add-c", start="main")
    for branch, name in (("main", "b.csv"), ("add-c", "c.csv")):
        host.switch(branch)
        host.dev.write(f"data/{name}", people(20))
        host.dev.run("add", "data")
        host.dev.commit(name)
        host.publish()
    job = host.clone("add-c")

    found = job.run("ci", "--base", "origin/main", "--merge").out

    assert "data/c.csv: pass" in found
    assert "2 files in them as before" in found  # the one from before, and the base's new one


def test_a_merge_that_conflicts_fails(host: Host) -> None:
    host.change({"people.csv": people(seed=2)})
    host.publish()
    host.switch("main")
    host.change({"people.csv": people(seed=3)})
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main", "--merge", code=1).out

    assert "people.csv.dvt does not merge with the base [merge-conflict]" in found


# -- large and odd data sets ---------------------------------------------------------------------


def test_of_a_folder_only_the_files_that_changed_are_fetched_and_judged(host: Host) -> None:
    host.switch("main")
    for name in ("a.csv", "b.csv", "c.csv"):
        host.dev.write(f"data/{name}", people(30, seed=ord(name[0])))
    host.dev.write("data/notes.txt", "text\n" * 1000)
    host.dev.run("add", "data")
    host.dev.commit("a folder")
    host.publish()
    host.switch("daily", start="main")
    host.dev.write("data/b.csv", people(31, seed=98))
    host.dev.write("data/d.csv", people(30, seed=100))
    host.dev.run("add", "data")
    host.dev.commit("another day")
    host.publish()

    found = host.clone("daily").run("ci", "--base", "origin/main", "--json").json

    sizes = [people(30, seed=98), people(31, seed=98), people(30, seed=100)]
    assert found["fetched"]["fetched_bytes"] == sum(len(one.encode()) for one in sizes)
    (judged,) = found["judgements"]
    assert [one["name"] for one in judged["tables"]] == ["data/b.csv", "data/d.csv"]
    assert found["settled"] == 3


def test_when_the_checks_of_a_folder_change_all_its_tables_are_judged(host: Host) -> None:
    host.switch("main")
    for name in ("a.csv", "b.csv"):
        host.dev.write(f"data/{name}", people(30))
    host.dev.run("add", "data")
    host.dev.write("data.checks.yaml", "tables:\n  '*.csv': {rows: {min: 10}}\n")
    host.dev.commit("a folder")
    host.publish()
    host.switch("stricter", start="main")
    host.dev.write("data.checks.yaml", "tables:\n  '*.csv': {rows: {min: 40}}\n")
    host.dev.commit("ask for more")
    host.publish()

    found = host.clone("stricter").run("ci", "--base", "origin/main", code=1).out

    assert "data/a.csv: fail" in found and "data/b.csv: fail" in found


def test_a_data_set_whose_list_of_files_lies_in_shards_is_judged_in_a_fresh_clone(
    host: Host,
) -> None:
    for number in range(20):
        host.dev.write(f"many/{number}.txt", f"{number}\n")
    host.dev.write("many/t.csv", people(30, n4="x"))
    host.dev.run("add", "--sharded", "many")
    host.dev.commit("many files")
    host.publish()

    found = host.clone("feature", depth=1).run("ci", "--base", "origin/main").out

    assert "1 commit since" in found
    assert "many/t.csv: warn" in found


def test_broken_text_in_a_commit_is_a_finding_with_its_line(host: Host) -> None:
    host.dev.write("people.csv.checks.yaml", "columns:\n  age: {tipe: int}\n")
    host.dev.write("other.csv.dvt", "garbage\n")
    host.dev.commit("broken")
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main", code=1).out

    assert "fail      other.csv.dvt:1 expected 'dvt: 1' [invalid-text]" in found
    assert "fail      people.csv.checks.yaml:2 unknown key tipe of a column [invalid-text]" in found
    assert "is gone" not in found


def test_data_sets_and_settings_that_go_away_are_told(host: Host) -> None:
    host.change({"people.csv.dvt": None, "people.csv.checks.yaml": None, ".dvtool": None})
    host.dev.git("push", "--quiet", "--no-verify", "origin", "HEAD")

    found = host.clone("feature").run("ci", "--base", "origin/main").out

    assert "warn      people.csv.dvt the data set is gone, and its checks with it" in found
    assert "warn      .dvtool the settings of the gate and its remotes would be gone" in found


def test_nothing_changed_is_nothing_judged(host: Host) -> None:
    found = host.clone("main").run("ci", "--base", "HEAD").out

    assert "0 commits since" in found
    assert "0 data sets changed, 2 unchanged; 0 blobs fetched" in found


SHORTER = CHECKS.replace("rows: {min: 10}", "rows: {change: '-10%..10%'}")


def test_an_exception_on_main_is_no_baseline_for_the_next_change(host: Host) -> None:
    host.switch("main")
    host.change({"people.csv.checks.yaml": SHORTER})
    host.dev.write("people.csv", people(90))
    host.dev.run("add", "people.csv")
    host.dev.run("allow", "people.csv", "--exception", "--reason", "half a day")
    host.dev.commit("half a day")
    host.publish()
    host.switch("next", start="main")
    host.change({"people.csv": people(205, seed=3)})
    host.publish()

    found = host.clone("next").run("ci", "--base", "origin/main", "--json").json

    (judged,) = found["judgements"]
    assert judged["verdict"] == "pass"
    first = host.dev.git("log", "--reverse", "--format=%H", "--", "people.csv.dvt").split()[0]
    assert judged["tables"][0]["baseline"]["name"] == f"people.csv@{first[:12]}"
    assert (
        judged["tables"][0]["baseline"]["why"]
        == "the latest accepted version on first-parent history"
    )


def test_the_bytes_of_a_reference_are_fetched_like_those_of_the_baseline(host: Host) -> None:
    host.switch("main")
    host.dev.git("tag", "v1")
    host.dev.git("push", "--quiet", "origin", "v1")
    host.change({"people.csv": people(seed=5)})
    host.publish()
    host.switch("next", start="main")
    drift = "  age: {drift: {wasserstein: 0.5}}\nreference: v1\n"
    host.change({"people.csv": people(seed=6), "people.csv.checks.yaml": f"columns:\n{drift}"})
    host.publish()

    found = host.clone("next").run("ci", "--base", "origin/main", "--json").json

    (judged,) = found["judgements"]
    v1 = host.dev.git("rev-parse", "v1")
    assert judged["tables"][0]["reference"]["name"] == f"people.csv@{v1[:12]}"
    assert judged["tables"][0]["findings"] == []


def test_verdicts_are_recorded_at_the_remote_on_request(host: Host) -> None:
    host.change({"people.csv": BAD})
    host.publish()

    found = host.clone("feature").run("ci", "--base", "origin/main", "--record", code=1).out

    assert "1 verdict recorded, 1 new at the remote" in found
    assert len(list((host.folder / "storage/data/verdicts").rglob("*.json"))) == 1
