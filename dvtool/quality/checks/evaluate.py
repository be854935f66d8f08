"""Judges the rows of one table by its checks.

One pass counts everything that single rows can break; what needs grouping or sorting is asked for
one by one, exactly. Comparison with other versions, drift and splits are not here, nor are
pandera schemas (`schema_reference`). `dvtool.quality.judging` is the caller.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from functools import partial

from dvtool.errors import InvalidText
from dvtool.quality.checks import figures, kindrule, timing, wholerules
from dvtool.quality.checks.cells import Cell, cell_of
from dvtool.quality.checks.expression import check_expression
from dvtool.quality.checks.model import ColumnSpec, TableSpec
from dvtool.quality.checks.rowrules import RowRule, column_rules, expression_rule
from dvtool.quality.checks.scan import Scan, example_rows
from dvtool.quality.checks.shape import judge_shape, missing_for
from dvtool.quality.checks.subject import Asked, Subject, of
from dvtool.quality.checks.vocabulary import COLUMN
from dvtool.quality.checks.wholerules import TableOf
from dvtool.quality.findings import Evidence, Finding, Outcome, Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.table import Table

_CODES = {word.key: word.code for word in COLUMN.words if word.code}
_STATISTICS = frozenset({*figures.KEYS, "distinct", "shares"})
Judge = Callable[[], Iterator[Finding]]


def evaluate(
    engine: Engine,
    table: Table,
    spec: TableSpec,
    *,
    source: str,
    limit: int = 5,
    now: datetime.datetime | None = None,
    table_of: TableOf | None = None,
) -> list[Finding]:
    """Returns what the rows of a table break, one finding a cause.

    Severities are those of the keys; `policy.apply_policy` applies `severity:` and `ignore:`.

    Args:
        engine: Holds the table's views.
        table: As `open_table` gave it.
        spec: Its checks.
        source: The checks file, as the user knows it.
        limit: Most examples a finding carries.
        now: The clock for `fresh`; None makes that undecided.
        table_of: Opens another table in the same engine, for `in_table`; None makes that
            undecided.

    Returns:
        Findings, the table's shape first, then columns, then rules; empty when everything holds.
        A check that cannot run is an undecided finding, never an exception.
    """
    subject = Subject(engine, table, source, spec.private, limit)
    by_name = {column.name: column for column in table.columns}
    cells = [
        cell_of(one, by_name[one.name], table.options.format)
        for one in spec.columns
        if one.name in by_name
    ]
    rules: list[RowRule] = []
    found = list(judge_shape(subject, spec))
    for cell in cells:
        found += _gather(subject, cell, rules)
    found += _gather_expressions(subject, spec, rules)
    scan = Scan(subject)
    for cell in cells:
        scan.want(*_wanted(cell))
    for rule in rules:
        scan.want(_count(rule), rule.total)
    scan.run()
    for cell in cells:
        is_key = spec.key == (cell.spec.name,)
        found += _judge_column(subject, cell, scan, table_of, is_key=is_key)
    for rule in rules:
        found += subject.attempt(rule.asked, partial(_judge_rule, subject, rule, scan))
    return found + _judge_table(subject, spec, now)


def asked_by(source: str, spec: ColumnSpec, key: str) -> Asked:
    """Returns who asks when a key of a column's entry does."""
    kind = Evidence.STATISTICS if key in _STATISTICS else Evidence.SCHEMA
    return Asked(_CODES[key], spec.at(key, source), spec.name, kind)


def _gather(subject: Subject, cell: Cell, rules: list[RowRule]) -> Iterator[Finding]:
    """Adds a column's rules; yields what its kind does not have."""
    if not cell.fits:
        return
    given = {
        "min": cell.spec.min is not None,
        "max": cell.spec.max is not None,
        "in": bool(cell.spec.allowed),
        "matches": bool(cell.spec.matches),
        "length": cell.spec.length is not None,
    }
    asked = {key: asked_by(subject.source, cell.spec, key) for key, is_on in given.items() if is_on}
    for one in column_rules(cell, asked):
        if isinstance(one, RowRule):
            rules.append(one)
        else:
            yield subject.undecided(*one)


def _gather_expressions(
    subject: Subject, spec: TableSpec, rules: list[RowRule]
) -> Iterator[Finding]:
    """Adds the rules in SQL; yields those that are no expression over the columns."""
    names = tuple(column.name for column in subject.table.columns)
    for rule in spec.rules:
        severity = rule.severity or Severity.FAIL
        asked = Asked("rule", rule.at("sql", subject.source), severity=severity)
        try:
            used = check_expression(subject.engine, rule.sql, names)
            _check_boolean(subject, rule.sql)
        except InvalidText as error:
            hint = f" ({error.hint})" if error.hint else ""
            yield subject.undecided(asked, f"{error.message}{hint}")
        else:
            rules.append(expression_rule(rule, asked, used, spec.private))


def _check_boolean(subject: Subject, sql: str) -> None:
    """Refuses a rule that gives something else than true or false, which the engine would convert."""
    import duckdb

    try:
        told = subject.engine.rows(f"DESCRIBE SELECT ({sql}\n) FROM {subject.table.source}")
    except duckdb.Error:
        return  # what the engine does not understand is told when the rule runs
    if (found := told[0][1]) != "BOOLEAN":
        raise InvalidText(f"a rule is true or false for a row, this one gives {found}")


def _count(rule: RowRule) -> str:
    return f"count(*) FILTER ({rule.violated})"


def _wanted(cell: Cell) -> Iterator[str]:
    if not cell.fits:
        return
    yield from kindrule.wanted(cell)
    statistics = figures.aggregates(cell) if cell.kind.is_number or cell.kind is Kind.BOOL else {}
    for key in ("mean", "std"):
        if key in statistics and getattr(cell.spec, key) is not None:
            yield from (statistics[key], statistics["present"])


def _judge_rule(subject: Subject, rule: RowRule, scan: Scan) -> Iterator[Finding]:
    count, total = int(scan[_count(rule)]), int(scan[rule.total])
    if count == 0 or (rule.allowed is not None and rule.allowed.holds_count(count, total)):
        return
    rows = example_rows(subject, rule.violated, rule.value)
    allowed = f", allowed {rule.allowed.words()}" if rule.allowed else ""
    share = f" ({100 * count / total:.4g}%)" if rule.allowed and total else ""
    yield subject.violated(
        rule.asked,
        f"{of(count, total, rule.noun)} {rule.says}{share}{allowed}",
        rows=rows,
        figures={"found": count, "of": total},
    )


def _judge_column(
    subject: Subject, cell: Cell, scan: Scan, table_of: TableOf | None, *, is_key: bool
) -> list[Finding]:
    """Returns the findings of one column; the key alone has its own finding when not unique."""
    spec = cell.spec

    def judge(key: str, run: Callable[[Asked], Iterator[Finding]]) -> list[Finding]:
        asked = asked_by(subject.source, spec, key)
        return subject.attempt(asked, partial(run, asked))

    if not cell.fits:
        return judge("type", lambda asked: kindrule.judge_type(subject, asked, cell, scan))
    given: list[tuple[str, bool, Callable[[Asked], Iterator[Finding]]]] = [
        ("type", spec.type is not None, lambda a: kindrule.judge_type(subject, a, cell, scan)),
        ("nulls", spec.nulls is not None, lambda a: kindrule.judge_nulls(subject, a, cell, scan)),
        ("unique", spec.unique and not is_key, lambda a: wholerules.judge_unique(subject, a, cell)),
        ("distinct", bool(spec.distinct), lambda a: wholerules.judge_distinct(subject, a, cell)),
        ("order", bool(spec.order), lambda a: wholerules.judge_order(subject, a, cell)),
        (
            "in_table",
            bool(spec.in_table),
            lambda a: wholerules.judge_in_table(subject, a, cell, table_of),
        ),
        ("mean", bool(spec.mean), lambda a: _statistic(subject, a, cell, scan, "mean")),
        ("std", bool(spec.std), lambda a: _statistic(subject, a, cell, scan, "std")),
        ("median", bool(spec.median), lambda a: _quantiles(subject, a, cell, "median")),
        ("quantiles", bool(spec.quantiles), lambda a: _quantiles(subject, a, cell, "quantiles")),
        ("shares", bool(spec.shares), lambda a: wholerules.judge_shares(subject, a, cell)),
    ]
    found = [finding for key, is_on, run in given if is_on for finding in judge(key, run)]
    if any(one.code == "type" for one in found):
        # Where no value is left that a figure could be of, the type has said so.
        found = [one for one in found if not _lacks_values(one)]
    return found


def _lacks_values(finding: Finding) -> bool:
    return finding.outcome is Outcome.UNDECIDED and finding.figures.get("present") == 0


_statistic = figures.judge_statistic
_quantiles = figures.judge_quantiles


def _judge_table(subject: Subject, spec: TableSpec, now: datetime.datetime | None) -> list[Finding]:
    names = {column.name for column in subject.table.columns}
    found: list[Finding] = []
    if spec.key:
        asked = Asked("key", spec.at("key", subject.source))
        absent = [name for name in spec.key if name not in names]
        if absent:
            found += missing_for(subject, spec, asked, absent)
        else:
            found += subject.attempt(
                asked, lambda: wholerules.judge_key(subject, asked, spec.key, _required(spec))
            )
    if spec.time is not None:
        found += _judge_time(subject, spec, now, names)
    return found


def _required(spec: TableSpec) -> frozenset[str]:
    """Columns of which `nulls` already says that none may be missing."""
    return frozenset(
        one.name for one in spec.columns if one.nulls is not None and one.nulls.high == 0
    )


def _judge_time(
    subject: Subject, spec: TableSpec, now: datetime.datetime | None, names: set[str]
) -> list[Finding]:
    time = spec.time
    assert time is not None
    if time.column not in names:
        asked = Asked("time", time.at("column", subject.source))
        return list(missing_for(subject, spec, asked, [time.column]))
    found: list[Finding] = []
    if time.fresh_s is not None:
        fresh = Asked("fresh", time.at("fresh", subject.source), time.column)
        found += subject.attempt(fresh, lambda: timing.judge_fresh(subject, fresh, time, now))
    if time.gaps_s is not None:
        gaps = Asked("gaps", time.at("gaps", subject.source), time.column)
        found += subject.attempt(gaps, lambda: timing.judge_gaps(subject, gaps, time))
    return found
