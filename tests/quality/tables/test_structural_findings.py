"""Broken files: each fault is one finding with its lines, and nothing is repaired in silence."""

from __future__ import annotations

import bz2
import gzip

import pytest
import zstandard

from dvtool.quality.findings import Verdict, verdict
from dvtool.quality.tables.opening import open_table
from dvtool.quality.tables.table import Unreadable


def codes(table):
    return [one.code for one in table.findings]


def refused(read, data, name="t.csv"):
    with pytest.raises(Unreadable) as caught:
        read(data, name)
    return caught.value.findings


def test_ragged_rows_are_counted_with_lines_and_left_out(read, values):
    table = read('a,b\n1,"x\ny"\n3\n4,5,6\n7,8\n')

    assert values(table) == [(1, "x\ny"), (7, "8")]
    (finding,) = table.findings
    assert finding.message == (
        "2 rows without 2 fields, allowed 0: 1 too few (1), 1 too many (3); left out of the table"
    )
    assert [one.place.line for one in finding.examples] == [4, 5]
    assert finding.figures["too_few"] == 1


def test_lines_of_rows_after_ragged_ones_are_right(read, engine):
    table = read('a,b\n1,"x\ny"\n3\n\n4,5,6\n7,8\n')

    assert table.lines(engine, [1, 2, 3]) == {1: 2, 2: 7}


def test_a_last_line_cut_short_is_truncated(read):
    table = read("a,b,c\n1,2,3\n4,5")

    assert [(one.code, one.place.line) for one in table.findings] == [("truncated", 3)]


def test_the_fields_of_a_last_line_cut_short_are_counted(read):
    table = read("a,b,c,d,e\n1,2,3,4,5\n4,5")

    assert [one.message for one in table.findings if one.code == "truncated"] == [
        "the last line has 2 fields instead of 5 and no line end"
    ]


def test_a_file_that_ends_inside_quotes_is_truncated(read):
    table = read('a,b\n1,x\n2,"yz')

    assert [(one.code, one.place.line) for one in table.findings] == [("truncated", 3)]


def test_a_quote_never_closed_in_the_middle_is_found(read):
    table = read('a,b\n1,x\n2,"y\n3,z\n4,w\n')

    assert [(one.code, one.place.line) for one in table.findings] == [("broken-quotes", 3)]
    assert table.rows == 1


def test_a_missing_last_line_end_alone_is_fine(read):
    assert read("a,b\n1,2\n3,4").findings == ()


def test_an_end_in_the_middle_of_a_character_is_a_cut_and_no_damage(read):
    table = read("a,b\n1,müde\n2,mü".encode()[:-1])

    assert [(one.code, one.place.line) for one in table.findings] == [("truncated", 3)]
    assert table.findings[0].message == "the file ends inside a character"


def test_a_last_letter_of_an_old_encoding_is_no_cut(read):
    assert codes(read("a,b\n1,x\n2,café".encode("latin-1"))) == ["encoding"]


def test_whatever_a_cut_breaks_is_one_finding(read):
    text = "a,b,c\n" + "".join(f"{n},süß,{n}\n" for n in range(9))

    table = read(gzip.compress(text.encode()[:-6])[:-8], "t.csv.gz")

    (cut,) = table.findings
    assert (cut.code, cut.place.line) == ("truncated", 10)
    assert cut.message == (
        "the gzip data ends in the middle, 90 bytes could be unpacked; the file ends inside a "
        "character; the last line has 2 fields instead of 3 and no line end"
    )


def test_a_cut_packed_file_of_json_lines_is_one_finding(read):
    lines = "".join(f'{{"a": {n}}}\n' for n in range(50))

    table = read(gzip.compress(lines.encode()[:-4])[:-8], "t.jsonl.gz")

    assert codes(table) == ["truncated"]
    assert table.findings[0].place.line == 50


@pytest.mark.parametrize(
    ("ending", "pack"),
    [("gz", gzip.compress), ("zst", zstandard.ZstdCompressor().compress), ("bz2", bz2.compress)],
)
def test_a_packed_file_cut_off_is_truncated(read, ending, pack):
    whole = pack("".join(f"{n},{n * n}\n" for n in range(120_000)).encode())

    table = read(whole[: len(whole) // 2], f"t.csv.{ending}")

    assert codes(table) == ["truncated"]
    assert verdict(table.findings) is Verdict.FAIL


@pytest.mark.parametrize("data", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_no_table(read, data):
    assert [one.code for one in refused(read, data)] == ["empty-file"]


def test_a_header_alone_is_no_table(read):
    (finding,) = refused(read, "id,name\n")

    assert finding.code == "header-only"
    assert finding.message == "no data row after the header of 2 columns"


@pytest.mark.parametrize(
    ("data", "word"),
    [(b"PAR1abcd", "Parquet"), (b"PK\x03\x04abc", "zip"), (b"\x89PNG\r\n", "PNG")],
)
def test_another_kind_of_file_is_named(read, data, word):
    (finding,) = refused(read, data)

    assert finding.code == "not-a-table"
    assert word in finding.message


def test_invalid_bytes_among_utf_8_are_damage_with_lines(read):
    table = read("a,b\n1,é\n2,x\n3,".encode() + b"\xff\n")

    (finding,) = table.findings
    assert (finding.code, finding.place.line) == ("encoding-damage", 4)
    assert finding.examples[0].value == "\\xff"


def test_a_file_in_cp1252_is_read_with_a_warning(read, values):
    table = read("a,b\n1,café\n2,x\n".encode("cp1252"))

    assert values(table)[0] == (1, "café")
    assert table.options.encoding == "cp1252"
    assert [(one.code, one.severity.value) for one in table.findings] == [("encoding", "warn")]


@pytest.mark.parametrize("damage", ["cafÃ©", "it\u00e2\u20ac\u2122s", "caf\ufffd", "10Â°"])
def test_text_garbled_earlier_is_damage(read, damage):
    table = read(f"a,b\n1,x\n2,{damage}\n")

    assert [(one.code, one.place.line) for one in table.findings] == [("encoding-damage", 3)]


@pytest.mark.parametrize("text", ["São Paulo", "NÃO", "Ærøskøbing", "naïve", "Â", "日本"])
def test_honest_letters_are_no_damage(read, text):
    assert read(f"a,b\n1,x\n2,{text}\n").findings == ()


def test_zero_bytes_are_found(read):
    table = read(b"a,b\n1,x\n2,y\0z\n")

    assert [(one.code, one.place.line) for one in table.findings] == [("null-bytes", 3)]


def test_names_used_twice_are_found_and_made_unique(read):
    table = read("id,ID,x\n1,2,3\n")

    assert [one.name for one in table.columns] == ["id", "ID_2", "x"]
    assert codes(table) == ["duplicate-headers"]


def test_a_column_without_name_is_found(read):
    table = read("a,,c\n1,2,3\n4,5,6\n")

    assert [one.name for one in table.columns] == ["a", "column2", "c"]
    assert codes(table) == ["blank-headers"]


def test_an_index_without_name_is_only_noted(read):
    table = read(",a\n0,x\n1,y\n")

    assert [(one.code, one.severity.value) for one in table.findings] == [("unnamed-index", "note")]


def test_different_line_ends_in_one_file_are_found(read, values):
    table = read("a,b\r\n1,2\n3,4\r\n")

    assert values(table) == [(1, 2), (3, 4)]
    assert codes(table) == ["mixed-newlines"]


def test_constant_and_empty_columns_are_noted(read):
    body = "".join(f"{n},x,\n" for n in range(10))

    table = read(f"id,same,none\n{body}")

    assert [one.key for one in table.findings] == ["same.constant-column", "none.empty-column"]
    assert verdict(table.findings) is Verdict.PASS


def test_copies_of_rows_are_counted_exactly(read):
    table = read("a,b\n1,x\n2,y\n1,x\n1,x\n2,y\n")

    (finding,) = table.findings
    assert (finding.code, finding.figures["rows"], finding.figures["groups"]) == (
        "duplicate-rows",
        3,
        2,
    )
    assert [one.place.line for one in finding.examples] == [4, 6]


def test_one_category_spelled_in_two_ways_is_found(read):
    body = "red\nblue\n" * 20

    table = read(f"c\n{body}Red \n")

    finding = next(one for one in table.findings if one.code == "category-variants")
    assert (finding.column, finding.examples[0].value, finding.place.line) == ("c", "Red ", 42)


def test_a_damaged_parquet_file_is_truncated(read):
    assert [one.code for one in refused(read, b"PAR1" + b"x" * 100, "t.parquet")] == ["truncated"]


def test_a_message_is_one_line_without_full_stop(read):
    table = read("a,,a\n1,2,3\n01,x\n")

    assert table.findings
    for finding in table.findings:
        assert "\n" not in finding.message
        assert not finding.message.endswith(".")


@pytest.mark.parametrize("copied", [0, 1])
def test_copies_in_a_long_table_are_found_though_its_first_rows_all_differ(read, copied):
    rows = [f"{number},{number % 7},w{number % 5}" for number in range(60_000)]
    rows[50_000:] = [f"{number - 50_000},9,x" for number in range(50_000, 60_000)]
    if copied:
        rows[59_999] = "3,3,w3"

    table = read("id,digit,word\n" + "\n".join(rows) + "\n")

    found = [one for one in table.findings if one.code == "duplicate-rows"]
    assert [one.figures["rows"] for one in found] == [1] * copied
    assert [one.place.line for one in found] == [60_001] * copied


def test_findings_about_values_are_left_out_when_nobody_wants_them(engine, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("n,t\n1,x\n1,x\n2\n")

    every = open_table(engine, path)
    shape_only = open_table(engine, path, contents=False)

    assert "duplicate-rows" in {one.code for one in every.findings}
    assert [one.code for one in shape_only.findings] == ["ragged-rows"]
