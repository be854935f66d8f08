"""Judges a table by somebody's pandera schema, in batches where its checks allow it.

Columns, types, missing and repeated values are judged in SQL; only checks themselves run in
pandera, row by row checks on batches whose types are fixed for the whole table, others on the whole
column within a memory limit. Loading schemas is `pandera_loading`; `dvtool.quality.judging`
calls `judge_schema`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dvtool.errors import InvalidText
from dvtool.quality.checks import wholerules
from dvtool.quality.checks.cells import cell_of
from dvtool.quality.checks.frames import (
    BATCH_ROWS,
    Failures,
    Untyped,
    column_batches,
    run_on_batches,
    whole_column,
    whole_frame,
)
from dvtool.quality.checks.model import ColumnSpec, TableSpec
from dvtool.quality.checks.pandera_loading import ROW_BY_ROW, is_python, load_schema
from dvtool.quality.checks.subject import Asked, Subject, of
from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import Column, Table

if TYPE_CHECKING:
    import pandera.pandas as pa


def judge_schema(
    engine: Engine,
    table: Table,
    spec: TableSpec,
    *,
    source: str,
    root: Path,
    python: bool = True,
    memory_bytes: int = 256 << 20,
    limit: int = 5,
) -> list[Finding]:
    """Returns what a table breaks of the schema that its checks refer to.

    Args:
        engine: Holds the table's views.
        table: As `open_table` gave it.
        spec: Its checks; without `schema` nothing is judged.
        source: The checks file, as the user knows it.
        root: Folder that the reference is relative to.
        python: Whether code of the repository may run; when not, a Python schema is undecided.
        memory_bytes: Largest estimate of a frame that is loaded whole.
        limit: Most examples a finding carries.

    Raises:
        InvalidText: The reference leads nowhere, or its YAML does not mean what it says.
    """
    if not spec.schema:
        return []
    subject = Subject(engine, table, source, spec.private, limit)
    asked = Asked("schema", spec.at("schema", source))
    if is_python(spec.schema) and not python:
        return [subject.undecided(asked, f"{spec.schema} is Python, which is switched off")]
    try:
        schema = load_schema(root, spec.schema)
    except InvalidText as error:
        if error.source:
            raise
        words = f"schema: {error.message}"
        raise InvalidText(words, source=source, line=asked.rule.line, hint=error.hint) from None
    except ImportError as error:
        return [subject.undecided(asked, f"{spec.schema}: {error}")]
    except (Exception, SystemExit) as error:  # noqa: BLE001 code of the repository raises anything
        kind = type(error).__name__
        return [subject.undecided(asked, f"{spec.schema} raised {kind}: {_first(error)}")]
    return _Judge(subject, asked, schema, memory_bytes).run()


def _first(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:160]


class _Judge:
    """One table and one schema; every method appends what it finds."""

    def __init__(
        self, subject: Subject, asked: Asked, schema: pa.DataFrameSchema, memory_bytes: int
    ) -> None:
        self._subject = subject
        self._asked = asked
        self._schema = schema
        self._memory_bytes = memory_bytes
        self._by_name = {column.name: column for column in subject.table.columns}
        self._found: list[Finding] = []

    def run(self) -> list[Finding]:
        if self._schema.parsers or any(one.parsers for one in self._schema.columns.values()):
            why = "its parsers change the data before it is checked, which is not done here"
            return [self._subject.undecided(self._asked, why)]
        if self._schema.index is not None:
            self._found.append(
                self._subject.undecided(self._asked, "it has an index, files have none")
            )
        matched = self._matched()
        self._other_columns({column.name for column, _ in matched})
        for column, expected in matched:
            self._column(column, expected)
        self._unique()
        for check in self._schema.checks:
            self._attempt("", check, lambda c=check: self._whole_table(c))
        return self._found

    def _matched(self) -> list[tuple[Column, Any]]:
        """Pairs the table's columns with what the schema says of them; misses are findings."""
        pairs: list[tuple[Column, Any]] = []
        for name, expected in self._schema.columns.items():
            if expected.regex:
                meant = [one for one in self._by_name if re.match(str(name), one)]
            else:
                meant = [name] if name in self._by_name else []
            pairs += [(self._by_name[one], expected) for one in meant]
            if not meant and expected.required:
                asked = replace(self._asked, code="missing-column", column=str(name))
                self._found.append(self._subject.violated(asked, f"no column {name}"))
        return pairs

    def _other_columns(self, named: set[str]) -> None:
        other = [name for name in self._by_name if name not in named]
        if self._schema.strict is True and other:
            asked = replace(self._asked, code="other-columns")
            message = f"columns that the schema does not name: {', '.join(other[:8])}"
            figures = {"found": len(other)}
            self._found.append(self._subject.violated(asked, message, figures=figures))

    def _column(self, column: Column, expected: Untyped) -> None:
        asked = replace(self._asked, column=column.name)
        kind = kind_of(expected.dtype)
        if kind is not None and not _holds(column.kind, kind) and not expected.coerce:
            message = f"the column is {column.kind.value}, the schema expects {expected.dtype}"
            self._found.append(self._subject.violated(replace(asked, code="type"), message))
            return
        if not expected.nullable:
            self._found += self._subject.attempt(
                replace(asked, code="nulls"), lambda: self._nulls(asked, column)
            )
        if expected.unique:
            unique = replace(asked, code="unique")
            cell = cell_of(ColumnSpec(column.name), column, self._subject.table.options.format)
            cell = replace(cell, private=column.name in self._subject.private)
            self._found += self._subject.attempt(
                unique, lambda: wholerules.judge_unique(self._subject, unique, cell)
            )
        self._column_checks(column, expected)

    def _nulls(self, asked: Asked, column: Column) -> Iterator[Finding]:
        name = quoted(column.name)
        table = self._subject.table
        sql = f"SELECT count(*) - count({name}) FROM {table.source}"
        count = int(self._subject.engine.rows(sql)[0][0])
        if count:
            rows = self._subject.engine.rows(
                f'SELECT "__row" FROM {table.source} WHERE {name} IS NULL '
                f'ORDER BY "__row" LIMIT {self._subject.limit}'
            )
            yield self._subject.violated(
                replace(asked, code="nulls"),
                f"{of(count, table.rows)} missing, allowed 0",
                rows=[(int(row), None) for (row,) in rows],
                figures={"found": count, "rows": table.rows},
            )

    def _column_checks(self, column: Column, expected: Untyped) -> None:
        private = column.name in self._subject.private
        for check in expected.checks:
            if is_row_by_row(check):
                batches = column_batches(self._subject, column, expected.dtype, BATCH_ROWS)
                self._attempt(
                    column.name,
                    check,
                    lambda c=check, b=batches: run_on_batches(c, b, self._subject.limit, private),
                )
            elif check.groupby is None:
                self._attempt(
                    column.name,
                    check,
                    lambda c=check: whole_column(
                        self._subject, column, expected.dtype, c, self._memory_bytes
                    ),
                )
            else:
                self._attempt(
                    column.name,
                    check,
                    lambda c=check: whole_frame(self._subject, c, self._memory_bytes, column.name),
                )

    def _whole_table(self, check: Untyped) -> Failures:
        return whole_frame(self._subject, check, self._memory_bytes, None)

    def _unique(self) -> None:
        names = self._schema.unique
        names = [names] if isinstance(names, str) else list(names or ())
        if names and all(name in self._by_name for name in names):
            asked = replace(self._asked, code="unique")
            self._found += self._subject.attempt(
                asked,
                lambda: wholerules.judge_key(self._subject, asked, names, frozenset(names)),
            )

    def _attempt(self, column: str, check: Untyped, run: Untyped) -> None:
        name = check_words(check)
        asked = replace(self._asked, column=column)

        def judge() -> Iterator[Finding]:
            failures: Failures = run()
            if failures.too_large:
                yield self._subject.undecided(asked, f"{name} {failures.too_large}")
            elif failures.failed:
                total = failures.total or self._subject.table.rows
                noun = "values" if column else "rows"
                message = f"{of(failures.count, total, noun)} break {name}"
                if not failures.count:
                    message = f"{'the column' if column else 'the table'} breaks {name}"
                yield self._subject.violated(
                    asked,
                    message,
                    rows=failures.rows,
                    figures={"found": failures.count, "of": total, "check": name},
                )

        self._found += [
            replace(one, message=f"{one.message} [{name}]")
            if one.message.startswith("could not run") and name not in one.message
            else one
            for one in self._subject.attempt(asked, judge)
        ]


def is_row_by_row(check: Untyped) -> bool:
    """Tells whether a check's answer for a row depends on that row alone."""
    if check.groupby is not None:
        return False
    return bool(check.element_wise) or check.name in ROW_BY_ROW


def check_words(check: Untyped) -> str:
    """Returns what messages call a check: its error text, or its name; one line."""
    words = check.error if isinstance(check.error, str) and check.error else check.name
    return " ".join(str(words or "a check").split())[:120]


def kind_of(dtype: Untyped) -> Kind | None:
    """Returns the kind that a pandera type expects, None when it expects none or one of its own."""
    if dtype is None:
        return None
    words = str(dtype).lower()
    for start, kind in (
        ("int", Kind.INT),
        ("uint", Kind.INT),
        ("float", Kind.FLOAT),
        ("bool", Kind.BOOL),
        ("str", Kind.TEXT),
        ("datetime", Kind.DATETIME),
        ("date", Kind.DATE),
    ):
        if words.startswith(start):
            return kind
    return None


def _holds(found: Kind, expected: Kind) -> bool:
    widening = {(Kind.INT, Kind.FLOAT), (Kind.DATE, Kind.DATETIME)}
    return found is expected or (found, expected) in widening
