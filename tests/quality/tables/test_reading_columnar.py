"""Parquet, Arrow and worksheets give the same views as text formats do."""

from __future__ import annotations

import datetime
import decimal
import gzip

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable

TABLE = pa.table(
    {
        "i": pa.array([1, None, 3], pa.int32()),
        "f": [1.5, 2.5, None],
        "t": ["x", None, "z"],
        "d": [datetime.date(2024, 1, 1)] * 2 + [None],
        "l": [[1, 2], [], None],
        "n": pa.array([decimal.Decimal("1.10")] * 3, pa.decimal128(5, 2)),
        "c": pa.array(["a", "b", "a"]).dictionary_encode(),
        "b": pa.array([b"1", b"2", b"3"]),
    }
)
KINDS = [
    Kind.INT,
    Kind.FLOAT,
    Kind.TEXT,
    Kind.DATE,
    Kind.LIST,
    Kind.FLOAT,
    Kind.TEXT,
    Kind.OTHER,
]


def write(kind, path):
    if kind == "parquet":
        pq.write_table(TABLE, path, row_group_size=2)
    elif kind == "stream":
        with pa.ipc.new_stream(path, TABLE.schema) as sink:
            sink.write_table(TABLE)
    else:
        pyarrow.feather.write_feather(TABLE, str(path), compression=kind)


@pytest.mark.parametrize(
    ("kind", "ending"),
    [("parquet", "parquet"), ("uncompressed", "arrow"), ("lz4", "feather"), ("stream", "arrow")],
)
def test_a_file_with_types_keeps_them(engine, tmp_path, values, kind, ending):
    path = tmp_path / f"t.{ending}"
    write(kind, path)

    table = open_table(engine, path)

    assert [one.kind for one in table.columns] == KINDS
    assert values(table)[1][:5] == (None, 2.5, None, datetime.date(2024, 1, 1), [])
    assert values(table, raw=True)[0][:4] == ("1", "1.5", "x", "2024-01-01")
    assert engine.rows(f"SELECT __row FROM {table.source} ORDER BY 1") == [(1,), (2,), (3,)]


def test_parquet_rows_are_numbered_in_file_order_across_row_groups(engine, tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"n": range(10_000)}), path, row_group_size=777)

    table = open_table(engine, path)

    assert engine.rows(f"SELECT count(*) FROM {table.source} WHERE n <> __row - 1") == [(0,)]
    assert table.lines(engine, [1]) == {}


def test_names_that_differ_only_in_case_are_told_apart(engine, tmp_path, values):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"A": [1], "a": [2]}), path)

    table = open_table(engine, path)

    assert len({one.name.casefold() for one in table.columns}) == 2
    assert values(table) == [(1, 2)]


def test_a_column_with_the_engines_own_name_for_row_numbers_is_read(engine, tmp_path, values):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"file_row_number": [7, 8], "__row": [1, 1]}), path)

    table = open_table(engine, path)

    assert values(table) == [(7, 1), (8, 1)]
    assert engine.rows(f"SELECT __row FROM {table.source} ORDER BY 1") == [(1,), (2,)]


def test_a_table_without_rows_is_a_warning(engine, tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(TABLE.slice(0, 0), path)

    table = open_table(engine, path)

    assert table.rows == 0
    assert [(one.code, one.severity.value) for one in table.findings] == [("no-rows", "warn")]


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow"])
def test_other_bytes_under_the_name_are_unreadable(engine, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"id,name\n1,x\n")

    with pytest.raises(Unreadable):
        open_table(engine, path)


@pytest.mark.parametrize(("kind", "ending"), [("parquet", "parquet"), ("stream", "arrow")])
def test_a_packed_file_is_told_to_be_one(engine, tmp_path, kind, ending):
    plain, packed = tmp_path / "t", tmp_path / f"t.{ending}.gz"
    write(kind, plain)
    packed.write_bytes(gzip.compress(plain.read_bytes()))

    with pytest.raises(Unreadable) as caught:
        open_table(engine, packed)

    (finding,) = caught.value.findings
    assert (finding.code, finding.hint) == ("not-a-table", "unpack the file")
    assert finding.message.startswith("this is packed as gzip; ")


@pytest.mark.parametrize(
    ("kind", "ending"), [("parquet", "parquet"), ("lz4", "arrow"), ("stream", "arrow")]
)
def test_a_file_cut_in_half_is_truncated(engine, tmp_path, kind, ending):
    path = tmp_path / f"t.{ending}"
    write(kind, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])

    with pytest.raises(Unreadable) as caught:
        open_table(engine, path)

    (finding,) = caught.value.findings
    assert finding.code == "truncated"
    assert "Traceback" not in finding.message


def test_a_stream_that_stops_between_two_batches_is_warned_about(engine, tmp_path):
    path = tmp_path / "t.arrow"
    write("stream", path)
    path.write_bytes(path.read_bytes()[:-8])

    table = open_table(engine, path)

    assert [(one.code, one.severity.value) for one in table.findings] == [("truncated", "warn")]


def test_a_workbook_cut_in_half_is_truncated(engine, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    path = tmp_path / "t.xlsx"
    openpyxl.Workbook().save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(Unreadable) as caught:
        open_table(engine, path)

    assert [one.code for one in caught.value.findings] == ["truncated"]


def test_one_sheet_is_one_table(engine, tmp_path, values):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [["zip", "n", "day"], ["01", 1.5, datetime.date(2024, 1, 1)], ["02", 2, None]]:
        book.active.append(row)
    book.create_sheet("other").append(["x"])
    book.save(tmp_path / "t.xlsx")

    table = open_table(engine, tmp_path / "t.xlsx")

    assert values(table) == [("01", 1.5, datetime.date(2024, 1, 1)), ("02", 2.0, None)]
    assert [one.code for one in table.findings] == ["other-sheets", "leading-zeros"]
