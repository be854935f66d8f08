"""Columns that are shifted: values that stand in the column beside their own, in some rows or in all.

Each row is asked which cells fit their own column and which the one beside it; a row is shifted where
one move explains what does not fit. What fits a column is the business of `forms`. Called by `judging`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dvtool.quality import exchanged as exchanging
from dvtool.quality import swapped as swapping
from dvtool.quality.findings import Evidence, Finding, Outcome, Severity
from dvtool.quality.folding import folded_into
from dvtool.quality.forms import Form, forms_of, readings_of
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.casting import cast, is_null
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.schema import severity_by
from dvtool.quality.tables.structure import structural, times
from dvtool.quality.tables.table import ROW, Table

LEAST_COLUMNS: Final = 3
MOST_COLUMNS: Final = 100
LEAST_GAIN: Final = 2
"""Cells of a row that a move must put right before the row counts as shifted."""
MOST_PLACES: Final = 3
"""How far cells are looked for, in columns."""
MOST_PATTERNS: Final = 20_000
_UNFIT: Final = 0.1
"""Share of a row's cells that may fit nowhere."""
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Shift:
    """Values that stand beside their column.

    Args:
        places: How many columns further right; negative for left.
        first: Place of the first column that is concerned, from 0.
        rows: Rows in which they do.
        examples: The first of them.
        columns: Names of the columns that hold what is not theirs.
        is_gap: Whether nothing stands in the first of them in those rows, as where a field came in.
    """

    places: int
    first: int
    rows: int
    examples: tuple[int, ...]
    columns: tuple[str, ...]
    is_gap: bool = False


def is_suspicious(findings: Sequence[Finding], before: Table | None) -> bool:
    """Tells whether what was found makes it worth asking every row: it costs a pass of its own."""
    retyped = [one for one in findings if one.code.removeprefix("history-") == "column-retyped"]
    mixed = {one.column for one in findings if one.code == "mixed-types"}
    emptied = {one.column for one in findings if one.code == "empty-column"}
    if before is not None:
        emptied -= {one.column for one in before.findings if one.code == "empty-column"}
    drifted = {
        one.column
        for one in findings
        if one.evidence is Evidence.DRIFT and one.outcome is Outcome.VIOLATED
    }
    if before is None:
        return len(mixed) >= LEAST_GAIN
    return bool(retyped or emptied) or max(len(mixed), len(drifted)) >= LEAST_GAIN


def with_shift(
    engine: Engine, before: Table | None, table: Table, policy: str, findings: Sequence[Finding]
) -> list[Finding]:
    """Returns the findings, with those that shifted or swapped columns explain folded into that.

    Args:
        engine: Holds both tables.
        before: The baseline, None for none.
        table: What is judged.
        policy: `schema_change:` of the checks, empty for the default.
        findings: All that was found so far.
    """
    severity = severity_by(policy) if before is not None and policy else None
    forms = _forms(engine, before, table) if is_suspicious(findings, before) else []
    told = _by_cells(engine, table, forms, severity) if forms else None
    if told is None and before is not None:
        held = exchanging.exchanged(engine, before, table, findings)
        told = exchanging.finding_of(table, held, severity=severity) if held else None
    return folded_into(told, findings) if told else list(findings)


def _by_cells(
    engine: Engine, table: Table, forms: Sequence[Form], severity: Severity | None
) -> Finding | None:
    """Returns what cells tell that fit another column: a shift or a swap, whatever explains more rows."""
    shift = _by_rows(engine, table, forms)
    swap = swapping.swapped(engine, table, forms)
    if shift is not None and (shift.is_gap or swap is None or swap.rows <= shift.rows):
        return finding_of(engine, table, shift, severity=severity)
    return swapping.finding_of(engine, table, swap, severity=severity) if swap else None


def shifted(engine: Engine, before: Table | None, table: Table) -> Shift | None:
    """Returns how the values of a table stand beside their columns, None where they do not.

    Args:
        engine: Holds both tables.
        before: The baseline, which tells what fits a column; without it, or where its columns have
            other names, the rows of the table itself tell in which nothing is odd.
        table: What is judged.
    """
    forms = _forms(engine, before, table)
    return _by_rows(engine, table, forms) if forms else None


def _forms(engine: Engine, before: Table | None, table: Table) -> list[Form]:
    """Returns what fits each column; nothing where too few columns tell anything."""
    if not LEAST_COLUMNS <= len(table.columns) <= MOST_COLUMNS or not table.rows:
        return []
    names = [one.name for one in table.columns]
    if before is not None and [one.name for one in before.columns] == names:
        forms = forms_of(engine, before, readings_of(before))
    else:
        forms = _own_forms(engine, table)
    return forms if sum(form.is_telling for form in forms) >= LEAST_GAIN else []


def _by_rows(engine: Engine, table: Table, forms: Sequence[Form]) -> Shift | None:
    width = len(forms)
    moves = [sign * by for by in range(1, min(MOST_PLACES, width - 2) + 1) for sign in (1, -1)]
    patterns = _patterns(engine, table, forms, moves)
    return _told(patterns, forms, moves)


def finding_of(
    engine: Engine, table: Table, shift: Shift, *, severity: Severity | None = None
) -> Finding:
    """Returns the finding about a shift, with the lines of the first rows unless it is all.

    Args:
        engine: Holds the table.
        table: What is judged.
        shift: As found.
        severity: Where checks say how changes of columns count.
    """
    names = [one.name for one in table.columns]
    way = "right" if shift.places > 0 else "left"
    where = (
        "all rows" if shift.rows == table.rows else f"{shift.rows:,} of {times(table.rows, 'row')}"
    )
    held = shift.first if shift.places > 0 else shift.first - shift.places
    message = (
        f"values stand {times(abs(shift.places), 'column')} too far {way} from {names[shift.first]}"
        f" on, in {where}: {names[held + shift.places]} holds what belongs to {names[held]}"
    )
    examples = shift.examples if shift.rows < table.rows else ()
    lines = table.lines(engine, examples)
    return structural(
        "columns-shifted",
        message,
        table.name,
        examples=[(lines.get(row, 0), row, None) for row in examples],
        severity=severity,
        hint="look for a field that was lost or came in at the source of these rows",
        places=shift.places,
        first=names[shift.first],
        rows=shift.rows,
        columns=list(shift.columns),
    )


def _own_forms(engine: Engine, table: Table) -> list[Form]:
    """Returns the forms of the rows in which every value is of its column's usual kind."""
    mostly = {
        one.column: Kind(one.figures["kind"])
        for one in table.findings
        if one.code == "mixed-types" and "kind" in one.figures
    }
    readings = readings_of(table, mostly=mostly)
    clean = ["true"]
    for column, reading in zip(table.columns, readings, strict=True):
        if reading.kind is not Kind.TEXT:
            text = quoted(column.name)
            value = cast(text, reading, table.options)
            clean.append(
                f"({text} IS NULL OR {is_null(text, table.options.nulls)} OR ({value}) IS NOT NULL)"
            )
    return forms_of(engine, table, readings, where=" AND ".join(clean))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Rows whose cells fit in the same way.

    Args:
        fits: For each move, 0 first: a character for each column, `1` where the cell that many
            places further right fits it.
        missing: A character for each column, `1` where it has no value.
        rows: How many.
        examples: The first ones.
    """

    fits: Mapping[int, str]
    missing: str
    rows: int
    examples: tuple[int, ...]


def _patterns(
    engine: Engine, table: Table, forms: Sequence[Form], moves: Sequence[int]
) -> list[_Pattern]:
    columns = [quoted(one.name) for one in table.columns]
    told: list[str] = []
    for move in (0, *moves):
        cells = [
            f"CASE WHEN {form.fits(columns[at + move], table.options)} THEN '1' ELSE '0' END"
            if 0 <= at + move < len(columns)
            else "'-'"
            for at, form in enumerate(forms)
        ]
        told.append(f"concat({', '.join(cells)}) AS f{len(told)}")
    names = [f"f{nth}" for nth in range(len(told))]
    empty = [
        f"CASE WHEN {one} IS NULL OR {is_null(one, table.options.nulls)} THEN '1' ELSE '0' END"
        for one in columns
    ]
    told.append(f"concat({', '.join(empty)}) AS missing")
    # Rows in which all fits are not asked about the columns beside.
    odd = "contains(f0, '0')"
    with engine.planned_fast():
        rows = engine.rows(
            f"SELECT {', '.join(names)}, missing, count(*), min(r, {_EXAMPLES}) FROM (SELECT "
            f"{quoted(ROW)} AS r, {', '.join(['f0', *told[1:]])} FROM (SELECT *, {told[0]} FROM "
            f"{table.raw}) WHERE {odd}) GROUP BY ALL ORDER BY count(*) DESC LIMIT {MOST_PATTERNS}"
        )
    return [
        _Pattern(
            dict(zip((0, *moves), one[: len(names)], strict=True)),
            one[-3],
            int(one[-2]),
            tuple(int(row) for row in one[-1]),
        )
        for one in rows
    ]


def _told(
    patterns: Sequence[_Pattern], forms: Sequence[Form], moves: Sequence[int]
) -> Shift | None:
    """Returns the move that most shifted rows share, with the column that most of them share."""
    telling = [form.is_telling for form in forms]
    votes: Counter[tuple[int, int]] = Counter()
    gaps: Counter[tuple[int, int]] = Counter()
    shifted_by: list[tuple[_Pattern, set[tuple[int, int]]]] = []
    for pattern in patterns:
        answers = _explanations(pattern, telling, moves, LEAST_GAIN)
        if answers:
            shifted_by.append((pattern, answers))
            votes.update(dict.fromkeys(answers, pattern.rows))
            gaps.update({one: pattern.rows for one in answers if pattern.missing[one[1]] == "1"})
    if not votes:
        return None
    # Where several columns may be the first, the one that nothing stands in is: a field came in.
    places, first = max(
        votes, key=lambda one: (votes[one], -abs(one[0]), gaps[one] * (one[0] > 0), -one[1])
    )
    same = [one for one, answers in shifted_by if (places, first) in answers]
    is_gap = places > 0 and gaps[places, first] == votes[places, first]
    if is_gap:
        # Where a field came in empty each time, one value that it puts right is enough.
        known = {id(one) for one in same}
        same += [
            one
            for one in patterns
            if id(one) not in known
            and one.missing[first] == "1"
            and (places, first) in _explanations(one, telling, moves, 1)
        ]
    rows = sorted(row for one in same for row in one.examples)[:_EXAMPLES]
    names = tuple(form.name for form in forms[first:])
    return Shift(places, first, sum(one.rows for one in same), tuple(rows), names, is_gap)


def _explanations(
    pattern: _Pattern, telling: Sequence[bool], moves: Sequence[int], least: int
) -> set[tuple[int, int]]:
    """Returns the moves and first columns that put most cells right, all that do equally well."""
    width = len(telling)
    own = pattern.fits[0]
    most = int(_UNFIT * sum(telling))
    best: dict[int, set[tuple[int, int]]] = {}
    for move in moves:
        moved = pattern.fits[move]
        for first in range(width - abs(move)):
            # To the right the last columns' values are lost; to the left those of the first.
            lost = range(width - move, width) if move > 0 else range(first, first - move)
            asked = [at for at in range(width) if telling[at] and at not in lost]
            left = sum((own if at < first else moved)[at] == "0" for at in asked)
            unfit = sum(own[at] == "0" for at in asked)
            if left <= most and unfit - left >= least:
                best.setdefault(left, set()).add((move, first))
    return best[min(best)] if best else set()
