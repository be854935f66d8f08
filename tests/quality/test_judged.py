"""Verdicts follow from findings by one truth table, and judgements survive being written down."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvtool.errors import InvalidText
from dvtool.quality.findings import Evidence, Example, Finding, Outcome, Place, Severity, Verdict
from dvtool.quality.findings import verdict as verdict_of
from dvtool.quality.judged import Baseline, JudgedTable, Judgement, from_json, to_json, worst

TABLE = {
    (Outcome.VIOLATED, Severity.FAIL): Verdict.FAIL,
    (Outcome.UNDECIDED, Severity.FAIL): Verdict.UNDECIDED,
    (Outcome.VIOLATED, Severity.WARN): Verdict.WARN,
    (Outcome.UNDECIDED, Severity.WARN): Verdict.WARN,
    (Outcome.VIOLATED, Severity.NOTE): Verdict.PASS,
    (Outcome.UNDECIDED, Severity.NOTE): Verdict.PASS,
}
RANK = [Verdict.FAIL, Verdict.UNDECIDED, Verdict.WARN, Verdict.PASS]


def finding(outcome: Outcome, severity: Severity) -> Finding:
    return Finding("c", "m", Place("f"), Evidence.SCHEMA, severity=severity, outcome=outcome)


@pytest.mark.parametrize(("kind", "expected"), list(TABLE.items()))
def test_the_truth_table_of_one_finding(kind, expected) -> None:
    assert verdict_of([finding(*kind)]) is expected


def test_nothing_found_is_a_pass() -> None:
    assert verdict_of([]) is Verdict.PASS


@pytest.mark.parametrize("kinds", list(itertools.combinations(TABLE, 2)))
def test_of_two_findings_the_worse_one_decides(kinds) -> None:
    expected = min((TABLE[kind] for kind in kinds), key=RANK.index)

    assert verdict_of([finding(*kind) for kind in kinds]) is expected


def test_tables_that_are_not_judged_do_not_count() -> None:
    assert worst([Verdict.NOT_JUDGED, Verdict.PASS]) is Verdict.PASS
    assert worst([Verdict.NOT_JUDGED]) is Verdict.NOT_JUDGED
    assert worst([]) is Verdict.NOT_JUDGED


TEXT = st.text(max_size=5)
PLACES = st.builds(Place, TEXT, st.integers(0, 9), st.integers(0, 9))
FINDINGS = st.builds(
    Finding,
    TEXT,
    TEXT,
    PLACES,
    st.sampled_from(Evidence),
    column=TEXT,
    severity=st.sampled_from(Severity),
    outcome=st.sampled_from(Outcome),
    rule=st.none() | PLACES,
    examples=st.lists(st.builds(Example, PLACES, st.none() | TEXT), max_size=2).map(tuple),
    figures=st.dictionaries(TEXT, st.integers() | TEXT, max_size=2),
    hint=TEXT,
)
TABLES = st.builds(
    JudgedTable,
    TEXT,
    st.lists(FINDINGS, max_size=2).map(tuple),
    rows=st.integers(0, 99),
    baseline=st.none() | st.builds(Baseline, TEXT, TEXT),
    is_table=st.booleans(),
)


@given(st.builds(Judgement, TEXT, TEXT, st.lists(TABLES, max_size=2).map(tuple)))
def test_a_judgement_written_down_reads_back_equal(judgement: Judgement) -> None:
    read = from_json(json.loads(json.dumps(to_json(judgement))))

    assert read.tables == judgement.tables
    assert read.verdict is judgement.verdict
    assert read.remembered


@pytest.mark.parametrize("text", ["{}", '{"format": 1}', '{"format": 99}', "[]", "3"])
def test_what_is_no_judgement_is_refused(text: str) -> None:
    with pytest.raises(InvalidText):
        from_json(json.loads(text))
