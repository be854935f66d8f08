"""Checks answered from a profile agree with the same checks judged on the bytes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.from_profile import Answer, judge_profile
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.privacy import Privacy
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table

TABLE = "id,age,state,note\n" + "".join(
    f"{n},{'' if n % 10 == 9 else 20 + n % 40},{('KA', 'MH')[n % 2]},{'x' * (1 + n % 5)}\n"
    for n in range(400)
)


def ask(tmp_path: Path, checks: str, *, table: str = TABLE, before: int | None = None) -> Answer:
    """Returns the profile's answer, after comparing it with that of the bytes."""
    path = tmp_path / "t.csv"
    path.write_text(table)
    spec = parse_checks(checks, source="c.yaml").tables[0]
    privacy = {one.name: Privacy.PUBLIC for one in spec.columns if one.public}
    privacy |= {one.name: Privacy.PRIVATE for one in spec.columns if one.private}
    now = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)
    with Engine() as engine:
        opened = open_table(engine, path, name="t.csv", options=spec.read)
        profile = profile_table(engine, opened, privacy=privacy, label="", key=b"k", size_bytes=1)
        judged = evaluate(engine, opened, spec, source="c.yaml", limit=0, now=now)
    answer = judge_profile(profile, spec, name="t.csv", source="c.yaml", rows_before=before)
    told = {one.key for one in answer.findings}
    by_bytes = {one.key for one in judged if one.key not in answer.open}
    assert told - {"rows-change"} == by_bytes
    return answer


KNOWN = """\
columns:
  id: {type: int, min: 0, max: 500, mean: 0..400, std: '<= 200'}
  age: {type: int, min: 10, max: 70, nulls: '<= 10%', mean: 30..50, distinct: '<= 50'}
  state: {type: text, in: [KA, MH], length: 2, distinct: 2}
  note: {length: 1..5, nulls: 0}
rows: {min: 400, max: 400}
"""


def test_what_holds_is_known_to_hold_without_the_bytes(tmp_path: Path) -> None:
    assert ask(tmp_path, KNOWN) == Answer((), ())


@pytest.mark.parametrize(
    ("was", "now", "key", "said"),
    [
        ("max: 500", "max: 300", "id.max", "values above 300, such as 399"),
        ("min: 10", "min: 25", "age.min", "values below 25, such as 20"),
        ("'<= 10%'", "'<= 9%'", "age.nulls", "40 of 400 values missing, allowed at most 9%"),
        ("mean: 30..50", "mean: 50..60", "age.mean", "mean 39, allowed 50 to 60"),
        ("std: '<= 200'", "std: '<= 100'", "id.std", "std 115.6"),
        ("[KA, MH]", "[KA]", "state.in", "1 values that are not in the list, such as 'MH'"),
        ("length: 1..5", "length: 1..4", "note.length", "lengths from 1 to 5"),
        ("distinct: 2", "distinct: 3", "state.distinct", "2 different values"),
        ("{min: 400, max: 400}", "{min: 401}", "rows", "400 rows, allowed at least 401"),
        ("  note:", "  remark:", "remark.missing-column", "no column remark"),
    ],
)
def test_what_is_violated_is_said_with_the_figure(
    tmp_path: Path, was: str, now: str, key: str, said: str
) -> None:
    answer = ask(tmp_path, KNOWN.replace(was, now))

    (found,) = answer.findings
    assert found.key == key
    assert said in found.message
    assert str(found.rule).startswith("c.yaml:")


@pytest.mark.parametrize(
    ("checks", "unknown"),
    [
        ("columns: {state: {matches: '[A-Z]+'}}", ("state.matches",)),
        ("columns: {age: {median: 30..40, order: increasing}}", ("age.median", "age.order")),
        ("columns: {id: {type: text}}", ("id.type",)),
        ("columns: {note: {private: true, in: [x]}}", ("note.in",)),
        ("key: id", ("key",)),
        ("rules: [{sql: 'id >= 0'}]", ("rule",)),
        ("rows: {change: '-10%..10%'}", ("rows-change",)),
    ],
)
def test_what_a_profile_cannot_tell_is_named(
    tmp_path: Path, checks: str, unknown: tuple[str, ...]
) -> None:
    assert ask(tmp_path, checks) == Answer((), unknown)


def test_values_beyond_what_is_counted_exactly_are_left_open(tmp_path: Path) -> None:
    many = "id\n" + "".join(f"{n}\n" for n in range(1500))

    assert ask(tmp_path, "columns: {id: {unique: true}}", table=many).open == ("id.unique",)


def test_cells_that_are_no_numbers_leave_the_column_to_the_bytes(tmp_path: Path) -> None:
    odd = "id\n" + "".join(f"{n}\n" for n in range(900)) + "oops\n"
    answer = ask(tmp_path, "columns: {id: {type: int, nulls: 0, max: 5}}", table=odd)

    assert answer == Answer((), ("id.type", "id.nulls", "id.max"))


def test_the_change_of_rows_is_told_from_two_profiles(tmp_path: Path) -> None:
    checks = "rows: {change: '-10%..10%'}"

    assert ask(tmp_path, checks, before=390) == Answer((), ())
    (found,) = ask(tmp_path, checks, before=800).findings
    assert found.message == "800 rows became 400 (-50%), allowed -10% to 10%"
