"""What single rows break: counts, examples, messages, and each cause once."""

from __future__ import annotations

import pytest

from dvtool.quality.checks.evaluate import evaluate
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.findings import Outcome, Severity, Verdict, verdict


@pytest.fixture
def judge(engine, table):
    """Judges rows by checks and returns the findings by key."""

    def run(kinds, rows, text, **more):
        format_name = more.pop("format", "csv")
        made = table(kinds, rows, format=format_name)
        spec = parse_checks(text).tables[0]
        found = evaluate(engine, made, spec, source="data.csv.checks.yaml", **more)
        assert len({one.key for one in found if one.code != "rule"}) == len(
            [one for one in found if one.code != "rule"]
        )
        return {one.key: one for one in found}

    return run


def test_rows_that_keep_their_checks_lead_to_no_finding(judge):
    text = "columns: {age: {type: int, min: 0, max: 120, nulls: 0, in: [1, 2]}}"

    assert judge({"age": "int"}, [["1"], ["2"]], text) == {}


def test_a_missing_value_is_said_with_count_line_and_rule(judge):
    found = judge({"age": "int"}, [["5"], [""]], "# checks\ncolumns:\n  age: {min: 9, nulls: 0}\n")

    nulls = found["age.nulls"]
    assert nulls.message == "1 of 2 values missing, allowed 0"
    assert (str(nulls.place), str(nulls.rule)) == ("data.csv:3", "data.csv.checks.yaml:3")
    assert found["age.min"].message == "1 of 1 values below 9"


@pytest.mark.parametrize(
    ("bound", "missing", "broken"),
    [("'<= 25%'", 1, False), ("'<= 25%'", 2, True), ("1", 1, False), ("1", 2, True)],
)
def test_missing_values_may_be_bounded_by_share_or_count(judge, bound, missing, broken):
    rows = [[""]] * missing + [["1"]] * (4 - missing)

    assert bool(judge({"a": "int"}, rows, f"columns: {{a: {{nulls: {bound}}}}}")) is broken


def test_nan_is_missing(judge):
    found = judge({"a": "float"}, [["nan"], ["1"]], "columns: {a: {nulls: 0, min: 0, max: 5}}")

    assert {key: one.figures["found"] for key, one in found.items()} == {"a.nulls": 1}


def test_a_value_of_the_wrong_type_is_neither_missing_nor_out_of_range(judge):
    rows = [["5"], ["abc"], [""], ["7"]]

    found = judge({"a": "int"}, rows, "columns: {a: {type: int, min: 0, nulls: 0}}")

    assert {key: one.message for key, one in found.items()} == {
        "a.type": "1 of 4 values is not int",
        "a.nulls": "1 of 4 values missing, allowed 0",
    }
    assert [(one.place.line, one.value) for one in found["a.type"].examples] == [(3, "abc")]
    assert [one.place.line for one in found["a.nulls"].examples] == [4]


def test_text_declared_as_numbers_is_judged_value_by_value(judge):
    rows = [["5"], ["1.5"], ["abc"], ["-3"]]

    found = judge({"a": "text"}, rows, "columns: {a: {type: int, min: 0}}")

    assert {key: one.figures["found"] for key, one in found.items()} == {"a.type": 2, "a.min": 1}
    assert [one.value for one in found["a.type"].examples] == ["1.5", "abc"]


def test_a_parquet_column_of_another_type_is_one_finding_and_is_not_judged_further(judge):
    text = "columns: {a: {type: int, min: 0, nulls: 0, unique: true}}"

    found = judge({"a": "text"}, [["x"], ["x"]], text, format="parquet")

    assert {key: one.message for key, one in found.items()} == {
        "a.type": "the column is text, expected int"
    }


def test_float_takes_whole_numbers_and_datetime_takes_days(judge):
    text = "columns: {a: {type: float, max: 2.5}, d: {type: datetime, min: 2026-01-01}}"

    assert judge({"a": "int", "d": "date"}, [["2", "2026-01-01"]], text) == {}


@pytest.mark.parametrize(
    ("kind", "keys", "good", "bad"),
    [
        ("int", "min: -1", "-1", "-2"),
        ("int", "max: 9007199254740993", "9007199254740993", "9007199254740994"),
        ("float", "min: 0.1", "0.1", "0.09"),
        ("date", "max: 2026-01-31", "2026-01-31", "2026-02-01"),
        ("datetime", "max: 2026-01-31", "2026-01-31 23:59:59", "2026-02-01 00:00:00"),
        (
            "datetime",
            "min: '2026-01-31T12:00:00+02:00'",
            "2026-01-31 10:00:00",
            "2026-01-31 09:59:59",
        ),
        ("text", "in: [KA, NO, 7]", "NO", "no"),
        ("int", "in: [1, 2]", "2", "3"),
        ("text", "in: ['1.0']", "1.0", "1"),
        ("bool", "in: [true]", "true", "false"),
        ("text", "matches: '[a-z]+'", "abc", "abc1"),
        ("text", "length: 3", "äöü", "ab"),
        ("text", "length: 1..2", "ab", "abc"),
        ("list", "length: '<= 2'", "[1, 2]", "[1, 2, 3]"),
        ("list", "in: [1, 2]", "[1, 2, 1]", "[1, 3]"),
        ("list", "min: 0", "[]", "[5, -1]"),
    ],
)
def test_a_key_accepts_the_good_value_and_counts_the_bad_one(judge, kind, keys, good, bad):
    text = f"columns: {{c: {{{keys}}}}}"

    assert judge({"c": kind}, [[good], [""]], text) == {}
    (finding,) = judge({"c": kind}, [[good], [bad]], text).values()
    assert finding.key == f"c.{keys.partition(':')[0]}"
    assert (finding.figures, finding.place.line) == ({"found": 1, "of": 2}, 3)


def test_a_thousand_failing_rows_are_one_finding_with_a_few_examples(judge):
    rows = [[str(-n)] for n in range(1, 1001)]

    (finding,) = judge({"a": "int"}, rows, "columns: {a: {min: 0}}", limit=3).values()

    assert finding.message == "1000 of 1000 values below 0"
    assert [(one.place.line, one.place.row, one.value) for one in finding.examples] == [
        (2, 1, "-1"),
        (3, 2, "-2"),
        (4, 3, "-3"),
    ]


def test_a_key_that_the_kind_does_not_have_is_undecided_and_stops_nothing_else(judge):
    text = "columns: {a: {min: 0}, b: {max: 1}, c: {length: 3, nulls: 0}}"

    found = judge({"a": "text", "b": "int", "c": "other"}, [["x", "5", ""]], text)

    assert {key: one.outcome for key, one in found.items()} == {
        "a.min": Outcome.UNDECIDED,
        "c.length": Outcome.UNDECIDED,
        "b.max": Outcome.VIOLATED,
        "c.nulls": Outcome.VIOLATED,
    }
    assert found["a.min"].message == "could not run: 0 is a number, the column is text"


def test_an_impossible_pattern_is_undecided_and_the_others_are_still_judged(judge):
    text = r"columns: {a: {matches: '(x)\1'}, b: {min: 3}}"  # the engine remembers no groups

    found = judge({"a": "text", "b": "int"}, [["x", "1"]], text)

    assert found["a.matches"].outcome is Outcome.UNDECIDED
    assert found["a.matches"].message.startswith("could not run: ")
    assert found["b.min"].outcome is Outcome.VIOLATED


def test_nothing_of_a_private_column_but_counts_and_places_is_said(judge):
    canary = "canary-7f3a"
    text = (
        "columns: {p: {private: true, matches: x, length: 3, type: text, in: [q], unique: true, "
        "order: increasing, distinct: 9}, n: {private: true, type: int, mean: 1..2, median: 1..2, min: 1e9}}\n"
        "key: [p, n]\nrules: [{sql: \"p = 'x'\"}, {sql: 'CAST(p AS INT) > 1'}]"
    )
    rows = [[canary, "77123"], [canary, "77123"], ["a" + canary, "77123x"], ["a", "1"]]

    found = judge({"p": "text", "n": "int"}, rows, text)

    assert len(found) >= 10
    assert canary not in repr(found)
    assert "77123" not in repr(found)


def test_a_column_that_is_named_must_be_there_unless_optional(judge):
    text = "columns: {agee: {min: 0}, other: {optional: true}}\nkey: [agee, id]"

    found = judge({"age": "int"}, [["1"]], text)

    assert {key: one.message for key, one in found.items()} == {
        "agee.missing-column": "no column agee",
        "id.missing-column": "no column id",
    }
    assert found["agee.missing-column"].hint == "did you mean age?"


def test_columns_that_the_checks_do_not_name_have_the_severity_asked_for(judge):
    found = judge({"a": "int", "b": "int"}, [["1", "2"]], "columns: {a: {}}\nother_columns: warn")

    assert found["other-columns"].message == "1 column that the checks do not name: b"
    assert found["other-columns"].severity is Severity.WARN
    assert verdict(found.values()) is Verdict.WARN


def test_too_few_and_too_many_rows(judge):
    assert judge({"a": "int"}, [["1"]], "rows: {min: 1, max: 1}") == {}
    few = judge({"a": "int"}, [["1"]], "rows: {min: 2}")["rows"]
    assert few.message == "1 row, allowed at least 2"
    assert "rows" in judge({"a": "int"}, [["1"], ["2"]], "rows: {max: 1}")


def test_an_empty_table_breaks_no_bound_on_values(judge):
    text = "columns: {a: {min: 0, nulls: '<= 1%', unique: true}, b: {mean: 1..2}}\nkey: a"

    found = judge({"a": "int", "b": "int"}, [], text)

    assert {key: one.message for key, one in found.items()} == {
        "b.mean": "could not run: no values"
    }


def test_label_and_group_must_be_there_too(judge):
    found = judge({"a": "int"}, [["1"]], "columns: {a: {}}\nlabel: churned\ngroup: user")

    assert set(found) == {"churned.missing-column", "user.missing-column"}


@pytest.mark.parametrize(
    ("name", "is_doubted"),
    [("state", False), ("stat", True), ("nulls", False), ("nuls", True), ("state.nulls", False),
     ("stat.nulls", True), ("other.nulls", True), ("ragged-rows", False), ("js", True)],
)  # fmt: skip
def test_a_severity_for_what_is_not_there_is_a_warning(judge, name, is_doubted):
    found = judge(
        {"state": "text"}, [["x"]], f"columns: {{state: {{}}}}\nseverity: {{{name}: warn}}"
    )

    assert [one.severity for one in found.values()] == ([Severity.WARN] if is_doubted else [])


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        ("maen", "mean"),
        ("uniqe", "unique"),
        ("mean", ""),
        ("psi", ""),
        ("unlike-history", ""),
        ("js", "js-distance-base2"),
        ("far_tails", "far-tails"),
        ("cramers-v", ""),
    ],
)
def test_an_ignore_entry_with_a_typing_error_in_the_code_is_doubted(judge, code, meant):
    text = f"columns: {{a: {{nulls: 0}}}}\nignore: [{{finding: a.{code}, until: 2027-01-01, reason: x}}]"

    found = judge({"a": "int"}, [["1"]], text)

    assert [one.hint for one in found.values()] == ([f"did you mean {meant}?"] if meant else [])


def test_an_ignore_entry_that_names_a_column_alone_is_doubted(judge):
    text = "columns: {age: {nulls: 0}}\nignore: [{finding: age, until: 2027-01-01, reason: x}]"

    found = judge({"age": "int"}, [["1"]], text)["unknown-target"]

    assert found.message == "age is a column and no finding, so nothing is ignored"
    assert (found.severity, found.hint) == (Severity.WARN, "name one, as age.nulls")


def test_statistics_of_a_column_without_any_value_of_its_type_are_told_by_the_type(judge):
    text = "columns: {age: {type: int, mean: 1..9, median: 1..9, shares: {1: '>= 10%'}}}"

    found = judge({"age": "text"}, [["x"], ["y"]], text)
    empty = judge({"age": "text"}, [[None], [None]], text)

    assert list(found) == ["age.type"]
    assert {one.outcome.value for one in empty.values()} == {"undecided"}


def test_an_ignore_entry_for_no_column_names_its_line(judge):
    text = "columns: {age: {}}\nignore:\n  - {finding: agee.nulls, until: 2027-01-01, reason: x}"

    found = judge({"age": "int"}, [["1"]], text)["unknown-target"]

    assert (str(found.rule), found.hint) == ("data.csv.checks.yaml:3", "did you mean age?")
