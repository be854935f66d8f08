"""The words and figures of a profile: moments as dates, unknowns as dashes, nothing private."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvtool.quality.kinds import Kind
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.model import Profile
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.report.profile_table import profile_facts, profile_lines, shown


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    path = tmp_path / "t.parquet"
    with Engine(scratch=tmp_path) as engine:
        engine.rows(
            f"""COPY (SELECT
                i AS number,
                CASE WHEN i % 4 = 0 THEN 'nan'::DOUBLE ELSE i / 2 END AS half,
                i % 4 = 0 AS quarter,
                TIMESTAMP '2024-02-29 12:00:00' + to_minutes(i) AS seen,
                TIME '08:00:00' + to_minutes(i) AS clock,
                repeat('x', i % 3 + 1) || chr(10) AS word,
                [1, 2] AS pair,
                NULL::INTEGER AS nothing,
                FROM range(8) AS t(i)) TO '{path}' (FORMAT parquet)"""
        )
        return profile_table(engine, open_table(engine, path))


def row(profile: Profile, name: str) -> list[str]:
    (line,) = [one for one in profile_lines(profile) if one.split()[0] == name]
    return line.split()


def test_each_kind_is_written_in_its_own_way(profile: Profile) -> None:
    assert row(profile, "number") == ["number", "int", "0", "8", "0", "3.5", "7"]
    assert row(profile, "quarter")[4:7] == ["-", "25.00%", "true"]
    assert row(profile, "seen")[4:6] == ["2024-02-29", "12:00:00"]
    assert row(profile, "clock")[4:7] == ["08:00:00", "08:03:30", "08:07:00"]
    assert row(profile, "pair")[-4:] == ["figures", "are", "those", "of", "lengths"][1:]
    assert row(profile, "nothing")[2:7] == ["8", "(100.00%)", "0", "-", "-"]


def test_values_stay_on_their_line(profile: Profile) -> None:
    lines = list(profile_lines(profile, verbose=True))

    assert not any("\n" in line for line in lines)
    assert any("x\ufffd 37.5%" in line for line in lines)


def test_facts_are_json_values_and_unknown_is_null(profile: Profile) -> None:
    found = {one["name"]: one for one in profile_facts(profile)["columns"]}

    assert found["seen"]["min"] == "2024-02-29T12:00:00"
    assert found["nothing"]["min"] is None
    assert found["nothing"]["mean"] is None
    assert found["half"]["not_finite"] == 2
    assert found["number"]["quantiles"]["0.5"] == 3


def test_a_column_named_private_shows_counts_only(profile: Profile) -> None:
    private = frozenset({"number", "word", "seen"})

    lines = list(profile_lines(profile, private=private, verbose=True))
    found = {one["name"]: one for one in profile_facts(profile, private=private)["columns"]}

    assert lines[1].split() == ["number", "int", "0", "-", "-", "-", "-", "private"]
    assert not any("2024" in line or "x\ufffd" in line for line in lines)
    assert set(found["word"]) == {"name", "kind", "privacy", "rows", "nulls", "unparsed"}


def test_a_table_without_columns_has_no_lines() -> None:
    assert list(profile_lines(Profile())) == []


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.DATE, 19782, "2024-02-29"),
        (Kind.DATE, 10**9, "1000000000"),
        (Kind.DATETIME, 10**20, "100000000000000000000"),
        (Kind.FLOAT, 0.1, "0.1"),
        (Kind.INT, 12345678, "12345678"),
        (Kind.INT, None, "-"),
        (Kind.FLOAT, float("inf"), "-"),
    ],
)
def test_a_number_is_written_as_its_kind_is(kind: Kind, value: float | None, text: str) -> None:
    assert shown(kind, value) == text
