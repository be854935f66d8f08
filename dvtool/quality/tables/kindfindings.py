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
from dvtool.quality.tables.shapes import (
    DECIMAL_COMMA,
    FLOAT,
    GROUPED,
    INT,
    LEADING_ZERO,
    POINTED_GROUPS,
)
from dvtool.quality.tables.structure import EXAMPLES, structural, times

if TYPE_CHECKING:
    from dvtool.quality.tables.kinding import Tally

_SEEN_OFTEN = 0.05
_MOSTLY = 0.8
_MARKS = ("decimal", "thousands")


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

    def refused(self, place: int, reading: Reading, tally: Tally, *, numbers: bool) -> None:
        """Notes why a column that looked like a kind stays text; `numbers` where it may be one."""
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
        elif (
            numbers
            and reading.kind.is_number
            and self._ambiguous_number(place, self.base, column, head="")
        ):
            return
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

    def _ambiguous_number(
        self, place: int, relation: str, column: str, *, head: str = "LIMIT 1000"
    ) -> bool:
        """Notes a column of text that is numbers whose marks can mean two things, if it is one."""
        pointed = f"(contains({column}, '.') AND regexp_full_match({column}, {literal(FLOAT)}))"
        comma = f"regexp_full_match({column}, {literal(DECIMAL_COMMA + '|' + GROUPED)})"
        groups = f"regexp_full_match({column}, {literal(POINTED_GROUPS)})"
        whole = f"regexp_full_match({column}, {literal(INT)})"
        parts = ", ".join(
            f"count(*) FILTER (WHERE {one})" for one in (comma, groups, pointed, whole)
        )
        present = f"NOT {is_null(column, self.options.nulls)}"
        values, commas, grouped, points, wholes = self.engine.rows(
            f"SELECT count(*), {parts} FROM (SELECT {column} FROM {relation} WHERE {present} {head})"
        )[0]
        pointed_out = points if self.options.decimal == "," else 0
        marks = commas + grouped + pointed_out
        if not marks or commas + grouped + points + wholes < 0.95 * values:
            return False
        what = "numbers with commas that can mean two things"
        if grouped + points:
            what = what.replace("commas", "points")
            if commas:
                what = "numbers with commas and with points in one column"
        shapes = [DECIMAL_COMMA, GROUPED, POINTED_GROUPS, *([FLOAT] if pointed_out else [])]
        where = f"regexp_full_match({self.columns[place]}, {literal('|'.join(shapes))})"
        if pointed_out:
            where += f" AND NOT regexp_full_match({self.columns[place]}, {literal(INT)})"
        hint = "read: decimal and thousands in the checks file say which"
        message = f"{what}, kept as text"
        self._note("ambiguous-numbers", message, place, where, found=marks, hint=hint)
        return True

    def marks(self, places: Sequence[int]) -> None:
        """Notes in which columns of numbers commas or points were read as the sample shows them."""
        options = self.options
        signs = [one for one in (options.thousands, "," if options.decimal == "," else "") if one]
        if not places or not signs:
            return
        tests = {
            place: " OR ".join(f"contains({self.columns[place]}, {literal(one)})" for one in signs)
            for place in places
        }
        parts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests.values())
        counts = self.engine.rows(f"SELECT {parts} FROM {self.base}")[0]
        found = {place: int(count) for place, count in zip(places, counts, strict=True) if count}
        if not found:
            return
        most = max(found, key=lambda place: found[place])
        roles = ["decimal comma"] if options.decimal == "," else []
        roles += [f"thousands {literal(options.thousands)}"] if options.thousands else []
        message = f"{times(found[most], 'number')} read with {' and '.join(roles)}"
        if len(found) > 1:
            message += f", likewise in {times(len(found) - 1, 'other column')}"
        told = {key: value for key, value in options.to_mapping().items() if key in _MARKS}
        stated = ", ".join(f"{key}: '{value}'" for key, value in told.items())
        self._note("number-marks", message, most, f"({tests[most]})",
                   found=found[most], columns=[self.names[place] for place in found],
                   hint=f"read: {{{stated}}} in the checks file states it", **told)  # fmt: skip

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
