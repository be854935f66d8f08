"""What changed between the columns of two versions of a table.

A pure function of two lists of columns: no file, no engine. Whether rows were lost or the data are
the same is not decided here. The judging of a version against its baseline calls it.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.table import Column

POLICIES = ("fail", "warn", "allow")
_ALIKE = 0.6
_TOLD = 4


def severity_by(policy: str, *, mild: bool = False) -> Severity:
    """Returns what `schema_change:` makes of a change of columns; a mild one never fails."""
    return {
        "fail": Severity.WARN if mild else Severity.FAIL,
        "warn": Severity.WARN,
        "allow": Severity.NOTE,
    }[policy]


def compare_schema(
    before: Sequence[Column], after: Sequence[Column], *, policy: str = "fail", name: str = ""
) -> tuple[Finding, ...]:
    """Returns what changed from one list of columns to the next; nothing when they are equal.

    A removed and an added column are called one renamed column when they are of one kind and stand
    in the same place, or have similar names. Tables without a common or similar name are told so once.
    A whole column that moved is `columns-reordered`; an `int` that became `float`, a number that
    became text and the like are `column-retyped`.

    Args:
        before: Columns of the earlier version.
        after: Columns of the version judged.
        policy: `fail` lets removed, renamed and retyped columns fail and the rest warn; `warn` lets
            all warn; `allow` only notes them.
        name: The file as the user knows it.

    Raises:
        ValueError: An unknown policy.
    """
    if policy not in POLICIES:
        raise ValueError(f"policy {policy!r} is none of {', '.join(POLICIES)}")
    old = {one.name: one for one in before}
    new = {one.name: one for one in after}
    removed = [one for one in before if one.name not in new]
    added = [one for one in after if one.name not in old]
    renamed = _renamed(before, after, removed, added)
    if _is_another_table(before, after, removed, renamed):
        return (_nothing_in_common(before, after, name, policy),)
    findings: list[Finding] = []
    for was, now in renamed:
        removed.remove(was)
        added.remove(now)
        message = f"column {was.name} is gone and {now.name} is new: renamed?"
        findings.append(_finding("column-renamed", message, name, now.name, policy, was=was.name))
        if was.kind is not now.kind:
            findings.append(_retyped(was, now, name, policy))
    for one in removed:
        message = f"column {one.name} ({one.kind.value}) is gone"
        findings.append(_finding("column-removed", message, name, one.name, policy))
    for one in added:
        message = f"column {one.name} ({one.kind.value}) is new"
        findings.append(_finding("column-added", message, name, one.name, policy, mild=True))
    findings += [
        _retyped(was, new[was.name], name, policy)
        for was in before
        if was.name in new and new[was.name].kind is not was.kind
    ]
    was_order = [one.name for one in before if one.name in new]
    now_order = [one.name for one in after if one.name in old]
    if was_order != now_order:
        moved = [now for was, now in zip(was_order, now_order, strict=True) if was != now]
        message = f"{len(moved)} columns stand in another place: {', '.join(moved[:5])}"
        findings.append(_finding("columns-reordered", message, name, "", policy, mild=True))
    return tuple(findings)


def _likeness(was: Column, now: Column) -> float:
    return difflib.SequenceMatcher(None, was.name.casefold(), now.name.casefold()).ratio()


def _is_another_table(
    before: Sequence[Column],
    after: Sequence[Column],
    removed: Sequence[Column],
    renamed: Sequence[tuple[Column, Column]],
) -> bool:
    """Tells whether no name is the same or similar, and columns do not just have other names."""
    if not before or not after or len(removed) < len(before):
        return False
    is_same_shape = len(renamed) == len(before) == len(after)
    return not is_same_shape and all(_likeness(*pair) < _ALIKE for pair in renamed)


def _nothing_in_common(
    before: Sequence[Column], after: Sequence[Column], name: str, policy: str
) -> Finding:
    sides = [_listed(after), _listed(before)]
    message = f"no column in common with the baseline: {sides[0]} here, {sides[1]} there"
    return replace(
        _finding("no-common-columns", message, name, "", policy),
        hint="compare with an earlier version of the same table, or read both with the same header",
    )


def _listed(columns: Sequence[Column]) -> str:
    told = ", ".join(one.name for one in columns[:_TOLD])
    left = len(columns) - _TOLD
    return f"{told} and {left} more" if left > 0 else told


def _renamed(
    before: Sequence[Column],
    after: Sequence[Column],
    removed: Sequence[Column],
    added: Sequence[Column],
) -> list[tuple[Column, Column]]:
    """Guesses pairs of one column under two names, the most alike first, each used once."""
    places = {one.name: place for place, one in enumerate(before)}
    spots = {one.name: place for place, one in enumerate(after)}
    guesses = []
    for was in removed:
        for now in added:
            alike = _likeness(was, now)
            here = len(before) == len(after) and places[was.name] == spots[now.name]
            numbers = was.kind.is_number and now.kind.is_number
            same = was.kind is now.kind or numbers
            if same and (here or alike >= _ALIKE):
                guesses.append((alike + here, was, now))
    guesses.sort(key=lambda one: (-one[0], places[one[1].name], spots[one[2].name]))
    pairs: list[tuple[Column, Column]] = []
    for _, was, now in guesses:
        if all(was is not one and now is not two for one, two in pairs):
            pairs.append((was, now))
    return pairs


def _retyped(was: Column, now: Column, name: str, policy: str) -> Finding:
    message = f"{was.kind.value} became {now.kind.value}"
    figures = {"was": was.kind.value, "now": now.kind.value}
    mild = (was.kind is Kind.TEXT and not now.kind.is_number) or (
        was.kind is Kind.FLOAT and now.kind is Kind.INT
    )
    return _finding("column-retyped", message, name, now.name, policy, mild=mild, **figures)


def _finding(
    code: str,
    message: str,
    name: str,
    column: str,
    policy: str,
    *,
    mild: bool = False,
    **figures: str,
) -> Finding:
    return Finding(
        code,
        message,
        Place(name),
        Evidence.SCHEMA,
        column=column,
        severity=severity_by(policy, mild=mild),
        figures=dict(figures),
    )
