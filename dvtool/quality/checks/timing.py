"""Expectations about time: how old the newest row is, and how long nothing happened.

The clock is an argument. Order within a file is `wholerules`; comparison with earlier versions is
not here. `evaluate` calls these.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from dvtool.quality.checks.grammar import duration_words
from dvtool.quality.checks.model import TableSpec, TimeSpec
from dvtool.quality.checks.subject import Asked, Subject
from dvtool.quality.findings import Finding
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Table


def fresh_until(engine: Engine, table: Table, spec: TableSpec) -> datetime.datetime | None:
    """Returns the moment (UTC) until which `fresh` holds, None when no clock decides anything.

    A moment that is over already says that the answer names an age, which is another one tomorrow;
    of a private column the moment would tell the newest value, and it is over always.
    """
    time = spec.time
    if time is None or time.fresh_s is None:
        return None
    column = next((one for one in table.columns if one.name == time.column), None)
    if column is None or not column.kind.is_moment:
        return None
    newest = _newest(Subject(engine, table), time)
    if newest is None:
        return None
    if time.column in spec.private:
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)
    try:
        return newest.replace(tzinfo=datetime.UTC) + datetime.timedelta(seconds=time.fresh_s)
    except OverflowError:
        return None  # longer than any calendar


def judge_fresh(
    subject: Subject, asked: Asked, spec: TimeSpec, now: datetime.datetime | None
) -> Iterator[Finding]:
    """Yields a finding when the newest row is older than allowed at `now` (UTC when naive)."""
    assert spec.fresh_s is not None
    if why := _unfit(subject, spec):
        yield subject.undecided(asked, why)
        return
    if now is None:
        yield subject.undecided(asked, "no clock at hand")
        return
    newest = _newest(subject, spec)
    if newest is None:
        yield subject.undecided(asked, "no row is dated")
        return
    age = (_utc(now) - newest).total_seconds()
    if age <= spec.fresh_s:
        return
    if spec.column in subject.private:
        message = f"the newest row is older than allowed, {duration_words(spec.fresh_s)}"
        yield subject.violated(asked, message)
        return
    moment = newest.date().isoformat() if _is_day(subject, spec) else newest.isoformat(sep=" ")
    yield subject.violated(
        asked,
        f"the newest row is {about(age)} old ({moment}), allowed {duration_words(spec.fresh_s)}",
        figures={"found_s": age, "allowed_s": spec.fresh_s},
    )


def judge_gaps(subject: Subject, asked: Asked, spec: TimeSpec) -> Iterator[Finding]:
    """Yields a finding when neighbours in time lie further apart than allowed."""
    assert spec.gaps_s is not None
    if why := _unfit(subject, spec):
        yield subject.undecided(asked, why)
        return
    name = quoted(spec.column)
    inner = (
        f'SELECT "{ROW}" AS __r, CAST({name} AS TIMESTAMP) AS __t, '
        f'lag(CAST({name} AS TIMESTAMP)) OVER (ORDER BY {name}, "{ROW}") AS __p '
        f"FROM {subject.table.source} WHERE {name} IS NOT NULL"
    )
    gap = "date_diff('microsecond', __p, __t)"
    broken = f"FROM ({inner}) WHERE {gap} > {spec.gaps_s * 1_000_000}"
    count, longest = subject.engine.rows(f"SELECT count(*), max({gap}) {broken}")[0]
    if not count:
        return
    shown = "NULL"
    if spec.column not in subject.private:
        kind = "DATE" if _is_day(subject, spec) else "TIMESTAMP"
        shown = f"CAST(CAST(__p AS {kind}) AS VARCHAR)"
    rows = subject.engine.rows(
        f"SELECT __r, {shown}, {gap} {broken} ORDER BY __t, __r LIMIT {subject.limit}"
    )
    times = "time" if count == 1 else "times"
    message = f"{count} {times} more than {duration_words(spec.gaps_s)} between rows"
    figures = {"found": count, "allowed_s": spec.gaps_s}
    if spec.column not in subject.private:
        message += f", longest {about(longest / 1e6)}"
        figures["longest_s"] = longest / 1e6
    found = [
        (int(row), None if before is None else f"{about(apart / 1e6)} after {before}")
        for row, before, apart in rows
    ]
    yield subject.violated(asked, message, rows=found, figures=figures)


def about(seconds: float) -> str:
    """Returns a span in its two largest units: `3d 4h`, `12m 5s`."""
    rest, parts = int(seconds), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        if rest >= size:
            parts.append(f"{rest // size}{unit}")
            rest %= size
        elif parts:
            break
    return " ".join(parts[:2]) or "0s"


def _newest(subject: Subject, spec: TimeSpec) -> datetime.datetime | None:
    sql = f"SELECT CAST(max({quoted(spec.column)}) AS TIMESTAMP) FROM {subject.table.source}"
    found: datetime.datetime | None = subject.engine.rows(sql)[0][0]
    return found


def _is_day(subject: Subject, spec: TimeSpec) -> bool:
    return any(one.name == spec.column and one.kind is Kind.DATE for one in subject.table.columns)


def _unfit(subject: Subject, spec: TimeSpec) -> str:
    column = next(one for one in subject.table.columns if one.name == spec.column)
    if column.kind in (Kind.DATE, Kind.DATETIME):
        return ""
    return f"{spec.column} is {column.kind.value}, not a date"


def _utc(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
