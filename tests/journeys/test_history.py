"""Judging by history, as a person meets it: a folder of batches, a data set's own commits, a back-test."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from dvtool.ops import causes
from dvtool.store.profiles import unpacked
from tests.journeys.harness import Repo


def day(number: int, **spoilt: str) -> str:
    """Returns one day of a small CSV; `state="x"` puts a text into every fifth row."""
    draw = random.Random(number)
    lines = ["id,state,price"]
    for row in range(120):
        values = {
            "id": str(1000 * number + row),
            "state": draw.choice(["KA", "MH", "TN"]),
            "price": f"{draw.gauss(20, 2):.2f}",
        }
        if row % 5 == 0:
            values |= spoilt
        lines.append(",".join(values.values()))
    return "\n".join(lines) + "\n"


@pytest.fixture
def folder(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Repo:
    """A folder in no repository, with eight days of batches."""
    path = tmp_path / "plain"
    path.mkdir()
    made = Repo(path, capfd)
    for number in range(8):
        made.write(f"batches/{number}.csv", day(number))
    return made


def test_a_folder_of_batches_is_a_past(folder: Repo) -> None:
    folder.write("good.csv", day(8))
    folder.write("bad.csv", day(9, state="kaa"))

    good = folder.run("check", "good.csv", "--history", "batches")
    bad = folder.run("check", "bad.csv", "--history", "batches/*.csv", code=1)

    assert good.out.startswith("good.csv: pass")
    assert "state: 20.0% of the texts are in small letters, expected 0.0% to" in bad.out


def report(number: int) -> list[str]:
    """Returns one day's lines of forty shops, all of the same date."""
    draw = random.Random(number)
    lines = [f"2024-03-{number + 1:02},shop {shop},{draw.gauss(500, 50):.1f}" for shop in range(40)]
    return ["day,shop,sales", *lines]


def test_days_that_count_up_are_told_as_a_filled_series(folder: Repo) -> None:
    for number in range(8):
        folder.write(f"reports/{number}.csv", "\n".join(report(number)) + "\n")
    lines = report(8)
    for row in range(1, 21):
        lines[row] = f"2024-03-{8 + row:02}" + lines[row][10:]
    folder.write("bad.csv", "\n".join(lines) + "\n")

    alone = folder.run("check", "bad.csv", "--history", "reports", code=1)
    beside = folder.run(
        "check", "bad.csv", "--history", "reports", "--baseline", "reports/7.csv", code=1
    )

    for told in (alone.out, beside.out):
        assert told.count("[unlike-history]") == 1
        assert "likely: counts up by 1 day from row to row: rows 1 to 20" in told
        assert "[filled-series]" not in told


def test_shifted_columns_are_one_finding_beside_a_past_and_beside_a_baseline(folder: Repo) -> None:
    for number in range(8):
        lines = [f"{line},{'open' if row else 'state'}" for row, line in enumerate(report(number))]
        folder.write(f"states/{number}.csv", "\n".join(lines) + "\n")
    shifted = ["day,shop,sales,state", *(f",{line}" for line in report(8)[1:])]
    folder.write("bad.csv", "\n".join(shifted) + "\n")

    alone = folder.run("check", "bad.csv", "--history", "states", code=1)
    beside = folder.run("check", "bad.csv", "--baseline", "states/7.csv", code=1)

    for told in (alone.out, beside.out):
        assert "values stand 1 column too far right from day on, in all rows: shop holds" in told
        assert told.count("  fail  ") == 1
        assert "retyped" not in told


def test_an_alarm_of_few_rows_is_told_with_the_fault_that_their_values_show(folder: Repo) -> None:
    lines = report(8)
    for row in (5, 20, 33):
        *rest, sales = lines[row].split(",")
        lines[row] = ",".join([*rest, f"{1000 * float(sales):.1f}"])
    for number in range(8):
        folder.write(f"reports/{number}.csv", "\n".join(report(number)) + "\n")
    folder.write("bad.csv", "\n".join(lines) + "\n")

    for more in ((), ("--baseline", "reports/7.csv")):
        told = folder.run("check", "bad.csv", "--history", "reports", *more, code=1).out

        assert "bad.csv sales: " in told
        assert "hint: likely: multiplied by 1000, at least 7.5% of the rows" in told


def test_the_cause_of_an_alarm_is_found_without_opening_a_file_again(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        repo.write("reports.csv", "\n".join(report(number)) + "\n")
        repo.run("add", "reports.csv")
        repo.commit()
    lines = report(8)
    for row in (5, 20, 33):
        *rest, sales = lines[row].split(",")
        lines[row] = ",".join([*rest, f"{1000 * float(sales):.1f}"])
    repo.write("reports.csv", "\n".join(lines) + "\n")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("opened once more")

    monkeypatch.setattr(causes, "open_table", never)

    told = repo.run("check", "reports.csv").out

    assert "hint: likely: multiplied by 1000, at least 7.5% of the rows" in told


def orders(number: int, *, price: float = 20) -> str:
    """Returns a day whose order numbers go on where the day before ended, two rows an order."""
    draw = random.Random(number)
    rows = range(300 if number % 2 else 140)
    lines = [f"{150 * number + row // 2},{draw.gauss(price, 2):.2f}" for row in rows]
    return "order,price\n" + "\n".join(lines) + "\n"


def test_what_is_usual_here_is_no_warning_once_the_past_is_long_enough(folder: Repo) -> None:
    for number in range(14):
        for past in ("grown", "young")[: 1 + (number > 6)]:
            folder.write(f"{past}/{number:02}.csv", orders(number))
    folder.write("new.csv", orders(14))
    folder.write("dear.csv", orders(14, price=60))

    young = folder.run("check", "new.csv", "--history", "young", "--baseline", "grown/13.csv")
    usual = folder.run("check", "-v", "new.csv", "--history", "grown", "--baseline", "grown/13.csv")
    odd = folder.run(
        "check", "dear.csv", "--history", "grown", "--baseline", "grown/13.csv", code=1
    )

    assert "warn      new.csv order: drifted from the baseline" in young.out
    assert "warn      new.csv 140 rows, 160 (53%) fewer than grown/13.csv" in young.out
    assert usual.out.startswith("new.csv: pass")
    assert "note      new.csv order: drifted from the baseline" in usual.out
    assert "hint: within what the 14 versions before vary by" in usual.out
    assert "warn      dear.csv price: drifted from the baseline" in odd.out
    assert "drifted" not in odd.out.replace("price: drifted", "")


def test_lost_rows_are_told_once_by_the_cut_or_else_by_history(folder: Repo) -> None:
    for number in range(8, 14):
        folder.write(f"batches/{number:02}.csv", day(number))
    whole = day(14)
    folder.write("cut.csv", whole[: len(whole) // 3])
    folder.write("short.csv", "".join(whole.splitlines(keepends=True)[:40]))
    options = ("--history", "batches", "--baseline", "batches/13.csv")

    cut = folder.run("check", "-v", "cut.csv", *options, code=1).out
    short = folder.run("check", "short.csv", *options, code=1).out

    assert cut.count("  fail  ") == 1
    assert "[truncated]" in cut
    assert "hint: the file is cut off, which may explain it" in cut
    assert "the number of rows is 39, expected" in short
    assert "rows-lost" not in short


def test_no_past_at_a_path_is_said(folder: Repo) -> None:
    folder.write("good.csv", day(8))

    result = folder.run("check", "good.csv", "--history", "nowhere/*.csv", code=2)

    assert "error: no table at nowhere/*.csv" in result.err
    assert "hint:" in result.err


def test_a_young_past_says_what_would_decide_more(folder: Repo) -> None:
    folder.write("good.csv", day(8))
    folder.write("few/0.csv", day(0))

    result = folder.run("check", "good.csv", "--history", "few")

    assert "5 earlier versions, 1 is known" in result.out


def test_checks_say_from_how_many_versions_on_history_judges(folder: Repo) -> None:
    folder.write("bad.csv", day(9, state="kaa"))
    folder.write("bad.csv.checks.yaml", "key: [id]\nhistory: {min_versions: 9}\n")

    waiting = folder.run("check", "bad.csv", "--history", "batches")
    folder.write("bad.csv.checks.yaml", "key: [id]\nhistory: {min_versions: 8}\n")
    judging = folder.run("check", "bad.csv", "--history", "batches", code=1)

    assert "9 earlier versions, 8 are known" in waiting.out
    assert "small letters" in judging.out


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("false_alarm: 2%", "unknown key false_alarm of a history"),
        ("false_alarms: 30%", "false_alarms: expected a share above 0, at most 20%, found '30%'"),
        ("min_versions: 2", "min_versions: expected a whole number from 3 to 30, found '2'"),
    ],
)
def test_a_mistake_in_the_settings_of_history_is_told_with_its_line(
    folder: Repo, written: str, said: str
) -> None:
    folder.write("bad.csv", day(9))
    folder.write("bad.csv.checks.yaml", f"key: [id]\nhistory:\n  {written}\n")

    result = folder.run("check", "bad.csv", "--history", "batches", code=4)

    assert f"bad.csv.checks.yaml:3: {said}" in result.err
    assert ("did you mean false_alarms?" in result.err) == ("unknown" in said)


def test_a_backtest_tells_alarms_and_what_would_be_caught(folder: Repo) -> None:
    folder.write("batches/6.csv", day(6, price="0"))

    result = folder.run("check", "--backtest", "batches")

    assert result.out.startswith("1 of 3 versions would have alarmed:\n  6.csv  price: ")
    assert "30% missing" in result.out


def spoil_the_seventh_day(repo: Repo) -> None:
    """Commits six good days, and leaves a bad one on the disk."""
    for number in range(6):
        repo.write("days.csv", day(number))
        repo.run("add", "days.csv")
        repo.git("commit", "-qm", f"day {number}")
    repo.write("days.csv", day(6, state="kaa"))


def test_files_of_a_data_set_are_judged_by_a_past_that_is_named(repo: Repo) -> None:
    for number in range(8):
        repo.write(f"batches/{number}.csv", day(number))
    repo.write("data/good.csv", day(8))
    repo.write("data/bad.csv", day(9, state="kaa"))
    repo.run("add", "data")

    bad = repo.run("check", "data/bad.csv", "--history", "batches", code=1).out
    both = repo.run("check", "data", "--history", "batches", "--json", code=1).json

    assert "state: 20.0% of the texts are in small letters, expected 0.0% to" in bad
    assert "good.csv" not in bad
    tables = both["judgements"][0]["tables"]
    assert [(one["name"], one["verdict"]) for one in tables] == [
        ("data/bad.csv", "fail"),
        ("data/good.csv", "pass"),
    ]


def test_a_file_in_a_data_set_is_replayed_by_its_own_versions(repo: Repo) -> None:
    for number in range(7):
        repo.write("data/a.csv", day(number))
        repo.write("data/b.csv", day(number, state="kaa" if number == 6 else "KA"))
        repo.run("add", "data")
        repo.commit()

    calm = repo.run("check", "--backtest", "data/a.csv").out
    odd = repo.run("check", "--backtest", "data/b.csv").out
    whole = repo.run("check", "--backtest", "data", code=2).err

    assert calm.startswith("0 of 2 versions would have alarmed\n")
    assert odd.startswith("1 of 2 versions would have alarmed:\n")
    assert "error: data is a directory\n" in whole


def test_a_data_set_is_judged_by_its_own_versions_and_warned_at_first(repo: Repo) -> None:
    spoil_the_seventh_day(repo)

    result = repo.run("check", "days.csv")

    assert "warn" in result.out.splitlines()[0]
    assert "from 6 versions [unlike-history]" in result.out


def test_after_a_new_version_no_profile_of_an_older_one_is_read(repo: Repo) -> None:
    for number in range(7):
        repo.write("days.csv", day(number))
        repo.run("add", "days.csv")
        repo.run("check", "days.csv")
        repo.git("commit", "-qm", f"day {number}")
    shutil.rmtree(repo.path / ".git/dvtool/pasts")
    shutil.rmtree(repo.path / ".git/dvtool/profiles")
    shutil.rmtree(repo.path / ".git/dvtool/store")  # nothing is left to make a profile of
    repo.write("days.csv", day(7, state="kaa"))

    known = repo.run("check", "days.csv")
    for one in repo.path.glob(".git/dvtool/portraits/*/*.portrait.zst"):
        os.chmod(one, 0o644)
        one.write_bytes(b"damaged")
    shutil.rmtree(repo.path / ".git/dvtool/pasts")
    lost = repo.run("check", "days.csv")

    assert "from 7 versions [unlike-history]" in known.out
    assert "[unlike-history]" not in lost.out


def test_a_damaged_portrait_is_made_again_from_the_profile(repo: Repo) -> None:
    spoil_the_seventh_day(repo)
    first = repo.run("check", "days.csv")
    shutil.rmtree(repo.path / ".git/dvtool/pasts")
    kept = sorted(repo.path.glob(".git/dvtool/portraits/*/*.portrait.zst"))
    os.chmod(kept[0], 0o644)
    whole = kept[0].read_bytes()
    kept[0].write_bytes(whole[: len(whole) // 2])

    again = repo.run("check", "days.csv")

    assert len(kept) >= 6
    assert again.out == first.out
    assert unpacked(kept[0].read_bytes())


def test_a_clone_remembers_a_past_and_needs_no_profile_of_it_again(repo: Repo) -> None:
    spoil_the_seventh_day(repo)
    first = repo.run("check", "days.csv")
    (kept,) = repo.path.glob(".git/dvtool/pasts/*/*.past.zst")
    shutil.rmtree(repo.path / ".git/dvtool/profiles")
    shutil.rmtree(repo.path / ".git/dvtool/store")  # nothing is left to make a profile of
    shutil.rmtree(repo.path / ".git/dvtool/portraits")

    again = repo.run("check", "days.csv")
    os.chmod(kept, 0o644)
    kept.write_bytes(b"damaged")
    lost = repo.run("check", "days.csv")

    assert "from 6 versions [unlike-history]" in first.out
    assert "from 6 versions [unlike-history]" in again.out
    assert "[unlike-history]" not in lost.out
