"""Loosenings: in what a newer checks file asks for less than an older one.

A rule a key says when a new value allows more; what cannot be compared, such as two patterns,
counts as loosened, since a reader has to look at it. Pure: which files are compared, and what a
loosening does to a verdict, is the caller's business (`dvtool.ops.ci`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from dvtool.quality.checks.bounds import Bound, Number
from dvtool.quality.checks.model import (
    ChecksFile,
    Drift,
    HistoryRule,
    IgnoreSpec,
    RuleSpec,
    Spec,
    TableSpec,
)
from dvtool.quality.checks.parsing import table_for
from dvtool.quality.drift.methods import with_tails
from dvtool.quality.findings import RANK, Severity

Rule = Callable[[Any, Any], bool]
"""Tells whether the second value allows something that the first did not."""
Limit = Number | str | None


@dataclass(frozen=True, slots=True)
class Loosening:
    """One thing that is asked for less than before.

    Attributes:
        key: What, as in the file: `min`, `rows`, `history`; the column's own `checks`.
        was: The old value in words.
        now: The new one; `gone` when nothing is left of it.
        column: The column, empty for the table.
        line: Where the new value stands in the new file, 0 when it is gone.
        table: Path or glob of the table, empty for a single one.
    """

    key: str
    was: str
    now: str
    column: str = ""
    line: int = 0
    table: str = ""

    def __str__(self) -> str:
        """Returns one line without the column."""
        where = f" of {self.table}" if self.table else ""
        return f"{self.key}{where} was {self.was}, is {self.now}"


def loosenings(
    before: ChecksFile | None, after: ChecksFile | None, paths: Collection[str]
) -> tuple[Loosening, ...]:
    """Returns what `after` asks for less, each thing once, in the order of the old file.

    What counts is what holds for a file: a new entry that takes a file away from an older, stricter
    one is a loosening as well.

    Args:
        before: The older checks; None for none, which nothing loosens.
        after: The newer ones; None when they are gone.
        paths: The files they are about, inside the data set; `""` for a single one.
    """
    if before is None:
        return ()
    if after is None:
        return (Loosening("every check", "there", "gone"),)
    found: dict[Loosening, None] = {}
    for was, now in _pairs(before, after, paths):
        if now is None:
            found[Loosening("every check", "there", "gone", table=was.path)] = None
        else:
            found.update(dict.fromkeys(_table(was, now)))
    return tuple(found)


def _pairs(
    before: ChecksFile, after: ChecksFile, paths: Collection[str]
) -> Iterator[tuple[TableSpec, TableSpec | None]]:
    """Yields the checks that held with those that hold now, each pair once."""
    seen: set[tuple[int, int]] = set()
    left = {id(one): one for one in before.tables}
    for path in sorted(paths):
        was = table_for(before, path)
        if was is None:
            continue
        left.pop(id(was), None)
        now = table_for(after, path)
        if (id(was), id(now)) not in seen:
            seen.add((id(was), id(now)))
            yield was, now
    by_path = {one.path: one for one in after.tables}
    for was in left.values():  # entries that no file of today matches
        yield was, by_path.get(was.path)


def _table(was: TableSpec, now: TableSpec) -> Iterator[Loosening]:
    yield from _compare(was, now, TABLE_RULES, table=was.path)
    for old in was.columns:
        new = now.column(old.name)
        if new is None:
            yield Loosening("every check", "there", "gone", old.name, table=was.path)
        else:
            yield from _compare(old, new, COLUMN_RULES, table=was.path, column=old.name)


def _compare(
    was: Spec, now: Spec, rules: Mapping[str, Rule], *, table: str, column: str = ""
) -> Iterator[Loosening]:
    for name, is_looser in rules.items():
        old, new = getattr(was, name), getattr(now, name)
        if old == new or not is_looser(old, new):
            continue
        word = WORDS.get(name, name)
        line = now.lines.get(word, 0) if _is_there(new) else 0
        yield Loosening(word, _said(old, "not given"), _said(new), column, line, table)


# -- rules ---------------------------------------------------------------------------------------


def _other(was: object, now: object) -> bool:
    """Of what cannot be compared: any change of something that was asked."""
    return bool(was) and was != now


def _lower(was: Limit, now: Limit) -> bool:
    return was is not None and (now is None or _is_below(now, was) is not False)


def _higher(was: Limit, now: Limit) -> bool:
    return was is not None and (now is None or _is_below(was, now) is not False)


def _is_below(one: Number | str, other: Number | str) -> bool | None:
    """Tells which is less; None of a number and a date, which cannot be compared."""
    if isinstance(one, str) and isinstance(other, str):
        return one < other
    if isinstance(one, str) or isinstance(other, str):
        return None
    return one < other


def _turned_off(was: bool, now: bool) -> bool:
    return was and not now


def _turned_on(was: bool, now: bool) -> bool:
    return now and not was


def _more_values(was: tuple[object, ...], now: tuple[object, ...]) -> bool:
    return bool(was) and (not now or not set(now) <= set(was))


def _wider(was: Bound | None, now: Bound | None) -> bool:
    if was is None:
        return False
    if now is None or was.percent != now.percent:
        return True
    return _reaches_below(was, now) or _reaches_above(was, now)


def _reaches_below(was: Bound, now: Bound) -> bool:
    if was.low is None:
        return False
    if now.low is None or now.low < was.low:
        return True
    return now.low == was.low and was.low_open and not now.low_open


def _reaches_above(was: Bound, now: Bound) -> bool:
    if was.high is None:
        return False
    if now.high is None or now.high > was.high:
        return True
    return now.high == was.high and was.high_open and not now.high_open


def _any_wider(
    was: tuple[tuple[object, Bound], ...], now: tuple[tuple[object, Bound], ...]
) -> bool:
    there = dict(now)
    return any(_wider(bound, there.get(key)) for key, bound in was)


def _milder(was: Severity | None, now: Severity | None) -> bool:
    """Without a word of the checks a violation fails, or is what its maker says."""
    return RANK[now or Severity.FAIL] < RANK[was or Severity.FAIL]


def _any_milder(
    was: tuple[tuple[str, Severity], ...], now: tuple[tuple[str, Severity], ...]
) -> bool:
    old, new = dict(was), dict(now)
    return any(_milder(old.get(name), new.get(name)) for name in [*old, *new])


def _drift(was: Drift | None, now: Drift | None) -> bool:
    if now is not None and now.off:
        return was is None or not was.off
    if was is None or was.off:
        return False
    there = with_tails(now.thresholds()) if now is not None else {}
    limits = with_tails(was.thresholds())
    return any(there.get(name, limit + 1) > limit for name, limit in limits.items())


def _history(was: HistoryRule, now: HistoryRule) -> bool:
    """A smaller budget and a later start alarm on less."""
    if was.off or now.off:
        return now.off and not was.off
    return now.false_alarms < was.false_alarms or now.min_versions > was.min_versions


_WAYS: Final = ("allow", "warn", "fail")


def _way(default: str) -> Rule:
    def is_looser(was: str, now: str) -> bool:
        return _WAYS.index(now or default) < _WAYS.index(was or default)

    return is_looser


def _within(rules: Mapping[str, Rule]) -> Rule:
    """Of a group of keys: whether one of them allows more, or the group is gone."""

    def is_looser(was: Spec | None, now: Spec | None) -> bool:
        if was is None:
            return False
        if now is None:
            return True
        return any(
            rule(getattr(was, name), getattr(now, name))
            for name, rule in rules.items()
            if getattr(was, name) != getattr(now, name)
        )

    return is_looser


def _rules(was: tuple[RuleSpec, ...], now: tuple[RuleSpec, ...]) -> bool:
    there = {one.sql: one for one in now}
    return any(
        one.sql not in there
        or there[one.sql].max_share > one.max_share
        or _milder(one.severity, there[one.sql].severity)
        for one in was
    )


def _ignores(was: tuple[IgnoreSpec, ...], now: tuple[IgnoreSpec, ...]) -> bool:
    until = {one.finding: one.until for one in was}
    return any(one.finding not in until or one.until > until[one.finding] for one in now)


ROWS_RULES: Final[Mapping[str, Rule]] = {"min": _lower, "max": _higher, "change": _wider}
TIME_RULES: Final[Mapping[str, Rule]] = {"column": _other, "fresh_s": _higher, "gaps_s": _higher}
SPLITS_RULES: Final[Mapping[str, Rule]] = dict.fromkeys(
    ("train", "validation", "test", "group", "time"), _other
)
COLUMN_RULES: Final[Mapping[str, Rule]] = {
    "type": _other,
    "optional": _turned_on,
    "min": _lower,
    "max": _higher,
    "allowed": _more_values,
    "matches": _other,
    "nulls": _wider,
    "unique": _turned_off,
    "length": _wider,
    "distinct": _wider,
    "order": _other,
    "in_table": _other,
    "mean": _wider,
    "std": _wider,
    "median": _wider,
    "quantiles": _any_wider,
    "shares": _any_wider,
    "drift": _drift,
    "private": _turned_off,
    "public": _turned_on,
    "severity": _milder,
}
"""Every field of a column's checks but its name; `tests` compare."""
TABLE_RULES: Final[Mapping[str, Rule]] = {
    # One table of many files holds fewer bounds a file, many tables no key over all of them.
    "union": lambda was, now: was != now,
    "key": _other,
    "label": _other,
    "time": _within(TIME_RULES),
    "rows": _within(ROWS_RULES),
    "rules": _rules,
    "other_columns": _way("allow"),
    "schema": _other,
    "schema_change": _way("fail"),
    "splits": _within(SPLITS_RULES),
    "reference": _other,
    "history": _history,
    "group": _other,
    "drift": _drift,
    "concept": _higher,
    "two_sample": _higher,
    "severities": _any_milder,
    "ignore": _ignores,
    "read": lambda was, now: was != now,
}
"""Every field of a table's checks but its path and its columns."""
WORDS: Final = {"allowed": "in", "severities": "severity", "fresh_s": "fresh", "gaps_s": "gaps"}
"""Fields that the file calls otherwise."""


# -- words ---------------------------------------------------------------------------------------


def _is_there(value: object) -> bool:
    return value is not None and value not in ((), "")


def _said(value: object, nothing: str = "gone") -> str:
    if not _is_there(value):
        return nothing
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Drift | HistoryRule) and value.off:
        return "false"
    if value == HistoryRule():
        return "true"
    if isinstance(value, IgnoreSpec):
        return f"{value.finding} until {value.until.isoformat()}"
    if isinstance(value, Spec):
        told = [
            f"{WORDS.get(one.name, one.name)}: {_said(getattr(value, one.name))}"
            for one in fields(value)
            if one.name not in ("line", "lines") and getattr(value, one.name) != one.default
        ]
        return f"{{{', '.join(told)}}}"
    if isinstance(value, tuple):
        if value and all(isinstance(one, tuple) and len(one) == 2 for one in value):
            return f"{{{', '.join(f'{key}: {_said(one)}' for key, one in value)}}}"
        return f"[{', '.join(_said(one) for one in value)}]"
    return str(getattr(value, "value", value))
