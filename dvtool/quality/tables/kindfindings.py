"""Words for what was found while kinds were decided, with the lines of some examples.

Here a tally becomes a finding; the counting and the decision stand in `kinding`, which calls this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dvtool.quality.findings import Finding, Severity
from dvtool.quality.tables.casting import TEXT, Reading, cast, is_null, other_day
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.lines import LineMap
from dvtool.quality.tables.options import ReadOptions
from dvtool.quality.tables.parts import in_parts, is_wide_and_short
from dvtool.quality.tables.shapes import DECIMAL_COMMA, GROUPED, INT, LEADING_ZERO
from dvtool.quality.tables.structure import EXAMPLES, structural, times

if TYPE_CHECKING:
    from dvtool.quality.tables.kinding import Tally

_SEEN_OFTEN = 0.05
_MOSTLY = 0.8


@dataclass(slots=True)
class Columns:
    """Collects findings about the columns of one table.

    Examples are looked up at once at the end, so that the file is read again at most once.
    """

    engine: Engine
    base: str
    columns: Sequence[str]
    names: Sequence[str]
    options: ReadOptions
    name: str
    places: LineMap
    _noted: list[tuple[str, str, int, str, dict[str, Any]]] = field(default_factory=list)

    def mixed(self, place: int, reading: Reading, tally: Tally, *, declared: bool) -> None:
        """Notes values that a column's kind does not take."""
        bad = tally.values - tally.parsed
        kind = reading.kind.value
        message = f"{bad:,} of {times(tally.values, 'value')} not {kind}, read as missing"
        more: dict[str, Any] = {"severity": Severity.FAIL if declared else None}
        self._note("mixed-types", message, place, self._unparsed(place, reading), found=bad,
                   values=tally.values, kind=kind, **more)  # fmt: skip

    def refused(self, place: int, reading: Reading, tally: Tally) -> None:
        """Notes why a column that looked like a kind stays text."""
        column = self.columns[place]
        if tally.zeros:
            message = f"{tally.zeros:,} of {times(tally.values, 'value')} with leading zeros, kept as text"
            rare = tally.zeros < _SEEN_OFTEN * tally.values
            where = f"regexp_full_match({column}, {literal(LEADING_ZERO)})"
            self._note("leading-zeros", message, place, where, found=tally.zeros,
                       values=tally.values, severity=Severity.WARN if rare else None)  # fmt: skip
        elif tally.long:
            message = f"{times(tally.long, 'whole number')} beyond 64 bits, kept as text"
            where = (
                f"strlen({column}) > 18 AND regexp_full_match({column}, {literal(INT)}) "
                f"AND TRY_CAST({column} AS BIGINT) IS NULL"
            )
            self._note("long-integers", message, place, where, found=tally.long)
        elif other_day(reading.date_format) and tally.swapped:
            message = "day and month cannot be told apart, kept as text"
            where = f"NOT {is_null(column, self.options.nulls)}"
            self._note("ambiguous-dates", message, place, where, values=tally.values)
        elif tally.parsed >= _MOSTLY * tally.values:
            kind = reading.kind.value
            message = (
                f"{tally.parsed:,} of {times(tally.values, 'value')} are {kind}, "
                "the others are not, kept as text"
            )
            self._note("mixed-types", message, place, self._unparsed(place, reading),
                       severity=Severity.NOTE, found=tally.values - tally.parsed,
                       values=tally.values, kind=kind)  # fmt: skip

    def nulls(self, place: int, reading: Reading, tally: Tally) -> None:
        """Notes words that were read as missing in a column of text."""
        if reading is TEXT and tally.words and tally.values:
            column = self.columns[place]
            words = [one for one in self.options.nulls if one]
            where = is_null(column, words)
            found = self.engine.rows(
                f"SELECT DISTINCT {column} FROM {self.base} WHERE {where} ORDER BY 1"
            )
            told = ", ".join(str(one[0]) for one in found)
            message = f"{times(tally.words, 'value')} read as missing: {told}"
            self._note("null-words", message, place, where, found=tally.words)

    def ambiguous_numbers(self, places: Sequence[int]) -> None:
        """Notes which of some columns of text are like `1,234`: two conventions read it differently."""
        ((rows,),) = self.engine.rows(f"SELECT count(*) FROM {self.base}")
        for some, relation in in_parts(
            self.engine,
            self.base,
            places,
            lambda place: f"{self.columns[place]} AS t{place}",
            is_wide=is_wide_and_short(len(self.columns), int(rows)),
        ):
            for place in some:
                column = self.columns[place] if relation == self.base else f"t{place}"
                self._ambiguous_number(place, relation, column)

    def _ambiguous_number(self, place: int, relation: str, column: str) -> None:
        marked = f"regexp_full_match({column}, {literal(DECIMAL_COMMA + '|' + GROUPED)})"
        whole = f"regexp_full_match({column}, {literal(INT)})"
        head = f"(SELECT {column} FROM {relation} WHERE NOT {is_null(column, self.options.nulls)} LIMIT 1000)"
        values, marks, wholes = self.engine.rows(
            f"SELECT count(*), count(*) FILTER (WHERE {marked}), count(*) FILTER (WHERE {whole}) FROM {head}"
        )[0]
        if marks and marks + wholes >= 0.95 * values:
            message = "numbers with commas that can mean two things, kept as text"
            column = self.columns[place]
            where = f"regexp_full_match({column}, {literal(DECIMAL_COMMA + '|' + GROUPED)})"
            self._note("ambiguous-numbers", message, place, where, found=marks)

    def findings(self) -> list[Finding]:
        """Returns all findings, each with a few examples."""
        rows: dict[int, list[tuple[int, str]]] = {}
        for nth, (_, _, place, where, _) in enumerate(self._noted):
            rows[nth] = self.engine.rows(
                f"SELECT rowid + 1, {self.columns[place]} FROM {self.base} WHERE {where} "
                f"ORDER BY rowid LIMIT {EXAMPLES}"
            )
        lines = self.places.find(self.engine, [row for some in rows.values() for row, _ in some])
        return [
            structural(
                code,
                message,
                self.name,
                column=self.names[place],
                examples=[(lines.get(row, 0), row, value) for row, value in rows[nth]],
                **figures,
            )
            for nth, (code, message, place, _, figures) in enumerate(self._noted)
        ]

    def _note(self, code: str, message: str, place: int, where: str, **figures: object) -> None:
        self._noted.append((code, message, place, where, figures))

    def _unparsed(self, place: int, reading: Reading) -> str:
        column = self.columns[place]
        missing = is_null(column, self.options.nulls)
        return f"NOT {missing} AND ({cast(column, reading, self.options)}) IS NULL"
