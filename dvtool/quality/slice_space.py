"""The space of a table's parts: runs of time, runs of rows, values of categories, and sums of each.

All parts, and all sums that are wanted together, are asked of the engine in one pass, whatever the
table's size. What is summed is for `explaining` and `drift_causes`, the callers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np

from dvtool.quality.kinds import Kind
from dvtool.quality.slice_parts import NO_PART, RUNS, FloatArray, IntArray, Part, Parts, fit, runs
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Table

if TYPE_CHECKING:
    from dvtool.quality.checks.model import TableSpec

_Sums: TypeAlias = dict[tuple[int, str | None], FloatArray]
"""Of each bucket, by number of its dimension and its text."""

MOST_CATEGORIES: Final = 50
MOST_COLUMNS: Final = 40
"""Columns tried as categories, the first ones of the table."""
BLOCKS: Final = 20
MOST_BUCKETS: Final = 400
"""Buckets of time; days while they are this few, then weeks, then months."""
_UNITS: Final = ("day", "week", "month")


@dataclass(frozen=True, slots=True)
class _Dimension:
    """One way to cut a table: SQL that gives a row's bucket, and how a bucket is called."""

    kind: str
    column: str
    sql: str
    unit: str = ""
    last: int = 0

    names: tuple[str, ...] = ()

    def label(self, bucket: str | None) -> Part:
        if self.kind == "file":
            name = self.names[int(bucket)]  # type: ignore[arg-type]
            return Part(self.kind, "", name, name)
        if self.kind == "rows":
            first, end = (-(-at * self.last // BLOCKS) for at in (int(bucket), int(bucket) + 1))  # type: ignore[arg-type]
            return Part(self.kind, "", str(first + 1), str(end))
        if self.kind == "time":
            assert bucket is not None
            return Part(self.kind, self.column, bucket, _last_day(bucket, self.unit))
        text = "missing" if bucket is None else _shown(bucket)
        return Part(self.kind, self.column, text, text)

    @property
    def is_run(self) -> bool:
        return self.kind in RUNS

    @property
    def most(self) -> int:
        """Buckets from which on they are too many."""
        return MOST_CATEGORIES + 1 if self.kind == "category" else MOST_BUCKETS

    def order(self, bucket: str | None) -> tuple[bool, int, str]:
        """What buckets are sorted by: as neighbours lie."""
        return (
            bucket is None,
            int(bucket) if self.kind in ("rows", "file") and bucket else 0,
            bucket or "",
        )


class Later(Exception):
    """Sums are not here yet; they were noted."""


class _Request(NamedTuple):
    """Sums that were asked for: aggregates, and names and SQL of what they use."""

    aggregates: tuple[str, ...]
    given: tuple[tuple[str, str], ...]


class Space:
    """The parts of one table, of which sums can be asked.

    Args:
        engine: Holds the table.
        table: Where to look; one without rows has no part.
        time: The time column, empty for none.
        private: Columns of which no value may become the name of a part.
    """

    def __init__(
        self, engine: Engine, table: Table, *, time: str = "", private: frozenset[str] = frozenset()
    ) -> None:
        self.engine = engine
        self.table = table
        self._time = time
        self._private = private
        self._planned: list[_Request] | None = None
        self._known: dict[_Request, _Sums] = {}
        self._figures: dict[str, float | None] = {}

    @classmethod
    def of(cls, engine: Engine, table: Table, spec: TableSpec) -> Space:
        """Returns the parts of a table as its checks call the time and what is private."""
        time = spec.time.column if spec.time is not None else ""
        return cls(engine, table, time=time, private=spec.private)

    @contextmanager
    def planning(self) -> Iterator[list[_Request]]:
        """Only notes which sums are asked for, which raises `Later`; afterwards asks all in one pass."""
        planned: list[_Request] = []
        self._planned = planned
        try:
            yield planned
        finally:
            self._planned = None
        with suppress(Exception):  # one that cannot be asked is found when each is asked alone
            self._ask(list(dict.fromkeys(planned)))

    def sums(
        self, aggregates: Sequence[str], *, but: str = "", given: Mapping[str, str] | None = None
    ) -> Parts:
        """Returns the sums of SQL aggregates that add up over rows, part by part.

        Args:
            aggregates: The count of rows is put before them.
            but: A column that would explain itself.
            given: Further columns that the aggregates use, by name, over the typed view.
        """
        request = _Request(tuple(aggregates), tuple((given or {}).items()))
        if request not in self._known:
            if self._planned is not None:
                self._planned.append(request)
                raise Later
            self._ask([request])
        return self._parts(self._known[request], 1 + len(aggregates), but)

    def figure(self, aggregate: str) -> float | None:
        """Returns an SQL aggregate over the whole table, asked once."""
        if aggregate not in self._figures:
            ((found,),) = self.engine.rows(f"SELECT {aggregate} FROM {self.table.source}")
            self._figures[aggregate] = None if found is None else float(found)
        return self._figures[aggregate]

    def _ask(self, requests: Sequence[_Request]) -> None:
        """Asks for several sums in one pass over the table."""
        given: dict[str, str] = {}
        aggregates: list[str] = []
        for number, one in enumerate(requests):
            asked = list(one.aggregates)
            for name, sql in one.given:
                own = f"{self._prefix}{name} {number}"
                given[own] = sql
                asked = [text.replace(quoted(name), quoted(own)) for text in asked]
            aggregates += asked
        if not requests:
            return
        found = self._asked(f"count(*), {', '.join(aggregates)}", given)
        at = 3
        for one in requests:
            end = at + len(one.aggregates)
            self._known[one] = {
                (row[0], row[1]): np.asarray([row[2], *row[at:end]], dtype=np.float64)
                for row in found
            }
            at = end

    def counts(self, bin_sql: str, bins: int, *, but: str = "") -> Parts:
        """Returns how many rows of each part fall into each bin, after the count of rows.

        Args:
            bin_sql: Over the typed view: the row's bin, from 0.
            bins: Their number.
            but: As in `sums`.
        """
        name = f"{self._prefix}bin"
        found = self._asked("count(*)", {name: bin_sql}, also=name)
        sums: _Sums = {}
        for place, bucket, number, count in found:
            one = sums.setdefault((place, bucket), np.zeros(1 + bins))
            one[0] += count
            one[1 + number] += count
        return self._parts(sums, 1 + bins, but)

    @cached_property
    def _prefix(self) -> str:
        """Returns what no column's name begins with, so that names made of it are free."""
        prefix = "__"
        while any(one.name.lower().startswith(prefix) for one in self.table.columns):
            prefix += "_"
        return prefix

    @cached_property
    def _dimensions(self) -> list[_Dimension]:
        """Returns the ways to cut the table, asked once."""
        if not self.table.rows:
            return []
        moment = next((one for one in self.table.columns if one.name == self._time), None)
        name = ""
        if moment is not None and moment.kind.is_moment and self._time not in self._private:
            name = f"CAST({quoted(moment.name)} AS TIMESTAMP)"
        fit = [
            one
            for one in self.table.columns
            if one.kind in (Kind.TEXT, Kind.BOOL, Kind.INT) and one.name not in self._private
        ][:MOST_COLUMNS]
        buckets = {unit: _bucket(name, unit) for unit in _UNITS} if name else {}
        asked = [f"approx_count_distinct({one})" for one in buckets.values()]
        asked += [f"approx_count_distinct({quoted(one.name)})" for one in fit]
        sql = f"SELECT {', '.join([f'max({quoted(ROW)})', *asked])} FROM {self.table.source}"
        last, *found = (int(one or 0) for one in self.engine.rows(sql)[0])
        made = []
        members = self.table.members
        if len(members) > 1:
            ends = ", ".join(str(one.first + one.table.rows) for one in members)
            # The number of files that end before the row.
            file = f"len(list_filter([{ends}], lambda last: last < {quoted(ROW)}))"
            names = tuple(one.table.name for one in members)
            made.append(_Dimension("file", "", file, names=names))
        elif last - (first := members[0].first if members else 0) >= 2 * BLOCKS:
            block = f"(({quoted(ROW)} - {first} - 1) * {BLOCKS}) // {last - first}"
            made.append(_Dimension("rows", "", block, last=last - first))
        for (unit, bucket), n in zip(buckets.items(), found, strict=False):
            if 0 < n <= 0.9 * MOST_BUCKETS:
                made.append(_Dimension("time", self._time, bucket, unit))
                break
        # The counts are off by a few percent; limits are kept exactly once the buckets are here.
        for one, n in zip(fit, found[len(buckets) :], strict=True):
            if 0 < n <= 2 * MOST_CATEGORIES:
                made.append(_Dimension("category", one.name, quoted(one.name)))
        return made

    def _asked(
        self, aggregates: str, given: Mapping[str, str], *, also: str = ""
    ) -> list[tuple[Any, ...]]:
        """Returns dimension (-1 for all rows), bucket, and aggregates of every bucket, in one pass."""
        if not self.table.rows:
            return []
        used = [
            (place, quoted(f"{self._prefix}part {place}"), one.sql)
            for place, one in enumerate(self._dimensions)
        ]
        names = [name for _, name, _ in used]
        inner = ", ".join(
            [
                *(f"{sql} AS {name}" for _, name, sql in used),
                *(f"{sql} AS {quoted(name)}" for name, sql in given.items()),
            ]
        )
        further = f", {quoted(also)}" if also else ""
        texts = [f"CAST({name} AS VARCHAR)" for name in names]
        bucket = f"coalesce({', '.join(texts)})" if len(texts) > 1 else (texts or ["NULL"])[0]
        place = f"grouping({', '.join(names)})" if names else "0"
        sets = ", ".join(
            f"({one})" for one in [*(f"{name}{further}" for name in names), further[2:]]
        )
        found = self.engine.rows(
            f"SELECT {place}, {bucket}{further}, {aggregates} "
            f"FROM (SELECT *{', ' if inner else ''}{inner} FROM {self.table.source}) "
            f"GROUP BY GROUPING SETS ({sets})"
        )
        every = (1 << len(used)) - 1
        places = {every - (1 << (len(used) - 1 - at)): one[0] for at, one in enumerate(used)}
        return [(places.get(row[0], -1), *row[1:]) for row in found]

    def _parts(self, sums: _Sums, size: int, but: str) -> Parts:
        whole = sums.get((-1, None), np.zeros(size))
        running, labels = [np.zeros((0, size))], []
        starts: list[IntArray] = []
        ends: list[IntArray] = []
        length = 0
        for place, one in enumerate(self._dimensions):
            if but and one.column == but:
                continue
            buckets = [bucket for at, bucket in sums if at == place]
            buckets = sorted((key for key in buckets if key or not one.is_run), key=one.order)
            if not buckets or len(buckets) > one.most:
                continue
            steps = np.cumsum([np.zeros(size), *(sums[place, key] for key in buckets)], axis=0)
            running.append(steps)
            labels += [*map(one.label, buckets), NO_PART]
            if one.is_run:
                first, last = runs(len(buckets))
            else:
                first = np.arange(len(buckets))
                last = first + 1
            starts.append(first + length)
            ends.append(last + length)
            length += len(steps)
        return fit(Parts(whole, np.concatenate(running), _joined(starts), _joined(ends), labels))


def _joined(arrays: Sequence[IntArray]) -> IntArray:
    return np.concatenate([np.zeros(0, dtype=np.int64), *arrays]).astype(np.int64)


def _bucket(moment: str, unit: str) -> str:
    return f"(CASE WHEN isfinite({moment}) THEN CAST(date_trunc('{unit}', {moment}) AS DATE) END)"


def _last_day(first: str, unit: str) -> str:
    """Returns the day that a bucket ends with, written like the one it begins with."""
    try:
        start = dt.date.fromisoformat(first)
    except ValueError:
        return first  # before year 1, or after 9999
    if unit == "month":
        after = (start.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        return (after - dt.timedelta(days=1)).isoformat()
    return (start + dt.timedelta(days=6 if unit == "week" else 0)).isoformat()


def _shown(text: str) -> str:
    """Returns a value between quotes, on one line of at most 60 characters."""
    flat = "".join(one if one.isprintable() else "\ufffd" for one in text)
    return repr(flat if len(flat) <= 60 else f"{flat[:59]}…")
