"""Suggestions: from one version little, from many what they all kept, from trends nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dvtool.quality.checks.model import ChecksFile, ColumnSpec
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.writing import dump
from dvtool.quality.facts import facts_of
from dvtool.quality.findings import Verdict
from dvtool.quality.given import Given
from dvtool.quality.judging import judge_table
from dvtool.quality.kinds import Kind
from dvtool.quality.suggesting import Suggestion, suggest_table
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table


def batch(folder: Path, number: int, *, rows: int = 400, **spoilt: str) -> Path:
    """Writes one honest batch; `spoilt` replaces the value of a column in its fifth row."""
    draw = random.Random(number)
    lines = ["id,amount,total,city,note"]
    for row in range(rows):
        values = {
            "id": str(number * 10_000 + row),
            "amount": f"{draw.gauss(100, 15):.2f}",
            "total": str(number * 1_000 + row),
            "city": draw.choice(["Pune", "Delhi", "Agra"]),
            "note": "" if draw.random() < 0.1 else f"n{draw.randrange(10**6)}",
        }
        if row == 4:
            values |= spoilt
        lines.append(",".join(values.values()))
    path = folder / f"{number:03}{'-spoilt' if spoilt else ''}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def suggestion(paths: list[Path]) -> Suggestion:
    facts = []
    for path in paths:
        with Engine() as engine:
            facts.append(facts_of(engine, open_table(engine, path)))
    return suggest_table(facts)


def column(found: Suggestion, name: str) -> ColumnSpec:
    spec = found.spec.column(name)
    assert spec is not None
    return spec


def test_one_version_gives_types_nulls_keys_and_domains_and_no_bound(tmp_path: Path) -> None:
    found = suggestion([batch(tmp_path, 1)])

    assert found.spec.key == ("id",)
    assert column(found, "city").allowed == ("Agra", "Delhi", "Pune")
    assert column(found, "note").allowed == ()
    assert all(one.min is None and one.mean is None for one in found.spec.columns)
    assert column(found, "note").nulls is not None
    assert column(found, "note").nulls.holds_count(40, 400)


def test_every_line_has_its_reason(tmp_path: Path) -> None:
    found = suggestion([batch(tmp_path, 1)])

    assert {key[1] for key in found.reasons if key[0] == "columns"} == {
        one.name for one in found.spec.columns
    }
    text = dump(ChecksFile((found.spec,)), comments=found.reasons)
    assert parse_checks(text) == ChecksFile((found.spec,))


def test_many_versions_give_bounds_and_a_running_total_gets_none(tmp_path: Path) -> None:
    found = suggestion([batch(tmp_path, number) for number in range(12)])

    amount = column(found, "amount")
    assert amount.min is not None and amount.max is not None and amount.mean is not None
    assert column(found, "total").mean is None
    assert column(found, "id").max is None
    assert found.spec.rows is not None and found.spec.rows.min is not None
    assert 100 < found.spec.rows.min <= 400


def test_bounds_pass_the_next_honest_version_and_stop_a_spoilt_one(tmp_path: Path) -> None:
    spec = suggestion([batch(tmp_path, number) for number in range(12)]).spec

    def verdict(path: Path) -> Verdict:
        with Engine() as engine:
            return judge_table(engine, Given(path.name, path, spec, "x.checks.yaml")).verdict

    assert verdict(batch(tmp_path, 12)) is Verdict.PASS
    assert verdict(batch(tmp_path, 13, amount="10000")) is Verdict.FAIL
    assert verdict(batch(tmp_path, 14, city="pune")) is Verdict.FAIL
    assert verdict(batch(tmp_path, 15, id="")) is Verdict.FAIL
    assert verdict(batch(tmp_path, 16, rows=20)) is Verdict.FAIL


@pytest.mark.parametrize("rare", ["Goa"])
def test_a_value_seen_once_says_that_others_are_unseen(tmp_path: Path, rare: str) -> None:
    found = suggestion([batch(tmp_path, 1, city=rare)])

    assert column(found, "city").allowed == ()


def test_a_number_with_other_texts_among_is_suggested_as_text(tmp_path: Path) -> None:
    paths = []
    for number in range(4):
        path = tmp_path / f"{number}.csv"
        codes = [f"C{row}" if row % 50 == 7 else str(536_000 + row) for row in range(400)]
        path.write_text("invoice\n" + "\n".join(codes) + "\n")
        paths.append(path)

    found = suggestion(paths[:3])

    assert column(found, "invoice").type is Kind.TEXT
    assert "24 values in 3 versions are not int, so it is text" in str(found.reasons)
    with Engine() as engine:
        given = Given("3.csv", paths[3], spec=found.spec, source="c.yaml")
        assert judge_table(engine, given).verdict is not Verdict.FAIL
