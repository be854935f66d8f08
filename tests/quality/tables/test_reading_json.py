"""JSON lines and arrays of objects: nested fields by path, strictness, lines."""

from __future__ import annotations

import datetime
import json

import pytest

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.table import Unreadable


def lines(*records):
    return "".join(json.dumps(one) + "\n" for one in records)


def test_nested_fields_become_columns_by_path(read, values):
    table = read(
        lines(
            {"id": 1, "user": {"name": "ann", "age": 30}},
            {"id": 2, "user": {"name": "bob"}, "late": True},
        ),
        "t.jsonl",
    )

    assert [one.name for one in table.columns] == ["id", "user.name", "user.age", "late"]
    assert values(table) == [(1, "ann", 30, None), (2, "bob", None, True)]


def test_a_list_of_objects_gives_one_list_column_for_each_of_their_fields(read, values):
    table = read(
        lines(
            {"messages": [{"role": "user", "n": 1}, {"role": "system"}]},
            {"messages": []},
            {"other": None},
        ),
        "t.jsonl",
    )

    assert [(one.name, one.kind, one.type) for one in table.columns[:2]] == [
        ("messages[].role", Kind.LIST, "VARCHAR[]"),
        ("messages[].n", Kind.LIST, "BIGINT[]"),
    ]
    assert [row[0] for row in values(table)] == [["user", "system"], [], None]


@pytest.mark.parametrize(
    ("records", "names", "rows"),
    [
        ([{"id": 1}, {"ID": 2}], ["id", "ID_2"], [(1, None), (None, 2)]),
        ([{"u": {"Id": 1, "iD": "x"}, "z": 3}], ["u.Id", "z", "u.iD_2"], [(1, 3, "x")]),
        (
            [{"m": [{"k": 1, "K": 2}, {"k": 3}]}, {"m": []}],
            ["m[].k", "m[].K_2"],
            [([1, 3], [2, None]), ([], [])],
        ),
    ],
)
def test_fields_that_differ_by_case_are_columns_of_their_own(read, values, records, names, rows):
    table = read(lines(*records), "t.jsonl")

    assert [one.name for one in table.columns] == names
    assert values(table) == rows
    assert [one.code for one in table.findings] == ["duplicate-headers"]


def test_a_field_named_twice_in_one_record_is_told(read, values):
    table = read('{"a": 1}\n{"a": 2, "b": 1, "a": 3}\n', "t.jsonl")

    (found,) = table.findings
    assert (found.code, found.place.line) == ("repeated-fields", 2)
    assert found.message == "1 record with a field named twice, allowed 0; the first one is read"
    assert values(table) == [(1, None), (2, 1)]


def test_plain_lists_keep_their_length(read, values):
    table = read(lines({"tags": ["a", "b"]}, {"tags": []}), "t.jsonl")

    assert values(table) == [(["a", "b"],), ([],)]


def test_an_array_of_objects_is_a_table(read, values):
    table = read('[{"a": 1, "b": "x"},\n {"a": 2.5}]', "t.json")

    assert values(table) == [(1.0, "x"), (2.5, None)]
    assert table.options.format == "json"


def test_the_only_list_of_objects_inside_one_object_is_the_table(read, values):
    table = read('{"count": 2, "items": [{"a": 1}, {"a": 2}]}', "t.json")

    assert values(table) == [(1,), (2,)]
    assert [one.code for one in table.findings] == ["wrapped-records"]


def test_dates_in_strings_are_dates_and_numbers_in_strings_are_text(read, values):
    table = read(lines({"d": "2024-01-31", "n": "7"}, {"d": "2024-02-01", "n": "8"}), "t.jsonl")

    assert values(table)[0] == (datetime.date(2024, 1, 31), "7")


def test_a_field_with_several_types_is_found_and_kept_as_text(read, values):
    table = read(lines({"a": 1}, {"a": "x"}, {"a": 2}), "t.jsonl")

    assert values(table) == [("1",), ("x",), ("2",)]
    (finding,) = table.findings
    assert (finding.key, finding.place.line) == ("a.mixed-types", 2)


def said(role: str) -> dict[str, object]:
    return {"id": role, "messages": [{"role": role, "text": "hi"}], "user": {"name": role}}


def test_what_nearly_all_records_hold_keeps_its_columns_and_odd_ones_are_told_by_line(
    read, values, engine
):
    records = [said("a") for _ in range(97)]
    records[40]["messages"] = "none"
    records[60]["messages"] = {"role": "a"}
    records[70]["messages"] = None
    records[50]["user"] = 7

    table = read(lines(*records), "t.jsonl")

    assert [one.name for one in table.columns] == [
        *("id", "messages[].role", "messages[].text", "user.name"),
    ]
    found = values(table)
    assert found[0] == ("a", ["a"], ["hi"], "a")
    assert found[40] == found[60] == found[70] == ("a", None, None, "a")
    assert found[50] == ("a", ["a"], ["hi"], None)
    told = {one.column: one for one in table.findings if one.code == "mixed-types"}
    assert told["messages"].message == (
        "values of several types: 94 list, 1 object, 1 text; read as list, so 2 values are missing"
    )
    assert [one.place.line for one in told["messages"].examples] == [41, 61]
    assert told["user"].message == (
        "values of several types: 96 object, 1 int; read as object, so 1 value is missing"
    )
    assert told["user"].place.line == 51
    assert {one.severity.value for one in told.values()} == {"warn"}


def test_fields_inside_what_nearly_all_records_hold_are_settled_likewise(read, values):
    records = [{"a": {"b": [at], "c": 1}} for at in range(60)]
    records[3]["a"] = []
    records[9]["a"]["b"] = "x"

    table = read(lines(*records), "t.jsonl")

    assert [one.name for one in table.columns] == ["a.b", "a.c"]
    assert [values(table)[at] for at in (2, 3, 9)] == [([2], 1), (None, None), (None, 1)]
    assert sorted(one.column for one in table.findings if one.code == "mixed-types") == ["a", "a.b"]


@pytest.mark.parametrize("odd", [1, 2])
def test_what_one_in_twenty_does_not_hold_is_text_in_all(read, odd):
    records = [{"m": [{"a": 1}]} for _ in range(20 - odd)] + [{"m": "none"}] * odd

    table = read(lines(*records), "t.jsonl")

    assert [one.name for one in table.columns] == (["m[].a"] if odd == 1 else ["m"])
    assert [one.column for one in table.findings if one.code == "mixed-types"] == ["m"]


def test_broken_lines_are_left_out_and_counted_with_their_lines(read, values, engine):
    table = read('{"a":1}\n\n{"a":2,}\n{"a":NaN}\n[1]\n{"a":3}\n', "t.jsonl")

    assert values(table) == [(1,), (3,)]
    (finding,) = table.findings
    assert finding.message == "3 of 5 records not a JSON object, allowed 0; left out"
    assert [one.place.line for one in finding.examples] == [3, 4, 5]
    assert table.lines(engine, [1, 2]) == {1: 1, 2: 6}


def test_text_that_looks_like_a_trailing_comma_is_no_fault(read):
    table = read(lines({"a": "x,]"}, {"a": "NaN, ]}"}, {"a": ": inf"}), "t.jsonl")

    assert table.rows == 3
    assert table.findings == ()


def test_a_last_line_cut_short_is_truncated(read):
    table = read('{"a":1}\n{"a":2}\n{"a":', "t.jsonl")

    assert [(one.code, one.place.line) for one in table.findings] == [("truncated", 3)]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("[]", "header-only"),
        ("123", "not-a-table"),
        ('"text"', "not-a-table"),
        ("null", "not-a-table"),
        ("[1, 2]", "not-a-table"),
        ('[{"a": 1},]', "not-a-table"),
        ('[{"a": 1}', "truncated"),
        ('{"a": 1, "b": {}}', "not-a-table"),
        ("hello", "not-a-table"),
    ],
)
def test_what_holds_no_objects_is_no_table(read, data, code):
    with pytest.raises(Unreadable) as caught:
        read(data, "t.json")

    assert caught.value.findings[0].code == code


def test_large_unsigned_numbers_are_exact(read, values):
    table = read(lines({"a": 2**63}, {"a": 1}), "t.jsonl")

    assert values(table) == [(2**63,), (1,)]
    assert table.columns[0].kind is Kind.INT


def test_copies_of_records_are_counted(read):
    table = read(lines({"a": 1}, {"a": 2}, {"a": 1}), "t.jsonl")

    assert [(one.code, one.place.line) for one in table.findings] == [("duplicate-rows", 3)]
