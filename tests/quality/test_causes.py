"""A finding is told where its violations come from; none is lost, and nothing private is named."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvtool.quality.causes import with_causes
from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.findings import Finding
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Table

SOURCE = "t.csv.checks.yaml"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(scratch=tmp_path) as made:
        yield made


def judged(engine: Engine, folder: Path, checks: str) -> tuple[list[Finding], list[Finding]]:
    """Returns findings before and after; rows 1 to 100 of 2,000, all from TN, are spoilt."""
    draw = random.Random(2)
    path = folder / "t.csv"
    lines = ["id,state,age,code"]
    for row in range(2000):
        is_bad = row < 100
        state = "TN" if is_bad else draw.choice(["KA", "MH"])
        age = ["", "900", "-5"][row % 3] if is_bad else str(draw.randrange(18, 90))
        lines.append(f"{row},{state},{age},{'??' if is_bad else 'A1'}")
    path.write_text("\n".join(lines) + "\n")
    table = open_table(engine, path, name="t.csv")
    (spec,) = parse_checks(checks, source=SOURCE).tables
    before = evaluate(engine, table, spec, source=SOURCE)
    return before, with_causes(engine, table, spec, before, source=SOURCE)


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ("age: {nulls: 0}", "nulls"),
        ("age: {nulls: '<= 1%'}", "nulls"),
        ("age: {min: 0}", "min"),
        ("age: {max: 120}", "max"),
        ("age: {mean: 40..60}", "mean"),
        ("code: {matches: '[A-Z][0-9]'}", "matches"),
        ("code: {in: [A1]}", "in"),
    ],
)
def test_each_kind_of_finding_gets_its_slice(
    engine: Engine, tmp_path: Path, column: str, code: str
) -> None:
    before, after = judged(engine, tmp_path, f"columns:\n  {column}\n")

    (finding,) = after
    assert finding.key.endswith(f".{before[0].code}")
    assert finding.figures["slice"]["support"] == 0.05
    assert "state = 'TN'" in finding.hint


def test_a_rule_in_sql_gets_its_slice(engine: Engine, tmp_path: Path) -> None:
    _, (finding,) = judged(engine, tmp_path, "rules: [{sql: 'age >= 0 and age < 120'}]\n")

    assert finding.hint.endswith("lie in state = 'TN' (5% of rows)")


def test_nothing_private_is_named(engine: Engine, tmp_path: Path) -> None:
    checks = "columns:\n  state: {private: true}\n  code: {private: true, in: [A1]}\n"

    _, (finding,) = judged(engine, tmp_path, checks)

    assert finding.hint == "all violations lie in rows 1 to 100 (5% of rows)"


def test_findings_without_a_condition_stay_as_they_are(engine: Engine, tmp_path: Path) -> None:
    before, after = judged(
        engine, tmp_path, "columns:\n  gone: {type: int}\n  state: {distinct: '>= 9'}\n"
    )

    assert len(before) == 2
    assert after == before


@pytest.mark.parametrize(("every", "told"), [(10, True), (200, False)])
def test_enough_violations_that_no_slice_explains_are_spread_evenly(
    engine: Engine, tmp_path: Path, every: int, told: bool
) -> None:
    draw = random.Random(4)
    path = tmp_path / "even.csv"
    rows = [
        f"{row},{draw.choice('ABC')},{'' if draw.randrange(every) == 0 else draw.randrange(90)}"
        for row in range(1000)
    ]
    path.write_text("\n".join(["id,state,age", *rows]) + "\n")
    table = open_table(engine, path, name="even.csv")
    (spec,) = parse_checks("columns: {age: {nulls: 0}}", source=SOURCE).tables

    (found,) = with_causes(
        engine, table, spec, evaluate(engine, table, spec, source=SOURCE), source=SOURCE
    )

    assert found.hint.startswith("spread evenly") is told
    assert "slice" not in found.figures


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("age: {median: 0..40}", "spread over the whole table: it fails without any of "),
        ("age: {std: '<= 40'}", "without state = 'TN' (5% of rows) it would be 20.79 and pass"),
        ("state: {shares: {TN: 0%..2%}}", "without code = '??' (5% of rows) it would pass"),
        ("age: {mean: 0..1}", "spread over the whole table: it fails without any of "),
    ],
)
def test_each_statistic_says_where_it_comes_from(
    engine: Engine, tmp_path: Path, column: str, said: str
) -> None:
    _, (finding,) = judged(engine, tmp_path, f"columns:\n  {column}\n")

    assert finding.hint.startswith(said)
    assert ("slice" in finding.figures) is not ("spread" in finding.figures)


def test_a_private_figure_is_not_told_without_its_slice(engine: Engine, tmp_path: Path) -> None:
    _, (finding,) = judged(engine, tmp_path, "columns:\n  age: {mean: 40..60, private: true}\n")

    assert finding.hint == "without state = 'TN' (5% of rows) it would pass"


def test_a_batch_that_came_twice_is_placed(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,v\n" + "".join(f"{one % 950},{one % 7}\n" for one in range(1000)))
    table = open_table(engine, path, name="t.csv")
    (spec,) = parse_checks("key: [id]", source=SOURCE).tables

    (found,) = with_causes(
        engine, table, spec, evaluate(engine, table, spec, source=SOURCE), source=SOURCE
    )

    assert found.message.startswith("100 of 1000 rows share their key")
    assert found.hint == "all violations lie in rows 951 to 1,000 (5% of rows)"


def test_one_figure_that_cannot_be_summed_does_not_hide_the_causes_of_others(
    engine: Engine, tmp_path: Path
) -> None:
    checks = (
        "columns: {age: {max: 120}}\nrules: [{sql: '1 / (id - 5) < 2 and cast(code as int) > 0'}]\n"
    )

    _, found = judged(engine, tmp_path, checks)

    hints = {one.code: one.hint for one in found}
    assert hints["max"] == "all violations lie in state = 'TN' (5% of rows)"
    assert hints["rule"] == ""


def test_the_table_is_read_once_however_many_findings_are_explained(
    engine: Engine, tmp_path: Path
) -> None:
    checks = "columns: {age: {max: 120, min: 0, nulls: 0, std: '<= 40', mean: 40..60}}\n"
    before, _ = judged(engine, tmp_path, checks)
    table = open_table(engine, tmp_path / "t.csv", name="t.csv")
    (spec,) = parse_checks(checks, source=SOURCE).tables
    asked: list[str] = []
    rows = engine.rows
    engine.rows = lambda sql, *more: (asked.append(sql), rows(sql, *more))[1]  # type: ignore[method-assign]

    found = with_causes(engine, table, spec, before, source=SOURCE)

    assert [bool(one.hint) for one in found] == [True] * 5
    assert sum("GROUPING SETS" in one for one in asked) == 1
    assert len(asked) == 3  # which parts there are, the mean, and all sums


def explained(engine: Engine, folder: Path, rows: list[str], checks: str) -> Finding:
    """Returns the one finding of a table; other tables are files of the folder."""

    def table_of(path: str) -> Table:
        return open_table(engine, folder / path, name=path)

    path = folder / "t.csv"
    path.write_text("\n".join(rows) + "\n")
    table = open_table(engine, path, name="t.csv")
    (spec,) = parse_checks(checks, source=SOURCE).tables
    found = evaluate(engine, table, spec, source=SOURCE, table_of=table_of)
    (one,) = with_causes(engine, table, spec, found, source=SOURCE, table_of=table_of)
    return one


@pytest.mark.parametrize("known", ["id\n0\n1\n2\n", "id\nU0\n0\n1\n2\n"])
def test_values_that_another_table_lacks_are_placed(
    engine: Engine, tmp_path: Path, known: str
) -> None:
    (tmp_path / "users.csv").write_text(known)
    rows = [f"{'XYZ'[at % 3]},{7 if at % 3 == 2 and at > 500 else at % 3}" for at in range(1000)]

    found = explained(
        engine, tmp_path, ["shop,user", *rows, "X,"], "columns: {user: {in_table: 'users.csv:id'}}"
    )

    assert found.message == "166 values do not occur in users.csv, column id"
    assert found.hint == "all violations lie in shop = 'Z' (33.3% of rows)"


def clocks(late: int, *, rows: int = 1000) -> list[str]:
    """Returns rows of three devices in turn, of which the clock of C is off."""
    return [
        "device,at",
        *(f"{'ABC'[at % 3]},{at + (late if at % 3 == 2 else 0)}" for at in range(rows)),
    ]


@pytest.mark.parametrize("late", [-50, 50])
def test_order_is_broken_by_the_part_that_is_late_and_by_the_one_that_is_early(
    engine: Engine, tmp_path: Path, late: int
) -> None:
    found = explained(engine, tmp_path, clocks(late), "columns: {at: {order: increasing}}")

    assert found.message.endswith("of 1000 values are not increasing")
    assert found.hint == "without device = 'C' (33.3% of rows) it would pass"


@pytest.mark.parametrize(
    ("order", "sign", "ties"),
    [("increasing", 1, 1), ("strictly-decreasing", -1, 1), ("strictly-increasing", 1, 0)],
)
def test_an_old_batch_in_between_is_placed_though_it_breaks_order_only_once(
    engine: Engine, tmp_path: Path, order: str, sign: int, ties: int
) -> None:
    rows = [at - 800 * ties if 900 <= at < 950 else at for at in range(1000)]
    if not ties:
        rows[900:950] = [899] * 50
    checks = f"columns: {{v: {{order: {order}}}}}"

    found = explained(engine, tmp_path, ["v,w", *(f"{sign * one},x" for one in rows)], checks)

    assert found.message == f"{1 if ties else 50} of 1000 values are not {order.replace('-', ' ')}"
    assert found.hint == "without rows 901 to 950 (5% of rows) it would pass"


def test_a_shuffled_column_is_spread_evenly(engine: Engine, tmp_path: Path) -> None:
    values = list(range(1000))
    random.Random(1).shuffle(values)

    found = explained(
        engine,
        tmp_path,
        ["v,w", *(f"{one},x" for one in values)],
        "columns: {v: {order: increasing}}",
    )

    assert found.hint.startswith("spread evenly: none of ")
