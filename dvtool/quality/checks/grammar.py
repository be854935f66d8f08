"""The grammars of values: how each is read from a node, written back, described and schema'd.

A grammar is a value of four functions or texts, so that parser, writer, JSON Schema and reference
come from one place. Which key has which grammar is `vocabulary`; grammars made of other keys
(records) are `records`.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from dvtool.errors import InvalidText
from dvtool.quality.checks import editing
from dvtool.quality.checks.bounds import Bound, parse_bound, parse_plain
from dvtool.quality.checks.editing import Schema
from dvtool.quality.checks.text import Node

Value = Any
"""What a grammar reads; each has its own type."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """How the value of a key is written.

    Args:
        says: One phrase for the reference: "true or false".
        schema: A JSON Schema that accepts at least what `read` accepts.
        read: Node to value; raises InvalidText with the line.
        write: Value to strings, numbers, booleans, lists and mappings.
        record: Name of the scope whose keys stand inside; empty for plain values.
    """

    says: str
    schema: Schema
    read: Callable[[Node], Any]
    write: Callable[[Any], Any] = lambda value: value
    record: str = ""


def did_you_mean(found: str, known: list[str]) -> str:
    """Returns a hint naming the nearest of `known`, or all of them when none is near."""
    near = get_close_matches(found.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"


def expected(node: Node, what: str) -> InvalidText:
    """Returns the error that `node` is not `what`, quoting a scalar."""
    found = repr(node.written[:60]) if node.kind == "scalar" else f"a {node.kind}"
    return node.refuse(f"expected {what.removesuffix(',')}, found {found}")


def _text(node: Node) -> str:
    if not isinstance(node.value, str) or not node.value.strip() or node.kind != "scalar":
        raise expected(node, "text")
    return node.value


def _name(node: Node) -> str:
    """A column may be called 2020 or true; its name is what is written."""
    if node.kind != "scalar" or not node.written:
        raise expected(node, "the name of a column")
    if node.value is None:
        raise node.refuse(f"{node.written} means nothing here", hint=f"'{node.written}' is a name")
    return node.written


def _flag(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise expected(node, "true or false")
    return node.value


def _names(node: Node) -> tuple[str, ...]:
    if node.kind == "scalar":
        return (_name(node),)
    names = tuple(_name(one) for one in node.items)
    if not names:
        raise expected(node, "a list of different column names")
    _refuse_repeated(node)
    return names


def _value(node: Node) -> str | int | float | bool:
    if node.kind != "scalar" or node.value is None:
        raise expected(node, "a value")
    value: str | int | float | bool = node.value
    return value


def _values(node: Node) -> tuple[str | int | float | bool, ...]:
    values = tuple(_value(one) for one in node.items)
    if not values:
        raise expected(node, "a list of values")
    _refuse_repeated(node)
    return values


def _refuse_repeated(node: Node) -> None:
    """Refuses a list with one value twice; 1 and 1.0 are one."""
    seen: set[tuple[type, object]] = set()
    for one in node.items:
        kind = bool if isinstance(one.value, bool) else str if isinstance(one.value, str) else float
        if (kind, one.value) in seen:
            raise one.refuse(f"{one.written[:60]} stands twice in the list")
        seen.add((kind, one.value))


def _count(node: Node) -> int:
    value = node.value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise expected(node, "a whole number from 0")
    return value


def _number(node: Node) -> float:
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise expected(node, "a number")
    return node.value


def _positive(node: Node) -> float:
    value = float(_number(node))
    if not 0 < value < math.inf:
        raise expected(node, "a number above 0")
    return value


def _share(node: Node) -> float:
    plain = parse_plain(node.written) if node.kind == "scalar" else None
    if plain is None:
        raise expected(node, "a share such as 0.01 or 1%")
    share = plain[0] / 100 if plain[1] else float(plain[0])
    if not 0 <= share <= 1:
        raise expected(node, "a share from 0 to 1 (or 100%)")
    return share


FEWEST_VERSIONS: Final = 3
MOST_VERSIONS: Final = 30
"""Earlier versions that a table is judged by, at most: what waits for more waits for ever."""


def _budget(node: Node) -> float:
    share = _share(node)
    if not 0 < share <= editing.LARGEST_BUDGET:
        raise expected(node, f"a share above 0, at most {editing.LARGEST_BUDGET:.0%}")
    return share


def _past(node: Node) -> int:
    versions = _count(node)
    if not FEWEST_VERSIONS <= versions <= MOST_VERSIONS:
        raise expected(node, f"a whole number from {FEWEST_VERSIONS} to {MOST_VERSIONS}")
    return versions


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def _limit(node: Node) -> int | float | str:
    if isinstance(node.value, str) and _MOMENT.fullmatch(node.value):
        try:
            datetime.datetime.fromisoformat(node.value)
        except ValueError as error:
            raise node.refuse(f"{node.value} is no date: {error}") from None
        return node.value
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise expected(node, "a number, or a date such as 2026-01-31")
    return node.value


def _date(node: Node) -> datetime.date:
    if not isinstance(node.value, str) or not _DAY.fullmatch(node.value):
        raise expected(node, "a date such as 2026-01-31")
    try:
        return datetime.date.fromisoformat(node.value)
    except ValueError as error:
        raise node.refuse(f"{node.value} is no date: {error}") from None


_UNITS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION = re.compile(r"(\d{1,9})\s*([wdhms])")


def _duration(node: Node) -> int:
    found = _DURATION.fullmatch(node.value) if isinstance(node.value, str) else None
    if found is None or int(found[1]) == 0:
        raise expected(node, "a duration such as 2d, 12h, 30m, 90s or 1w")
    return int(found[1]) * _UNITS[found[2]]


def duration_words(seconds: int) -> str:
    """Returns a duration in its largest whole unit: `2d`."""
    unit = next(unit for unit, size in _UNITS.items() if seconds % size == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


def _regex(node: Node) -> str:
    pattern = _text(node)
    if "\x00" in pattern or len(pattern) > 1000:
        raise node.refuse("a pattern has at most 1000 characters and no NUL")
    for unknown, says in (
        ("(?=", "look-ahead"),
        ("(?!", "look-ahead"),
        ("(?<=", "look-behind"),
        ("(?<!", "look-behind"),
    ):
        if unknown in pattern:
            raise node.refuse(f"patterns are RE2's, which has no {says} {unknown}")
    if broken := _unbalanced(pattern):
        raise node.refuse(f"no pattern: {broken}")
    return pattern


_UNBALANCED = (
    "missing )",
    "unbalanced parenthesis",
    "unterminated character set",
    "bad escape (end",
)


def _unbalanced(pattern: str) -> str:
    """Returns what no dialect of patterns allows; empty for what the engine has to look at."""
    if "\\Q" in pattern or "[:" in pattern:
        return ""  # RE2's own
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error) if str(error).startswith(_UNBALANCED) else ""
    except (RecursionError, OverflowError):
        return ""
    return ""


_A_NAME: Final[Schema] = {
    "anyOf": [{"type": ["number", "boolean"]}, {"type": "string", "minLength": 1}]
}
TEXT = Grammar("text", editing.SOME_TEXT, _text)
NAME = Grammar("the name of a column", _A_NAME, _name)
FLAG = Grammar("`true` or `false`", {"type": "boolean"}, _flag)
COUNT = Grammar("a whole number from 0", {"type": "integer", "minimum": 0}, _count)
THRESHOLD = Grammar("a number above 0", {"type": "number", "exclusiveMinimum": 0}, _positive)
SHARE = Grammar("a share: `0.01` or `1%`", editing.SHARE, _share)
BUDGET = Grammar("a share above 0, at most 20 %: `0.01` or `1%`", editing.BUDGET, _budget)
PAST = Grammar(
    f"a whole number from {FEWEST_VERSIONS} to {MOST_VERSIONS}",
    {"type": "integer", "minimum": FEWEST_VERSIONS, "maximum": MOST_VERSIONS},
    _past,
)
LIMIT = Grammar("a number or an ISO date", editing.LIMIT, _limit)
DATE = Grammar(
    "an ISO date",
    {"type": "string", "format": "date", "pattern": f"^{editing.DAY}$"},
    _date,
    lambda value: value.isoformat(),
)
DURATION = Grammar(
    "a duration: `90s`, `30m`, `12h`, `2d`, `1w`", editing.DURATION, _duration, duration_words
)
REGEX = Grammar("a pattern (RE2) for the whole value", editing.REGEX, _regex)
NAMES = Grammar(
    "a column, or a list of columns",
    {"anyOf": [*_A_NAME["anyOf"], {"type": "array", "items": _A_NAME, **editing.SOME_DIFFERENT}]},
    _names,
    list,
)
VALUES = Grammar(
    "a list of values",
    {
        "type": "array",
        "items": {"type": ["string", "number", "boolean"]},
        **editing.SOME_DIFFERENT,
    },
    _values,
    list,
)


def choice(*words: str, make: Callable[[str], Any] = str) -> Grammar:
    """Returns the grammar of one of `words`, turned into a value by `make` (an Enum, say)."""

    def read(node: Node) -> Value:
        if node.value not in words or not isinstance(node.value, str):
            error = expected(node, f"one of {', '.join(words)}")
            error.hint = did_you_mean(node.written, list(words)) if node.written else ""
            raise error
        return make(node.value)

    says = ", ".join(f"`{word}`" for word in words)
    schema = {"type": "string", "enum": list(words)}
    return Grammar(says, schema, read, lambda value: getattr(value, "value", value))


def bound(*, plain: str = "", percent: str = "", least: float = -math.inf) -> Grammar:
    """Returns the grammar of a bound.

    Args:
        plain: What a number alone means: `max`, `exact`, or nothing: then it is refused.
        percent: `may`, `must`, or nothing: then percent is refused.
        least: The smallest end that makes sense.
    """

    def read(node: Node) -> Bound:
        try:
            found = _bound_of(node, plain)
        except InvalidText as error:
            raise node.refuse(error.message) from None
        if found.percent and not percent:
            raise node.refuse("this figure has no percent")
        if not found.percent and percent == "must":
            raise node.refuse("expected percent, such as -10%..+50%")
        ends = [end for end in (found.low, found.high) if end is not None]
        if min(ends) < least:
            raise node.refuse(f"an end below {least:g} makes no sense here")
        if found.percent and least == 0 and max(ends) > 100:
            raise node.refuse("a share above 100% makes no sense here")
        if percent == "may" and not found.percent and any(end != int(end) for end in ends):
            raise node.refuse("a count is a whole number", hint="write a share as percent: 1%")
        return found

    meaning = {"max": "; a number alone is the maximum", "exact": "; a number alone is exact"}
    unit = {"may": ", in rows or percent", "must": ", in percent"}.get(percent, "")
    says = f"a bound{unit}{meaning.get(plain, '')}"
    schema = editing.bound(plain=plain, percent=percent, least=least)
    return Grammar(says, schema, read, str)


def _bound_of(node: Node, plain: str) -> Bound:
    if node.kind == "list":
        ends = [parse_plain(one.written) for one in node.items]
        if len(ends) != 2 or ends[0] is None or ends[1] is None or ends[0][1] != ends[1][1]:
            raise expected(node, "two ends of one unit, such as [-10%, +50%]")
        return Bound(ends[0][0], ends[1][0], percent=ends[0][1])
    if node.kind != "scalar" or not node.written:
        raise expected(node, "a bound such as 30..45, '>= 3' or '<= 1%'")
    alone = parse_plain(node.written)
    if alone is None:
        return parse_bound(node.written)
    number, percent = alone
    if plain == "max":
        return Bound(high=number, percent=percent)
    if plain == "exact":
        return Bound(number, number, percent=percent)
    raise expected(node, "a bound such as 30..45 or '>= 3', not a number alone,")


def mapping_of(
    key: Callable[[Node], Any],
    value: Grammar,
    what: str,
    spell: Callable[[Any], str] = str,
    *,
    keys: Schema | None = None,
) -> Grammar:
    """Returns the grammar of a mapping with free keys, read as a tuple of pairs in file order.

    Args:
        key: Reads a key.
        value: Of what stands behind it.
        what: What it maps, in words.
        spell: Writes a key.
        keys: JSON Schema of the keys; None for any text.
    """

    def read(node: Node) -> tuple[tuple[Any, Any], ...]:
        if not node.pairs:
            raise expected(node, f"a mapping of {what}")
        return tuple((key(name), value.read(inner)) for name, inner in node.pairs)

    return Grammar(
        f"a mapping of {what}",
        {
            "type": "object",
            "additionalProperties": value.schema,
            "minProperties": 1,
            **({} if keys is None else {"propertyNames": keys}),
        },
        read,
        lambda pairs: {spell(name): value.write(inner) for name, inner in pairs},
    )


def probability(node: Node) -> float:
    """Returns a key that is a probability, 0 to 1 without the ends.

    Raises:
        InvalidText: It is something else.
    """
    plain = parse_plain(node.written)
    if plain is None or plain[1] or not 0 < plain[0] < 1:
        raise expected(node, "a probability such as 0.05")
    return float(plain[0])


def written(node: Node) -> str:
    """Returns a key as it is written."""
    return node.written
