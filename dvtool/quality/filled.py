"""Values that were filled in from row to row: counted up, or carried down, as spreadsheets do.

Looks at each row beside the one above it, in the order of the file, which no distribution knows. What is
not here: the counting of runs (`neighbours`), and faults that need no order (`drift.diagnosis`). Called
by `judging`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dvtool.quality.drift.faults import Fault, clearly_more
from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.neighbours import (
    Beat,
    Run,
    Sight,
    beat,
    distinct,
    longest_run,
    longest_series,
    seen,
)
from dvtool.quality.tables.engine import Engine
from dvtool.quality.tables.structure import structural, times
from dvtool.quality.tables.table import Column, Table

LEAST_STEPS: Final = 4
"""Rows beside each other that agree, below which nothing is said."""
BY_CHANCE: Final = 1e-6
"""Expected runs as long by chance, in the whole table, above which nothing is said."""
_MOST: Final = 0.9
_FEWEST_TURNS: Final = 6
_REGULAR: Final = 0.8
"""Share of the steps from one value to the next that must be equal before one is called missing."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A column with filled-in values.

    Args:
        column: Its name.
        fault: What happened.
        run: The rows it is about.
    """

    column: str
    fault: Fault
    run: Run


def filled(engine: Engine, before: Table | None, table: Table) -> list[Filled]:
    """Returns the columns whose values were filled in from row to row, each once.

    Args:
        engine: Holds both tables.
        before: The baseline. Without one only times are looked at, for a date that stands where the
            next ones should.
        table: What is judged.
    """
    earlier = {one.name: one for one in before.columns} if before is not None else {}
    columns = [one for one in table.columns if one.kind.is_moment or one.name in earlier]
    now = seen(engine, table, columns)
    known = [earlier[name] for name in now if name in earlier]
    then = seen(engine, before, known) if before is not None else {}
    found = []
    for column in columns:
        sight = now.get(column.name)
        if sight is None or sight.pairs < LEAST_STEPS:
            continue
        was = earlier.get(column.name)
        one = None
        if before is not None and was is not None and was.kind is column.kind:
            told = then.get(column.name)
            if told is not None and told.pairs:
                one = _against(engine, before, table, column, (told, sight))
        # Where changes go up and down, no step is the usual one, and nothing has to be sorted.
        is_steady = sight.steady_share >= _REGULAR
        if one is None and column.kind.is_moment and sight.repeats and is_steady:
            one = _over_the_next(engine, table, column)
        if one is not None:
            found.append(Filled(column.name, *one))
    return found


def findings_of(engine: Engine, table: Table, found: Iterable[Filled]) -> Iterator[Finding]:
    """Yields one finding for each filled column, with its first and last rows as examples."""
    for one in found:
        ends = (one.run.first, one.run.first + one.run.steps)
        lines = table.lines(engine, ends)
        yield structural(
            one.fault.code,
            one.fault.words,
            table.name,
            column=one.column,
            examples=[(lines.get(row, 0), row, None) for row in ends],
            rows=one.run.steps,
            share=one.fault.share,
        )


def _against(
    engine: Engine, before: Table, table: Table, column: Column, sights: tuple[Sight, Sight]
) -> tuple[Fault, Run] | None:
    then, now = sights
    rise = clearly_more(then.repeat_share, then.pairs, now.repeat_share, now.pairs, least=0)
    fall = clearly_more(now.repeat_share, now.pairs, then.repeat_share, then.pairs, least=0)
    if fall or (now.distinct or 0) >= 2 * (then.distinct or math.inf):
        return _counted_up(engine, before, table, column, sights)
    if rise:
        return _over_nulls(engine, table, column, sights) or _carried_down(
            engine, before, table, column, sights
        )
    return None


def _counted_up(
    engine: Engine, before: Table, table: Table, column: Column, sights: tuple[Sight, Sight]
) -> tuple[Fault, Run] | None:
    """A series of equal steps over rows where values repeated before."""
    then, now = sights
    values = then.distinct or distinct(engine, before, column)
    if (now.distinct or distinct(engine, table, column)) < 2 * values:
        return None
    run = longest_series(engine, table, column)
    if run is None or run.steps < LEAST_STEPS or run.steps < 2 * values:
        return None
    usual = longest_series(engine, before, column)
    if usual is not None and usual.steps > run.steps / 4:
        return None
    alike = longest_series(engine, before, column, step=run.step)
    chance = max(alike.value_share if alike else 0.0, 1 / (then.pairs + 1))
    if table.rows * chance**run.steps > BY_CHANCE:
        return None
    step = _step(run.step, column.kind)
    way = "up" if run.step > 0 else "down"
    usual_words = "one value stands in all rows" if values == 1 else "values repeat"
    words = (
        f"counts {way} by {step} from row to row: {run.rows()}, as a spreadsheet fills a series;"
        f" in the baseline {usual_words}"
    )
    return Fault("filled-series", words, words, run.steps / table.rows), run


def _over_nulls(
    engine: Engine, table: Table, column: Column, sights: tuple[Sight, Sight]
) -> tuple[Fault, Run] | None:
    """Values repeat the one above as much more often as they are missing less often."""
    then, now = sights
    lost = then.nulls / then.rows - now.nulls / now.rows
    if not clearly_more(now.nulls / now.rows, now.rows, then.nulls / then.rows, then.rows):
        return None
    # Filled rows repeat the one above for certain, the others as often as before.
    usual = then.repeat_share
    gained = now.repeats / now.rows - (1 - lost) * usual
    noise = 3 * math.sqrt(usual * (1 - usual) * (1 / then.pairs + 1 / now.pairs))
    if abs(gained - lost) > max(0.1 * lost, noise, 2 / now.rows) or noise > lost / 2:
        return None
    run = longest_run(engine, table, column)
    if run is None:
        return None
    words = (
        f"missing values were filled with the value of the row above: {lost:.1%} of the rows,"
        f" at most {times(run.steps, 'row')} in a run"
    )
    return Fault("filled-down", words, words, lost), run


def _carried_down(
    engine: Engine, before: Table, table: Table, column: Column, sights: tuple[Sight, Sight]
) -> tuple[Fault, Run] | None:
    """One value stands in a run of rows, where values seldom repeated the one above."""
    then, now = sights
    run = longest_run(engine, table, column)
    if run is None or run.steps < LEAST_STEPS:
        return None
    if run.value == 0 or run.steps >= _MOST * table.rows:  # a default, or one value throughout
        return None
    usual = longest_run(engine, before, column, value=run.value)
    # A value that the baseline does not have, as the hours of a new day, is held to those it has.
    longest = usual or longest_run(engine, before, column)
    if longest is not None and 3 * longest.steps > run.steps:
        return None
    # What is more frequent everywhere, or sorted another way, is no run of filled-in rows.
    if run.value_share - (usual.value_share if usual else 0.0) < run.steps / table.rows / 2:
        return None
    others = now.pairs - run.steps
    if others and clearly_more(
        then.repeat_share, then.pairs, (now.repeats - run.steps) / others, others
    ):
        return None
    chance = (then.repeats + 1) / (then.pairs + 1)
    if table.rows * chance**run.steps > BY_CHANCE:
        return None
    below = Run(run.first + 1, run.steps - 1, run.value)
    words = (
        f"the value of row {run.first:,} stands in the {times(run.steps, 'row')} below it as well"
        f" ({below.rows()}): carried down, or a source that is stuck"
    )
    return Fault("filled-down", words, words, run.steps / table.rows), run


def _over_the_next(engine: Engine, table: Table, column: Column) -> tuple[Fault, Run] | None:
    """One value stands in the rows of the next ones too, which are missing."""
    found: Beat | None = beat(engine, table, column)
    if found is None or found.turns < _FEWEST_TURNS or found.regular < _REGULAR * found.turns:
        return None
    if found.overlong is None or not found.missing:
        return None
    run = found.overlong
    words = (
        f"one value stands in {run.steps + 1:,} rows ({run.rows()}), the others in"
        f" {found.length:,} each, and the next {times(found.missing, 'value')} of the series"
        f" {'is' if found.missing == 1 else 'are'} missing: carried into rows that belong to another"
    )
    return Fault("filled-down", words, words, found.missing * found.length / table.rows), run


def _step(step: float, kind: Kind) -> str:
    if not kind.is_moment:
        return f"{abs(step):g}"
    span = dt.timedelta(seconds=abs(step))
    if span.days and not span.seconds:
        return times(span.days, "day")
    return str(span)
