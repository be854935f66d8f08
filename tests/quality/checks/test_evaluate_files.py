"""Checks of real files: what the reader could not take is the wrong type, at its line."""

from __future__ import annotations

import datetime

import pytest

from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.policy import apply_policy
from dvtool.quality.tables.opening import open_table


@pytest.fixture
def judge(engine, tmp_path):
    def run(name, content, text):
        path = tmp_path / name
        path.write_text(content, newline="")
        table = open_table(engine, path, name=name)
        found = evaluate(engine, table, parse_checks(text).tables[0], source="c.yaml")
        return table, {one.key: one for one in found}

    return run


MANY = "".join(f"{n},{n / 2}\n" for n in range(100))


def test_what_does_not_parse_is_the_wrong_type_and_not_missing(judge):
    content = "id,x\n" + MANY + "7,abc\n8,\n9,NA\n10,-5\n"

    table, found = judge("a.csv", content, "columns: {x: {type: float, nulls: 0, min: 0}}")

    assert {key: one.message for key, one in found.items()} == {
        "x.type": "1 of 104 values is not float",
        "x.nulls": "2 of 104 values missing, allowed 0",
        "x.min": "1 of 101 values below 0",
    }
    assert [(str(one.place), one.value) for one in found["x.type"].examples] == [
        ("a.csv:102", "abc")
    ]
    assert [one.place.line for one in found["x.nulls"].examples] == [103, 104]
    assert "mixed-types" in {one.code for one in table.findings}


def test_the_readers_finding_and_ours_are_one_after_policy(judge):
    text = "columns: {x: {type: float}}"
    table, found = judge("a.csv", "id,x\n" + MANY + "7,abc\n", text)

    everything = [*table.findings, *found.values()]
    settled = apply_policy(everything, parse_checks(text).tables[0], datetime.date(2026, 1, 1))
    assert [one.key for one in settled if one.column == "x"] == ["x.type"]


def test_lines_are_right_after_a_quoted_line_break(judge):
    content = 'id,note\n1,"two\nlines"\n2,short\n3,bad!\n'

    _, found = judge("a.csv", content, "columns: {note: {matches: '[a-z\\s]+'}}")

    assert [str(one.place) for one in found["note.matches"].examples] == ["a.csv:5"]


def test_json_lines_are_judged_like_rows(judge):
    content = '{"a": 1, "tags": ["x", "y"]}\n{"a": null, "tags": []}\n{"tags": ["z"]}\n'

    _, found = judge(
        "a.jsonl", content, "columns: {a: {nulls: 1}, tags: {in: [x, y], length: 0..2}}"
    )

    assert {key: (one.message, one.place.line) for key, one in found.items()} == {
        "a.nulls": ("2 of 3 values missing, allowed at most 1", 2),
        "tags.in": ("1 of 3 values not one of x, y", 3),
    }


@pytest.mark.parametrize("values", [["1.234,5", "2,5", "-3,0"], ["1,5", "2,5", "-3,0"]])
def test_decimal_commas_are_not_the_wrong_type(judge, values):
    content = "id;x\n" + "".join(f"{n};{value}\n" for n, value in enumerate(values * 5))

    _, found = judge("a.csv", content, "columns: {x: {type: float, nulls: 0, min: -3}}")

    assert found == {}
