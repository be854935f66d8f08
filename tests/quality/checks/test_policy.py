"""Severities and waivers: what counts, and until when."""

from __future__ import annotations

import datetime

import pytest

from dvtool.core.allow import Allowance
from dvtool.core.digest import Digest
from dvtool.quality.checks.parsing import parse_checks
from dvtool.quality.checks.policy import apply_allowances, apply_policy
from dvtool.quality.findings import (
    Evidence,
    Finding,
    Outcome,
    Place,
    Severity,
    Verdict,
    verdict,
)

TODAY = datetime.date(2026, 11, 23)


def _finding(code, column="", severity=Severity.FAIL):
    return Finding(code, "x", Place("a.csv"), Evidence.SCHEMA, column, severity)


def _apply(text, *findings, today=TODAY):
    return apply_policy(findings, parse_checks(text).tables[0], today, source="a.checks.yaml")


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("columns: {a: {}}", Severity.FAIL),
        ("columns: {a: {severity: warn}}", Severity.WARN),
        ("columns: {a: {}}\nseverity: {a: warn}", Severity.WARN),
        ("columns: {a: {}}\nseverity: {nulls: note}", Severity.NOTE),
        ("columns: {a: {}}\nseverity: {a.nulls: note, a: warn}", Severity.NOTE),
        ("columns: {a: {severity: warn}}\nseverity: {nulls: note}", Severity.WARN),
        ("columns: {a: {}}\nseverity: {b: warn, max: note}", Severity.FAIL),
    ],
)
def test_the_most_exact_name_decides_the_severity(text, severity):
    (found,) = _apply(text, _finding("nulls", "a"))

    assert found.severity is severity


def test_structural_findings_are_meant_by_their_code():
    (found,) = _apply("key: id\nseverity: {ragged-rows: warn}", _finding("ragged-rows"))

    assert found.severity is Severity.WARN


IGNORE = "key: id\nignore: [{finding: a.nulls, until: 2026-11-23, reason: known  gap}]"


def test_an_ignored_finding_stays_as_a_note_through_its_last_day():
    found = _apply(IGNORE, _finding("nulls", "a"), _finding("nulls", "b"))

    assert [one.severity for one in found] == [Severity.NOTE, Severity.FAIL]
    assert found[0].hint == "ignored until 2026-11-23: known gap"


def test_the_day_after_it_counts_again_and_a_warning_names_the_line():
    found = _apply(IGNORE, _finding("nulls", "a"), today=datetime.date(2026, 11, 24))

    assert [(one.code, one.severity) for one in found] == [
        ("nulls", Severity.FAIL),
        ("expired-ignore", Severity.WARN),
    ]
    assert str(found[1].rule) == "a.checks.yaml:2"
    assert verdict(found) is Verdict.FAIL


def test_an_expired_entry_whose_finding_is_gone_says_nothing():
    assert _apply(IGNORE, today=datetime.date(2027, 1, 1)) == []


def test_the_readers_word_for_wrong_types_goes_when_the_checks_say_the_same():
    found = _apply(
        "key: id", _finding("mixed-types", "a"), _finding("mixed-types", "b"), _finding("type", "a")
    )

    assert [one.key for one in found] == ["b.mixed-types", "a.type"]


# -- the truth table of docs/checks.md -------------------------------------------------------------

YESTERDAY, TOMORROW = datetime.date(2026, 11, 22), datetime.date(2026, 11, 24)


def _allowance(finding="a.nulls", kind="exception", until=None):
    return Allowance(Digest(b"\1" * 32), finding, kind, "sensor", "Ada <a@x>", TODAY, until)


@pytest.mark.parametrize(
    ("outcome", "severity", "waiver", "answer"),
    [
        ("violated", "fail", "none", "fail"),
        ("violated", "fail", "in force", "pass"),
        ("violated", "fail", "expired", "fail"),
        ("violated", "warn", "none", "warn"),
        ("violated", "warn", "in force", "pass"),
        ("violated", "warn", "expired", "warn"),
        ("violated", "note", "none", "pass"),
        ("undecided", "fail", "none", "undecided"),
        ("undecided", "fail", "in force", "pass"),
        ("undecided", "fail", "expired", "undecided"),
        ("undecided", "warn", "none", "warn"),
        ("undecided", "warn", "in force", "pass"),
        ("undecided", "note", "none", "pass"),
    ],
)
@pytest.mark.parametrize("way", ["ignore", "allow"])
def test_severity_outcome_and_waiver_give_the_verdict_of_the_table(
    outcome, severity, waiver, answer, way
):
    until = {"none": None, "in force": TODAY, "expired": YESTERDAY}[waiver]
    finding = Finding(
        "nulls",
        "x",
        Place("a.csv"),
        Evidence.SCHEMA,
        "a",
        Severity(severity),
        outcome=Outcome(outcome),
    )

    if way == "allow":
        entries = [_allowance(until=until)] if until else []
        found = apply_allowances([finding], entries, TODAY)
    else:
        entry = f"\nignore: [{{finding: a.nulls, until: {until}, reason: gap}}]" if until else ""
        found = [one for one in _apply("key: id" + entry, finding) if one.code == "nulls"]

    assert verdict(found) is Verdict(answer)
    assert found[0].waived == (waiver == "in force")


@pytest.mark.parametrize("name", ["a.nulls", "nulls", "all"])
def test_an_allowance_means_a_finding_by_key_code_or_everything(name):
    (found,) = apply_allowances([_finding("nulls", "a")], [_allowance(name)], TODAY)

    assert found.severity is Severity.NOTE
    assert found.hint == "allowed as an exception by Ada <a@x>: sensor"


@pytest.mark.parametrize("name", ["b.nulls", "a", "a.max", "a.null"])
def test_an_allowance_means_nothing_else(name):
    (found,) = apply_allowances([_finding("nulls", "a")], [_allowance(name)], TODAY)

    assert found.severity is Severity.FAIL
    assert not found.waived


def test_of_several_entries_one_that_holds_is_enough_and_what_is_over_is_said():
    entries = [_allowance(until=YESTERDAY), _allowance("all", until=TOMORROW)]
    (found,) = apply_allowances([_finding("nulls", "a")], entries, TODAY)
    assert found.hint == "allowed as an exception until 2026-11-24 by Ada <a@x>: sensor"

    (found,) = apply_allowances([_finding("nulls", "a")], entries[:1], TODAY)
    assert found.severity is Severity.FAIL
    assert found.hint == "was allowed until 2026-11-22, and counts again"
