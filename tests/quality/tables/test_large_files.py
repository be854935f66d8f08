"""Large CSV files are looked at before they are parsed, and kept as values: the same must come out."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.findings import Outcome
from dvtool.quality.given import Given
from dvtool.quality.judging import judge_table
from dvtool.quality.kinds import Kind
from dvtool.quality.profile.compute import profile_table
from dvtool.quality.profile.encode import encode
from dvtool.quality.tables import csvfile
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.sampling import write_sample
from dvtool.quality.tables.table import ROW, Table, Unreadable

WORDS = {
    "int": (
        "7",
        "-12",
        "+5",
        "0",
        "1000000",
        " 3",
        "007",
        "1_0",
        "9223372036854775808",
        "1e2",
        "-0",
    ),
    "float": ("1.5", "2", "-0.0", "1e3", "nan", "inf", ".5", "1.50", "99999999999999999999"),
    "date": (
        "2024-02-29",
        "2023-1-5",
        "2024/02/03",
        "0001-01-01",
        "2024-02-30",
        "12345-01-01",
        "infinity",
        "epoch",
    ),
    "moment": (
        "2024-02-29 10:11:12",
        "2024-02-29T10:11:12Z",
        "2024-01-01 00:00:00+02:00",
        "2024-02-29 10:11:12.5",
        "12345-01-01 00:00:00",
    ),
    "day": ("31/12/2024", "13/01/2024", "01/13/2024"),
    "clock": ("10:11:12", "9:05", "25:00:00", "24:00:00", "10:11:12.5"),
    "yes": ("true", "false", "TRUE", "yes", "t", "1"),
    "text": ("a", "A", "", "NA", "null", "x y", "1", "Zoë"),
}


def lines(seed: int, *, quoted: bool) -> str:
    """Returns a CSV whose columns are mostly of one kind, with spelling and faults of any."""
    draw = random.Random(seed)
    rows = [",".join(WORDS)]
    for number in range(400):
        cells = []
        for known in WORDS.values():
            odd = draw.random() < draw.choice((0.0, 0.02, 0.3))
            word = draw.choice(draw.choice(list(WORDS.values()))) if odd else draw.choice(known[:3])
            cells.append(f'"{word}"' if quoted and draw.random() < 0.2 else word)
        rows.append(",".join(cells))
        if number % 97 == 5:
            rows.append(rows[-1])
        if number % 150 == 7:
            rows.append("too,few")
    return "\n".join(rows) + "\n"


def read(path: Path) -> tuple[Table, list[object], list[object], bytes]:
    with Engine() as engine:
        table = open_table(engine, path, name="x.csv")
        typed = engine.rows(f'SELECT * FROM {table.source} ORDER BY "{ROW}"')
        texts = engine.rows(f'SELECT * FROM {table.raw} ORDER BY "{ROW}"')
        profile = encode(profile_table(engine, table))
    return table, [repr(row) for row in typed], list(texts), profile


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_large_file_is_read_as_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, quoted: bool, held: bool
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(lines(seed, quoted=quoted), encoding="utf-8")
    small, *expected = read(path)

    monkeypatch.setattr(csvfile, "LARGE_BYTES", 0)
    monkeypatch.setattr(Engine, "can_hold", lambda self, held_bytes: held)
    large, *found = read(path)

    assert found == expected
    assert large.findings == small.findings
    assert (large.columns, large.options, large.unparsed) == (
        small.columns,
        small.options,
        small.unparsed,
    )


def test_checks_say_the_same_of_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(lines(1, quoted=False), encoding="utf-8")
    text = "columns:\n  int: {type: int, nulls: 0}\n  day: {type: date}\n  text: {in: [a, A]}\n"
    (spec,) = parse_checks(text, source="x.yaml").tables

    def judged() -> list[str]:
        with Engine() as engine:
            given = Given("x.csv", path, spec=spec, source="x.yaml")
            return [repr(one) for one in judge_table(engine, given).findings]

    expected = judged()
    monkeypatch.setattr(csvfile, "LARGE_BYTES", 0)

    assert any("not int" in one for one in expected)
    assert judged() == expected


def test_values_are_kept_and_text_only_where_it_says_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvfile, "LARGE_BYTES", 0)
    path = tmp_path / "x.csv"
    path.write_text("n,d\n" + "1,2024-01-01\n" * 50 + "+1,2024-1-1\n", encoding="utf-8")

    with Engine() as engine:
        table = open_table(engine, path, name="x.csv")
        (stored,) = engine.rows("SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'csv%'")
        kept = engine.rows(f"SELECT count(t0), count(r0), count(t1), count(r1) FROM {stored[0]}")
        texts = engine.rows(f'SELECT n, d FROM {table.raw} WHERE "{ROW}" >= 50')

    assert kept == [(51, 1, 51, 1)]
    assert texts == [("1", "2024-01-01"), ("+1", "2024-1-1")]


def test_what_does_not_fit_a_half_of_the_memory_goes_to_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvfile, "LARGE_BYTES", 0)
    path = tmp_path / "x.csv"
    path.write_text("n,name\n" + "".join(f"{one},name {one}\n" for one in range(500_000)))
    size = path.stat().st_size  # 9 MB: twice that much half fits, thrice does not

    with Engine(memory_bytes=size * 7) as engine:
        limits = []
        for _ in range(3):
            open_table(engine, path, name="x.csv")
            limits.append(engine.rows("SELECT current_setting('memory_limit')"))
        views = engine.rows("SELECT view_name FROM duckdb_views() WHERE view_name LIKE 'csv%'")
        tables = engine.rows("SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'csv%'")
        kept = [
            engine.rows(f"SELECT count(*), sum(t0), bool_and(rowid = t0) FROM {one}")
            for (one,) in views + tables
        ]

    assert (len(views), len(tables)) == (2, 1)
    assert limits[0] != limits[1] == limits[2]
    assert kept == [[(500_000, 124_999_750_000, True)]] * 3


def test_a_sample_is_whole_lines_from_all_over_the_file(tmp_path: Path) -> None:
    path, target = tmp_path / "x.csv", tmp_path / "sample"
    path.write_text("".join(f"{number},row\n" for number in range(200_000)))

    write_sample(path, target, skip=1)

    found = [int(line.removesuffix(",row")) for line in target.read_text().splitlines()]
    assert found == sorted(set(found))
    assert 18_000 <= len(found) <= 20_000
    assert found[0] == 1
    assert all(
        any(start <= one < start + 10_000 for one in found) for start in range(0, 200_000, 10_000)
    )


def test_a_large_file_is_read_in_a_tenth_of_a_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,name\n" + "".join(f"{one},name {one}\n" for one in range(600_000)))

    with Engine(memory_bytes=100 << 20) as engine:
        table = open_table(engine, path, name="x.csv")

    assert path.stat().st_size > csvfile.LARGE_BYTES
    assert table.rows == 600_000


def wide(path: Path, columns: int, rows: int) -> Path:
    head = ",".join(f"c{one}" for one in range(columns))
    lines = (",".join(str(row * one % 7) for one in range(columns)) for row in range(rows))
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


def test_a_table_of_many_columns_gets_the_memory_it_needs(tmp_path: Path) -> None:
    path = wide(tmp_path / "x.csv", columns=1200, rows=12)

    with Engine() as engine:
        table = open_table(engine, path, name="x.csv")

    assert [one.kind for one in table.columns] == [Kind.INT] * 1200
    assert table.rows == 12
    constant = [one.column for one in table.findings if one.code == "constant-column"]
    assert constant == [f"c{one}" for one in range(0, 1200, 7)]


def test_too_little_memory_is_undecided_and_says_how_much_there_was(tmp_path: Path) -> None:
    path = wide(tmp_path / "x.csv", columns=1200, rows=9)

    with Engine(memory_bytes=16 << 20) as engine, pytest.raises(Unreadable) as raised:
        open_table(engine, path, name="x.csv")

    (found,) = raised.value.findings
    assert (found.code, found.outcome) == ("too-large", Outcome.UNDECIDED)
    assert "the 16 MiB that the engine may take" in found.message


def test_the_engine_holds_less_while_others_work_on_what_it_hands_out() -> None:
    with Engine(memory_bytes=500 << 20) as engine:
        before = engine.rows("SELECT current_setting('memory_limit')")
        with engine.handing_out():
            during = engine.rows("SELECT current_setting('memory_limit')")
        after = engine.rows("SELECT current_setting('memory_limit')")

    assert (before, during, after) == ([("500.0 MiB",)], [("300.0 MiB",)], [("500.0 MiB",)])


def test_json_lines_are_read_in_a_tenth_of_a_gigabyte(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    rest = ', "note": "' + "word " * 20 + '"'
    with path.open("w") as file:
        for one in range(100_000):
            late = ', "late": 1' if one % 7 == 3 else ""
            file.write(f'{{"id": {one}, "name": "name {one}"{rest}{late}}}\n')

    with Engine(memory_bytes=96 << 20) as engine:
        table = open_table(engine, path, name="x.jsonl")
        (found,) = engine.rows(f"SELECT count(id), sum(id), count(late) FROM {table.source}")

    assert [one.name for one in table.columns] == ["id", "name", "note", "late"]
    assert found == (100_000, 4_999_950_000, 14_286)
