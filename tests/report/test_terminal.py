"""The report on one screen: golden text, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace

from dvtool.quality.findings import Evidence, Example, Finding, Outcome, Place, Severity
from dvtool.quality.judged import Baseline, JudgedTable, Judgement
from dvtool.report.drift_table import drift_lines
from dvtool.report.terminal import lines

NULLS = Finding(
    "nulls",
    "2 of 9 values missing, allowed 0",
    Place("a.csv", 3, 2),
    Evidence.SCHEMA,
    column="age",
    rule=Place("a.csv.checks.yaml", 4),
    examples=(Example(Place("a.csv", 3, 2), None), Example(Place("a.csv", 7, 6), "x" * 60)),
    hint="ask the source",
)
TABLE = JudgedTable(
    "a.csv",
    (NULLS,),
    rows=1234,
    columns=3,
    reading="csv comma",
    baseline=Baseline("a.csv@abc", "given"),
    would_decide_more=("more rows",),
)


def shown(*tables: JudgedTable, verbose: bool = False, version: str = "staged") -> list[str]:
    return list(lines([Judgement("a.csv", version, tables)], verbose=verbose))


def test_a_failing_table_says_verdict_baseline_finding_rule_examples_and_hint() -> None:
    assert shown(TABLE) == [
        "a.csv: fail (1,234 rows, 3 columns, csv comma, staged)",
        "  compared with a.csv@abc, given",
        "  fail      a.csv:3 age: 2 of 9 values missing, allowed 0 [nulls] (a.csv.checks.yaml:4)",
        f"            line 7: '{'x' * 37}…'",
        "            hint: ask the source",
        "  would decide more: more rows",
    ]


def test_notes_are_counted_and_shown_on_request() -> None:
    note = replace(NULLS, severity=Severity.NOTE, message="a fact")
    table = replace(TABLE, findings=(note,))

    assert "  1 note (-v shows it)" in shown(table)
    assert not any("a fact" in line for line in shown(table))
    assert any("a fact" in line for line in shown(table, verbose=True))


def test_many_findings_are_cut_and_counted() -> None:
    table = replace(TABLE, findings=(NULLS,) * 20)

    assert "  and 8 more findings (-v shows them)" in shown(table)
    assert sum("[nulls]" in line for line in shown(table, verbose=True)) == 20


def test_undecided_is_never_called_fail_or_pass() -> None:
    table = replace(TABLE, findings=(replace(NULLS, outcome=Outcome.UNDECIDED),))

    head, _, finding, *_ = shown(table)
    assert head.startswith("a.csv: undecided")
    assert finding.startswith("  undecided a.csv:3")


def test_several_tables_end_with_their_counts() -> None:
    passed = JudgedTable("b.csv", rows=1, columns=1)
    other = JudgedTable("c.md", is_table=False)

    assert shown(TABLE, passed, other)[-1] == "3 tables: 1 pass, 1 fail, 1 not-judged"


def test_a_data_set_without_a_table_is_said_to_be_not_judged() -> None:
    assert shown()[0] == "a.csv: not-judged, no file in it is a table"


def test_drift_is_a_line_an_effect_what_drifted_first() -> None:
    effect = {
        "method": "psi",
        "value": 0.3,
        "low": 0.26,
        "high": None,
        "allowed": 0.25,
        "decides": True,
    }
    columns = tuple(
        {"column": name, "role": role, "decision": how, "effects": [{**effect, "decision": how}]}
        for name, role, how in (("calm", "covariate", "pass"), ("y", "prior-probability", "fail"))
    )

    assert list(drift_lines(replace(TABLE, drift=columns))) == [
        "a.csv against a.csv@abc, given",
        "  column     method  figure  interval   allowed  decision",
        "  y (label)  psi     0.3     0.26 to -  0.25     fail",
        "  calm       psi     0.3     0.26 to -  0.25     pass",
    ]
    assert list(drift_lines(TABLE)) == ["a.csv: no column is compared with a.csv@abc, given"]


def test_experimental_figures_are_marked_and_the_reweighted_one_is_named() -> None:
    effect = {"value": 0.3, "low": 0.2, "high": 0.4, "allowed": 0.1, "experimental": True}
    change = {
        "column": "y",
        "role": "concept",
        "decision": "fail",
        "is_concept_drift": True,
        "effects": [
            {**effect, "method": "performance_change", "decides": True, "decision": "fail"},
            {**effect, "method": "performance_change_reweighted", "decides": False},
        ],
    }

    told = list(drift_lines(replace(TABLE, drift=(change,))))
    calm = list(drift_lines(replace(TABLE, drift=({**change, "is_concept_drift": False},))))

    assert [line.split("  ")[-1] for line in told[2:]] == ["fail", "concept drift"]
    assert "performance_change (experimental) " in told[2]
    assert "performance_change_reweighted (experimental) " in told[3]
    assert calm[3].endswith("shown only")


def test_a_line_break_in_a_name_forges_no_verdict() -> None:
    forged = JudgedTable("a\nb.csv: pass (1 row).csv", (NULLS,), rows=3, columns=1)

    told = shown(forged)

    assert told[0].startswith(r"a\x0ab.csv: pass (1 row).csv: fail (3 rows")
    assert not any("\n" in line for line in told)


def test_a_name_that_turns_reading_around_is_shown_by_its_codes() -> None:
    assert shown(JudgedTable("a\u202egpj.csv"))[0].startswith(r"a\u{202e}gpj.csv: pass")


def test_a_folder_of_files_that_are_no_tables_is_said_to_be_not_judged() -> None:
    told = shown(JudgedTable("d/readme.md", is_table=False))

    assert told[0].endswith(": not-judged, no file in it is a table")
