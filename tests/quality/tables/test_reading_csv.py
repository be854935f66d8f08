"""What a CSV file means: dialects, names, missing values, kinds."""

from __future__ import annotations

import bz2
import datetime
import gzip
import lzma

import pytest
import zstandard

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.options import ReadOptions

DAY = datetime.date


def kinds(table):
    return [(one.name, one.kind.value) for one in table.columns]


def test_numbers_dates_and_words_get_their_kinds(read, values):
    table = read(
        "id,price,day,at,ok,clock,name\n"
        "1,1.5,2024-01-31,2024-01-31 10:00:00,true,10:30,ann\n"
        "-2,2,2024-02-01,2024-01-31T12:00:00+02:00,False,23:59:01,bob\n"
    )

    assert [one.kind for one in table.columns] == [
        Kind.INT,
        Kind.FLOAT,
        Kind.DATE,
        Kind.DATETIME,
        Kind.BOOL,
        Kind.TIME,
        Kind.TEXT,
    ]
    assert values(table)[1] == (
        -2,
        2.0,
        DAY(2024, 2, 1),
        datetime.datetime(2024, 1, 31, 10),  # 12:00 at +02:00, in UTC
        False,
        datetime.time(23, 59, 1),
        "bob",
    )


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read, values, mark):
    table = read(f"a{mark}b\n1{mark}x y\n2{mark}z\n")

    assert table.options.delimiter == mark
    assert values(table) == [(1, "x y"), (2, "z")]


def test_a_decimal_comma_is_found_beside_semicolons(read, values):
    table = read("a;b\n1,5;x\n22,75;y\n")

    assert table.options.decimal == ","
    assert values(table) == [(1.5, "x"), (22.75, "y")]


def test_groups_of_three_digits_are_found(read, values):
    table = read('a,b\n"1,234,567",x\n"12,345.5",y\n7,z\n')

    assert table.options.thousands == ","
    assert values(table) == [(1234567.0, "x"), (12345.5, "y"), (7.0, "z")]


def test_a_comma_that_can_mean_two_things_stays_text(read, values):
    table = read("a;b\n1,234;x\n5,678;y\n")

    assert kinds(table)[0] == ("a", "text")
    assert [one.code for one in table.findings] == ["ambiguous-numbers"]


def test_points_between_groups_are_thousands_beside_a_decimal_comma(read, values):
    table = read('a,b,c\n"1,7","200.000.000",\n')

    assert (table.options.decimal, table.options.thousands) == (",", ".")
    assert values(table) == [(1.7, 200_000_000, None)]


def test_marks_that_the_file_shows_are_told_with_the_line_that_shows_them(read):
    table = read("a;b;c\n1;x;3,25\n2,5;y;4\n7,5;z;5\n")

    (finding,) = table.findings
    assert (finding.key, finding.severity.value, finding.place.line) == (
        "a.number-marks",
        "note",
        3,
    )
    assert finding.message == "2 numbers read with decimal comma, likewise in 1 other column"
    assert [(one.place.line, one.value) for one in finding.examples] == [(3, "2,5"), (4, "7,5")]
    assert finding.figures == {"found": 2, "columns": ["a", "c"], "decimal": ","}


def test_thousands_that_the_file_shows_are_told(read):
    table = read("a;b\n1,234,567;x\n12;y\n7;z\n")

    (finding,) = table.findings
    assert finding.message == "1 number read with thousands ','"


def test_marks_that_the_options_name_are_not_told(read, values):
    options = ReadOptions(delimiter=";", decimal=",", thousands=".")

    table = read("a;b\n1.234,5;x\n2,5;y\n", options=options)

    assert values(table) == [(1234.5, "x"), (2.5, "y")]
    assert table.findings == ()


@pytest.mark.parametrize("commas", [8, 3])
def test_a_column_with_commas_and_points_stays_text_and_says_so(read, commas):
    rows = ["1.5"] * (20 - commas) + ["1,5"] * commas

    table = read("id;p\n" + "".join(f"{at};{one}\n" for at, one in enumerate(rows)))

    assert kinds(table)[1] == ("p", "text")
    (finding,) = table.findings
    assert (finding.key, finding.severity.value) == ("p.ambiguous-numbers", "warn")
    assert finding.message == "numbers with commas and with points in one column, kept as text"
    assert finding.place.line == 22 - commas


def test_points_that_may_be_thousands_beside_decimal_commas_stay_text(read):
    table = read("a;b\n1,5;1.234\n2,5;5.678\n3,5;12\n")

    assert kinds(table) == [("a", "float"), ("b", "text")]
    told = [(one.key, one.message) for one in table.findings]
    assert told == [
        ("b.ambiguous-numbers", "numbers with points that can mean two things, kept as text"),
        ("a.number-marks", "3 numbers read with decimal comma"),
    ]


def test_points_between_several_groups_without_a_decimal_comma_stay_text(read):
    table = read("id;b\n1;1.234\n2;1.234.567\n3;12\n")

    assert kinds(table)[1] == ("b", "text")
    assert [one.key for one in table.findings] == ["b.ambiguous-numbers"]


def test_three_decimals_alone_are_decimals(read, values):
    table = read("id;b\n1;1.234\n2;5.678\n3;12\n")

    assert values(table) == [(1, 1.234), (2, 5.678), (3, 12.0)]
    assert table.findings == ()


def test_day_first_dates_are_read_when_one_day_proves_it(read, values):
    table = read("d\n31/01/2024\n01/02/2024\n")

    assert table.options.dates == (("d", "%d/%m/%Y"),)
    assert values(table) == [(DAY(2024, 1, 31),), (DAY(2024, 2, 1),)]


def test_dates_that_nothing_proves_stay_text_with_a_finding(read):
    table = read("d\n01/02/2024\n03/04/2024\n")

    assert kinds(table) == [("d", "text")]
    assert [one.key for one in table.findings] == ["d.ambiguous-dates"]


def test_leading_zeros_keep_a_column_text_with_a_finding(read, values):
    table = read("zip\n01234\n99999\n")

    assert values(table) == [("01234",), ("99999",)]
    assert [one.key for one in table.findings] == ["zip.leading-zeros"]
    assert table.findings[0].examples[0].value == "01234"


def test_integers_beyond_64_bits_stay_text(read, values):
    table = read("n\n123456789012345678901\n5\n")

    assert values(table)[0] == ("123456789012345678901",)
    assert [one.code for one in table.findings] == ["long-integers"]


@pytest.mark.parametrize("odd", ["1e3", "0x1F", "1_000", "1.0", "٣"])
def test_what_the_engine_would_take_for_an_integer_is_none(read, odd):
    table = read(f"n\n1\n2\n{odd}\n")

    assert table.columns[0].kind is not Kind.INT


@pytest.mark.parametrize("odd", ["0x1F", "0x1p3", "1_0.5", "1_000"])
def test_what_the_engine_would_take_for_a_decimal_is_none(read, odd):
    table = read("x\n" + "1.5\n" * 40 + f"{odd}\n")

    assert table.columns[0].kind is Kind.FLOAT
    assert table.unparsed == {"x": 1}


def test_missing_words_are_null_in_every_kind_and_raw_keeps_them(read, values):
    table = read("n,t\nNA,x\n1,NA\nNaN,\n2.5,null\n,None\n")

    assert values(table) == [(None, "x"), (1.0, None), (None, None), (2.5, None), (None, None)]
    assert values(table, raw=True)[0] == ("NA", "x")
    assert values(table, raw=True)[4] == ("", "None")


def test_words_read_as_missing_in_text_are_told(read):
    table = read("country\nNA\nDE\nFR\n")

    assert [one.key for one in table.findings] == ["country.null-words"]


def test_nulls_can_be_chosen(read, values):
    options = ReadOptions(nulls=("-",))

    table = read("t\nNA\n-\n", options=options)

    assert values(table) == [("NA",), (None,)]


@pytest.mark.parametrize(
    ("told", "text", "columns", "first"),
    [
        ({"nulls": ["-"]}, "a;b\n1,5;-\n22,75;y\n", [("a", "float"), ("b", "text")], (1.5, None)),
        ({"types": {"a": "text"}}, "a;b\n1;2\n3;4\n", [("a", "text"), ("b", "int")], ("1", 2)),
        ({"delimiter": "|"}, "a,b|c\nx,y|3\n", [("a,b", "text"), ("c", "int")], ("x,y", 3)),
        ({"header": False}, "a;b\nx;y\n", [("column1", "text"), ("column2", "text")], ("a", "b")),
        ({"decimal": ","}, "a\tb\n1,234\tx\n", [("a", "float"), ("b", "text")], (1.234, "x")),
        ({"quote": "'"}, "a,b\n'x,y',1\n'it''s',2\n", [("a", "text"), ("b", "int")], ("x,y", 1)),
        ({"skip": 1}, "n;o\na;b\n1;2\n", [("a", "int"), ("b", "int")], (1, 2)),
    ],
)
def test_what_options_without_a_format_leave_out_is_found_out(
    read, values, told, text, columns, first
):
    table = read(text, options=ReadOptions.from_mapping(told))

    assert kinds(table) == columns
    assert values(table)[0] == first
    assert not table.options.stated


def test_options_without_a_format_leave_it_to_the_name(read, values):
    options = ReadOptions.from_mapping({"types": {"n": "text"}})

    lines = read('{"n": 1}\n{"n": 2}\n', name="t.jsonl", options=options)
    packed = read(gzip.compress(b"n;m\n1;2\n"), name="t.csv.gz", options=options)

    assert (lines.options.format, lines.rows) == ("jsonl", 2)
    assert (packed.options.compression, values(packed)) == ("gzip", [("1", 2)])


def test_a_file_without_header_is_seen(read, values):
    table = read("1,x,2.5\n2,y,3.5\n")

    assert not table.options.header
    assert [one.name for one in table.columns] == ["column1", "column2", "column3"]
    assert values(table) == [(1, "x", 2.5), (2, "y", 3.5)]


def test_years_in_a_row_are_names_not_values(read):
    table = read("country,2019,2020,2021\nDE,1,2,3\nFR,4,5,6\n")

    assert [one.name for one in table.columns] == ["country", "2019", "2020", "2021"]


def test_words_above_words_are_names(read):
    table = read("name,town\nann,ulm\nbob,bonn\n")

    assert table.options.header
    assert table.rows == 2


def test_lines_before_the_header_are_skipped_with_a_finding(read, values):
    table = read("Report of May\n\na,b\n1,2\n3,4\n")

    assert table.options.skip == 2
    assert values(table) == [(1, 2), (3, 4)]
    assert [(one.code, one.place.line) for one in table.findings] == [("preamble", 1)]


def test_a_byte_order_mark_is_no_part_of_the_first_name(read):
    assert read(b"\xef\xbb\xbfa,b\n1,2\n").columns[0].name == "a"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read(read, values, encoding):
    table = read("a,b\n1,é\n2,ü\n".encode(encoding))

    assert values(table) == [(1, "é"), (2, "ü")]


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        (".gz", gzip.compress),
        (".bz2", bz2.compress),
        (".xz", lzma.compress),
        (".zst", zstandard.ZstdCompressor().compress),
    ],
)
def test_compressed_files_are_read(read, values, ending, pack):
    table = read(pack(b"a,b\n1,x\n2,y\n"), f"t.csv{ending}")

    assert values(table) == [(1, "x"), (2, "y")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(read, values, end):
    table = read(end.join(["a,b", "1,x", "2,y", ""]))

    assert values(table) == [(1, "x"), (2, "y")]
    assert not table.findings


def test_the_same_options_give_the_same_table_for_the_next_version(read, values):
    first = read("zip;n\n01;1,5\n02;2,5\n")

    again = read("zip;n\n11;1\n12;2\n", "next.csv", first.options)

    assert [one.kind for one in again.columns] == [Kind.TEXT, Kind.FLOAT]
    assert values(again) == [("11", 1.0), ("12", 2.0)]
    assert again.options == first.options


def test_a_value_that_breaks_a_declared_kind_is_a_failing_finding(read, values):
    options = ReadOptions(types=(("n", "int"),))

    table = read("n\nx\ny\n3\n", options=options)

    assert values(table) == [(None,), (None,), (3,)]
    (finding,) = table.findings
    assert (finding.key, finding.severity.value) == ("n.mixed-types", "fail")
    assert finding.message == "2 of 3 values not int, read as missing"
    assert [one.place.line for one in finding.examples] == [2, 3]


def test_a_column_nearly_all_of_one_kind_keeps_it_and_the_rest_is_found(read, values):
    body = "".join(f"{n}\n" for n in range(99))

    table = read(f"n\n{body}oops\n")

    assert table.columns[0].kind is Kind.INT
    assert values(table)[-1] == (None,)
    (finding,) = table.findings
    assert (finding.code, finding.examples[0].value, finding.place.line) == (
        "mixed-types",
        "oops",
        101,
    )


def test_what_the_sample_never_saw_still_decides_the_kind(read):
    body = "".join(f"{n}\n" for n in range(60_001))

    table = read(f"n\n{body}1.5\n7\n7\n")

    assert table.columns[0].kind is Kind.FLOAT
    assert not [one for one in table.findings if one.code == "mixed-types"]
