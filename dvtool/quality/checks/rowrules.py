"""Expectations about single values, as SQL conditions that are true where a row breaks them.

Built from a column's entry and its cell, or from a rule's expression; nothing is queried here.
`scan` counts all of them in one pass, `evaluate` says what was found.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dvtool.quality.checks.bounds import Bound, Number
from dvtool.quality.checks.cells import Cell
from dvtool.quality.checks.model import RuleSpec
from dvtool.quality.checks.subject import Asked
from dvtool.quality.kinds import Kind
from dvtool.quality.tables.engine import literal, quoted

_HUGE = 2**126


class Unsupported(Exception):
    """A key asks for what this kind of column does not have; the message says so."""


@dataclass(frozen=True, slots=True)
class RowRule:
    """One condition on rows.

    Args:
        asked: Who asks.
        violated: SQL, true where a row breaks it; NULL counts as kept.
        says: What the breaking values are: `below 0`.
        total: SQL aggregate of how many could break it.
        value: SQL of the text to show for a row; NULL when nothing may be shown.
        allowed: How many may; None for none at all, then the message does not say it.
        noun: What is counted.
    """

    asked: Asked
    violated: str
    says: str
    total: str
    value: str = "NULL"
    allowed: Bound | None = None
    noun: str = "values"


def column_rules(cell: Cell, asked: dict[str, Asked]) -> Iterator[RowRule | tuple[Asked, str]]:
    """Yields the rules of a column, and for keys that its kind does not have, why not.

    Args:
        cell: The column.
        asked: By key of the checks file, for the keys that are given.
    """
    spec = cell.spec
    shown = "NULL" if cell.private else cell.text
    total = f"count({cell.value})"
    if cell.kind is Kind.OTHER:
        for key in ("min", "max", "in", "matches", "length"):
            if key in asked:
                yield asked[key], f"values of this kind have no {key}"
        return
    builders: dict[str, Callable[[], tuple[str, str]]] = {
        "min": lambda: _limit(cell, spec.min, low=True),
        "max": lambda: _limit(cell, spec.max, low=False),
        "in": lambda: _allowed(cell),
        "matches": lambda: _matches(cell),
        "length": lambda: _length(cell),
    }
    for key, build in builders.items():
        if key not in asked:
            continue
        try:
            violated, says = build()
        except Unsupported as error:
            yield asked[key], str(error)
        else:
            yield RowRule(asked[key], violated, says, total, shown)


def expression_rule(
    rule: RuleSpec, asked: Asked, used: tuple[str, ...], private: frozenset[str]
) -> RowRule:
    """Returns the rule of one boolean expression, already proven harmless (`expression`).

    Args:
        used: The columns that it uses; their values are shown unless one of them is private.
    """
    shown = "NULL"
    if used and not private.intersection(used):
        parts = [
            f"{literal(column + '=')} || coalesce(CAST({quoted(column)} AS VARCHAR), 'null')"
            for column in used
        ]
        shown = " || ', ' || ".join(parts)
    allowed = Bound(high=rule.max_share * 100, percent=True) if rule.max_share else None
    return RowRule(
        asked,
        f"NOT ({rule.sql}\n)",
        f"break {rule.name or one_line(rule.sql)}",
        "count(*)",
        shown,
        allowed,
        "rows",
    )


def one_line(text: str) -> str:
    """Returns a text without line breaks, at most 120 characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else flat[:119] + "…"


def _limit(cell: Cell, end: Number | str | None, *, low: bool) -> tuple[str, str]:
    sign = "<" if low else ">"
    words = f"{'below' if low else 'above'} {end}"
    item = _element(cell)
    if isinstance(end, str):
        if not item.kind.is_moment:
            raise Unsupported(f"{end} is a date, the column is {item.kind.value}")
        if not low and len(end) == 10 and item.kind is Kind.DATETIME:
            # A day as the maximum includes all of it.
            day = datetime.date.fromisoformat(end) + datetime.timedelta(days=1)
            return _any(cell, f"{item.value} >= TIMESTAMP '{day.isoformat()}'"), words
        return _any(cell, f"{item.value} {sign} {_moment(end)}"), words
    assert end is not None
    if not item.kind.is_number:
        raise Unsupported(f"{end} is a number, the column is {item.kind.value}")
    return _any(cell, f"{item.value} {sign} {number(end)}"), words


def number(value: Number) -> str:
    """Returns a number as SQL that neither overflows nor becomes a decimal."""
    if isinstance(value, int) and abs(value) < _HUGE:
        return str(value)
    try:
        return f"CAST('{float(value)!r}' AS DOUBLE)"
    except OverflowError:
        return f"CAST('{'-' if value < 0 else ''}inf' AS DOUBLE)"


def _moment(text: str) -> str:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return f"TIMESTAMP '{moment.isoformat(sep=' ')}'"


def _allowed(cell: Cell) -> tuple[str, str]:
    allowed = cell.spec.allowed
    item = _element(cell)
    if item.kind is Kind.OTHER:
        raise Unsupported("the items of this list have no values to compare")
    numbers = [one for one in allowed if isinstance(one, int | float) and not isinstance(one, bool)]
    if item.kind.is_number and len(numbers) == len(allowed):
        wanted = ", ".join(number(one) for one in numbers)
        return _any(cell, f"{item.value} NOT IN ({wanted})"), _not_one_of(cell)
    wanted = ", ".join(literal(in_text(one)) for one in allowed)
    return _any(cell, f"{item.text} NOT IN ({wanted})"), _not_one_of(cell)


def in_text(value: str | float | bool) -> str:
    """Returns a value of `in:` as the text that a text column would hold."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _not_one_of(cell: Cell) -> str:
    allowed = [in_text(one) for one in cell.spec.allowed]
    if len(allowed) > 8:
        return f"not one of the {len(allowed)} allowed"
    return f"not one of {', '.join(allowed)}"


def _matches(cell: Cell) -> tuple[str, str]:
    pattern = cell.spec.matches
    item = _element(cell)
    if item.kind is Kind.OTHER:
        raise Unsupported("the items of this list have no text")
    condition = f"NOT regexp_full_match({item.text}, {literal(pattern)})"
    return _any(cell, condition), f"not matching {pattern}"


def _length(cell: Cell) -> tuple[str, str]:
    bound = cell.spec.length
    assert bound is not None
    if cell.kind is Kind.LIST:
        size, noun = f"len({cell.value})", "items"
    elif cell.kind is Kind.TEXT:
        size, noun = f"length({cell.value})", "characters"
    else:
        raise Unsupported(f"{cell.kind.value} has no length")
    return outside(size, bound), f"not of {bound.words()} {noun}"


def outside(figure: str, bound: Bound) -> str:
    """Returns SQL that is true where a figure lies outside a bound, in the unit of its ends."""
    parts = []
    if bound.low is not None:
        parts.append(f"{figure} {'<=' if bound.low_open else '<'} {number(bound.low)}")
    if bound.high is not None:
        parts.append(f"{figure} {'>=' if bound.high_open else '>'} {number(bound.high)}")
    return f"({' OR '.join(parts)})"


def _element(cell: Cell) -> Cell:
    """Returns what a condition on values is about: the value itself, or `item` of a list."""
    if cell.item is None:
        return cell
    return replace(cell, kind=cell.item, value="__item", item=None)


def _any(cell: Cell, condition: str) -> str:
    if cell.item is None:
        return condition
    return f"len(list_filter({cell.value}, lambda __item: {condition})) > 0"
