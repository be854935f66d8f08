"""What the checks and the baseline both miss is told once."""

from __future__ import annotations

from dataclasses import replace

from dvtool.quality.findings import Evidence, Example, Finding, Place, Severity
from dvtool.quality.folding import of_old_data, without_repeats

RULE = Place("t.csv.checks.yaml", 3)
MISSING = Finding(
    "missing-column",
    "no column state",
    Place("t.csv"),
    Evidence.SCHEMA,
    column="state",
    rule=RULE,
    hint="did you mean stat?",
)
REMOVED = Finding(
    "column-removed", "column state (text) is gone", Place("t.csv"), Evidence.SCHEMA, column="state"
)
RENAMED = Finding(
    "column-renamed",
    "column state is gone and province is new: renamed?",
    Place("t.csv"),
    Evidence.SCHEMA,
    column="province",
    figures={"was": "state"},
)
TYPE = Finding(
    "type",
    "9 of 9 values are not int",
    Place("t.csv", 2),
    Evidence.SCHEMA,
    column="age",
    rule=RULE,
    examples=(Example(Place("t.csv", 2), "x"),),
)
RETYPED = Finding(
    "column-retyped",
    "int became text; likely fault: a unit was added",
    Place("t.csv"),
    Evidence.SCHEMA,
    column="age",
)


def test_a_column_that_is_gone_is_one_finding_with_the_line_of_the_checks():
    (told,) = without_repeats([MISSING, REMOVED])

    assert (told.code, told.rule) == ("missing-column", RULE)
    assert told.message == "no column state, which the baseline has"
    assert told.figures["explains"] == {"column-removed": 1}


def test_another_name_is_told_with_the_column_that_the_checks_miss():
    (told,) = without_repeats([RENAMED, MISSING])

    assert (told.code, told.hint) == ("missing-column", "")
    assert told.message == "no column state; province is new: renamed?"


def test_another_type_is_one_finding_with_its_examples_and_its_cause():
    (told,) = without_repeats([TYPE, RETYPED])

    assert told.examples == TYPE.examples
    assert told.message == (
        "9 of 9 values are not int; int became text; likely fault: a unit was added"
    )


def test_what_weighs_more_stays_and_gets_the_line_of_the_checks():
    (told,) = without_repeats([replace(TYPE, severity=Severity.WARN), RETYPED])

    assert (told.code, told.severity) == ("column-retyped", Severity.FAIL)
    assert (told.rule, told.examples) == (RULE, TYPE.examples)


def test_other_columns_and_what_was_accepted_stay():
    other = replace(REMOVED, column="city")
    accepted = replace(REMOVED, severity=Severity.NOTE, waived=True)
    unasked = replace(MISSING, rule=None)

    assert without_repeats([MISSING, other]) == [MISSING, other]
    assert without_repeats([MISSING, accepted]) == [MISSING, accepted]
    assert without_repeats([unasked, REMOVED]) == [unasked, REMOVED]


def test_alarms_that_old_rows_explain_are_told_by_them():
    place = Place("t.csv")
    again = Finding("history-same-rows", "the rows are those of v3 again", place, Evidence.HISTORY)
    alarm = Finding("unlike-history", "mean 3", place, Evidence.HISTORY, column="n")
    bytes_too = Finding("earlier-data", "the same as v3", place, Evidence.STRUCTURE)
    mild = replace(again, severity=Severity.WARN)

    (told,), others = of_old_data([again, alarm], [bytes_too, REMOVED])

    assert (told.code, told.figures["explains"]) == ("history-same-rows", {"unlike-history": 1})
    assert others == [REMOVED]
    assert of_old_data([mild, alarm], [])[0][1] == alarm
    assert of_old_data([alarm], [bytes_too]) == ([alarm], [bytes_too])
