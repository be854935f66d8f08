"""What the history gate says of good versions, of spoilt ones, and of short pasts."""

from __future__ import annotations

import numpy as np
import pytest

from dvtool.quality.findings import Severity
from dvtool.quality.history.judging import History, since_resets
from dvtool.quality.history.version import Version

from .conftest import sales


@pytest.fixture
def past(version):
    return [version(f"day {at}", sales(at)) for at in range(12)]


def failing(answer):
    return [one for one in answer.findings if one.severity is Severity.FAIL]


def test_the_next_good_days_are_accepted(version, past):
    history = History(past)

    answers = [history.judge(version("next", sales(at))) for at in (12,)]

    assert [failing(one) for one in answers] == [[]]
    assert history.is_proven


def test_faults_are_found_where_they_are(version, past):
    history = History(past)
    blamed = {}
    for name, (column, spoil) in FAULTS.items():
        columns = sales(12)
        columns[column] = spoil(columns[column])
        answer = history.judge(version("next", columns))
        blamed[name] = answer.columns[:2] if failing(answer) else ()

    assert {name: FAULTS[name][0] in found for name, found in blamed.items()} == dict.fromkeys(
        FAULTS, True
    )


def missing(values):
    return [None if at % 20 == 0 else one for at, one in enumerate(list(values))]


FAULTS = {
    "5 % missing": ("amount", missing),
    "another unit": ("price", lambda x: x * 100),
    "a few times 1000": ("price", lambda x: np.where(np.arange(len(x)) % 40 == 0, x * 1000, x)),
    "renamed": ("region", lambda x: ["West" if one == "west" else one for one in x]),
    "white space": ("kind", lambda x: [f"{one} " for one in x]),
    "on other rows": ("code", lambda x: np.roll(x, 7)),
    "a day late": ("day", lambda x: x + 1),
    "whole numbers became fractions": ("amount", lambda x: x / 2.54),
    "rounded": ("price", np.round),
}


def test_yesterdays_rows_under_todays_date_are_found(version, past):
    columns = sales(11)
    columns["day"] = sales(12)["day"]

    answer = History(past).judge(version("next", columns))

    assert "history-same-rows" in {one.code for one in failing(answer)}


def test_a_file_again_is_named_with_its_first_appearance(version, past):
    answer = History(past).judge(version("next", sales(4)))

    assert failing(answer)[0].message == "the rows are those of day 4 again"


def test_half_of_the_rows_lost_is_about_no_column(version, past):
    answer = History(past).judge(version("next", sales(12, rows=200)))

    assert any(one.figures.get("metric") == "rows" for one in failing(answer))


def test_a_finding_says_what_was_found_and_what_was_expected(version, past):
    columns = sales(12)
    columns["amount"] = missing(columns["amount"])

    (found,) = (
        one
        for one in failing(History(past).judge(version("next", columns)))
        if one.column == "amount"
    )

    assert found.message == "5.0% of the values are missing, expected 0.0% to 0.9% from 12 versions"
    assert found.hint == "likely: values got lost"
    assert found.figures["metric"] == "missing"
    assert found.figures["p"] < 1e-5


def test_fewer_than_five_versions_decide_nothing_but_breaks(version, past):
    history = History(past[:4])
    columns = sales(12)
    columns["price"] = columns["price"] * 100
    broken = sales(12)
    del broken["amount"]

    answer = history.judge(version("next", columns))
    assert not answer.is_decided
    assert not history.is_proven
    assert failing(answer) == []
    assert [one.code for one in failing(history.judge(version("next", broken)))] == [
        "history-column-removed"
    ]


def test_a_column_of_another_kind_is_a_break(version, past):
    columns = sales(12)
    columns["code"] = [str(one) + "x" for one in columns["code"]]

    answer = History(past).judge(version("next", columns))

    assert ("history-column-retyped", "code") in {(one.code, one.column) for one in answer.findings}


def test_a_new_normal_starts_the_history_of_its_columns_anew(version, past):
    columns = []
    for at in range(12, 18):
        day = sales(at)
        day["price"] = day["price"] * 100
        columns.append(day)
    later = [version(f"day {12 + at}", one) for at, one in enumerate(columns)]
    accepted = [*past, Version(later[0].name, later[0].profile, frozenset({"price"})), *later[1:5]]

    answer = History(accepted).judge(later[5])

    assert failing(answer) == []
    assert "price" not in since_resets(accepted)[3].columns
    assert "price" in since_resets(accepted)[12].columns


def test_private_values_are_never_told(tmp_path):
    from dvtool.quality.profile.compute import profile_table
    from dvtool.quality.profile.privacy import Privacy
    from dvtool.quality.tables.engine import Engine
    from dvtool.quality.tables.opening import open_table

    def made(at: int, word: str) -> Version:
        path = tmp_path / f"{at}{word}.csv"
        path.write_text("name,n\n" + "".join(f"{word}{i % 9},{i}\n" for i in range(60)), "utf-8")
        with Engine(scratch=tmp_path, threads=1) as engine:
            table = open_table(engine, path)
            return Version(str(at), profile_table(engine, table, privacy={"name": Privacy.PRIVATE}))

    answer = History([made(at, "ada") for at in range(6)]).judge(made(6, "grace-hopper"))

    told = [one for one in answer.findings if one.column == "name"]
    assert told  # lengths may be known, and they changed
    assert all("grace" not in f"{one.message}{one.figures}{one.hint}" for one in answer.findings)


def grown(at: int, *, spoilt: bool = False) -> dict[str, object]:
    """Returns a table that starts with 4,000 rows and gets 200 more each version."""
    rng = np.random.default_rng(3)
    rows = 4000 + 200 * at
    price = np.round(rng.normal(20, 4, 10_000), 2)[:rows]
    state = rng.choice(["open", "closed", "lost"], 10_000, p=[0.5, 0.4, 0.1])[:rows].tolist()
    if spoilt:
        # In 1 % and 0.5 % of all rows, a fifth and a tenth of the added ones.
        price[-200::5] = 0
        state[-200::10] = ["unknown"] * 20
    return {"id": np.arange(rows), "price": price, "state": state}


def test_added_rows_are_judged_by_themselves(version):
    history = History([version(f"v{at}", grown(at)) for at in range(10)])

    good = history.judge(version("next", grown(10)))
    bad = history.judge(version("next", grown(10, spoilt=True)))

    assert failing(good) == []
    assert {one.column for one in failing(bad)} == {"price", "state"}
    messages = [one.message for one in failing(bad)]
    assert any("in the added rows" in one or "of the added rows" in one for one in messages)


def test_dates_written_as_texts_are_as_many_witnesses_as_there_are_dates(version):
    """A month of two digits begins: half of the rows are longer, but they are four days."""

    def week(at):
        days = [(9, 3 + 7 * at + day) for day in range(7)] if at < 12 else []
        dates = [f"{month}/{day}/2024" for month, day in days]
        dates = dates or [
            *(f"9/{28 + day}/2024" for day in range(3)),
            *(f"10/{d}/2024" for d in range(1, 5)),
        ]
        rng = np.random.default_rng(at)
        return {"day": np.repeat(dates, 24).tolist(), "count": rng.poisson(40, 168)}

    past = History([version(str(at), week(at)) for at in range(12)])

    answer = past.judge(version("12", week(12)))

    assert [one.message for one in answer.findings if one.column == "day"] == []


def test_a_value_that_surges_now_and_then_may_surge_again(version):
    def day(at):
        rng = np.random.default_rng(at)
        age = rng.integers(0, 90, 150)
        if at in (7, 12, 16, 20):
            age[:60] = 3 + at  # a school class
        return {"age": age, "ward": rng.integers(0, 9, 150)}

    past = History([version(str(at), day(at)) for at in range(20)])
    quiet = History([version(str(at), day(at)) for at in range(20) if at not in (7, 12, 16)])

    assert past.judge(version("20", day(20))).findings == ()
    assert quiet.judge(version("20", day(20))).findings != ()


def test_a_flag_that_was_set_may_be_taken_back(version):
    def day(at):
        rng = np.random.default_rng(at)
        flag = np.full(200, int(at in (10, 11)))
        return {"holiday": flag, "count": rng.poisson(40, 200)}

    past = History([version(str(at), day(at)) for at in range(12)])

    assert past.judge(version("12", day(12))).findings == ()


def test_a_relation_that_was_perfect_may_have_a_row_in_another_place(version):
    def day(at):
        rng = np.random.default_rng(at)
        first = np.arange(150) + 7
        return {"place": rng.permutation(150), "size": first, "cost": 3 * first + 1}

    def moved(at, rows):
        found = day(at)
        cost = found["cost"].copy()
        cost[:rows] = np.random.default_rng(9).permutation(cost)[:rows]
        return {**found, "cost": cost}

    past = History([version(str(at), day(at)) for at in range(12)])

    def odd(one):
        found = past.judge(one).findings
        return [f for f in found if f.figures.get("metric") in ("rank-correlation", "carried-over")]

    assert odd(version("12", moved(12, 1))) == []
    assert past.judge(version("12", moved(12, 75))).findings != ()


def test_a_running_number_tells_the_order_of_rows_which_is_not_judged(version):
    def week(at: int, turned: int = 0) -> dict[str, object]:
        rng = np.random.default_rng(500 + at)
        hours = np.arange(168)
        return {
            "instant": np.arange(at * 168, at * 168 + 168) + 1,
            "weekday": ((hours // 24) + turned) % 7,
            "riders": rng.poisson(80 + hours % 24),
            "fee": np.round(rng.normal(3, 1, 168), 2),
        }

    history = History([version(f"week {at}", week(at)) for at in range(14)])

    # Since a storm took two days, a file of 168 hours begins in the middle of the week.
    assert failing(history.judge(version("next", week(14, turned=3)))) == []
    shifted = week(14) | {"instant": np.arange(168) + 5}
    assert failing(history.judge(version("next", shifted)))
