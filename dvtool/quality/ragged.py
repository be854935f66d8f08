"""Where a row with too few or too many fields departs from the others, as far as its fields tell.

Each way in which the row could have come about is tried against what fits the columns (`forms`); it is told
only if one explains the row better than all the others. Which rows are concerned is the business of the
readers. Called by `judging`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dvtool.quality.findings import Finding
from dvtool.quality.forms import Form, forms_of, readings_of
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, literal
from dvtool.quality.tables.structure import times
from dvtool.quality.tables.table import RaggedRow, Table

MOST_COLUMNS: Final = 100
FEWEST_ROWS: Final = 30
"""Rows from which on the range of a column's numbers and the words of a category are known."""
MOST_SURPLUS: Final = 20
MOST_NEIGHBOURS: Final = 3
"""Columns beside each other that are named where the fields do not tell which of them it is."""


_WAYS: Final = ("cut", "joined", "split", "more", "after", "less")
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}([,.][0-9]{3})+([,.][0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Departure:
    """One way in which a row could have come about.

    Args:
        why: `split` where a delimiter stands inside of a field, `more` where fields came in, either where both
            would explain it, `after` where they are last, `end` where those are empty; `joined` where two rows
            are one; `less` where fields were lost, `cut` where those are the last.
        first: Place of the first column concerned, from 0.
        last: Place of the last, where several explain the row equally well.
        count: Fields too many or too few.
    """

    why: str
    first: int
    last: int
    count: int = 1


def with_departures(
    engine: Engine, before: Table | None, table: Table, findings: Sequence[Finding]
) -> list[Finding]:
    """Returns the findings; the one about ragged rows tells where the first of them departs.

    Args:
        engine: Holds both tables.
        before: The baseline; its columns tell what fits where they have the same names.
        table: What is judged.
        findings: All that was found so far.
    """
    found = next((one for one in findings if one.code == "ragged-rows"), None)
    if found is None or not table.ragged:
        return list(findings)
    names = [one.name for one in table.columns]
    known = table
    if before is not None and [one.name for one in before.columns] == names:
        known = before
    ways = departures(engine, known, table)
    told = next(((row, way) for row, way in zip(table.ragged, ways, strict=True) if way), None)
    if told is None:
        return list(findings)
    row, way = told
    assert way is not None
    message = f"{found.message}; line {row.line}: {words(way, names)}"
    places = [
        {"line": row.line, "fields": len(row.fields), "why": way.why, "column": names[way.first]}
        for row, way in zip(table.ragged, ways, strict=True)
        if way is not None
    ]
    told_better = replace(found, message=message, figures={**found.figures, "places": places})
    return [told_better if one is found else one for one in findings]


def words(way: Departure, names: Sequence[str]) -> str:
    """Returns a departure in words, with the names of its columns."""
    some = [names[at] for at in range(way.first, way.last + 1)]
    where = some[0] if len(some) == 1 else f"{', '.join(some[:-1])} or {some[-1]}"
    field = times(way.count, "field") if way.count > 1 else "a field"
    lost = " and ".join(names[way.first : way.first + way.count][:: max(way.count - 1, 1)])
    told = {
        "end": "empty fields after the last, as delimiters at the end of the line make them",
        "after": f"{field} too many after {names[-1]}",
        "joined": "two rows in one line, the line end between them is missing",
        "cut": f"it ends before {names[way.first]}",
        "split": f"a delimiter inside of {where} without quotes would explain it",
        "more": f"{field} too many at {where} would explain it",
        "either": f"a delimiter inside of {where} without quotes, or {field} too many there, would explain it",
        "less": f"{field} missing at {where}" if len(some) > 1 else f"no field for {lost}",
    }
    return told[way.why]


def departures(engine: Engine, known: Table, table: Table) -> list[Departure | None]:
    """Returns for each ragged row of a table how it came about, None where nothing tells.

    Args:
        engine: Holds both tables.
        known: The table whose rows tell what fits each column.
        table: Whose ragged rows are asked.
    """
    if not table.ragged or not known.rows or len(known.columns) > MOST_COLUMNS:
        return [None for _ in table.ragged]
    forms = forms_of(engine, known, readings_of(known))
    if known.rows < FEWEST_ROWS:
        forms = [replace(one, low=None, high=None, words=(), lengths=(0, 1 << 20)) for one in forms]
    return [_departure(engine, table, forms, row) for row in table.ragged]


def _departure(
    engine: Engine, table: Table, forms: Sequence[Form], row: RaggedRow
) -> Departure | None:
    width, surplus = len(forms), len(row.fields) - len(forms)
    if surplus > 0 and not any(one.strip() for one in row.fields[width:]):
        return Departure("end", width - 1, width - 1, surplus)
    ways = list(_ways(row.fields, forms, table.options.delimiter))
    cells = [one for _, _, lines in ways for one in lines]
    fits = _fits(engine, table, forms, cells)
    best = [
        (why, at)
        for why, at, lines in ways
        if all(text is None or fits[nth, text] for line in lines for nth, text in enumerate(line))
    ]
    if prose := [one for one in best if one[0] == "split" and _is_prose(row.fields, one[1])]:
        best = prose
    if not best:
        return None
    why = next(known for known in _WAYS if any(known == one for one, _ in best))
    places = sorted(at for known, at in best if known == why)
    if places[-1] - places[0] >= min(MOST_NEIGHBOURS, width - 1):
        return None
    if why == "split" and {at for known, at in best if known == "more"} & set(places):
        why = "either"
    return Departure(why, places[0], places[-1], abs(surplus))


Cells = Sequence[str | None]


def _ways(
    fields: Sequence[str], forms: Sequence[Form], delimiter: str
) -> Iterator[tuple[str, int, list[Cells]]]:
    """Yields each way in which a row could have come about, with what every column would hold.

    None stands for what was lost or cannot be asked.
    """
    width, surplus = len(forms), len(fields) - len(forms)
    if surplus < 0:
        for at in range(len(fields) + 1):
            gap: Cells = [None] * -surplus
            yield "cut" if at == len(fields) else "less", at, [[*fields[:at], *gap, *fields[at:]]]
        return
    if surplus in (width - 1, width) and width > 2:
        halves: list[Cells] = [fields[:width], fields[surplus:]]
        if surplus == width - 1:  # the last field of the one and the first of the other are one
            halves = [[*fields[: width - 1], None], [None, *fields[width:]]]
        yield "joined", 0, halves
    if surplus > MOST_SURPLUS:
        return
    yield "after", width - 1, [fields[:width]]
    for at in range(width):
        parts = fields[at : at + surplus + 1]
        if all(one.strip() for one in parts):
            whole = _joined(delimiter.join(parts), forms[at], delimiter)
            yield "split", at, [[*fields[:at], whole, *fields[at + surplus + 1 :]]]
        yield "more", at, [[*fields[:at], *fields[at + surplus :]]]


def _joined(text: str, form: Form, delimiter: str) -> str | None:
    """Returns what a field would have held with quotes; None for a grouped number, which fits."""
    if delimiter not in ",." or not form.reading.kind.is_number:
        return text
    if _GROUPED.fullmatch(text):
        return None
    return text.replace(delimiter, ".") if form.reading.kind is Kind.FLOAT else text


def _is_prose(fields: Sequence[str], at: int) -> bool:
    """Tells whether only the field after a place begins with a blank, as after a comma in a text."""
    return [nth for nth, one in enumerate(fields) if one.startswith(" ")] == [at + 1]


def _fits(
    engine: Engine, table: Table, forms: Sequence[Form], rows: Sequence[Cells]
) -> dict[tuple[int, str], bool]:
    """Returns which texts fit which columns, by place and text."""
    pairs = {(nth, text) for row in rows for nth, text in enumerate(row) if text is not None}
    found: dict[tuple[int, str], bool] = {}
    for nth, form in enumerate(forms):
        texts = sorted(text for place, text in pairs if place == nth)
        if not texts:
            continue
        listed = ", ".join(f"({at}, {literal(text)})" for at, text in enumerate(texts))
        told = engine.rows(
            f"SELECT {form.fits('t', table.options)} FROM (VALUES {listed}) AS v(n, t) ORDER BY n"
        )
        found |= {(nth, text): bool(fits) for text, (fits,) in zip(texts, told, strict=True)}
    return found
