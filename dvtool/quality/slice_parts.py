"""Parts of a table that may explain a figure: runs of time, runs of rows, values of categories.

Here each part's sums are asked of the engine, all parts in one pass, whatever the table's size.
Which part is chosen is `slices`' business, and `explaining`'s what is summed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Table

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

MOST_SUPPORT: Final = 0.5
"""A slice is a part: what holds more than half of the rows explains nothing."""
MOST_CATEGORIES: Final = 50
MOST_COLUMNS: Final = 40
"""Columns tried as categories, the first ones of the table."""
BLOCKS: Final = 20
MOST_BUCKETS: Final = 400
"""Buckets of time; days while they are this few, then weeks, then months."""
_SHORT: Final = 31
"""Longest run of buckets of which every one is tried."""
_NEAR: Final = 8
"""Buckets by which the ends of a chosen run are moved, to find them exactly."""
_STEPS: Final = 60
"""Places at which longer ones begin and end, about."""
_AT_ONCE: Final = 4096
"""Parts whose sums are held at a time."""


class Part(NamedTuple):
    """What a part is called.

    Attributes:
        kind: `time`, `category`, `rows` or `file`.
        column: Of time or category, empty otherwise.
        value: What it is, or begins with.
        last: What it ends with, included.
    """

    kind: str
    column: str
    value: str
    last: str


@dataclass(frozen=True, slots=True)
class Parts:
    """Candidates with their sums; each is a run of neighbouring buckets, or a single one.

    Attributes:
        whole: Sums over the table, shape (k,): rows first, then what was asked for.
        running: Running sums over the buckets of all dimensions, shape (m, k).
        starts: Where in `running` each part begins, shape (parts,).
        ends: Where it ends; its sums are the difference.
        labels: Kind, column, and what a run beginning and ending there is called, by place.
    """

    whole: FloatArray
    running: FloatArray
    starts: IntArray
    ends: IntArray
    labels: Sequence[Part]

    def __len__(self) -> int:
        return len(self.starts)

    def name(self, at: int) -> Part:
        """Returns what a part is called."""
        kind, column, value, _ = self.labels[int(self.starts[at])]
        return Part(kind, column, value, self.labels[int(self.ends[at]) - 1].last)

    def sums(self, chosen: IntArray) -> FloatArray:
        """Returns the sums of some parts, shape (chosen, k)."""
        return np.asarray(self.running[self.ends[chosen]] - self.running[self.starts[chosen]])

    def around(self, at: int) -> Parts:
        """Returns the parts that hold a part, itself among them."""
        held = (self.starts <= self.starts[at]) & (self.ends >= self.ends[at])
        return replace(self, starts=self.starts[held], ends=self.ends[held])

    def beside(self, at: int) -> Parts:
        """Returns the runs that begin and end near where a part does, itself among them."""
        start, end = int(self.starts[at]), int(self.ends[at])
        if self.labels[start].kind not in _RUNS:
            return replace(self, starts=self.starts[[at]], ends=self.ends[[at]])
        low, high = start, end
        while low > 0 and start - low < _NEAR and self.labels[low - 1] is not _NONE:
            low -= 1
        while high - end < _NEAR and self.labels[high] is not _NONE:
            high += 1
        first, last = np.meshgrid(
            np.arange(low, min(start + _NEAR, end)),
            np.arange(max(end - _NEAR, start) + 1, high + 1),
        )
        kept = first < last
        return _fit(replace(self, starts=first[kept], ends=last[kept]))

    def in_batches(self) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yields all parts by number, with their sums, some at a time."""
        for start in range(0, len(self), _AT_ONCE):
            chosen = np.arange(start, min(start + _AT_ONCE, len(self)))
            yield chosen, self.sums(chosen)


@dataclass(frozen=True, slots=True)
class _Dimension:
    """One way to cut a table: SQL that gives a row's bucket, and how a bucket is called."""

    kind: str
    column: str
    sql: str
    unit: str = ""
    last: int = 0

    def label(self, bucket: str | None) -> Part:
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
        return self.kind in _RUNS

    def order(self, bucket: str | None) -> tuple[bool, int, str]:
        """What buckets are sorted by: as neighbours lie."""
        return (bucket is None, int(bucket) if self.kind == "rows" and bucket else 0, bucket or "")


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

    def sums(
        self, aggregates: Sequence[str], *, but: str = "", given: Mapping[str, str] | None = None
    ) -> Parts:
        """Returns the sums of SQL aggregates that add up over rows, part by part.

        Args:
            aggregates: The count of rows is put before them.
            but: A column that would explain itself.
            given: Further columns that the aggregates use, by name, over the typed view.
        """
        found = self._asked(f"count(*), {', '.join(aggregates)}", but, given or {})
        size = 1 + len(aggregates)
        sums = {(row[0], row[1]): np.asarray(row[2:], dtype=np.float64) for row in found}
        return self._parts(sums, size)

    def counts(self, bin_sql: str, bins: int, *, but: str = "") -> Parts:
        """Returns how many rows of each part fall into each bin, after the count of rows.

        Args:
            bin_sql: Over the typed view: the row's bin, from 0.
            bins: Their number.
            but: As in `sums`.
        """
        found = self._asked("count(*)", but, {_BIN: bin_sql}, also=_BIN)
        sums: dict[tuple[int, str | None], FloatArray] = {}
        for place, bucket, number, count in found:
            one = sums.setdefault((place, bucket), np.zeros(1 + bins))
            one[0] += count
            one[1 + number] += count
        return self._parts(sums, 1 + bins)

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
        if last >= 2 * BLOCKS:
            block = f"(({quoted(ROW)} - 1) * {BLOCKS}) // {last}"
            made.append(_Dimension("rows", "", block, last=last))
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
        self, aggregates: str, but: str, given: Mapping[str, str], *, also: str = ""
    ) -> list[tuple[Any, ...]]:
        """Returns dimension (-1 for all rows), bucket, and aggregates of every bucket, in one pass."""
        if not self.table.rows:
            return []
        used = [
            (place, quoted(f"__part {place}"), one.sql)
            for place, one in enumerate(self._dimensions)
            if not but or one.column != but
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

    def _parts(self, sums: Mapping[tuple[int, str | None], FloatArray], size: int) -> Parts:
        whole = sums.get((-1, None), np.zeros(size))
        running, labels = [np.zeros((0, size))], []
        starts: list[IntArray] = []
        ends: list[IntArray] = []
        length = 0
        for place, one in enumerate(self._dimensions):
            buckets = [bucket for at, bucket in sums if at == place]
            buckets = sorted((key for key in buckets if key or not one.is_run), key=one.order)
            if not buckets or len(buckets) > (MOST_BUCKETS if one.is_run else MOST_CATEGORIES + 1):
                continue
            steps = np.cumsum([np.zeros(size), *(sums[place, key] for key in buckets)], axis=0)
            running.append(steps)
            labels += [*map(one.label, buckets), _NONE]
            if one.is_run:
                first, last = _runs(len(buckets))
            else:
                first = np.arange(len(buckets))
                last = first + 1
            starts.append(first + length)
            ends.append(last + length)
            length += len(steps)
        return _fit(Parts(whole, np.concatenate(running), _joined(starts), _joined(ends), labels))


def parts_of_files(files: Mapping[str, Sequence[float]]) -> Parts:
    """Returns the files of a data set as parts.

    Args:
        files: By name: rows first, then whatever adds up.
    """
    sums = np.asarray(list(files.values()), dtype=np.float64)
    running = np.cumsum(np.vstack([np.zeros((1, sums.shape[1])), sums]), axis=0)
    labels = [*(Part("file", "", name, name) for name in files), _NONE]
    first = np.arange(len(files), dtype=np.int64)
    return _fit(Parts(running[-1], running, first, first + 1, labels))


_BIN: Final = "__bin"
_RUNS: Final = ("time", "rows")
_NONE: Final = Part("", "", "", "")
_UNITS: Final = ("day", "week", "month")


def _fit(parts: Parts) -> Parts:
    """Returns parts without those that have no row, or too many to explain anything."""
    rows = parts.running[parts.ends, 0] - parts.running[parts.starts, 0]
    kept = (rows > 0) & (rows <= MOST_SUPPORT * parts.whole[0])
    return replace(parts, starts=parts.starts[kept], ends=parts.ends[kept])


def _runs(buckets: int) -> tuple[IntArray, IntArray]:
    """Returns where runs of neighbours begin and end: short ones all, long ones in coarser steps."""
    first, last = np.triu_indices(buckets + 1, k=1)
    step = max(1, buckets // _STEPS)
    kept = (last - first <= _SHORT) | ((first % step == 0) & (last % step == 0))
    return first[kept], last[kept]


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
