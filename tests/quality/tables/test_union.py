"""Several files as one table: rows stacked, columns by name, kinds agreed on, places in files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.members import Member, Members
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.table import Table, Unreadable
from dvtool.quality.tables.union import narrowed
from dvtool.quality.tables.union_findings import located

Unite = Callable[..., Table]


@pytest.fixture
def unite(engine: Engine, tmp_path: Path) -> Unite:
    """Writes files and opens them as one table called `all`."""

    def write_and_open(options: ReadOptions | None = None, **files: str | bytes) -> Table:
        members = []
        for stem, text in files.items():
            name = stem.replace("__", ".")
            path = tmp_path / name
            data = text if isinstance(text, bytes) else text.encode()
            path.write_bytes(data)
            members.append(Member(name, f"d/{name}", path, hashlib.sha256(data).hexdigest()))
        return open_table(engine, Members(tuple(members)), name="all", options=options)

    return write_and_open


def rows_of(engine: Engine, table: Table) -> list[tuple[object, ...]]:
    names = ", ".join(f'"{one.name}"' for one in table.columns)
    return engine.rows(f"SELECT {names} FROM {table.source} ORDER BY __row")


def by_code(table: Table, code: str) -> list[Finding]:
    return [one for one in table.findings if one.code == code]


def test_rows_of_all_files_stand_one_after_the_other(engine: Engine, unite: Unite) -> None:
    table = unite(a__csv="x,y\n1,a\n2,b\n", b__csv="x,y\n3,c\n", c__csv="x,y\n4,d\n5,e\n")

    assert table.rows == 5 and [one.first for one in table.members] == [0, 2, 3]
    assert rows_of(engine, table) == [(1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e")]
    assert engine.rows(f"SELECT list(__row ORDER BY __row) FROM {table.source}") == [
        ([1, 2, 3, 4, 5],)
    ]


def test_columns_meet_by_name_whatever_their_order(engine: Engine, unite: Unite) -> None:
    table = unite(a__csv="x,y\n1,a\n", b__csv="y,x\nb,2\n")

    assert rows_of(engine, table) == [(1, "a"), (2, "b")] and not table.findings


def test_a_column_that_only_later_files_have_was_added_and_is_missing_before(
    engine: Engine, unite: Unite
) -> None:
    table = unite(a__csv="x\n1\n", b__csv="x\n2\n", c__csv="x,tax\n3,7\n")

    (found,) = by_code(table, "columns-differ")

    assert found.severity is Severity.WARN and found.column == "tax"
    assert found.message == "no such column in 2 of 3 files (d/a.csv, d/b.csv)"
    assert rows_of(engine, table) == [(1, None), (2, None), (3, 7)]


def test_a_column_that_a_later_file_lacks_is_a_failure(unite: Unite) -> None:
    (found,) = by_code(unite(a__csv="x,y\n1,5\n", b__csv="x\n2\n"), "columns-differ")

    assert found.severity is Severity.FAIL and found.column == "y"


def test_names_that_differ_by_case_are_one_column_and_told(engine: Engine, unite: Unite) -> None:
    table = unite(a__csv="id,y\n1,5\n", b__csv="ID,y\n2,6\n")

    assert [one.name for one in table.columns] == ["id", "y"]
    assert rows_of(engine, table) == [(1, 5), (2, 6)]
    assert [one.message for one in by_code(table, "columns-differ")] == [
        "spelled ID in 1 of 2 files (d/b.csv)"
    ]


def test_whole_numbers_and_decimals_are_decimals_together(engine: Engine, unite: Unite) -> None:
    table = unite(a__csv="x\n1\n2\n", b__csv="x\n2.5\n")

    assert [one.kind for one in table.columns] == [Kind.FLOAT]
    assert rows_of(engine, table) == [(1.0,), (2.0,), (2.5,)]


def test_days_and_moments_are_moments_together(engine: Engine, unite: Unite) -> None:
    table = unite(a__csv="at,n\n2026-01-01,1\n", b__csv="at,n\n2026-01-02 10:30:00,2\n")

    assert [one.kind for one in table.columns] == [Kind.DATETIME, Kind.INT]
    assert [str(row[0]) for row in rows_of(engine, table)] == [
        "2026-01-01 00:00:00",
        "2026-01-02 10:30:00",
    ]


def test_a_few_odd_values_of_one_file_do_not_make_a_column_text(
    engine: Engine, unite: Unite
) -> None:
    many = "x\n" + "".join(f"{n}\n" for n in range(200))
    table = unite(a__csv=many, b__csv="x\n7\nseven\n")

    (found,) = located(engine, table, by_code(table, "mixed-types"))

    assert [one.kind for one in table.columns] == [Kind.INT]
    assert found.severity is Severity.WARN and str(found.place) == "d/b.csv:3"
    assert found.message == "1 of 202 values not int, read as missing"
    assert table.unparsed == {"x": 1}
    assert rows_of(engine, table)[-2:] == [(7,), (None,)]


def test_a_file_that_is_read_alone_is_read_again_as_the_kind_of_the_others(
    engine: Engine, unite: Unite
) -> None:
    many = "x,y\n" + "".join(f"{n},a\n" for n in range(200))
    table = unite(a__csv=many, b__csv="y,x\nb,7\nb,seven\n")

    (found,) = by_code(table, "mixed-types")

    assert [one.kind for one in table.columns] == [Kind.INT, Kind.TEXT]
    assert found.severity is Severity.WARN and str(found.place) == "d/b.csv:3"
    assert found.message == "1 of 2 values not int, read as missing"
    assert table.unparsed == {"x": 1, "y": 0}
    assert rows_of(engine, table)[-2:] == [(7, "b"), (None, "b")]


def test_a_column_of_which_too_much_is_other_is_text_in_all_files_as_written(
    engine: Engine, unite: Unite
) -> None:
    table = unite(a__csv="x\n007.50\n2\n1.50\n", b__csv="x\nred\nblue\n")

    (found,) = by_code(table, "mixed-types")

    assert [one.kind for one in table.columns] == [Kind.TEXT]
    assert rows_of(engine, table) == [("007.50",), ("2",), ("1.50",), ("red",), ("blue",)]
    assert "text in 1 of 2 files (d/b.csv)" in found.message


def test_a_file_without_a_value_of_a_column_says_nothing_about_its_kind(
    engine: Engine, unite: Unite
) -> None:
    table = unite(a__csv="k,x\n1,5\n2,6\n", b__csv="k,x\n3,\n4,\n")

    assert [one.kind for one in table.columns] == [Kind.INT, Kind.INT]
    assert rows_of(engine, table) == [(1, 5), (2, 6), (3, None), (4, None)]
    assert not table.findings


def test_files_without_rows_warn_and_files_that_are_no_table_fail(unite: Unite) -> None:
    table = unite(a__csv="x\n1\n", b__csv="x\n", c__csv=b"PK\x03\x04\x00\xff\xfe" * 9, d__csv="")

    told = {str(one.place): (one.code, one.severity) for one in table.findings}

    assert table.rows == 1
    assert told["d/b.csv:1"] == ("header-only", Severity.WARN)
    assert told["d/c.csv"] == ("not-a-table", Severity.FAIL)
    assert told["d/d.csv"] == ("empty-file", Severity.FAIL)


def test_without_a_single_table_there_is_none(unite: Unite) -> None:
    with pytest.raises(Unreadable) as caught:
        unite(a__csv="", b__csv="")

    assert [str(one.place) for one in caught.value.findings] == ["d/a.csv", "d/b.csv"]


def test_a_file_delivered_twice_is_told_with_the_first_one(unite: Unite) -> None:
    (found,) = by_code(unite(a__csv="x\n1\n", b__csv="x\n2\n", c__csv="x\n1\n"), "repeated-file")

    assert str(found.place) == "d/c.csv" and "the same as d/a.csv" in found.message


def test_rows_that_come_again_in_another_file_are_repeated(unite: Unite) -> None:
    table = unite(a__csv="x,y\n1,a\n2,b\n", b__csv="x,y\n3,c\n1,a\n")

    (found,) = by_code(table, "duplicate-rows")

    assert found.figures["rows"] == 1


def test_what_is_constant_in_a_file_is_no_matter_unless_it_is_in_all(unite: Unite) -> None:
    one = "day,n\n" + "".join(f"mon,{n}\n" for n in range(20))
    other = one.replace("mon", "tue")

    assert not by_code(unite(a__csv=one, b__csv=other), "constant-column")
    found = by_code(unite(a__csv=one, b__csv=one + "mon,99\n"), "constant-column")
    assert [finding.column for finding in found] == ["day"]


def test_rows_are_told_by_file_and_line(engine: Engine, unite: Unite) -> None:
    table = unite(a__csv="x,y\n1,a\n2,b\n", b__csv='x,y\n3,"c\nc"\n1,a\n')
    found = located(engine, table, table.findings)

    (repeated,) = [one for one in found if one.code == "duplicate-rows"]

    assert str(repeated.place) == "d/b.csv:4" and repeated.place.row == 2
    assert [str(one.place) for one in repeated.examples] == ["d/b.csv:4"]


def test_files_written_in_different_ways_are_each_read_and_told(
    engine: Engine, unite: Unite
) -> None:
    table = unite(a__csv="x,y\n1,a\n2,b\n", b__csv="x;y\n3;c\n4;d\n")

    (found,) = by_code(table, "read-differently")

    assert rows_of(engine, table) == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]
    assert found.message == "read with delimiter ',', and otherwise in 1 of 2 files (d/b.csv)"


def test_what_several_files_have_alike_is_one_finding(unite: Unite) -> None:
    ragged = "x,y\n1,a\n2\n3,c\n"
    table = unite(
        a__csv=ragged, b__csv=ragged + "4,d\n", c__csv=ragged + "5,e\n", d__csv=ragged + "6,f\n",
        e__csv=ragged + "7,g\n"
    )  # fmt: skip

    (found,) = by_code(table, "ragged-rows")

    assert "the same in 4 other files: d/b.csv, d/c.csv, d/d.csv and 1 more" in found.message


def test_formats_may_differ_from_file_to_file(engine: Engine, unite: Unite, tmp_path: Path) -> None:
    pa.parquet.write_table(pa.table({"x": [3], "y": ["c"]}), tmp_path / "p.parquet")
    table = unite(a__csv="x,y\n1,a\n", b__jsonl='{"x": 2, "y": "b"}\n',
                  c__parquet=(tmp_path / "p.parquet").read_bytes())  # fmt: skip

    assert rows_of(engine, table) == [(1, "a"), (2, "b"), (3, "c")]


def test_types_of_parquet_that_differ_become_text_with_a_finding(
    engine: Engine, unite: Unite, tmp_path: Path
) -> None:
    files = {}
    for stem, values in (("a", [1, 2]), ("b", ["x", "y"])):
        pa.parquet.write_table(pa.table({"v": values}), tmp_path / "p.parquet")
        files[f"{stem}__parquet"] = (tmp_path / "p.parquet").read_bytes()
    table = unite(**files)

    assert rows_of(engine, table) == [("1",), ("2",), ("x",), ("y",)]
    assert [one.column for one in by_code(table, "mixed-types")] == ["v"]


def test_a_damaged_file_of_parquet_is_told_and_the_others_are_read(
    engine: Engine, unite: Unite, tmp_path: Path
) -> None:
    pa.parquet.write_table(pa.table({"v": list(range(9000))}), tmp_path / "p.parquet")
    good = (tmp_path / "p.parquet").read_bytes()
    bad = good[:200] + b"\xff" * 400 + good[600:]
    table = unite(a__parquet=good, b__parquet=bad)

    (found,) = by_code(table, "unreadable")
    assert str(found.place) == "d/b.parquet" and table.rows == 9000


def test_what_is_constant_in_a_file_of_parquet_is_no_matter(unite: Unite, tmp_path: Path) -> None:
    files = {}
    for stem in "ab":
        rows = pa.table({"day": [stem] * 20, "n": list(range(20))})
        pa.parquet.write_table(rows, tmp_path / "p.parquet")
        files[f"{stem}__parquet"] = (tmp_path / "p.parquet").read_bytes()

    assert not by_code(unite(**files), "constant-column")


def test_some_of_the_files_keep_their_numbers(engine: Engine, unite: Unite) -> None:
    table = unite(a__csv="x\n1\n2\n", b__csv="x\n3\n", c__csv="x\n4\n")
    some = narrowed(engine, table, {"b.csv", "c.csv"})

    assert some.rows == 2
    assert engine.rows(f"SELECT __row, x FROM {some.source} ORDER BY 1") == [(3, 3), (4, 4)]
    assert narrowed(engine, table, set()).rows == 0


def test_many_small_files_are_copied_once_and_mean_the_same(engine: Engine, unite: Unite) -> None:
    files = {f"f{n:03}__csv": f"x,y\n{n},a\n{n},b\n" for n in range(20)}
    table = unite(**files)

    assert table.rows == 40 and len(rows_of(engine, table)) == 40
    assert rows_of(engine, table)[21] == (10, "b")
    assert engine.rows(f"SELECT y FROM {table.raw} WHERE __row = 22") == [("b",)]


def many(**odd: str) -> dict[str, str]:
    """Returns twenty files of three rows; `f07="…"` replaces one."""
    files = {f"f{n:02}": f"x,y\n{n},a\n{n + 100},b\n{n + 200},c\n" for n in range(20)}
    return {f"{stem}__csv": text for stem, text in (files | odd).items()}


def test_an_odd_value_in_one_of_many_files_is_told_by_file_and_line(
    engine: Engine, unite: Unite
) -> None:
    table = unite(**many(f07="x,y\n7,a\nseven,b\n"))
    (found,) = by_code(table, "mixed-types")
    (told,) = located(engine, table, [found])

    assert [one.kind for one in table.columns] == [Kind.INT, Kind.TEXT]
    assert str(told.place) == "d/f07.csv:3" and table.rows == 59
    assert [(one.first, one.table.rows) for one in table.members[6:9]] == [
        (18, 3),
        (21, 2),
        (23, 3),
    ]
    assert rows_of(engine, table)[22:24] == [(None, "b"), (8, "a")]


def test_one_of_many_files_without_rows_is_told(unite: Unite) -> None:
    (found,) = by_code(unite(**many(f07="x,y\n")), "header-only")

    assert (str(found.place), found.severity) == ("d/f07.csv:1", Severity.WARN)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('x,y\n7,"a\na"\n8,b\n', 59),  # a row of two lines
        ("x,y\n7\n8,b\n", 58),  # one of another width
        ("x;y\n7;a\n8;b\n", 59),  # another delimiter
        ("y,x\na,7\nb,8\n", 59),  # another order
        ("x,y\r\n7,a\r\n8,b\r\n", 59),  # other line ends
        ("# days\nx,y\n7,a\n8,b\n", 59),  # something before the header
        ("x,y\n7,a\n\n8,b\n", 59),  # a blank line
        ('x,y\n7,"a\n8,b\n', 57),  # a quote that is never closed
        ("x,y\n7,a\n8,b", 59),  # no end of the last line
    ],
)
def test_what_is_odd_in_one_of_many_files_stays_in_it(
    engine: Engine, unite: Unite, text: str, rows: int
) -> None:
    table = unite(**many(f07=text))

    assert table.rows == rows and len(rows_of(engine, table)) == rows
    assert rows_of(engine, table)[-3:] == [(19, "a"), (119, "b"), (219, "c")]
    assert {str(one.place.path) for one in table.findings} <= {"d/f07.csv", "d/f00.csv"}
    last = Finding("x", "", Place("all", row=rows), Evidence.STRUCTURE)
    assert str(located(engine, table, [last])[0].place) == "d/f19.csv:4"


def test_many_files_of_json_lines_are_one_table(engine: Engine, unite: Unite) -> None:
    files = {f"f{n:02}__jsonl": f'{{"x": {n}, "y": {{"z": "a"}}}}\n' for n in range(20)}
    table = unite(**files)

    assert [one.name for one in table.columns] == ["x", "y.z"]
    assert rows_of(engine, table)[12] == (12, "a")


def test_a_member_of_many_keeps_its_own_row_numbers(engine: Engine, unite: Unite) -> None:
    member = unite(**many()).members[7]

    found = engine.rows(f"SELECT __row, x FROM {member.table.source} ORDER BY 1")
    assert found == [(1, 7), (2, 107), (3, 207)]
    assert member.table.lines(engine, [3]) == {3: 4}


def test_all_files_are_read_as_the_checks_say(engine: Engine, unite: Unite) -> None:
    options = ReadOptions.from_mapping({"format": "csv", "types": {"x": "text"}})
    table = unite(options, a__csv="x\n01\n", b__csv="x\n2\n")

    assert rows_of(engine, table) == [("01",), ("2",)]
