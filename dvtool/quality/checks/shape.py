"""What a table must look like before its values matter: columns and the number of rows.

A column that several keys need is missed once. Change of columns against a baseline is
`dvtool.quality.tables.schema`. `evaluate` calls this first; `judge_rows_change` is for whoever
knows the baseline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from dvtool.quality.checks.model import TableSpec
from dvtool.quality.checks.subject import Asked, Subject
from dvtool.quality.checks.vocabulary import CODES
from dvtool.quality.drift.methods import ALIASES, METHODS, code_of
from dvtool.quality.findings import Evidence, Finding, Place, Severity
from dvtool.quality.tables.structure import SEVERITIES
from dvtool.quality.tables.table import Table


def judge_shape(subject: Subject, spec: TableSpec) -> Iterator[Finding]:
    """Yields findings about columns that are missing or not expected, and about too few rows."""
    yield from _missing_columns(subject, spec)
    yield from _other_columns(subject, spec)
    yield from _rows(subject, spec)
    yield from _named_elsewhere(subject, spec)
    yield from _targets(subject, spec)


def missing_for(
    subject: Subject, spec: TableSpec, asked: Asked, names: Sequence[str]
) -> Iterator[Finding]:
    """Yields a finding for columns that a key of the table needs; those of `columns` have theirs."""
    for name in names:
        entry = spec.column(name)
        if entry is None or entry.optional:
            yield _missing(subject, Asked("missing-column", asked.rule, name))


def judge_rows_change(
    spec: TableSpec, table: Table, before: int, *, source: str, baseline: str
) -> list[Finding]:
    """Returns a finding when the number of rows changed more than `rows: {change: …}` allows.

    Args:
        before: Rows of the baseline; a baseline without rows allows any change.
        baseline: What messages call the baseline.
    """
    if spec.rows is None or spec.rows.change is None or before <= 0:
        return []
    change, allowed = 100 * (table.rows - before) / before, spec.rows.change
    if allowed.holds(change):
        return []
    return [
        Finding(
            code="rows-change",
            message=f"{before:,} rows became {table.rows:,} ({change:+.4g}% since {baseline}), "
            f"allowed {allowed.words()}",
            place=Place(table.name),
            evidence=Evidence.STATISTICS,
            rule=spec.rows.at("change", source),
            figures={"found": table.rows, "before": before, "change_percent": change},
        )
    ]


def _missing_columns(subject: Subject, spec: TableSpec) -> Iterator[Finding]:
    names = {column.name for column in subject.table.columns}
    for entry in spec.columns:
        if entry.name not in names and not entry.optional:
            yield _missing(
                subject, Asked("missing-column", Place(subject.source, entry.line), entry.name)
            )


def _missing(subject: Subject, asked: Asked) -> Finding:
    names = [column.name for column in subject.table.columns]
    near = get_close_matches(asked.column, names, n=1)
    hint = f"did you mean {near[0]}?" if near else ""
    return subject.violated(asked, f"no column {asked.column}", hint=hint)


def _named_elsewhere(subject: Subject, spec: TableSpec) -> Iterator[Finding]:
    """Yields columns that `label` and `group` name and the table does not have."""
    names = {column.name for column in subject.table.columns}
    for key, name in (("label", spec.label), ("group", spec.group)):
        if name and name not in names and name not in spec.key:
            asked = Asked("missing-column", spec.at(key, subject.source), name)
            yield from missing_for(subject, spec, asked, [name])


def _targets(subject: Subject, spec: TableSpec) -> Iterator[Finding]:
    """Yields names of `severity` and `ignore` that are most likely a slip of the pen.

    Which codes other evidence has is not known here, so a lone word is doubted only when it is
    nearly, but not quite, the name of a column or a code.
    """
    columns = {column.name for column in subject.table.columns}
    columns |= {entry.name for entry in spec.columns}
    named = [(name, spec.at("severity", subject.source)) for name, _ in spec.severities]
    named += [(entry.finding, entry.at("finding", subject.source)) for entry in spec.ignore]
    for entry in spec.ignore:
        if entry.finding in columns and entry.finding not in CODES:
            asked = Asked(
                "unknown-target", entry.at("finding", subject.source), severity=Severity.WARN
            )
            message = f"{entry.finding} is a column and no finding, so nothing is ignored"
            yield subject.violated(asked, message, hint=f"name one, as {entry.finding}.nulls")
    for name, rule in named:
        column, dot, code = name.rpartition(".")
        if dot and column in columns and name not in columns:
            yield from _doubted_code(subject, name, code, rule)
        if name in columns or name in CODES or (dot and column in columns):
            continue
        near = _by_method(name) or get_close_matches(
            column or name, sorted(columns | CODES), n=1, cutoff=0.75
        )
        if dot or near:
            asked = Asked("unknown-target", rule, severity=Severity.WARN)
            hint = f"did you mean {near[0]}?" if near else ""
            message = f"{name} is no column of the table and no finding that is known"
            yield subject.violated(asked, message, hint=hint)


def _by_method(name: str) -> list[str]:
    """Returns the code of what a drift method finds, where it is not called like the method."""
    return [code_of(name)] if name in METHODS or name in ALIASES else []


def _doubted_code(subject: Subject, name: str, code: str, rule: Place) -> Iterator[Finding]:
    """Yields that a code behind a column is nearly, but not quite, one of ours."""
    near = _by_method(code) or get_close_matches(code, CODES, n=1, cutoff=0.75)
    if near and code not in CODES and code not in SEVERITIES:
        asked = Asked("unknown-target", rule, severity=Severity.WARN)
        message = f"{name}: no finding that is known is called {code}"
        yield subject.violated(asked, message, hint=f"did you mean {near[0]}?")


def _other_columns(subject: Subject, spec: TableSpec) -> Iterator[Finding]:
    if spec.other_columns == "allow":
        return
    named = {entry.name for entry in spec.columns}
    other = [column.name for column in subject.table.columns if column.name not in named]
    if not other:
        return
    asked = Asked(
        "other-columns",
        spec.at("other_columns", subject.source),
        severity=Severity(spec.other_columns),
    )
    words = ", ".join(other[:8]) + (f" and {len(other) - 8} more" if len(other) > 8 else "")
    noun = "column" if len(other) == 1 else "columns"
    message = f"{len(other)} {noun} that the checks do not name: {words}"
    yield subject.violated(asked, message, figures={"found": len(other)})


def _rows(subject: Subject, spec: TableSpec) -> Iterator[Finding]:
    if spec.rows is None:
        return
    rows, least, most = subject.table.rows, spec.rows.min, spec.rows.max
    if least is not None and rows < least:
        asked = Asked("rows", spec.rows.at("min", subject.source))
        message = f"{rows} {'row' if rows == 1 else 'rows'}, allowed at least {least}"
        yield subject.violated(asked, message, figures={"found": rows, "allowed": least})
    if most is not None and rows > most:
        asked = Asked("rows", spec.rows.at("max", subject.source))
        message = f"{rows} {'row' if rows == 1 else 'rows'}, allowed at most {most}"
        yield subject.violated(asked, message, figures={"found": rows, "allowed": most})
