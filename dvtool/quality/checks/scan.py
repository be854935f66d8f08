"""One pass over a table for every figure that needs no grouping.

Aggregates are gathered first and asked for in one query; when that query fails, each is asked for
alone, so that one impossible check does not take the others with it. Examples come from a second,
limited query. `evaluate` and `figures` call it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dvtool.quality.checks.subject import Subject
from dvtool.quality.tables.table import ROW

Figure = Any
"""What an aggregate gives; it depends on the aggregate."""
AT_ONCE = 400
"""Aggregates in one query: wide tables are scanned a few times rather than planned for ever."""


class Scan:
    """Aggregates over the typed view, by the SQL that makes them."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._wanted: dict[str, None] = {}
        self._found: dict[str, Any] = {}

    def want(self, *aggregates: str) -> None:
        """Adds SQL aggregates to the pass; the same one twice costs nothing."""
        self._wanted.update(dict.fromkeys(aggregates))

    def run(self) -> None:
        """Makes the pass for everything wanted and not yet found."""
        missing = [one for one in self._wanted if one not in self._found]
        for start in range(0, len(missing), AT_ONCE):
            self._run(missing[start : start + AT_ONCE])

    def __getitem__(self, aggregate: str) -> Figure:
        """Returns an aggregate's value.

        Raises:
            Exception: What the engine raised for this aggregate.
        """
        found = self._found[aggregate]
        if isinstance(found, Exception):
            raise found
        return found

    def _run(self, aggregates: list[str]) -> None:
        try:
            self._found.update(zip(aggregates, self._ask(aggregates), strict=True))
        except Exception as error:  # noqa: BLE001 the culprit is found below and kept as an outcome
            if len(aggregates) == 1:
                self._found[aggregates[0]] = error
                return
            half = len(aggregates) // 2
            self._run(aggregates[:half])
            self._run(aggregates[half:])

    def _ask(self, aggregates: list[str]) -> tuple[Any, ...]:
        sql = f"SELECT {', '.join(aggregates)} FROM {self._subject.table.source}"
        return self._subject.engine.rows(sql)[0]


def example_rows(subject: Subject, condition: str, value: str) -> Sequence[tuple[int, str | None]]:
    """Returns the first rows for which a condition is true, with a text to show.

    Args:
        condition: SQL over the typed view.
        value: SQL of the text, `NULL` for none.
    """
    sql = (
        f'SELECT "{ROW}", CAST({value} AS VARCHAR) FROM {subject.table.source} '
        f'WHERE {condition} ORDER BY "{ROW}" LIMIT {subject.limit}'
    )
    return [(int(row), shown) for row, shown in subject.engine.rows(sql)]
