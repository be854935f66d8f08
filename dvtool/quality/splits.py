"""Splits for learning: leaks between their parts, and how fair they are.

Compares the parts of a data set row by row, group by group and in time, in the engine, so that
the parts may be larger than memory. What the parts are is said in the checks; opening them and
turning findings into a verdict is `judging`, which calls this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

from dvtool.quality.checks.model import TableSpec
from dvtool.quality.findings import Evidence, Example, Finding, Outcome, Place, Severity
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import Engine, quoted
from dvtool.quality.tables.table import ROW, Column, Table

MAX_CLASSES: Final = 50
"""A label with more values is not one of classes, and its balance is not judged."""
GIVEN_AWAY: Final = 0.995
"""Share of later rows whose label one feature alone tells, from which on it is a leak."""
BALANCE_MARGIN: Final = 0.02
"""Difference of a class's share that nobody minds, on top of three standard errors."""
_BINS: Final = 64


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a split: its name in the checks (`train`) and its table."""

    name: str
    table: Table


def judge_splits(
    engine: Engine, parts: Mapping[str, Table], spec: TableSpec, *, source: str, limit: int = 5
) -> list[Finding]:
    """Returns what is wrong between the parts of a split, most serious first.

    Args:
        engine: Holds all the tables.
        parts: `train`, `validation`, `test`, those that are given; fewer than two give nothing.
        spec: The checks with `splits:`.
        source: The checks file, for `rule`.
        limit: Examples a finding, at most.
    """
    splits = spec.splits
    if splits is None:
        return []
    rule = splits.at("splits", source)
    judge = _Judge(engine, spec, rule, limit)
    found: list[Finding] = []
    for earlier, later in combinations([Part(*one) for one in parts.items()], 2):
        copied = list(judge.overlap(earlier, later))
        found += copied
        # Copied rows bring their group and their time along: that is told already.
        own = judge.without_copies(earlier, later) if _settles(copied, spec) else later
        found += judge.groups(earlier, own, splits.group)
        found += judge.order(earlier, own, splits.time)
        found += judge.balance(earlier, later)
        if earlier.name == "train":
            found += judge.leaks(earlier, later)
    return found


@dataclass(frozen=True, slots=True)
class _Judge:
    engine: Engine
    spec: TableSpec
    rule: Place
    limit: int

    def overlap(self, earlier: Part, later: Part) -> Iterator[Finding]:
        """Rows of the later part that the earlier one has too, exactly or but for spelling."""
        shared = self._shared(earlier, later)
        if not shared or not later.table.rows:
            return
        exact = self._same_rows(earlier, later, [_plain(one) for one in shared])
        loose = self._same_rows(earlier, later, [_normal(one) for one in shared])
        by_chance = self._repeats(earlier, [_plain(one) for one in shared])
        for count, rows, code, how in (
            (*exact, "overlap", "every value equal"),
            (loose[0] - exact[0], loose[1], "near-overlap", "equal but for case and spaces"),
        ):
            if count <= 0:
                continue
            share = count / later.table.rows
            usual = by_chance / max(earlier.table.rows, 1)
            # A table of few, coarse columns repeats rows within itself, too.
            expected = share <= 1.5 * usual
            yield self._finding(
                code,
                f"{count:,} of {later.table.rows:,} rows of {later.name} ({share:.1%}) are in "
                f"{earlier.name} too, {how}"
                + (f"; {earlier.name} repeats {usual:.1%} of its own rows" if usual else ""),
                later,
                severity=Severity.WARN if expected else Severity.FAIL,
                rows=rows,
                figures={"rows": count, "share": share, "repeated_within": usual},
            )

    def without_copies(self, earlier: Part, later: Part) -> Part:
        """Returns the later part without the rows that the earlier one has too, as `overlap` counts."""
        values = [_normal(one) for one in self._shared(earlier, later)]
        rows = self.engine.fresh("own")
        self.engine.rows(
            f"CREATE TEMP VIEW {rows} AS SELECT * FROM {later.table.source} "
            f"WHERE {ROW} NOT IN ({_copies_sql(earlier, later, values)})"
        )
        return replace(later, table=replace(later.table, source=rows))

    def groups(self, earlier: Part, later: Part, column: str) -> Iterator[Finding]:
        """Groups, such as users, that are on both sides."""
        if not column:
            return
        lost = [one.name for one in (earlier, later) if not _has(one, column)]
        if lost:
            yield self._undecided("group-overlap", f"no column {column} in {lost[0]}", later)
            return
        name = quoted(column)
        private = column in self.spec.private
        (count, total), *_ = self.engine.rows(
            f"SELECT count(*) FILTER (g IN (SELECT {name} FROM {earlier.table.source})), count(*) "
            f"FROM (SELECT DISTINCT {name} AS g FROM {later.table.source} WHERE {name} IS NOT NULL)"
        )
        if not count:
            return
        values = (
            ()
            if private
            else self.engine.rows(
                f"SELECT DISTINCT CAST({name} AS VARCHAR) FROM {later.table.source} WHERE {name} IN "
                f"(SELECT {name} FROM {earlier.table.source}) ORDER BY 1 LIMIT {self.limit}"
            )
        )
        yield self._finding(
            "group-overlap",
            f"{count:,} of {total:,} values of {column} in {later.name} are in {earlier.name} too",
            later,
            column=column,
            examples=tuple(Example(Place(later.table.name), value) for (value,) in values),
            figures={"groups": count, "of": total},
        )

    def order(self, earlier: Part, later: Part, column: str) -> Iterator[Finding]:
        """Rows of the later part that are not later in time."""
        if not column:
            return
        lost = [one.name for one in (earlier, later) if not _has(one, column)]
        if lost:
            yield self._undecided("time-order", f"no column {column} in {lost[0]}", later)
            return
        name = quoted(column)
        (last,), *_ = self.engine.rows(f"SELECT max({name}) FROM {earlier.table.source}")
        rows = self.engine.rows(
            f"SELECT {ROW}, count(*) OVER () FROM {later.table.source} WHERE {name} <= "
            f"(SELECT max({name}) FROM {earlier.table.source}) ORDER BY {ROW} LIMIT {self.limit + 1}"
        )
        if rows:
            until = "its last moment" if column in self.spec.private else str(last)
            yield self._finding(
                "time-order",
                f"{rows[0][1]:,} rows of {later.name} are not after {earlier.name}, "
                f"which goes up to {until}",
                later,
                column=column,
                rows=[row for row, _ in rows],
                figures={"rows": rows[0][1]},
            )

    def balance(self, earlier: Part, later: Part) -> Iterator[Finding]:
        """Classes of the label whose share differs by more than chance and a margin."""
        label = self.spec.label
        if not label or not (_has(earlier, label) and _has(later, label)):
            return
        shares = [self._classes(part, label) for part in (earlier, later)]
        if any(one is None or not one for one in shares):
            return
        before, after = (one or {} for one in shares)
        n, m = sum(before.values()), sum(after.values())
        worst, gap = "", 0.0
        for name in before.keys() | after.keys():
            p, q = before.get(name, 0) / n, after.get(name, 0) / m
            pooled = (before.get(name, 0) + after.get(name, 0)) / (n + m)
            allowed = BALANCE_MARGIN + 3 * (pooled * (1 - pooled) * (1 / n + 1 / m)) ** 0.5
            if abs(p - q) - allowed > gap:
                worst, gap = name, abs(p - q) - allowed
        if gap > 0:
            p, q = before.get(worst, 0) / n, after.get(worst, 0) / m
            named = "a class" if label in self.spec.private else repr(worst)
            yield self._finding(
                "label-balance",
                f"{named} is {p:.1%} of {earlier.name} and {q:.1%} of {later.name}",
                later,
                column=label,
                severity=Severity.WARN,
                figures={"share_before": p, "share_after": q},
            )

    def leaks(self, earlier: Part, later: Part) -> Iterator[Finding]:
        """Single features from which the label of unseen rows follows."""
        label = self.spec.label
        if not label or not (_has(earlier, label) and _has(later, label)):
            return
        classes = self._classes(later, label)
        if classes is None or len(classes) < 2:
            return
        commonest = max(classes.values()) / sum(classes.values())
        splits = self.spec.splits
        apart = {label, *self.spec.key, splits.group if splits else ""}
        for column in self._shared(earlier, later):
            if column.name in apart or column.kind in (Kind.LIST, Kind.OTHER):
                continue
            told = self._told(earlier, later, column, label)
            if told >= GIVEN_AWAY and commonest < 2 * GIVEN_AWAY - 1:
                yield self._finding(
                    "label-leak",
                    f"{column.name} alone tells {label} in {told:.1%} of the rows of {later.name}; "
                    "is it known before the label is?",
                    later,
                    column=column.name,
                    severity=Severity.WARN,
                    figures={"share": told, "commonest_class": commonest},
                )

    # -- queries ---------------------------------------------------------------------------------

    def _shared(self, earlier: Part, later: Part) -> list[Column]:
        """Columns that both parts have, of one type, keys left out: a row's number proves nothing."""
        types = {one.name: one.type for one in later.table.columns}
        return [
            one
            for one in earlier.table.columns
            if types.get(one.name) == one.type and one.name not in self.spec.key
        ]

    def _same_rows(self, earlier: Part, later: Part, values: list[str]) -> tuple[int, list[int]]:
        rows = self.engine.rows(
            f"SELECT {ROW}, count(*) OVER () FROM ({_copies_sql(earlier, later, values)}) "
            f"ORDER BY 1 LIMIT {self.limit + 1}"
        )
        return (int(rows[0][1]) if rows else 0), [int(row) for row, _ in rows]

    def _repeats(self, part: Part, values: list[str]) -> int:
        """Returns how many rows of a part have an equal one in it."""
        listed = ", ".join(values)
        (count,), *_ = self.engine.rows(
            "SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM "
            f"{part.table.source} GROUP BY {listed} HAVING count(*) > 1)"
        )
        return int(count)

    def _classes(self, part: Part, label: str) -> dict[str, int] | None:
        name = quoted(label)
        rows = self.engine.rows(
            f"SELECT CAST({name} AS VARCHAR), count(*) FROM {part.table.source} "
            f"WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT {MAX_CLASSES + 1}"
        )
        return None if len(rows) > MAX_CLASSES else {value: int(count) for value, count in rows}

    def _told(self, earlier: Part, later: Part, column: Column, label: str) -> float:
        """Returns the share of later rows that a table from value to commonest label gets right."""
        value, target = quoted(column.name), quoted(label)
        if column.kind.is_number or column.kind.is_moment:
            # Numbers rarely come again: neighbours between the same quantiles stand for them.
            number = f"epoch(CAST({value} AS TIMESTAMP))" if column.kind.is_moment else value
            (edges,), *_ = self.engine.rows(
                f"SELECT quantile_disc(CAST({number} AS DOUBLE), [x / {_BINS}.0 FOR x IN "
                f"range(1, {_BINS})]) FROM {earlier.table.source}"
            )
            steps = sorted(set(edges or []))
            listed = "[" + ", ".join(repr(float(one)) for one in steps) + "]::DOUBLE[]"
            value = f"len(list_filter({listed}, lambda e: e < CAST({number} AS DOUBLE)))"
        (share,), *_ = self.engine.rows(
            "WITH counted AS (SELECT "
            f"{value} AS v, CAST({target} AS VARCHAR) AS l, count(*) AS n FROM "
            f"{earlier.table.source} GROUP BY ALL), told AS (SELECT v, arg_max(l, n) AS l FROM "
            f"counted GROUP BY v) SELECT avg(CASE WHEN told.l = CAST(b.l AS VARCHAR) THEN 1.0 ELSE "
            f"0.0 END) FROM (SELECT {value} AS v, {target} AS l FROM {later.table.source} WHERE "
            f"{target} IS NOT NULL) b LEFT JOIN told ON told.v IS NOT DISTINCT FROM b.v"
        )
        return float(share or 0.0)

    # -- findings --------------------------------------------------------------------------------

    def _finding(
        self,
        code: str,
        message: str,
        part: Part,
        *,
        column: str = "",
        severity: Severity = Severity.FAIL,
        rows: list[int] | None = None,
        examples: tuple[Example, ...] = (),
        figures: dict[str, Any] | None = None,
    ) -> Finding:
        numbers = (rows or [])[: self.limit]
        lines = part.table.lines(self.engine, numbers) if numbers else {}
        places = [Place(part.table.name, lines.get(row, 0), row) for row in numbers]
        return Finding(
            code=code,
            message=message,
            place=places[0] if places else Place(part.table.name),
            evidence=Evidence.SPLITS,
            column=column,
            severity=severity,
            rule=self.rule,
            examples=examples or tuple(Example(place, None) for place in places),
            figures=figures or {},
        )

    def _undecided(self, code: str, why: str, part: Part) -> Finding:
        return Finding(
            code=code,
            message=f"could not run: {why}",
            place=Place(part.table.name),
            evidence=Evidence.SPLITS,
            outcome=Outcome.UNDECIDED,
            rule=self.rule,
        )


def _copies_sql(earlier: Part, later: Part, values: list[str]) -> str:
    """Returns the query of the rows of the later part whose values a row of the earlier one has."""
    names = [f"c{number}" for number in range(len(values))]
    chosen = ", ".join(f"{value} AS {name}" for value, name in zip(values, names, strict=True))
    same = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in names)
    return (
        f"SELECT b.{ROW} FROM (SELECT {ROW}, {chosen} FROM {later.table.source}) b WHERE EXISTS "
        f"(SELECT 1 FROM (SELECT DISTINCT {chosen} FROM {earlier.table.source}) a WHERE {same})"
    )


def _settles(copied: list[Finding], spec: TableSpec) -> bool:
    """Tells whether copied rows are a failure that counts, so that it may speak for others."""
    ignored = {one.finding for one in spec.ignore}
    return bool(copied) and all(
        one.severity is Severity.FAIL and one.code not in ignored for one in copied
    )


def _has(part: Part, column: str) -> bool:
    return any(one.name == column for one in part.table.columns)


def _plain(column: Column) -> str:
    return quoted(column.name)


def _normal(column: Column) -> str:
    if column.kind is not Kind.TEXT:
        return quoted(column.name)
    return f"lower(trim(regexp_replace({quoted(column.name)}, '\\s+', ' ', 'g')))"
